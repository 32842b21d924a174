// A FHIR dateTime of any precision as the stretch of time it covers. https://hl7.org/fhir/R4/datatypes.html#dateTime
import { Fault } from '../fault.ts';

/** Milliseconds since 1970; `end` is exclusive. */
export interface Period {
  readonly start: number;
  readonly end: number;
}

const PARTIAL = /^(\d{4})(?:-(\d\d)(?:-(\d\d))?)?$/;
const SECONDS = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?(\.\d+)?(Z|[+-]\d\d:\d\d)$/;

/**
 * Dates without a time are taken in UTC.
 * @throws Fault invalid
 */
export function periodOf(dateTime: string, parameter: string): Period {
  try {
    const partial = PARTIAL.exec(dateTime);
    return partial ? dayPeriod(partial) : timePeriod(dateTime);
  } catch (cause) {
    throw new Fault('invalid', `${parameter} must be a FHIR dateTime such as 2026-11-24 or 2026-11-24T08:30:00Z.`, {
      code: 'value',
      cause,
    });
  }
}

function dayPeriod([, year, month, day]: RegExpExecArray): Period {
  const from = Temporal.PlainDate.from(`${year}-${month ?? '01'}-${day ?? '01'}`);
  const to = from.add(day ? { days: 1 } : month ? { months: 1 } : { years: 1 });
  return { start: midnight(from), end: midnight(to) };
}

function timePeriod(dateTime: string): Period {
  const match = SECONDS.exec(dateTime);
  if (!match) throw new RangeError('not a dateTime');
  const start = Temporal.Instant.from(dateTime).epochMilliseconds;
  return { start, end: start + (match[2] ? 1 : match[1] ? 1_000 : 60_000) };
}

function midnight(date: Temporal.PlainDate): number {
  return date.toZonedDateTime('UTC').epochMilliseconds;
}

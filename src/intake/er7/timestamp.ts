// HL7 v2 date-times (DT, DTM, TS) -> FHIR. What has no offset is read on the facility's wall clock, daylight saving
// included; an impossible date is refused, never rounded.
import { Refusal } from '../refusal.ts';
import type { Segment } from './message.ts';

const DTM = /^(\d{4})(?:(\d{2})(?:(\d{2})(?:(\d{2})(?:(\d{2})(?:(\d{2})(\.\d{1,9})?)?)?)?)?)?([+-]\d{4})?$/;

interface Parts {
  readonly year: string;
  readonly month?: string;
  readonly day?: string;
  /** Present when the time of day is given. */
  readonly moment?: Temporal.ZonedDateTime;
}

/**
 * A FHIR dateTime with the precision of the field (year, month, day, or second with offset of `zone`).
 * @throws Refusal AE 102
 */
export function readDateTime(segment: Segment, field: number, zone: string): string | undefined {
  return inField(segment, field, (text) => {
    const { year, month, day, moment } = parse(text, zone);
    return moment ? formatMoment(moment) : [year, month, day].filter(Boolean).join('-');
  });
}

/**
 * A FHIR date (year, month or day); a time of day is left out.
 * @throws Refusal AE 102
 */
export function readDate(segment: Segment, field: number): string | undefined {
  return inField(segment, field, (text) => {
    const { year, month, day } = parse(text, 'UTC');
    return [year, month, day].filter(Boolean).join('-');
  });
}

/**
 * The moment a field names; the start of the day, month or year when it says no more.
 * @throws Refusal AE 102
 */
export function readInstant(segment: Segment, field: number, zone: string): Temporal.Instant | undefined {
  return inField(segment, field, (text) => {
    const { year, month = '01', day = '01', moment } = parse(text, zone);
    return (moment ?? Temporal.PlainDate.from(`${year}-${month}-${day}`).toZonedDateTime(zone)).toInstant();
  });
}

/** A moment as FHIR dateTime on the wall clock of its zone, e.g. `2026-03-08T03:30:00-04:00`. */
export function formatMoment(moment: Temporal.ZonedDateTime): string {
  return moment.toString({ timeZoneName: 'never', fractionalSecondDigits: moment.millisecond === 0 ? 0 : 3 });
}

/** A FHIR dateTime on the wall clock of a zone; of a date, or without a zone, as it is. */
export function onClock(value: string, zone: string | undefined): string {
  return zone && value.includes('T') ? formatMoment(Temporal.Instant.from(value).toZonedDateTimeISO(zone)) : value;
}

function inField<T>(segment: Segment, field: number, readText: (text: string) => T): T | undefined {
  const text = segment.text(field);
  if (text === '') return undefined;
  try {
    return readText(text);
  } catch {
    const location = segment.at(field);
    throw new Refusal('AE', '102', `${segment.name}-${field} is not a possible date or time.`, location);
  }
}

/** A message names the same moments again and again, and so do those that come after it; reading one takes long. */
const read = new Map<string, Parts>();
const MOST_READ = 1_000;

/** @throws RangeError */
function parse(text: string, zone: string): Parts {
  const key = `${zone} ${text}`;
  const known = read.get(key);
  if (known) return known;
  const parts = parseNew(text, zone);
  if (read.size >= MOST_READ) read.clear();
  read.set(key, parts);
  return parts;
}

function parseNew(text: string, zone: string): Parts {
  const match = DTM.exec(text);
  if (!match) throw new RangeError('not a DTM');
  const [, year = '', month, day, hour, minute = '00', second = '00', fraction = '', offset] = match;
  if (year < '1850' || year > '2200') throw new RangeError('year out of reach');
  const date = { year: Number(year), month: Number(month ?? 1), day: Number(day ?? 1) };
  if (hour === undefined) {
    Temporal.PlainDate.from(date, { overflow: 'reject' });
    return { year, month, day };
  }
  const time = { hour: Number(hour), minute: Number(minute), second: Number(second) };
  const millisecond = Math.trunc(Number(`0${fraction}`) * 1000);
  const plain = Temporal.PlainDateTime.from({ ...date, ...time, millisecond }, { overflow: 'reject' });
  const moment = offset
    ? plain.toZonedDateTime(offsetZone(offset)).withTimeZone(zone)
    : plain.toZonedDateTime(zone, { disambiguation: 'compatible' });
  return { year, month, day, moment };
}

/** `+0215` -> `+02:15`; offsets beyond 14 hours do not exist and FHIR cannot hold them. */
function offsetZone(offset: string): string {
  if (Number(offset.slice(1, 3)) > 14 || Number(offset.slice(3)) > 59) throw new RangeError('offset out of range');
  return `${offset.slice(0, 3)}:${offset.slice(3)}`;
}

// Wall-clock times of a place as instants, and FHIR date/times as instants. The one place that settles what a local time
// means on the two odd days of the year: in the spring gap the first instant after it, in the autumn overlap the first.
import { Fault } from '../fault.ts';

/** The instant at which clocks in `zone` show `time` on `date`. */
export function atLocal(date: Temporal.PlainDate, time: Temporal.PlainTime, zone: string): Temporal.Instant {
  const wanted = date.toPlainDateTime(time);
  const found = wanted.toZonedDateTime(zone, { disambiguation: 'earlier' });
  if (found.toPlainDateTime().equals(wanted)) return found.toInstant();
  const transition = found.getTimeZoneTransition('next');
  return (transition ?? wanted.toZonedDateTime(zone)).toInstant();
}

/** The last second of `date` in `zone`. */
export function endOfDay(date: Temporal.PlainDate, zone: string): Temporal.Instant {
  return date.add({ days: 1 }).toZonedDateTime(zone).toInstant().subtract({ seconds: 1 });
}

/** The calendar day that `instant` falls on in `zone`. */
export function localDate(instant: Temporal.Instant, zone: string): Temporal.PlainDate {
  return instant.toZonedDateTimeISO(zone).toPlainDate();
}

/** A FHIR dateTime with the offset that `zone` has at that moment, to the second: `2026-11-25T23:59:59-05:00`. */
export function toFhirDateTime(instant: Temporal.Instant, zone: string): string {
  return instant.toZonedDateTimeISO(zone).toString({ timeZoneName: 'never', smallestUnit: 'second' });
}

/**
 * The last moment that a FHIR date, dateTime or instant covers: a deadline without a time ends with its day (month, year).
 * @throws Fault unprocessable when it is no date
 */
export function toLastInstant(value: string, zone: string): Temporal.Instant {
  const first = toInstant(value, zone);
  if (value.includes('T')) return first;
  const unit = (['years', 'months', 'days'] as const)[value.split('-').length - 1] ?? 'days';
  return first
    .toZonedDateTimeISO(zone)
    .add({ [unit]: 1 })
    .toInstant()
    .subtract({ seconds: 1 });
}

/**
 * A FHIR date, dateTime or instant as an instant. A value without a time counts from the start of its day (month, year)
 * in `zone`: a deadline computed from it can be early, never late.
 * @throws Fault unprocessable when it is no date
 */
export function toInstant(value: string, zone: string): Temporal.Instant {
  try {
    if (value.includes('T')) return Temporal.Instant.from(value);
    const [year, month = '01', day = '01'] = value.split('-');
    return Temporal.PlainDate.from(`${year}-${month}-${day}`).toZonedDateTime(zone).toInstant();
  } catch (cause) {
    throw new Fault('unprocessable', 'A date of the encounter cannot be read; correct it and send it again.', {
      cause,
    });
  }
}

/** Whether this machine knows the IANA time zone. */
export function isTimeZone(zone: string): boolean {
  try {
    Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO(zone);
    return true;
  } catch {
    return false;
  }
}

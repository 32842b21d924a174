// Lengths of time in a pathway: elapsed hours, calendar days, or business days of a place.
import type { Duration } from '@medplum/fhirtypes';
import { type CalendarUnit, calendarUnit } from '../../fhir/fhirpath/temporal.ts';
import { addBusinessDays, type BusinessCalendar } from '../business-calendar.ts';
import { atLocal, endOfDay, localDate } from '../local-time.ts';
import { type Place, refusal } from './refusal.ts';

/** Extension day-count: how whole days are counted. */
export type DayCount = 'calendar-day' | 'business-day';

/** Where days begin and end, and which of them are business days. */
export interface Locale {
  /** IANA name. */
  readonly zone: string;
  readonly calendar: BusinessCalendar;
}

export type Amount =
  | { readonly kind: 'elapsed'; readonly duration: Temporal.Duration }
  | { readonly kind: 'calendar'; readonly duration: Temporal.Duration }
  | { readonly kind: 'business'; readonly days: number };

const MILLISECONDS: Partial<Record<CalendarUnit, number>> = {
  hours: 3_600_000,
  minutes: 60_000,
  seconds: 1_000,
  milliseconds: 1,
};

/** More of a unit than a life has. */
const MOST: Partial<Record<CalendarUnit, number>> = { years: 130, months: 1_560, weeks: 6_800, days: 47_500 };
const MOST_MILLISECONDS = 47_500 * 86_400_000;
const MOST_BUSINESS_DAYS = 3_660;

/** @throws Fault unprocessable when it is negative, has no unit of time, or is no whole number of days */
export function readAmount(given: Duration | undefined, count: DayCount | undefined, place: Place): Amount {
  const { value, code, unit: word, comparator } = given ?? {};
  const unit = calendarUnit(code ?? word ?? '');
  if (value === undefined || !unit || comparator) {
    throw refusal(place, 'a length of time needs a value and a UCUM unit: a, mo, wk, d, h, min or s.');
  }
  if (value < 0) throw refusal(place, 'a length of time cannot be negative; the relationship says before or after.');
  const milliseconds = MILLISECONDS[unit];
  if (milliseconds !== undefined) {
    const length = Math.round(value * milliseconds);
    if (length > MOST_MILLISECONDS) throw refusal(place, `${value} ${unit} is longer than a life.`);
    return { kind: 'elapsed', duration: Temporal.Duration.from({ milliseconds: length }) };
  }
  if (!Number.isInteger(value)) throw refusal(place, `${unit} must be a whole number; give hours for parts of a day.`);
  if (value > (MOST[unit] ?? 0)) throw refusal(place, `${value} ${unit} is longer than a life.`);
  if (count !== 'business-day') return { kind: 'calendar', duration: Temporal.Duration.from({ [unit]: value }) };
  if (unit === 'days' && value <= MOST_BUSINESS_DAYS) return { kind: 'business', days: value };
  throw refusal(place, `business days are counted in days (d), at most ${MOST_BUSINESS_DAYS}.`);
}

/** The moment `amount` after (-1: before) another: the same time for elapsed time, else the beginning or end of its day. */
export function shift(
  from: Temporal.Instant,
  amount: Amount,
  direction: 1 | -1,
  edge: 'begins' | 'ends',
  { zone, calendar }: Locale,
): Temporal.Instant {
  if (amount.kind === 'elapsed') return direction === 1 ? from.add(amount.duration) : from.subtract(amount.duration);
  const isNothing = amount.kind === 'business' ? amount.days === 0 : amount.duration.blank;
  if (isNothing && edge === 'begins') return from;
  const day = localDate(from, zone);
  const reached =
    amount.kind === 'business'
      ? addBusinessDays(calendar, day, amount.days * direction)
      : day.add(direction === 1 ? amount.duration : amount.duration.negated());
  return edge === 'ends' ? endOfDay(reached, zone) : atLocal(reached, new Temporal.PlainTime(), zone);
}

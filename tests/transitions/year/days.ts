// Days and deadlines, reckoned the slow way: walking from day to day and from quarter hour to quarter hour. It shares no
// code with src/care. Times are epoch seconds.
import type { Place } from './places.ts';

const QUARTER = 15 * 60;
const starts = new Map<string, number>();

const zoned = (seconds: number, zone: string) =>
  Temporal.Instant.fromEpochMilliseconds(seconds * 1000).toZonedDateTimeISO(zone);

/** `2026-11-25`. */
export function dayOf(seconds: number, zone: string): string {
  return zoned(seconds, zone).toPlainDate().toString();
}

export function dayPlus(day: string, days: number): string {
  return Temporal.PlainDate.from(day).add({ days }).toString();
}

export function nightsBetween(first: string, last: string): number {
  let nights = 0;
  for (let day = first; day < last; day = dayPlus(day, 1)) nights += 1;
  return nights;
}

/** The first moment at which the clocks of a place show this day and at least this time, `09:00:00`. */
export function momentOf(day: string, time: string, zone: string): number {
  const key = `${zone} ${day} ${time}`;
  const known = starts.get(key);
  if (known !== undefined) return known;
  let at = Date.UTC(Number(day.slice(0, 4)), Number(day.slice(5, 7)) - 1, Number(day.slice(8))) / 1000 - 15 * 3600;
  for (;;) {
    const here = zoned(at, zone);
    const hereDay = here.toPlainDate().toString();
    if (hereDay > day || (hereDay === day && here.toPlainTime().toString({ smallestUnit: 'second' }) >= time)) break;
    at += QUARTER;
  }
  starts.set(key, at);
  return at;
}

/** Its last second. */
export function lastSecondOf(day: string, zone: string): number {
  return momentOf(dayPlus(day, 1), '00:00:00', zone) - 1;
}

export function isBusinessDay(day: string, place: Place): boolean {
  return !place.weekend.includes(Temporal.PlainDate.from(day).dayOfWeek) && !place.closed.includes(day);
}

/** The day after so many days with business; the day itself never counts. */
export function businessDayAfter(day: string, days: number, place: Place): string {
  let found = day;
  for (let left = days; left > 0; ) {
    found = dayPlus(found, 1);
    if (isBusinessDay(found, place)) left -= 1;
  }
  return found;
}

export function businessDayFrom(day: string, place: Place): string {
  let found = day;
  while (!isBusinessDay(found, place)) found = dayPlus(found, 1);
  return found;
}

/** How a step of a protocol counts, as its PlanDefinition says. */
export interface StepTiming {
  readonly count: 'business-day' | 'calendar-day' | 'elapsed';
  readonly opens: number;
  readonly due: number;
  readonly from?: string;
  readonly until?: string;
  readonly roll: boolean;
  /** What becomes of it when nobody could raise it in time; raised all the same when absent. */
  readonly late?: string;
}

export interface Window {
  readonly raise: number;
  readonly due: number;
}

/** domain.md 1.1: business days end at midnight of the place; the day of the discharge never counts. */
export function windowFrom(timing: StepTiming, discharge: number, place: Place): Window {
  const { count, opens, due, from = '00:00:00', until, roll } = timing;
  if (count === 'elapsed') return { raise: discharge + opens * 3600, due: discharge + due * 3600 };
  const today = dayOf(discharge, place.zone);
  const after = (days: number) => {
    const day = count === 'business-day' ? businessDayAfter(today, days, place) : dayPlus(today, days);
    return roll ? businessDayFrom(day, place) : day;
  };
  const last = after(due);
  const raise = opens === 0 ? discharge : momentOf(after(opens), from, place.zone);
  const ends = until ? momentOf(last, until, place.zone) : lastSecondOf(last, place.zone);
  // Whoever leaves after that time of day has until then: nothing is due before it is raised.
  return { raise, due: Math.max(raise, ends) };
}

/** Hours, or days: what they are counted in is said where they are used. */
export interface Span {
  readonly value: number;
  readonly unit: 'h' | 'd';
}

/** What becomes of a step beside its window, as its PlanDefinition says. */
export interface StepLife {
  /** Before the deadline. */
  readonly remind?: Span;
  /** After the discharge, days to the end of the day. */
  readonly expires?: Span;
  /** After the deadline, in business days; who is told then. */
  readonly ladder: readonly Rung[];
}

export interface Rung {
  readonly who: string;
  readonly after: Span;
  readonly at?: string;
}

/** When the owner is reminded; undefined when that is not within the window. */
export function reminderAt({ remind }: StepLife, { raise, due }: Window, zone: string): number | undefined {
  if (!remind) return undefined;
  const { value, unit } = remind;
  if (unit === 'h') return due - value * 3600 > raise ? due - value * 3600 : undefined;
  const at = zoned(due, zone).subtract({ days: value }).epochMilliseconds / 1000;
  return at > raise ? at : undefined;
}

/** When nobody needs it any more, never before its deadline. */
export function expiryAt({ expires }: StepLife, due: number, discharge: number, zone: string): number | undefined {
  if (!expires) return undefined;
  const { value, unit } = expires;
  const at = unit === 'h' ? discharge + value * 3600 : lastSecondOf(dayPlus(dayOf(discharge, zone), value), zone);
  return Math.max(at, due);
}

/** When somebody further up is told. */
export function rungAt({ after: { value, unit }, at = '09:00:00' }: Rung, due: number, place: Place): number {
  if (unit === 'h') return due + value * 3600;
  return momentOf(businessDayAfter(dayOf(due, place.zone), value, place), at, place.zone);
}

/** Calendar days from one to the other, negative when it comes before. */
export function daysBetween(first: string, last: string): number {
  return Temporal.PlainDate.from(first).until(last, { largestUnit: 'days' }).days;
}

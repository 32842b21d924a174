// Yearly holidays by rule: on which day of a year each is kept.
import { Fault } from '../fault.ts';

/** A yearly holiday: a fixed `month` and `day`, or the `nth` `weekday` (1 Monday … 7 Sunday; -1 the last) of a `month`. */
export interface HolidayRule {
  readonly name: string;
  readonly month: number;
  readonly day?: number;
  readonly weekday?: number;
  readonly nth?: number;
  /**
   * `nearest-weekday`: kept on Friday when it falls on Saturday, on Monday when on Sunday. `monday-after-sunday`: kept on
   * Monday when it falls on Sunday, and on no other day when on Saturday.
   */
  readonly observed?: 'nearest-weekday' | 'monday-after-sunday';
  /** First year it was kept. */
  readonly since?: number;
  /** Last year it was kept. */
  readonly until?: number;
  /** Kept every so many years, counted from `since`. */
  readonly every?: number;
}

const OBSERVED = [undefined, 'nearest-weekday', 'monday-after-sunday'];

/** @throws Fault unprocessable naming calendar and holiday */
export function checkRule(calendar: string, rule: HolidayRule): void {
  const refuse = (reason: string) =>
    new Fault('unprocessable', `Calendar "${calendar}", holiday "${rule.name}": ${reason}`);
  const fixed = rule.day !== undefined && rule.weekday === undefined && rule.nth === undefined;
  const floating = rule.day === undefined && rule.weekday !== undefined && rule.nth !== undefined;
  if (!fixed && !floating) throw refuse('give month and day, or month, weekday and nth.');
  const within = (value: number | undefined, low: number, high: number) =>
    value === undefined || (Number.isInteger(value) && value >= low && value <= high);
  if (!within(rule.month, 1, 12)) throw refuse('month must be 1 to 12.');
  // 2028 has a 29 February: what no month ever has is a mistake.
  if (fixed && !within(rule.day, 1, Temporal.PlainYearMonth.from({ year: 2028, month: rule.month }).daysInMonth)) {
    throw refuse('the month has no such day.');
  }
  if (!within(rule.weekday, 1, 7)) throw refuse('weekday must be 1 (Monday) to 7 (Sunday).');
  if (!within(rule.nth, -5, 5) || rule.nth === 0) throw refuse('nth must be 1 to 5, or -1 to -5 from the end.');
  if (!OBSERVED.includes(rule.observed)) throw refuse('observed must be nearest-weekday or monday-after-sunday.');
  if (rule.every !== undefined && (rule.since === undefined || !within(rule.every, 1, 400))) {
    throw refuse('every is a number of years and needs since.');
  }
}

/** The day a holiday is kept on and its name; empty in years that do not have it. */
export function observedIn(rule: HolidayRule, year: number): [string, string][] {
  if (rule.since !== undefined && year < rule.since) return [];
  if (rule.until !== undefined && year > rule.until) return [];
  if (rule.every !== undefined && (year - (rule.since ?? year)) % rule.every !== 0) return [];
  const actual = rule.day === undefined ? nthWeekday(rule, year) : fixedDay(rule, year, rule.day);
  return actual ? [[observed(rule, actual).toString(), rule.name]] : [];
}

/** Undefined in years without the day (29 February). */
function fixedDay(rule: HolidayRule, year: number, day: number): Temporal.PlainDate | undefined {
  const date = Temporal.PlainDate.from({ year, month: rule.month, day }, { overflow: 'constrain' });
  return date.day === day ? date : undefined;
}

/** Undefined in months without that many. */
function nthWeekday(rule: HolidayRule, year: number): Temporal.PlainDate | undefined {
  const first = Temporal.PlainDate.from({ year, month: rule.month, day: 1 });
  const offset = ((rule.weekday ?? 1) - first.dayOfWeek + 7) % 7;
  const count = Math.floor((first.daysInMonth - 1 - offset) / 7) + 1;
  const nth = rule.nth ?? 1;
  const index = nth > 0 ? nth - 1 : count + nth;
  return index >= 0 && index < count ? first.add({ days: offset + 7 * index }) : undefined;
}

function observed({ observed: rule }: HolidayRule, date: Temporal.PlainDate): Temporal.PlainDate {
  if (rule !== undefined && date.dayOfWeek === 7) return date.add({ days: 1 });
  return rule === 'nearest-weekday' && date.dayOfWeek === 6 ? date.subtract({ days: 1 }) : date;
}

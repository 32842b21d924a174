// Which days are business days at a place. Calendars are data (profiles/calendars): rules for yearly holidays, single
// closed dates, and calendars they build on; nothing here knows a country.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Fault } from '../fault.ts';

/** A yearly holiday: a fixed `month` and `day`, or the `nth` `weekday` (1 Monday … 7 Sunday; -1 the last) of a `month`. */
export interface HolidayRule {
  readonly name: string;
  readonly month: number;
  readonly day?: number;
  readonly weekday?: number;
  readonly nth?: number;
  /** `nearest-weekday`: kept on Friday when it falls on Saturday, on Monday when on Sunday. */
  readonly observed?: 'nearest-weekday';
  /** First year it was kept. */
  readonly since?: number;
}

export interface CalendarDefinition {
  readonly name: string;
  /** Calendars whose holidays also count here. */
  readonly extends?: readonly string[];
  /** ISO weekdays without business, e.g. `[6, 7]`. Inherited when absent. */
  readonly weekend?: readonly number[];
  readonly holidays?: readonly HolidayRule[];
  /** Closed once: `{ date: '2026-12-24', name: 'Clinic move' }`. */
  readonly closed?: readonly { readonly date: string; readonly name: string }[];
}

export interface BusinessCalendar {
  readonly name: string;
  isBusinessDay(date: Temporal.PlainDate): boolean;
  /** Name of the holiday or closure that is kept on `date`, if any. */
  holidayOn(date: Temporal.PlainDate): string | undefined;
}

const MOST_DAYS_IN_A_ROW = 400;

/**
 * Every calendar in a folder (`*.json`), by name.
 * @throws Fault unprocessable, naming the calendar, when a rule makes no sense or a calendar it extends is missing
 */
export function loadCalendars(folder: string): Map<string, BusinessCalendar> {
  const files = readdirSync(folder).filter((file) => file.endsWith('.json'));
  return createCalendars(files.map((file) => JSON.parse(readFileSync(join(folder, file), 'utf8'))));
}

/** @throws Fault unprocessable, see {@link loadCalendars} */
export function createCalendars(definitions: readonly CalendarDefinition[]): Map<string, BusinessCalendar> {
  const byName = new Map(definitions.map((definition) => [definition.name, definition]));
  return new Map(definitions.map((definition) => [definition.name, createCalendar(definition.name, byName)]));
}

/** The business day that is `days` business days after `date` (the day itself never counts); negative counts back. */
export function addBusinessDays(
  calendar: BusinessCalendar,
  date: Temporal.PlainDate,
  days: number,
): Temporal.PlainDate {
  let found = date;
  for (let left = Math.abs(days); left > 0; left--) found = nextBusinessDay(calendar, found, Math.sign(days));
  return found;
}

/** `date` itself when it is a business day, otherwise the next one. */
export function onOrAfter(calendar: BusinessCalendar, date: Temporal.PlainDate): Temporal.PlainDate {
  return calendar.isBusinessDay(date) ? date : nextBusinessDay(calendar, date, 1);
}

function nextBusinessDay(calendar: BusinessCalendar, date: Temporal.PlainDate, step: number): Temporal.PlainDate {
  for (let days = 1; days <= MOST_DAYS_IN_A_ROW; days++) {
    const candidate = date.add({ days: days * step });
    if (calendar.isBusinessDay(candidate)) return candidate;
  }
  throw new Fault('unprocessable', `Calendar "${calendar.name}" has no business day near ${date.year}.`);
}

function createCalendar(name: string, all: ReadonlyMap<string, CalendarDefinition>): BusinessCalendar {
  const chain = lineage(name, all);
  for (const { holidays } of chain) for (const rule of holidays ?? []) checkRule(name, rule);
  const rules = chain.flatMap((definition) => definition.holidays ?? []);
  const weekend = new Set(chain.find((definition) => definition.weekend)?.weekend ?? [6, 7]);
  const closed = new Map(chain.flatMap((definition) => definition.closed ?? []).map((day) => [day.date, day.name]));
  const years = new Map<number, Map<string, string>>();
  const inYear = (year: number) => {
    const known = years.get(year) ?? new Map(rules.flatMap((rule) => observedIn(rule, year)));
    years.set(year, known);
    return known;
  };
  const holidayOn = (date: Temporal.PlainDate) => {
    const key = date.toString();
    // New Year's Day on a Saturday is kept on 31 December of the year before.
    return closed.get(key) ?? inYear(date.year).get(key) ?? inYear(date.year + 1).get(key);
  };
  return { name, holidayOn, isBusinessDay: (date) => !weekend.has(date.dayOfWeek) && holidayOn(date) === undefined };
}

/** The calendar and all it extends, itself first. */
function lineage(
  name: string,
  all: ReadonlyMap<string, CalendarDefinition>,
  seen: string[] = [],
): CalendarDefinition[] {
  const definition = all.get(name);
  if (!definition)
    throw new Fault('unprocessable', `There is no calendar "${name}" (needed by "${seen.at(-1) ?? name}").`);
  if (seen.includes(name)) throw new Fault('unprocessable', `Calendar "${name}" extends itself.`);
  return [definition, ...(definition.extends ?? []).flatMap((base) => lineage(base, all, [...seen, name]))];
}

function checkRule(calendar: string, rule: HolidayRule): void {
  const fixed = rule.day !== undefined && rule.weekday === undefined && rule.nth === undefined;
  const floating = rule.day === undefined && rule.weekday !== undefined && rule.nth !== undefined;
  if (!fixed && !floating) {
    const message = `Calendar "${calendar}", holiday "${rule.name}": give month and day, or month, weekday and nth.`;
    throw new Fault('unprocessable', message);
  }
}

function observedIn(rule: HolidayRule, year: number): [string, string][] {
  if (rule.since !== undefined && year < rule.since) return [];
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

function observed(rule: HolidayRule, date: Temporal.PlainDate): Temporal.PlainDate {
  if (rule.observed !== 'nearest-weekday') return date;
  if (date.dayOfWeek === 6) return date.subtract({ days: 1 });
  return date.dayOfWeek === 7 ? date.add({ days: 1 }) : date;
}

// Which days are business days at a place. Calendars are data (profiles/calendars): rules for yearly holidays, the tables of
// a country, single closures, and calendars they build on.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Fault } from '../fault.ts';
import { type CountryHolidays, countryHolidays } from './country-holidays.ts';
import { checkRule, type HolidayRule, observedIn } from './holiday-rule.ts';

export interface CalendarDefinition {
  readonly name: string;
  readonly title?: string;
  /** Calendars whose holidays also count here. */
  readonly extends?: readonly string[];
  /** ISO weekdays without business, e.g. `[6, 7]`. Inherited when absent. */
  readonly weekend?: readonly number[];
  readonly holidays?: readonly HolidayRule[];
  readonly dateHolidays?: CountryHolidays;
  /** Closed once: `{ date: '2026-12-24', name: 'Clinic move' }`, or until `to`, that day included. */
  readonly closed?: readonly Closure[];
  /** Years it was made for, when it is not made of rules alone. Inherited: the years that all it builds on cover. */
  readonly coverage?: Coverage;
}

interface Closure {
  readonly date: string;
  readonly to?: string;
  readonly name: string;
}

export interface Coverage {
  readonly from?: number;
  readonly to?: number;
}

export interface BusinessCalendar {
  readonly name: string;
  isBusinessDay(date: Temporal.PlainDate): boolean;
  /** Name of the holiday or closure that is kept on `date`, if any. */
  holidayOn(date: Temporal.PlainDate): string | undefined;
  /** Whether its holidays of that year are known. Absent: of every year. */
  covers?(year: number): boolean;
}

const MOST_DAYS_IN_A_ROW = 400;
const LONGEST_CLOSURE = 366;

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

/** What a calendar lacks that is needed for the years from `from` to `to`, as a sentence; undefined when it was made for them. */
export function lackOf({ name, covers }: BusinessCalendar, from: number, to: number): string | undefined {
  for (let year = from; covers && year <= to; year++) {
    if (!covers(year)) return `Calendar "${name}" does not cover ${year}; add its holidays and move its coverage.`;
  }
  return undefined;
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
  const countries = chain.flatMap(({ dateHolidays }) => (dateHolidays ? [countryHolidays(name, dateHolidays)] : []));
  const weekend = readWeekend(name, chain.find((definition) => definition.weekend)?.weekend ?? [6, 7]);
  const closed = new Map(chain.flatMap((definition) => definition.closed ?? []).flatMap((one) => daysOf(name, one)));
  const coverages = chain.flatMap(({ coverage }) => (coverage ? [checkCoverage(name, coverage)] : []));
  const years = new Map<number, Map<string, string>>();
  const inYear = (year: number) => {
    const known =
      years.get(year) ??
      new Map([...countries.flatMap((holidays) => holidays(year)), ...rules.flatMap((rule) => observedIn(rule, year))]);
    years.set(year, known);
    return known;
  };
  const holidayOn = (date: Temporal.PlainDate) => {
    const key = date.toString();
    // New Year's Day on a Saturday is kept on 31 December of the year before.
    return closed.get(key) ?? inYear(date.year).get(key) ?? inYear(date.year + 1).get(key);
  };
  return {
    name,
    holidayOn,
    isBusinessDay: (date) => !weekend.has(date.dayOfWeek) && holidayOn(date) === undefined,
    covers: (year) => coverages.every(({ from = year, to = year }) => year >= from && year <= to),
  };
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

function readWeekend(calendar: string, weekend: readonly number[]): ReadonlySet<number> {
  const days = new Set(weekend);
  if (weekend.every((day) => Number.isInteger(day) && day >= 1 && day <= 7) && days.size < 7) return days;
  throw new Fault(
    'unprocessable',
    `Calendar "${calendar}": weekend days are 1 (Monday) to 7 (Sunday), not all of them.`,
  );
}

function checkCoverage(calendar: string, coverage: Coverage): Coverage {
  const { from, to } = coverage;
  const years = [from, to].every((year) => year === undefined || Number.isInteger(year));
  if (years && (from ?? 0) <= (to ?? 9999)) return coverage;
  throw new Fault(
    'unprocessable',
    `Calendar "${calendar}": coverage goes from a year to a year that is not before it.`,
  );
}

function daysOf(calendar: string, { date, to, name }: Closure): [string, string][] {
  try {
    const first = Temporal.PlainDate.from(date);
    const days = first.until(Temporal.PlainDate.from(to ?? date)).days;
    if (days < 0 || days >= LONGEST_CLOSURE) throw new RangeError('not a span of days');
    return Array.from({ length: days + 1 }, (_, n) => [first.add({ days: n }).toString(), name]);
  } catch (cause) {
    const sentence = `Calendar "${calendar}", closure "${name}": give date, and to when it lasts longer, as 2026-12-24.`;
    throw new Fault('unprocessable', sentence, { cause });
  }
}

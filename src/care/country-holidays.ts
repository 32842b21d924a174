// Holidays of countries and their states, from the tables of date-holidays: computed here, nothing is fetched.
// https://github.com/commenthol/date-holidays
import { createRequire } from 'node:module';
import type DateHolidays from 'date-holidays';
import { Fault } from '../fault.ts';

export interface CountryHolidays {
  /** ISO 3166-1, e.g. `DE`. */
  readonly country: string;
  /** E.g. `by`. */
  readonly state?: string;
  readonly region?: string;
  /** Which kinds close a place; public ones when absent. */
  readonly types?: readonly ('public' | 'bank' | 'school' | 'optional' | 'observance')[];
}

const TYPES = ['public', 'bank', 'school', 'optional', 'observance'];

/** The tables are large: loaded when a calendar asks for them, not by everybody. */
let loaded: typeof DateHolidays | undefined;
function library(): typeof DateHolidays {
  loaded ??= createRequire(import.meta.url)('date-holidays') as typeof DateHolidays;
  return loaded;
}

/**
 * The holidays of a year, by date.
 * @throws Fault unprocessable naming the calendar when there is no such country, state, region or type
 */
export function countryHolidays(
  calendar: string,
  { country, state, region, types = ['public'] }: CountryHolidays,
): (year: number) => [string, string][] {
  const refuse = (reason: string) => new Fault('unprocessable', `Calendar "${calendar}", dateHolidays: ${reason}`);
  const Library = library();
  const [code, part, place] = [country, state, region].map((each) => each?.toUpperCase());
  const known = new Library();
  const has = (names: object | undefined, name: string) => Object.hasOwn(names ?? {}, name);
  if (code === undefined || !has(known.getCountries(), code)) throw refuse(`there is no country ${country}.`);
  if (part !== undefined && !has(known.getStates(code), part)) throw refuse(`${country} has no state ${state}.`);
  if (place !== undefined && !has(part === undefined ? undefined : known.getRegions(code, part), place)) {
    throw refuse(`${country} ${state ?? ''} has no region ${region}.`);
  }
  const wrong = types.find((type) => !TYPES.includes(type));
  if (wrong !== undefined) throw refuse(`types are ${TYPES.join(', ')}; "${wrong}" is none.`);
  const holidays = new Library({
    country: code,
    ...(part ? { state: part } : {}),
    ...(place ? { region: place } : {}),
  });
  return (year) =>
    holidays.getHolidays(year, 'en').flatMap(({ date, start, end, type, name }) => {
      // Half days keep their morning.
      if (!(types as readonly string[]).includes(type) || date.slice(11, 19) !== '00:00:00') return [];
      const first = Temporal.PlainDate.from(date.slice(0, 10));
      const days = Math.max(1, Math.round((end.getTime() - start.getTime()) / 86_400_000));
      return Array.from({ length: days }, (_, n): [string, string] => [first.add({ days: n }).toString(), name]);
    });
}

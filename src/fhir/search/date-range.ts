// FHIR dates as ranges of milliseconds: a date stands for all of the time that its precision leaves open.
// https://hl7.org/fhir/R4/search.html#date

/** Half-open [low, high), milliseconds since 1970-01-01T00:00Z. */
export interface DateRange {
  readonly low: number;
  readonly high: number;
}

/** Open ends of periods: the first and last instant that Temporal can hold. */
export const BEGINNING = -8.64e15;
export const END_OF_TIME = 8.64e15;

const SHAPE = /^(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9})\d*)?)?(Z|[+-]\d\d:\d\d)?)?)?)?$/;
const DAY = 86_400_000;

/**
 * The range of a FHIR date, dateTime or instant. Times without an offset, which only searches may have, and dates are
 * read as UTC; fractions of a second are kept to the millisecond.
 * @returns undefined when the text is not a date or no such date exists
 */
export function dateRange(text: string): DateRange | undefined {
  const m = SHAPE.exec(text);
  if (!m) return undefined;
  const year = Number(m[1]);
  if (year === 0) return undefined;
  if (m[2] === undefined) return { low: utc(year, 1, 1), high: utc(year + 1, 1, 1) };
  const month = Number(m[2]);
  if (month < 1 || month > 12) return undefined;
  if (m[3] === undefined) {
    return { low: utc(year, month, 1), high: month === 12 ? utc(year + 1, 1, 1) : utc(year, month + 1, 1) };
  }
  const day = Number(m[3]);
  if (day < 1 || day > daysIn(year, month)) return undefined;
  const midnight = utc(year, month, day);
  if (m[4] === undefined) return { low: midnight, high: midnight + DAY };
  return timeRange(midnight, m);
}

function timeRange(midnight: number, m: RegExpExecArray): DateRange | undefined {
  const [hour, minute, second] = [Number(m[4]), Number(m[5]), Number(m[6] ?? 0)];
  // 60 is a leap second, which FHIR allows and clocks count as the next second.
  if (hour > 23 || minute > 59 || second > 60) return undefined;
  const offset = offsetOf(m[8]);
  if (offset === undefined) return undefined;
  const low = midnight + ((hour * 60 + minute) * 60 + second) * 1000 - offset;
  if (m[6] === undefined) return { low, high: low + 60_000 };
  if (m[7] === undefined) return { low, high: low + 1000 };
  const millisecond = low + Number(m[7].padEnd(3, '0').slice(0, 3));
  return { low: millisecond, high: millisecond + 1 };
}

/** Milliseconds to subtract for `Z` or `+hh:mm`; undefined when out of range. */
function offsetOf(zone: string | undefined): number | undefined {
  if (zone === undefined || zone === 'Z') return 0;
  const hours = Number(zone.slice(1, 3));
  const minutes = Number(zone.slice(4, 6));
  if (hours > 14 || minutes > 59) return undefined;
  return (zone.startsWith('-') ? -1 : 1) * (hours * 60 + minutes) * 60_000;
}

function daysIn(year: number, month: number): number {
  if (month === 2) return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

/**
 * Midnight UTC by counting days from the civil calendar: this runs for every date of every write, where making a
 * Temporal object costs more than all the rest of the extraction.
 */
function utc(year: number, month: number, day: number): number {
  const shifted = month > 2 ? year : year - 1;
  const era = Math.floor(shifted / 400);
  const yearOfEra = shifted - era * 400;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return (era * 146_097 + dayOfEra - 719_468) * DAY;
}

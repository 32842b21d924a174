// Dates, dateTimes and times as FHIRPath compares them: to the precision that both sides have.
// https://hl7.org/fhirpath/N1/#datetime-comparison
const DATE_TIME =
  /^(\d{4})(?:-(\d{2})(?:-(\d{2})(?:T(\d{2})(?::(\d{2})(?::(\d{2}(?:\.\d+)?))?)?(Z|[+-]\d{2}:\d{2})?)?)?)?$/;
const TIME = /^T?(\d{2})(?::(\d{2})(?::(\d{2}(?:\.\d+)?))?)?$/;

export interface Moment {
  /** Parts present (1 to 6: year to second) and, from the hour on, in UTC. */
  readonly parts: readonly number[];
  /** The same on the clock that they were written by. */
  readonly written: readonly number[];
  readonly time: boolean;
}

/** Year, month and day. */
const PARTS_OF_DATE = 3;

const TEMPORAL_TYPES = new Set(['date', 'dateTime', 'instant', 'time']);

export function isTemporal(type: string): boolean {
  return TEMPORAL_TYPES.has(type);
}

/** @returns undefined when the text is no date, dateTime or time */
export function momentOf(text: string): Moment | undefined {
  const time = TIME.exec(text);
  if (time && text.length !== 4) {
    const parts = numbers(time.slice(1));
    return { parts, written: parts, time: true };
  }
  const match = DATE_TIME.exec(text);
  if (!match) return undefined;
  const written = numbers(match.slice(1, 7));
  const zone = match[7];
  return { parts: zone && zone !== 'Z' ? toUtc(written, zone) : written, written, time: false };
}

/**
 * A date is of no time zone: what is told beside it is of the same place, so that a moment counts by the day on its own clock.
 * @returns negative, zero or positive; undefined when the less precise one leaves it open
 */
export function compareMoments(left: Moment, right: Moment): number | undefined {
  if (left.time !== right.time) return undefined;
  const isOfDates = !left.time && Math.min(left.parts.length, right.parts.length) <= PARTS_OF_DATE;
  const [one, other] = isOfDates ? [left.written, right.written] : [left.parts, right.parts];
  const common = Math.min(one.length, other.length);
  for (let index = 0; index < common; index++) {
    const difference = (one[index] as number) - (other[index] as number);
    if (difference !== 0) return difference;
  }
  return one.length === other.length ? 0 : undefined;
}

/**
 * `@2026-01-31 + 1 month`: the text moved by a calendar amount, in the precision it has.
 * @returns undefined when it leaves the years that a text can have
 */
export function addToMoment(text: string, amount: number, unit: CalendarUnit): string | undefined {
  try {
    const moved = moveMoment(text, Math.trunc(amount), unit);
    return moved !== undefined && isWritable(moved) ? moved : undefined;
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** Years of five digits are written with a sign, which FHIR does not have. */
const isWritable = (text: string) => /^\d/.test(text);

function moveMoment(text: string, whole: number, unit: CalendarUnit): string | undefined {
  const time = TIME.test(text) && text.length !== 4;
  if (time)
    return Temporal.PlainTime.from(text.length === 2 ? `${text}:00` : text)
      .add({ [unit]: whole })
      .toString()
      .slice(0, text.length);
  const match = DATE_TIME.exec(text);
  if (!match) return undefined;
  const given = match.slice(1, 7).filter((part) => part !== undefined).length;
  const [, year, month = '01', day = '01', hour = '00', minute = '00', second = '00'] = match;
  const start = Temporal.PlainDateTime.from(`${year}-${month}-${day}T${hour}:${minute}:${second}`);
  const moved = start
    .add({ [unit]: whole })
    .toString({ smallestUnit: second.includes('.') ? 'millisecond' : 'second' });
  const length = [0, 4, 7, 10, 13, 16, moved.length][given] as number;
  return moved.slice(0, length) + (match[7] ?? '');
}

export type CalendarUnit = 'years' | 'months' | 'weeks' | 'days' | 'hours' | 'minutes' | 'seconds' | 'milliseconds';

const UNITS: Readonly<Record<string, CalendarUnit>> = {
  year: 'years',
  years: 'years',
  a: 'years',
  month: 'months',
  months: 'months',
  mo: 'months',
  week: 'weeks',
  weeks: 'weeks',
  wk: 'weeks',
  day: 'days',
  days: 'days',
  d: 'days',
  hour: 'hours',
  hours: 'hours',
  h: 'hours',
  minute: 'minutes',
  minutes: 'minutes',
  min: 'minutes',
  second: 'seconds',
  seconds: 'seconds',
  s: 'seconds',
  millisecond: 'milliseconds',
  milliseconds: 'milliseconds',
  ms: 'milliseconds',
};

/** The calendar unit that a word or UCUM code stands for. */
export function calendarUnit(unit: string): CalendarUnit | undefined {
  return Object.hasOwn(UNITS, unit) ? UNITS[unit] : undefined;
}

function numbers(texts: readonly (string | undefined)[]): number[] {
  return texts.filter((text) => text !== undefined).map(Number);
}

function toUtc(parts: readonly number[], zone: string): number[] {
  const [year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0] = parts;
  const offset = (zone.startsWith('-') ? -1 : 1) * (Number(zone.slice(1, 3)) * 60 + Number(zone.slice(4, 6)));
  const minutes = hour * 60 + minute - offset;
  const length = Math.max(parts.length, 5);
  // Most are of the same day in UTC, and need no calendar.
  if (minutes >= 0 && minutes < 1_440)
    return [year, month, day, Math.floor(minutes / 60), minutes % 60, second].slice(0, length);
  const local = new Temporal.PlainDateTime(year, month, day, hour, minute);
  const utc = local.subtract({ minutes: offset });
  return [utc.year, utc.month, utc.day, utc.hour, utc.minute, second].slice(0, length);
}

// Date values: every date, period and timing as one range of milliseconds.
// https://hl7.org/fhir/R4/search.html#date
import { BEGINNING, type DateRange, dateRange, END_OF_TIME } from './date-range.ts';
import type { Place, RowCollector } from './index-rows.ts';

interface PeriodLike {
  readonly start?: string;
  readonly end?: string;
}

interface TimingLike extends PeriodLike {
  readonly event?: readonly string[];
  readonly repeat?: { readonly boundsPeriod?: PeriodLike };
}

export function extractDate(value: unknown, place: Place, out: RowCollector): void {
  const range = typeof value === 'string' ? dateRange(value) : rangeOf(value);
  if (range && range.low < range.high) out.date(place, range.low, range.high);
}

function rangeOf(value: unknown): DateRange | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const source = value as TimingLike;
  return source.event || source.repeat ? outerLimits(source) : periodRange(source);
}

/** An absent start or end leaves that side open. A period that ends before it starts matches nothing. */
function periodRange(period: PeriodLike): DateRange | undefined {
  if (period.start === undefined && period.end === undefined) return undefined;
  const start = period.start === undefined ? undefined : dateRange(period.start);
  const end = period.end === undefined ? undefined : dateRange(period.end);
  return { low: start?.low ?? BEGINNING, high: end?.high ?? END_OF_TIME };
}

/** Of a Timing only the outer limits count. Without any date in it there is nothing to compare with. */
function outerLimits(timing: TimingLike): DateRange | undefined {
  const bounds = timing.repeat?.boundsPeriod && periodRange(timing.repeat.boundsPeriod);
  const ranges = (timing.event ?? []).map(dateRange).filter((range) => range !== undefined);
  if (bounds) ranges.push(bounds);
  if (ranges.length === 0) return undefined;
  return {
    low: ranges.reduce((low, range) => Math.min(low, range.low), Number.POSITIVE_INFINITY),
    high: ranges.reduce((high, range) => Math.max(high, range.high), Number.NEGATIVE_INFINITY),
  };
}

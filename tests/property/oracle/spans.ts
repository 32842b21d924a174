// Spans of time by Temporal: [start, end) in milliseconds since 1970; an open end is undefined.
// https://hl7.org/fhir/R4/search.html#date

export interface Span {
  readonly start: number | undefined;
  readonly end: number | undefined;
}

export interface ClosedSpan {
  readonly start: number;
  readonly end: number;
}

/** All that a date, dateTime or instant can mean. What has no zone is UTC; fractions are kept to the millisecond. */
export function spanOf(text: string): ClosedSpan {
  const [day = '', time] = text.split('T');
  if (time === undefined) return spanOfDay(day);
  const [, clock = '', zone = ''] = /^([\d:.]+)(Z|[+-].*)?$/.exec(time) ?? [];
  const start = Temporal.Instant.from(`${day}T${clock}${zone || 'Z'}`).epochMilliseconds;
  const length = clock.includes('.') ? 1 : clock.length > 5 ? 1000 : 60_000;
  return { start, end: start + length };
}

function spanOfDay(text: string): ClosedSpan {
  const [year, month, day] = text.split('-').map(Number);
  const first = Temporal.PlainDate.from({ year: year ?? 0, month: month ?? 1, day: day ?? 1 });
  const past = first.add(day !== undefined ? { days: 1 } : month !== undefined ? { months: 1 } : { years: 1 });
  const midnight = (date: Temporal.PlainDate) => date.toZonedDateTime('UTC').epochMilliseconds;
  return { start: midnight(first), end: midnight(past) };
}

interface Period {
  readonly start?: string;
  readonly end?: string;
}

export function spanOfPeriod({ start, end }: Period): Span | undefined {
  if (start === undefined && end === undefined) return undefined;
  return {
    start: start === undefined ? undefined : spanOf(start).start,
    end: end === undefined ? undefined : spanOf(end).end,
  };
}

interface Timing {
  readonly event?: readonly string[];
  readonly repeat?: { readonly boundsPeriod?: Period };
}

/** Only the outer limits of a schedule matter. */
export function spanOfTiming({ event = [], repeat }: Timing): Span | undefined {
  const spans: Span[] = event.map(spanOf);
  const bounds = repeat?.boundsPeriod && spanOfPeriod(repeat.boundsPeriod);
  if (bounds) spans.push(bounds);
  if (spans.length === 0) return undefined;
  const starts = spans.map(({ start }) => start);
  const ends = spans.map(({ end }) => end);
  return {
    start: starts.includes(undefined) ? undefined : Math.min(...(starts as number[])),
    end: ends.includes(undefined) ? undefined : Math.max(...(ends as number[])),
  };
}

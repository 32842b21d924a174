// Number and quantity values as closed ranges: a plain value is a range of one point.
// https://hl7.org/fhir/R4/search.html#quantity
import type { Place, RowCollector } from './index-rows.ts';

interface QuantityLike {
  readonly value?: number;
  readonly comparator?: string;
  readonly unit?: string;
  readonly system?: string;
  readonly code?: string;
  readonly currency?: string;
  readonly low?: QuantityLike;
  readonly high?: QuantityLike;
  readonly origin?: QuantityLike;
}

/** Open ends are the largest doubles, which every engine stores. */
const MOST = Number.MAX_VALUE;
const CURRENCIES = 'urn:iso:std:iso:4217';

export function extractNumber(value: unknown, place: Place, out: RowCollector): void {
  if (typeof value === 'number') {
    out.number(place, value, value);
  } else if (typeof value === 'object' && value !== null) {
    const range = limits(value as QuantityLike);
    if (range) out.number(place, range[0], range[1]);
  }
}

export function extractQuantity(value: unknown, place: Place, out: RowCollector): void {
  if (typeof value === 'number') {
    out.quantity(place, value, value, '', '', '');
    return;
  }
  if (typeof value !== 'object' || value === null) return;
  const source = value as QuantityLike;
  const range = limits(source);
  if (!range) return;
  if (source.currency) {
    out.quantity(place, range[0], range[1], CURRENCIES, source.currency, source.currency);
    return;
  }
  const measured = source.low ?? source.high ?? source;
  out.quantity(place, range[0], range[1], measured.system ?? '', measured.code ?? '', measured.unit ?? '');
}

/** `<5` reaches from the smallest number to just below 5. Sampled data has no single value. */
function limits(source: QuantityLike): readonly [low: number, high: number] | undefined {
  if (source.origin) return undefined;
  if (source.low || source.high) {
    const [low, high] = [source.low?.value, source.high?.value];
    return low === undefined && high === undefined ? undefined : [low ?? -MOST, high ?? MOST];
  }
  const { value, comparator } = source;
  if (typeof value !== 'number') return undefined;
  switch (comparator) {
    case '<':
      return [-MOST, neighbour(value, -1)];
    case '<=':
      return [-MOST, value];
    case '>':
      return [neighbour(value, 1), MOST];
    case '>=':
      return [value, MOST];
    default:
      return [value, value];
  }
}

/** The double next to `value`, upwards or downwards: ranges are closed, and this is the last number before it. */
function neighbour(value: number, direction: 1 | -1): number {
  if (value === 0) return direction * Number.MIN_VALUE;
  const bits = new BigInt64Array(new Float64Array([value]).buffer);
  bits[0] = (bits[0] ?? 0n) + (value > 0 === direction > 0 ? 1n : -1n);
  return new Float64Array(bits.buffer)[0] ?? value;
}

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

/** `<5` reaches from the smallest number to 5. Sampled data has no single value. */
function limits(source: QuantityLike): readonly [low: number, high: number] | undefined {
  if (source.origin) return undefined;
  if (source.low || source.high) return [source.low?.value ?? -MOST, source.high?.value ?? MOST];
  if (typeof source.value !== 'number') return undefined;
  if (source.comparator?.startsWith('<')) return [-MOST, source.value];
  if (source.comparator?.startsWith('>')) return [source.value, MOST];
  return [source.value, source.value];
}

// Numbers, quantities, money and ranges as limits of what the value may be.
// https://hl7.org/fhir/R4/search.html#quantity
import { type Decimal, decimal } from './decimals.ts';
import type { Found } from './found-values.ts';

/** An absent limit is open; `without` leaves the limit itself out, as `<5` does. */
export interface Limits {
  readonly low: Decimal | undefined;
  readonly high: Decimal | undefined;
  readonly withoutLow: boolean;
  readonly withoutHigh: boolean;
}

export interface Measured {
  readonly limits: Limits;
  readonly system?: string | undefined;
  readonly code?: string | undefined;
  readonly unit?: string | undefined;
}

interface Quantity {
  readonly value?: number;
  readonly comparator?: string;
  readonly system?: string;
  readonly code?: string;
  readonly unit?: string;
  readonly currency?: string;
  readonly low?: Quantity;
  readonly high?: Quantity;
}

/** Types that are one amount. */
const AMOUNTS = ['Quantity', 'SimpleQuantity', 'Age', 'Count', 'Distance', 'Duration', 'Money', 'MoneyQuantity'];

/** @returns undefined when there is nothing to compare with */
export function quantityOf({ type, value }: Found): Measured | undefined {
  if (typeof value === 'number') return { limits: between(exact(value), exact(value)) };
  const source = value as Quantity;
  if (type === 'Range') {
    const { low, high } = source;
    if (low?.value === undefined && high?.value === undefined) return undefined;
    const { system, code, unit } = { ...high, ...low };
    return { limits: between(exact(low?.value), exact(high?.value)), system, code, unit };
  }
  if (!AMOUNTS.includes(type) || source.value === undefined) return undefined;
  const limits = limitsOf(source.comparator, decimal(String(source.value)));
  if (type !== 'Money') return { limits, system: source.system, code: source.code, unit: source.unit };
  return { limits, system: 'urn:iso:std:iso:4217', code: source.currency, unit: source.currency };
}

function limitsOf(comparator: string | undefined, value: Decimal): Limits {
  if (comparator?.startsWith('<')) return { ...between(undefined, value), withoutHigh: comparator === '<' };
  if (comparator?.startsWith('>')) return { ...between(value, undefined), withoutLow: comparator === '>' };
  return between(value, value);
}

function between(low: Decimal | undefined, high: Decimal | undefined): Limits {
  return { low, high, withoutLow: false, withoutHigh: false };
}

function exact(value: number | undefined): Decimal | undefined {
  return value === undefined ? undefined : decimal(String(value));
}

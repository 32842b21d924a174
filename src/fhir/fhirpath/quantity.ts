// Quantities as FHIRPath compares them: equal units, calendar durations, and metric multiples of one unit.
// Conversion between different UCUM units is left to nobody: such quantities are not comparable (empty).
import { calendarUnit } from './temporal.ts';

export interface PlainQuantity {
  readonly value: number;
  /** UCUM code when there is one, else the unit as written. */
  readonly unit: string;
}

/** @returns undefined when there is no numeric value */
export function quantityOf(value: unknown): PlainQuantity | undefined {
  if (typeof value === 'number') return { value, unit: '1' };
  if (typeof value !== 'object' || value === null) return undefined;
  const quantity = value as { value?: unknown; unit?: unknown; code?: unknown };
  if (typeof quantity.value !== 'number') return undefined;
  const unit = quantity.code ?? quantity.unit;
  return { value: quantity.value, unit: typeof unit === 'string' ? unit : '1' };
}

/** Both values in one unit, or undefined when that is not possible. */
export function inCommonUnit(left: PlainQuantity, right: PlainQuantity): [number, number] | undefined {
  if (left.unit === right.unit) return [left.value, right.value];
  const from = scaleOf(left.unit);
  const to = scaleOf(right.unit);
  if (!from || !to || from.base !== to.base) return undefined;
  return [round(left.value * from.factor), round(right.value * to.factor)];
}

/** A fresh FHIR Quantity with the unit of another. */
export function withValue(quantity: unknown, value: number): object {
  return { ...(quantity as object), value: round(value) };
}

interface Scale {
  readonly base: string;
  readonly factor: number;
}

const PREFIXES: Readonly<Record<string, number>> = { k: 1e3, d: 1e-1, c: 1e-2, m: 1e-3, u: 1e-6, n: 1e-9 };
const METRIC = new Set(['g', 'L', 'l', 'm', 'mol', 'mol/L', 'g/L', 'g/dL', 'eq/L', 'U/L']);

/** Factors to the smallest sensible unit; years and months have no fixed length and form a pair of their own. */
const DURATIONS: Readonly<Record<string, Scale>> = {
  years: { base: 'months', factor: 12 },
  months: { base: 'months', factor: 1 },
  weeks: { base: 'ms', factor: 604_800_000 },
  days: { base: 'ms', factor: 86_400_000 },
  hours: { base: 'ms', factor: 3_600_000 },
  minutes: { base: 'ms', factor: 60_000 },
  seconds: { base: 'ms', factor: 1000 },
  milliseconds: { base: 'ms', factor: 1 },
};

function scaleOf(unit: string): Scale | undefined {
  const calendar = calendarUnit(unit);
  if (calendar) return DURATIONS[calendar];
  if (METRIC.has(unit)) return { base: unit.toLowerCase(), factor: 1 };
  const factor = PREFIXES[unit.charAt(0)];
  const base = unit.slice(1);
  return factor !== undefined && METRIC.has(base) ? { base: base.toLowerCase(), factor } : undefined;
}

function round(value: number): number {
  return Number(value.toPrecision(15));
}

// Decimals with the precision they were written with: `5.4` stands for everything that rounds to it.
// https://hl7.org/fhir/R4/search.html#number

export interface DecimalRange {
  readonly value: number;
  /** Half-open [low, high): half a unit of the last digit either side. */
  readonly low: number;
  readonly high: number;
}

const SHAPE = /^([+-]?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d{1,3}))?$/;
/** Longer numbers are no measurements; the bound keeps the big-integer arithmetic small. */
const MAX_LENGTH = 60;

/** @returns undefined when the text is not a decimal */
export function decimalRange(text: string): DecimalRange | undefined {
  const m = text.length <= MAX_LENGTH ? SHAPE.exec(text) : null;
  if (!m) return undefined;
  const fraction = m[3] ?? '';
  const exponent = Number(m[4] ?? 0) - fraction.length;
  // Bounds are computed in fractions of the last digit so that they are the doubles nearest to the decimal bounds.
  // For `1e2` the specification gives [95, 105), a tenth of the rule that it gives for every other form.
  const finer = exponent > 0 ? 2 : 1;
  const scaled = BigInt(`${m[1] === '-' ? '-' : ''}${m[2]}${fraction}${'0'.repeat(finer)}`);
  const value = Number(`${m[1]}${m[2]}.${fraction || '0'}e${m[4] ?? 0}`);
  if (!Number.isFinite(value)) return undefined;
  return {
    value,
    low: Number(`${scaled - 5n}e${exponent - finer}`),
    high: Number(`${scaled + 5n}e${exponent - finer}`),
  };
}

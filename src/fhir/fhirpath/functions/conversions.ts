// FHIRPath's conversions and mathematics. https://hl7.org/fhirpath/N1/#conversion
import { single } from '../evaluation.ts';
import { calendarUnit, momentOf } from '../temporal.ts';
import { booleanOf, type Collection, EMPTY, integerOf, numberOf, stringOf, type TypedValue } from '../typed-value.ts';
import { type FunctionSpec, type FunctionTable, ofOne, withValues } from './function-spec.ts';

const BOOLEANS: Readonly<Record<string, boolean>> = {
  true: true,
  t: true,
  yes: true,
  y: true,
  '1': true,
  '1.0': true,
  false: false,
  f: false,
  no: false,
  n: false,
  '0': false,
  '0.0': false,
};

type Convert = (item: TypedValue) => Collection;

const CONVERSIONS: Readonly<Record<string, Convert>> = {
  Boolean({ value }) {
    if (typeof value === 'boolean') return booleanOf(value);
    const text = String(value).toLowerCase();
    return typeof value !== 'object' && Object.hasOwn(BOOLEANS, text) ? booleanOf(BOOLEANS[text] as boolean) : EMPTY;
  },
  Integer({ value }) {
    if (typeof value === 'boolean') return integerOf(value ? 1 : 0);
    return /^[+-]?\d+$/.test(String(value)) ? integerOf(Number(value)) : EMPTY;
  },
  Decimal({ value }) {
    if (typeof value === 'boolean') return numberOf(value ? 1 : 0, 'decimal');
    return /^[+-]?\d+(\.\d+)?$/.test(String(value)) ? numberOf(Number(value), 'decimal') : EMPTY;
  },
  String({ value }) {
    if (typeof value === 'object' && value !== null) {
      const { value: number, unit, code } = value as { value?: number; unit?: string; code?: string };
      if (typeof number !== 'number') return EMPTY;
      const name = code ?? unit ?? '1';
      return stringOf(code === undefined && calendarUnit(name) ? `${number} ${name}` : `${number} '${name}'`);
    }
    return value === undefined ? EMPTY : stringOf(String(value));
  },
  Date: ({ value }) => temporal(value, /^\d{4}(-\d{2}(-\d{2})?)?/, 'date'),
  DateTime: ({ value }) => temporal(value, /^\d{4}(-.*)?$/, 'dateTime'),
  Time: ({ value }) => temporal(value, /^\d{2}(:\d{2}(:\d{2}(\.\d+)?)?)?$/, 'time'),
  Quantity({ type, value }) {
    if (typeof value === 'number') return [{ type: 'Quantity', value: { value, unit: '1', code: '1' } }];
    if (typeof value === 'object') return [{ type, value }];
    const match = /^([+-]?\d+(?:\.\d+)?)\s*(?:'([^']+)'|([a-z]+))?$/.exec(String(value));
    if (!match) return EMPTY;
    const [, number, code, word] = match;
    if (word !== undefined) {
      return calendarUnit(word) ? [{ type: 'Quantity', value: { value: Number(number), unit: word } }] : EMPTY;
    }
    return [{ type: 'Quantity', value: { value: Number(number), unit: code ?? '1', code: code ?? '1' } }];
  },
};

function temporal(value: unknown, form: RegExp, type: string): Collection {
  const text = typeof value === 'string' ? form.exec(value)?.[0] : undefined;
  return text !== undefined && momentOf(text) ? [{ type, value: text }] : EMPTY;
}

/** `toX` and `convertsToX` for every X. */
function conversionFunctions(): Record<string, FunctionSpec> {
  const table: Record<string, FunctionSpec> = {};
  for (const [name, convert] of Object.entries(CONVERSIONS)) {
    table[`to${name}`] = ofOne(`to${name}`, convert);
    table[`convertsTo${name}`] = ofOne(`convertsTo${name}`, (item) => booleanOf(convert(item).length > 0));
  }
  // A unit may be asked for: only a Quantity that already has it converts.
  table.toQuantity = withValues(0, 1, (focus, [unit]) => {
    const item = single(focus, 'toQuantity()');
    const wanted = unit && single(unit, 'toQuantity()')?.value;
    const quantity = item ? (CONVERSIONS.Quantity as Convert)(item) : EMPTY;
    const { code, unit: own } = (quantity[0]?.value ?? {}) as { code?: string; unit?: string };
    return wanted === undefined || wanted === (code ?? own) ? quantity : EMPTY;
  });
  return table;
}

function ofNumber(name: string, compute: (value: number) => number, type?: 'integer' | 'decimal'): FunctionSpec {
  return ofOne(name, (item) => (typeof item.value === 'number' ? numberOf(compute(item.value), type) : EMPTY));
}

function ofNumbers(
  name: string,
  fewest: number,
  compute: (value: number, by: number | undefined) => number,
): FunctionSpec {
  return withValues(fewest, 1, (focus, [by]) => {
    const value = single(focus, `${name}()`)?.value;
    const other = by && single(by, `${name}()`)?.value;
    if (typeof value !== 'number' || (other !== undefined && typeof other !== 'number')) return EMPTY;
    return numberOf(compute(value, other), 'decimal');
  });
}

export const CONVERSION_FUNCTIONS: FunctionTable = {
  ...conversionFunctions(),
  abs: ofNumber('abs', Math.abs),
  ceiling: ofNumber('ceiling', Math.ceil, 'integer'),
  floor: ofNumber('floor', Math.floor, 'integer'),
  truncate: ofNumber('truncate', Math.trunc, 'integer'),
  sqrt: ofNumber('sqrt', Math.sqrt, 'decimal'),
  exp: ofNumber('exp', Math.exp, 'decimal'),
  ln: ofNumber('ln', Math.log, 'decimal'),
  log: ofNumbers('log', 1, (value, base = 10) => Math.log(value) / Math.log(base)),
  power: ofNumbers('power', 1, (value, exponent = 1) => value ** exponent),
  round: ofNumbers('round', 0, (value, digits = 0) => Number(`${Math.round(Number(`${value}e${digits}`))}e${-digits}`)),
};

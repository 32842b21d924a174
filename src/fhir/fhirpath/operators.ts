// FHIRPath's operators, as functions from two collections to one. https://hl7.org/fhirpath/N1/#operations
import { Fault } from '../../fault.ts';
import { collectionsEqual, collectionsEquivalent, isQuantity, keyOf } from './equality.ts';
import { type Frame, single } from './evaluation.ts';
import { inCommonUnit, quantityOf, withValue } from './quantity.ts';
import { addToMoment, calendarUnit, compareMoments, isTemporal, momentOf } from './temporal.ts';
import { booleanOf, type Collection, EMPTY, numberOf, stringOf, type TypedValue } from './typed-value.ts';

export type Operator = (left: Collection, right: Collection, frame: Frame) => Collection;

const maybe = (value: boolean | undefined): Collection => (value === undefined ? EMPTY : booleanOf(value));

/** Operators that need both sides. Those that may skip the right side are in LOGIC. */
export const OPERATORS: Readonly<Record<string, Operator>> = {
  '=': (left, right) => maybe(collectionsEqual(left, right)),
  '!=': (left, right) => maybe(negated(collectionsEqual(left, right))),
  '~': (left, right) => booleanOf(collectionsEquivalent(left, right)),
  '!~': (left, right) => booleanOf(!collectionsEquivalent(left, right)),
  '<': ordered((order) => order < 0),
  '<=': ordered((order) => order <= 0),
  '>': ordered((order) => order > 0),
  '>=': ordered((order) => order >= 0),
  '+': (left, right) => arithmetic('+', left, right, (a, b) => a + b),
  '-': (left, right) => arithmetic('-', left, right, (a, b) => a - b),
  '*': (left, right) => arithmetic('*', left, right, (a, b) => a * b),
  '/': (left, right) => arithmetic('/', left, right, (a, b) => a / b, 'decimal'),
  div: (left, right) => arithmetic('div', left, right, (a, b) => Math.trunc(a / b)),
  mod: (left, right) => arithmetic('mod', left, right, (a, b) => a % b),
  '&': (left, right) => stringOf(text(single(left, '&')) + text(single(right, '&'))),
  '|': (left, right) => distinct([...left, ...right]),
  in: (left, right) => membership(single(left, 'in'), right),
  contains: (left, right) => membership(single(right, 'contains'), left),
};

/** The items without repetition, in the order of their first occurrence. */
export function distinct(items: Collection): Collection {
  if (items.length < 2) return items;
  const seen = new Set<string>();
  return items.filter((item) => {
    const key = keyOf(item);
    return !seen.has(key) && seen.add(key);
  });
}

/** `-x`. */
export function negate(items: Collection): Collection {
  const item = single(items, 'unary -');
  if (!item) return EMPTY;
  if (typeof item.value === 'number') return numberOf(-item.value, item.type === 'decimal' ? 'decimal' : 'integer');
  const quantity = quantityOf(item.value);
  return quantity ? [{ type: item.type, value: withValue(item.value, -quantity.value) }] : EMPTY;
}

function negated(value: boolean | undefined): boolean | undefined {
  return value === undefined ? undefined : !value;
}

function text(item: TypedValue | undefined): string {
  return item?.value === undefined ? '' : String(item.value);
}

const keysOf = new WeakMap<Collection, ReadonlySet<string>>();

/** Large collections get a set of keys once, so that asking each of n items about m others stays linear. */
function membership(item: TypedValue | undefined, collection: Collection): Collection {
  if (!item) return EMPTY;
  const key = keyOf(item);
  if (collection.length < 8) return booleanOf(collection.some((other) => keyOf(other) === key));
  let keys = keysOf.get(collection);
  if (!keys) {
    keys = new Set(collection.map(keyOf));
    keysOf.set(collection, keys);
  }
  return booleanOf(keys.has(key));
}

function ordered(holds: (order: number) => boolean): Operator {
  return (left, right, frame) => {
    const a = single(left, 'a comparison');
    const b = single(right, 'a comparison');
    if (a?.value === undefined || b?.value === undefined) return EMPTY;
    const order = compare(a, b);
    if (order !== undefined) return booleanOf(holds(order));
    frame.run.uncertain = true;
    return EMPTY;
  };
}

function compare(left: TypedValue, right: TypedValue): number | undefined {
  if (typeof left.value === 'number' && typeof right.value === 'number') return left.value - right.value;
  if (isTemporal(left.type) || isTemporal(right.type)) {
    const [a, b] = [momentOf(String(left.value)), momentOf(String(right.value))];
    return a && b ? compareMoments(a, b) : undefined;
  }
  if (typeof left.value === 'string' && typeof right.value === 'string') {
    if (left.value === right.value) return 0;
    return left.value < right.value ? -1 : 1;
  }
  if (isQuantity(left) || isQuantity(right)) {
    const [a, b] = [quantityOf(left.value), quantityOf(right.value)];
    const values = a && b ? inCommonUnit(a, b) : undefined;
    return values && values[0] - values[1];
  }
  throw new Fault('unprocessable', `FHIRPath: a ${left.type} cannot be ordered against a ${right.type}.`);
}

function arithmetic(
  operator: string,
  left: Collection,
  right: Collection,
  compute: (a: number, b: number) => number,
  type?: 'decimal',
): Collection {
  const a = single(left, operator);
  const b = single(right, operator);
  if (a?.value === undefined || b?.value === undefined) return EMPTY;
  if (typeof a.value === 'number' && typeof b.value === 'number') {
    const decimal = type ?? (a.type === 'decimal' || b.type === 'decimal' ? 'decimal' : undefined);
    return numberOf(compute(a.value, b.value), operator === 'div' ? 'integer' : decimal);
  }
  if (operator === '+' && typeof a.value === 'string' && typeof b.value === 'string')
    return stringOf(a.value + b.value);
  if (isTemporal(a.type) && (operator === '+' || operator === '-')) return moved(a, b, operator === '+' ? 1 : -1);
  return ofQuantities(operator, a, b, compute);
}

function moved(date: TypedValue, by: TypedValue, sign: 1 | -1): Collection {
  const quantity = quantityOf(by.value);
  const unit = quantity && calendarUnit(quantity.unit);
  const value = unit && addToMoment(String(date.value), sign * quantity.value, unit);
  return value === undefined ? EMPTY : [{ type: date.type, value }];
}

function ofQuantities(
  operator: string,
  left: TypedValue,
  right: TypedValue,
  compute: (a: number, b: number) => number,
): Collection {
  const [a, b] = [quantityOf(left.value), quantityOf(right.value)];
  if (!a || !b)
    throw new Fault('unprocessable', `FHIRPath: ${operator} cannot take a ${left.type} and a ${right.type}.`);
  const scaling = operator === '*' || operator === '/';
  if (scaling && (typeof left.value === 'number' || typeof right.value === 'number')) {
    const unitOf = typeof left.value === 'number' ? right : left;
    return [{ type: 'Quantity', value: withValue(unitOf.value, compute(a.value, b.value)) }];
  }
  if (a.unit !== b.unit || scaling) return EMPTY;
  return [{ type: 'Quantity', value: withValue(left.value, compute(a.value, b.value)) }];
}

/** Three-valued logic; `right` is a function because it need not be asked. https://hl7.org/fhirpath/N1/#boolean-logic */
export const LOGIC: Readonly<
  Record<string, (left: boolean | undefined, right: () => boolean | undefined) => boolean | undefined>
> = {
  and(left, right) {
    if (left === false) return false;
    const other = right();
    if (other === false) return false;
    return left && other ? true : undefined;
  },
  or(left, right) {
    if (left === true) return true;
    const other = right();
    if (other === true) return true;
    return left === false && other === false ? false : undefined;
  },
  xor(left, right) {
    const other = right();
    return left === undefined || other === undefined ? undefined : left !== other;
  },
  implies(left, right) {
    if (left === false) return true;
    const other = right();
    if (other === true) return true;
    return left === true && other === false ? false : undefined;
  },
};

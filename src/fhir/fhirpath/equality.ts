// `=`, `~` and everything that needs to know whether two items are the same. https://hl7.org/fhirpath/N1/#equality
import { inCommonUnit, quantityOf } from './quantity.ts';
import { compareMoments, isTemporal, momentOf } from './temporal.ts';
import { isKindOf } from './type-model.ts';
import { type Collection, isPrimitive, type TypedValue } from './typed-value.ts';

/** Undefined means: cannot be told (dates of different precision, units that cannot be compared). */
function itemsEqual(left: TypedValue, right: TypedValue): boolean | undefined {
  if (isTemporal(left.type) || isTemporal(right.type)) {
    if (left.value === right.value) return true;
    const [a, b] = [momentOf(String(left.value)), momentOf(String(right.value))];
    if (!a || !b) return false;
    const order = compareMoments(a, b);
    return order === undefined ? undefined : order === 0;
  }
  if (isQuantity(left) && isQuantity(right)) {
    const [a, b] = [quantityOf(left.value), quantityOf(right.value)];
    if (!a || !b) return keyOf(left) === keyOf(right);
    const values = inCommonUnit(a, b);
    return values ? values[0] === values[1] : undefined;
  }
  if (typeof left.value !== 'object' || typeof right.value !== 'object') return left.value === right.value;
  return keyOf(left) === keyOf(right);
}

/** `=` over collections: same number, same items, same order. */
export function collectionsEqual(left: Collection, right: Collection): boolean | undefined {
  if (left.length === 0 || right.length === 0) return undefined;
  if (left.length !== right.length) return false;
  let unknown = false;
  for (let index = 0; index < left.length; index++) {
    const equal = itemsEqual(left[index] as TypedValue, right[index] as TypedValue);
    if (equal === false) return false;
    if (equal === undefined) unknown = true;
  }
  return unknown ? undefined : true;
}

/** `~`: order does not count, strings ignore case and white space. https://hl7.org/fhirpath/N1/#equivalent */
export function collectionsEquivalent(left: Collection, right: Collection): boolean {
  if (left.length !== right.length) return false;
  const open = [...right];
  for (const item of left) {
    const at = open.findIndex((other) => itemsEquivalent(item, other));
    if (at < 0) return false;
    open.splice(at, 1);
  }
  return true;
}

/** A text that two items share exactly when they are equal; lets sets be built in linear time. */
export function keyOf({ type, value }: TypedValue): string {
  if (isTemporal(type) && typeof value === 'string') return `t:${momentOf(value)?.parts.join('-') ?? value}`;
  if (typeof value === 'object' && value !== null) return `o:${canonical(value)}`;
  return `${typeof value}:${value}`;
}

export function isQuantity({ type }: TypedValue): boolean {
  return !isPrimitive(type) && isKindOf(type, 'Quantity');
}

function itemsEquivalent(left: TypedValue, right: TypedValue): boolean {
  if (typeof left.value === 'string' && typeof right.value === 'string') {
    if (isTemporal(left.type) && isTemporal(right.type)) return itemsEqual(left, right) === true;
    return normal(left.value) === normal(right.value);
  }
  if (typeof left.value === 'number' && typeof right.value === 'number') {
    const digits = Math.min(decimals(left.value), decimals(right.value));
    return left.value.toFixed(digits) === right.value.toFixed(digits);
  }
  if (typeof left.value === 'object' && typeof right.value === 'object' && !(isQuantity(left) && isQuantity(right))) {
    return normal(keyOf(left)) === normal(keyOf(right));
  }
  return itemsEqual(left, right) === true;
}

function normal(text: string): string {
  return text.trim().toLowerCase().replace(/\s+/g, ' ');
}

function decimals(value: number): number {
  return Math.min(String(value).split('.')[1]?.length ?? 0, 15);
}

function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const object = value as Record<string, unknown>;
  const keys = Object.keys(object).sort();
  return `{${keys.map((key) => `${JSON.stringify(key)}:${canonical(object[key])}`).join()}}`;
}

// Setting an element of a resource that is being made, by its path: `Condition.code`, `Goal.target.dueDate`.
import { fieldOf, type Property } from '../../fhir/fhirpath/type-model.ts';
import type { TypedValue } from '../../fhir/fhirpath/typed-value.ts';

/**
 * Where the values of one item go: a repeating element on the way is the one this scope has begun, else a new one. A
 * group that stands for a repeating element begins one for all its items.
 */
export type Begun = Map<string, Record<string, unknown>>;

/**
 * @param path below the type: `['code']`, `['target', 'dueDate']`
 * @returns false when the type has no such element, or takes no value of this type there
 */
export function putElement(
  resource: Record<string, unknown>,
  type: string,
  path: readonly string[],
  value: TypedValue,
  begun: Begun,
): boolean {
  let at = resource;
  let atType = type;
  for (const [index, step] of path.slice(0, -1).entries()) {
    const property = propertyOf(atType, step, undefined);
    if (!property) return false;
    at = enter(at, property, path.slice(0, index + 1).join('.'), begun);
    atType = property.type;
  }
  const last = path.at(-1) ?? '';
  const property = propertyOf(atType, last, value.type);
  const made = property && convert(value, property.type);
  if (!property || made === undefined) return false;
  if (property.list) at[property.key] = [...((at[property.key] as unknown[]) ?? []), made];
  else at[property.key] = made;
  return true;
}

/** Begins a new element for a group that stands for one. @returns false when the type has no such element */
export function beginElement(
  resource: Record<string, unknown>,
  type: string,
  path: readonly string[],
  begun: Begun,
): boolean {
  begun.delete(path.join('.'));
  let at = resource;
  let atType = type;
  for (const [index, step] of path.entries()) {
    const property = propertyOf(atType, step, undefined);
    if (!property) return false;
    at = enter(at, property, path.slice(0, index + 1).join('.'), begun);
    atType = property.type;
  }
  return true;
}

function enter(at: Record<string, unknown>, property: Property, key: string, begun: Begun): Record<string, unknown> {
  const known = begun.get(key);
  if (known) return known;
  const there = property.list ? undefined : (at[property.key] as Record<string, unknown> | undefined);
  const element = there ?? {};
  if (property.list) at[property.key] = [...((at[property.key] as unknown[]) ?? []), element];
  else at[property.key] = element;
  begun.set(key, element);
  return element;
}

/** `value[x]`, `valueQuantity` and, when the type decides, plain `value`. */
function propertyOf(type: string, step: string, valueType: string | undefined): Property | undefined {
  const name = step.replace('[x]', '').replace(/:.*$/, '');
  const field = fieldOf(type, name);
  if (field?.length === 1) return field[0];
  if (field) {
    return (
      field.find((one) => one.type === valueType) ??
      field.find((one) => valueType !== undefined && CONVERTED[valueType]?.includes(one.type))
    );
  }
  return choiceProperty(type, name);
}

/** A choice written with its type: `onsetDateTime`, `valueCodeableConcept`. */
function choiceProperty(type: string, name: string): Property | undefined {
  for (const match of name.matchAll(/[A-Z]/g)) {
    const field = fieldOf(type, name.slice(0, match.index));
    const property = field?.find(({ key }) => key === name);
    if (property) return property;
  }
  return undefined;
}

/** What a value may become where its own type is not taken, the best first. */
const CONVERTED: Readonly<Record<string, readonly string[]>> = {
  Coding: ['CodeableConcept', 'code', 'string'],
  string: [
    'CodeableConcept',
    'markdown',
    'Annotation',
    'code',
    'uri',
    'canonical',
    'id',
    'date',
    'dateTime',
    'Reference',
  ],
  integer: ['positiveInt', 'unsignedInt', 'decimal', 'Quantity', 'string'],
  decimal: ['Quantity', 'integer'],
  date: ['dateTime'],
  dateTime: ['instant', 'date'],
  code: ['string', 'CodeableConcept'],
  boolean: ['boolean'],
};

const TEXTS = new Set([
  'string',
  'markdown',
  'code',
  'uri',
  'url',
  'canonical',
  'id',
  'date',
  'dateTime',
  'instant',
  'oid',
]);

function convert({ type, value }: TypedValue, wanted: string): unknown {
  if (value === undefined || value === null) return undefined;
  if (type === wanted) return value;
  if (type === 'Coding') {
    const { code, display } = value as { code?: string; display?: string };
    if (wanted === 'CodeableConcept') return { coding: [value], ...(display ? { text: display } : {}) };
    if (wanted === 'code') return code;
    return TEXTS.has(wanted) ? (display ?? code) : undefined;
  }
  if (typeof value === 'string') {
    if (wanted === 'CodeableConcept' || wanted === 'Annotation') return { text: value };
    if (wanted === 'Reference') return { reference: value };
    if (wanted === 'date') return value.slice(0, 10);
    return TEXTS.has(wanted) ? value : undefined;
  }
  if (typeof value === 'number') {
    if (wanted === 'Quantity') return { value };
    if (wanted === 'decimal') return value;
    if (wanted === 'string') return String(value);
    return Number.isInteger(value) && /int/i.test(wanted) ? value : undefined;
  }
  if (typeof value === 'object' && typeof wanted === 'string') {
    // Elements of resources carry the path as their type; their JSON is what it is.
    if (type === 'object' || /^(Simple)?Quantity|Age|Duration|Count|Distance$/.test(wanted)) return value;
    const { id, resourceType } = value as { id?: string; resourceType?: string };
    return wanted === 'Reference' && resourceType && id ? { reference: `${resourceType}/${id}` } : undefined;
  }
  return undefined;
}

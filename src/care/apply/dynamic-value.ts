// Values that a definition computes for elements of what it makes. The path is checked against the type when the pathway
// is compiled, so that nothing but an element of the type can ever be set.
import type { PlanDefinitionActionDynamicValue, Reference } from '@medplum/fhirtypes';
import type { Environment } from '../../fhir/fhirpath/evaluation.ts';
import { type Field, fieldOf, fieldOfProperty, isKindOf, type Property } from '../../fhir/fhirpath/type-model.ts';
import { type Collection, isPrimitive, type TypedValue } from '../../fhir/fhirpath/typed-value.ts';
import { type CompiledExpression, compileExpression, type Facts } from './expression.ts';
import { at, type Place, refusal } from './refusal.ts';

export interface DynamicValue {
  readonly expression: CompiledExpression;
  /** Sets the element in `resource`, which is changed in place; an expression without a result sets nothing. */
  apply(resource: object, facts: Facts, more: Environment): void;
}

/** Elements that say whose it is, or that Baton fills. */
const NOT_SETTABLE = new Set(['id', 'meta', 'contained', 'subject', 'for', 'patient', 'basedOn', 'identifier']);
const MOST_INDEX = 99;

interface Part {
  readonly name: string;
  readonly field: Field;
  readonly index?: number;
}

/**
 * @param type of the resource that the path is in
 * @throws Fault unprocessable when the path is no element of the type, or is one that may not be set
 */
export function readDynamicValue(
  { path, expression }: PlanDefinitionActionDynamicValue,
  type: string,
  libraries: readonly string[],
  place: Place,
): DynamicValue {
  const here = at(place, `${place.element}.dynamicValue`);
  const parts = readPath(path ?? '', type, here);
  const compiled = compileExpression(expression, libraries, here);
  return {
    expression: compiled,
    apply(resource, facts, more) {
      const result = compiled.evaluate(facts, { ...more, resource });
      if (result.length > 0) setIn(resource as Json, parts, result, path ?? '', here);
    },
  };
}

type Json = Record<string, unknown>;

function readPath(path: string, type: string, place: Place): Part[] {
  const names = path.split('.');
  if (names[0] === type) names.shift();
  let at = type;
  const parts = names.map((text, position): Part => {
    const [, name = '', index] = /^([A-Za-z]\w*)(?:\[(\d{1,3})\])?$/.exec(text) ?? [];
    const field = fieldNamed(at, name);
    const isLast = position === names.length - 1;
    if (!field) throw refusal(place, `dynamicValue.path "${path}": ${at} has no element ${name || `"${text}"`}.`);
    if (position === 0 && NOT_SETTABLE.has(name)) {
      throw refusal(place, `dynamicValue.path "${path}": ${name} is set by applying, not by a dynamic value.`);
    }
    if (field.length > 1 && !isLast) {
      throw refusal(place, `dynamicValue.path "${path}": say which type ${name} has, e.g. ${field[0]?.key}.`);
    }
    const { list = false, type: next = '' } = field[0] ?? {};
    if (index !== undefined && (!list || Number(index) > MOST_INDEX)) {
      throw refusal(place, `dynamicValue.path "${path}": ${name} cannot have the index ${index}.`);
    }
    at = next;
    return { name, field, ...(index === undefined ? {} : { index: Number(index) }) };
  });
  if (parts.length === 0) throw refusal(place, 'dynamicValue.path must name an element.');
  return parts;
}

/** `occurrence` (any of its types) or `occurrencePeriod` (that one). */
function fieldNamed(type: string, name: string): Field | undefined {
  const field = fieldOf(type, name);
  if (field || name === '') return field;
  const found = fieldOfProperty(type, name);
  return found && fieldOf(type, found.name)?.filter(({ key }) => key === name);
}

function setIn(resource: Json, parts: readonly Part[], result: Collection, path: string, place: Place): void {
  let target = resource;
  for (const { field, index = 0 } of parts.slice(0, -1)) target = descend(target, field[0] as Property, index);
  const last = parts.at(-1) as Part;
  const [property, values] = fitting(last, result, path, place);
  // Of a choice only one may be there.
  for (const { key } of fieldOf(resource.resourceType as string, last.name) ?? last.field) {
    if (key !== property.key) delete target[key];
  }
  if (!property.list) target[property.key] = values[0];
  else if (last.index === undefined) target[property.key] = values;
  else target[property.key] = withItem(target[property.key], last.index, values[0], path, place);
}

function descend(target: Json, { key, list }: Property, index: number): Json {
  if (!list) {
    target[key] ??= {};
    return target[key] as Json;
  }
  const items = (target[key] ?? []) as Json[];
  target[key] = items;
  while (items.length <= index) items.push({});
  return items[index] as Json;
}

function withItem(current: unknown, index: number, value: unknown, path: string, place: Place): unknown[] {
  const items = Array.isArray(current) ? [...current] : [];
  if (index > items.length) {
    throw refusal(
      place,
      `dynamicValue.path "${path}": there are ${items.length} items, so ${index} would leave a gap.`,
    );
  }
  items[index] = value;
  return items;
}

function fitting({ field, name }: Part, result: Collection, path: string, place: Place): [Property, unknown[]] {
  for (const property of field) {
    const values = result.map((item) => asType(item, property.type));
    if (!values.every((value) => value !== undefined)) continue;
    if (values.length > 1 && !property.list) {
      throw refusal(place, `dynamicValue.path "${path}": ${name} takes one value, and the expression gives several.`);
    }
    return [property, values];
  }
  const types = field.map(({ type }) => type).join(', ');
  throw refusal(place, `dynamicValue.path "${path}": ${name} takes ${types}, which the expression does not give.`);
}

const TEXTS = /^(?:string|code|uri|url|canonical|id|oid|uuid|markdown|base64Binary)$/;
const NUMBERS = /^(?:integer|decimal|positiveInt|unsignedInt)$/;
const DATES = /^(?:date|dateTime|instant)$/;

/** The value as JSON of the type; undefined when it cannot be. */
function asType({ type, value }: TypedValue, wanted: string): unknown {
  if (value === undefined) return undefined;
  if (type === wanted || isKindOf(type, wanted)) return value;
  if (isPrimitive(wanted)) return asPrimitive(type, value, wanted);
  if (wanted === 'CodeableConcept' && type === 'Coding') return { coding: [value] };
  if (wanted === 'CodeableConcept' && type === 'string') return { text: value };
  if (wanted === 'Annotation' && type === 'string') return { text: value };
  if (wanted === 'Reference') return referenceOf(value);
  const isQuantity = type === 'Quantity' && isKindOf(wanted, 'Quantity');
  return isQuantity || (type === 'object' && !isPrimitive(wanted)) ? value : undefined;
}

function asPrimitive(type: string, value: unknown, wanted: string): unknown {
  const isText = typeof value === 'string';
  if (isText && TEXTS.test(wanted) && (TEXTS.test(type) || DATES.test(type))) return value;
  if (isText && DATES.test(wanted) && DATES.test(type)) return wanted === 'date' ? value.slice(0, 10) : value;
  if (typeof value === 'number' && NUMBERS.test(wanted) && NUMBERS.test(type)) {
    return wanted === 'decimal' || Number.isInteger(value) ? value : undefined;
  }
  return undefined;
}

/** A resource stands for a reference to it. */
function referenceOf(value: unknown): Reference | undefined {
  const { resourceType, id } = value as { resourceType?: unknown; id?: unknown };
  return typeof resourceType === 'string' && typeof id === 'string'
    ? { reference: `${resourceType}/${id}` }
    : undefined;
}

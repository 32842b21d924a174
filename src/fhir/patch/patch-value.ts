// The `value` of a FHIRPath Patch operation as an element of a type: a `value[x]`, a resource, or parts that name the
// elements of a type that has no `value[x]`. https://hl7.org/fhir/R4/fhirpatch.html
import { cloneExact, exactText } from '../exact-json.ts';
import { type Field, fieldOf, fieldOfProperty, isKindOf, type Property } from '../fhirpath/type-model.ts';
import { countItems, type Element, insertItem, setElement } from './element.ts';
import { refuse } from './json-pointer.ts';
import type { JsonObject } from './places.ts';

/** An element and the JSON property it belongs to. */
export interface Given {
  readonly property: Property;
  readonly element: Element;
}

/**
 * @param part a parameter or part, e.g. `{ name: 'value', valueHumanName: … }`
 * @param field what it is for
 * @throws Fault unprocessable when it has no value, or one of a type that does not belong there
 */
export function readValue(part: JsonObject, field: Field, where: string): Given {
  const [only] = field;
  if (part.resource !== undefined) {
    const property = field.find(({ type }) => isKindOf('Patient', type));
    if (!property) throw refuse('A resource cannot be put here.', where);
    return { property, element: { value: cloneExact(part.resource) } };
  }
  if (Array.isArray(part.part)) {
    if (!only || field.length > 1 || only.companion) throw refuse('The value must be a value[x] here.', where);
    return { property: only, element: { value: objectOf(part.part, only.type, where) } };
  }
  return readTyped(part, field, where);
}

function readTyped(part: JsonObject, field: Field, where: string): Given {
  const keys = Object.keys(part).filter((key) => /^_?value[A-Z]/.test(key));
  const names = new Set(keys.map((key) => key.replace(/^_/, '')));
  const [key] = names;
  if (key === undefined || names.size > 1) throw refuse('The operation needs one value.', where);
  const given = fieldOfProperty('Parameters.parameter', key)?.type;
  if (given === undefined) throw refuse(`${key} is not a value of FHIR.`, where);
  const property = field.find(({ type }) => type === given) ?? field.find(({ type }) => fits(given, type));
  if (!property) {
    throw refuse(`A ${given} cannot be put here; it takes ${field.map(({ type }) => type).join(', ')}.`, where);
  }
  const companion = part[`_${key}`];
  const element: Element = {
    value: cloneExact(part[key]),
    text: exactText(part, key),
    ...(companion === undefined ? {} : { companion: cloneExact(companion) }),
  };
  return { property, element };
}

/** A string may be given for a code and the like, and a code for a string; the result is validated all the same. */
function fits(given: string, wanted: string): boolean {
  return isKindOf(given, wanted) || isKindOf(wanted, given) || (given === 'string' && wanted === 'xhtml');
}

/** @throws Fault unprocessable for an element that the type does not have, or that is there twice and may not repeat */
function objectOf(parts: readonly unknown[], type: string, where: string): JsonObject {
  const made: JsonObject = {};
  for (const [index, part] of parts.entries()) {
    const at = `${where}.part[${index}]`;
    if (typeof part !== 'object' || part === null) throw refuse('A part must be an object.', at);
    const { name } = part as JsonObject;
    const field = typeof name === 'string' ? fieldOf(type, name) : undefined;
    if (!field) throw refuse(`${type} has no element ${String(name)}.`, at);
    addElement(made, field, readValue(part as JsonObject, field, at), at);
  }
  return made;
}

/**
 * Adds an element at the end of its list, or sets it.
 * @throws Fault unprocessable when it is there already and may not repeat
 */
export function addElement(holder: JsonObject, field: Field, { property, element }: Given, where: string): void {
  const { key, list } = property;
  if (list) {
    insertItem(holder, key, countItems(holder, key), element);
    return;
  }
  const present = field.find((one) => holder[one.key] !== undefined || holder[`_${one.key}`] !== undefined);
  if (present) throw refuse(`${present.key} is there already and cannot repeat; use replace.`, where);
  setElement(holder, key, element);
}

// FHIRPath Patch: a Parameters resource whose operations name elements by FHIRPath. https://hl7.org/fhir/R4/fhirpatch.html
import type { Resource } from '@medplum/fhirtypes';
import { Fault } from '../../fault.ts';
import { expectExact } from '../exact-json.ts';
import { fieldOf, type Property } from '../fhirpath/type-model.ts';
import { countItems, deleteElement, insertItem, moveItem, replaceItem, setElement } from './element.ts';
import { refuse } from './json-pointer.ts';
import { type PatchOperation, readOperation } from './patch-operation.ts';
import { readsContent, select, splitLast } from './patch-path.ts';
import { addElement, readValue } from './patch-value.ts';
import { budget, type Found, type JsonObject, type Place, type Twin, twinOf } from './places.ts';
import { refuseProtected } from './protected.ts';

const MAX_OPERATIONS = 200;

/**
 * Reads a patch document.
 * @returns what applies it to a resource, changing the resource in place and throwing Fault unprocessable when it cannot
 * be applied as a whole
 * @throws Fault invalid when it is no Parameters resource; unprocessable for an operation that is wrong in itself
 */
export function readFhirPathPatch(body: unknown): (resource: Resource) => Resource {
  const operations = operationsIn(body);
  return (resource) => {
    const spend = budget();
    for (const operation of operations) APPLY[operation.type](resource, twinOf(resource, spend), operation);
    return expectExact(resource);
  };
}

/**
 * Whether the patch tells what the resource says without leaving a trace: it selects by it, or it can take back what it
 * did.
 */
export function selectsByContent(body: unknown): boolean {
  const operations = operationsIn(body);
  const types = new Set(operations.map(({ type }) => type));
  const takesBack = types.has('move') || (types.has('delete') && (types.has('add') || types.has('insert')));
  return takesBack || operations.some(({ path }) => readsContent(path));
}

function operationsIn(body: unknown): PatchOperation[] {
  const { resourceType, parameter } = (body ?? {}) as JsonObject;
  if (resourceType !== 'Parameters' || !Array.isArray(parameter) || parameter.length === 0) {
    throw new Fault('invalid', 'A FHIRPath Patch is a Parameters resource with one parameter for each operation.', {
      code: 'structure',
    });
  }
  if (parameter.length > MAX_OPERATIONS) {
    throw new Fault('too-large', `A FHIRPath Patch may have at most ${MAX_OPERATIONS} operations.`);
  }
  return parameter.map((given, index) => readOperation(given, `Parameters.parameter[${index}]`));
}

const APPLY = { add, insert, replace, delete: remove, move } as const;

function add(resource: Resource, twin: Twin, operation: PatchOperation): void {
  const { path, name = '', value, where } = operation;
  const target = single(select(twin, resource, path, where), path, where);
  const { holder, type } = holderIn(target);
  const field = fieldOf(type, name);
  if (!field) throw refuse(`${type} has no element ${name}.`, where);
  guard(resource, holder, name, where);
  addElement(holder, field, readValue(value, field, where), where);
}

/** What new elements of an element go into: itself, or for a primitive its companion, which may have to be made. */
function holderIn({ type, node, place }: Found): { holder: JsonObject; type: string } {
  if (node || !place) return { holder: node ?? {}, type };
  const { holder, key, index } = place;
  if (index === undefined) {
    holder[`_${key}`] ??= {};
    return { holder: holder[`_${key}`] as JsonObject, type: 'Element' };
  }
  const values = holder[key];
  const companions = Array.isArray(holder[`_${key}`]) ? (holder[`_${key}`] as unknown[]) : [];
  const companion = (companions[index] ?? {}) as JsonObject;
  replaceItem(holder, key, index, { value: Array.isArray(values) ? values[index] : undefined, companion });
  return { holder: companion, type: 'Element' };
}

function insert(resource: Resource, twin: Twin, operation: PatchOperation): void {
  const { index = 0, value, where } = operation;
  const { holder, property } = listIn(resource, twin, operation);
  const length = countItems(holder, property.key);
  if (index > length) throw refuse(`The list has ${length} elements, so nothing can be inserted at ${index}.`, where);
  insertItem(holder, property.key, index, readValue(value, [property], where).element);
}

function move(resource: Resource, twin: Twin, operation: PatchOperation): void {
  const { source = 0, destination = 0, where } = operation;
  const { holder, property } = listIn(resource, twin, operation);
  const length = countItems(holder, property.key);
  if (source >= length || destination >= length) {
    throw refuse(`The list has ${length} elements; source and destination must be below that.`, where);
  }
  moveItem(holder, property.key, source, destination);
}

function listIn(resource: Resource, twin: Twin, { path, where }: PatchOperation) {
  const { holder: holderPath, name } = splitLast(path, resource.resourceType, where);
  const { node, type } = single(select(twin, resource, holderPath, where), holderPath, where);
  const property: Property | undefined = fieldOf(type, name)?.[0];
  if (!node || !property?.list) throw refuse(`The path ${path} must lead to a list.`, where);
  return { holder: node, property };
}

function replace(resource: Resource, twin: Twin, { path, value, where }: PatchOperation): void {
  const place = placeOf(resource, single(select(twin, resource, path, where), path, where), where);
  const { holder, holderType, name, key, index } = place;
  const { property, element } = readValue(value, fieldOf(holderType, name) ?? [], where);
  if (index !== undefined) {
    replaceItem(holder, key, index, element);
    return;
  }
  // A choice may change its type, and with it its name in JSON.
  if (property.key !== key) deleteElement(place);
  setElement(holder, property.key, element);
}

/** Nothing there is nothing to delete, and no error. */
function remove(resource: Resource, twin: Twin, { path, where }: PatchOperation): void {
  const found = select(twin, resource, path, where);
  if (found.length > 0) deleteElement(placeOf(resource, single(found, path, where), where));
}

function placeOf(resource: Resource, { place }: Found, where: string): Place {
  if (!place) throw refuse('The whole resource cannot be patched away; use PUT or DELETE.', where);
  guard(resource, place.holder, place.name, where);
  return place;
}

function guard(resource: Resource, holder: JsonObject, name: string, where: string): void {
  const path = (holder as unknown) === resource ? [] : (holder as unknown) === resource.meta ? ['meta'] : undefined;
  if (path) refuseProtected([...path, name], where);
}

function single(found: readonly Found[], path: string, where: string): Found {
  const [one] = found;
  if (one && found.length === 1) return one;
  throw refuse(`The path ${path} must select one element; it selects ${found.length}.`, where);
}

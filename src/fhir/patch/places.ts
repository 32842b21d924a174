// Where in a resource the items of a FHIRPath result are. FHIRPath gives values, not places; so it is run on a twin of the
// resource in which every element is an object of its own, primitives by their companion (`_birthDate`), and those objects
// are remembered with the place they stand for.
import type { Resource } from '@medplum/fhirtypes';
import { Fault } from '../../fault.ts';
import { fieldOfProperty } from '../fhirpath/type-model.ts';
import { isPrimitive, type TypedValue } from '../fhirpath/typed-value.ts';

export type JsonObject = Record<string, unknown>;

/** One element of a resource. */
export interface Place {
  readonly holder: JsonObject;
  /** FHIR type of the holder, e.g. `Patient.contact`. */
  readonly holderType: string;
  /** The element's name in FHIRPath, `value` for `valueQuantity`. */
  readonly name: string;
  readonly key: string;
  /** In a list. */
  readonly index?: number;
}

/** An element as a result of FHIRPath; the resource itself has no place. */
export interface Found {
  readonly type: string;
  /** The JSON of a complex element; undefined for a primitive. */
  readonly node: JsonObject | undefined;
  readonly place: Place | undefined;
}

export interface Twin {
  /** What FHIRPath is to run on. */
  readonly root: JsonObject;
  /** Undefined for a value that is not an element of the resource. */
  find(item: TypedValue): Found | undefined;
}

/** @param spend is told of every element, so that the caller can set a limit */
export function twinOf(resource: Resource, spend: () => void): Twin {
  const places = new Map<object, Found>();
  const root = copyObject(resource as unknown as JsonObject, resource.resourceType);
  places.set(root, { type: resource.resourceType, node: resource as unknown as JsonObject, place: undefined });
  return { root, find: ({ value, element }) => places.get(element ?? (value as object)) };

  function copyObject(node: JsonObject, type: string): JsonObject {
    const copy: JsonObject = {};
    for (const key of plainKeys(node)) {
      const property = fieldOfProperty(type, key);
      if (property) copyProperty(copy, { holder: node, holderType: type, name: property.name, key }, property.type);
      else copy[key] = node[key];
    }
    return copy;
  }

  function copyProperty(copy: JsonObject, place: Place, type: string): void {
    const { holder, key } = place;
    const value = holder[key];
    if (!isPrimitive(type)) {
      copy[key] = Array.isArray(value)
        ? value.map((item, index) => copyComplex(item, { ...place, index }, type))
        : copyComplex(value, place, type);
      return;
    }
    if (value !== undefined) copy[key] = value;
    const extra = holder[`_${key}`];
    if (!Array.isArray(value) && !Array.isArray(extra)) {
      copy[`_${key}`] = copyCompanion(extra, place, type);
      return;
    }
    const length = Math.max(lengthOf(value), lengthOf(extra));
    const item = (index: number) => (Array.isArray(extra) ? extra[index] : undefined);
    copy[`_${key}`] = Array.from({ length }, (_, index) => copyCompanion(item(index), { ...place, index }, type));
  }

  function copyComplex(value: unknown, place: Place, type: string): unknown {
    if (typeof value !== 'object' || value === null) return value;
    spend();
    const node = value as JsonObject;
    const own = type === 'Resource' && typeof node.resourceType === 'string' ? node.resourceType : type;
    const copy = copyObject(node, own);
    places.set(copy, { type: own, node, place });
    return copy;
  }

  function copyCompanion(extra: unknown, place: Place, type: string): JsonObject {
    spend();
    const copy = typeof extra === 'object' && extra !== null ? copyObject(extra as JsonObject, 'Element') : {};
    places.set(copy, { type, node: undefined, place });
    return copy;
  }
}

/** Names without the `_` of companions, each once. */
function plainKeys(node: JsonObject): Set<string> {
  return new Set(Object.keys(node).map((key) => (key.startsWith('_') ? key.slice(1) : key)));
}

const lengthOf = (value: unknown) => (Array.isArray(value) ? value.length : 0);

/** Elements that the paths of one patch may visit in all; each operation looks at the whole resource again. */
const MAX_VISITS = 1_000_000;

/** @returns what to call for every element. The function throws Fault too-large when the patch costs too much */
export function budget(): () => void {
  let spent = 0;
  return () => {
    spent += 1;
    if (spent <= MAX_VISITS) return;
    throw new Fault('too-large', 'The patch has too many operations for a resource of this size.', {
      code: 'too-costly',
    });
  };
}

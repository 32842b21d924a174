// What JSON schema has no word for in an object: choices, primitives with companions, ids, content.
import type { SchemaValidateFunction } from 'ajv';
import { report, type Visit } from './visit.ts';

/** What an object must fulfil beyond its properties. */
export interface Shape {
  /** At least one of the keys must be there. */
  readonly required: { name: string; keys: string[] }[];
  /** At most one of the keys may be there. */
  readonly choices: { name: string; keys: string[] }[];
  /** Lists of primitives, whose places may be null when the companion list has something there. */
  readonly lists: string[];
  /** Whether an id alone is content enough (ele-1). */
  readonly idAlone: boolean;
}

/** What ajv tells a keyword about the place it looks at. */
export type Place = Parameters<SchemaValidateFunction>[3];

export type JsonObject = Readonly<Record<string, unknown>>;

/** The `shape` keyword of ajv: reports what is missing, double or empty, and is itself always content. */
export function compileShape({ required, choices, lists, idAlone }: Shape) {
  // An extension has 50 forms of its value: they are counted among the few keys that there are.
  const forms = new Set(choices.flatMap(({ keys }) => keys.flatMap((key) => [key, `_${key}`])));
  return function (this: Visit, value: unknown, cxt?: Place): boolean {
    const object = value as JsonObject;
    const pointer = cxt?.instancePath ?? '';
    for (const { name, keys } of required) {
      if (keys.some((key) => object[key] !== undefined)) continue;
      if (Object.keys(object).length === 0) return true; // minProperties says so
      report(this, 'error', 'required', `${name} is required here.`, `${pointer}/${keys[0]}`);
    }
    for (const { name, keys } of hasSeveral(object, forms) ? choices : []) {
      const present = keys.filter((key) => object[key] !== undefined || object[`_${key}`] !== undefined);
      if (present.length < 2) continue;
      const text = `Only one form of ${name} may be given, not ${present.join(' and ')}.`;
      report(this, 'error', 'structure', text, `${pointer}/${present[0]}`);
    }
    for (const key of lists) checkPlaces(this, object, key, pointer);
    if (typeof object.id === 'string' && pointer !== '') checkUniqueId(this, object.id, pointer);
    if (!idAlone && object.id !== undefined && Object.keys(object).length === 1) {
      report(this, 'error', 'structure', 'An element must have a value or children besides its id. (ele-1)', pointer);
    }
    return true;
  };
}

/** Whether more than one of the keys is among those of the object. */
function hasSeveral(object: JsonObject, keys: ReadonlySet<string>): boolean {
  let found = 0;
  if (keys.size > 0) for (const key in object) if (keys.has(key)) found += 1;
  return found > 1;
}

/** Ids of elements are what references inside the resource mean. https://hl7.org/fhir/R4/element-definitions.html#Element.id */
function checkUniqueId(visit: Visit, id: string, pointer: string): void {
  // Differential and snapshot have elements of one id: there it names the element that is defined.
  if (visit.type === 'StructureDefinition') return;
  if (visit.ids.has(id)) {
    report(visit, 'error', 'value', 'Another element of this resource has the same id.', `${pointer}/id`);
  }
  visit.ids.add(id);
}

/** `given: ['A', null]` is right when `_given` has an object where the null is. */
function checkPlaces(visit: Visit, object: JsonObject, key: string, pointer: string): void {
  const values = object[key];
  const companions = object[`_${key}`];
  if (companions === undefined && !(Array.isArray(values) && values.includes(null))) return;
  const own = Array.isArray(values) ? values : [];
  const others = Array.isArray(companions) ? companions : [];
  for (let index = 0; index < Math.max(own.length, others.length); index++) {
    if ((own[index] ?? null) !== null || (others[index] ?? null) !== null) continue;
    report(
      visit,
      'error',
      'structure',
      'A place in a list needs a value or an extension.',
      `${pointer}/${key}/${index}`,
    );
  }
}

// Values of a resource with the places they are at, as profile checks pass them around.
import type { Definitions } from '../../definitions.ts';
import { fieldOf } from '../../fhirpath/type-model.ts';
import { isPrimitive, type TypedValue } from '../../fhirpath/typed-value.ts';
import type { Visit } from '../visit.ts';

/** A value and where it is. */
export interface Place {
  readonly item: TypedValue;
  readonly pointer: string;
}

export type NodeCheck = (place: Place, visit: Visit) => void;

export interface Surroundings {
  readonly definitions: Definitions;
  /** Adds what the value breaks of a profile; undefined when it is not installed, false when it is for another type. */
  readonly checkProfile: (url: string, place: Place, visit: Visit) => boolean | undefined;
  /** The same as an answer. */
  readonly conforms: (url: string, item: TypedValue, visit: Visit) => boolean | undefined;
}

/** The values of a field with their places, primitives with their companions. */
export function childPlaces({ item, pointer }: Place, name: string): Place[] {
  if (isPrimitive(item.type) || typeof item.value !== 'object' || item.value === null)
    return companionPlaces(item, pointer, name);
  const object = item.value as Record<string, unknown>;
  // Runs for every element that a profile says something of, hence without intermediate arrays.
  const places: Place[] = [];
  for (const { key, type, companion } of fieldOf(item.type, name) ?? []) {
    const value = object[key];
    const extra = companion === undefined ? undefined : object[companion];
    if (value === undefined && extra === undefined) continue;
    if (!Array.isArray(value) && !Array.isArray(extra)) {
      places.push(placeOf(type, value, extra, `${pointer}/${key}`));
      continue;
    }
    const values = (value ?? []) as unknown[];
    const extras = (extra ?? []) as unknown[];
    for (let index = 0; index < Math.max(values.length, extras.length); index += 1) {
      places.push(placeOf(type, values[index], extras[index], `${pointer}/${key}/${index}`));
    }
  }
  return places;
}

function placeOf(type: string, value: unknown, extra: unknown, pointer: string): Place {
  const { resourceType } = (type === 'Resource' ? (value ?? {}) : {}) as { resourceType?: string };
  const element = typeof extra === 'object' && extra !== null ? { element: extra } : {};
  return { item: { type: resourceType ?? type, value: value ?? undefined, ...element }, pointer };
}

function companionPlaces({ element }: TypedValue, pointer: string, name: string): Place[] {
  const { extension } = (element ?? {}) as { extension?: unknown };
  if (name !== 'extension' || !Array.isArray(extension)) return [];
  return extension.map((value, index) => ({
    item: { type: 'Extension', value },
    pointer: `${pointer}/extension/${index}`,
  }));
}

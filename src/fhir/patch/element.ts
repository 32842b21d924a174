// Elements put into, taken out of and moved within their JSON. A primitive is two things there, its value and its companion
// (`_birthDate`); in lists both have the same places. https://hl7.org/fhir/R4/json.html#primitive
import { setExact } from '../exact-json.ts';
import type { JsonObject, Place } from './places.ts';

/** An element before it is put somewhere. */
export interface Element {
  /** Absent for a primitive that has only extensions. */
  readonly value?: unknown;
  /** Of a primitive: its id and extensions. */
  readonly companion?: unknown;
  /** How its number was written. */
  readonly text?: string | undefined;
}

export function setElement(holder: JsonObject, key: string, { value, companion, text }: Element): void {
  if (value === undefined) delete holder[key];
  else setExact(holder, key, value, text);
  if (companion === undefined) delete holder[`_${key}`];
  else holder[`_${key}`] = companion;
}

/** Number of items of a list, those of either half. */
export function countItems(holder: JsonObject, key: string): number {
  return Math.max(listAt(holder, key).length, listAt(holder, `_${key}`).length);
}

export function insertItem(holder: JsonObject, key: string, index: number, item: Element): void {
  const { values, companions } = openList(holder, key);
  values.splice(index, 0, item.value ?? null);
  companions.splice(index, 0, item.companion ?? null);
  closeList(holder, key, values, companions);
}

export function replaceItem(holder: JsonObject, key: string, index: number, item: Element): void {
  const { values, companions } = openList(holder, key);
  values.splice(index, 1, item.value ?? null);
  companions.splice(index, 1, item.companion ?? null);
  closeList(holder, key, values, companions);
}

export function moveItem(holder: JsonObject, key: string, source: number, destination: number): void {
  const { values, companions } = openList(holder, key);
  values.splice(destination, 0, ...values.splice(source, 1));
  companions.splice(destination, 0, ...companions.splice(source, 1));
  closeList(holder, key, values, companions);
}

export function deleteElement({ holder, key, index }: Place): void {
  if (index === undefined) {
    setElement(holder, key, {});
    return;
  }
  const { values, companions } = openList(holder, key);
  values.splice(index, 1);
  companions.splice(index, 1);
  closeList(holder, key, values, companions);
}

function listAt(holder: JsonObject, key: string): unknown[] {
  const list = holder[key];
  return Array.isArray(list) ? list : [];
}

/** Both halves of a list, as long as each other. */
function openList(holder: JsonObject, key: string): { values: unknown[]; companions: unknown[] } {
  const length = countItems(holder, key);
  const whole = (list: unknown[]) => Array.from({ length }, (_, index) => list[index] ?? null);
  return { values: whole(listAt(holder, key)), companions: whole(listAt(holder, `_${key}`)) };
}

/** FHIR has no empty lists, and no list of nothing but nulls. */
function closeList(holder: JsonObject, key: string, values: unknown[], companions: unknown[]): void {
  for (const [name, list] of [
    [key, values],
    [`_${key}`, companions],
  ] as const) {
    if (list.some((item) => item !== null)) holder[name] = list;
    else delete holder[name];
  }
}

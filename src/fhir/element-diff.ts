// Where several copies of a resource differ, element by element: list items side by side by their key, values that keep their
// meaning only as a whole (a quantity, a period) as one. For people to read; merging is merge3's. Pure.
import { isJsonObject, type Json, type JsonObject, sameJson } from './canonical-json.ts';
import { keyed, shownKey } from './merge-keys.ts';
import { isWhole } from './merge-units.ts';

export interface ElementDifference {
  /** With the keys of list items, e.g. `activity[Task/1].detail.status`. */
  readonly path: string;
  /** Without, as policies name it. */
  readonly element: string;
  /** One per copy, in the order they were given; undefined where it has none. */
  readonly values: readonly (Json | undefined)[];
}

type Values = readonly (Json | undefined)[];
interface Place {
  readonly name: string;
  readonly path: string;
  readonly element: string;
}

/** @param copies at least two; one that is not there differs in everything */
export function elementDifferences(copies: readonly (JsonObject | undefined)[]): ElementDifference[] {
  const found: ElementDifference[] = [];
  const root = { name: '', path: '', element: '' };
  compareMembers(
    found,
    root,
    copies.map((copy) => copy ?? {}),
  );
  return found;
}

function compare(found: ElementDifference[], place: Place, values: Values): void {
  if (values.every((value) => sameJson(value, values[0]))) return;
  const lists = values.map((value) => (value === undefined ? [] : value));
  if (lists.every((list) => Array.isArray(list)) && compareItems(found, place, lists)) return;
  if (values.every((value) => isJsonObject(value) && !isWhole(value))) {
    compareMembers(found, place, values as readonly JsonObject[]);
    return;
  }
  found.push({ path: place.path, element: place.element, values });
}

function compareMembers(found: ElementDifference[], place: Place, values: readonly JsonObject[]): void {
  const names = new Set(values.flatMap((value) => Object.keys(value)));
  const under = (path: string, name: string) => (path === '' ? name : `${path}.${name}`);
  for (const name of names) {
    const at = { name, path: under(place.path, name), element: under(place.element, name) };
    compare(
      found,
      at,
      values.map((value) => value[name]),
    );
  }
}

/** False when the items of a copy cannot be told apart: then the lists are shown as they are. */
function compareItems(found: ElementDifference[], place: Place, lists: readonly Json[][]): boolean {
  const sides = lists.map((list) => keyed(place.name, list));
  if (sides.some((side) => side === undefined)) return false;
  const before = found.length;
  for (const key of new Set(sides.flatMap((side) => [...(side?.keys() ?? [])]))) {
    const at = { ...place, path: `${place.path}[${shownKey(key)}]` };
    compare(
      found,
      at,
      sides.map((side) => side?.get(key)),
    );
  }
  // The same items in another order.
  return found.length > before;
}

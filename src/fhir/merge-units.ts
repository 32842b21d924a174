// Which values keep their meaning only as a whole. Half of one quantity and half of another, or the codes of two
// different answers in one concept, would say what nobody said.
import { isJsonObject, type Json, type JsonObject, sameJson } from './canonical-json.ts';
import { keyed } from './merge-keys.ts';

/** Members of Quantity, Period, Reference, CodeableConcept, Ratio and Range, by the members they may have. */
const WHOLE: readonly ReadonlySet<string>[] = [
  new Set(['id', 'extension', 'value', 'comparator', 'unit', 'system', 'code', '_value']),
  new Set(['id', 'extension', 'start', 'end', '_start', '_end']),
  new Set(['id', 'extension', 'reference', 'type', 'identifier', 'display']),
  new Set(['id', 'extension', 'coding', 'text']),
  new Set(['id', 'extension', 'numerator', 'denominator']),
  new Set(['id', 'extension', 'low', 'high']),
];

/** True when the object must be merged as one value. Identifiers and codings look like quantities and are one, too. */
export function isWhole(value: JsonObject): boolean {
  const members = Object.keys(value).filter((key) => value[key] !== undefined);
  return WHOLE.some((allowed) => members.every((member) => allowed.has(member)));
}

/**
 * A concept to which one or both sides only added codings, with all of them; undefined when the two sides mean
 * different things.
 */
export function mergeCodings(
  base: JsonObject | undefined,
  ours: JsonObject,
  theirs: JsonObject,
): JsonObject | undefined {
  const [origin, mine, other] = [codings(base ?? {}), codings(ours), codings(theirs)];
  if (!origin || !mine || !other || origin.size === 0) return undefined;
  if (!sameJson(ours.text, theirs.text) || !sameJson(ours.extension, theirs.extension)) return undefined;
  for (const [key, coding] of origin) {
    if (!sameJson(mine.get(key), coding) || !sameJson(other.get(key), coding)) return undefined;
  }
  const added = [...mine, ...other].filter(([key]) => !origin.has(key)).sort(([a], [b]) => (a < b ? -1 : 1));
  return { ...ours, coding: [...new Map([...origin, ...added]).values()] };
}

const CHOICE =
  /^_?(value|onset|abatement|effective|occurrence|timing|deceased|multipleBirth|scheduled|product|performed|due|start|detail|medication|age|born|allowed|serviced|location|asNeeded|rate|dose|reported|created)[A-Z]/;

/** `deceased` for `deceasedBoolean` and `_deceasedBoolean`; undefined for a member that is not of a choice element. */
export function choiceOf(member: string): string | undefined {
  return CHOICE.exec(member)?.[1];
}

/** The members of `value` that belong to the choice element. */
export function choiceMembers(value: JsonObject, choice: string): JsonObject {
  return Object.fromEntries(Object.entries(value).filter(([member]) => choiceOf(member) === choice));
}

function codings(concept: JsonObject): Map<string, Json> | undefined {
  const list = concept.coding;
  if (list === undefined) return new Map();
  return Array.isArray(list) && list.every((item) => isJsonObject(item)) ? keyed('coding', list) : undefined;
}

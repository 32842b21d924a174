// What tells the items of a FHIR list apart when two copies are merged: never the index. Lists whose items have no key,
// or not each its own, are taken as a whole.
import { canonicalJson, hashJson, isJsonObject, type Json, type JsonObject } from './canonical-json.ts';

/** Key per element name, for elements whose identity is not visible from their shape. */
const BY_ELEMENT: Record<string, (item: JsonObject) => string | undefined> = {
  identifier: (item) => text(item.value) && `${text(item.system) ?? ''}|${text(item.value)}`,
  coding: codingKey,
  telecom: (item) => text(item.value) && `${text(item.system) ?? ''}|${text(item.value)}`,
  name: (item) => text(item.use),
  address: (item) => `${text(item.use) ?? ''}/${text(item.type) ?? ''}`,
  communication: (item) => conceptKey(item.language),
  contact: (item) => canonicalJson([item.relationship ?? null, object(item.name)?.family ?? null]),
  link: (item) => referenceKey(item.other),
  participant: (item) => canonicalJson([conceptKey(first(item.role) ?? first(item.type)) ?? '', memberKey(item)]),
  activity: (item) => referenceKey(item.reference) ?? detailKey(object(item.detail)),
  target: (item) => conceptKey(item.measure),
  note: (item) =>
    canonicalJson([item.time ?? null, item.authorString ?? item.authorReference ?? null, item.text ?? null]),
  input: (item) => conceptKey(item.type),
  output: (item) => conceptKey(item.type),
  contained: (item) => text(item.id) && `${text(item.resourceType)}/${text(item.id)}`,
};

/**
 * The key of a list item.
 * @param element name of the list, e.g. `activity`
 * @returns undefined when the item has none
 */
function itemKey(element: string, item: Json): string | undefined {
  if (!isJsonObject(item)) return undefined;
  if (element === 'extension' || element === 'modifierExtension') return text(item.url);
  return (
    BY_ELEMENT[element]?.(item) ?? referenceKey(item) ?? conceptKey(item) ?? (text(item.id) && `#${text(item.id)}`)
  );
}

/** Key -> item in list order, or undefined when some item has no key or shares it with another. */
export function keyed(element: string, items: readonly Json[]): Map<string, Json> | undefined {
  const byKey = new Map<string, Json>();
  for (const item of items) {
    const key = itemKey(element, item);
    if (key === undefined || byKey.has(key)) return undefined;
    byKey.set(key, item);
  }
  return byKey;
}

/** A key as people see it in a path: a long one is shortened to its hash. */
export function shownKey(key: string): string {
  return key.length > 80 ? hashJson(key).slice(0, 12) : key;
}

function text(value: Json | undefined): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function object(value: Json | undefined): JsonObject | undefined {
  return isJsonObject(value) ? value : undefined;
}

function first(value: Json | undefined): Json | undefined {
  return Array.isArray(value) ? value[0] : undefined;
}

function referenceKey(value: Json | undefined): string | undefined {
  return text(object(value)?.reference);
}

function memberKey(item: JsonObject): string {
  return referenceKey(item.member) ?? referenceKey(item.individual) ?? referenceKey(item.actor) ?? '';
}

function codingKey(item: JsonObject): string | undefined {
  return text(item.code) && `${text(item.system) ?? ''}|${text(item.code)}`;
}

function conceptKey(value: Json | undefined): string | undefined {
  const concept = object(value);
  const coding = object(first(concept?.coding));
  return (coding && codingKey(coding)) ?? text(concept?.text);
}

function detailKey(detail: JsonObject | undefined): string | undefined {
  const code = conceptKey(detail?.code) ?? text(detail?.description);
  if (!detail || !code) return undefined;
  return canonicalJson([code, detail.scheduledTiming ?? detail.scheduledPeriod ?? detail.scheduledString ?? null]);
}

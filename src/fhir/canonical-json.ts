// One text for one meaning: JSON with sorted keys and without empty members, and its hash. Two bodies that differ only in
// key order or in nulls get the same text.
import { createHash } from 'node:crypto';

export type Json = string | number | boolean | null | Json[] | JsonObject;
export interface JsonObject {
  [key: string]: Json | undefined;
}

/** Canonical text. `undefined` members, nulls in objects and empty objects or lists are left out, as FHIR forbids them. */
export function canonicalJson(value: Json | undefined): string {
  return JSON.stringify(canonical(value)) ?? '';
}

/** SHA-256 of the canonical text, hex. */
export function hashJson(value: Json | undefined): string {
  return createHash('sha256').update(canonicalJson(value)).digest('hex');
}

/** True when both have the same canonical text; found without making it. */
export function sameJson(left: Json | undefined, right: Json | undefined): boolean {
  if (left === right) return true;
  if (Array.isArray(left) && Array.isArray(right)) {
    return left.length === right.length && left.every((item, index) => sameJson(item, right[index]));
  }
  if (isJsonObject(left) && isJsonObject(right)) {
    return (
      Object.keys(left).every((key) => sameJson(left[key], memberOf(right, key))) &&
      Object.keys(right).every((key) => Object.hasOwn(left, key) || isAbsent(right[key]))
    );
  }
  return isAbsent(left) && isAbsent(right);
}

const memberOf = (object: JsonObject, key: string) => (Object.hasOwn(object, key) ? object[key] : undefined);

/** Whether the canonical text leaves it out. */
function isAbsent(value: Json | undefined): boolean {
  if (value === undefined || value === null) return true;
  if (Array.isArray(value)) return value.length === 0;
  return typeof value === 'object' && Object.values(value).every(isAbsent);
}

export function isJsonObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function canonical(value: Json | undefined): Json | undefined {
  if (Array.isArray(value)) {
    // A null inside a list is a place holder beside its `_element` twin and keeps its position.
    const items = value.map((item) => canonical(item) ?? null);
    return items.length > 0 ? items : undefined;
  }
  if (!isJsonObject(value)) return value ?? undefined;
  const out: JsonObject = {};
  let members = 0;
  for (const key of Object.keys(value).sort()) {
    const member = canonical(value[key]);
    if (member === undefined) continue;
    out[key] = member;
    members += 1;
  }
  return members > 0 ? out : undefined;
}

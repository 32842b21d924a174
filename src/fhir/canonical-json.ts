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

/** True when both have the same canonical text. */
export function sameJson(left: Json | undefined, right: Json | undefined): boolean {
  return left === right || canonicalJson(left) === canonicalJson(right);
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

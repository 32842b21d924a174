// Bodies as sync compares and merges them: plain JSON without what belongs to one server only.
import type { Resource } from '@medplum/fhirtypes';
import { isJsonObject, type Json, type JsonObject } from '../fhir/canonical-json.ts';
import { parseExact } from '../fhir/exact-json.ts';

export { isFhirId } from '../fhir/request-url.ts';

/** Narratives that only repeat the data, and are wrong once the data was merged. */
const GENERATED = new Set<Json | undefined>(['generated', 'extensions', 'empty']);

/** A stored or received text as JSON. */
export function parseBody(text: string): JsonObject {
  return parseExact<JsonObject>(text);
}

/** The same value, typed as JSON: a FHIR resource is nothing else. */
export function jsonOf(resource: Resource): JsonObject {
  return resource as unknown as JsonObject;
}

/** The same value, typed as a resource. The store validates it before it becomes one. */
export function resourceOf(body: JsonObject): Resource & { id: string } {
  return body as unknown as Resource & { id: string };
}

/** Without id, server-managed meta and generated narrative. Tags and security labels travel, claims of profiles do not. */
export function comparable(body: JsonObject): JsonObject {
  const { id: _id, meta, text, ...rest } = body;
  const labels: JsonObject = {};
  if (isJsonObject(meta) && meta.security) labels.security = meta.security;
  if (isJsonObject(meta) && meta.tag) labels.tag = meta.tag;
  return {
    ...rest,
    ...(Object.keys(labels).length > 0 ? { meta: labels } : {}),
    ...(isJsonObject(text) && !GENERATED.has(text.status) ? { text } : {}),
  };
}

/** A comparable body as a resource of one server: its id, and the profiles that its own copy claims. */
export function dressed(body: JsonObject, id: string, own: JsonObject | undefined): JsonObject {
  const { meta, ...rest } = body;
  const profile = isJsonObject(own?.meta) ? own.meta.profile : undefined;
  const whole: JsonObject = { ...(isJsonObject(meta) ? meta : {}), ...(profile ? { profile } : {}) };
  return { ...rest, id, ...(Object.keys(whole).length > 0 ? { meta: whole } : {}) };
}

/** `meta.lastUpdated`; undefined when there is none that could be read. */
export function updatedOf({ meta }: JsonObject): Temporal.Instant | undefined {
  const text = isJsonObject(meta) ? meta.lastUpdated : undefined;
  try {
    return typeof text === 'string' ? Temporal.Instant.from(text) : undefined;
  } catch {
    return undefined;
  }
}

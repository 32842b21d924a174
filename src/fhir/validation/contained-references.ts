// Contained resources: each has an id of its own, and is referred to (dom-3; as FHIRPath that goes through the resource six
// times for each of them, here once).
// https://hl7.org/fhir/R4/references.html#contained
import { report, type Visit } from './visit.ts';

/** Adds what is wrong with the ids that local references go by. */
export function checkContainedIds(visit: Visit): void {
  const { contained } = visit.resource as { contained?: readonly { readonly id?: unknown }[] };
  const ids = new Set<unknown>();
  for (const [index, { id }] of contained?.entries() ?? []) {
    const pointer = `/contained/${index}/id`;
    if (id === undefined) report(visit, 'error', 'required', 'A contained resource must have an id.', pointer);
    else if (ids.has(id)) report(visit, 'error', 'value', 'Another contained resource has the same id.', pointer);
    ids.add(id);
  }
}

/** True when every contained resource is meant by some `reference`; false when that remains to be seen. */
export function allReferred(resource: unknown): boolean {
  const { contained } = resource as { contained?: unknown };
  if (!Array.isArray(contained)) return true;
  const open = new Set(contained.map((one) => `#${(one as { id?: unknown } | null)?.id}`));
  removeReferred(resource, open);
  return open.size === 0;
}

function removeReferred(value: unknown, open: Set<string>): void {
  if (typeof value !== 'object' || value === null || open.size === 0) return;
  for (const key in value) {
    const child = (value as Record<string, unknown>)[key];
    if (key === 'reference' && typeof child === 'string') open.delete(child);
    else if (typeof child === 'object') removeReferred(child, open);
  }
}

// What a patch may not change: what makes the resource the resource it is, and what the server says about it.
// https://hl7.org/fhir/R4/http.html#patch
import { Fault } from '../../fault.ts';

const PROTECTED = new Set(['resourceType', 'id', 'meta/versionId', 'meta/lastUpdated']);

/** @param path names from the root of the resource. @throws Fault unprocessable */
export function refuseProtected(path: readonly string[], expression: string): void {
  if (PROTECTED.has(path.join('/'))) throw isProtected(path.join('.'), expression);
}

interface Stamped {
  readonly resourceType: string;
  readonly id?: string;
  readonly meta?: { readonly versionId?: string; readonly lastUpdated?: string };
}

/** What `checkKept` must find again, taken before the patch is applied. */
export function protectedOf({ resourceType, id, meta }: Stamped): Stamped {
  return { resourceType, id, meta: { ...meta } } as Stamped;
}

/**
 * A patch of a whole `meta` or of another element that leads there may leave the server's own part out, not change it.
 * @throws Fault unprocessable
 */
export function checkKept(before: Stamped, after: Stamped): void {
  if (after.resourceType !== before.resourceType) throw isProtected('resourceType', 'resourceType');
  if (after.id !== before.id) throw isProtected('id', 'id');
  for (const name of ['versionId', 'lastUpdated'] as const) {
    const value = after.meta?.[name];
    if (value !== undefined && value !== before.meta?.[name]) throw isProtected(`meta.${name}`, `meta.${name}`);
  }
}

function isProtected(what: string, expression: string): Fault {
  return new Fault('unprocessable', `A patch cannot change ${what}.`, { expression, code: 'business-rule' });
}

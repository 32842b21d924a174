// What a server refers to may have been deleted here. The store takes no new reference to what is not there, so such a one
// stays the URL of the server, as if the target had never been known; compared, it still means the same.

import type { JsonObject } from '../fhir/canonical-json.ts';
import { collectReferences, parseLiteral } from '../fhir/references.ts';
import { resourceOf } from './body.ts';
import type { MappedContext } from './context.ts';
import { readLinkMap } from './identity.ts';
import { mapReferences } from './mapping.ts';

/**
 * @param body to be written here, in local terms
 * @param own our copy as it is; what it refers to already it may go on referring to
 */
export async function withoutLost<T extends JsonObject>(
  { store, connection, mapping }: MappedContext,
  body: T,
  own: JsonObject | undefined,
): Promise<T> {
  const known = new Set(own ? collectReferences(resourceOf(own)) : []);
  const lost: { type: string; id: string }[] = [];
  for (const reference of new Set(collectReferences(resourceOf(body)))) {
    const target = known.has(reference) ? undefined : parseLiteral(reference);
    if (target && (await store.read(target.type, target.id))?.operation === 'delete') lost.push(target);
  }
  if (lost.length === 0) return body;
  const map = await readLinkMap(store, connection.name, lost, []);
  return mapReferences(body, (reference) => {
    const target = typeof reference.reference === 'string' ? parseLiteral(reference.reference) : undefined;
    const isLost = target && lost.some(({ type, id }) => type === target.type && id === target.id);
    const remoteId = isLost ? map.remoteOf(target.type, target.id) : undefined;
    return remoteId === undefined
      ? reference
      : { ...reference, reference: `${mapping.remoteBase}/${target?.type}/${remoteId}` };
  }) as T;
}

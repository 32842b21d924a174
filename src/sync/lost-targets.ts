// What a server refers to may have been deleted here. The store takes no new reference to what is not there, so such a one
// stays the URL of the server, as if the target had never been known; compared, it still means the same.

import type { JsonObject } from '../fhir/canonical-json.ts';
import { collectReferences, parseLiteral } from '../fhir/references.ts';
import { resourceOf } from './body.ts';
import type { MappedContext } from './context.ts';
import { hasEnded, letGoFirst } from './identity-row.ts';
import { readLinkMap } from './link-map.ts';
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
  const urls = new Map<string, string>();
  for (const { type, id } of lost) {
    const remoteId = map.remoteOf(type, id) ?? (await formerOf(store, connection.name, type, id));
    if (remoteId !== undefined) urls.set(`${type}/${id}`, `${mapping.remoteBase}/${type}/${remoteId}`);
  }
  return mapReferences(body, (reference) => {
    const target = typeof reference.reference === 'string' ? parseLiteral(reference.reference) : undefined;
    const url = target && urls.get(`${target.type}/${target.id}`);
    return url === undefined ? reference : { ...reference, reference: url };
  }) as T;
}

/** Of a counterpart that was let go, else of one for which another stands: references to it still mean ours. */
async function formerOf(
  store: MappedContext['store'],
  connection: string,
  type: string,
  localId: string,
): Promise<string | undefined> {
  const sql = `SELECT remote_id FROM identity WHERE connection = ? AND type = ? AND local_id = ? AND ${hasEnded()}
    ORDER BY ${letGoFirst()}, at DESC LIMIT 1`;
  const [row] = await store.query(sql, [connection, type, localId]);
  return typeof row?.remote_id === 'string' ? row.remote_id : undefined;
}

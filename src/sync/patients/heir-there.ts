// Whose record there stands for one of ours who was merged away here. Of several who were merged one into the next the server may
// have merged the records in the opposite direction, so it is the last of them whose record counts.
// docs/patient-matching.md#merges-there
import { isJsonObject, type JsonObject } from '../../fhir/canonical-json.ts';
import { replacedBy } from '../../fhir/patient-merge.ts';
import type { Store } from '../../store/store.ts';
import { type Link, readLink } from '../identity.ts';
import { followByLocal, readAliasOf } from './alias.ts';
import { standingFor } from './in-use.ts';

interface HeirThere {
  readonly localId: string;
  /** Their own record. */
  readonly link: Link | undefined;
  /** The record that stands there for the one that they had. */
  readonly standing: string | undefined;
}

/**
 * The last of those who stand for one here of whom the server has, or had, a record.
 * @param body what the one says
 */
export async function heirThere(
  store: Pick<Store, 'read' | 'query'>,
  connection: string,
  id: string,
  body: JsonObject,
): Promise<HeirThere | undefined> {
  for (const localId of (await standingFor(store, id, body)).toReversed()) {
    const link = await readLink(store, connection, 'Patient', localId);
    if (link) return { localId, link, standing: undefined };
    if (!(await readAliasOf(store, connection, 'Patient', localId))) continue;
    const standing = (await followByLocal(store, connection, [localId])).get(localId);
    return { localId, link, standing };
  }
  return undefined;
}

/**
 * Bodies of one patient in local terms, which say that it was replaced by the last one who has a record there, not by somebody on
 * the way: for that one's record the server may have the very record that says so.
 */
export async function replacedByHeirs<const T extends readonly (JsonObject | undefined)[]>(
  store: Pick<Store, 'read' | 'query'>,
  { connection, localId }: Pick<Link, 'connection' | 'localId'>,
  bodies: T,
): Promise<T> {
  const named = async (body: JsonObject | undefined) => {
    const reference = body?.resourceType === 'Patient' ? replacedBy(body) : undefined;
    if (!body || reference === undefined) return body;
    const heir = await heirThere(store, connection, localId, body);
    if (!heir || reference === `Patient/${heir.localId}` || !Array.isArray(body.link)) return body;
    const link = body.link.map((one) =>
      isJsonObject(one) && one.type === 'replaced-by' && isJsonObject(one.other)
        ? { ...one, other: { ...one.other, reference: `Patient/${heir.localId}` } }
        : one,
    );
    return { ...body, link };
  };
  return (await Promise.all(bodies.map(named))) as unknown as T;
}

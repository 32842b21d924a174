// A record there may stand for two of ours, or for nobody: the server merges records, or takes that back, and nobody here has said yet
// who is who. The common version says the same on both sides, so it tells whom the record meant in it.
// docs/patient-matching.md#merges-there
import type { JsonObject } from '../../fhir/canonical-json.ts';
import { collectReferences } from '../../fhir/references.ts';
import { resourceOf } from '../body.ts';
import type { MappedContext } from '../context.ts';
import { type Link, places } from '../identity.ts';
import { type LinkMap, toLocalTerms } from '../mapping.ts';
import { inPresentTerms } from '../present-terms.ts';
import { idOfPatient } from './held.ts';
import { inUseAmong } from './in-use.ts';

/** A patient's record that the common version names. */
interface Theirs {
  readonly id: string;
  /** Who that is by now. */
  readonly localId: string | undefined;
}

/**
 * Whom records meant in the common version of a link, by their ids there, where they mean somebody else by now, or nobody.
 * @param map who they are by now
 */
export async function namedThen(
  context: MappedContext,
  map: LinkMap,
  { baseLocal, baseRemote }: Partial<Pick<Link, 'baseLocal' | 'baseRemote'>>,
): Promise<ReadonlyMap<string, string>> {
  const meant = new Map<string, string>();
  // What patients' records say of each other is about the records.
  if (!baseLocal || !baseRemote || baseLocal.resourceType === 'Patient') return meant;
  const { mapping } = context;
  const kept = patientsIn(baseLocal);
  const ids = new Set(patientsIn(baseRemote).flatMap((one) => idOfPatient(one, mapping.remoteBase) ?? []));
  // Of others nobody here had the record when it came.
  const known = [...ids].filter((id) => !kept.includes(`${mapping.remoteBase}/Patient/${id}`));
  const theirs = known.map((id): Theirs => ({ id, localId: map.localOf('Patient', id) }));
  const isIn = (ids: readonly string[]) => (one: Theirs) => one.localId !== undefined && ids.includes(one.localId);
  // Nearly always both sides name the same, and nothing has to be asked of the store.
  if (theirs.every(isIn(idsIn(baseLocal)))) return meant;
  const there = toLocalTerms(mapping, map, baseRemote).body;
  const [common, read] = await inPresentTerms(context, [baseLocal, there] as const, map);
  const ours = idsIn(common);
  // Whom it names by our identifier is meant by no other name.
  const named = idsIn(read);
  const others = theirs.filter((one) => !isIn(ours)(one)).map(({ id }) => id);
  const open = ours.filter((one) => !named.includes(one));
  if (others.length > 1) for (const [id, localId] of await everMeant(context, others, open)) meant.set(id, localId);
  const [other, second] = others.filter((id) => !meant.has(id));
  const [last, another] = open.filter((one) => ![...meant.values()].includes(one));
  if (other !== undefined && second === undefined && last !== undefined && another === undefined)
    meant.set(other, last);
  return meant;
}

/** The map with those. */
export function asMeant(map: LinkMap, meant: ReadonlyMap<string, string>): LinkMap {
  if (meant.size === 0) return map;
  const unknown = [...meant].filter(([id]) => map.localOf('Patient', id) === undefined);
  const records = new Map(unknown.map(([id, localId]) => [localId, id]));
  return {
    ...map,
    localOf: (type, id) => (type === 'Patient' ? meant.get(id) : undefined) ?? map.localOf(type, id),
    // What nobody has by now stays as it is there.
    remoteOf: (type, id) => (type === 'Patient' ? records.get(id) : undefined) ?? map.remoteOf(type, id),
  };
}

/** Of some records the one of ours, among some, whom each was ever linked with. */
async function everMeant(
  { store, connection }: MappedContext,
  remoteIds: readonly string[],
  among: readonly string[],
): Promise<Map<string, string>> {
  const sql = `SELECT DISTINCT local_id, remote_id FROM identity WHERE connection = ? AND type = 'Patient'
    AND local_id <> '' AND remote_id IN (${places(remoteIds)})`;
  const rows = await store.query(sql, [connection.name, ...remoteIds]);
  const standing = await inUseAmong(store, [...new Set(rows.map(({ local_id }) => String(local_id)))]);
  const meant = new Map<string, string>();
  for (const id of remoteIds) {
    const known = rows.filter(({ remote_id }) => remote_id === id).map(({ local_id }) => String(local_id));
    const [one, another] = new Set(
      known.map((localId) => standing.get(localId) ?? localId).filter((localId) => among.includes(localId)),
    );
    if (one !== undefined && another === undefined) meant.set(id, one);
  }
  return meant;
}

/** `Patient/id`, or a URL that ends so, of everybody whom a body names, each once. */
function patientsIn(body: JsonObject): string[] {
  const names = collectReferences(resourceOf(body)).map(
    (one) => /^(?:.*\/)?Patient\/[^/]+(?=$|\/_history\/)/.exec(one)?.[0],
  );
  return [...new Set(names)].filter((name) => name !== undefined);
}

function idsIn(local: JsonObject): string[] {
  return patientsIn(local).flatMap((reference) => /^Patient\/([^/]+)/.exec(reference)?.[1] ?? []);
}

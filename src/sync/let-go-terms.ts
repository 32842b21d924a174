// What ids mean whose records are gone there and were let go. Who goes on naming them has changed nothing and means ours, but
// a server that was restored may give its ids out again. docs/sync-spec.md#I8 docs/sync-spec.md#I21
import type { JsonObject } from '../fhir/canonical-json.ts';
import { collectReferences, parseLiteral } from '../fhir/references.ts';
import type { FhirClient } from '../remote/fhir-client.ts';
import { jsonOf, resourceOf } from './body.ts';
import type { MappedContext } from './context.ts';
import { hadContent, type Link, readFormerLinks, remoteHash } from './identity.ts';
import { type LinkMap, ownIdentifierOf, remoteTargets } from './mapping.ts';

/**
 * The same map, in which what was let go still means ours, where the common version names it as that on both sides. Anything
 * else that a server names is never read like this.
 */
export async function withLetGo(context: MappedContext, map: LinkMap, link: Link): Promise<LinkMap> {
  return alsoMeaning(map, await formerOfCommon(context, map, link));
}

/**
 * The maps to read the common version with and what the server has now. A copy that it had before is read as it was then.
 * Patients that both name and that were let go are asked for: one that is there again is somebody else, unless the record
 * itself says that it is ours.
 * @param client undefined when the server cannot be asked
 */
export async function mapsOfCopies(
  context: MappedContext,
  map: LinkMap,
  link: Link | undefined,
  now: JsonObject,
  client: Pick<FhirClient, 'read'> | undefined,
): Promise<{ readonly base: LinkMap; readonly now: LinkMap }> {
  if (!link?.baseRemote) return { base: map, now: map };
  const former = await formerOfCommon(context, map, link);
  const base = alsoMeaning(map, former);
  if (remoteHash(link.baseRemote) === remoteHash(now)) return { base, now: base };
  const named = lostAmong(context, map, now);
  if (named.length === 0) return { base, now: map };
  if (await hadContent(context.store, link, now))
    return { base, now: alsoMeaning(map, await readFormer(context, named)) };
  const ours: Link[] = [];
  for (const one of former) {
    const isPatient = one.type === 'Patient' && named.some(({ type, id }) => type === one.type && id === one.remoteId);
    if (!isPatient || !client || !(await isAnothers(context, one, client))) ours.push(one);
  }
  return { base, now: alsoMeaning(map, ours) };
}

/** What the common version names that was let go. */
async function formerOfCommon(
  context: MappedContext,
  map: LinkMap,
  { baseLocal, baseRemote }: Link,
): Promise<readonly Link[]> {
  const lost = baseRemote ? lostAmong(context, map, baseRemote) : [];
  if (lost.length === 0) return [];
  const former = await readFormer(context, lost);
  if (!baseLocal) return former;
  const ours = collectReferences(resourceOf(baseLocal)).map(parseLiteral);
  return former.filter(({ type, localId }) => ours.some((named) => named?.type === type && named.id === localId));
}

type Target = ReturnType<typeof remoteTargets>[number];

/** What a body of the remote names that is not linked. */
function lostAmong({ mapping }: MappedContext, map: LinkMap, body: JsonObject): Target[] {
  return remoteTargets(mapping, body).filter(({ type, id }) => map.localOf(type, id) === undefined);
}

async function readFormer({ store, connection }: MappedContext, targets: readonly Target[]): Promise<Link[]> {
  const links: Link[] = [];
  for (const type of new Set(targets.map((target) => target.type))) {
    const ids = targets.filter((target) => target.type === type).map(({ id }) => id);
    links.push(...(await readFormerLinks(store, connection.name, type, ids)).values());
  }
  return links;
}

function alsoMeaning(map: LinkMap, former: readonly Link[]): LinkMap {
  if (former.length === 0) return map;
  const ours = new Map(former.map(({ type, remoteId, localId }) => [`${type}/${remoteId}`, localId]));
  return {
    remoteOf: (type, id) => map.remoteOf(type, id),
    localOf: (type, id) => map.localOf(type, id) ?? ours.get(`${type}/${id}`),
  };
}

/** Also when the server does not say: a person is asked then. */
async function isAnothers({ mapping }: MappedContext, link: Link, client: Pick<FhirClient, 'read'>): Promise<boolean> {
  const reply = await client.read(link.type, link.remoteId);
  if (!reply.ok) return reply.failure.status !== 404 && reply.failure.status !== 410;
  if (!reply.value.body) return true;
  const body = jsonOf(reply.value.body);
  return ownIdentifierOf(mapping, body) !== link.localId && remoteHash(body) !== link.remoteHash;
}

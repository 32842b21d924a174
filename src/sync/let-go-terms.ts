// What ids mean whose records are gone there and were let go. Who goes on naming them has changed nothing and means ours, but
// a server that was restored may give its ids out again. docs/sync-spec.md#I8 docs/sync-spec.md#I21

import type { JsonObject } from '../fhir/canonical-json.ts';
import { saysAbsent, saysNotOffered } from '../remote/absence.ts';
import type { FhirClient } from '../remote/fhir-client.ts';
import { type RemoteFailure, success } from '../remote/result.ts';
import { answersOtherwise } from './answers-otherwise.ts';
import { jsonOf } from './body.ts';
import type { MappedContext } from './context.ts';
import { hadContent, type Link, readFormerOf, readLink, remoteHash } from './identity.ts';
import { type LinkMap, ownIdentifierOf, remoteTargets, urlTargets } from './mapping.ts';
import { idOfPatient } from './patients/held.ts';
import { knownOthers } from './patients/identity-question.ts';
import { asMeant, namedThen } from './patients/named-then.ts';
import { patientsOf } from './patients/patient-reference.ts';

/** Who has an id by now whose record was let go. */
type Holder = 'nobody' | 'ours' | 'another';

/** The server does not show who has an id; `isAlone` when it answers otherwise, so that it is about that record only. */
interface Unanswered {
  readonly ok: false;
  readonly failure: RemoteFailure;
  readonly isAlone: boolean;
}

type Answer = { readonly ok: true; readonly value: Holder } | Unanswered;

type Asked = Pick<FhirClient, 'read' | 'capability'>;

/** What some bodies name that was let go. */
export interface LetGo {
  readonly links: readonly Link[];
  /** Asked once for each. */
  readonly holderOf: (link: Link) => Promise<Answer>;
}

/**
 * @param bodies of the remote
 * @param client undefined when the server cannot be asked: then nobody has an id
 */
export async function readLetGo(
  context: MappedContext,
  map: LinkMap,
  bodies: readonly JsonObject[],
  client?: Asked,
): Promise<LetGo> {
  const { store, connection, mapping } = context;
  const named = bodies.flatMap((body) => remoteTargets(mapping, body));
  const lost = named.filter(({ type, id }) => map.localOf(type, id) === undefined);
  const answers = new Map<string, Promise<Answer>>();
  return {
    links: await readFormerOf(store, connection.name, lost),
    holderOf: (link) => {
      const key = `${link.type}/${link.remoteId}`;
      const nobody = success('nobody' as const);
      const answer = answers.get(key) ?? (client ? askHolder(context, link, client) : Promise.resolve(nobody));
      answers.set(key, answer);
      return answer;
    },
  };
}

/**
 * The map to read the common version of a link with: it means whom it meant then. What was let go means ours there, unless it was
 * unknown already.
 */
export async function ofThen(context: MappedContext, map: LinkMap, link: Link, { links }: LetGo): Promise<LinkMap> {
  const known = alsoMeaning(map, ofCommon(context.mapping, link, links));
  return asMeant(known, await namedThen(context, known, link));
}

interface MapsOfCopies {
  readonly base: LinkMap;
  readonly now: LinkMap;
}

type KnownMaps =
  | { readonly ok: true; readonly value: MapsOfCopies }
  | (Unanswered & { readonly about: { readonly type: string; readonly id: string } });

/**
 * The maps to read two copies with that the server has had of one resource: the common version, and what it has now.
 * What both name, or a copy that it had before, means what it meant then; except for whom the resource is about, when somebody
 * else has the id by now. What is newly named means ours while nothing else has the id; a patient who is newly named does not.
 * @param now what the server has now
 */
export async function mapsOfCopies(
  context: MappedContext,
  links: LinkMap,
  link: Link | undefined,
  now: JsonObject,
  letGo: LetGo,
): Promise<KnownMaps> {
  const { store, mapping } = context;
  const common = link ? ofCommon(mapping, link, letGo.links) : [];
  const known = alsoMeaning(links, common);
  const meant = link ? await namedThen(context, known, link) : new Map<string, string>();
  const base = asMeant(known, meant);
  // Of whom nobody knows any more who that is, it is asked first.
  const isKnownNow = ([id]: readonly [string, string]) => links.localOf('Patient', id) !== undefined;
  const map = asMeant(links, new Map([...meant].filter(isKnownNow)));
  const named = namedIn(mapping, now, letGo.links);
  const isSame = link?.baseRemote !== undefined && remoteHash(link.baseRemote) === remoteHash(now);
  if (named.length === 0 || isSame) return success({ base, now: isSame ? base : map });
  const isNews = named.some((one) => !common.includes(one));
  const isOld = link !== undefined && isNews && (await hadContent(store, link, now));
  const patients = patientsOf(now).map((patient) => idOfPatient(patient, mapping.remoteBase));
  const ours: Link[] = [];
  for (const one of named) {
    const isPatient = one.type === 'Patient';
    const isKnown = isOld || common.includes(one);
    if (isPatient && !isKnown) continue;
    const isDoubted = isPatient ? patients.includes(one.remoteId) : !isKnown;
    const holder = isDoubted ? await letGo.holderOf(one) : success('ours' as const);
    if (!holder.ok) {
      const message = `The server does not show who ${one.type}/${one.remoteId} is by now. ${holder.failure.message}`;
      return { ...holder, failure: { ...holder.failure, message }, about: { type: one.type, id: one.remoteId } };
    }
    if (holder.value === 'nobody' || (isKnown && holder.value === 'ours')) ours.push(one);
  }
  return success({ base, now: alsoMeaning(map, ours) });
}

/**
 * Whether a body of the remote still names one that was let go and is gone, though ours has another record there by now. Where it is
 * back, a person says what it means.
 */
export async function namesFormer(
  { store, mapping }: MappedContext,
  { now }: MapsOfCopies,
  body: JsonObject,
  { links, holderOf }: LetGo,
): Promise<boolean> {
  for (const one of namedIn(mapping, body, links)) {
    const { connection, type, localId, remoteId } = one;
    if (now.localOf(type, remoteId) !== localId || !(await readLink(store, connection, type, localId))) continue;
    const holder = await holderOf(one);
    if (holder.ok && holder.value === 'nobody') return true;
  }
  return false;
}

/** What the common version names on both sides; a name that was unknown when it came is a URL on ours. */
function ofCommon(
  mapping: MappedContext['mapping'],
  { baseLocal, baseRemote }: Link,
  links: readonly Link[],
): readonly Link[] {
  if (!baseRemote || links.length === 0) return [];
  const unknown = urlTargets(mapping, baseLocal ?? {});
  return namedIn(mapping, baseRemote, links).filter(
    ({ type, remoteId }) => !unknown.some((target) => target.type === type && target.id === remoteId),
  );
}

function namedIn(mapping: MappedContext['mapping'], remote: JsonObject, links: readonly Link[]): Link[] {
  if (links.length === 0) return [];
  const named = remoteTargets(mapping, remote);
  return links.filter(({ type, remoteId }) => named.some((target) => target.type === type && target.id === remoteId));
}

function alsoMeaning(map: LinkMap, former: readonly Link[]): LinkMap {
  if (former.length === 0) return map;
  const ours = new Map(former.map(({ type, remoteId, localId }) => [`${type}/${remoteId}`, localId]));
  return {
    remoteOf: (type, id) => map.remoteOf(type, id),
    localOf: (type, id) => map.localOf(type, id) ?? ours.get(`${type}/${id}`),
    remoteRecordOf: (type, id) => (map.remoteRecordOf ?? map.remoteOf)(type, id),
    localRecordOf: (type, id) => (map.localRecordOf ?? map.localOf)(type, id) ?? ours.get(`${type}/${id}`),
  };
}

/** A record that says itself that it is ours, or what it said when it was, is no other one, unless a person said so. */
async function askHolder({ store, mapping }: MappedContext, link: Link, client: Asked): Promise<Answer> {
  const reply = await client.read(link.type, link.remoteId);
  if (!reply.ok) {
    const { class: failed } = reply.failure;
    if (saysAbsent(reply.failure)) return success('nobody');
    // It says nothing about the record.
    if (saysNotOffered(reply.failure)) return { ...reply, isAlone: true };
    if (failed === 'permanent') return success('another');
    return { ...reply, isAlone: failed !== 'auth' && (await answersOtherwise(client)) };
  }
  const others = await knownOthers(store, link.connection, link.type, link.remoteId);
  if (!reply.value.body || others.has(link.localId)) return success('another');
  const body = jsonOf(reply.value.body);
  const isOurs = ownIdentifierOf(mapping, body) === link.localId || remoteHash(body) === link.remoteHash;
  return success(isOurs || (await hadContent(store, link, body)) ? 'ours' : 'another');
}

// Creates a resource on a remote at most once: with our identifier, conditionally where the server can, and after an
// attempt with unknown effect only when it was looked for and is not there. docs/sync-spec.md#I12
import type { JsonObject } from '../../fhir/canonical-json.ts';
import { collectReferences, parseLiteral } from '../../fhir/references.ts';
import type { FhirReply } from '../../remote/fhir-reply.ts';
import type { Result } from '../../remote/result.ts';
import type { StoredVersion } from '../../store/store.ts';
import type { ProbeResult } from '../alerts/meter.ts';
import { comparable, dressed, isFhirId, jsonOf, parseBody, resourceOf } from '../body.ts';
import { type MappedContext, type RunContext, realNow } from '../context.ts';
import { type Link, readLinksByRemote, remoteHash, replaceLink, saveLink } from '../identity.ts';
import { againIfLetGo, markStillReferring, meansAnother, nowMeans } from '../let-go.ts';
import { readLinkMap } from '../link-map.ts';
import { carriesIdentifier, ownIdentifierOf, remoteTargets, toLocalTerms, toRemoteTerms } from '../mapping.ts';
import { askWho, dropQuestion, hasNamesake, knownOthers } from '../patients/identity-question.ts';
import { isAnothers } from '../pull/given-out-again.ts';
import { FIRST_VERSION } from '../pull/version-age.ts';
import { unlinkedTargets } from './dependencies.ts';
import { type Claim, mayHaveBeenMade, underClaim, withdrawDue } from './outbox.ts';
import { findTwin } from './push-match.ts';
import { isLater, readBack } from './read-back.ts';
import { end, endFailed, endGivenOutAgain, type PushResult } from './settle-push.ts';
import { isAboutType } from './without-door.ts';

/** How a create is kept from happening twice. */
export type CreateMode = 'if-none-exist' | 'own-id' | 'plain';

export async function pushCreate(context: RunContext, claimed: Claim, stored: StoredVersion): Promise<PushResult> {
  let claim = claimed;
  const { type, localId } = claim;
  if (claim.faultClass === 'ambiguous' || (await mayHaveBeenMade(context.store, claim))) {
    const looked = await lookForEarlier(context, claim, stored);
    if (looked !== 'absent') return looked;
    // What was found out holds for the attempts so far; the next one is looked for anew.
    claim = { ...claim, faultClass: undefined, probedAt: undefined };
  }
  const twin = await findTwin(context, claim, stored);
  if (twin) return twin;
  const body = await createBody(context, stored);
  const query = identifierQuery(context, localId);
  const mode = await safeMode(context, type, localId);
  const { client } = context;
  const reply =
    mode === 'own-id'
      ? await client.update(resourceOf({ ...body, id: localId }), underClaim(claim))
      : await client.create(resourceOf(body), {
          ...underClaim(claim),
          ...(mode === 'plain' ? {} : { ifNoneExist: query }),
        });
  if (!reply.ok) return endFailed(context, claim, reply.failure, reply.failure.class === 'ambiguous');
  return settleCreated(context, claim, stored, reply.value);
}

/** The body of a create; targets that are not there yet are logical references. */
export async function createBody(
  context: MappedContext,
  stored: Pick<StoredVersion, 'id' | 'content'>,
): Promise<JsonObject> {
  const local = comparable(parseBody(stored.content));
  const targets = collectReferences(resourceOf(local)).map(parseLiteral);
  const known = targets.filter((target) => target !== undefined);
  const map = await readLinkMap(context.store, context.connection.name, known, []);
  const { id: _none, ...body } = dressed(toRemoteTerms(context.mapping, map, local, stored.id).body, '', undefined);
  return body;
}

export function createMode({ capability }: RunContext, type: string, localId: string): CreateMode {
  if (capability.conditionalCreate(type) && carriesIdentifier(type)) return 'if-none-exist';
  return capability.updateCreate(type) && isFhirId(localId) ? 'own-id' : 'plain';
}

/** The same for a create that is to be sent now. */
export async function safeMode(context: RunContext, type: string, localId: string): Promise<CreateMode> {
  const mode = createMode(context, type, localId);
  const isPassedOver =
    mode === 'if-none-exist' && (await hasNamesake(context.store, context.connection.name, type, localId));
  // The server would find the record that is not ours by a person's word, for it carries our identifier.
  return isPassedOver ? 'plain' : mode;
}

export function identifierQuery({ mapping }: RunContext, localId: string): string {
  return `identifier=${encodeURIComponent(`${mapping.ownSystem}|${localId}`)}`;
}

/** Links a created resource. A server that returned no body is asked for it. */
export async function settleCreated(
  context: RunContext,
  claim: Claim,
  stored: StoredVersion,
  reply: FhirReply,
): Promise<PushResult> {
  const { type } = claim;
  const { id } = reply;
  if (!isFhirId(id)) {
    return endFailed(context, claim, { class: 'ambiguous', message: 'The server did not say which id it gave.' }, true);
  }
  const whole = reply.body?.resourceType === type ? reply : await readBack(context, type, id);
  if (!whole) {
    return endFailed(context, claim, { class: 'ambiguous', message: 'The created resource cannot be read.' }, true, id);
  }
  // 200 to a conditional create: it was there already, perhaps with another content; or somebody has edited it since.
  const isOther = reply.status === 200 || (whole !== reply && isLater(whole, reply));
  return adopt(context, claim, stored, { ...whole, id }, isOther ? 'again' : 'done');
}

/**
 * Writes the link to a remote resource that is ours.
 * @param event `again` when its content was not made by this attempt and must be compared
 */
async function adopt(
  context: RunContext,
  claim: Claim,
  stored: StoredVersion,
  reply: FhirReply & { readonly id: string },
  event: 'done' | 'again',
): Promise<PushResult> {
  const { store, connection, mapping } = context;
  const { type, localId } = claim;
  const body = reply.body ? jsonOf(reply.body) : {};
  const [other] = (await readLinksByRemote(store, connection.name, type, [reply.id])).values();
  if (other && other.localId !== localId) {
    // What says that it is ours was made under the id of something that was there before. Else the server has just shown that one.
    const isOurs = ownIdentifierOf(mapping, body) === localId || (event === 'done' && !carriesIdentifier(type));
    const isGivenOutAgain = isOurs && (event === 'done' || (await isAnothers(context, other, body, false)));
    if (!isGivenOutAgain) return park(context, claim, stored, body, reply.id);
    if (other.state !== 'tombstone') return endGivenOutAgain(context, { ...claim, faultClass: 'ambiguous' }, other);
  }
  const map = await readLinkMap(store, connection.name, [], remoteTargets(mapping, body));
  const baseLocal = event === 'done' ? comparable(parseBody(stored.content)) : toLocalTerms(mapping, map, body).body;
  // Somebody may have edited what an earlier attempt made: then nobody knows the common version, and both are merged.
  const common =
    event === 'done' || reply.versionId === FIRST_VERSION
      ? { remoteVersion: reply.versionId, remoteHash: remoteHash(body), baseLocal, baseRemote: body }
      : { remoteVersion: undefined, remoteHash: undefined, baseLocal: undefined, baseRemote: undefined };
  const link: Link = {
    connection: connection.name,
    type,
    localId,
    remoteId: reply.id,
    baseVersion: stored.versionId,
    ...common,
    state: 'linked',
    how: 'created-by-us',
  };
  // A reference that could only be logical because its target comes later is made literal by another round.
  const later = event === 'done' && (await unlinkedTargets(context, { type, id: localId })).length > 0;
  const now = realNow(context);
  // A restored server gives its ids out again.
  const ended = other && other.localId !== localId ? other : undefined;
  const shifted = [
    ...(await nowMeans(store, link, now)),
    ...(ended ? await meansAnother(store, { ...ended, isAlias: false, before: [] }, localId, now) : []),
  ];
  const referring = await markStillReferring(store, connection.name, { type, id: localId }, now);
  const written = await end(context, {
    claim,
    settlement: { event: later ? 'again' : event },
    remoteId: reply.id,
    outcome: event === 'done' ? 'created' : 'adopted',
    statements: [
      ...againIfLetGo(mapping, claim, resourceOf(parseBody(stored.content)), body, now),
      ...(ended ? [replaceLink(ended, now), withdrawDue(ended)] : []),
      ...shifted,
      saveLink(link, now),
      // A pull that saw it before it was linked may have asked.
      dropQuestion(connection.name, type, reply.id),
      ...referring,
    ],
    event: { kind: 'pushed', operation: 'create' },
  });
  return written ? 'done' : 'waiting';
}

/** What an attempt with unknown effect left behind; `absent` allows to send again. */
async function lookForEarlier(
  context: RunContext,
  claim: Claim,
  stored: StoredVersion,
): Promise<PushResult | 'absent'> {
  const found = await findEarlier(context, claim);
  const tell = (result: ProbeResult) => context.meter.probe(context.connection.name, result);
  if (found === 'cannot-look') {
    tell('cannot-look');
    const fault = 'Whether an interrupted create had an effect cannot be found out on this server.';
    await end(context, {
      claim,
      settlement: { event: 'exhausted', fault, faultClass: 'ambiguous' },
      outcome: 'parked',
    });
    return 'waiting';
  }
  if (!found.ok) {
    tell('failed');
    return endFailed(context, claim, found.failure, true);
  }
  const [first, second] = found.value;
  if (first) tell('found');
  if (first && second) return park(context, claim, stored, first.body ? jsonOf(first.body) : {}, first.id);
  if (first) return adopt(context, claim, stored, first, 'again');
  const now = realNow(context);
  const visibleAfter = (claim.probedAt ?? now) + context.remote.vendor.visibilitySeconds * 1000;
  const isAbsent = claim.probedAt !== undefined && now >= visibleAfter;
  tell(isAbsent ? 'absent' : 'not-yet-visible');
  if (isAbsent) return 'absent';
  const probedAt = claim.probedAt ?? now;
  const fault = 'An interrupted create is not visible; it is looked for once more before it is sent again.';
  const settlement = {
    event: 'failed',
    fault,
    faultClass: 'ambiguous',
    attempts: claim.attempts,
    nextAt: visibleAfter,
    probedAt,
  } as const;
  await end(context, { claim, settlement, outcome: 'probed' });
  return 'waiting';
}

type Found = FhirReply & { readonly id: string };

async function findEarlier(context: RunContext, claim: Claim): Promise<Result<Found[]> | 'cannot-look'> {
  const { type, localId } = claim;
  const { client, capability, store, connection } = context;
  if (createMode(context, type, localId) === 'own-id') {
    const reply = await client.read(type, localId);
    if (reply.ok) return { ok: true, value: [{ ...reply.value, id: localId }] };
    const isNot = reply.failure.status === 404 && !(await isAboutType(context, type, reply.failure));
    return isNot ? { ok: true, value: [] } : reply;
  }
  if (!carriesIdentifier(type) || !capability.searchable(type, 'identifier')) return 'cannot-look';
  const reply = await client.search(`${type}?${identifierQuery(context, localId)}`);
  if (!reply.ok) return reply;
  const found: Found[] = [];
  for (const { resource, search } of reply.value.body.entry ?? []) {
    if (resource?.resourceType !== type || !isFhirId(resource.id) || (search?.mode ?? 'match') !== 'match') continue;
    const versionId = resource.meta?.versionId;
    if ((await knownOthers(store, connection.name, type, resource.id)).has(localId)) continue;
    found.push({ status: 200, id: resource.id, body: resource, ...(versionId === undefined ? {} : { versionId }) });
  }
  return { ok: true, value: found };
}

/** Two remote resources claim to be this one: a person decides. */
async function park(
  context: RunContext,
  claim: Claim,
  stored: StoredVersion,
  body: JsonObject,
  remoteId: string,
): Promise<PushResult> {
  const { type, localId } = claim;
  const conflict = askWho(
    {
      connection: context.connection.name,
      type,
      remoteId,
      remoteBody: body,
      remoteVersion: undefined,
      kind: 'duplicate',
      candidates: [{ localId, why: 'own-identifier', score: undefined }],
      local: comparable(parseBody(stored.content)),
      localVersion: stored.versionId,
    },
    realNow(context),
  );
  const fault = 'The remote has more than one resource with our identifier.';
  const settlement = { event: 'exhausted', fault, faultClass: 'conflict' } as const;
  await end(context, {
    claim,
    settlement,
    remoteId,
    outcome: 'duplicate',
    statements: conflict,
    event: { kind: 'conflict' },
  });
  return 'waiting';
}

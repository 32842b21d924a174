// Brings a linked resource up to date on the remote: only what changed here, on top of what is there, guarded by its
// version. A newer remote version is merged first, at most three times. docs/sync-spec.md#I13 docs/sync-spec.md#I14
import { type JsonObject, sameJson } from '../../fhir/canonical-json.ts';
import { carryChange } from '../../fhir/merge3.ts';
import { collectReferences, parseLiteral } from '../../fhir/references.ts';
import { saysAbsent } from '../../remote/absence.ts';
import type { FhirReply } from '../../remote/fhir-reply.ts';
import type { RemoteFailure, Result } from '../../remote/result.ts';
import { unlessClosedMeanwhile } from '../../store/closed-meanwhile.ts';
import type { StoredVersion } from '../../store/store.ts';
import { comparable, dressed, jsonOf, parseBody, resourceOf } from '../body.ts';
import { AS_IT_IS, type NewConflict } from '../conflicts/conflict.ts';
import { refusedStep } from '../conflicts/transitions.ts';
import { type MappedContext, type RunContext, realNow } from '../context.ts';
import { type Link, remoteHash, saveLink } from '../identity.ts';
import { againIfLetGo } from '../let-go.ts';
import { mapsOfCopies, ofThen, readLetGo } from '../let-go-terms.ts';
import { readLinkMap } from '../link-map.ts';
import { withoutLost } from '../lost-targets.ts';
import { remoteTargets, toLocalTerms, toRemoteTerms } from '../mapping.ts';
import { isTheirPatientAsked } from '../patients/asked-first.ts';
import { replacedByHeirs } from '../patients/heir-there.ts';
import { CIRCLE, isInCircle } from '../patients/in-use.ts';
import { withPatients } from '../patients/patient-reference.ts';
import { inPresentTerms, namingInUse } from '../present-terms.ts';
import { provenanceOf } from '../provenance.ts';
import { reconcileDoubted } from '../pull/doubt.ts';
import { isAnothers } from '../pull/given-out-again.ts';
import { ageOf } from '../pull/version-age.ts';
import { rememberUrls } from '../repoint.ts';
import { readUnseen } from '../unseen.ts';
import { refusedTarget } from './dependencies.ts';
import { type Claim, underClaim } from './outbox.ts';
import { followOnPush, saysMerged } from './push-merged.ts';
import { isLater, readBack } from './read-back.ts';
import {
  end,
  endAsked,
  endFailed,
  endGivenOutAgain,
  endPatientAsked,
  endUnseen,
  endWithoutDoor,
  type PushResult,
} from './settle-push.ts';
import { isAboutType } from './without-door.ts';

const MOST_REBASES = 3;

interface Attempt {
  readonly stored: StoredVersion;
  readonly link: Link;
}

export async function pushUpdate(
  context: RunContext,
  claim: Claim,
  stored: StoredVersion,
  link: Link,
): Promise<PushResult> {
  if (!context.capability.supports(claim.type, 'update')) return endWithoutDoor(context, claim);
  let attempt: Attempt = { stored, link };
  const guarded = context.capability.guardsUpdates(claim.type) && link.remoteVersion !== undefined;
  // Who sends something again by hand doubts what the last answer said.
  const doubted = claim.faultClass === 'ambiguous' || claim.replayOf !== undefined;
  const { store } = context;
  const isUnseen = (await readUnseen(store, link.connection, link.type, link.remoteId)) !== undefined;
  let mustLook = doubted || !guarded || link.baseRemote === undefined || isUnseen;
  let refused = false;
  for (let rebases = claim.rebases; ; rebases += 1) {
    if (mustLook) {
      const current = await readCurrent(context, attempt.link);
      if (!current.ok) return remoteUnreadable(context, claim, attempt, current.failure);
      if (await isAnothers(context, attempt.link, jsonOf(current.value.body), isUnseen)) {
        return endGivenOutAgain(context, claim, attempt.link);
      }
      const followed = await followOnPush(context, claim, attempt.link, current.value);
      if (followed) return followed;
      if (remoteHash(jsonOf(current.value.body)) !== attempt.link.remoteHash || refused) {
        const next = await rebase(context, claim, rebases, attempt, current.value);
        if (typeof next === 'string') return next;
        attempt = next;
      }
    }
    const body = await updateBody(context, attempt);
    if (sameJson(comparable(body), withRelativeReferences(context, comparable(attempt.link.baseRemote ?? {})))) {
      return settleUpdated(context, claim, attempt, undefined, body);
    }
    if (rebases > MOST_REBASES) return raise(context, claim, restless(attempt));
    const ifMatch = guarded ? attempt.link.remoteVersion : undefined;
    const reply = await context.client.update(resourceOf(body), { ifMatch, ...underClaim(claim) });
    if (reply.ok) return settleUpdated(context, { ...claim, rebases }, attempt, reply.value, body);
    if (saysAbsent(reply.failure)) return remoteUnreadable(context, claim, attempt, reply.failure);
    const elsewhere = saysMerged(reply.failure) && !mustLook;
    if (reply.failure.class !== 'conflict' && !elsewhere) {
      return endFailed(context, claim, reply.failure, reply.failure.class === 'ambiguous', link.remoteId);
    }
    if (rebases === MOST_REBASES) return raise(context, claim, restless(attempt));
    mustLook = true;
    refused = true;
  }
}

/** The remote's body with our changes since the last common version; whatever else is in it stays. */
export async function updateBody(
  context: MappedContext,
  { stored, link }: { readonly stored: Pick<StoredVersion, 'content'>; readonly link: Link },
): Promise<JsonObject> {
  const kept = [link.baseLocal, comparable(parseBody(stored.content))] as const;
  const { store, connection, mapping } = context;
  const [baseLocal, local] = await replacedByHeirs(store, link, await inPresentTerms(context, kept));
  const baseRemote = link.baseRemote ?? { resourceType: link.type };
  const targets = collectReferences(resourceOf(local)).map(parseLiteral);
  const known = targets.filter((target) => target !== undefined);
  const theirs = remoteTargets(mapping, baseRemote);
  const map = await readLinkMap(store, connection.name, known, theirs);
  const then = await ofThen(context, map, link, await readLetGo(context, map, [baseRemote]));
  const there = toLocalTerms(mapping, then, baseRemote).body;
  const [onto] = await replacedByHeirs(store, link, await namingInUse(store, [there] as const));
  const wanted = withPatients(carryChange(baseLocal ?? onto, local, onto), onto, local);
  const { body } = toRemoteTerms(mapping, then, wanted, link.localId);
  return dressed(body, link.remoteId, link.baseRemote);
}

async function readCurrent(
  context: RunContext,
  link: Link,
): Promise<Result<FhirReply & { readonly body: NonNullable<FhirReply['body']> }>> {
  // Where a redirect leads says what a record was merged into.
  const reply = await context.client.read(link.type, link.remoteId, { mayLead: true });
  if (!reply.ok) return reply;
  const { body } = reply.value;
  if (body) return { ok: true, value: { ...reply.value, body } };
  return { ok: false, failure: { class: 'transient', message: 'The server answered a read without a resource.' } };
}

/**
 * Merges a newer remote version; the local result and the new base are one commit, so that a crash changes nothing.
 * @param rebases with those of this attempt; when it fails, they are no more than before
 */
async function rebase(
  context: RunContext,
  claim: Claim,
  rebases: number,
  { stored, link }: Attempt,
  current: FhirReply & { readonly body: NonNullable<FhirReply['body']> },
): Promise<Attempt | PushResult> {
  const { store, mapping, connection } = context;
  const head = await store.head();
  const remote = jsonOf(current.body);
  const baseRemote = link.baseRemote ?? { resourceType: link.type };
  const targets = [...remoteTargets(mapping, remote), ...remoteTargets(mapping, baseRemote)];
  const links = await readLinkMap(store, connection.name, [], targets);
  if (await isTheirPatientAsked(context, links, remote)) return endPatientAsked(context, claim);
  const letGo = await readLetGo(context, links, [remote, baseRemote], context.client);
  const maps = await mapsOfCopies(context, links, link, remote, letGo);
  if (!maps.ok) return endFailed(context, claim, maps.failure, false, link.remoteId);
  const copies = [
    toLocalTerms(mapping, maps.value.now, remote).body,
    toLocalTerms(mapping, maps.value.base, baseRemote).body,
  ] as const;
  const [remoteLocal, baseRemoteLocal] = await namingInUse(store, copies);
  const kept = [link.baseLocal ?? baseRemoteLocal, comparable(parseBody(stored.content))] as const;
  const [baseLocal, local] = await inPresentTerms(context, kept);
  const version = current.versionId ?? current.body.meta?.versionId;
  const age = await ageOf(store, link, remote, version);
  const result = await reconcileDoubted(
    store,
    () => claim.faultClass === 'ambiguous',
    stored,
    { baseLocal, baseRemote: baseRemoteLocal, local, remote: remoteLocal },
    context.policies[link.type] ?? {},
    age,
  );
  const { theirs, isDoubted } = result;
  const asked = (question: Pick<NewConflict, 'paths' | 'proposed'>): NewConflict => {
    const sides = { base: baseLocal, remote: theirs, remoteVersion: version };
    return { ...contentConflict({ stored, link }, remote), ...sides, ...question, age, isDoubted };
  };
  if (result.conflicts.length > 0) {
    return raise(context, claim, asked({ paths: result.conflicts, proposed: result.merged }));
  }
  const next: Link = {
    ...link,
    remoteVersion: version,
    remoteHash: remoteHash(remote),
    baseLocal: theirs,
    baseRemote: remote,
  };
  if (!result.localChanges) return { stored, link: next };
  const own = parseBody(stored.content);
  const merged = await withoutLost(context, result.merged, own);
  if (await isInCircle(store, link.localId, merged)) {
    return endFailed(context, claim, { class: 'permanent', message: CIRCLE }, false, link.remoteId);
  }
  const resource = resourceOf(dressed(merged, link.localId, own));
  const update = { op: 'update', resource, ifMatch: stored.versionId } as const;
  const written = await end(context, {
    claim,
    settlement: { event: 'again', rebases },
    remoteId: link.remoteId,
    outcome: 'merged',
    changes: [
      update,
      provenanceOf(context, [
        { type: link.type, localId: link.localId, remoteId: link.remoteId, remoteVersion: version },
      ]),
    ],
    statements: [
      ...unlessClosedMeanwhile([update], head),
      saveLink(next, realNow(context)),
      ...rememberUrls(context, merged, link.type, link.localId),
    ],
    event: { kind: 'pulled', operation: 'update' },
    ifRefused: (path) => asked(refusedStep(path, { base: baseLocal, ours: local, theirs, merged: result.merged })),
  });
  // The merged version is a new state of both copies: the row starts from there.
  if (!written) context.log.debug({ type: link.type, id: link.localId }, 'merge overtaken by a local change');
  return 'waiting';
}

async function settleUpdated(
  context: RunContext,
  claim: Claim,
  { stored, link }: Attempt,
  reply: FhirReply | undefined,
  sent: JsonObject,
): Promise<PushResult> {
  const local = comparable(parseBody(stored.content));
  let next: Link = { ...link, baseVersion: stored.versionId };
  if (reply) {
    const whole = reply.body?.resourceType === link.type ? reply : await readBack(context, link.type, link.remoteId);
    if (!whole?.body) {
      const message = 'The updated resource cannot be read.';
      return endFailed(context, claim, { class: 'ambiguous', message }, true, link.remoteId);
    }
    // As the common version somebody else's edit would look like our own words.
    if (whole !== reply && isLater(whole, reply)) {
      const message = 'A read right after the update shows another version.';
      const counted = { ...claim, rebases: claim.rebases + 1 };
      return endFailed(context, counted, { class: 'ambiguous', message }, true, link.remoteId);
    }
    // What the server made of it is the new base; without this every push would look like a remote edit.
    const body = jsonOf(whole.body);
    const remoteVersion = whole.versionId ?? whole.body.meta?.versionId;
    next = { ...next, remoteVersion, remoteHash: remoteHash(body), baseLocal: local, baseRemote: body };
  }
  const now = realNow(context);
  const without = await refusedTarget(context, sent);
  const written = await end(context, {
    claim,
    settlement: { event: 'done', ...(without === undefined ? {} : { without }) },
    remoteId: link.remoteId,
    outcome: reply ? 'updated' : 'unchanged',
    statements: [
      ...againIfLetGo(context.mapping, claim, resourceOf(local), next.baseRemote ?? {}, now),
      saveLink(next, now),
    ],
    ...(reply ? { event: { kind: 'pushed', operation: 'update' } as const } : {}),
  });
  return written ? 'done' : 'waiting';
}

/** Edited here and gone there: never decided by a program. docs/sync-spec.md#I21 */
async function remoteUnreadable(
  context: RunContext,
  claim: Claim,
  attempt: Attempt,
  failure: RemoteFailure,
): Promise<PushResult> {
  const { link } = attempt;
  const isOfType = await isAboutType(context, claim.type, failure);
  if (isOfType || !(saysAbsent(failure) || saysMerged(failure))) {
    return endFailed(context, claim, failure, claim.faultClass === 'ambiguous', link.remoteId, isOfType);
  }
  const { connection, type, remoteId } = link;
  const isUnseen = (await readUnseen(context.store, connection, type, remoteId)) !== undefined;
  // Nobody may have deleted it, and the question would be one of thousands.
  if (failure.status === 404 && isUnseen) return endUnseen(context, claim);
  return raise(context, claim, { ...contentConflict(attempt, link.baseRemote ?? {}), kind: 'deleted' });
}

function contentConflict({ stored, link }: Attempt, remoteBody: JsonObject): NewConflict {
  return {
    connection: link.connection,
    type: link.type,
    localId: link.localId,
    remoteId: link.remoteId,
    kind: 'content',
    base: link.baseLocal,
    local: comparable(parseBody(stored.content)),
    localVersion: stored.versionId,
    remote: undefined,
    remoteBody,
    remoteVersion: link.remoteVersion,
    proposed: undefined,
    paths: [],
    ...AS_IT_IS,
  };
}

/** The remote changes each time before our update arrives, or right afterwards: nothing contradicts, but somebody should look. */
function restless(attempt: Attempt): NewConflict {
  const { link } = attempt;
  const conflict = contentConflict(attempt, link.baseRemote ?? {});
  return { ...conflict, remote: link.baseLocal, proposed: conflict.local };
}

async function raise(context: RunContext, claim: Claim, conflict: NewConflict): Promise<'waiting'> {
  await endAsked(context, claim, conflict);
  return 'waiting';
}

/** References of the remote to itself in the short form, as we send them. */
export function withRelativeReferences(context: MappedContext, body: JsonObject): JsonObject {
  const text = JSON.stringify(body);
  const prefix = `"reference":"${context.mapping.remoteBase}/`;
  return text.includes(prefix) ? parseBody(text.replaceAll(prefix, '"reference":"')) : body;
}

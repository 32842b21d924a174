// One of ours who was merged away here and has the very record that stands there for whoever stands for them: the server has
// merged in the opposite direction, or they have no other there. That record is the other one's from now on; it is not closed in
// favour of itself, or of nobody.
// docs/patient-matching.md#merges-there
import { replacedBy } from '../../fhir/patient-merge.ts';
import { saysAbsent } from '../../remote/absence.ts';
import type { StoredVersion } from '../../store/store.ts';
import { parseBody } from '../body.ts';
import { type RunContext, realNow } from '../context.ts';
import { type Link, replaceLink, saveLink, unlessLinked } from '../identity.ts';
import { heirThere } from '../patients/heir-there.ts';
import { inUseFor } from '../patients/in-use.ts';
import { askAgain, isDoubtful } from '../patients/remote-merge.ts';
import { type Claim, mark, readOutbox, unlessSending } from './outbox.ts';
import { followOnPush } from './push-merged.ts';
import { end, endFailed, type PushResult } from './settle-push.ts';
import { isAboutType } from './without-door.ts';

/** Undefined when the record is not that of another one of ours. */
export async function handOver(
  context: RunContext,
  claim: Claim,
  stored: StoredVersion,
  link: Link,
): Promise<PushResult | undefined> {
  const { store, connection } = context;
  if (claim.type !== 'Patient') return undefined;
  const there = await heirThere(store, connection.name, stored.id, parseBody(stored.content));
  if (there?.link) return followHeir(context, claim, link, there.link);
  const inUse = await staysInUse(context, stored, link, there);
  if (!inUse) return undefined;
  const { heir } = inUse;
  const settlement = { event: 'withdrawn', fault: 'merged-there' } as const;
  const ending = { claim, settlement, remoteId: link.remoteId, outcome: 'merged-there' } as const;
  // It is in use there, whoever has been deleted here.
  if (!heir) return resultOf(await end(context, ending));
  // Whoever could be made there has been by now, before whom they stand for.
  const isUnknown = heir.id !== there?.localId;
  if (isUnknown && (await mayBeMade(context, heir.id))) {
    const message = `Whether Patient/${heir.id} has another record there is not known yet.`;
    return endFailed(context, claim, { class: 'transient', message }, claim.faultClass === 'ambiguous', link.remoteId);
  }
  const now = realNow(context);
  // A person had said that it is not theirs.
  if (await isDoubtful(context, heir.id, link.remoteId)) {
    const asked = [replaceLink(link, now), ...(await askAgain(context, heir.id, [], link.remoteId))];
    return resultOf(await end(context, { ...ending, statements: asked, event: { kind: 'conflict' } }));
  }
  const bare = { remoteVersion: undefined, remoteHash: undefined, baseVersion: undefined };
  const next: Link = { ...link, ...bare, localId: heir.id, baseLocal: undefined, baseRemote: undefined };
  const statements = [
    replaceLink(link, now),
    unlessLinked(next),
    ...(isUnknown ? [unlessSending(connection.name, 'Patient', heir.id)] : []),
    saveLink({ ...next, state: 'linked' }, now),
    mark(connection.name, 'Patient', heir.id, heir.sequence, now),
  ];
  return resultOf(await end(context, { ...ending, statements }));
}

/** Whether the record there is not closed, but is that of whoever stands for the one who has it. */
export async function goesToHeir(
  context: Pick<RunContext, 'store' | 'connection'>,
  stored: StoredVersion,
  link: Link,
): Promise<boolean> {
  if (stored.type !== 'Patient') return false;
  const there = await heirThere(context.store, context.connection.name, stored.id, parseBody(stored.content));
  return !there?.link && (await staysInUse(context, stored, link, there)) !== undefined;
}

/**
 * Whose it is from then on: nobody's when they were deleted here. Undefined when it is closed, or its own one is in use here.
 * @param there who stands for that one and has, or had, another record there
 */
async function staysInUse(
  { store }: Pick<RunContext, 'store'>,
  stored: StoredVersion,
  { remoteId }: Link,
  there: Awaited<ReturnType<typeof heirThere>>,
): Promise<{ readonly heir: StoredVersion | undefined } | undefined> {
  if (there && there.standing !== remoteId) return undefined;
  const heir = await inUseFor(store, stored);
  return heir?.id === stored.id || !(heir || there) ? undefined : { heir };
}

function resultOf(isWritten: boolean): PushResult {
  return isWritten ? 'done' : 'waiting';
}

/** A record of theirs is on its way there, or may be there already. */
async function mayBeMade({ store, connection }: RunContext, id: string): Promise<boolean> {
  const row = await readOutbox(store, connection.name, 'Patient', id);
  return row?.state === 'sending' || row?.faultClass === 'ambiguous';
}

/**
 * The server may just have merged in the opposite direction, and nobody here has heard of it: told of ours it would have closed
 * both. Undefined when it has not.
 */
async function followHeir(context: RunContext, claim: Claim, link: Link, own: Link): Promise<PushResult | undefined> {
  const isTold = link.baseRemote !== undefined && replacedBy(link.baseRemote) !== undefined;
  if (isTold || own.state === 'tombstone') return undefined;
  const reply = await context.client.read('Patient', own.remoteId, { mayLead: true });
  if (reply.ok) return followOnPush(context, claim, own, reply.value);
  // It may be shown later, or was deleted there in favour of ours: what becomes of the other one is decided first.
  const isOfType = await isAboutType(context, 'Patient', reply.failure);
  const isMissing = saysAbsent(reply.failure) && !isOfType;
  if (!isOfType && reply.failure.class === 'permanent' && !isMissing) return undefined;
  const message = `Patient/${own.localId}, in favour of whom it would be closed, is not there (${own.remoteId}).`;
  const failure = isMissing ? ({ class: 'transient', message } as const) : reply.failure;
  return endFailed(context, claim, failure, claim.faultClass === 'ambiguous', link.remoteId, isOfType);
}

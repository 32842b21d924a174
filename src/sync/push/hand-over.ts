// One of ours who was merged away here and has the very record that stands there for whoever stands for them: the server has
// merged in the opposite direction, or they have no other there. That record is the other one's from now on; it is not closed in
// favour of itself, or of nobody.
// docs/patient-matching.md#merges-there
import { replacedBy } from '../../fhir/patient-merge.ts';
import type { StoredVersion } from '../../store/store.ts';
import { parseBody } from '../body.ts';
import { type RunContext, realNow } from '../context.ts';
import { type Link, replaceLink, saveLink, unlessLinked } from '../identity.ts';
import { heirThere } from '../patients/heir-there.ts';
import { inUseFor } from '../patients/in-use.ts';
import { type Claim, mark, readOutbox, unlessSending } from './outbox.ts';
import { followOnPush } from './push-merged.ts';
import { end, endFailed, type PushResult } from './settle-push.ts';

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
  if (there && there.standing !== link.remoteId) return undefined;
  const heir = await inUseFor(store, stored);
  if (heir?.id === stored.id || !(heir || there)) return undefined;
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
  if (reply.failure.class === 'permanent') return undefined;
  return endFailed(context, claim, reply.failure, claim.faultClass === 'ambiguous', link.remoteId);
}

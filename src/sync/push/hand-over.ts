// One of ours who was merged away here and has the very record that stands there for whoever stands for them: the server has
// merged in the opposite direction. That record is the other one's from now on; it is not closed in favour of itself.
// docs/patient-matching.md#merges-there
import { replacedBy } from '../../fhir/patient-merge.ts';
import type { StoredVersion } from '../../store/store.ts';
import { parseBody } from '../body.ts';
import { type RunContext, realNow } from '../context.ts';
import { type Link, readLink, replaceLink, saveLink, unlessLinked } from '../identity.ts';
import { followByLocal } from '../patients/alias.ts';
import { inUseFor } from '../patients/in-use.ts';
import { type Claim, mark } from './outbox.ts';
import { followOnPush } from './push-merged.ts';
import { end, type PushResult } from './settle-push.ts';

/** Undefined when the record is not that of another one of ours. */
export async function handOver(
  context: RunContext,
  claim: Claim,
  stored: StoredVersion,
  link: Link,
): Promise<PushResult | undefined> {
  const { store, connection } = context;
  if (claim.type !== 'Patient' || replacedBy(parseBody(stored.content)) === undefined) return undefined;
  const heir = await inUseFor(store, stored);
  if (!heir || heir.id === stored.id) return undefined;
  const own = await readLink(store, connection.name, 'Patient', heir.id);
  if (own) return followHeir(context, claim, link, own);
  if ((await followByLocal(store, connection.name, [heir.id])).get(heir.id) !== link.remoteId) return undefined;
  const now = realNow(context);
  const bare = { remoteVersion: undefined, remoteHash: undefined, baseVersion: undefined };
  const next: Link = { ...link, ...bare, localId: heir.id, baseLocal: undefined, baseRemote: undefined };
  const statements = [
    replaceLink(link, now),
    unlessLinked(next),
    saveLink({ ...next, state: 'linked' }, now),
    mark(connection.name, 'Patient', heir.id, heir.sequence, now),
  ];
  const settlement = { event: 'withdrawn', fault: 'merged-there' } as const;
  const isDone = await end(context, {
    claim,
    settlement,
    remoteId: link.remoteId,
    outcome: 'merged-there',
    statements,
  });
  return isDone ? 'done' : 'waiting';
}

/**
 * The server may just have merged in the opposite direction, and nobody here has heard of it: told of ours it would have closed
 * both. Undefined when it has not.
 */
async function followHeir(context: RunContext, claim: Claim, link: Link, own: Link): Promise<PushResult | undefined> {
  const isTold = link.baseRemote !== undefined && replacedBy(link.baseRemote) !== undefined;
  if (isTold || own.state === 'tombstone') return undefined;
  const reply = await context.client.read('Patient', own.remoteId, { mayLead: true });
  return reply.ok ? followOnPush(context, claim, own, reply.value) : undefined;
}

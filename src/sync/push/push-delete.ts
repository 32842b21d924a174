// A delete travels only where the policy of the type says so, and only onto what is known here: what was edited there since is a
// question for a person. docs/sync-spec.md#I21
import { saysAbsent } from '../../remote/absence.ts';
import type { StoredVersion } from '../../store/store.ts';
import { jsonOf } from '../body.ts';
import { AS_IT_IS } from '../conflicts/conflict.ts';
import { type RunContext, realNow } from '../context.ts';
import { type Link, remoteHash, saveLink } from '../identity.ts';
import { readLinkMap } from '../link-map.ts';
import { remoteTargets, toLocalTerms } from '../mapping.ts';
import { type Claim, underClaim } from './outbox.ts';
import { end, endAsked, endFailed, endWithoutDoor, type PushResult, withdraw } from './settle-push.ts';
import { isAboutType } from './without-door.ts';

/** @param stored absent when there never was one */
export async function pushDelete(
  context: RunContext,
  claim: Claim,
  stored: StoredVersion | undefined,
  link: Link | undefined,
): Promise<PushResult> {
  const { policies, capability, client } = context;
  if (!link || link.state === 'tombstone') return withdraw(context, claim, 'nothing-to-delete');
  if (policies[claim.type]?.delete !== 'push') return withdraw(context, claim, 'delete-kept-by-policy');
  if (!capability.supports(claim.type, 'delete')) return endWithoutDoor(context, claim);
  const ifMatch = capability.guardsUpdates(claim.type) ? link.remoteVersion : undefined;
  const asked = ifMatch === undefined ? await askIfEdited(context, claim, stored, link) : undefined;
  if (asked) return asked;
  const reply = await client.delete(claim.type, link.remoteId, { ifMatch, ...underClaim(claim) });
  if (!reply.ok) {
    const { failure } = reply;
    const refused = failure.class === 'conflict' ? await askIfEdited(context, claim, stored, link) : undefined;
    if (refused) return refused;
    const isOfType = await isAboutType(context, claim.type, failure);
    const isGone = saysAbsent(failure) && !isOfType;
    if (!isGone) return endFailed(context, claim, failure, false, link.remoteId, isOfType);
  }
  const statements = [saveLink({ ...link, state: 'tombstone' }, realNow(context))];
  const event = { kind: 'pushed', operation: 'delete' } as const;
  await end(context, {
    claim,
    settlement: { event: 'done' },
    remoteId: link.remoteId,
    outcome: 'deleted',
    statements,
    event,
  });
  return 'done';
}

/** Undefined when it is there as it was known, or is not there. */
async function askIfEdited(
  context: RunContext,
  claim: Claim,
  stored: StoredVersion | undefined,
  link: Link,
): Promise<PushResult | undefined> {
  const { client, store, connection, mapping } = context;
  const { type, localId } = claim;
  const { remoteId } = link;
  const reply = await client.read(type, remoteId);
  if (!reply.ok) {
    // The delete hears the same, and says what it means.
    return saysAbsent(reply.failure) ? undefined : endFailed(context, claim, reply.failure, false, remoteId);
  }
  const body = reply.value.body && jsonOf(reply.value.body);
  if (!body || remoteHash(body) === link.remoteHash) return undefined;
  const links = await readLinkMap(store, connection.name, [], remoteTargets(mapping, body));
  await endAsked(context, claim, {
    ...{ connection: connection.name, type, localId, remoteId, kind: 'deleted', base: link.baseLocal },
    ...{ local: undefined, localVersion: stored?.versionId, remote: toLocalTerms(mapping, links, body).body },
    ...{ remoteBody: body, remoteVersion: reply.value.versionId ?? reply.value.body?.meta?.versionId },
    ...{ proposed: undefined, paths: [], ...AS_IT_IS },
  });
  return 'waiting';
}

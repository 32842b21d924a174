// A delete travels only where the policy of the type says so, and only onto what is known here: what was edited there since is a
// question for a person. docs/sync-spec.md#I21
import { saysAbsent } from '../../remote/absence.ts';
import type { FhirReply } from '../../remote/fhir-reply.ts';
import { type Result, success } from '../../remote/result.ts';
import type { StoredVersion } from '../../store/store.ts';
import { jsonOf } from '../body.ts';
import { AS_IT_IS, type NewConflict } from '../conflicts/conflict.ts';
import { type RunContext, realNow } from '../context.ts';
import { type Link, remoteHash, saveLink } from '../identity.ts';
import { readLinkMap } from '../link-map.ts';
import { remoteTargets, toLocalTerms } from '../mapping.ts';
import { isAnothers } from '../pull/given-out-again.ts';
import { readUnseen } from '../unseen.ts';
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
  const { policies, capability } = context;
  if (!link || link.state === 'tombstone') return withdraw(context, claim, 'nothing-to-delete');
  if (policies[claim.type]?.delete !== 'push') return withdraw(context, claim, 'delete-kept-by-policy');
  if (!capability.supports(claim.type, 'delete')) return endWithoutDoor(context, claim);
  const reply = await deleteAsKnown(context, claim, link);
  if ('edited' in reply) {
    await endAsked(context, claim, await question(context, link, stored, reply.edited));
    return 'waiting';
  }
  if ('failure' in reply) {
    const isOfType = await isAboutType(context, claim.type, reply.failure);
    const isGone = saysAbsent(reply.failure) && !isOfType;
    if (!isGone) return endFailed(context, claim, reply.failure, false, link.remoteId, isOfType);
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

/** What the server said, or what it has instead of what is known here; nothing is sent when its id is another's by now. */
type Answer = Result<unknown> | { readonly edited: FhirReply };
const GONE = success(undefined);

/** Where no version guards the delete, or the server has another one by now, or may be another than it was, it is read first. */
async function deleteAsKnown(context: RunContext, claim: Claim, link: Link): Promise<Answer> {
  const { client, capability, store } = context;
  const { connection, type, remoteId, remoteVersion, remoteHash: known } = link;
  const isUnseen = (await readUnseen(store, connection, type, remoteId)) !== undefined;
  const isGuarded = capability.guardsUpdates(type);
  const send = (ifMatch: string | undefined) => client.delete(type, remoteId, { ifMatch, ...underClaim(claim) });
  const first = isGuarded && remoteVersion !== undefined && !isUnseen ? await send(remoteVersion) : undefined;
  if (first && (first.ok || first.failure.class !== 'conflict')) return first;
  const current = await client.read(type, remoteId);
  if (!current.ok) return current;
  const { body } = current.value;
  if (body && (await isAnothers(context, link, jsonOf(body), isUnseen))) return GONE;
  if (!body || remoteHash(jsonOf(body)) !== known) return { edited: current.value };
  const version = versionOf(current.value);
  // It was not for its version that it was refused.
  if (first && version === remoteVersion) return first;
  return send(isGuarded ? version : undefined);
}

async function question(
  { store, connection, mapping }: RunContext,
  { type, localId, remoteId, baseLocal }: Link,
  stored: StoredVersion | undefined,
  current: FhirReply,
): Promise<NewConflict> {
  const body = current.body && jsonOf(current.body);
  const links = await readLinkMap(store, connection.name, [], body ? remoteTargets(mapping, body) : []);
  return {
    ...{ connection: connection.name, type, localId, remoteId, kind: 'deleted', base: baseLocal },
    ...{ local: undefined, localVersion: stored?.versionId, remote: body && toLocalTerms(mapping, links, body).body },
    ...{ remoteBody: body ?? {}, remoteVersion: versionOf(current), proposed: undefined, paths: [], ...AS_IT_IS },
  };
}

const versionOf = ({ versionId, body }: FhirReply) => versionId ?? body?.meta?.versionId;

// Before a patient is created on a remote: is the person there already? Linking beats making a second record.
// docs/sync-spec.md#I8
import type { StoredVersion } from '../store/store.ts';
import { comparable, isFhirId, jsonOf, parseBody } from './body.ts';
import { openConflict } from './conflict.ts';
import { type RunContext, realNow } from './context.ts';
import { readLinksByRemote, saveLink } from './identity.ts';
import { contradicts, tokenOf } from './match.ts';
import type { Claim } from './outbox.ts';
import { end, endFailed, type PushResult } from './settle-push.ts';

/** Types whose business identifiers are worth a search on the remote before a create. */
const MATCHED = new Set(['Patient', 'Practitioner', 'Organization', 'Location']);

/** Links the one remote resource that shares an identifier; undefined when there is none and a create may follow. */
export async function findTwin(
  context: RunContext,
  claim: Claim,
  stored: StoredVersion,
): Promise<PushResult | undefined> {
  const { type, localId } = claim;
  const { client, capability, connection, store } = context;
  const local = parseBody(stored.content);
  const tokens = (Array.isArray(local.identifier) ? local.identifier : [])
    .map(tokenOf)
    .filter((token) => token !== undefined);
  if (!MATCHED.has(type) || tokens.length === 0 || !capability.searchable(type, 'identifier')) return undefined;
  const reply = await client.search(`${type}?identifier=${tokens.map(encodeURIComponent).join(',')}`);
  if (!reply.ok) return endFailed(context, claim, reply.failure, false);
  const found = (reply.value.body.entry ?? []).flatMap(({ resource, search }) => {
    const isMatch = resource?.resourceType === type && (search?.mode ?? 'match') === 'match' && isFhirId(resource.id);
    return isMatch ? [{ id: String(resource.id), body: jsonOf(resource) }] : [];
  });
  const [only, second] = found;
  if (!only) return undefined;
  const linked = await readLinksByRemote(store, connection.name, type, [only.id]);
  const about = { connection: connection.name, type, localId, remoteId: only.id };
  const now = realNow(context);
  if (second || linked.size > 0 || contradicts(only.body, local)) {
    const unknown = { base: undefined, remote: undefined, proposed: undefined, remoteVersion: undefined, paths: [] };
    const sides = { local: comparable(local), localVersion: stored.versionId, remoteBody: only.body };
    const statements = openConflict({ ...about, kind: 'identity', ...sides, ...unknown }, now);
    const event = { kind: 'conflict' } as const;
    await end(context, {
      claim,
      settlement: { event: 'again' },
      remoteId: only.id,
      outcome: 'conflict',
      statements,
      event,
    });
    return 'waiting';
  }
  const nothing = { remoteVersion: undefined, remoteHash: undefined, baseVersion: undefined };
  const link = { ...about, ...nothing, baseLocal: undefined, baseRemote: undefined } as const;
  const statements = [saveLink({ ...link, state: 'linked', how: 'matched-identifier' }, now)];
  // No common version yet: the next round merges the two records.
  const done = await end(context, {
    claim,
    settlement: { event: 'again' },
    remoteId: only.id,
    outcome: 'linked',
    statements,
  });
  return done ? 'done' : 'waiting';
}

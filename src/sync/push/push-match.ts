// Before a resource is created on a remote: is it there already? Linking beats making a second record.
// docs/sync-spec.md#I8
import type { JsonObject } from '../../fhir/canonical-json.ts';
import { replacedBy } from '../../fhir/patient-merge.ts';
import type { StoredVersion } from '../../store/store.ts';
import { comparable, parseBody } from '../body.ts';
import { type RunContext, realNow } from '../context.ts';
import { readLinksByRemote, saveLink } from '../identity.ts';
import { nowMeans } from '../let-go.ts';
import { followByRemote } from '../patients/alias.ts';
import { askWho, candidatesOf, knownOthers } from '../patients/identity-question.ts';
import { decide, holdersOfNumbers, type Likeness, likenessOf } from '../patients/match.ts';
import { type RemoteRecord, searchTwins } from '../pull/search-twins.ts';
import { startCatchUp } from '../pull/to-catch-up.ts';
import { isLookedFor } from './looked-for.ts';
import { type Claim, waitFor } from './outbox.ts';
import { end, endFailed, type PushResult } from './settle-push.ts';

/** How long a patient waits to be made by a server that owns its patients, before it is looked for again. */
const OWNED_WAIT = 15 * 60_000;

interface Twin {
  readonly record: RemoteRecord;
  readonly likeness: Likeness;
  readonly linkedWith: string | undefined;
}

/** Links the one remote record that it is; undefined when there is none and a create may follow. */
export async function findTwin(
  context: RunContext,
  claim: Claim,
  stored: StoredVersion,
): Promise<PushResult | undefined> {
  const { type } = claim;
  if (!isLookedFor(type)) return undefined;
  const { record } = await holdersOfNumbers(context.store, type, parseBody(stored.content));
  const found = await searchTwins(context, type, record);
  if (!found.ok) return endFailed(context, claim, found.failure, false);
  const twins = await judge(context, claim, { ...stored, content: JSON.stringify(record) }, found.value);
  if (twins.length === 0) return isOwned(context, type) ? waitForOwner(context, claim) : undefined;
  const match = decide(
    context.matching,
    twins.map(({ likeness }) => likeness),
  );
  const [twin] = twins.length === 1 || match.kind === 'identifier' ? sure(twins, match.kind) : [];
  if (twin && (match.kind === 'identifier' || match.kind === 'rules')) {
    return link(
      context,
      claim,
      stored,
      twin.record.id,
      match.kind === 'rules' ? 'matched-rules' : 'matched-identifier',
    );
  }
  return ask(context, claim, stored, twins);
}

function sure(twins: readonly Twin[], kind: string): readonly Twin[] {
  return kind === 'identifier' ? twins.filter(({ likeness }) => likeness.certain) : twins;
}

/** How like each record is. The likeness is between the same two, whichever side asks. */
async function judge(
  context: RunContext,
  { type, localId }: Claim,
  stored: StoredVersion,
  records: readonly RemoteRecord[],
): Promise<Twin[]> {
  const { store, connection, matching } = context;
  const links = await readLinksByRemote(
    store,
    connection.name,
    type,
    records.map(({ id }) => id),
  );
  // Merged there, or a second record of one of ours by a person's word.
  const others = records.map(({ id }) => id).filter((id) => !links.has(id));
  const meaning = type === 'Patient' ? await followByRemote(store, connection.name, others) : undefined;
  const twins: Twin[] = [];
  for (const record of records) {
    if ((await knownOthers(store, connection.name, type, record.id)).has(localId)) continue;
    const linkedWith = links.get(record.id)?.localId ?? meaning?.get(record.id);
    // A record that another one stands for is nobody any more.
    if (linkedWith === undefined && replacedBy(record.body) !== undefined) continue;
    const likeness = likenessOf(matching, stored, record.body, linkedWith !== undefined);
    if (likeness) twins.push({ record, likeness, linkedWith });
  }
  return twins;
}

async function link(
  context: RunContext,
  claim: Claim,
  stored: StoredVersion,
  remoteId: string,
  how: 'matched-identifier' | 'matched-rules',
): Promise<PushResult> {
  const { type, localId } = claim;
  const bare = { remoteVersion: undefined, remoteHash: undefined, baseVersion: undefined };
  const about = { connection: context.connection.name, type, localId, remoteId };
  const linked = { ...about, ...bare, baseLocal: undefined, baseRemote: undefined, state: 'linked', how } as const;
  const now = realNow(context);
  const shifted = await nowMeans(context.store, about, now);
  // No common version yet: the next round merges the two records.
  const done = await end(context, {
    claim,
    settlement: { event: 'again' },
    remoteId,
    outcome: 'linked',
    // They were compared as they were: with another number ours may be somebody else.
    whileStored: stored,
    statements: [
      ...shifted,
      saveLink(linked, now),
      ...(type === 'Patient' ? [startCatchUp(context.connection.name, remoteId, now)] : []),
    ],
  });
  return done ? 'done' : 'waiting';
}

/** One question for each record there; whoever was a candidate before is one still. */
async function ask(
  context: RunContext,
  claim: Claim,
  stored: StoredVersion,
  twins: readonly Twin[],
): Promise<PushResult> {
  const { type, localId } = claim;
  const { store, connection } = context;
  const now = realNow(context);
  const ids = twins.map(({ record }) => record.id);
  const earlier = await candidatesOf(store, connection.name, type, ids);
  const statements = twins.flatMap(({ record, likeness, linkedWith }) =>
    askWho(
      {
        connection: connection.name,
        type,
        remoteId: record.id,
        remoteBody: record.body,
        remoteVersion: versionOf(record.body),
        kind: linkedWith === undefined ? 'identity' : 'duplicate',
        candidates: [
          { localId, why: likeness.why, score: likeness.score },
          ...(earlier.get(record.id) ?? []).filter((one) => one.localId !== localId),
        ],
        local: comparable(parseBody(stored.content)),
        localVersion: stored.versionId,
      },
      now,
    ),
  );
  await end(context, {
    claim,
    settlement: { event: 'again' },
    remoteId: twins[0]?.record.id,
    outcome: 'conflict',
    statements,
    event: { kind: 'conflict' },
  });
  return 'waiting';
}

/** What a look ahead, which asks nobody, says of one that has no link. */
export function expectedCreate(
  context: Pick<RunContext, 'connection'>,
  type: string,
): { readonly outcome: 'would-create' | 'would-wait'; readonly detail?: string } {
  if (isOwned(context, type)) {
    const detail = 'It is looked for there and never made: the server makes its patients itself.';
    return { outcome: 'would-wait', detail };
  }
  if (!isLookedFor(type)) return { outcome: 'would-create' };
  const detail = 'It is looked for there first: what is found is linked or asked about, and not made again.';
  return { outcome: 'would-create', detail };
}

function isOwned({ connection }: Pick<RunContext, 'connection'>, type: string): boolean {
  return type === 'Patient' && connection.matching?.owner === 'remote';
}

/** What is about the patient waits as well; nothing is parked, because nobody here can do anything about it. */
async function waitForOwner(context: RunContext, claim: Claim): Promise<PushResult> {
  const now = realNow(context);
  const nextAt = now + OWNED_WAIT;
  const settlement = {
    event: 'failed',
    fault: 'The server makes its patients itself and has none that is this one; it is looked for again.',
    faultClass: 'transient',
    attempts: claim.attempts,
    nextAt,
  } as const;
  // For itself: a pull that brings the patient lets it go on at once.
  const statements = [waitFor(claim, `${claim.type}/${claim.localId}`, nextAt, now)];
  await end(context, { claim, settlement, outcome: 'owned-there', statements });
  return 'waiting';
}

function versionOf({ meta }: JsonObject): string | undefined {
  const version = (meta as JsonObject | undefined)?.versionId;
  return typeof version === 'string' ? version : undefined;
}

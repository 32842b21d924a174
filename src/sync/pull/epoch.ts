// Whether the server still is the one whose state the watermarks speak of. Software and address may stay the same when it was
// wiped or put back from a backup, so a few resources that we made there are looked at. docs/sync-spec.md#I5
import { saysAbsent } from '../../remote/absence.ts';
import type { SqlRow } from '../../store/store.ts';
import { CAPABILITY_FACT } from '../connections/note-capability.ts';
import { actorOf } from '../connections/settings.ts';
import { ownExchanges, type RunContext, realNow } from '../context.ts';
import { forgetVersions } from '../identity.ts';
import { livePortions } from '../link-portions.ts';
import { writeMessage } from '../messages/message-log.ts';
import { isAboutType } from '../push/without-door.ts';
import { countUnseen, nothingSeen } from '../unseen.ts';
import { startProbe } from './delete-probe.ts';
import { hasAnothers } from './given-out-again.ts';
import { readFact, saveFact } from './remote-fact.ts';
import { forgetSuspects, suspects } from './suspect.ts';
import { isEarlierVersion } from './version-order.ts';

const FACT = 'epoch';
/** A fact while it is not known yet what the server lost, of which types (of any when empty); `at` is when it was last looked for. */
export const SWEEP_DUE = 'sweep-due';
const HOUR = 60 * 60_000;
/** Newest first: after a restore it is they that are missing. What has been missing since the last one tells nothing of another. */
const CANARIES = `SELECT type, remote_id, remote_version FROM identity
  WHERE connection = ? AND how = 'created-by-us' AND state = 'linked' AND unseen IS NULL
  ORDER BY at DESC, remote_id LIMIT 3`;

/** Looks at most once an hour. When it finds another server, everything has to be looked at again: SWEEP_DUE. */
export async function currentEpoch(context: RunContext): Promise<string> {
  const { store, connection, capability, runId, emit, log } = context;
  const fact = await readFact(store, connection.name, FACT);
  const resets = Number(fact?.value ?? 0);
  const epochOf = (count: number) => (count === 0 ? capability.epoch : `${capability.epoch}#${count}`);
  const now = realNow(context);
  const suspected = await suspects(context);
  // The first look comes an hour after the server was first asked: before, there is nothing yet that could get lost.
  const since = fact ?? (await readFact(store, connection.name, CAPABILITY_FACT));
  const isTime = now >= (since?.at ?? now) + HOUR;
  if (!isTime && suspected.length === 0) return epochOf(resets);
  const run = ownExchanges(context);
  const canaries = isTime ? await store.query(CANARIES, [connection.name]) : [];
  const lost: SqlRow[] = [];
  const deleted: SqlRow[] = [];
  let state: Awaited<ReturnType<typeof look>> = 'unknown';
  for (const canary of [...suspected, ...canaries]) {
    state = await look(run, canary);
    if (state === 'back') break;
    if (suspected.includes(canary)) continue;
    if (state === 'lost') lost.push(canary);
    else if (state === 'deleted') deleted.push(canary);
    else break;
  }
  const isNew = state === 'back' || (lost.length > 0 && lost.length + deleted.length === canaries.length);
  const about = { connection: connection.name, runId, direction: 'pull', keepResponse: false } as const;
  const outcome = isNew ? 'canary-lost' : 'canary';
  const messages = run.exchanges.take().map((exchange) => writeMessage({ ...about, outcome, exchange }, now));
  const next = isNew ? resets + 1 : resets;
  const missing = isNew ? [] : [...deleted, ...(state === 'alive' ? lost : [])];
  const probes = missing.map((row) => startProbe(connection.name, String(row.type), String(row.remote_id), now));
  const known = saveFact(connection.name, FACT, String(next), now);
  const live = isNew ? await livePortions(store, connection.name) : [];
  const forgotten = isNew
    ? [
        ...forgetVersions(connection.name, live),
        ...nothingSeen(live),
        await countUnseen(store, connection.name, now),
        saveFact(connection.name, SWEEP_DUE, '', 0),
      ]
    : [];
  await store.commit(
    actorOf(connection, runId),
    [],
    [known, forgetSuspects(connection.name), ...forgotten, ...messages, ...probes],
  );
  if (isNew) {
    log.warn({ connection: connection.name }, 'what was made on the server is gone; reading everything again');
    const detail =
      'The newest resources made there are gone or older than they were: the server was wiped or restored.';
    emit({ kind: 'epoch', connection: connection.name, detail });
  }
  return epochOf(next);
}

/** `back`: at an earlier version, which no delete explains. `deleted`: the server remembers it, so it lost nothing of it. */
async function look(context: RunContext, canary: SqlRow): Promise<'alive' | 'deleted' | 'lost' | 'back' | 'unknown'> {
  const reply = await context.client.read(String(canary.type), String(canary.remote_id));
  if (!reply.ok) {
    if (reply.failure.status === 410) return 'deleted';
    const isLost = saysAbsent(reply.failure) && !(await isAboutType(context, String(canary.type), reply.failure));
    return isLost ? 'lost' : 'unknown';
  }
  const [type, id] = [String(canary.type), String(canary.remote_id)];
  // Another of ours has its id.
  if (await hasAnothers(context, type, id, reply.value.body, false)) return 'back';
  const known = typeof canary.remote_version === 'string' ? canary.remote_version : undefined;
  return isEarlierVersion(reply.value.versionId, known) ? 'back' : 'alive';
}

// Absence proves nothing: what is missing where it should have been is asked for by its id. Deleted is what answers 410, or
// 404 twice with a day between. What a replaced server has not shown since was lost by it at the first 404. docs/sync-spec.md#I21
import type { Bundle } from '@medplum/fhirtypes';
import type { Lease } from '../../store/lease.ts';
import type { Statement } from '../../store/store.ts';
import { actorOf, pulls } from '../connections/settings.ts';
import { ownExchanges, type RunContext, realNow } from '../context.ts';
import { readLinkMarks } from '../identity.ts';
import { inParallel } from '../in-parallel.ts';
import { writeMessage } from '../messages/message-log.ts';
import { heldAmong } from '../patients/held.ts';
import { readRecord } from '../patients/read-record.ts';
import { isAboutType } from '../push/without-door.ts';
import { readUnseen, seen } from '../unseen.ts';
import { hasAnothers } from './given-out-again.ts';
import { applyPage } from './pull-page.ts';

const DAY = 24 * 60 * 60_000;
const MOST = 500;
const PROBES_PER_COMMIT = 200;
const NONE: Bundle = { resourceType: 'Bundle', type: 'searchset', entry: [] };

const START = `INSERT INTO delete_probe (connection, type, remote_id, missed_at, next_at) VALUES (?, ?, ?, NULL, ?)
  ON CONFLICT (connection, type, remote_id)`;

/** Asks for the resource at the next pull, unless that was arranged already. */
export function startProbe(connection: string, type: string, remoteId: string, now: number): Statement {
  return { sql: `${START} DO NOTHING`, params: [connection, type, remoteId, now] };
}

/** The same at the next pull also when it has been missed before: there is nothing to wait for any more. */
export function startProbeAtOnce(connection: string, type: string, remoteId: string, now: number): Statement {
  return { sql: `${START} DO UPDATE SET next_at = excluded.next_at`, params: [connection, type, remoteId, now] };
}

/** The same for many. @param ids remote ids */
export async function startProbes(
  context: RunContext,
  type: string,
  ids: readonly string[],
  lease: Lease,
): Promise<void> {
  const { store, connection, runId } = context;
  for (let start = 0; start < ids.length; start += PROBES_PER_COMMIT) {
    const probes = ids
      .slice(start, start + PROBES_PER_COMMIT)
      .map((id) => startProbe(connection.name, type, id, realNow(context)));
    await store.commit(actorOf(connection, runId), [], [...probes, lease.fence]);
  }
}

/** A first 404, met while doing something else. */
export function startMissed(connection: string, type: string, remoteId: string, now: number): Statement {
  const sql = `INSERT INTO delete_probe (connection, type, remote_id, missed_at, next_at) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (connection, type, remote_id) DO UPDATE SET missed_at = COALESCE(delete_probe.missed_at, excluded.missed_at)`;
  return { sql, params: [connection, type, remoteId, now, now + DAY] };
}

/** Carries out the probes that are due. @returns how many resources turned out to be deleted or changed */
export async function runProbes(context: RunContext, lease: Lease): Promise<number> {
  const { store, connection, remote } = context;
  const sql = `SELECT type, remote_id, missed_at FROM delete_probe WHERE connection = ? AND next_at <= ?
    ORDER BY next_at, type, remote_id LIMIT ${MOST}`;
  const due = await store.query(sql, [connection.name, realNow(context)]);
  let applied = 0;
  const isOver = () => context.signal.aborted || lease.signal.aborted || remote.breaker.status.state !== 'closed';
  await inParallel(
    due,
    remote.concurrency,
    async (row) => {
      const missedAt = row.missed_at === null ? undefined : Number(row.missed_at);
      applied += await probe(ownExchanges(context), String(row.type), String(row.remote_id), missedAt, lease);
    },
    isOver,
  );
  return applied;
}

async function probe(
  context: RunContext,
  type: string,
  remoteId: string,
  missedAt: number | undefined,
  lease: Lease,
): Promise<number> {
  const { connection, runId, store, client } = context;
  const link = (await readLinkMarks(store, connection.name, type, [remoteId])).get(remoteId);
  const now = realNow(context);
  const end: Statement = {
    sql: 'DELETE FROM delete_probe WHERE connection = ? AND type = ? AND remote_id = ?',
    params: [connection.name, type, remoteId],
  };
  const commit = async (
    outcome: string,
    statements: readonly Statement[],
    page: Bundle = NONE,
    gone: readonly string[] = [],
    isLost = false,
  ) => {
    const about = { connection: connection.name, runId, direction: 'pull', type, remoteId, outcome } as const;
    const messages = () => context.exchanges.take().map((exchange) => writeMessage({ ...about, exchange }, now));
    const alongside = () => [...statements, lease.fence, ...messages()];
    return (await applyPage(context, type, page, alongside, { remoteIds: gone, isLost })).applied;
  };
  const isLinked = link !== undefined && link.state !== 'tombstone';
  const isKnown = isLinked || (await heldAmong(store, connection.name, type, [remoteId])).has(remoteId);
  if (!isKnown) return commit('unlinked', [end]);
  const reply = await readRecord(client, type, remoteId);
  if (reply.ok) {
    const { body } = reply.value;
    const isUnseen = (await readUnseen(store, connection.name, type, remoteId)) !== undefined;
    if (isUnseen && (await hasAnothers(context, type, remoteId, body, true)))
      return commit('lost', [end], NONE, [remoteId], true);
    const shown = [end, seen(connection.name, type, [remoteId])];
    // What only goes out is there; what it says does not come in.
    const page = body && pulls(connection, type) ? { ...NONE, entry: [{ resource: body }] } : NONE;
    return commit('alive', shown, page);
  }
  const { status } = reply.failure;
  const isMissing = status === 404 && !(await isAboutType(context, type, reply.failure));
  const isDeleted = status === 410;
  const unseen = isMissing || isDeleted ? await readUnseen(store, connection.name, type, remoteId) : undefined;
  // A server that still knows that it was deleted has not lost it, unless a person says so.
  const isLost = (isMissing && unseen === 'missing') || ((isMissing || isDeleted) && unseen === 'lost');
  if (isLost) return commit('lost', [end], NONE, [remoteId], isLost);
  // Who is not in scope any more was to be read once; that they are not ours to read changes nothing, nor that they are hidden.
  const isOut = type === 'Patient' && context.scope?.has(remoteId) === false;
  if (isOut && !isDeleted && reply.failure.class === 'permanent') return commit(reply.failure.class, [end]);
  // Of what a replaced server has not shown, it is first compared how much is missing.
  const mayBeLost = unseen === 'replaced';
  const seenMissing = isMissing && !mayBeLost && missedAt !== undefined && now - missedAt >= DAY;
  if (isDeleted || seenMissing) return commit('deleted', [end], NONE, [remoteId]);
  const later = (missed: number | undefined, at: number): Statement => ({
    sql: `UPDATE delete_probe SET missed_at = ?, next_at = ? WHERE connection = ? AND type = ? AND remote_id = ?`,
    params: [missed ?? null, at, connection.name, type, remoteId],
  });
  if (isMissing) return commit('missing', [later(missedAt ?? now, (mayBeLost ? now : (missedAt ?? now)) + DAY)]);
  // No answer about the resource: after a refusal tomorrow, otherwise at the next pull.
  return commit(reply.failure.class, [later(missedAt, reply.failure.class === 'permanent' ? now + DAY : now)]);
}

// Which linked resources of a type are there, where nothing lists them: each is asked for by its id, and what it says is not taken in.
// docs/sync-spec.md#I21
import { saysAbsent } from '../../remote/absence.ts';
import type { Lease } from '../../store/lease.ts';
import { actorOf } from '../connections/settings.ts';
import { ownExchanges, type RunContext, realNow } from '../context.ts';
import { isThere } from '../identity-row.ts';
import { inParallel } from '../in-parallel.ts';
import { writeMessage } from '../messages/message-log.ts';
import { readRecord } from '../patients/read-record.ts';
import { isAboutType } from '../push/without-door.ts';
import { hasAnothers } from './given-out-again.ts';
import { IdSet } from './id-set.ts';
import type { Listed } from './list-remote.ts';

const CHUNK = 500;

/** @param all also those that the server has shown since it was replaced */
export async function readEach(
  context: RunContext,
  type: string,
  lease: Lease,
  all: boolean,
): Promise<Pick<Listed, 'ids' | 'complete'>> {
  const run = ownExchanges(context);
  const { store, connection, runId, client, remote } = run;
  const ids = new IdSet();
  let complete = true;
  const isOver = () =>
    !complete || context.signal.aborted || lease.signal.aborted || remote.breaker.status.state !== 'closed';
  const sql = `SELECT remote_id, unseen FROM identity WHERE connection = ? AND type = ? AND ${isThere()}
    AND how <> 'projected' AND remote_id > ? ORDER BY remote_id LIMIT ${CHUNK}`;
  for (let last = ''; !isOver(); ) {
    const rows = await store.query(sql, [connection.name, type, last]);
    const isAsked = (unseen: unknown) => all || unseen !== null;
    for (const row of rows) if (!isAsked(row.unseen)) ids.add(String(row.remote_id));
    const asked = rows.filter(({ unseen }) => isAsked(unseen)).map((row) => String(row.remote_id));
    await inParallel(
      asked,
      remote.concurrency,
      async (id) => {
        const reply = await readRecord(client, type, id);
        if (reply.ok && (await hasAnothers(run, type, id, reply.value.body, true))) return;
        if (reply.ok) ids.add(id);
        // A type that the server has no more says nothing about any of them.
        else if (!saysAbsent(reply.failure) || (await isAboutType(run, type, reply.failure))) complete = false;
      },
      isOver,
    );
    const about = { connection: connection.name, runId, direction: 'pull', type, outcome: 'swept' } as const;
    const messages = run.exchanges
      .take()
      .map((exchange) => writeMessage({ ...about, keepResponse: false, exchange }, realNow(run)));
    if (messages.length > 0) await store.commit(actorOf(connection, runId), [], [...messages, lease.fence]);
    if (rows.length < CHUNK) return { ids, complete: complete && !isOver() };
    last = String(rows.at(-1)?.remote_id);
  }
  return { ids, complete: false };
}

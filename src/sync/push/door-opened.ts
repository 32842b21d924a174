// What was not sent because the server did not take its type, and goes when it does. docs/sync-spec.md#I29
import type { Statement } from '../../store/store.ts';
import { actorOf, pushes } from '../connections/settings.ts';
import { type RunContext, realNow } from '../context.ts';
import { forgetWriteRefusal } from '../pull/type-refusal.ts';
import { mark, NO_CAPABILITY } from './outbox.ts';

const AT_A_TIME = 500;
/** Ended without being sent, and nothing about the resource since. */
const ENDED = `SELECT local_id, MAX(upto_sequence) AS sequence FROM outbox
  WHERE connection = ? AND type = ? AND state = 'superseded' AND fault = '${NO_CAPABILITY}' AND local_id > ?
  AND NOT EXISTS (SELECT 1 FROM outbox AS later WHERE later.connection = outbox.connection AND later.type = outbox.type
    AND later.local_id = outbox.local_id
    AND (later.upto_sequence > outbox.upto_sequence OR (later.upto_sequence = outbox.upto_sequence AND later.at > outbox.at)))
  GROUP BY local_id ORDER BY local_id LIMIT ${AT_A_TIME}`;

/** Those of some types whose door the server has opened, by what it states. */
export async function takeUpAgain(context: RunContext, types: readonly string[]): Promise<void> {
  const { store, connection, runId } = context;
  for (const type of types.filter((one) => pushes(connection, one))) {
    await forgetWriteRefusal(context, type, true);
    await store.commit(actorOf(connection, runId), [], [takeUpWaiting(connection.name, type)]);
    for (let last = ''; ; ) {
      const rows = await store.query(ENDED, [connection.name, type, last]);
      const now = realNow(context);
      const marks = rows.map((row) => mark(connection.name, type, String(row.local_id), Number(row.sequence), now));
      if (marks.length > 0) await store.commit(actorOf(connection, runId), [], marks);
      if (rows.length < AT_A_TIME) break;
      last = String(rows.at(-1)?.local_id);
    }
  }
}

/** Those that wait because it was refused against what the server states. */
export function takeUpWaiting(connection: string, type: string): Statement {
  const sql = `UPDATE outbox SET next_at = 0, waits_for = NULL
    WHERE connection = ? AND type = ? AND state = 'queued' AND waits_for = '${NO_CAPABILITY}'`;
  return { sql, params: [connection, type] };
}

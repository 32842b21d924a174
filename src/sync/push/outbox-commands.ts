// What a person may do with an outbox row: have it sent again, or give it up. docs/sync-spec.md#I11 docs/sync-spec.md#I22
import { Fault } from '../../fault.ts';
import type { Actor, Statement, Store } from '../../store/store.ts';
import { readOpenConflict } from '../conflicts/conflict.ts';
import { mark, OUTBOX, type OutboxRow, type OutboxState, readOutbox, readOutboxRow } from './outbox.ts';

/** States that a person's retry takes to `queued`; the others are either there already or have ended for good. */
const RETRIED = statesThat('retry', 'queued');
const REJECTED = statesThat('reject', 'rejected');

/** How the fault of a row begins that nobody has to look after any more. */
export const GIVEN_UP = 'Given up by a person';

/**
 * Queues the row at once, with its attempts forgotten; what is known of an attempt with unknown effect stays, so that it is
 * looked for first. Doing it twice is doing it once.
 * @throws Fault not-found | conflict, when it is being sent, has ended, or another row of the resource is alive
 */
export async function retryRow(store: Store, actor: Actor, id: string, now: number): Promise<OutboxRow> {
  const row = await requireRow(store, id);
  requireIdle(row, now);
  if (!RETRIED.includes(row.state)) {
    throw new Fault(
      'conflict',
      `Outbox entry ${id} is ${row.state}; change the resource, or replay one of its messages.`,
    );
  }
  const newest = await readOutbox(store, row.connection, row.type, row.localId);
  if (newest && newest.id !== id) {
    throw new Fault('conflict', `A newer entry of ${row.type}/${row.localId} is ${newest.state}: ${newest.id}.`);
  }
  await store.commit(actor, [], [requeue(row)]);
  return requireRow(store, id);
}

/**
 * Gives the row up, also one that the server refused: it stays for the record, no alert is on because of it, and only a newer
 * version of the resource is sent again.
 * @throws Fault not-found | conflict, when it is being sent or has ended otherwise
 */
export async function rejectRow(
  store: Store,
  actor: Actor,
  id: string,
  reason: string | undefined,
  now: number,
): Promise<OutboxRow> {
  const row = await requireRow(store, id);
  requireIdle(row, now);
  if (!REJECTED.includes(row.state)) throw new Fault('conflict', `Outbox entry ${id} is ${row.state} already.`);
  const sql = `UPDATE outbox SET state = 'rejected', fault = ?, waits_for = NULL, replay_of = NULL, lease_token = NULL
    WHERE id = ? AND state IN (${list(REJECTED)})`;
  const fault = reason === undefined ? `${GIVEN_UP}.` : `${GIVEN_UP}: ${reason}`;
  await store.commit(actor, [], [{ sql, params: [fault, id], rows: 1 }]);
  return requireRow(store, id);
}

/** `queued`, or why the resource cannot be sent again now. */
export type Requeued = 'queued' | 'in-progress' | 'in-conflict' | 'unknown-resource';

/** Marks the resource as to be sent again because of a message; at most one row of it lives, whatever is asked how often. */
export async function sendAgain(
  store: Store,
  actor: Actor,
  about: { readonly connection: string; readonly type: string; readonly localId: string; readonly message: string },
  now: number,
): Promise<Requeued> {
  const { connection, type, localId, message } = about;
  const stored = await store.read(type, localId);
  if (!stored) return 'unknown-resource';
  if (await readOpenConflict(store, connection, type, localId)) return 'in-conflict';
  const row = await readOutbox(store, connection, type, localId);
  if (row && isBusy(row, now)) return 'in-progress';
  const live = row && LIVE.includes(row.state);
  const statements = live ? [requeue(row)] : [mark(connection, type, localId, stored.sequence, now)];
  const naming = `UPDATE outbox SET replay_of = ? WHERE connection = ? AND type = ? AND local_id = ? AND state = 'queued'`;
  await store.commit(
    actor,
    [],
    [...statements, { sql: naming, params: [message, connection, type, localId], rows: 1 }],
  );
  return 'queued';
}

const LIVE: readonly OutboxState[] = ['queued', 'sending', 'parked', 'withheld'];

/** An interrupted attempt may have had an effect, which is looked for first. */
function requeue(row: OutboxRow): Statement {
  const sql = `UPDATE outbox SET state = 'queued', attempts = 0, next_at = 0, waits_for = NULL, rebases = 0,
    fault_class = CASE state WHEN 'sending' THEN 'ambiguous' ELSE fault_class END, lease_token = NULL, lease_until = NULL
    WHERE id = ? AND state = ? AND NOT EXISTS (SELECT 1 FROM outbox AS other WHERE other.connection = outbox.connection
      AND other.type = outbox.type AND other.local_id = outbox.local_id AND other.id <> outbox.id
      AND other.state IN (${list(LIVE)}))`;
  return { sql, params: [row.id, row.state], rows: 1 };
}

function requireIdle(row: OutboxRow, now: number): void {
  if (isBusy(row, now)) throw new Fault('conflict', `Outbox entry ${row.id} is being sent right now.`);
}

function isBusy({ state, leaseUntil }: OutboxRow, now: number): boolean {
  return state === 'sending' && leaseUntil > now;
}

async function requireRow(store: Store, id: string): Promise<OutboxRow> {
  const row = await readOutboxRow(store, id);
  if (row) return row;
  throw new Fault('not-found', `There is no outbox entry ${id}.`);
}

function statesThat(event: 'retry' | 'reject', leads: OutboxState): OutboxState[] {
  return (Object.keys(OUTBOX) as OutboxState[]).filter((state) => OUTBOX[state][event] === leads);
}

const list = (states: readonly OutboxState[]) => states.map((state) => `'${state}'`).join(', ');

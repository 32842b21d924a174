// Merges of patients that have still to be followed: a row each, so that a crash in the middle forgets none.
import type { Statement, Store } from '../../store/store.ts';

/**
 * `reported` by the server: what came from it moves. `decided` by a person: everything moves. `asked`: there is more than
 * came from the server, and a person must say.
 */
export type MergeState = 'reported' | 'decided' | 'asked' | 'done';

export interface MergeJob {
  readonly connection: string;
  readonly fromRemote: string;
  readonly toRemote: string;
  readonly fromLocal: string;
  /** The same when only the record there changed. */
  readonly toLocal: string;
}

const KEY = 'connection = ? AND from_remote = ? AND to_remote = ?';

export function reportMerge(job: MergeJob, now: number): Statement {
  return save(job, 'reported', now);
}

export function decideMerge(job: MergeJob, now: number): Statement {
  return save(job, 'decided', now);
}

function save(job: MergeJob, state: MergeState, now: number): Statement {
  const sql = `INSERT INTO patient_merge (connection, from_remote, to_remote, from_local, to_local, state, at)
    VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (connection, from_remote, to_remote) DO UPDATE SET
      from_local = excluded.from_local, to_local = excluded.to_local, state = excluded.state, at = excluded.at`;
  const { connection, fromRemote, toRemote, fromLocal, toLocal } = job;
  return { sql, params: [connection, fromRemote, toRemote, fromLocal, toLocal, state, now] };
}

/** One that has still to be followed, as it was read. */
export type OpenMerge = MergeJob & { readonly state: MergeState };

/** Of one that was reported or decided once more since, nothing changes: it is followed again. */
export function setMergeState(
  { connection, fromRemote, toRemote, fromLocal, toLocal, state: before }: OpenMerge,
  state: MergeState,
): Statement {
  return {
    sql: `UPDATE patient_merge SET state = ? WHERE ${KEY} AND from_local = ? AND to_local = ? AND state = ?`,
    params: [state, connection, fromRemote, toRemote, fromLocal, toLocal, before],
  };
}

/** The server took its merge back: what has not moved stays. */
export function undoMerge(connection: string, fromRemote: string): Statement {
  return {
    sql: 'DELETE FROM patient_merge WHERE connection = ? AND from_remote = ?',
    params: [connection, fromRemote],
  };
}

/** Whether a person has said that one of ours is to be merged into another, and it has not been done yet. */
export async function isToBeMerged(store: Pick<Store, 'query'>, connection: string, localId: string): Promise<boolean> {
  const sql = "SELECT 1 FROM patient_merge WHERE connection = ? AND from_local = ? AND state = 'decided' LIMIT 1";
  return (await store.query(sql, [connection, localId])).length > 0;
}

export async function openMerges(store: Pick<Store, 'query'>, connection: string): Promise<OpenMerge[]> {
  const sql = `SELECT * FROM patient_merge WHERE connection = ? AND state IN ('reported', 'decided') ORDER BY at`;
  const rows = await store.query(sql, [connection]);
  return rows.map((row) => ({
    connection: String(row.connection),
    fromRemote: String(row.from_remote),
    toRemote: String(row.to_remote),
    fromLocal: String(row.from_local),
    toLocal: String(row.to_local),
    state: String(row.state) as MergeState,
  }));
}

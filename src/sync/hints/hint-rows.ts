// Hints that wait to be read. A row is a mark, not a message: however often a resource is hinted at, it is read once.
import type { SqlRow, Statement, Store } from '../../store/store.ts';

const FIRST_WAIT = 1_000;
const LONGEST_WAIT = 15 * 60_000;

export interface HintRow {
  readonly type: string;
  /** Empty for the whole stream. */
  readonly remoteId: string;
  readonly marks: number;
  readonly attempts: number;
}

const MARK = `INSERT INTO hint (connection, type, remote_id, marks, attempts, next_at, at) VALUES (?, ?, ?, 1, 0, ?, ?)
  ON CONFLICT (connection, type, remote_id) DO UPDATE SET marks = hint.marks + 1, attempts = 0, next_at = excluded.next_at`;
const DUE = `SELECT type, remote_id, marks, attempts FROM hint WHERE connection = ? AND next_at <= ?
  ORDER BY remote_id <> '', at LIMIT ?`;

/** @param remoteId empty for the whole stream */
export function markHint(connection: string, type: string, remoteId: string, now: number): Statement {
  return { sql: MARK, params: [connection, type, remoteId, now, now] };
}

export async function dueHints(
  store: Pick<Store, 'query'>,
  connection: string,
  now: number,
  most: number,
): Promise<HintRow[]> {
  return (await store.query(DUE, [connection, now, most])).map(toRow);
}

export async function waitingHints(store: Pick<Store, 'query'>, connection: string, type: string): Promise<number> {
  const sql = 'SELECT COUNT(*) AS n FROM hint WHERE connection = ? AND type = ?';
  return Number((await store.query(sql, [connection, type]))[0]?.n ?? 0);
}

/** Ends a hint, unless another came meanwhile. */
export function endHint(connection: string, { type, remoteId, marks }: HintRow): Statement {
  const sql = 'DELETE FROM hint WHERE connection = ? AND type = ? AND remote_id = ? AND marks = ?';
  return { sql, params: [connection, type, remoteId, marks] };
}

/** Ends all hints of a type, because its whole stream will be read. */
export function endHintsOf(connection: string, type: string): Statement {
  const sql = "DELETE FROM hint WHERE connection = ? AND type = ? AND remote_id <> ''";
  return { sql, params: [connection, type] };
}

/** Tries a hint again later. @param now epoch milliseconds. @param random between 0 and 1 */
export function putOff(connection: string, row: HintRow, now: number, random: number): Statement {
  const attempts = row.attempts + 1;
  const sql = `UPDATE hint SET attempts = ?, next_at = ?
    WHERE connection = ? AND type = ? AND remote_id = ? AND marks = ?`;
  const wait = Math.ceil(random * Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** attempts));
  return { sql, params: [attempts, now + wait, connection, row.type, row.remoteId, row.marks] };
}

function toRow(row: SqlRow): HintRow {
  return {
    type: String(row.type),
    remoteId: String(row.remote_id),
    marks: Number(row.marks),
    attempts: Number(row.attempts),
  };
}

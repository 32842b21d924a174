// The table of what is to leave, by which channel, to whom, and how that went.
import type { SqlRow, Statement, Store } from '../store/store.ts';

export interface NotificationRow {
  readonly id: string;
  /** Id of the CommunicationRequest. */
  readonly request: string;
  /** Position of the channel in the route. */
  readonly step: number;
  readonly channel: string;
  readonly address: string;
  readonly facility: string;
  readonly urgent: boolean;
  readonly attempts: number;
}

export type NewRow = Omit<NotificationRow, 'attempts'> & {
  /** Epoch milliseconds. */
  readonly nextAt: number;
  readonly state: 'waiting' | 'undelivered';
  readonly detail?: string;
};

const COLUMNS = 'id, request, step, channel, address, facility, urgent, attempts';

/** Nothing when it is there already. */
export function insertRow(row: NewRow, now: number): Statement {
  const { id, request, step, channel, address, facility, urgent, state, nextAt, detail } = row;
  return {
    sql: `INSERT INTO notification (${COLUMNS}, state, next_at, detail, at) VALUES (?, ?, ?, ?, ?, ?, ?, 0, ?, ?, ?, ?)
      ON CONFLICT (id) DO NOTHING`,
    params: [id, request, step, channel, address, facility, Number(urgent), state, nextAt, detail ?? null, now],
  };
}

/** Urgent ones first, then those that have waited longest. */
export async function dueRows(store: Store, now: number, most: number): Promise<NotificationRow[]> {
  const rows = await store.query(
    `SELECT ${COLUMNS} FROM notification WHERE state = 'waiting' AND next_at <= ? ORDER BY urgent DESC, next_at, id LIMIT ?`,
    [now, most],
  );
  return rows.map(rowOf);
}

/** Of those that wait for no digest: the other rows of the same channel and address, due or not. */
export async function waitingFor(store: Store, { channel, address }: NotificationRow): Promise<NotificationRow[]> {
  const rows = await store.query(
    `SELECT ${COLUMNS} FROM notification WHERE state = 'waiting' AND attempts = 0 AND channel = ? AND address = ?
      ORDER BY at, id LIMIT 200`,
    [channel, address],
  );
  return rows.map(rowOf);
}

/** Holds only while the row waits as it did when it was read. */
export function settleRow(
  { id, attempts }: NotificationRow,
  state: 'sent' | 'failed' | 'undelivered' | 'dropped',
  detail: string | null,
  now: number,
): Statement {
  return {
    sql: `UPDATE notification SET state = ?, detail = ?, attempts = attempts + 1, at = ?
      WHERE id = ? AND state = 'waiting' AND attempts = ?`,
    params: [state, detail, now, id, attempts],
    rows: 1,
  };
}

export function postponeRow({ id, attempts }: NotificationRow, nextAt: number, detail: string): Statement {
  return {
    sql: `UPDATE notification SET next_at = ?, detail = ?, attempts = attempts + 1
      WHERE id = ? AND state = 'waiting' AND attempts = ?`,
    params: [nextAt, detail, id, attempts],
    rows: 1,
  };
}

/** Clears the way for telling somebody anew whom no channel has reached. */
export function forgetFailed(request: string): Statement {
  return {
    sql: "DELETE FROM notification WHERE request = ? AND state IN ('failed', 'undelivered')",
    params: [request],
  };
}

/** Nobody needs to be told any more. */
export function dropRows(request: string): Statement {
  return {
    sql: "UPDATE notification SET state = 'dropped' WHERE request = ? AND state IN ('waiting', 'undelivered')",
    params: [request],
  };
}

export async function hasOpenRows(store: Store, request: string): Promise<boolean> {
  const sql = "SELECT 1 AS one FROM notification WHERE request = ? AND state IN ('waiting', 'undelivered') LIMIT 1";
  return (await store.query(sql, [request])).length > 0;
}

/** Whether one of the same step has arrived, or may still. */
export async function hasOther(store: Store, { request, step, id }: NotificationRow): Promise<boolean> {
  const sql = `SELECT 1 AS one FROM notification WHERE request = ? AND step = ? AND id <> ?
    AND state IN ('waiting', 'sent') LIMIT 1`;
  return (await store.query(sql, [request, step, id])).length > 0;
}

function rowOf(row: SqlRow): NotificationRow {
  return {
    id: String(row.id),
    request: String(row.request),
    step: Number(row.step),
    channel: String(row.channel),
    address: String(row.address),
    facility: String(row.facility),
    urgent: Number(row.urgent) === 1,
    attempts: Number(row.attempts),
  };
}

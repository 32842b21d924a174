// What operators are told of, as rows: each beginning and each end once, whatever restarts and however many processes look.
// The row of what is on and the alert are one commit.
import { randomUUID } from 'node:crypto';
import { asFault } from '../fault.ts';
import { BATON, type Statement, type Store } from './store.ts';

/** Subject of alerts about Baton's own clockwork; no connection can be called that. */
export const CLOCKWORK = 'baton/follow-ups';

export interface AlertRow {
  /** Name of the connection, or of the part of Baton, that it is about. */
  readonly subject: string;
  readonly event: string;
  /** One sentence with numbers, without patient data. */
  readonly detail: string;
  /** Operators have it from a channel already. */
  readonly isTold?: boolean;
}

/** Conditions of a subject that operators were told of and that are still on. */
export async function readActiveAlerts(store: Pick<Store, 'query'>, subject: string): Promise<string[]> {
  const sql = 'SELECT condition FROM alert_state WHERE connection = ? ORDER BY condition';
  return (await store.query(sql, [subject])).map(({ condition }) => String(condition));
}

/**
 * Tells that a condition has begun or ended.
 * @param now epoch milliseconds of the machine's clock
 * @returns false when another process was faster
 */
export async function turnAlert(
  store: Store,
  alert: AlertRow,
  condition: string,
  isOn: boolean,
  now: number,
): Promise<boolean> {
  const change = isOn ? begin(alert.subject, condition, now) : end(alert.subject, condition);
  try {
    await store.commit(BATON, [], [change, writeAlert(alert, now)]);
    return true;
  } catch (error) {
    if (asFault(error).kind === 'conflict') return false;
    throw error;
  }
}

/** An alert that has no end. */
export function writeAlert({ subject, event, detail, isTold = false }: AlertRow, now: number): Statement {
  return {
    sql: 'INSERT INTO alert (id, connection, event, detail, at, told_at) VALUES (?, ?, ?, ?, ?, ?)',
    params: [randomUUID(), subject, event, detail, now, isTold ? now : null],
  };
}

export interface UntoldAlert extends Required<Omit<AlertRow, 'isTold'>> {
  readonly id: string;
  /** Epoch milliseconds. */
  readonly at: number;
}

/** Alerts since a moment, the oldest first, that no channel has taken. @param since epoch milliseconds */
export async function readUntoldAlerts(store: Pick<Store, 'query'>, since: number): Promise<UntoldAlert[]> {
  const rows = await store.query(
    'SELECT id, connection, event, detail, at FROM alert WHERE told_at IS NULL AND at > ? ORDER BY at, id LIMIT 100',
    [since],
  );
  return rows.map(({ id, connection, event, detail, at }) => ({
    id: String(id),
    subject: String(connection),
    event: String(event),
    detail: String(detail),
    at: Number(at),
  }));
}

/** A channel has taken it. @param now epoch milliseconds */
export function tellAlert(id: string, now: number): Statement {
  return { sql: 'UPDATE alert SET told_at = ? WHERE id = ?', params: [now, id] };
}

function begin(subject: string, condition: string, now: number): Statement {
  const sql = `INSERT INTO alert_state (connection, condition, since) VALUES (?, ?, ?)
    ON CONFLICT (connection, condition) DO NOTHING`;
  return { sql, params: [subject, condition, now], rows: 1 };
}

function end(subject: string, condition: string): Statement {
  const sql = 'DELETE FROM alert_state WHERE connection = ? AND condition = ?';
  return { sql, params: [subject, condition], rows: 1 };
}

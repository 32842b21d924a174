// Tells operators of changes of state, each once, whatever restarts and however many processes look. What is on is a row,
// and the row and the alert are one commit. docs/sync-spec.md#I19 docs/sync-spec.md#I23
import { randomUUID } from 'node:crypto';
import { asFault } from '../../fault.ts';
import { BATON, type Statement, type Store } from '../../store/store.ts';
import type { Connection } from '../connections/settings.ts';
import type { ConnectionHealth } from '../status.ts';
import { readActive } from './active-alerts.ts';
import { type AlertThresholds, CONDITIONS, type Condition } from './alert-kinds.ts';

export interface Alert {
  readonly connection: string;
  readonly event: string;
  readonly detail: string;
}

/**
 * Compares how a connection is doing with what was told of it.
 * @param now epoch milliseconds of the machine's clock
 * @returns what has changed, once it is on disk
 */
export async function raiseAlerts(
  store: Store,
  connection: Connection,
  status: ConnectionHealth,
  thresholds: AlertThresholds,
  now: number,
): Promise<Alert[]> {
  const on = new Set(await readActive(store, connection.name));
  const raised: Alert[] = [];
  for (const [condition, kind] of Object.entries(CONDITIONS) as [Condition, (typeof CONDITIONS)[Condition]][]) {
    const isOn = kind.isOn(status, connection, thresholds);
    if (isOn === on.has(condition)) continue;
    const event = isOn ? kind.begins : kind.ends;
    const alert = { connection: connection.name, event, detail: kind.tell(status) };
    const change = isOn ? begin(connection.name, condition, now) : end(connection.name, condition);
    if (await commitOnce(store, [change, write(alert, now)])) raised.push(alert);
  }
  return raised;
}

/** Tells of something that has no end. */
export async function raiseHappening(store: Store, alert: Alert, now: number): Promise<void> {
  await store.commit(BATON, [], [write(alert, now)]);
}

/** False when another process was faster. */
async function commitOnce(store: Store, statements: readonly Statement[]): Promise<boolean> {
  try {
    await store.commit(BATON, [], statements);
    return true;
  } catch (error) {
    if (asFault(error).kind === 'conflict') return false;
    throw error;
  }
}

function begin(connection: string, condition: Condition, now: number): Statement {
  const sql = `INSERT INTO alert_state (connection, condition, since) VALUES (?, ?, ?)
    ON CONFLICT (connection, condition) DO NOTHING`;
  return { sql, params: [connection, condition, now], rows: 1 };
}

function end(connection: string, condition: Condition): Statement {
  return {
    sql: 'DELETE FROM alert_state WHERE connection = ? AND condition = ?',
    params: [connection, condition],
    rows: 1,
  };
}

function write({ connection, event, detail }: Alert, now: number): Statement {
  return {
    sql: 'INSERT INTO alert (id, connection, event, detail, at) VALUES (?, ?, ?, ?, ?)',
    params: [randomUUID(), connection, event, detail, now],
  };
}

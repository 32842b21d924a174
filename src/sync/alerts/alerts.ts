// Tells operators of changes of state, each once, whatever restarts and however many processes look.
// docs/sync-spec.md#I19 docs/sync-spec.md#I23
import { type AlertRow, readActiveAlerts, turnAlert, writeAlert } from '../../store/alert.ts';
import { BATON, type Store } from '../../store/store.ts';
import type { Connection } from '../connections/settings.ts';
import type { ConnectionHealth } from '../status.ts';
import { type AlertThresholds, CONDITIONS, type Condition } from './alert-kinds.ts';

export interface Alert {
  readonly connection: string;
  readonly event: string;
  readonly detail: string;
}

/**
 * Compares how a connection is doing with what was told of it.
 * @param now epoch milliseconds of the machine's clock
 * @param conditions those that can be judged now
 * @returns what has changed, once it is on disk
 */
export async function raiseAlerts(
  store: Store,
  connection: Connection,
  status: ConnectionHealth,
  thresholds: AlertThresholds,
  now: number,
  conditions: Partial<typeof CONDITIONS>,
): Promise<Alert[]> {
  const on = new Set(await readActiveAlerts(store, connection.name));
  const raised: Alert[] = [];
  for (const [condition, kind] of Object.entries(conditions) as [Condition, (typeof CONDITIONS)[Condition]][]) {
    const isOn = kind.isOn(status, connection, thresholds);
    if (isOn === 'as-it-was' || isOn === on.has(condition)) continue;
    const event = isOn ? kind.begins : kind.ends;
    const alert = { connection: connection.name, event, detail: kind.tell(status) };
    if (await turnAlert(store, rowOf(alert), condition, isOn, now)) raised.push(alert);
  }
  return raised;
}

/**
 * Ends what was told of connections that were deleted: nobody looks at them any more.
 * @param isRunning whether this process has a connection of that name all the same
 * @returns what has ended, once it is on disk
 */
export async function endAlertsOfDeleted(
  store: Store,
  isRunning: (connection: string) => boolean,
  now: number,
): Promise<Alert[]> {
  const sql = `SELECT connection, condition FROM alert_state WHERE connection IN
    (SELECT name FROM connection_setting WHERE removed = 1) ORDER BY connection, condition`;
  const ended: Alert[] = [];
  for (const row of await store.query(sql)) {
    const connection = String(row.connection);
    const condition = String(row.condition) as Condition;
    if (isRunning(connection)) continue;
    const alert = { connection, event: CONDITIONS[condition].ends, detail: 'The connection was deleted.' };
    if (await turnAlert(store, rowOf(alert), condition, false, now)) ended.push(alert);
  }
  return ended;
}

/** Tells of something that has no end. */
export async function raiseHappening(store: Store, alert: Alert, now: number): Promise<void> {
  await store.commit(BATON, [], [writeAlert(rowOf(alert), now)]);
}

const rowOf = ({ connection, event, detail }: Alert): AlertRow => ({ subject: connection, event, detail });

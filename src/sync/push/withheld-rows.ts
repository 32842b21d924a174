// Outbox rows that a consent keeps here, and what takes them up again. docs/sync-spec.md#I30
import type { Statement, Store } from '../../store/store.ts';

/** Without a patient: any consent. */
export function waitsForConsent(patient = '*'): string {
  return `consent:${patient}`;
}

const TAKE_UP = `UPDATE outbox SET state = 'queued', waits_for = NULL, next_at = 0
  WHERE connection = ? AND state = 'withheld'`;

/** Takes up what waits for the consents of a patient. */
export function consentChanged(connection: string, patient: string): Statement {
  const targets = [waitsForConsent(patient), waitsForConsent()];
  return { sql: `${TAKE_UP} AND waits_for IN (?, ?)`, params: [connection, ...targets] };
}

/**
 * Takes up what is withheld and due by a time, because a consent begins or ends then; all of it without one, for settings
 * may have changed. Nothing when there is none.
 */
export async function withheldDue(store: Pick<Store, 'query'>, connection: string, by?: number): Promise<Statement[]> {
  const due = by === undefined ? '' : 'AND next_at > 0 AND next_at <= ?';
  const params = by === undefined ? [connection] : [connection, by];
  const sql = `SELECT 1 FROM outbox WHERE connection = ? AND state = 'withheld' ${due} LIMIT 1`;
  const found = await store.query(sql, params);
  return found.length === 0 ? [] : [{ sql: `${TAKE_UP} ${due}`, params }];
}

// Connections as rows: those made through /ops, and modes that operators gave the others. No secret is ever in them.
import type { Statement, Store } from '../../store/store.ts';
import type { Connection } from './settings.ts';

export interface ConnectionRow {
  readonly name: string;
  /** undefined: what the configuration file says. */
  readonly settings: Connection | undefined;
  readonly mode: Connection['mode'];
  readonly version: number;
  readonly removed: boolean;
}

export async function readConnectionRows(store: Pick<Store, 'query'>): Promise<ConnectionRow[]> {
  const rows = await store.query('SELECT name, settings, mode, version, removed FROM connection_setting ORDER BY name');
  return rows.map(({ name, settings, mode, version, removed }) => ({
    name: String(name),
    settings: settings === null ? undefined : JSON.parse(String(settings)),
    mode: String(mode) as Connection['mode'],
    version: Number(version),
    removed: Number(removed) === 1,
  }));
}

/**
 * Writes a row over the one that was read. The commit fails with a conflict when another operator was faster.
 * @param before undefined when there was none
 */
export function writeConnectionRow(
  row: Omit<ConnectionRow, 'version'>,
  before: ConnectionRow | undefined,
  changedBy: string,
  now: number,
): Statement {
  const { name, settings, mode, removed } = row;
  const values = [settings ? JSON.stringify(settings) : null, mode, removed ? 1 : 0, changedBy, now];
  if (before) {
    const sql = `UPDATE connection_setting SET settings = ?, mode = ?, removed = ?, changed_by = ?, at = ?,
      version = version + 1 WHERE name = ? AND version = ?`;
    return { sql, params: [...values, name, before.version], rows: 1 };
  }
  const sql = `INSERT INTO connection_setting (settings, mode, removed, changed_by, at, name, version)
    VALUES (?, ?, ?, ?, ?, ?, 1) ON CONFLICT (name) DO NOTHING`;
  return { sql, params: [...values, name], rows: 1 };
}

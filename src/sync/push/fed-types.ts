// How far each type that flows out has been marked. One that is named later catches up from the beginning of the log, because
// the cursor of its connection has passed it; one that is back goes on where it was. docs/sync-spec.md#I2
import type { SqlRow, Statement, Store } from '../../store/store.ts';
import { actorOf, type Connection, pushes } from '../connections/settings.ts';

export interface FedType {
  readonly type: string;
  /** Everything of the type up to this position of the log has been marked. */
  readonly sequence: number;
}

/** The types that flow out now; those that never did stand at the beginning. */
export async function readFedTypes(store: Pick<Store, 'query'>, connection: Connection): Promise<FedType[]> {
  const rows = await store.query('SELECT type, sequence FROM fed_type WHERE connection = ?', [connection.name]);
  const known = new Map(rows.map(({ type, sequence }: SqlRow) => [String(type), Number(sequence)]));
  return typesOut(connection).map((type) => ({ type, sequence: known.get(type) ?? 0 }));
}

/** Makes the rows of those that have none. */
export async function beginFedTypes(store: Store, connection: Connection): Promise<void> {
  const rows = await store.query('SELECT type FROM fed_type WHERE connection = ?', [connection.name]);
  const known = new Set(rows.map(({ type }) => String(type)));
  const sql = `INSERT INTO fed_type (connection, type, sequence) VALUES (?, ?, 0) ON CONFLICT (connection, type) DO NOTHING`;
  const added = typesOut(connection)
    .filter((type) => !known.has(type))
    .map((type): Statement => ({ sql, params: [connection.name, type] }));
  if (added.length > 0) await store.commit(actorOf(connection), [], added);
}

/** Moves types that stand at `from`. The commit fails with a conflict when another process has moved one meanwhile. */
export function advanceFedTypes(connection: string, types: readonly string[], from: number, to: number): Statement {
  const sql = `UPDATE fed_type SET sequence = ? WHERE connection = ? AND sequence = ?
    AND type IN (${types.map(() => '?').join(', ')})`;
  return { sql, params: [to, connection, from, ...types], rows: types.length };
}

const typesOut = (connection: Connection) => Object.keys(connection.types).filter((type) => pushes(connection, type));

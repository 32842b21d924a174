// Small things known of a remote, by name, that outlive the process: so that one change of state is told once, whatever
// restarts in between.
import type { Statement, Store } from '../../store/store.ts';

type Queryable = Pick<Store, 'query'>;

export interface RemoteFact {
  readonly value: string;
  /** Epoch milliseconds of the machine's clock. */
  readonly at: number;
}

export async function readFact(store: Queryable, connection: string, name: string): Promise<RemoteFact | undefined> {
  const [row] = await store.query('SELECT value, at FROM remote_fact WHERE connection = ? AND name = ?', [
    connection,
    name,
  ]);
  return row && { value: String(row.value), at: Number(row.at) };
}

/** Facts whose names begin so, by what follows in the name; the oldest first, at most `most`. */
export async function readFacts(
  store: Queryable,
  connection: string,
  prefix: string,
  most = 10_000,
): Promise<Map<string, RemoteFact>> {
  const sql = `SELECT name, value, at FROM remote_fact WHERE connection = ? AND name LIKE ? ORDER BY at, name LIMIT ?`;
  const rows = await store.query(sql, [connection, `${prefix}%`, most]);
  return new Map(
    rows.map((row) => [String(row.name).slice(prefix.length), { value: String(row.value), at: Number(row.at) }]),
  );
}

export function saveFact(connection: string, name: string, value: string, now: number): Statement {
  const sql = `INSERT INTO remote_fact (connection, name, value, at) VALUES (?, ?, ?, ?)
    ON CONFLICT (connection, name) DO UPDATE SET value = excluded.value, at = excluded.at`;
  return { sql, params: [connection, name, value, now] };
}

export function forgetFact(connection: string, name: string): Statement {
  return { sql: 'DELETE FROM remote_fact WHERE connection = ? AND name = ?', params: [connection, name] };
}

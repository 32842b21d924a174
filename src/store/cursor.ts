// How far a reader of the log has come, as a row that moves together with what the reader did.
import type { Actor, Statement, Store } from './store.ts';

const SELECT = 'SELECT sequence FROM cursor WHERE name = ?';
const CREATE = 'INSERT INTO cursor (name, sequence) VALUES (?, ?) ON CONFLICT (name) DO NOTHING';
const ADVANCE = 'UPDATE cursor SET sequence = ? WHERE name = ? AND sequence = ?';

/** The last sequence that reader `name` is done with; undefined before it has begun. */
export async function readCursor(store: Pick<Store, 'query'>, name: string): Promise<number | undefined> {
  const [row] = await store.query(SELECT, [name]);
  return row && Number(row.sequence);
}

/** Makes the cursor of a new reader; keeps the one that is there. Returns where it stands. */
export async function beginCursor(store: Store, actor: Actor, name: string, sequence: number): Promise<number> {
  const known = await readCursor(store, name);
  if (known !== undefined) return known;
  await store.commit(actor, [], [{ sql: CREATE, params: [name, sequence] }]);
  return (await readCursor(store, name)) ?? sequence;
}

/** Moves the cursor, for `alongside`. The commit fails with a conflict when another process has moved it meanwhile. */
export function advanceCursor(name: string, from: number, to: number): Statement {
  return { sql: ADVANCE, params: [to, name, from], rows: 1 };
}

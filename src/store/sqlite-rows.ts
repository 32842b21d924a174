// Rows of a commit as SQLite's statements, one for each row: within a savepoint a statement of several rows is rolled back
// by a journal of its own, and letting go of it walks the whole journal of the savepoint, which took a millisecond in a
// transaction of 500 resources, against 5 µs for a row by itself. Of rows that are there only those that differ are
// touched: to look is cheap in the process's own file, and an update leaves most of them as they are.
import type { SqlRow, SqlValue } from './store.ts';
import type { Row, Table } from './table.ts';

/** What rows need of a connection. */
export interface RowStatements {
  /** @returns how many rows it changed */
  run(sql: string, params: readonly SqlValue[]): number;
  select(sql: string, params: readonly SqlValue[]): SqlRow[];
}

interface Texts {
  readonly select: string;
  readonly remove: string;
  readonly removeOne: string;
  /** Of a row whose key may be there. */
  readonly insert: string;
  /** Of one whose key is not. */
  readonly insertFresh: string;
}

const texts = new Map<Table, Texts>();

/** Runs every statement that makes `rows` the rows of `table` that have the key. */
export function putRows(
  statements: RowStatements,
  table: Table,
  key: number,
  rows: readonly Row[],
  fresh: boolean,
): void {
  const { remove, insert, insertFresh } = textsOf(table);
  if (!fresh && table.holds === 'many') {
    replaceRows(statements, table, key, rows);
    return;
  }
  if (!fresh && table.holds === 'text') statements.run(remove, [key]);
  for (const row of rows) statements.run(fresh ? insertFresh : insert, row);
}

function replaceRows(statements: RowStatements, table: Table, key: number, rows: readonly Row[]): void {
  const { select, remove } = textsOf(table);
  const found = statements.select(select, [key]).map(Object.values<SqlValue>);
  if (rows.length === 0 && found.length > 0) statements.run(remove, [key]);
  else exchangeRows(statements, table, found, rows);
}

/**
 * Removes rows that are in `before` only and adds those that are in `after` only.
 * @returns false when one that was to be removed is not there
 */
export function exchangeRows(
  { run }: RowStatements,
  table: Table,
  before: readonly Row[],
  after: readonly Row[],
): boolean {
  const { removeOne, insert } = textsOf(table);
  const [old, now] = [byIdentity(before), byIdentity(after)];
  let wereThere = true;
  for (const [identity, row] of old) if (!now.has(identity)) wereThere = run(removeOne, row) > 0 && wereThere;
  for (const [identity, row] of now) if (!old.has(identity)) run(insert, row);
  return wereThere;
}

/** An absent value is not an empty one. */
const byIdentity = (rows: readonly Row[]) => new Map(rows.map((row) => [JSON.stringify(row), row]));

function textsOf(table: Table): Texts {
  const known = texts.get(table);
  if (known) return known;
  const names = table.columns.map(([name]) => name);
  const [key = '', ...others] = names;
  const changing = others.filter((name) => !table.fixed.includes(name));
  const again = {
    one: `ON CONFLICT (${key}) DO UPDATE SET ${changing.map((name) => `${name} = excluded.${name}`).join(', ')}`,
    'one-forever': '',
    many: 'ON CONFLICT DO NOTHING',
    // FTS5 has no conflicts.
    text: '',
  }[table.holds];
  const insert = `INSERT INTO ${table.name} (${names.join(', ')}) VALUES (${names.map(() => '?').join(', ')})`;
  const made = {
    select: `SELECT ${names.join(', ')} FROM ${table.name} WHERE ${key} = ?`,
    remove: `DELETE FROM ${table.name} WHERE ${key} = ?`,
    removeOne: `DELETE FROM ${table.name} WHERE ${names.map((name) => `${name} IS ?`).join(' AND ')}`,
    insert: `${insert} ${again}`,
    // Equal rows of one key are left out either way.
    insertFresh: table.holds === 'one' ? insert : `${insert} ${again}`,
  };
  texts.set(table, made);
  return made;
}

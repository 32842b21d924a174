// Writes and removes the search rows of one resource.
import type { IndexRows } from '../../fhir/search/index-rows.ts';
import type { ValueKind } from '../../fhir/search/query.ts';
import type { Transaction } from '../engine.ts';
import { type Row, type Table, tableOf } from '../table.ts';
import { indexedText, withoutNul } from './indexed-text.ts';

const COLUMNS = {
  token: 'system text, code text',
  reference: 'target_type text, target_id text',
  date: 'low bigint, high bigint',
  string: 'value text, exact text',
  number: 'low double precision, high double precision',
  quantity: 'low double precision, high double precision, system text, code text, unit text',
  uri: 'value text',
} as const satisfies Record<ValueKind, string>;

const TABLES = Object.entries(COLUMNS).map(([kind, columns]): readonly [ValueKind, Table] => [
  kind as ValueKind,
  tableOf(`search_${kind}`, 'many', `rid bigint, parameter bigint, part bigint, ${columns}`),
]);

/**
 * Most changes of a resource leave most of what is searched by as it was: such rows stay, on SQLite, where a look costs
 * microseconds and writing them again more.
 * @param fresh says that the resource has no rows yet
 */
export async function writeRows(tx: Transaction, rid: number, rows: IndexRows, fresh: boolean): Promise<void> {
  for (const [kind, table] of TABLES) {
    const values = rows[kind];
    if (values.length === 0 && fresh) continue;
    const storable = kind === 'string' ? withoutNul : indexedText;
    const wanted = values.map(
      (row): Row => [rid, ...row.map((value) => (typeof value === 'string' ? storable(value) : value))],
    );
    if (!fresh && tx.dialect === 'sqlite' && (await holds(tx, table, rid, wanted))) continue;
    await tx.put(table, rid, wanted, fresh);
  }
}

const LOOKS = new Map(
  TABLES.map(([, table]) => {
    const columns = table.columns.map(([name]) => name).join(', ');
    return [table, `SELECT ${columns} FROM ${table.name} WHERE rid = ?`];
  }),
);

/** Whether the table has just these rows of the resource. */
async function holds(tx: Transaction, table: Table, rid: number, wanted: readonly Row[]): Promise<boolean> {
  const stored = await tx.all(LOOKS.get(table) ?? '', [rid]);
  if (stored.length > wanted.length) return false;
  const keys = new Set(wanted.map((row) => JSON.stringify(row)));
  return stored.length === keys.size && stored.every((row) => keys.has(JSON.stringify(Object.values(row))));
}

export async function deleteRows(tx: Transaction, rid: number): Promise<void> {
  for (const [, table] of TABLES) await tx.put(table, rid, [], false);
}

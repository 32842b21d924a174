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

/** @param fresh says that the resource has no rows yet */
export async function writeRows(tx: Transaction, rid: number, rows: IndexRows, fresh: boolean): Promise<void> {
  for (const [kind, table] of TABLES) {
    if (rows[kind].length === 0 && fresh) continue;
    await tx.put(table, rid, storable(kind, rid, rows), fresh);
  }
}

/**
 * Writes the difference between rows of a resource, leaving its others as they are.
 * @param before they are stored
 * @returns false when they were not
 */
export async function exchangeRows(
  { exchange }: Required<Pick<Transaction, 'exchange'>>,
  rid: number,
  before: IndexRows,
  after: IndexRows,
): Promise<boolean> {
  let wereThere = true;
  for (const [kind, table] of TABLES) {
    if (before[kind].length === 0 && after[kind].length === 0) continue;
    wereThere = (await exchange(table, storable(kind, rid, before), storable(kind, rid, after))) && wereThere;
  }
  return wereThere;
}

function storable(kind: ValueKind, rid: number, rows: IndexRows): Row[] {
  const textOf = kind === 'string' ? withoutNul : indexedText;
  return rows[kind].map(
    (row): Row => [rid, ...row.map((value) => (typeof value === 'string' ? textOf(value) : value))],
  );
}

export async function deleteRows(tx: Transaction, rid: number): Promise<void> {
  for (const [, table] of TABLES) await tx.put(table, rid, [], false);
}

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
    const values = rows[kind];
    if (values.length === 0 && fresh) continue;
    const storable = kind === 'string' ? withoutNul : indexedText;
    await tx.put(
      table,
      rid,
      values.map((row): Row => [rid, ...row.map((value) => (typeof value === 'string' ? storable(value) : value))]),
      fresh,
    );
  }
}

export async function deleteRows(tx: Transaction, rid: number): Promise<void> {
  for (const [, table] of TABLES) await tx.put(table, rid, [], false);
}

// The tables that a commit fills, as data: how an engine writes their rows is its own affair.
import type { SqlValue } from './store.ts';

/** `tsvector` is PostgreSQL's; its values are given as text. */
export type ColumnType = 'bigint' | 'double precision' | 'text' | 'tsvector';

export interface Table {
  readonly name: string;
  /** In the order of a row's values. The first column is the key that `Transaction.put` goes by. */
  readonly columns: readonly (readonly [name: string, type: ColumnType])[];
  /**
   * How many rows a key may have: `one`, which putting again changes; `one-forever`, which nothing changes; or `many`,
   * of which equal ones count once. `text`: one, in a full-text index, which is written when the transaction ends.
   */
  readonly holds: 'one' | 'one-forever' | 'many' | 'text';
  /**
   * Columns of a table that holds one that putting again leaves as they are: SQLite writes the entry of every index anew that
   * names a column it is told of, whatever the value.
   */
  readonly fixed: readonly string[];
}

export type Row = readonly SqlValue[];

/** A table from its columns as `name type, name type, …`. */
export function tableOf(name: string, holds: Table['holds'], columns: string, fixed: readonly string[] = []): Table {
  const pairs = columns.split(', ').map((column) => {
    const space = column.indexOf(' ');
    return [column.slice(0, space), column.slice(space + 1) as ColumnType] as const;
  });
  return { name, holds, columns: pairs, fixed };
}

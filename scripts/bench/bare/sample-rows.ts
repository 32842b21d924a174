// The rows that one create wrote, in every table, as something that can be written again under other keys.
export type Value = string | number | bigint | null | Uint8Array;

export interface SampleRow {
  readonly table: string;
  readonly columns: readonly string[];
  /** The row's values, with the keys of the n-th copy. */
  readonly valuesOf: (n: number) => Value[];
}

export type AllRows = (sql: string, params: readonly string[]) => Promise<readonly Record<string, Value>[]>;

/** From rows of `table` and `column`: the columns that are written, not computed. */
export function columnsByTable(rows: readonly Record<string, Value>[]): ReadonlyMap<string, readonly string[]> {
  const tables = new Map<string, string[]>();
  for (const { table, column } of rows)
    tables.set(String(table), [...(tables.get(String(table)) ?? []), String(column)]);
  return tables;
}

/**
 * @param tables columns of each table
 * @throws Error when there is no resource of the type
 */
export async function sampleRows(
  all: AllRows,
  type: string,
  tables: ReadonlyMap<string, readonly string[]>,
): Promise<SampleRow[]> {
  const newest =
    'SELECT rid, id FROM resource WHERE type = $1 AND deleted = 0 AND version = 1 ORDER BY rid DESC LIMIT 1';
  const [sample] = await all(newest, [type]);
  if (!sample) throw new Error(`There is no ${type} to copy.`);
  const rows: SampleRow[] = [];
  const add = async (table: string, condition: string, params: readonly string[]) => {
    const columns = tables.get(table)?.join(', ');
    const found = await all(`SELECT ${columns} FROM ${table} WHERE ${condition}`, params);
    for (const row of found) rows.push(copyOf(table, row));
  };
  const ofResource = [type, String(sample.id)];
  await add('version', 'type = $1 AND id = $2 AND version = 1', ofResource);
  await add('resource', 'type = $1 AND id = $2', ofResource);
  for (const [table, columns] of tables) {
    if (table.startsWith('search_') && columns.includes('rid'))
      await add(table, 'rid = CAST($1 AS bigint)', [String(sample.rid)]);
  }
  await add('audit', "type = $1 AND id = $2 AND action IN ('C', 'U') AND version = 1", ofResource);
  return rows;
}

function copyOf(table: string, row: Record<string, Value>): SampleRow {
  const columns = Object.keys(row);
  const values = Object.values(row);
  const keys = columns.flatMap((column, at) => (column === 'rid' || column === 'sequence' ? [at] : []));
  const id = table.startsWith('search_') ? -1 : columns.indexOf('id');
  return {
    table,
    columns,
    valuesOf(n) {
      const copy = [...values];
      for (const at of keys) copy[at] = n;
      if (id >= 0) copy[id] = String(n).padStart(36, '0');
      return copy;
    },
  };
}

// Rows on their way to their tables: what a transaction has put is kept until it has to be seen, and then goes out as few
// statements, one for each table, whatever the number of rows.
import type { Row, Table } from './table.ts';

/** A statement in PostgreSQL's spelling. */
export interface BulkStatement {
  readonly text: string;
  readonly params: readonly unknown[];
}

interface Put {
  readonly table: Table;
  readonly key: number;
  readonly rows: readonly Row[];
  readonly fresh: boolean;
}

export class PendingRows {
  #puts: Put[] = [];

  get isEmpty(): boolean {
    return this.#puts.length === 0;
  }

  /** How many puts there are; what comes later can be forgotten by `forgetSince`. */
  get mark(): number {
    return this.#puts.length;
  }

  put(table: Table, key: number, rows: readonly Row[], fresh: boolean): void {
    const kept = table.holds === 'many' ? distinct(rows) : rows;
    if (rows.length > 0 || !fresh) this.#puts.push({ table, key, rows: kept, fresh });
  }

  forgetSince(mark: number): void {
    this.#puts.length = Math.min(this.#puts.length, mark);
  }

  /** The statements for the first `count` puts, which are forgotten. */
  take(count: number): BulkStatement[] {
    const puts = this.#puts.splice(0, count);
    const tables = new Map<Table, Map<number, Put>>();
    for (const put of puts) {
      const byKey = tables.get(put.table) ?? new Map<number, Put>();
      tables.set(put.table, byKey);
      // The last word about a key counts, and it is fresh when the first one was.
      byKey.set(put.key, { ...put, fresh: byKey.get(put.key)?.fresh ?? put.fresh });
    }
    return [...tables].flatMap(([table, byKey]) => statements(table, [...byKey.values()]));
  }
}

function statements(table: Table, puts: readonly Put[]): BulkStatement[] {
  const found: BulkStatement[] = [];
  const rows = puts.flatMap((put) => put.rows);
  const stale =
    table.holds === 'many' || table.holds === 'text' ? puts.filter((put) => !put.fresh).map((put) => put.key) : [];
  const [[key = ''] = []] = table.columns;
  if (stale.length > 0) {
    found.push({ text: `DELETE FROM ${table.name} WHERE ${key} = ANY($1::bigint[])`, params: [`{${stale.join()}}`] });
  }
  if (rows.length > 0) found.push({ text: insertText(table), params: columnArrays(table, rows) });
  return found;
}

const texts = new Map<Table, string>();

function insertText(table: Table): string {
  const known = texts.get(table);
  if (known !== undefined) return known;
  const names = table.columns.map(([name]) => name);
  const arrays = table.columns.map(([, type], i) => `$${i + 1}::${type}[]`);
  const [key, ...others] = names;
  const again = `ON CONFLICT (${key}) DO UPDATE SET ${others.map((name) => `${name} = excluded.${name}`).join(', ')}`;
  const text = `INSERT INTO ${table.name} (${names.join(', ')}) SELECT * FROM unnest(${arrays.join(', ')})
    ${table.holds === 'one' ? again : ''}`;
  texts.set(table, text);
  return text;
}

/** The rows turned by a quarter: one array for each column. */
function columnArrays(table: Table, rows: readonly Row[]): string[] {
  return table.columns.map(([, type], i) => {
    const values = rows.map((row) => row[i] ?? null);
    return `{${(type === 'text' || type === 'tsvector' ? values.map(quoted) : values.map((value) => value ?? 'NULL')).join(',')}}`;
  });
}

/** https://www.postgresql.org/docs/18/arrays.html#ARRAYS-IO */
function quoted(value: Row[number]): string {
  return value === null ? 'NULL' : `"${String(value).replace(/["\\]/g, '\\$&')}"`;
}

function distinct(rows: readonly Row[]): readonly Row[] {
  if (rows.length < 2) return rows;
  return [...new Map(rows.map((row) => [row.join('\u0001'), row])).values()];
}

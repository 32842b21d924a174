// The bare insert loop on PostgreSQL: a schema of its own with the same tables and indexes, one statement to a table for
// up to a hundred rows.
import pg from 'pg';
import type { InsertLoop } from './insert.ts';
import { type AllRows, columnsByTable, type SampleRow, sampleRows } from './sample-rows.ts';

const ROWS = 100;

export async function openPostgresLoop(url: string, type: string): Promise<InsertLoop> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const all: AllRows = async (sql, params) => (await client.query(sql, [...params])).rows;
  const written = `SELECT table_name AS "table", column_name AS "column" FROM information_schema.columns
    WHERE table_schema = current_schema() AND is_generated = 'NEVER' ORDER BY ordinal_position`;
  const rows = await sampleRows(all, type, columnsByTable(await all(written, [])));
  await client.query('DROP SCHEMA IF EXISTS bare CASCADE; CREATE SCHEMA bare');
  for (const table of new Set(rows.map((row) => row.table))) {
    await client.query(`CREATE TABLE bare.${table} (LIKE ${table} INCLUDING ALL)`);
  }
  return {
    rows: rows.length,
    async transaction(first, count) {
      await client.query('BEGIN');
      for (const row of rows) {
        for (let n = first; n < first + count; n += ROWS)
          await insert(client, row, n, Math.min(ROWS, first + count - n));
      }
      await client.query('COMMIT');
    },
    async close() {
      await client.query('DROP SCHEMA bare CASCADE');
      await client.end();
    },
  };
}

async function insert(
  client: pg.Client,
  { table, columns, valuesOf }: SampleRow,
  first: number,
  count: number,
): Promise<void> {
  const width = columns.length;
  const places = Array.from({ length: count }, (_, row) => `(${columns.map((_, at) => `$${row * width + at + 1}`)})`);
  const values = Array.from({ length: count }, (_, row) => valuesOf(first + row)).flat();
  const name = `bare-${table}-${count}`;
  await client.query({ name, text: `INSERT INTO bare.${table} (${columns}) VALUES ${places}`, values });
}

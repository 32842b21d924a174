// The bare insert loop on SQLite: a file of its own with the same tables and indexes and the same pragmas.
import { rmSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import type { InsertLoop } from './insert.ts';
import { columnsByTable, sampleRows } from './sample-rows.ts';

export async function openSqliteLoop(path: string, type: string): Promise<InsertLoop> {
  const target = `${path}.bare`;
  const clean = () => {
    for (const suffix of ['', '-wal', '-shm']) rmSync(target + suffix, { force: true });
  };
  clean();
  const from = new DatabaseSync(path, { readOnly: true });
  const into = new DatabaseSync(target);
  into.exec(
    'PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -65536; PRAGMA wal_autocheckpoint = 4000',
  );
  const all = async (sql: string, params: readonly string[]) => from.prepare(sql.replace(/\$\d/g, '?')).all(...params);
  // The full-text index keeps no rows that could be copied, so the limit is without it.
  const written = `SELECT m.name AS "table", c.name AS "column" FROM sqlite_schema m JOIN pragma_table_info(m.name) c
    WHERE m.type = 'table' AND m.sql NOT LIKE 'CREATE VIRTUAL%'`;
  const rows = await sampleRows(all, type, columnsByTable(await all(written, [])));
  const tables = new Set(rows.map(({ table }) => table));
  const schema = from.prepare(
    "SELECT sql, tbl_name FROM sqlite_schema WHERE type IN ('table', 'index') AND sql IS NOT NULL",
  );
  for (const { sql, tbl_name } of schema.all()) if (tables.has(String(tbl_name))) into.exec(String(sql));
  from.close();
  const inserts = rows.map(({ table, columns, valuesOf }) => {
    const statement = into.prepare(`INSERT INTO ${table} (${columns}) VALUES (${columns.map(() => '?')})`);
    return (n: number) => statement.run(...valuesOf(n));
  });
  return {
    rows: rows.length,
    async transaction(first, count) {
      into.exec('BEGIN IMMEDIATE');
      for (let n = first; n < first + count; n++) for (const insert of inserts) insert(n);
      into.exec('COMMIT');
    },
    async close() {
      into.close();
      clean();
    },
  };
}

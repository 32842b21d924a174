// Brings a database up to the code: numbered SQL files, forward only, all in one transaction, never edited once applied.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { Fault } from '../fault.ts';
import type { Engine, Transaction } from './engine.ts';
import type { Dialect } from './sql.ts';

interface MigrationFile {
  readonly name: string;
  readonly text: string;
  readonly hash: string;
  /** Code that does not have this file cannot work with a database that does. */
  readonly breaking: boolean;
}

const BREAKING_MARK = '--! breaking';

const MIGRATION_TABLE = `CREATE TABLE IF NOT EXISTS migration (
  name TEXT PRIMARY KEY,
  sha256 TEXT NOT NULL,
  breaking INTEGER NOT NULL
)`;

/**
 * Applies the files of `directory` that the database has not seen, in the order of their numbers.
 * @throws Fault fault when an applied file has changed, one is missing in between, or the database was changed by newer
 * code in a way this code cannot live with
 */
export async function migrate(engine: Engine, directory: string, log: Logger): Promise<void> {
  const files = readMigrations(directory, engine.reader.dialect);
  await engine.write(async (tx) => {
    await tx.script(MIGRATION_TABLE);
    const applied = await tx.all('SELECT name, sha256, breaking FROM migration ORDER BY name');
    const known = new Map(files.map((file) => [file.name, file]));
    for (const row of applied) checkApplied(String(row.name), String(row.sha256), row.breaking === 1, known, log);
    const done = new Set(applied.map((row) => String(row.name)));
    const last = applied.findLast((row) => known.has(String(row.name)))?.name ?? '';
    for (const file of files) {
      if (done.has(file.name)) continue;
      if (file.name < String(last)) {
        throw refusal(`Migration ${file.name} has a lower number than ${last}, which this database already has.`);
      }
      await apply(tx, file);
      log.info({ migration: file.name }, 'migration applied');
    }
  });
}

async function apply(tx: Transaction, file: MigrationFile): Promise<void> {
  // The row goes first: a second process that tries the same stops at its primary key.
  await tx.run('INSERT INTO migration (name, sha256, breaking) VALUES (?, ?, ?)', [
    file.name,
    file.hash,
    file.breaking ? 1 : 0,
  ]);
  await tx.script(file.text);
}

function checkApplied(
  name: string,
  hash: string,
  breaking: boolean,
  known: ReadonlyMap<string, MigrationFile>,
  log: Logger,
): void {
  const file = known.get(name);
  if (file && file.hash !== hash) {
    throw refusal(`Migration ${name} was changed after it had been applied to this database; restore the file.`);
  }
  if (file) return;
  if (breaking) {
    throw refusal(`This database has migration ${name}, which needs a newer Baton; start that version instead.`);
  }
  log.warn({ migration: name }, 'the database has a migration of a newer Baton, which this one can live with');
}

/** `NNNN_name.sql` is for every engine, `NNNN_name.sqlite.sql` and `NNNN_name.postgres.sql` for one. */
function readMigrations(directory: string, dialect: Dialect): MigrationFile[] {
  return readdirSync(directory)
    .filter((name) => {
      const [, engine = dialect] = /^\d{4}_[\w-]+(?:\.(\w+))?\.sql$/.exec(name) ?? [undefined, ''];
      return engine === dialect;
    })
    .sort()
    .map((name) => {
      const text = readFileSync(join(directory, name), 'utf8');
      const hash = createHash('sha256').update(text).digest('hex');
      return { name, text, hash, breaking: text.startsWith(BREAKING_MARK) };
    });
}

function refusal(sentence: string): Fault {
  return new Fault('fault', sentence);
}

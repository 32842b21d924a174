// Numbered migrations: applied once, in order, never edited, and a database of the future is not touched.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { migrate } from '../../src/store/migrate.ts';
import { openSqlite } from '../../src/store/sqlite.ts';
import { faultOf } from '../support/store-fixtures.ts';

const log = pino({ level: 'silent' });

describe('migrate', () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'baton-migrate-'));
    write('0001_first.sql', 'CREATE TABLE one (a TEXT);');
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  const write = (name: string, text: string) => writeFileSync(join(directory, name), text);
  const remove = (name: string) => rmSync(join(directory, name));

  /** Opens the database, migrates it as at a start, and tells the tables it has. */
  async function start(): Promise<string[]> {
    const engine = openSqlite(join(directory, 'test.db'));
    try {
      await migrate(engine, directory, log);
      const rows = await engine.reader.all("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name");
      return rows.map((row) => String(row.name));
    } finally {
      await engine.close();
    }
  }

  test('applies what is new, once', async () => {
    expect(await start()).toEqual(['migration', 'one']);
    write('0002_second.sql', 'CREATE TABLE two (a TEXT); CREATE TABLE three (a TEXT);');
    expect(await start()).toEqual(['migration', 'one', 'three', 'two']);
    expect(await start()).toEqual(['migration', 'one', 'three', 'two']);
  });

  test('applies all or nothing', async () => {
    write('0002_second.sql', 'CREATE TABLE two (a TEXT); CREATE TABLE one (a TEXT);');
    await expect(start()).rejects.toThrow();
    remove('0002_second.sql');
    expect(await start()).toEqual(['migration', 'one']);
  });

  test('refuses a file that was changed after it had been applied', async () => {
    await start();
    write('0001_first.sql', 'CREATE TABLE one (b TEXT);');
    expect((await faultOf(start())).message).toContain('0001_first.sql was changed');
  });

  test('refuses a file that would come before one that is applied', async () => {
    write('0003_third.sql', 'CREATE TABLE three (a TEXT);');
    await start();
    write('0002_second.sql', 'CREATE TABLE two (a TEXT);');
    expect((await faultOf(start())).message).toContain('lower number');
  });

  test('refuses a database with a breaking migration of newer code, and lives with one that is not', async () => {
    write('0002_second.sql', 'CREATE TABLE two (a TEXT);');
    write('0003_third.sql', '--! breaking\nCREATE TABLE three (a TEXT);');
    await start();
    remove('0003_third.sql');
    expect((await faultOf(start())).message).toContain('needs a newer Baton');
    write('0003_third.sql', '--! breaking\nCREATE TABLE three (a TEXT);');
    remove('0002_second.sql');
    expect(await start()).toContain('two');
  });

  test('two that start together apply it once', async () => {
    const engines = [0, 1].map(() => openSqlite(join(directory, 'test.db')));
    await Promise.all(engines.map((engine) => migrate(engine, directory, log)));
    await Promise.all(engines.map((engine) => engine.close()));
    expect(await start()).toEqual(['migration', 'one']);
  });
});

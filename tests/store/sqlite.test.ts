// The SQLite engine: files and their modes, transactions, readers, what happens to a second process.
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Engine } from '../../src/store/engine.ts';
import { openSqlite } from '../../src/store/sqlite.ts';
import { faultOf } from '../support/store-fixtures.ts';

describe('SQLite', () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'baton-sqlite-'));
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  test('makes its directory and files for the owner only', async () => {
    const path = join(directory, 'new', 'deep', 'baton.db');
    const engine = openSqlite(path);
    await engine.write((tx) => tx.script('CREATE TABLE one (a TEXT)'));
    expect(statSync(join(directory, 'new')).mode & 0o777).toBe(0o700);
    for (const file of [path, `${path}-wal`]) expect(statSync(file).mode & 0o777).toBe(0o600);
    await engine.close();
    expect(existsSync(`${path}-wal`)).toBe(false);
  });

  test('says so when the file is not a database', async () => {
    const path = join(directory, 'notes.txt');
    writeFileSync(path, 'not a database, just some text that is long enough to be looked at as a header'.repeat(20));
    expect(await faultOf((async () => openSqlite(path))())).toMatchObject({ kind: 'unavailable' });
  });

  test('is durable: full synchronisation, write-ahead log', async () => {
    const engine = openSqlite(join(directory, 'baton.db'));
    const [mode, synchronous] = await engine.write(async (tx) => [
      await tx.all('PRAGMA journal_mode'),
      await tx.all('PRAGMA synchronous'),
    ]);
    expect(mode).toMatchObject([{ journal_mode: 'wal' }]);
    expect(synchronous).toMatchObject([{ synchronous: 2 }]);
    await engine.close();
  });

  test('whoever reads writes nothing, whether somebody writes meanwhile or not', async () => {
    const engine = openSqlite(join(directory, 'baton.db'));
    await engine.write((tx) => tx.script('CREATE TABLE one (a INTEGER PRIMARY KEY)'));
    const insert = 'INSERT INTO one VALUES (1)';
    const attempts = async () => {
      for (const sql of [insert, `${insert} RETURNING a`, `${insert} returning a`, 'DROP TABLE one', 'BEGIN'])
        await expect(engine.reader.all(sql)).rejects.toThrow();
      await expect(engine.reader.run(insert)).rejects.toThrow();
    };
    await attempts();
    await engine.write(attempts);
    expect(await engine.reader.all('SELECT a FROM one')).toEqual([]);
    await engine.close();
  });

  test('two processes see what the other has committed, at once', async () => {
    const engines = [0, 1].map(() => openSqlite(join(directory, 'baton.db')));
    await engines[0]?.write((tx) => tx.script('CREATE TABLE one (a INTEGER PRIMARY KEY)'));
    for (let key = 1; key <= 6; key += 1) {
      await engines[key % 2]?.write((tx) => tx.run('INSERT INTO one VALUES (?)', [key]));
      for (const { reader } of engines) expect(await reader.all('SELECT MAX(a) AS a FROM one')).toEqual([{ a: key }]);
    }
    for (const engine of engines) await engine.close();
  });

  describe.for([['file'], ['memory']] as const)('in %s', ([kind]) => {
    let engine: Engine;
    beforeEach(async () => {
      engine = openSqlite(kind === 'file' ? join(directory, 'baton.db') : ':memory:');
      await engine.write((tx) => tx.script('CREATE TABLE one (a INTEGER PRIMARY KEY)'));
    });
    afterEach(() => engine.close());

    const rows = async () => (await engine.reader.all('SELECT a FROM one ORDER BY a')).map((row) => row.a);

    test('a reader sees nothing of a transaction before it is committed', async () => {
      const seen: unknown[] = [];
      const reads: Promise<unknown>[] = [];
      await engine.write(async (tx) => {
        await tx.run('INSERT INTO one VALUES (1)');
        reads.push(rows().then((found) => seen.push(found)));
        for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
        await tx.run('INSERT INTO one VALUES (2)');
      });
      await Promise.all(reads);
      // A file's reader looks at once and finds nothing, the memory's waits and finds everything.
      expect(seen).toEqual([kind === 'file' ? [] : [1, 2]]);
    });

    test('a transaction whose work fails leaves nothing behind', async () => {
      const work = engine.write(async (tx) => {
        await tx.run('INSERT INTO one VALUES (1)');
        throw new Error('halfway');
      });
      await expect(work).rejects.toThrow('halfway');
      expect(await rows()).toEqual([]);
    });

    test('a commit that fails leaves nothing behind, and the next one works', async () => {
      await engine.write((tx) => tx.script('CREATE TABLE child (a REFERENCES one DEFERRABLE INITIALLY DEFERRED)'));
      const children = () => engine.reader.all('SELECT a FROM child');
      const work = engine.write((tx) => tx.run('INSERT INTO child VALUES (7)'));
      await expect(work).rejects.toThrow();
      expect(await children()).toEqual([]);
      await engine.write((tx) => tx.run('INSERT INTO one VALUES (7)'));
      await engine.write((tx) => tx.run('INSERT INTO child VALUES (7)'));
      expect(await children()).toEqual([{ a: 7 }]);
    });

    test('at every moment a reader sees whole transactions, of one that failed nothing', async () => {
      const seen: number[] = [];
      let isOver = false;
      const watch = async () => {
        while (!isOver) {
          seen.push((await rows()).length);
          if (seen.length % 7 === 0) await new Promise((resolve) => setImmediate(resolve));
        }
      };
      const watching = watch();
      const writes = Array.from({ length: 30 }, (_, n) =>
        engine.write(async (tx) => {
          await tx.run('INSERT INTO one VALUES (?)', [2 * n]);
          await new Promise((resolve) => setImmediate(resolve));
          await tx.run('INSERT INTO one VALUES (?)', [2 * n + 1]);
          if (n % 3 === 0) throw new Error('halfway');
        }),
      );
      await Promise.allSettled(writes);
      expect(await rows()).toHaveLength(40);
      isOver = true;
      await watching;
      expect(seen.filter((count) => count % 2 !== 0)).toEqual([]);
    });

    test('transactions run one after the other', async () => {
      const order: string[] = [];
      const write = (name: string) =>
        engine.write(async () => {
          order.push(`${name} begins`);
          await new Promise((resolve) => setImmediate(resolve));
          order.push(`${name} ends`);
        });
      await Promise.all([write('a'), write('b')]);
      expect(order).toEqual(['a begins', 'a ends', 'b begins', 'b ends']);
    });

    test('a duplicate key is a conflict, a mistake in SQL is a bug', async () => {
      const twice = engine.write(async (tx) => {
        await tx.run('INSERT INTO one VALUES (1)');
        await tx.run('INSERT INTO one VALUES (1)');
      });
      expect((await faultOf(twice)).kind).toBe('conflict');
      await expect(engine.reader.all('SELECT nonsense')).rejects.toThrow('nonsense');
    });

    test('a backup is a whole database, also while commits go on, and never overwrites', async () => {
      for (let key = 1; key <= 50; key += 1) await engine.write((tx) => tx.run('INSERT INTO one VALUES (?)', [key]));
      const target = join(directory, `${kind}.backup`);
      const copied = engine.backup(target);
      for (let key = 51; key <= 80; key += 1) await engine.write((tx) => tx.run('INSERT INTO one VALUES (?)', [key]));
      await copied;
      expect(statSync(target).mode & 0o777).toBe(0o600);
      expect((await faultOf(engine.backup(target))).kind).toBe('conflict');
      const copy = openSqlite(target);
      const [count] = await copy.reader.all('SELECT COUNT(*) AS n FROM one');
      expect(Number(count?.n)).toBeGreaterThanOrEqual(50);
      expect(await copy.reader.all('PRAGMA integrity_check')).toMatchObject([{ integrity_check: 'ok' }]);
      await copy.close();
    });
  });
});

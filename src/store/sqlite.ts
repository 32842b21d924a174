// The SQLite engine: one connection writes, another reads what is committed meanwhile. Several processes may share a file;
// their write transactions exclude each other.
import { closeSync, existsSync, mkdirSync, openSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { backup } from 'node:sqlite';
import { Fault } from '../fault.ts';
import { appendAudit } from './audit-chain.ts';
import type { AuditEntry } from './audit-entry.ts';
import type { Engine } from './engine.ts';
import type { Sql } from './sql.ts';
import { SqliteAuditWriter } from './sqlite-audit-writer.ts';
import { SqliteConnection } from './sqlite-connection.ts';
import { sqliteFault } from './sqlite-fault.ts';
import { WriteLock } from './sqlite-write-lock.ts';

/**
 * Durable on power loss (FULL), readers never wait (WAL). Cache sizes in KiB: what is not in them is in the kernel's cache,
 * a microsecond away, and counts as nobody's memory. No memory map: its pages would count as the process's own memory, a
 * quarter of a gigabyte for nothing that the cache does not give.
 */
const WRITER_PRAGMAS = `
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = FULL;
  PRAGMA foreign_keys = ON;
  PRAGMA cache_size = -32768;
  PRAGMA temp_store = MEMORY;
  PRAGMA wal_autocheckpoint = 4000;
  PRAGMA journal_size_limit = 67108864;
  PRAGMA busy_timeout = 0;
`;

const READER_PRAGMAS = 'PRAGMA cache_size = -16384; PRAGMA temp_store = MEMORY;';

/**
 * @param path file path, or `:memory:` for a database that lives as long as the engine. A missing directory is made for
 * the owner only, and so is the file.
 */
export function openSqlite(path: string): Engine {
  return path === ':memory:' ? openMemory() : openFile(path);
}

function openFile(path: string): Engine {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  if (!existsSync(path)) closeSync(openSync(path, 'a', 0o600));
  const writer = new SqliteConnection(path, { readOnly: false });
  writer.exec(WRITER_PRAGMAS);
  const besides = new SqliteConnection(path, { readOnly: true });
  besides.exec(READER_PRAGMAS);
  const lock = new WriteLock(writer);
  const trail = new SqliteAuditWriter(path);
  const append = async (entries: readonly AuditEntry[]) => {
    if (trail.isWorthwhile(entries)) await lock.alone(() => trail.append(entries));
    else await lock.write((tx) => appendAudit(tx, entries));
  };
  return {
    // Each commit empties the cache of every other connection, so who reads while nobody writes uses the writer's.
    reader: {
      dialect: 'sqlite',
      all: (sql, params) => (lock.isWriting ? besides : writer).all(sql, params),
      run: (sql, params) => besides.run(sql, params),
    },
    write: (work) => lock.write(work),
    append,
    // Nothing tells of another process's commit; its followers look at every heartbeat.
    onOtherCommit() {},
    async backup(target) {
      // A connection of its own that holds one snapshot, so that commits meanwhile do not restart the copy.
      const source = new SqliteConnection(path, { readOnly: true });
      try {
        await source.run('BEGIN');
        await source.all('SELECT name FROM sqlite_schema LIMIT 1');
        await copy(source, target);
      } finally {
        source.close();
      }
    },
    async close() {
      while (lock.held) await lock.held;
      await trail.close();
      besides.close();
      writer.exec('PRAGMA wal_checkpoint(TRUNCATE)');
      writer.close();
    },
  };
}

/** A memory database has one connection only, so its reads wait for an open write transaction to end. */
function openMemory(): Engine {
  const connection = new SqliteConnection(':memory:', { readOnly: false });
  connection.exec('PRAGMA foreign_keys = ON');
  const lock = new WriteLock(connection);
  const reader: Sql = {
    dialect: 'sqlite',
    async all(sql, params) {
      while (lock.held) await lock.held;
      return connection.all(sql, params);
    },
    async run(sql, params) {
      while (lock.held) await lock.held;
      return connection.run(sql, params);
    },
  };
  return {
    reader,
    write: (work) => lock.write(work),
    onOtherCommit() {},
    async backup(target) {
      await lock.alone(() => copy(connection, target));
    },
    async close() {
      while (lock.held) await lock.held;
      connection.close();
    },
  };
}

async function copy(source: SqliteConnection, target: string): Promise<void> {
  if (existsSync(target)) throw new Fault('conflict', `${target} exists already; a backup never overwrites a file.`);
  closeSync(openSync(target, 'wx', 0o600));
  try {
    await backup(source.database, target);
  } catch (error) {
    rmSync(target, { force: true });
    throw sqliteFault(error);
  }
}

// The SQLite engine: one connection writes, another reads what is committed meanwhile. Several processes may share a file;
// their write transactions exclude each other.
import { closeSync, existsSync, mkdirSync, openSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { backup } from 'node:sqlite';
import { setTimeout as pause } from 'node:timers/promises';
import { Fault } from '../fault.ts';
import type { Engine, Transaction } from './engine.ts';
import type { Sql } from './sql.ts';
import { SqliteConnection } from './sqlite-connection.ts';
import { isLocked, sqliteFault } from './sqlite-fault.ts';
import { WalSync } from './wal-sync.ts';

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

/** A write waits about five seconds for another process: this many times, with pauses up to this many milliseconds. */
const LOCK_ATTEMPTS = 300;
const LOCK_PAUSE = 20;

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
  const wal = new WalSync(path);
  const lock = new WriteLock(writer, wal);
  return {
    // Each commit empties the cache of every other connection, so who reads while nobody writes uses the writer's.
    reader: {
      dialect: 'sqlite',
      all: (sql, params) => (lock.held ? besides : writer).all(sql, params),
      run: (sql, params) => besides.run(sql, params),
    },
    write: (work) => lock.write(work),
    writeSoon: (work) => lock.writeSoon(work),
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
      await wal.close();
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
    writeSoon: (work) => lock.writeSoon(work),
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

/** Lets one write transaction run at a time on a connection. */
class WriteLock {
  readonly #connection: SqliteConnection;
  readonly #wal: WalSync | undefined;
  #last: Promise<unknown> | undefined;
  #waitsForDisk = true;

  /** @param wal absent: there is no file, and no commit waits for a disk */
  constructor(connection: SqliteConnection, wal?: WalSync) {
    this.#connection = connection;
    this.#wal = wal;
  }

  /** Settles when the transactions that are open or waiting now have ended; absent when there are none. */
  get held(): Promise<unknown> | undefined {
    return this.#last;
  }

  write<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    return this.alone(() => {
      this.#waitForDisk(true);
      return this.#transact(work);
    });
  }

  writeSoon<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    const wal = this.#wal;
    if (!wal || wal.hasFailed) return this.write(work);
    return this.alone(async () => {
      this.#waitForDisk(false);
      const result = await this.#transact(work);
      wal.ask();
      return result;
    });
  }

  /** https://www.sqlite.org/pragma.html#pragma_synchronous: without it the log is whole, and on disk with the next sync. */
  #waitForDisk(waits: boolean): void {
    if (!this.#wal || waits === this.#waitsForDisk) return;
    this.#connection.exec(`PRAGMA synchronous = ${waits ? 'FULL' : 'NORMAL'}`);
    this.#waitsForDisk = waits;
  }

  /** Runs `task` while no transaction is open. */
  async alone<T>(task: () => Promise<T>): Promise<T> {
    const result = this.#last ? this.#last.then(task) : task();
    const settled: Promise<unknown> = result.then(
      () => this.#release(settled),
      () => this.#release(settled),
    );
    this.#last = settled;
    return result;
  }

  #release(settled: Promise<unknown>): void {
    if (this.#last === settled) this.#last = undefined;
  }

  /** Waits for another process without holding up this one: SQLite itself would block the event loop. */
  async #begin(): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        await this.#connection.run('BEGIN IMMEDIATE');
        return;
      } catch (error) {
        if (!isLocked(error) || attempt === LOCK_ATTEMPTS) throw error;
        await pause(Math.min(attempt, LOCK_PAUSE));
      }
    }
  }

  async #transact<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    const tx = this.#connection;
    await this.#begin();
    try {
      const result = await work(tx);
      await tx.flush();
      await tx.run('COMMIT');
      return result;
    } catch (error) {
      tx.forget();
      if (!tx.isBroken) await tx.run('ROLLBACK');
      throw error;
    }
  }
}

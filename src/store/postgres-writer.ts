// The one connection that writes. Its transactions exclude those of every other Baton process by an advisory lock, which is
// given back only after the commit can be seen: positions in the log are therefore given out in the order of commits.
// https://www.postgresql.org/docs/18/explicit-locking.html#ADVISORY-LOCKS
import { setTimeout as pause } from 'node:timers/promises';
import type { ClientConfig } from 'pg';
import { Fault } from '../fault.ts';
import type { Transaction } from './engine.ts';
import { PostgresConnection } from './postgres-connection.ts';
import { isLost } from './postgres-fault.ts';
import { COMMITS } from './postgres-listener.ts';
import { PostgresTransaction, together } from './postgres-transaction.ts';

/** 'baton' in ASCII: other programs in the same database are unlikely to lock it. */
const WRITE_LOCK = 0x6261746f6e;

/**
 * Durable whatever the server's default is. The other limits end what a vanished or hanging process holds: nobody waits
 * longer than 10 s for the lock, a transaction that stands still ends after 30 s, and a dead machine is noticed in 25 s.
 */
const PROLOGUE = `SELECT set_config('synchronous_commit', 'on', false)
    WHERE current_setting('synchronous_commit') IN ('off', 'local');
  SET lock_timeout = '10s'; SET idle_in_transaction_session_timeout = '30s'; SET jit = off;
  SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3`;

/**
 * Each commit leaves its number here, one row per process. The id of a transaction would not do: after a crash PostgreSQL
 * may give that of a lost one to another, which then commits. The table is the writer's own, made under its lock.
 */
const TABLE = `CREATE TABLE IF NOT EXISTS commit_mark (process TEXT PRIMARY KEY, number BIGINT NOT NULL, marked TIMESTAMPTZ NOT NULL);
  DELETE FROM commit_mark WHERE marked < now() - interval '1 day'`;
const MARK = `INSERT INTO commit_mark (process, number, marked) VALUES (?, ?, now())
  ON CONFLICT (process) DO UPDATE SET number = excluded.number, marked = excluded.marked`;
const MARKED = 'SELECT 1 FROM commit_mark WHERE process = ? AND number = ?';

/** For how long, and with which pauses, to ask for what became of a commit whose answer was lost. */
const FATE_WAIT_MS = 5_000;
const FATE_PAUSE_MS = 250;

export class PostgresWriter {
  readonly #connection: PostgresConnection;
  readonly #self: string;
  /** Of the last commit of this process that was tried: one whose fate nobody could tell may be there, so none comes twice. */
  #number = 0;
  #hasTable = false;
  #last: Promise<unknown> = Promise.resolve();

  /** @param self name of this process in its notices of commits */
  constructor(settings: ClientConfig, self: string) {
    this.#connection = new PostgresConnection(settings, PROLOGUE);
    this.#self = self;
  }

  write<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    const result = this.#last.then(() => this.#transact(work));
    this.#last = result.catch(() => undefined);
    return result;
  }

  async close(): Promise<void> {
    await this.#last;
    await this.#connection.close();
  }

  async #transact<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    const connection = this.#connection;
    if (connection.isWornOut) connection.drop();
    await this.#begin();
    connection.pin();
    try {
      const tx = new PostgresTransaction(connection);
      const result = await work(tx);
      const sent = tx.flush();
      if (tx.hasPut) sent.push(connection.query('SELECT pg_notify(?, ?)', [COMMITS, this.#self]));
      await this.#commit(sent);
      return result;
    } catch (error) {
      // COMMIT has rolled back when a statement before it failed, and nothing is open any more; then this does nothing.
      if (connection.isOpen) await connection.script('ROLLBACK').catch(() => connection.drop());
      throw error;
    } finally {
      connection.unpin();
    }
  }

  async #begin(): Promise<void> {
    const connection = this.#connection;
    const isReused = connection.isOpen;
    try {
      // Each statement sees what was committed before it began: everything after the lock sees the last writer's rows.
      await together([
        connection.script('BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE'),
        connection.query('SELECT pg_advisory_xact_lock(?)', [WRITE_LOCK]),
        ...(this.#hasTable ? [] : [connection.script(TABLE)]),
      ]);
    } catch (error) {
      connection.drop();
      // The connection may have been dead for long; nothing was done yet, so a new one is tried at once.
      if (isReused && isLost(error)) return this.#begin();
      throw error;
    }
  }

  async #commit(sent: Promise<unknown>[]): Promise<void> {
    const connection = this.#connection;
    this.#number += 1;
    const number = this.#number;
    try {
      await together([...sent, connection.query(MARK, [this.#self, number]), connection.script('COMMIT')]);
    } catch (error) {
      if (!isLost(error)) throw error;
      connection.drop();
      connection.unpin();
      if (!(await this.#wasCommitted(number))) throw error;
    }
    this.#hasTable = true;
  }

  /**
   * Looks for the mark of a commit, under the lock that its transaction held: when it is given, that has ended.
   * @throws Fault timeout when it cannot be told
   */
  async #wasCommitted(number: number): Promise<boolean> {
    const connection = this.#connection;
    const end = performance.now() + FATE_WAIT_MS;
    for (let left = FATE_WAIT_MS; left > 0; left = Math.floor(end - performance.now())) {
      try {
        const marked = [
          connection.script(`BEGIN; SET LOCAL lock_timeout = '${left}ms'`),
          connection.query('SELECT pg_advisory_xact_lock(?)', [WRITE_LOCK]),
          connection.script(TABLE),
          connection.query(MARKED, [this.#self, number]),
          connection.script('COMMIT'),
        ] as const;
        await together(marked);
        return (await marked[3]).rows.length > 0;
      } catch {
        connection.drop();
      }
      await pause(FATE_PAUSE_MS);
    }
    throw new Fault(
      'timeout',
      'The connection to the database was lost during the commit: it may or may not have been written. Look before trying again.',
    );
  }
}

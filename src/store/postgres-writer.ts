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

/** How often and how long to ask for what became of a commit whose answer was lost. */
const STATUS_ATTEMPTS = 20;
const STATUS_PAUSE_MS = 250;

export class PostgresWriter {
  readonly #connection: PostgresConnection;
  readonly #self: string;
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
    const id = await this.#begin();
    connection.pin();
    try {
      const tx = new PostgresTransaction(connection);
      const result = await work(tx);
      const sent = tx.flush();
      if (tx.hasPut) sent.push(connection.query('SELECT pg_notify(?, ?)', [COMMITS, this.#self]));
      await this.#commit(id, sent);
      return result;
    } catch (error) {
      // COMMIT has rolled back when a statement before it failed, and nothing is open any more; then this does nothing.
      if (connection.isOpen) await connection.script('ROLLBACK').catch(() => connection.drop());
      throw error;
    } finally {
      connection.unpin();
    }
  }

  /** @returns the transaction's id, by which its fate can be asked for when the answer to its commit is lost */
  async #begin(): Promise<string> {
    const connection = this.#connection;
    const isReused = connection.isOpen;
    try {
      // Each statement sees what was committed before it began: everything after the lock sees the last writer's rows.
      const sent = [
        connection.script('BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE'),
        connection.query('SELECT pg_advisory_xact_lock(?)', [WRITE_LOCK]),
      ];
      const id = connection.query('SELECT pg_current_xact_id()::text AS id');
      await together([...sent, id]);
      return String((await id).rows[0]?.id);
    } catch (error) {
      connection.drop();
      // The connection may have been dead for long; nothing was done yet, so a new one is tried at once.
      if (isReused && isLost(error)) return this.#begin();
      throw error;
    }
  }

  async #commit(id: string, sent: Promise<unknown>[]): Promise<void> {
    const connection = this.#connection;
    try {
      await together([...sent, connection.script('COMMIT')]);
    } catch (error) {
      if (!isLost(error)) throw error;
      connection.drop();
      connection.unpin();
      if (await this.#wasCommitted(id)) return;
      throw error;
    }
  }

  /**
   * Asks the database what became of a transaction.
   * @throws Fault timeout when it cannot be told
   */
  async #wasCommitted(id: string): Promise<boolean> {
    for (let attempt = 1; attempt <= STATUS_ATTEMPTS; attempt += 1) {
      try {
        const { rows } = await this.#connection.query('SELECT pg_xact_status(?::xid8) AS status', [id]);
        const status = rows[0]?.status;
        if (status === 'committed') return true;
        if (status === 'aborted') return false;
        if (status === null) break;
      } catch {
        this.#connection.drop();
      }
      await pause(STATUS_PAUSE_MS);
    }
    throw new Fault(
      'timeout',
      'The connection to the database was lost during the commit: it may or may not have been written. Look before trying again.',
    );
  }
}

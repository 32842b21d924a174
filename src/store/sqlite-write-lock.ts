// One write transaction at a time on a SQLite connection, and waiting for other processes without holding up this one.
import { setTimeout as pause } from 'node:timers/promises';
import type { Transaction } from './engine.ts';
import type { SqliteConnection } from './sqlite-connection.ts';
import { isLocked } from './sqlite-fault.ts';

/** A write waits about five seconds for another process: this many times, with pauses up to this many milliseconds. */
const LOCK_ATTEMPTS = 300;
const LOCK_PAUSE = 20;

/** Lets one write transaction run at a time on a connection. */
export class WriteLock {
  readonly #connection: SqliteConnection;
  #last: Promise<unknown> | undefined;
  #isWriting = false;

  constructor(connection: SqliteConnection) {
    this.#connection = connection;
  }

  /** Settles when the transactions that are open or waiting now have ended; absent when there are none. */
  get held(): Promise<unknown> | undefined {
    return this.#last;
  }

  /** Whether a transaction is open on the connection itself. */
  get isWriting(): boolean {
    return this.#isWriting;
  }

  write<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    return this.alone(() => this.#transact(work));
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
    this.#isWriting = true;
    try {
      const result = await work(tx);
      await tx.flush();
      await tx.run('COMMIT');
      return result;
    } catch (error) {
      tx.forget();
      if (!tx.isBroken) await tx.run('ROLLBACK');
      throw error;
    } finally {
      this.#isWriting = false;
    }
  }
}

// An open write transaction on PostgreSQL. What is put is sent late and together; a savepoint is made only when something
// was sent that may have to be taken back.
import type { Transaction } from './engine.ts';
import type { PostgresConnection, Result } from './postgres-connection.ts';
import { PendingRows } from './postgres-rows.ts';
import { translateSchema } from './postgres-sql.ts';
import type { SqlRow, SqlValue } from './store.ts';
import type { Row, Table } from './table.ts';

export class PostgresTransaction implements Transaction {
  readonly dialect = 'postgres';
  readonly #connection: PostgresConnection;
  readonly #pending = new PendingRows();
  /** The attempt that is running: how much was pending when it began, and whether it has a savepoint. */
  #attempt: { mark: number; hasSavepoint: boolean } | undefined;
  /** Whether there is anything that other processes want to hear of. */
  hasPut = false;

  constructor(connection: PostgresConnection) {
    this.#connection = connection;
  }

  async put(table: Table, key: number, rows: readonly Row[], fresh: boolean): Promise<void> {
    this.hasPut = true;
    this.#pending.put(table, key, rows, fresh);
  }

  async all(sql: string, params?: readonly SqlValue[]): Promise<SqlRow[]> {
    return (await this.#after(this.flush(), sql, params)).rows;
  }

  async before(sql: string, params?: readonly SqlValue[]): Promise<SqlRow[]> {
    return (await this.#connection.query(sql, params)).rows;
  }

  /** Statements that come along with a commit have tables of their own, or ask what others have written: they do not wait for what it puts. */
  async run(sql: string, params?: readonly SqlValue[]): Promise<number> {
    return (await this.#after(this.#savepoint(), sql, params)).changed;
  }

  async attempt<T>(work: () => Promise<T>): Promise<T> {
    const attempt = { mark: this.#pending.mark, hasSavepoint: false };
    this.#attempt = attempt;
    try {
      const result = await work();
      if (attempt.hasSavepoint) await this.#connection.script('RELEASE SAVEPOINT unit');
      return result;
    } catch (error) {
      this.#pending.forgetSince(attempt.mark);
      if (attempt.hasSavepoint && !this.isBroken) {
        await together([
          this.#connection.script('ROLLBACK TO SAVEPOINT unit'),
          this.#connection.script('RELEASE SAVEPOINT unit'),
        ]);
      }
      throw error;
    } finally {
      this.#attempt = undefined;
    }
  }

  get isBroken(): boolean {
    return !this.#connection.isOpen;
  }

  async script(text: string): Promise<void> {
    await together([...this.flush(), this.#connection.script(translateSchema(text))]);
  }

  /** Sends everything that is pending; the answers are still to come. */
  flush(): Promise<unknown>[] {
    if (this.#pending.isEmpty) return [];
    const sent = this.#savepoint();
    return [...sent, ...this.#send(this.#pending.mark)];
  }

  /** What an attempt sends must not stay when it fails, but what was put before it must. */
  #savepoint(): Promise<unknown>[] {
    const attempt = this.#attempt;
    if (!attempt || attempt.hasSavepoint) return [];
    const sent = this.#send(attempt.mark);
    attempt.mark = 0;
    attempt.hasSavepoint = true;
    return [...sent, this.#connection.script('SAVEPOINT unit')];
  }

  #send(count: number): Promise<unknown>[] {
    return this.#pending.take(count).map(({ text, params }) => this.#connection.send(text, params));
  }

  async #after(sent: Promise<unknown>[], sql: string, params?: readonly SqlValue[]): Promise<Result> {
    const last = this.#connection.query(sql, params);
    if (sent.length > 0) await together([...sent, last]);
    return last;
  }
}

/** Waits for statements that were sent one after the other; the first that failed says why, the rest only follow. */
export async function together(sent: readonly Promise<unknown>[]): Promise<void> {
  for (const result of await Promise.allSettled(sent)) if (result.status === 'rejected') throw result.reason;
}

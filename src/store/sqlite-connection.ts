// One connection to a SQLite file: statements are prepared once per SQL text and kept.
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import type { Transaction } from './engine.ts';
import { sqliteFault } from './sqlite-fault.ts';
import type { SqlRow, SqlValue } from './store.ts';

/** Searches make many texts; beyond this many the oldest are prepared again when they come back. */
const KEPT_STATEMENTS = 1_000;

/** How long one statement waits for another process's lock, in milliseconds. */
const BUSY_TIMEOUT = 5_000;

/** `node:sqlite` works synchronously, so every promise here is settled when it is returned. */
export class SqliteConnection implements Transaction {
  readonly database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  /** @param path file path or `:memory:` */
  constructor(path: string, options: { readonly readOnly: boolean }) {
    try {
      this.database = new DatabaseSync(path, { readOnly: options.readOnly, timeout: BUSY_TIMEOUT });
    } catch (error) {
      throw sqliteFault(error);
    }
  }

  async all(sql: string, params: readonly SqlValue[] = []): Promise<SqlRow[]> {
    try {
      return this.#prepare(sql).all(...params) as SqlRow[];
    } catch (error) {
      throw sqliteFault(error);
    }
  }

  async run(sql: string, params: readonly SqlValue[] = []): Promise<number> {
    try {
      return Number(this.#prepare(sql).run(...params).changes);
    } catch (error) {
      throw sqliteFault(error);
    }
  }

  async script(text: string): Promise<void> {
    this.exec(text);
  }

  /** Runs statements that have no parameters and no result. */
  exec(text: string): void {
    try {
      this.database.exec(text);
    } catch (error) {
      throw sqliteFault(error);
    }
  }

  close(): void {
    this.#statements.clear();
    this.database.close();
  }

  #prepare(sql: string): StatementSync {
    const known = this.#statements.get(sql);
    if (known) return known;
    const statement = this.database.prepare(sql);
    if (this.#statements.size >= KEPT_STATEMENTS) {
      const oldest = this.#statements.keys().next();
      if (!oldest.done) this.#statements.delete(oldest.value);
    }
    this.#statements.set(sql, statement);
    return statement;
  }
}

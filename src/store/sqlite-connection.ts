// One connection to a SQLite file: statements are prepared once per SQL text and kept.
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { Tainted, type Transaction } from './engine.ts';
import { sqliteFault } from './sqlite-fault.ts';
import { SqliteLateRows } from './sqlite-late-rows.ts';
import { exchangeRows, putRows } from './sqlite-rows.ts';
import type { SqlRow, SqlValue } from './store.ts';
import type { Row, Table } from './table.ts';

/** Searches make many texts; beyond this many the oldest are prepared again when they come back. */
const KEPT_STATEMENTS = 1_000;

/** How long one statement waits for another process's lock, in milliseconds. */
const BUSY_TIMEOUT = 5_000;

/** `node:sqlite` works synchronously, so every promise here is settled when it is returned. */
export class SqliteConnection implements Transaction {
  readonly dialect = 'sqlite';
  readonly database: DatabaseSync;
  readonly #reading = new Map<string, StatementSync>();
  readonly #changing = new Map<string, StatementSync>();
  readonly #late = new SqliteLateRows();
  /** Rows that were changed, ever. */
  #written = 0;

  /** @param path file path or `:memory:` */
  constructor(path: string, options: { readonly readOnly: boolean }) {
    try {
      this.database = new DatabaseSync(path, { readOnly: options.readOnly, timeout: BUSY_TIMEOUT });
    } catch (error) {
      throw sqliteFault(error);
    }
  }

  async all(sql: string, params: readonly SqlValue[] = []): Promise<SqlRow[]> {
    if (!this.#late.isEmpty && sql.includes('search_text')) await this.flush();
    return this.#statements.select(sql, params);
  }

  async run(sql: string, params: readonly SqlValue[] = []): Promise<number> {
    return this.#statements.run(sql, params);
  }

  /** Without a promise, of which a commit would make one for each row. */
  readonly #statements = {
    select: (sql: string, params: readonly SqlValue[]): SqlRow[] => {
      try {
        return this.#prepare(this.#reading, sql).all(...params) as SqlRow[];
      } catch (error) {
        throw sqliteFault(error);
      }
    },
    run: (sql: string, params: readonly SqlValue[]): number => {
      try {
        const changed = Number(this.#prepare(this.#changing, sql).run(...params).changes);
        this.#written += changed;
        return changed;
      } catch (error) {
        throw sqliteFault(error);
      }
    },
  };

  async put(table: Table, key: number, rows: readonly Row[], fresh: boolean): Promise<void> {
    if (table.holds === 'text') this.#late.put(table, key, rows, fresh);
    else putRows(this.#statements, table, key, rows, fresh);
  }

  readonly exchange = async (table: Table, before: readonly Row[], after: readonly Row[]): Promise<boolean> =>
    exchangeRows(this.#statements, table, before, after);

  /** Writes the rows that wait for the end of the transaction. */
  async flush(): Promise<void> {
    this.#late.write(this.#statements);
  }

  /** Forgets them, because the transaction is taken back. */
  forget(): void {
    this.#late.forget();
  }

  /** A savepoint costs a copy of every page that is touched after it, which was a quarter of a sweep. */
  async attempt<T>(work: () => Promise<T>, lightly: boolean): Promise<T> {
    const written = this.#written;
    if (!lightly) await this.run('SAVEPOINT unit');
    this.#late.beginAttempt();
    try {
      const result = await work();
      if (!lightly) await this.run('RELEASE SAVEPOINT unit');
      this.#late.endAttempt(true);
      return result;
    } catch (error) {
      this.#late.endAttempt(false);
      if (this.isBroken) throw error;
      if (!lightly) {
        await this.run('ROLLBACK TO SAVEPOINT unit');
        await this.run('RELEASE SAVEPOINT unit');
      } else if (this.#written > written) throw new Tainted();
      throw error;
    }
  }

  /** A full disk makes SQLite roll back by itself. */
  get isBroken(): boolean {
    return !this.database.isTransaction;
  }

  before(sql: string, params?: readonly SqlValue[]): Promise<SqlRow[]> {
    return this.all(sql, params);
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
    this.#reading.clear();
    this.#changing.clear();
    this.database.close();
  }

  #prepare(kept: Map<string, StatementSync>, sql: string): StatementSync {
    const known = kept.get(sql);
    if (known) return known;
    const statement = this.database.prepare(sql);
    if (kept === this.#reading) refuseChange(statement, sql);
    // With its result comes the row id last inserted, and full-text indexes have row ids that no number can hold.
    if (kept === this.#changing) statement.setReadBigInts(true);
    if (kept.size >= KEPT_STATEMENTS) {
      const oldest = kept.keys().next();
      if (!oldest.done) kept.delete(oldest.value);
    }
    kept.set(sql, statement);
    return statement;
  }
}

/** What a reader asks may run on the connection that writes, and would be written there outside of every transaction. */
function refuseChange(statement: StatementSync, sql: string): void {
  if (statement.columns().length === 0 || /\bRETURNING\b/i.test(sql)) throw new Error(`This is no query: ${sql}`);
}

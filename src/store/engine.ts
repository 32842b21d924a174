// What the store needs of a database: committed reads, and one write transaction at a time. SQLite and PostgreSQL are.
import type { AuditEntry } from './audit-entry.ts';
import type { Sql } from './sql.ts';
import type { Row, Table } from './table.ts';

/** A transaction holds a part of what failed, and may only be rolled back. */
export class Tainted extends Error {}

/** An open write transaction. */
export interface Transaction extends Sql {
  /**
   * Makes `rows` the rows of `table` that have this key. They are there for every later read of this transaction, but an
   * engine may send them together with others.
   * @param fresh says that the table has no row with this key
   */
  put(table: Table, key: number, rows: readonly Row[], fresh: boolean): Promise<void>;
  /**
   * Makes of the rows `before`, which a table of `many` has, the rows `after`; others of the same key stay as they are.
   * Absent: nothing is gained over a `put` of them all.
   * @returns false when it did not have all of those that had to go, so that only a `put` makes them right
   */
  readonly exchange?: (table: Table, before: readonly Row[], after: readonly Row[]) => Promise<boolean>;
  /**
   * Runs `work` so that nothing of it stays when it throws. Never nested.
   * @param lightly spares what that costs, where it costs something, for work that seldom fails
   * @throws Tainted when it failed and something of it stays, as it may only `lightly`
   */
  attempt<T>(work: () => Promise<T>, lightly: boolean): Promise<T>;
  /** The database has given up the whole transaction by itself: nothing more can be done in it. */
  readonly isBroken: boolean;
  /**
   * A read that need not see what this transaction has `put`: for rows that it surely has not.
   */
  before(sql: string, params?: Parameters<Sql['all']>[1]): ReturnType<Sql['all']>;
  /** Runs a file of statements; only migrations need it. */
  script(text: string): Promise<void>;
}

export interface Engine {
  /** Sees committed rows only, also while a write transaction is open. */
  readonly reader: Sql;
  /**
   * Runs `work` in a transaction that excludes every other writer on this database, in this process and in others.
   * Resolves when the transaction is on disk; rolls back and rejects when `work` or the commit fails.
   * @throws Fault unavailable when the database stays locked, is full, cannot be reached or cannot be written; timeout
   * when the connection was lost during the commit and nobody can tell any more whether it took effect
   */
  write<T>(work: (tx: Transaction) => Promise<T>): Promise<T>;
  /**
   * Appends to the audit trail alone, as a `write` would, where requests need not wait for it. Absent: nothing is gained.
   * @throws Fault as `write`
   */
  append?(entries: readonly AuditEntry[]): Promise<void>;
  /** Calls `listener` after commits of other processes, when the engine can tell. */
  onOtherCommit(listener: () => void): void;
  /** Writes a consistent copy to a new file while the store keeps working. @throws Fault when the engine has no files */
  backup(path: string): Promise<void>;
  close(): Promise<void>;
}

// What the store needs of a database: committed reads, and one write transaction at a time. SQLite is the first one.
import type { Sql } from './sql.ts';

/** An open write transaction. */
export interface Transaction extends Sql {
  /** Runs a file of statements; only migrations need it. */
  script(text: string): Promise<void>;
}

export interface Engine {
  /** Sees committed rows only, also while a write transaction is open. */
  readonly reader: Sql;
  /**
   * Runs `work` in a transaction that excludes every other writer on this database, in this process and in others.
   * Resolves when the transaction is on disk; rolls back and rejects when `work` or the commit fails.
   * @throws Fault unavailable when the database stays locked, is full or cannot be written
   */
  write<T>(work: (tx: Transaction) => Promise<T>): Promise<T>;
  /** Writes a consistent copy to a new file while the store keeps working. */
  backup(path: string): Promise<void>;
  close(): Promise<void>;
}

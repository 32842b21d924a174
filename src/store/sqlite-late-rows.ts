// Rows of full-text tables on their way: FTS5 writes a segment to disk at every savepoint, which for single resources
// costs more than all the rest of a write. So they wait until the transaction ends, or has to see them.
import { putRows, type RowStatements } from './sqlite-rows.ts';
import type { Row, Table } from './table.ts';

interface Put {
  readonly table: Table;
  readonly key: number;
  readonly rows: readonly Row[];
  readonly fresh: boolean;
}

export class SqliteLateRows {
  #puts: Put[] = [];
  /** Where the savepoint was made, and what had been put before it when that was written inside it. */
  #attempt: { readonly mark: number; written?: Put[] } | undefined;

  get isEmpty(): boolean {
    return this.#puts.length === 0;
  }

  put(table: Table, key: number, rows: readonly Row[], fresh: boolean): void {
    if (rows.length > 0 || !fresh) this.#puts.push({ table, key, rows, fresh });
  }

  beginAttempt(): void {
    this.#attempt = { mark: this.#puts.length };
  }

  /** @param kept false takes back what was put since `beginAttempt` */
  endAttempt(kept: boolean): void {
    const attempt = this.#attempt;
    this.#attempt = undefined;
    if (!kept && attempt) this.#puts = attempt.written ?? this.#puts.slice(0, attempt.mark);
  }

  forget(): void {
    this.#puts = [];
    this.#attempt = undefined;
  }

  write(statements: RowStatements): void {
    const puts = this.#puts;
    if (this.#attempt) this.#attempt.written ??= puts.slice(0, this.#attempt.mark);
    this.#puts = [];
    const last = new Map<number, Put>();
    for (const put of puts) last.set(put.key, { ...put, fresh: last.get(put.key)?.fresh ?? put.fresh });
    // FTS5 also writes a segment whenever a row has a lower number than the one before.
    const ascending = [...last.values()].sort((a, b) => a.key - b.key);
    for (const { table, key, rows, fresh } of ascending) putRows(statements, table, key, rows, fresh);
  }
}

// The few verbs of SQL that both engines speak. Always `?` placeholders; an engine translates.
import type { SqlRow, SqlValue } from './store.ts';

export interface Sql {
  all(sql: string, params?: readonly SqlValue[]): Promise<SqlRow[]>;
  /** Runs a statement that changes rows; resolves to how many. */
  run(sql: string, params?: readonly SqlValue[]): Promise<number>;
}

// The few verbs of SQL that both engines speak. Always `?` placeholders; an engine translates.
import type { SqlRow, SqlValue } from './store.ts';

/** The engines: SQL that must differ asks which one it is for; everything else is written once. */
export type Dialect = 'sqlite' | 'postgres';

export interface Sql {
  readonly dialect: Dialect;
  all(sql: string, params?: readonly SqlValue[]): Promise<SqlRow[]>;
  /** Runs a statement that changes rows; resolves to how many. */
  run(sql: string, params?: readonly SqlValue[]): Promise<number>;
}

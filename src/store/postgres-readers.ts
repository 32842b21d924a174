// Connections that read what is committed. A statement goes to the least busy one; another is opened only when all are
// busy, so that a slow search holds up nobody as long as one is free.
import type { ClientConfig } from 'pg';
import { PostgresConnection } from './postgres-connection.ts';
import { isLost } from './postgres-fault.ts';
import type { Sql } from './sql.ts';
import type { SqlRow, SqlValue } from './store.ts';

const MOST_CONNECTIONS = 8;

/** Small values of many requests: a plan once found stays good, and starting parallel workers costs more than they save. */
const PROLOGUE = `SET default_transaction_read_only = on; SET statement_timeout = '30s'; SET jit = off;
  SET max_parallel_workers_per_gather = 0; SET random_page_cost = 1.1`;

export class PostgresReaders implements Sql {
  readonly dialect = 'postgres';
  readonly #connections: PostgresConnection[];

  constructor(settings: ClientConfig) {
    this.#connections = Array.from({ length: MOST_CONNECTIONS }, () => new PostgresConnection(settings, PROLOGUE));
  }

  async all(sql: string, params?: readonly SqlValue[]): Promise<SqlRow[]> {
    const connection = this.#leastBusy();
    try {
      return (await connection.query(sql, params)).rows;
    } catch (error) {
      if (!isLost(error)) throw error;
      // A read that a restart of the database cut off is asked again, once, on a new connection.
      return (await connection.query(sql, params)).rows;
    }
  }

  async run(sql: string, params?: readonly SqlValue[]): Promise<number> {
    return (await this.#leastBusy().query(sql, params)).changed;
  }

  async close(): Promise<void> {
    await Promise.all(this.#connections.map((connection) => connection.close()));
  }

  #leastBusy(): PostgresConnection {
    let best = this.#connections[0] as PostgresConnection;
    for (const connection of this.#connections) {
      if (connection.waiting === 0 && connection.isWornOut) connection.drop();
      if (connection.waiting < best.waiting) best = connection;
      if (best.waiting === 0) break;
    }
    return best;
  }
}

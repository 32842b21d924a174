// The database that is measured: a SQLite file, or a PostgreSQL of its own.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import pg from 'pg';
import { startPostgres } from '../../tests/support/postgres-server.ts';
import type { EngineName } from './workloads/workload.ts';

export interface BenchDatabase {
  /** For BATON_DATABASE_URL. */
  readonly url: string;
  /** For BATON_DATA_DIR. */
  readonly folder: string;
  /** Process of the database server; absent for SQLite, which has none. */
  readonly pid?: number;
  /** Whether it holds the population of this name already. */
  holds(name: string): boolean;
  /** Notes that it does now. */
  note(name: string): void;
  /** Does now what the database does by itself some minutes after so much was loaded. */
  settle(): Promise<void>;
  close(): Promise<void>;
}

/** Durable; memory as on a small machine, where Baton and the database share two cores. */
const SETTINGS = { shared_buffers: '512MB', effective_cache_size: '2GB', max_wal_size: '4GB', max_connections: '50' };

/** @param keep folder of a database that stays; absent: a temporary one */
export async function openDatabase(engine: EngineName, keep: string | undefined): Promise<BenchDatabase> {
  const folder = keep === undefined ? mkdtempSync(join(tmpdir(), 'baton-bench-')) : resolve(keep);
  mkdirSync(folder, { recursive: true });
  const noted = join(folder, 'population');
  const common = {
    folder,
    holds: (name: string) => existsSync(noted) && readFileSync(noted, 'utf8') === name,
    note: (name: string) => writeFileSync(noted, name),
  };
  const forget = () => {
    if (keep === undefined) rmSync(folder, { recursive: true, force: true });
  };
  if (engine === 'sqlite') {
    return {
      ...common,
      url: `sqlite:${join(folder, 'baton.db')}`,
      settle: async () => {},
      close: async () => forget(),
    };
  }
  const server = await startPostgres({
    settings: SETTINGS,
    ...(keep === undefined ? {} : { keep: join(folder, 'postgres') }),
  });
  await makeDatabase(server.url('postgres'));
  return {
    ...common,
    url: server.url('baton'),
    pid: server.pid,
    settle: () => ask(server.url('baton'), 'VACUUM ANALYZE'),
    async close() {
      await server.stop();
      forget();
    },
  };
}

async function ask(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(statement);
  await client.end();
}

async function makeDatabase(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const { rows } = await client.query("SELECT 1 FROM pg_database WHERE datname = 'baton'");
  if (rows.length === 0) await client.query('CREATE DATABASE baton');
  await client.end();
}

// Databases on the run's PostgreSQL: each a copy of one with all tables and nothing in it, dropped after use.
import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { Client } from 'pg';
import { pino } from 'pino';
import { inject } from 'vitest';
import { movableClock } from '../../src/clock.ts';
import { openStore } from '../../src/store/open.ts';
import { testRules } from './store-rules.ts';

export interface PostgresDatabase {
  readonly url: string;
  drop(): Promise<void>;
}

let serverUrl: Promise<string> | undefined;
let template: Promise<string> | undefined;
let last = 0;

/** @param empty without Baton's tables, too */
export async function makePostgresDatabase(empty = false): Promise<PostgresDatabase> {
  serverUrl ??= askForServer();
  const server = await serverUrl;
  if (!empty) template ??= makeTemplate(server);
  const name = nextName('test');
  const from = empty ? '' : ` TEMPLATE ${await template} STRATEGY FILE_COPY`;
  await administer(server, `CREATE DATABASE ${name}${from}`);
  return {
    url: at(server, name),
    drop: () => administer(server, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`),
  };
}

/** Runs a statement that belongs to no database, as the server's superuser. */
export async function administer(server: string, statement: string): Promise<void> {
  const client = new Client({ connectionString: server });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}

async function askForServer(): Promise<string> {
  const socket = connect(inject('postgresSocket'));
  await once(socket, 'connect');
  const answer = await text(socket);
  if (!answer.startsWith('postgres:')) throw new Error(`The run's PostgreSQL: ${answer}`);
  return answer;
}

/** One for each test file: others may have other tables by then. */
async function makeTemplate(server: string): Promise<string> {
  const name = nextName('template');
  await administer(server, `CREATE DATABASE ${name}`);
  const log = pino({ level: 'silent' });
  const store = await openStore({ url: at(server, name), clock: movableClock(), log, ...testRules() });
  await store.close();
  return name;
}

const nextName = (what: string) => `${what}_${process.pid}_${++last}`;

const at = (server: string, database: string) => server.replace(/\/postgres$/, `/${database}`);

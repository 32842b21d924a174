// Empty stores for the oracle, on either engine.
import { Client } from 'pg';
import { pino } from 'pino';
import { openStore } from '../../../src/store/open.ts';
import { startPostgres } from '../../support/postgres-server.ts';
import { testRules } from '../../support/store-rules.ts';
import type { OpenForOracle } from './world.ts';

export interface Stores {
  readonly open: OpenForOracle;
  /** Ends the server that they are on, if there is one. */
  stop(): Promise<void>;
}

export function sqliteStores(): Stores {
  return { open: (options) => openAt('sqlite::memory:', options, async () => undefined), stop: async () => undefined };
}

/** Durability is not what the oracle is about. */
const HASTY = { fsync: 'off', full_page_writes: 'off', synchronous_commit: 'off' };

/** One server, one database after the other, each a copy of an empty one with all tables. */
export async function postgresStores(): Promise<Stores> {
  const server = await startPostgres({ settings: HASTY });
  const admin = new Client({ connectionString: server.url('postgres') });
  await admin.connect();
  await admin.query('CREATE DATABASE empty');
  let last = 0;
  const clock = { now: () => Temporal.Now.instant(), real: () => Temporal.Now.instant() };
  const empty = await openAt(server.url('empty'), { clock }, async () => undefined);
  await empty.cleanup();
  return {
    async open(options) {
      const name = `corpus_${++last}`;
      await admin.query(`CREATE DATABASE ${name} TEMPLATE empty`);
      return openAt(server.url(name), options, async () => {
        await admin.query(`DROP DATABASE ${name} WITH (FORCE)`);
      });
    },
    async stop() {
      await admin.end();
      await server.stop();
    },
  };
}

async function openAt(url: string, options: Parameters<OpenForOracle>[0], after: () => Promise<void>) {
  const store = await openStore({
    url,
    log: pino({ level: 'silent' }),
    ...testRules(),
    validate: () => [],
    revisions: undefined,
    referentialIntegrity: 'off',
    ...options,
  });
  return {
    store,
    async cleanup() {
      await store.close();
      await after();
    },
  };
}

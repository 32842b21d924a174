// A real store of its own for a test: opened, reopened as after a restart, thrown away. On a SQLite file, unless the test or
// the environment (BATON_TEST_ENGINE=postgres) wants PostgreSQL.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { movableClock } from '../../src/clock.ts';
import { type OpenStore, openStore, type StoreOptions } from '../../src/store/open.ts';
import { makePostgresDatabase } from './postgres-database.ts';
import { testRules } from './store-rules.ts';

export const testEngine = process.env.BATON_TEST_ENGINE === 'postgres' ? 'postgres' : 'sqlite';

export type TempStoreOptions = Partial<Omit<StoreOptions, 'url'>> & {
  /** Keeps the database in memory; `reopen` then starts an empty one. SQLite only: elsewhere it changes nothing. */
  readonly memory?: boolean;
  readonly engine?: 'sqlite' | 'postgres';
};

export interface TempStore {
  /** The store as last opened. */
  readonly store: OpenStore;
  readonly clock: StoreOptions['clock'] & ReturnType<typeof movableClock>;
  readonly engine: 'sqlite' | 'postgres';
  /** For another store, or another process, on the same database. */
  readonly url: string;
  /** The SQLite file; a file that does not exist on PostgreSQL. Its folder is the test's own. */
  readonly path: string;
  /** One more store on the same database, as of another process; its opener closes it. */
  another(): Promise<OpenStore>;
  /** Closes the store and opens it again on the same database. */
  reopen(): Promise<OpenStore>;
  /** Closes the store and removes its database and directory. */
  cleanup(): Promise<void>;
}

interface Place {
  readonly url: string;
  remove(): Promise<void>;
}

/** Opens a store on a new database, wired with the real validator and search engine. */
export async function openTempStore(options: TempStoreOptions = {}): Promise<TempStore> {
  const { memory = false, engine = testEngine, ...overrides } = options;
  const directory = await mkdtemp(join(tmpdir(), 'baton-store-'));
  const path = join(directory, 'baton.db');
  const bare = overrides.migrations !== undefined;
  const place = await (engine === 'postgres' ? onPostgres(bare) : onSqlite(path, memory, bare));
  const clock = movableClock();
  const log = pino({ level: 'silent' });
  const open = () => openStore({ url: place.url, clock, log, ...testRules(), ...overrides });
  let store = await open();
  return {
    get store() {
      return store;
    },
    clock,
    engine,
    url: place.url,
    path,
    another: open,
    async reopen() {
      await store.close();
      store = await open();
      return store;
    },
    async cleanup() {
      await store.close();
      await place.remove();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

async function onPostgres(bare: boolean): Promise<Place> {
  const database = await makePostgresDatabase(bare);
  return { url: database.url, remove: database.drop };
}

async function onSqlite(path: string, memory: boolean, bare: boolean): Promise<Place> {
  if (!memory && !bare) await writeFile(path, await emptyFile(), { mode: 0o600 });
  return { url: memory ? 'sqlite::memory:' : `sqlite:${path}`, remove: async () => undefined };
}

let template: Promise<Uint8Array> | undefined;

/** The bytes of a database with every migration applied and nothing in it, made once per process: writing them is faster. */
function emptyFile(): Promise<Uint8Array> {
  template ??= makeEmptyFile();
  return template;
}

async function makeEmptyFile(): Promise<Uint8Array> {
  const directory = await mkdtemp(join(tmpdir(), 'baton-template-'));
  const path = join(directory, 'empty.db');
  const log = pino({ level: 'silent' });
  const store = await openStore({ url: `sqlite:${path}`, clock: movableClock(), log, ...testRules() });
  await store.close();
  const bytes = await readFile(path);
  await rm(directory, { recursive: true });
  return bytes;
}

// A real store on a file of its own for a test: opened, reopened as after a restart, thrown away.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { movableClock } from '../../src/clock.ts';
import { type OpenStore, openStore, type StoreOptions } from '../../src/store/open.ts';
import { testRules } from './store-rules.ts';

export type TempStoreOptions = Partial<Omit<StoreOptions, 'url'>> & {
  /** Keeps the database in memory; `reopen` then starts an empty one. */
  readonly memory?: boolean;
};

export interface TempStore {
  /** The store as last opened. */
  readonly store: OpenStore;
  readonly clock: StoreOptions['clock'] & ReturnType<typeof movableClock>;
  readonly path: string;
  /** Closes the store and opens it again on the same file. */
  reopen(): Promise<OpenStore>;
  /** Closes the store and removes its directory. */
  cleanup(): Promise<void>;
}

/** Opens a store in a new temporary directory, wired with the real validator and search engine. */
export async function openTempStore(options: TempStoreOptions = {}): Promise<TempStore> {
  const { memory = false, ...overrides } = options;
  const directory = await mkdtemp(join(tmpdir(), 'baton-store-'));
  const path = join(directory, 'baton.db');
  const clock = movableClock();
  const open = () =>
    openStore({
      url: memory ? 'sqlite::memory:' : `sqlite:${path}`,
      clock,
      log: pino({ level: 'silent' }),
      ...testRules(),
      ...overrides,
    });
  const startsEmpty = !memory && overrides.migrations === undefined;
  if (startsEmpty) await writeFile(path, await emptyDatabase(), { mode: 0o600 });
  let store = await open();
  return {
    get store() {
      return store;
    },
    clock,
    path,
    async reopen() {
      await store.close();
      store = await open();
      return store;
    },
    async cleanup() {
      await store.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

let template: Promise<Uint8Array> | undefined;

/** The bytes of a database with every migration applied and nothing in it, made once per process: writing them is faster. */
function emptyDatabase(): Promise<Uint8Array> {
  template ??= makeEmptyDatabase();
  return template;
}

async function makeEmptyDatabase(): Promise<Uint8Array> {
  const directory = await mkdtemp(join(tmpdir(), 'baton-template-'));
  const path = join(directory, 'empty.db');
  const log = pino({ level: 'silent' });
  const store = await openStore({ url: `sqlite:${path}`, clock: movableClock(), log, ...testRules() });
  await store.close();
  const bytes = await readFile(path);
  await rm(directory, { recursive: true });
  return bytes;
}

// A store on a PostgreSQL of its own, for tests of search on that engine. The server need not survive a power failure.
import { pino } from 'pino';
import { movableClock } from '../../../src/clock.ts';
import { openStore } from '../../../src/store/open.ts';
import { startPostgres } from '../../support/postgres-server.ts';
import { testRules } from '../../support/store-rules.ts';
import type { TempStore, TempStoreOptions } from '../../support/temp-store.ts';

export async function openPostgresStore(options: Omit<TempStoreOptions, 'memory'>): Promise<TempStore> {
  const server = await startPostgres({ settings: { fsync: 'off' } });
  const url = server.url('postgres');
  const clock = movableClock();
  const open = () => openStore({ url, clock, log: pino({ level: 'silent' }), ...testRules(), ...options });
  let store = await open().catch(async (error) => {
    await server.stop();
    throw error;
  });
  return {
    get store() {
      return store;
    },
    clock,
    path: url,
    async reopen() {
      await store.close();
      store = await open();
      return store;
    },
    async cleanup() {
      await store.close();
      await server.stop();
    },
  };
}

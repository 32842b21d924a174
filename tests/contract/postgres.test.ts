// The store's contract on PostgreSQL.
import { openTempStore } from '../support/temp-store.ts';
import { storeContract } from './store.contract.ts';

storeContract('PostgreSQL', (options) => openTempStore({ ...options, engine: 'postgres' }));

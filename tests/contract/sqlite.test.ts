// The store's contract on SQLite, on a file and in memory.
import { openTempStore } from '../support/temp-store.ts';
import { storeContract } from './store.contract.ts';

storeContract('a SQLite file', (options) => openTempStore({ ...options, engine: 'sqlite' }));
storeContract('SQLite in memory', (options) => openTempStore({ ...options, engine: 'sqlite', memory: true }));

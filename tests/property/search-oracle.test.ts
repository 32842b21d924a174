// Random searches over random resources: the store's answer is that of a plain reading of the specification, which asks
// fhirpath.js for the values and every resource in turn. `npm run oracle` asks many more.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { inMemory } from './oracle/in-memory.ts';
import { consult, describe as told } from './oracle/oracle.ts';
import { overHttp } from './oracle/over-http.ts';
import { postgresStores, type Stores, sqliteStores } from './oracle/stores.ts';

interface Slice {
  readonly stores: () => Promise<Stores>;
  /** The first seed; 1,000 when absent. */
  readonly from?: number;
  readonly corpora: number;
  readonly queries: number;
}

const SLICES: Readonly<Record<string, Slice>> = {
  SQLite: { stores: async () => sqliteStores(), from: 1_003, corpora: 4, queries: 400 },
  'SQLite, and each resource by itself,': { stores: async () => inMemory(sqliteStores()), corpora: 2, queries: 400 },
  PostgreSQL: { stores: postgresStores, corpora: 4, queries: 200 },
  'SQLite through HTTP': { stores: async () => overHttp(sqliteStores()), corpora: 1, queries: 150 },
};

describe.each(Object.entries(SLICES))('%s', (_, { stores, from = 1_000, corpora, queries }) => {
  let opened: Stores;
  beforeAll(async () => {
    opened = await stores();
  }, 60_000);
  afterAll(() => opened.stop());

  const seeds = Array.from({ length: corpora }, (_unused, n) => from + n);
  test.each(seeds)('answers as the specification says, seed %i', async (seed) => {
    const difference = await consult(seed, queries, opened.open);
    expect(difference && told(difference)).toBeUndefined();
  });
});

// A search pays for consents only where there are some, and one that comes while it runs is not missed.
import { afterEach, beforeEach, expect, test } from 'vitest';
import { labelPolicy, NO_LABEL_POLICY } from '../../../src/fhir/consent/label-policy.ts';
import type { SearchQuery } from '../../../src/fhir/search/query.ts';
import { withheldCondition } from '../../../src/fhir/search/withheld.ts';
import { sparingConsents } from '../../../src/store/search/without-consents.ts';
import type { Sql } from '../../../src/store/sql.ts';
import { actCode, consent } from '../../support/consents.ts';
import { testParameters } from '../../support/store-rules.ts';
import { openSearchWorld, parse, type SearchWorld } from '../search/search-world.ts';

let world: SearchWorld;
let db: Sql;
let seen: SearchQuery[];
beforeEach(async () => {
  world = await openSearchWorld();
  const { store, engine } = world.temp;
  db = { dialect: engine, all: store.query, run: () => Promise.reject(new Error('It only reads.')) };
  seen = [];
});
afterEach(() => world.cleanup());

const run = async (query: SearchQuery) => {
  seen.push(query);
  return { items: [], included: [] };
};
const ASKER = { actors: ['Device/app'], purposes: ['TREAT'], at: 0 };
const open = (external: boolean, policy = NO_LABEL_POLICY): SearchQuery => ({
  ...parse('Observation'),
  conditions: [{ kind: 'not', of: withheldCondition(testParameters, 'Observation', { ...ASKER, external }, policy) }],
});

test('without consents the condition is left out', async () => {
  await sparingConsents(db, open(false), run);
  expect(seen.map(({ conditions }) => conditions.length)).toEqual([0]);
});

test('with one it is asked', async () => {
  await world.put(consent('OPTOUT'));
  await sparingConsents(db, open(false), run);
  expect(seen.map(({ conditions }) => conditions.length)).toEqual([1]);
});

test('a consent that comes while the search runs makes it run again', async () => {
  await sparingConsents(db, open(false), async (query) => {
    if (seen.length === 0) await world.put(consent('OPTOUT'));
    return run(query);
  });
  expect(seen.map(({ conditions }) => conditions.length)).toEqual([0, 1]);
});

test('labels that need a permit matter without consents', async () => {
  const policy = labelPolicy({ labels: [{ ...actCode('ETH'), rule: 'deny-unless-permitted' }] });
  await sparingConsents(db, open(true, policy), run);
  expect(seen.map(({ conditions }) => conditions.length)).toEqual([1]);
});

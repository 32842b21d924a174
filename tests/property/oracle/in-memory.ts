// The oracle's questions asked of each resource by itself as well, as Subscriptions ask them of versions.
import type { Resource } from '@medplum/fhirtypes';
import { parseExact } from '../../../src/fhir/exact-json.ts';
import { createMatcher, looksElsewhere } from '../../../src/fhir/search/in-memory/matcher.ts';
import { parseSearchUrl } from '../../../src/fhir/search/parse.ts';
import type { SearchQuery } from '../../../src/fhir/search/query.ts';
import type { Store } from '../../../src/store/store.ts';
import { TEST_BASE_URL, testParameters } from '../../support/store-rules.ts';
import type { Stores } from './stores.ts';
import { type Ask, SEARCH_CLOCK } from './world.ts';

const matcher = createMatcher(testParameters, TEST_BASE_URL);

/** The same stores; a question is answered wrongly when reading each resource by itself finds others. */
export function inMemory(stores: Stores): Stores {
  return {
    async open(options) {
      const opened = await stores.open(options);
      const ask: Ask = async (url, next) => {
        const query = parseSearchUrl(testParameters, url, {
          handling: 'strict',
          baseUrl: TEST_BASE_URL,
          clock: SEARCH_CLOCK,
        });
        if (next === undefined) await compare(opened.store, query);
        return opened.store.search({ ...query, ...(next === undefined ? {} : { cursor: next }) });
      };
      return { ...opened, ask };
    },
    stop: () => stores.stop(),
  };
}

async function compare(store: Store, query: SearchQuery): Promise<void> {
  if (query.type === undefined || query.conditions.some(looksElsewhere)) return;
  const all = await store.search({ ...query, conditions: [], sort: [], includes: [], count: 1_000 });
  const found = await store.search({ ...query, sort: [], includes: [], count: 1_000 });
  const ids = all.items
    .filter(({ content }) => matcher.matches(parseExact<Resource>(content), query.conditions))
    .map(({ id }) => id);
  const [mine, theirs] = [ids, found.items.map(({ id }) => id)].map((list) => list.toSorted().join(' '));
  if (mine !== theirs) throw new Error(`each by itself finds [${mine}], the store [${theirs}]`);
}

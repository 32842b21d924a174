// A store to search in: resources go in as given (validation is not what these tests are about), ids come out.
import type { Resource } from '@medplum/fhirtypes';
import { parseSearchUrl } from '../../../src/fhir/search/parse.ts';
import type { SearchQuery } from '../../../src/fhir/search/query.ts';
import { tokenSets } from '../../../src/fhir/terminology/token-sets.ts';
import type { SearchResult } from '../../../src/store/store.ts';
import { NURSE } from '../../support/store-fixtures.ts';
import { TEST_BASE_URL, testDefinitions, testParameters } from '../../support/store-rules.ts';
import { openTempStore, type TempStore } from '../../support/temp-store.ts';

export interface SearchWorld {
  readonly temp: TempStore;
  /** Creates or replaces resources, each under its id. */
  put(...resources: Resource[]): Promise<void>;
  remove(type: string, id: string): Promise<void>;
  search(url: string, more?: Partial<SearchQuery>): Promise<SearchResult>;
  /** Ids of the matches, in order. */
  ids(url: string): Promise<string[]>;
  /** Ids of the matches, sorted: for tests that are not about order. */
  found(url: string): Promise<string[]>;
  /** `Type/id` of what is included, sorted. */
  included(url: string): Promise<string[]>;
  cleanup(): Promise<void>;
}

const testTokenSets = tokenSets(() => testDefinitions.terminology.source);

export function parse(url: string): SearchQuery {
  return parseSearchUrl(testParameters, url, { handling: 'strict', baseUrl: TEST_BASE_URL, tokenSets: testTokenSets });
}

/** On the engine that the environment names: vitest.config.ts runs these tests on both. */
export async function openSearchWorld(): Promise<SearchWorld> {
  const rules = { validate: () => [], referentialIntegrity: 'off' } as const;
  const temp = await openTempStore({ ...rules, memory: true });
  const search = (url: string, more: Partial<SearchQuery> = {}) => temp.store.search({ ...parse(url), ...more });
  const ids = async (url: string) => (await search(url)).items.map((item) => item.id);
  return {
    temp,
    async put(...resources) {
      await temp.store.commit(
        NURSE,
        resources.map((resource) => ({ op: 'update', resource })),
      );
    },
    async remove(type, id) {
      await temp.store.commit(NURSE, [{ op: 'delete', type, id }]);
    },
    search,
    ids,
    found: async (url) => (await ids(url)).sort(),
    included: async (url) => (await search(url)).included.map((item) => `${item.type}/${item.id}`).sort(),
    cleanup: () => temp.cleanup(),
  };
}

/** Follows `next` to the end; `between` runs after every page. */
export async function readAllPages(
  world: SearchWorld,
  url: string,
  between: (page: number) => Promise<void> = async () => undefined,
): Promise<string[]> {
  const seen: string[] = [];
  let cursor: string | undefined;
  for (let page = 1; ; page++) {
    const result = await world.search(url, cursor === undefined ? {} : { cursor });
    seen.push(...result.items.map((item) => item.id));
    if (result.next === undefined) return seen;
    cursor = result.next;
    await between(page);
  }
}

// A corpus in a real store, and the comparison of what the store answers with what a plain reading finds.
import type { Resource } from '@medplum/fhirtypes';
import type { Clock } from '../../../src/clock.ts';
import { parseSearchUrl } from '../../../src/fhir/search/parse.ts';
import type { SearchResult, Store, StoredVersion } from '../../../src/store/store.ts';
import { NURSE } from '../../support/store-fixtures.ts';
import { TEST_BASE_URL, testParameters } from '../../support/store-rules.ts';
import { type Corpus, currentOf, type Write } from './corpus.ts';
import { includedWith, matchesOf } from './evaluate.ts';
import { NOW } from './match-value.ts';
import { disorder } from './order.ts';
import { keyOf, Population } from './population.ts';
import type { QueryWorld } from './queries.ts';
import { type Query, queryUrl } from './query.ts';
import { parametersOf } from './search-definitions.ts';

/** The clock of the search, which `ap` is measured from. */
export const SEARCH_CLOCK = { now: () => Temporal.Instant.from(NOW), real: () => Temporal.Instant.from(NOW) };
const STARTED = '2025-06-30T23:59:58.900Z';
/** Writes in one commit; time passes between commits. */
const TOGETHER = 7;

export interface OracleWorld extends QueryWorld {
  readonly population: Population;
  /** What is wrong with the store's answer; undefined when nothing is. */
  difference(query: Query): Promise<string | undefined>;
  close(): Promise<void>;
}

/** One page of an answer. */
export interface FoundPage extends Pick<SearchResult, 'total' | 'next'> {
  readonly items: readonly Pick<StoredVersion, 'type' | 'id'>[];
  readonly included: readonly Pick<StoredVersion, 'type' | 'id'>[];
}

/** Asks for a page: the first without `next`, the others with that of the page before. */
export type Ask = (url: string, next: string | undefined) => Promise<FoundPage>;

export interface OracleStore {
  readonly store: Store;
  /** Another way to ask than the store's own. */
  readonly ask?: Ask;
  /** Closes the store and removes what is in it. */
  cleanup(): Promise<void>;
}

/** Opens an empty store that takes every resource as it is. */
export type OpenForOracle = (options: { readonly clock: Clock }) => Promise<OracleStore>;

export async function openOracleWorld(corpus: Corpus, open: OpenForOracle): Promise<OracleWorld> {
  const written = { now: Temporal.Instant.from(STARTED) };
  const temp = await open({
    clock: { now: () => written.now, real: () => Temporal.Now.instant() },
  });
  const updated = await write(temp, corpus.writes, written);
  const population = new Population(currentOf(corpus), updated);
  const filled = new Map(corpus.types.map((type) => [type, filledParameters(population, type)]));
  return {
    population,
    types: corpus.types,
    updates: population.resources.map((resource) => population.updatedOf(resource)),
    filled: (type) => filled.get(type) ?? [],
    difference: (query) => difference(temp.ask ?? askStore(temp.store), population, query),
    close: () => temp.cleanup(),
  };
}

/**
 * @param written its `now` is moved on with every commit
 * @returns the time of the last write by `Type/id`
 */
async function write(
  { store }: OracleStore,
  writes: readonly Write[],
  written: { now: Temporal.Instant },
): Promise<Map<string, string>> {
  const updated = new Map<string, string>();
  for (const group of commits(writes)) {
    const changes = group.map(({ type, id, resource }) =>
      resource ? ({ op: 'update', resource } as const) : ({ op: 'delete', type, id } as const),
    );
    const outcomes = await store.commit(NURSE, changes);
    outcomes.forEach(({ lastUpdated }, at) => {
      updated.set(`${group[at]?.type}/${group[at]?.id}`, lastUpdated);
    });
    written.now = written.now.add({ milliseconds: 73 });
  }
  return updated;
}

/** In order; one commit cannot change a resource twice. */
function commits(writes: readonly Write[]): Write[][] {
  const groups: Write[][] = [[]];
  for (const each of writes) {
    const group = groups.at(-1) ?? [];
    const isTaken = group.some(({ type, id }) => type === each.type && id === each.id);
    if (isTaken || group.length >= TOGETHER) groups.push([each]);
    else group.push(each);
  }
  return groups;
}

function filledParameters(population: Population, type: string) {
  const resources = population.resources.filter(({ resourceType }) => resourceType === type);
  return parametersOf(type).filter(
    (parameter) =>
      parameter.kind === 'composite' || resources.some((resource) => population.values(resource, parameter).length > 0),
  );
}

function askStore(store: Store): Ask {
  return (url, next) => {
    const options = { handling: 'strict', baseUrl: TEST_BASE_URL, clock: SEARCH_CLOCK } as const;
    const query = parseSearchUrl(testParameters, url, options);
    return store.search({ ...query, ...(next === undefined ? {} : { cursor: next }) });
  };
}

async function difference(ask: Ask, population: Population, query: Query): Promise<string | undefined> {
  const url = queryUrl(query);
  const expected = matchesOf(population, query);
  const found: Resource[] = [];
  let next: string | undefined;
  do {
    const page: FoundPage = await ask(url, next);
    const matches = page.items.map((item) => resourceOf(population, item));
    const wrong = wrongPage(population, query, page, matches, expected.length, found.length > 0);
    if (wrong) return wrong;
    found.push(...matches);
    next = page.next;
  } while (next !== undefined && found.length <= expected.length);
  const missing = expected.filter((resource) => !found.includes(resource)).map(keyOf);
  const extra = found
    .filter((resource, at) => !expected.includes(resource) || found.indexOf(resource) !== at)
    .map(keyOf);
  if (missing.length > 0 || extra.length > 0) return `missing [${missing.join(' ')}], too many [${extra.join(' ')}]`;
  const swapped = disorder(population, query, found);
  return swapped && `in the wrong order: ${swapped.map(keyOf).join(' before ')}`;
}

function wrongPage(
  population: Population,
  query: Query,
  page: FoundPage,
  matches: readonly Resource[],
  total: number,
  isLater: boolean,
): string | undefined {
  const wanted = query.total === 'accurate' || (query.total === undefined && !isLater && page.next === undefined);
  if (wanted && page.total !== total) return `total ${page.total} instead of ${total}`;
  if (query.total === 'none' && page.total !== undefined) return 'a total that was not asked for';
  if (matches.length > query.count) return `a page of ${matches.length}`;
  const expected = includedWith(population, matches, query.includes).map(keyOf).sort();
  const included = page.included.map(({ type, id }) => `${type}/${id}`).sort();
  if (expected.join() === included.join()) return undefined;
  return `included [${included.join(' ')}] instead of [${expected.join(' ')}]`;
}

function resourceOf(population: Population, { type, id }: Pick<StoredVersion, 'type' | 'id'>): Resource {
  const resource = population.get(type, id);
  if (!resource) throw new Error(`${type}/${id} is found and is not there.`);
  return resource;
}

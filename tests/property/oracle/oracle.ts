// The oracle: many queries over one random corpus, and the smallest query and corpus that show a difference.
import type { Resource } from '@medplum/fhirtypes';
import fc from 'fast-check';
import { type Corpus, corpusArbitrary, currentOf, type Write } from './corpus.ts';
import { queryArbitrary } from './queries.ts';
import { type Query, queryUrl } from './query.ts';
import { type OpenForOracle, openOracleWorld } from './world.ts';

export interface Difference {
  /** Of the corpus and of the queries: the same seed gives the same again. */
  readonly seed: number;
  /** Percent-decoded, to be read. */
  readonly query: string;
  readonly what: string;
  /** The few resources that it takes. */
  readonly resources: readonly Resource[];
}

/** Resources of each type: with about nine types somewhat over a hundred in a corpus. */
const OF_EACH_TYPE = 14;

export function corpusOf(seed: number): Corpus {
  const [corpus] = fc.sample(corpusArbitrary(OF_EACH_TYPE), { seed, numRuns: 1 });
  if (!corpus) throw new Error('fast-check gave no corpus.');
  return corpus;
}

/** Asks `count` queries of the corpus that belongs to `seed`; stops at the first difference, made as small as it gets. */
export async function consult(seed: number, count: number, open: OpenForOracle): Promise<Difference | undefined> {
  const corpus = corpusOf(seed);
  const world = await openOracleWorld(corpus, open);
  try {
    const property = fc.asyncProperty(queryArbitrary(world), async (query) => {
      return (await differenceOf(world, query)) === undefined;
    });
    const { counterexample } = await fc.check(property, { seed, numRuns: count });
    const [query] = counterexample ?? [];
    return query && (await smallest(seed, corpus, query, open));
  } finally {
    await world.close();
  }
}

async function differenceOf(world: Awaited<ReturnType<typeof openOracleWorld>>, query: Query) {
  try {
    return await world.difference(query);
  } catch (error) {
    return error instanceof Error ? `${error.message} ${error.stack?.split('\n')[1]?.trim()}` : String(error);
  }
}

async function smallest(seed: number, corpus: Corpus, query: Query, open: OpenForOracle): Promise<Difference> {
  const ask = async (writes: readonly Write[]) => {
    const world = await openOracleWorld({ ...corpus, writes }, open);
    const found = await differenceOf(world, query).finally(() => world.close());
    return found;
  };
  let { writes } = corpus;
  for (let size = Math.ceil(writes.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let start = 0; start < writes.length; ) {
      const fewer = [...writes.slice(0, start), ...writes.slice(start + size)];
      if ((await ask(fewer)) !== undefined) writes = fewer;
      else start += size;
    }
  }
  for (const write of writes) {
    for (const member of Object.keys(write.resource ?? {})) {
      if (member === 'id' || member === 'resourceType') continue;
      const fewer = writes.map((each) =>
        each.id === write.id && each.type === write.type ? without(each, member) : each,
      );
      if ((await ask(fewer)) !== undefined) writes = fewer;
    }
  }
  const what = (await ask(writes)) ?? 'only in the whole corpus';
  return { seed, query: decodeURIComponent(queryUrl(query)), what, resources: currentOf({ ...corpus, writes }) };
}

function without(write: Write, member: string): Write {
  if (!write.resource) return write;
  const { [member]: _, ...resource } = write.resource as unknown as Record<string, unknown>;
  return { ...write, resource: resource as unknown as Resource };
}

/** For a person to read. */
export function describe({ seed, query, what, resources }: Difference): string {
  return [`seed ${seed}: ${query}`, `  ${what}`, ...resources.map((resource) => `  ${JSON.stringify(resource)}`)].join(
    '\n',
  );
}

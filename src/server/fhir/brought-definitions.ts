// The definitions that come with Baton (profiles/), read and searched like what is stored and copied into no database: they
// are indexed in memory when somebody first asks for one. What is stored under the same id stands in for one of them.
import { createHash } from 'node:crypto';
import type { Resource, StructureDefinition } from '@medplum/fhirtypes';
import type { Logger } from 'pino';
import type { Clock } from '../../clock.ts';
import type { Definitions } from '../../fhir/definitions.ts';
import type { SearchParameters } from '../../fhir/search/parameters.ts';
import type { Condition, SearchQuery } from '../../fhir/search/query.ts';
import { generateSnapshot } from '../../fhir/snapshot/generate-snapshot.ts';
import { type OpenStore, openStore } from '../../store/open.ts';
import { createSearchEngine } from '../../store/search/search-engine.ts';
import type { SearchResult, Store, StoredVersion } from '../../store/store.ts';

export interface BroughtDefinitions {
  /** Whether any resource of the type comes with Baton. */
  has(type: string): boolean;
  /** One that nothing stored stands in for, within the reach. */
  read(type: string, id: string, reach?: Condition): Promise<StoredVersion | undefined>;
  /** Those of the query's type that nothing stored stands in for; `next` is for this search alone. */
  search(query: SearchQuery): Promise<SearchResult>;
  close(): Promise<void>;
}

export interface BroughtOptions {
  /** Resources of profiles/; those without a canonical URL are no definitions. */
  readonly resources: readonly Resource[];
  readonly parameters: SearchParameters;
  readonly definitions: Pick<Definitions, 'structure'>;
  /** What stands in for them. */
  readonly stored: Pick<Store, 'search'>;
  readonly base: () => string;
  /** Another object when guides, and so search parameters, have changed. */
  readonly installed: () => unknown;
  readonly clock: Clock;
  readonly log: Logger;
}

type Definition = Resource & { readonly id: string; readonly url: string; readonly date?: string };

const ACTOR = { reference: 'Device/baton', kind: 'service' } as const;
/** As the store writes it; what is shown says which content it is, because that may change with each release. */
const FIRST = '"versionId":"1"';

export function broughtDefinitions(options: BroughtOptions): BroughtDefinitions {
  const { installed, stored } = options;
  const ids = idsByType(options.resources.filter(isDefinition));
  let opened: { readonly by: unknown; readonly store: Promise<OpenStore> } | undefined;

  async function open(): Promise<OpenStore> {
    const by = installed();
    if (opened && opened.by === by) return opened.store;
    const before = opened?.store;
    const store = index(options);
    opened = { by, store };
    // The next who asks tries again.
    store.catch(() => {
      opened = undefined;
    });
    await (await before)?.close();
    return store;
  }

  /** Whether the grant reaches what stands in for one does not matter: it stands in for everybody. */
  async function standIns(type: string): Promise<Condition> {
    const known = ids.get(type) ?? [];
    const { items } = await stored.search({ ...PLAIN, type, conditions: [among(known)], count: known.length });
    return { ...among(items.map(({ id }) => id)), negated: true };
  }

  async function search(query: SearchQuery): Promise<SearchResult> {
    const store = await open();
    const hidden = await standIns(query.type ?? '');
    const { items, included, ...rest } = await store.search({ ...query, conditions: [...query.conditions, hidden] });
    return { ...rest, items: items.map(shown), included: included.map(shown) };
  }

  return {
    has: (type) => ids.has(type),
    async read(type, id, reach) {
      if (!ids.get(type)?.includes(id)) return undefined;
      const conditions = [among([id]), ...(reach ? [reach] : [])];
      return (await search({ ...PLAIN, type, conditions, count: 1 })).items[0];
    },
    search,
    async close() {
      await (await opened?.store)?.close();
    },
  };
}

const PLAIN = { includes: [], sort: [], total: 'none', applied: [], ignored: [] } as const;

const among = (ids: readonly string[]) => ({ kind: 'id', ids, negated: false }) as const;

function isDefinition(resource: Resource): resource is Definition {
  return 'url' in resource && resource.id !== undefined;
}

function idsByType(definitions: readonly Definition[]): ReadonlyMap<string, readonly string[]> {
  const byType = Map.groupBy(definitions, ({ resourceType }) => resourceType);
  return new Map([...byType].map(([type, all]) => [type, all.map(({ id }) => id)]));
}

/** They are valid, or the tests of profiles/ fail; an integrator's own file that is not is still what is in use. */
async function index({ resources, parameters, definitions, base, clock, log }: BroughtOptions): Promise<OpenStore> {
  const all = resources.filter(isDefinition);
  const newest = all.map(({ date = '' }) => date).reduce((a, b) => (a > b ? a : b), '');
  const changed = newest === '' ? clock.real() : Temporal.Instant.from(`${newest.slice(0, 10)}T00:00:00Z`);
  const store = await openStore({
    url: 'sqlite::memory:',
    searchEngine: createSearchEngine({ parameters, baseUrl: base(), clock }),
    validate: () => [],
    clock: { now: () => changed, real: clock.real },
    // That its schema is made is nobody's news.
    log: log.child({}, { level: 'warn' }),
  });
  const changes = all.map((one) => ({ op: 'update', resource: whole(one, definitions) }) as const);
  await store.commit(ACTOR, changes, [], { transaction: false });
  return store;
}

/** With the snapshot that others need to validate by it. */
function whole(resource: Resource, { structure }: Pick<Definitions, 'structure'>): Resource {
  if (resource.resourceType !== 'StructureDefinition' || resource.snapshot) return resource;
  return generateSnapshot(resource as StructureDefinition, structure);
}

function shown(version: StoredVersion): StoredVersion {
  const versionId = createHash('sha256').update(version.content).digest('hex').slice(0, 16);
  return { ...version, versionId, content: version.content.replace(FIRST, `"versionId":"${versionId}"`) };
}

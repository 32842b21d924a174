// The code systems, value sets and concept maps that an operation needs and that were stored through the API: looked up by
// URL, then what those refer to, within what the grant lets be read. They go before what is installed.
import type { ConceptMap, Resource, ValueSet } from '@medplum/fhirtypes';
import type { Grant } from '../../../access/grant.ts';
import { Fault } from '../../../fault.ts';
import type { Pairs } from '../../../fhir/request-url.ts';
import type { Condition } from '../../../fhir/search/query.ts';
import { toCanonical } from '../../../fhir/terminology/canonical.ts';
import { keepRecent, type Recent } from '../../../fhir/terminology/recent.ts';
import {
  createSource,
  entryOf,
  layered,
  type TerminologyEntry,
  type TerminologyResource,
  type TerminologySource,
  type TerminologyType,
} from '../../../fhir/terminology/source.ts';
import type { Store, StoredVersion } from '../../../store/store.ts';
import type { FhirContext } from '../context.ts';
import { queryWithin } from '../narrow.ts';
import { tryReach } from '../reach.ts';

/** What to look up: a resource by its canonical URL. */
export interface Need {
  readonly type: TerminologyType;
  readonly url: string;
}

export interface Gathering {
  readonly context: FhirContext;
  readonly grant: Grant;
}

/** URLs looked up for one operation. */
const MAX_NEEDS = 2_000;
/** URLs in one search, and resources that may have one of them. */
const CHUNK = 50;
const MAX_FOUND = 1_000;
/** JSON bytes of stored resources that are kept parsed. */
const KEPT_BYTES = 8 * 1024 * 1024;

/**
 * @param given resources that came with the request or were read for it; they go before stored ones
 * @throws Fault unprocessable (`too-costly`) when it needs very many
 */
export async function gatherTerminology(
  gathering: Gathering,
  given: readonly TerminologyResource[],
  needs: readonly Need[],
): Promise<TerminologySource> {
  const { terminology } = gathering.context;
  const found: TerminologyEntry[] = [];
  const seen = new Set<string>();
  let wanted = unseen(seen, [...needs, ...given.flatMap(needsOf)]);
  while (wanted.length > 0) {
    if (seen.size > MAX_NEEDS) throw tooCostly();
    const stored = await findStored(gathering, wanted);
    found.push(...entriesOf(stored));
    const installed = wanted.flatMap((need) => installedFor(terminology.source, need));
    wanted = unseen(seen, [...stored, ...installed].flatMap(needsOf));
  }
  return layered(createSource(entriesOf(given)), createSource(found), terminology.source);
}

function entriesOf(resources: readonly TerminologyResource[]): TerminologyEntry[] {
  return resources.flatMap((resource) => entryOf(resource) ?? []);
}

function unseen(seen: Set<string>, needs: readonly Need[]): Need[] {
  return needs.filter(({ type, url }) => {
    const key = `${type} ${url}`;
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}

/** What a resource refers to; code systems refer to nothing. */
function needsOf(resource: TerminologyResource): Need[] {
  if (resource.resourceType === 'ValueSet') return needsOfValueSet(resource);
  return resource.resourceType === 'ConceptMap' ? needsOfConceptMap(resource) : [];
}

function needsOfValueSet({ compose }: ValueSet): Need[] {
  return [...(compose?.include ?? []), ...(compose?.exclude ?? [])].flatMap(({ system, valueSet = [] }) => [
    ...(system === undefined ? [] : [{ type: 'CodeSystem', url: system } as const]),
    ...valueSet.map((canonical) => ({ type: 'ValueSet', url: toCanonical(canonical).url }) as const),
  ]);
}

function needsOfConceptMap({ group = [] }: ConceptMap): Need[] {
  return group.flatMap(({ unmapped }) =>
    unmapped?.url === undefined ? [] : [{ type: 'ConceptMap', url: toCanonical(unmapped.url).url } as const],
  );
}

function installedFor(source: TerminologySource, { type, url }: Need): readonly TerminologyResource[] {
  if (type === 'ValueSet') return source.valueSets(url);
  return type === 'ConceptMap' ? source.conceptMaps(url) : [];
}

async function findStored(gathering: Gathering, needs: readonly Need[]): Promise<TerminologyResource[]> {
  const urls = (type: TerminologyType) => needs.filter((need) => need.type === type).map(({ url }) => url);
  const systems = urls('CodeSystem');
  return [
    ...(await searchStored(gathering, 'CodeSystem', 'url', systems)),
    ...(await searchStored(gathering, 'CodeSystem', 'supplements', systems)),
    ...(await searchStored(gathering, 'ValueSet', 'url', urls('ValueSet'))),
    ...(await searchStored(gathering, 'ConceptMap', 'url', urls('ConceptMap'))),
  ];
}

/**
 * Stored resources that have one of the URLs in a search parameter and that the grant lets be read; none when it lets
 * none of the type be read.
 */
export async function searchStored(
  { context, grant }: Gathering,
  type: TerminologyType,
  parameter: string,
  urls: readonly string[],
): Promise<TerminologyResource[]> {
  const reach = tryReach(context, grant, 'read', type);
  const found: TerminologyResource[] = [];
  for (let at = 0; reach !== 'none' && at < urls.length; at += CHUNK) {
    const value = urls
      .slice(at, at + CHUNK)
      .map(escaped)
      .join(',');
    const pairs: Pairs = [
      [parameter, value],
      ['_count', String(MAX_FOUND)],
    ];
    const { items, next } = await context.store.search(
      queryWithin(context, type, pairs, reach === 'all' ? EVERY : reach),
    );
    if (next !== undefined) throw tooCostly();
    found.push(...items.map((version) => parseStored(context.store, version) as TerminologyResource));
  }
  return found;
}

/** https://hl7.org/fhir/R4/search.html#escaping */
const escaped = (text: string) => text.replace(/[\\,|$]/g, '\\$&');

const EVERY: Condition = { kind: 'all', of: [] };

const parsed = new WeakMap<Store, Recent<Resource>>();

/** The resource of a version; those used last stay parsed, the same object as long as they stay. */
export function parseStored(store: Store, { type, id, versionId, content }: StoredVersion): Resource {
  const recent = parsed.get(store) ?? keepRecent<Resource>(KEPT_BYTES);
  parsed.set(store, recent);
  return recent(`${type}/${id}/${versionId}`, () => ({ value: JSON.parse(content), weight: content.length }));
}

function tooCostly(): Fault {
  return new Fault('unprocessable', 'The request needs more terminology resources than Baton looks at for one.', {
    code: 'too-costly',
  });
}

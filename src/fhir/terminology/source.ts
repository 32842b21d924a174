// Where code systems, value sets and concept maps come from, whoever holds them: R4 itself, what is installed, what is
// stored. Resources are loaded when they are asked for.
import type { CodeSystem, ConceptMap, Resource, ValueSet } from '@medplum/fhirtypes';
import { compareVersions } from '../package/version-order.ts';

export type TerminologyType = 'CodeSystem' | 'ValueSet' | 'ConceptMap';
export type TerminologyResource = CodeSystem | ValueSet | ConceptMap;

/** What is known of a resource without loading it. */
export interface TerminologyEntry {
  readonly type: TerminologyType;
  readonly url: string;
  readonly version?: string;
  /** Of a code system: how much of it is there. */
  readonly content?: string;
  /** Of a supplement: the code system it adds to, without version. */
  readonly supplements?: string;
  /** The same object each time while it is in use, so that what is made from it can be remembered with it. */
  load(): TerminologyResource;
}

export interface TerminologySource {
  /** All versions of a canonical URL, the one to prefer first. Supplements are no code systems of their own. */
  codeSystems(url: string): readonly CodeSystem[];
  valueSets(url: string): readonly ValueSet[];
  conceptMaps(url: string): readonly ConceptMap[];
  /** Code systems that add properties and designations to the one at `url`. */
  supplements(url: string): readonly CodeSystem[];
  allConceptMaps(): readonly ConceptMap[];
  /** Entries of every code system. */
  codeSystemEntries(): readonly TerminologyEntry[];
}

const TYPES: ReadonlySet<string> = new Set(['CodeSystem', 'ValueSet', 'ConceptMap']);

function isTerminology(resource: Resource): resource is TerminologyResource {
  return TYPES.has(resource.resourceType);
}

/** An entry for a resource at hand; undefined for one without URL, which nothing can refer to. */
export function entryOf(resource: TerminologyResource): TerminologyEntry | undefined {
  const { resourceType: type, url, version } = resource;
  if (url === undefined) return undefined;
  const supplements = resource.resourceType === 'CodeSystem' ? supplementedUrl(resource) : undefined;
  return {
    type,
    url,
    ...(version === undefined ? {} : { version }),
    ...(resource.resourceType === 'CodeSystem' && resource.content ? { content: resource.content } : {}),
    ...(supplements === undefined ? {} : { supplements }),
    load: () => resource,
  };
}

function supplementedUrl({ content, supplements }: CodeSystem): string | undefined {
  return content === 'supplement' ? (supplements ?? '').replace(/\|.*$/s, '') : undefined;
}

/** @param given later entries yield to earlier ones of the same type, URL and version */
export function createSource(given: Iterable<TerminologyEntry>): TerminologySource {
  const entries = [...given];
  const byKey = Map.groupBy(entries, (entry) => keyOf(entry));
  for (const versions of byKey.values()) versions.sort((a, b) => compareVersions(b.version, a.version));
  const load = (key: string) => (byKey.get(key) ?? []).map((entry) => entry.load());
  return {
    codeSystems: (url) => load(`CodeSystem ${url}`) as CodeSystem[],
    valueSets: (url) => load(`ValueSet ${url}`) as ValueSet[],
    conceptMaps: (url) => load(`ConceptMap ${url}`) as ConceptMap[],
    supplements: (url) => load(`supplement ${url}`) as CodeSystem[],
    allConceptMaps: () =>
      entries.filter(({ type }) => type === 'ConceptMap').map((entry) => entry.load() as ConceptMap),
    codeSystemEntries: () => entries.filter(({ type }) => type === 'CodeSystem'),
  };
}

/** A source of resources at hand; what is no terminology is left out. */
export function sourceOf(resources: readonly Resource[]): TerminologySource {
  return createSource(resources.filter(isTerminology).flatMap((resource) => entryOf(resource) ?? []));
}

function keyOf({ type, url, supplements }: TerminologyEntry): string {
  return supplements === undefined ? `${type} ${url}` : `supplement ${supplements}`;
}

/** Several sources as one; what the first has goes before what the others have. */
export function layered(...sources: readonly TerminologySource[]): TerminologySource {
  return {
    codeSystems: (url) => sources.flatMap((source) => source.codeSystems(url)),
    valueSets: (url) => sources.flatMap((source) => source.valueSets(url)),
    conceptMaps: (url) => sources.flatMap((source) => source.conceptMaps(url)),
    supplements: (url) => sources.flatMap((source) => source.supplements(url)),
    allConceptMaps: () => sources.flatMap((source) => source.allConceptMaps()),
    codeSystemEntries: () => sources.flatMap((source) => source.codeSystemEntries()),
  };
}

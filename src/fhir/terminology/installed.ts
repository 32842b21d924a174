// The terminology among the installed artefacts: guides and what Baton brings along in profiles/.
import type { CodeSystem, ConceptMap, ValueSet } from '@medplum/fhirtypes';
import type { Artefact, Artefacts } from '../artefacts.ts';
import { keepRecent } from './recent.ts';
import { entryOf, type TerminologyResource, type TerminologySource, type TerminologyType } from './source.ts';

/** JSON bytes of resources that are kept after use. */
const KEPT_BYTES = 2 * 1024 * 1024;
const BYTES_A_CONCEPT = 200;

export function installedTerminology(artefacts: Artefacts): TerminologySource {
  const recent = keepRecent<TerminologyResource>(KEPT_BYTES);
  const load = (artefact: Artefact) =>
    recent(`${artefact.type} ${artefact.url}|${artefact.version}`, () => {
      const value = artefact.read() as TerminologyResource;
      return { value, weight: weightOf(value) };
    });
  const byUrl = new Map<string, readonly Artefact[]>();
  for (const type of ['CodeSystem', 'ValueSet', 'ConceptMap'] satisfies TerminologyType[]) {
    for (const [url, versions] of Map.groupBy(artefacts.all(type), (artefact) => artefact.url)) {
      const newest = artefacts.find(type, url) as Artefact;
      byUrl.set(`${type} ${url}`, [newest, ...versions.filter((one) => one !== newest)]);
    }
  }
  const find = (type: TerminologyType, url: string) => (byUrl.get(`${type} ${url}`) ?? []).map(load);
  let supplements: ReadonlyMap<string, readonly Artefact[]> | undefined;
  return {
    codeSystems: (url) => (find('CodeSystem', url) as CodeSystem[]).filter((one) => one.content !== 'supplement'),
    valueSets: (url) => find('ValueSet', url) as ValueSet[],
    conceptMaps: (url) => find('ConceptMap', url) as ConceptMap[],
    supplements(url) {
      supplements ??= supplementsIn(artefacts.all('CodeSystem'));
      return (supplements.get(url) ?? []).map(load) as CodeSystem[];
    },
    allConceptMaps: () => artefacts.newest('ConceptMap').map(load) as ConceptMap[],
    codeSystemEntries: () =>
      artefacts.all('CodeSystem').flatMap((artefact) => entryOf(artefact.read() as CodeSystem) ?? []),
  };
}

function supplementsIn(codeSystems: readonly Artefact[]): ReadonlyMap<string, readonly Artefact[]> {
  const supplemented = (artefact: Artefact) => entryOf(artefact.read() as CodeSystem)?.supplements ?? '';
  return Map.groupBy(codeSystems, supplemented);
}

/** What a resource is worth, without writing it out again. */
function weightOf(resource: TerminologyResource): number {
  if (resource.resourceType === 'CodeSystem') {
    return BYTES_A_CONCEPT * Math.max(resource.count ?? 0, resource.concept?.length ?? 0);
  }
  const parts = resource.resourceType === 'ValueSet' ? resource.compose?.include : resource.group;
  return BYTES_A_CONCEPT * (parts ?? []).reduce((sum, part) => sum + sizeOf(part), 1);
}

function sizeOf(part: { readonly concept?: readonly unknown[]; readonly element?: readonly unknown[] }): number {
  return (part.concept ?? part.element ?? []).length;
}

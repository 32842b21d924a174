// From a source code to its targets in one concept map, with dependencies, products and what is said of codes that no
// element maps. https://hl7.org/fhir/R4/conceptmap.html#unmapped
import type { Coding, ConceptMap, ConceptMapGroup, ConceptMapGroupElementTarget } from '@medplum/fhirtypes';
import { toCanonical } from './canonical.ts';
import type { Library } from './library.ts';
import type { Dependency, Match, TranslateRequest } from './translation.ts';

export interface Translating {
  readonly library: Library;
  /** Maps that led here; one that is in it is not followed again. */
  readonly path: readonly ConceptMap[];
  note(text: string): void;
}

const MAX_MAPS = 20;

export function translateForward(
  translating: Translating,
  map: ConceptMap,
  coding: Coding,
  request: Omit<TranslateRequest, 'codings' | 'reverse'>,
): Match[] {
  return (map.group ?? [])
    .filter((group) => isFrom(group, coding) && isTo(group, request.targetSystem))
    .flatMap((group) => {
      const elements = (group.element ?? []).filter(({ code }) => code === coding.code);
      if (elements.length === 0) return unmapped(translating, map, group, coding, request);
      return elements.flatMap(({ target = [] }) => {
        if (target.length === 0) return [{ equivalence: 'unmatched', product: [], source: map.url } as const];
        return target.filter(isMet(request.dependencies, translating)).map((one) => toMatch(map, group, one));
      });
    });
}

function isFrom({ source, sourceVersion }: ConceptMapGroup, { system, version }: Coding): boolean {
  if (source !== undefined && toCanonical(source).url !== system) return false;
  return sourceVersion === undefined || version === undefined || sourceVersion === version;
}

function isTo({ target }: ConceptMapGroup, targetSystem: string | undefined): boolean {
  return targetSystem === undefined || (target !== undefined && toCanonical(target).url === targetSystem);
}

/** All that a target depends on must be given; the first that is not is told. */
function isMet(given: readonly Dependency[], { note }: Translating) {
  return ({ dependsOn = [] }: ConceptMapGroupElementTarget): boolean => {
    const open = dependsOn.find(
      ({ property, system, value }) =>
        !given.some(
          ({ element, concept }) =>
            element === property &&
            ((system === undefined && concept.text === value) ||
              concept.coding?.some((one) => one.code === value && (system === undefined || one.system === system))),
        ),
    );
    if (open) note(`A mapping depends on ${open.property}, whose value was not given or is another one.`);
    return open === undefined;
  };
}

function toMatch(map: ConceptMap, group: ConceptMapGroup, target: ConceptMapGroupElementTarget): Match {
  const { equivalence = 'relatedto', code, display, product = [] } = target;
  return {
    equivalence,
    ...(code === undefined ? {} : { concept: toCoding(group.target, group.targetVersion, code, display) }),
    product: product.map(({ property, system, value, display: worded }) => ({
      element: property as string,
      concept: toCoding(system, undefined, value as string, worded),
    })),
    source: map.url,
  };
}

function unmapped(
  translating: Translating,
  map: ConceptMap,
  group: ConceptMapGroup,
  coding: Coding,
  request: Omit<TranslateRequest, 'codings' | 'reverse'>,
): Match[] {
  const { mode, code, display, url } = group.unmapped ?? {};
  const found = (equivalence: Match['equivalence'], concept: Coding): Match[] => [
    { equivalence, concept, product: [], source: map.url },
  ];
  if (mode === 'provided') return found('equal', toCoding(group.target, group.targetVersion, coding.code as string));
  // How the one code for all others stands to this one is not known.
  if (mode === 'fixed' && code !== undefined) {
    return found('relatedto', toCoding(group.target, group.targetVersion, code, display));
  }
  return mode === 'other-map' && url !== undefined ? followOtherMap(translating, url, coding, request) : [];
}

function followOtherMap(
  translating: Translating,
  url: string,
  coding: Coding,
  request: Omit<TranslateRequest, 'codings' | 'reverse'>,
): Match[] {
  const { library, path, note } = translating;
  const other = library.conceptMap(toCanonical(url));
  if (!other) note(`The concept map ${url} that would say more is not here.`);
  if (!other || path.includes(other) || path.length >= MAX_MAPS) return [];
  return translateForward({ ...translating, path: [...path, other] }, other, coding, request);
}

function toCoding(system: string | undefined, version: string | undefined, code: string, display?: string): Coding {
  return {
    ...(system === undefined ? {} : { system: toCanonical(system).url }),
    ...(version === undefined ? {} : { version }),
    code,
    ...(display === undefined ? {} : { display }),
  };
}

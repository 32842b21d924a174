// ConceptMap/$translate, forward and in reverse. https://hl7.org/fhir/R4/conceptmap-operation-translate.html
import type { ConceptMap } from '@medplum/fhirtypes';
import type { Equivalence } from './equivalence.ts';
import type { Library } from './library.ts';
import { translateBack } from './translate-back.ts';
import { translateForward } from './translate-forward.ts';
import type { Match, TranslateRequest, Translation } from './translation.ts';

/** Equivalences that say that there is no translation. */
const NO_TRANSLATION = new Set<Equivalence>(['unmatched', 'disjoint']);

export function translate(library: Library, maps: readonly ConceptMap[], request: TranslateRequest): Translation {
  const notes = new Set<string>();
  const note = (text: string) => notes.add(text);
  const all = request.codings.flatMap((coding) =>
    maps.flatMap((map) =>
      request.reverse
        ? translateBack(map, coding, request)
        : translateForward({ library, note, path: [map] }, map, coding, request),
    ),
  );
  const matches = once(all);
  const result = matches.some(({ equivalence, concept }) => concept && !NO_TRANSLATION.has(equivalence));
  if (matches.length === 0) note('No concept map that is here maps this code.');
  return { result, ...(notes.size > 0 ? { message: [...notes].join(' ') } : {}), matches };
}

function once(matches: readonly Match[]): Match[] {
  return [...new Map(matches.map((match) => [JSON.stringify(match), match])).values()];
}

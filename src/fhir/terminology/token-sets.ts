// What searches with :in, :not-in, :below and :above ask, answered from the terminology that is here.
// https://hl7.org/fhir/R4/search.html#modifiers
import type { TokenSetMember, TokenSets } from '../search/token-sets.ts';
import { toCanonical } from './canonical.ts';
import { type Concept, withAncestors, withDescendants } from './concept-system.ts';
import { createLibrary, type Library } from './library.ts';
import { selectValueSet } from './select-value-set.ts';
import type { TerminologySource } from './source.ts';

/** @param source asked each time, because what is installed changes while Baton runs */
export function tokenSets(source: () => TerminologySource): TokenSets {
  return {
    inValueSet(url) {
      const library = createLibrary(source());
      const valueSet = library.valueSet(toCanonical(url));
      const selection = valueSet && selectValueSet(library, valueSet);
      if (!selection || selection.gaps.length > 0) return undefined;
      return Array.from(selection.members(), ({ system, code }) => ({ system, code }));
    },
    below: (system, code) => related(createLibrary(source()), system, code, withDescendants),
    above: (system, code) => related(createLibrary(source()), system, code, withAncestors),
  };
}

/** A code without a system could be in hundreds of them, and in ones that are not here. */
function related(
  library: Library,
  system: string | undefined,
  code: string,
  closure: (concept: Concept) => Iterable<Concept>,
): readonly TokenSetMember[] | undefined {
  const concepts = system === undefined ? undefined : library.codeSystem(system);
  if (system === undefined || !concepts?.complete) return undefined;
  const concept = concepts.find(code);
  return concept ? Array.from(closure(concept), (one) => ({ system, code: one.code })) : [{ system, code }];
}

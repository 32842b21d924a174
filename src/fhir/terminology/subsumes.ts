// CodeSystem/$subsumes: how two concepts of one code system stand to each other.
// https://hl7.org/fhir/R4/codesystem-operation-subsumes.html
import { Fault } from '../../fault.ts';
import { type Concept, type ConceptSystem, withAncestors } from './concept-system.ts';

export type Subsumption = 'equivalent' | 'subsumes' | 'subsumed-by' | 'not-subsumed';

/** Meanings of a hierarchy in which the one above is not a kind of the one below. */
const NOT_IS_A = new Set(['grouped-by', 'part-of', 'classified-with']);

/** @throws Fault unprocessable when the hierarchy of the code system is not one of kinds */
export function subsumption({ url, resource }: ConceptSystem, a: Concept, b: Concept): Subsumption {
  if (a === b) return 'equivalent';
  if (NOT_IS_A.has(resource.hierarchyMeaning ?? '')) {
    throw new Fault('unprocessable', `The hierarchy of ${url} means ${resource.hierarchyMeaning}, not is-a.`, {
      code: 'not-supported',
    });
  }
  const aIsB = withAncestors(a).has(b);
  const bIsA = withAncestors(b).has(a);
  if (aIsB && bIsA) return 'equivalent';
  if (bIsA) return 'subsumes';
  return aIsB ? 'subsumed-by' : 'not-subsumed';
}

// How a target concept stands to the source concept. https://hl7.org/fhir/R4/valueset-concept-map-equivalence.html
import type { ConceptMapGroupElementTarget } from '@medplum/fhirtypes';

export type Equivalence = NonNullable<ConceptMapGroupElementTarget['equivalence']>;

const INVERSE: Partial<Record<Equivalence, Equivalence>> = {
  wider: 'narrower',
  narrower: 'wider',
  subsumes: 'specializes',
  specializes: 'subsumes',
};

/** The same relation read from the target to the source. */
export function inverse(equivalence: Equivalence): Equivalence {
  return INVERSE[equivalence] ?? equivalence;
}

// A ValueSet as a selection of codes that can be asked about one code and, when it can be listed, listed.
// https://hl7.org/fhir/R4/valueset.html#compositions
import type { ValueSetComposeIncludeConcept } from '@medplum/fhirtypes';
import type { Concept, ConceptSystem } from './concept-system.ts';
import type { Answer, Gap } from './gap.ts';

/** One code of a value set. */
export interface Member {
  readonly system: string;
  readonly version?: string | undefined;
  readonly code: string;
  /** How the value set words it, which goes before how the code system does. */
  readonly listed?: ValueSetComposeIncludeConcept | undefined;
  /** In its code system; absent when that is not here. */
  readonly concept?: Concept | undefined;
  readonly of?: ConceptSystem | undefined;
  /** As an expansion that came with the value set says. */
  readonly abstract?: boolean | undefined;
  readonly inactive?: boolean | undefined;
}

export interface Asked {
  /** Absent: in any system of the value set. */
  readonly system?: string | undefined;
  readonly version?: string | undefined;
  readonly code: string;
}

export interface Selection {
  /** Whether the code is selected; undefined when that cannot be told here. */
  has(asked: Asked): Answer;
  /** What can be listed, perhaps one code several times. What cannot is in `gaps`. */
  members(): Iterable<Member>;
  /** What is missing. */
  readonly gaps: readonly Gap[];
}

export const NOTHING: Selection = { has: () => false, members: () => [], gaps: [] };

export function memberKey({ system, code }: Pick<Member, 'system' | 'code'>): string {
  return `${system}|${code}`;
}

// What is known of a discharge when its plan is made.
import type {
  CareTeamParticipant,
  Condition,
  Encounter,
  EpisodeOfCare,
  Organization,
  Patient,
  Reference,
  RelatedPerson,
} from '@medplum/fhirtypes';
import type { Anchor } from '../deadline.ts';
import { type Link, referenceTo } from '../reference-to.ts';
import type { Destination } from './discharge.ts';

/** A person or role that an episode can be in the hands of. */
export type CaseManager = NonNullable<EpisodeOfCare['careManager']>;

/** Every reference in it points at something that is stored. */
export interface TransitionContext {
  /** The finished stay, as stored. */
  readonly encounter: Encounter;
  readonly patient: Patient;
  /** All of the patient's that are neither refuted nor entered in error. */
  readonly conditions: readonly Condition[];
  readonly caregivers: readonly RelatedPerson[];
  readonly primaryCare: readonly NonNullable<CareTeamParticipant['member']>[];
  /** The organization the patient was discharged from. */
  readonly facility?: Reference<Organization>;
  /** Who manages the patient's case, when somebody does. */
  readonly caseManager?: CaseManager;
  readonly destination: Destination;
  /** The discharge, the facility's zone and its business calendar. */
  readonly anchor: Anchor;
  readonly now: Temporal.Instant;
}

/** The diagnoses of the stay. */
export function diagnosesOf({ encounter, conditions }: TransitionContext): Link[] {
  const named = new Set((encounter.diagnosis ?? []).map(({ condition }) => condition.reference));
  return conditions.map(referenceTo).filter(({ reference }) => named.has(reference));
}

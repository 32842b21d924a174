// What is known of a discharge when its plan is made.
import type {
  CareTeamParticipant,
  Condition,
  DeviceRequest,
  DiagnosticReport,
  Encounter,
  EpisodeOfCare,
  Organization,
  Patient,
  Reference,
  RelatedPerson,
} from '@medplum/fhirtypes';
import type { Anchor } from '../deadline.ts';
import { localDate } from '../local-time.ts';
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
  /** Codes of CodeSystem payer-kind; none when nothing is known of who pays. */
  readonly payers: readonly string[];
  /** Code of the facility (MSH-4), when it has one. */
  readonly facilityCode?: string;
  /** What was ordered for the patient's use and is not cancelled. */
  readonly orders: readonly DeviceRequest[];
  /** Reports of the stay that are not final. */
  readonly pendingResults: readonly DiagnosticReport[];
  /** The discharge, the facility's zone and its business calendar. */
  readonly anchor: Anchor;
  readonly now: Temporal.Instant;
}

/** The diagnoses of the stay. */
export function diagnosesOf({ encounter, conditions }: TransitionContext): Link[] {
  const named = new Set((encounter.diagnosis ?? []).map(({ condition }) => condition.reference));
  return conditions.map(referenceTo).filter(({ reference }) => named.has(reference));
}

/** The diagnosis with the lowest rank, else the one that is named first. */
export function principalOf({ encounter, conditions }: TransitionContext): Condition[] {
  const ranked = (encounter.diagnosis ?? []).toSorted((a, b) => (a.rank ?? 999) - (b.rank ?? 999));
  const reference = ranked[0]?.condition.reference;
  return conditions.filter((condition) => referenceTo(condition).reference === reference);
}

/** Whole years on the day of the discharge; undefined when the birth date is not known to the day. */
export function ageOf({ patient, anchor }: TransitionContext): number | undefined {
  if (patient.birthDate?.length !== 10) return undefined;
  return Temporal.PlainDate.from(patient.birthDate).until(localDate(anchor.discharge, anchor.zone), {
    largestUnit: 'years',
  }).years;
}

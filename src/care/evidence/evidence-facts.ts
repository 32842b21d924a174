// What is stored about a transition and may prove something, and how its times are read: days are the facility's.
import type {
  Appointment,
  Communication,
  Composition,
  Condition,
  DocumentReference,
  Encounter,
  EpisodeOfCare,
  Observation,
  Patient,
  Practitioner,
  Procedure,
  Provenance,
  ResourceType,
  Task,
} from '@medplum/fhirtypes';
import { isStandIn } from '../../fhir/stand-in-end.ts';
import type { BusinessCalendar } from '../business-calendar.ts';
import { hasCode } from '../concept.ts';
import { type LinkedOut, linkedOf } from '../linked.ts';
import { localDate, toInstant } from '../local-time.ts';
import { CODE_SYSTEM } from '../systems.ts';
import { type Destination, isAheadOf } from '../transition/discharge.ts';

/** What the evidence of TCM needs; HEDIS needs more. */
export interface EvidenceFacts {
  readonly episode: EpisodeOfCare;
  readonly encounter: Encounter;
  readonly patient: Patient;
  readonly destination: Destination;
  readonly zone: string;
  readonly calendar: BusinessCalendar;
  readonly discharge: Temporal.Instant;
  readonly now: Temporal.Instant;
  /** Follow-ups of the transition. */
  readonly tasks: readonly Task[];
  /** All of the patient's: stays, visits, emergency visits. */
  readonly encounters: readonly Encounter[];
  readonly contacts: readonly Communication[];
  /** Those of an application of which a Provenance names who of the staff made them, as `Communication/12`. */
  readonly named: ReadonlySet<string>;
  readonly procedures: readonly Procedure[];
  readonly appointments: readonly Appointment[];
  readonly observations: readonly Observation[];
  /** Types that the caller may see nothing of; what they would prove is missing. */
  readonly notSeen: readonly ResourceType[];
  /** By reference: of `Practitioner/1`, and of roles that lead to one. */
  readonly practitioners: ReadonlyMap<string, Practitioner>;
}

export interface HedisFacts extends EvidenceFacts {
  readonly conditions: readonly Condition[];
  readonly documents: readonly (DocumentReference | Composition)[];
  /** Of the encounter. */
  readonly provenances: readonly Provenance[];
  /** When the patient left, as the latest transition of each stay counts it, by id of the Encounter. */
  readonly counted: ReadonlyMap<string, Temporal.Instant>;
}

/** The code of the Observation that says how demanding the decisions were, `SYSTEM|CODE`. */
export const DECISION_MAKING = `${CODE_SYSTEM.evidencePart}|medical-decision-making`;

export interface Moment {
  readonly text: string;
  readonly at: Temporal.Instant;
  /** A date without a time is that day, wherever. */
  readonly day: Temporal.PlainDate;
}

/** Something that happened, by whom, and the resources that show it. */
export interface Proved extends Moment {
  readonly by: LinkedOut | undefined;
  readonly proof: LinkedOut[];
}

/** Undefined when nothing is said. */
export function momentOf(text: string | undefined, zone: string): Moment | undefined {
  if (text === undefined) return undefined;
  const at = toInstant(text, zone);
  return { text, at, day: /^\d{4}-\d{2}-\d{2}$/.test(text) ? Temporal.PlainDate.from(text) : localDate(at, zone) };
}

export const dayOfDischarge = ({ discharge, zone }: Pick<EvidenceFacts, 'discharge' | 'zone'>): Temporal.PlainDate =>
  localDate(discharge, zone);

/** The end of the transition's own stay, unless nobody told it, or told a day still to come: follow-ups are counted from no such day. */
export function toldDischarge({ encounter: { period }, discharge, zone }: EvidenceFacts): string | undefined {
  const end = period?.end;
  return end === undefined || isStandIn(period) || isAheadOf(toInstant(end, zone), discharge) ? undefined : end;
}

/** What is not known for sure when the end of a stay was not told. @param end what it is counted as */
export const assumption = ({ id }: Encounter, end: string | undefined): string =>
  `when the patient left Encounter/${id}, which was not told: ${end} is assumed`;

/** Days from the day of the discharge; negative before it. */
export function daysAfter(facts: EvidenceFacts, day: Temporal.PlainDate): number {
  return dayOfDischarge(facts).until(day, { largestUnit: 'days' }).days;
}

/** True when the day has passed at the facility. */
export function isPast({ now, zone }: EvidenceFacts, day: Temporal.PlainDate): boolean {
  return Temporal.PlainDate.compare(localDate(now, zone), day) > 0;
}

export function proofOf(...resources: readonly { readonly resourceType: string; readonly id?: string }[]): LinkedOut[] {
  return resources.map(({ resourceType, id }) => ({ reference: `${resourceType}/${id}` }));
}

interface Coded {
  readonly coding?: readonly { readonly system?: string; readonly code?: string }[];
}

/** @param codes `SYSTEM|CODE` */
export function hasOneOf(concepts: readonly (Coded | undefined)[], codes: readonly string[]): boolean {
  return concepts.some((concept) => concept?.coding?.some(({ system, code }) => codes.includes(`${system}|${code}`)));
}

/** Follow-ups of a kind that were completed, here or at another system: when and by whom. */
export function doneFollowUps({ tasks }: EvidenceFacts, step: string) {
  return tasks
    .filter(({ status, code }) => status === 'completed' && hasCode(code, CODE_SYSTEM.followUpStep, step))
    .map((task) => ({
      task,
      when: task.executionPeriod?.end ?? task.lastModified ?? task.meta?.lastUpdated,
      by: linkedOf(task.owner),
      proof: proofOf(task),
    }));
}

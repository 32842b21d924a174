// The case that a command works on, with its patient and its one plan, or the reason why nothing more is done on it.

import type { CarePlan, Patient } from '@medplum/fhirtypes';
import { Fault } from '../fault.ts';
import type { JsonObject } from '../fhir/canonical-json.ts';
import type { Change } from '../fhir/change.ts';
import { replacedBy } from '../fhir/patient-merge.ts';
import { isCase, isOver } from './cases/episode.ts';
import { plansOfCase, readablePlansOfCase } from './plans-of-case.ts';
import type { Kept, Records } from './records.ts';
import { idOf } from './stored.ts';
import { type Link, referenceTo } from './transition-context.ts';

/** A command or question below `/cases/{caseId}`. */
export interface OnCase<Body> {
  readonly caseId: string;
  readonly body: Body;
}

/** The same for one thing of the case. */
export interface OnItem<Body> extends OnCase<Body> {
  readonly id: string;
}

export interface CaseAtHand {
  readonly episode: Kept<'EpisodeOfCare'>;
  readonly patient: Kept<'Patient'>;
}

export interface WorkableCase extends CaseAtHand {
  readonly plan: Kept<'CarePlan'>;
}

const ENDED_PLAN = new Set<CarePlan['status']>(['revoked', 'completed', 'entered-in-error']);

/** @throws Fault not-found when there is no such case or the caller may not see it or its patient */
export async function caseAtHand(records: Records, id: string): Promise<CaseAtHand> {
  const episode = await records.read('EpisodeOfCare', id);
  const patientId = idOf(episode?.patient, 'Patient');
  const patient = episode && isCase(episode) && patientId ? await records.read('Patient', patientId) : undefined;
  if (!episode || !patient) throw new Fault('not-found', `There is no case ${id}.`);
  return { episode, patient };
}

/**
 * The case, when more may be done on it.
 * @throws Fault not-found; unprocessable when the case is closed, or its patient has died or was merged into another
 */
export async function caseToWorkOn(records: Records, id: string): Promise<CaseAtHand> {
  const found = await caseAtHand(records, id);
  const { episode, patient } = found;
  if (isOver(episode)) throw refused(`The case is ${episode.status}; reopen it or open a new one.`, 'status');
  if (isDeceased(patient)) throw refused('The patient has died; close the case.', 'patient');
  if (replacedBy(patient as unknown as JsonObject)) {
    throw refused('The patient was merged into another record; work on the case of that record.', 'patient');
  }
  return found;
}

/** As `caseToWorkOn`, with the plan that everything planned belongs to. @throws Fault also when the case has no plan */
export async function workableCase(records: Records, id: string): Promise<WorkableCase> {
  const found = await caseToWorkOn(records, id);
  const plans = await plansOfCase(records, id);
  const plan = plans.find(({ status }) => !ENDED_PLAN.has(status));
  if (!plan) throw refused('The case has no care plan that is going on; make one first.', 'id');
  return { ...found, plan };
}

/**
 * Adds what is planned to the plan, inside the commit, so that two nurses who plan at one time do not hinder each other.
 */
export function addToPlan(plan: Kept<'CarePlan'>, added: readonly Link[]): Change {
  return {
    op: 'patch',
    type: 'CarePlan',
    id: plan.id,
    revise(current) {
      const kept = current as CarePlan;
      const known = new Set((kept.activity ?? []).map(({ reference }) => reference?.reference));
      const activity = added.filter(({ reference }) => !known.has(reference)).map((reference) => ({ reference }));
      return activity.length === 0 ? kept : { ...kept, activity: [...(kept.activity ?? []), ...activity] };
    },
  };
}

/** Whether something that says what it is based on belongs to the case; what came from elsewhere does not. */
export function belongsTo(
  basedOn: readonly { reference?: string }[] | undefined,
  planIds: ReadonlySet<string>,
): boolean {
  return basedOn?.some(({ reference = '' }) => planIds.has(reference)) ?? false;
}

/** References to the plans that the case has or had. */
export async function plansOf(records: Records, caseId: string): Promise<ReadonlySet<string>> {
  const plans = await readablePlansOfCase(records, caseId);
  return new Set(plans.map((plan) => referenceTo(plan).reference));
}

function isDeceased({ deceasedBoolean, deceasedDateTime }: Patient): boolean {
  return deceasedBoolean === true || deceasedDateTime !== undefined;
}

function refused(sentence: string, element: string): Fault {
  return new Fault('unprocessable', sentence, { expression: `EpisodeOfCare.${element}`, code: 'business-rule' });
}

// The case that a command works on: its episode, its patient and its plan, as far as the caller may see them.

import type { CarePlan } from '@medplum/fhirtypes';
import { Fault } from '../fault.ts';
import type { Change } from '../fhir/change.ts';
import { plansOfCase } from './plans-of-case.ts';
import type { Kept, Records } from './records.ts';
import { idOf } from './stored.ts';

export interface CaseInHand {
  readonly episode: Kept<'EpisodeOfCare'>;
  readonly patient: Kept<'Patient'>;
}

const ENDED = new Set(['finished', 'cancelled', 'entered-in-error']);

/** @throws Fault not-found when there is no such case, or its patient is out of the caller's sight */
export async function readCase(records: Records, id: string): Promise<CaseInHand> {
  const episode = await records.read('EpisodeOfCare', id);
  if (!episode) throw new Fault('not-found', `There is no case ${id}.`, { expression: 'EpisodeOfCare' });
  const patient = await records.read('Patient', idOf(episode.patient, 'Patient') ?? '');
  if (!patient)
    throw new Fault('not-found', `The patient of case ${id} is not there.`, { expression: 'EpisodeOfCare' });
  return { episode, patient };
}

/** @throws Fault not-found, see {@link readCase}; unprocessable when the case has ended */
export async function openCase(records: Records, id: string): Promise<CaseInHand> {
  const found = await readCase(records, id);
  if (!ENDED.has(found.episode.status)) return found;
  throw new Fault('unprocessable', `The case is ${found.episode.status}; reopen it before you change it.`, {
    expression: 'EpisodeOfCare.status',
    code: 'business-rule',
  });
}

/** @throws Fault unprocessable when the patient has died, or another record has taken the place of this one */
export function requireLiving({ patient }: CaseInHand, what: string): void {
  if (patient.deceasedDateTime !== undefined || patient.deceasedBoolean === true) {
    throw new Fault('unprocessable', `The patient has died; ${what}`, {
      expression: 'Patient.deceased',
      code: 'business-rule',
    });
  }
  const isReplaced = patient.link?.some(({ type }) => type === 'replaced-by');
  if (isReplaced) {
    throw new Fault('unprocessable', 'The record of the patient was merged into another one; use the case there.', {
      expression: 'Patient.link',
      code: 'business-rule',
    });
  }
}

/** The plan of the case, when it has one and it is going on. */
export async function findPlan(records: Records, { episode }: CaseInHand): Promise<Kept<'CarePlan'> | undefined> {
  const plans = await plansOfCase(records, episode.id);
  return plans.find(({ status }) => status === 'active' || status === 'on-hold' || status === 'draft');
}

/** Refers the plan to what was planned. */
export function addToPlan(plan: Kept<'CarePlan'> | undefined, ...references: readonly string[]): Change[] {
  if (!plan) return [];
  const known = new Set(plan.activity?.map(({ reference }) => reference?.reference));
  const missing = references.filter((reference) => !known.has(reference));
  const activity = [...(plan.activity ?? []), ...missing.map((reference) => ({ reference: { reference } }))];
  return [{ op: 'update', resource: { ...plan, activity } as CarePlan, ifMatch: plan.meta.versionId }];
}

/** The fault of a command that names what is not there, or not of the patient of the case. */
export function notOfPatient(reference: string | undefined, member: string): Fault {
  return new Fault('unprocessable', `${reference} is not there for the patient of this case.`, {
    expression: member,
    code: 'not-found',
  });
}

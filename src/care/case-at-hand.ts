// The case that a command or a question is about, or the reason why it cannot be worked on.
import type { EpisodeOfCare, Patient, Reference } from '@medplum/fhirtypes';
import { Fault } from '../fault.ts';
import { isCase, isOver } from './cases/episode.ts';
import { hasDied, mergedInto } from './gone.ts';
import type { Kept, Records } from './records.ts';
import { idOf } from './stored.ts';

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
  /** `Patient/12`. */
  readonly subject: Reference<Patient> & { readonly reference: string };
}

/** @throws Fault not-found when there is no such case, or the caller may not see it or its patient */
export async function caseAtHand(records: Records, id: string): Promise<CaseAtHand> {
  const episode = await records.read('EpisodeOfCare', id);
  const patientId = idOf(episode?.patient, 'Patient');
  const patient = episode && isCase(episode) && patientId ? await records.read('Patient', patientId) : undefined;
  if (!episode || !patient) throw new Fault('not-found', `There is no case ${id}, or you may not see it.`);
  return { episode, patient, subject: { reference: `Patient/${patient.id}` } };
}

/**
 * The case, when it goes on: what was begun in it can be brought to its end also after its patient has died.
 * @throws Fault not-found; unprocessable when the case is over
 */
export async function openCaseAtHand(records: Records, id: string): Promise<CaseAtHand> {
  const found = await caseAtHand(records, id);
  refuseOver(found.episode);
  return found;
}

/** @throws Fault unprocessable when the case is over */
export function refuseOver(episode: EpisodeOfCare): void {
  if (!isOver(episode)) return;
  throw refusal(`The case is ${episode.status}; open a new one.`, 'EpisodeOfCare.status');
}

/**
 * The case, when more may be planned and done in it.
 * @throws Fault not-found; unprocessable when the case is over, or its patient has died or was merged into another
 */
export async function workableCase(records: Records, id: string): Promise<CaseAtHand> {
  const found = await openCaseAtHand(records, id);
  refuseGone(found.patient);
  return found;
}

/** @throws Fault unprocessable when the patient has died, or the record was merged into another */
export function refuseGone(patient: Patient): void {
  if (hasDied(patient)) {
    throw refusal('The patient has died; nothing more is planned. Close the case.', 'Patient.deceased');
  }
  if (mergedInto(patient)) {
    throw refusal('The patient was merged into another record; work on the case of that one.', 'Patient.link');
  }
}

function refusal(sentence: string, expression: string): Fault {
  return new Fault('unprocessable', sentence, { expression, code: 'business-rule' });
}

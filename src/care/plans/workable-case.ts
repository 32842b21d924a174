// The case that a command works on, or the reason why nothing more is planned for it.
import type { EpisodeOfCare, Patient, Reference } from '@medplum/fhirtypes';
import { Fault } from '../../fault.ts';
import { hasCode } from '../concept.ts';
import type { Kept, Records } from '../records.ts';
import { idOf } from '../stored.ts';
import { CODE_SYSTEM } from '../systems.ts';

export interface Case {
  readonly episode: Kept<'EpisodeOfCare'>;
  readonly patient: Kept<'Patient'>;
  /** `Patient/12`. */
  readonly subject: Reference<Patient> & { readonly reference: string };
}

const CLOSED = new Set<EpisodeOfCare['status']>(['finished', 'cancelled', 'entered-in-error']);

/** @throws Fault not-found when there is no such case, or the caller may not see it or its patient */
export async function readCase(records: Records, id: string): Promise<Case> {
  const episode = await records.read('EpisodeOfCare', id);
  const isCase = episode?.type?.some((type) => hasCode(type, CODE_SYSTEM.episodeType, 'case-management'));
  const patientId = idOf(episode?.patient, 'Patient');
  const patient = isCase && patientId ? await records.read('Patient', patientId) : undefined;
  if (!episode || !patient) throw new Fault('not-found', `There is no case ${id}, or you may not see it.`);
  return { episode, patient, subject: { reference: `Patient/${patient.id}` } };
}

/**
 * The case, when more may be planned and done in it.
 * @throws Fault not-found; unprocessable when the case is closed, or the patient has died or was merged into another
 */
export async function workableCase(records: Records, id: string): Promise<Case> {
  const found = await readCase(records, id);
  const { episode, patient } = found;
  if (CLOSED.has(episode.status)) {
    throw refuse(`The case is ${episode.status}; reopen it, or open a new one.`, 'EpisodeOfCare.status');
  }
  if (patient.deceasedBoolean === true || patient.deceasedDateTime !== undefined) {
    throw refuse('The patient has died; nothing more is planned. Close the case.', 'Patient.deceased');
  }
  if (patient.link?.some(({ type }) => type === 'replaced-by')) {
    throw refuse('This patient was merged into another record; work on the case of that one.', 'Patient.link');
  }
  return found;
}

function refuse(sentence: string, expression: string): Fault {
  return new Fault('unprocessable', sentence, { expression, code: 'business-rule' });
}

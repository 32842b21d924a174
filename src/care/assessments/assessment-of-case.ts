// The assessments of a case: those of its patient, wherever they were made, and what is needed to work on one.
import type { QuestionnaireResponse, Reference } from '@medplum/fhirtypes';
import { Fault } from '../../fault.ts';
import { isOver } from '../cases/episode.ts';
import { planOfCase, readCase } from '../cases/find-cases.ts';
import { toFhirDateTime } from '../local-time.ts';
import type { Caller, Kept, Records } from '../records.ts';
import type { Surroundings } from '../sdc/evaluate.ts';
import { fetchFor } from '../sdc/fetch-queries.ts';
import { type Form, openForm } from '../sdc/form.ts';
import { idOf } from '../stored.ts';
import { findQuestionnaire, type Shelf } from './instruments.ts';

export interface CaseOfPatient {
  readonly episode: Kept<'EpisodeOfCare'>;
  readonly patient: Kept<'Patient'>;
  readonly plan: Kept<'CarePlan'> | undefined;
}

/** Undefined when there is no such case, or the caller may not see it and its patient. */
export async function caseOf(records: Records, id: string): Promise<CaseOfPatient | undefined> {
  const episode = await readCase(records, id);
  const patientId = episode && idOf(episode.patient, 'Patient');
  const patient = patientId === undefined ? undefined : await records.read('Patient', patientId);
  if (!episode || !patient) return undefined;
  return { episode, patient, plan: await planOfCase(records, id) };
}

/** @throws Fault not-found; unprocessable when the case is over or its patient has died or been merged */
export async function openCaseOf(records: Records, id: string): Promise<CaseOfPatient> {
  const found = await caseOf(records, id);
  if (!found) throw new Fault('not-found', 'There is no such case, or it is not open to who asks.');
  const { episode, patient } = found;
  if (isOver(episode)) {
    throw refusal(`The case is ${episode.status}; nothing is assessed in it any more.`, 'EpisodeOfCare.status');
  }
  if (patient.deceasedBoolean || patient.deceasedDateTime) throw refusal('The patient has died.', 'Patient.deceased');
  if (patient.link?.some(({ type }) => type === 'replaced-by')) {
    throw refusal('The record of the patient was merged into another.', 'Patient.link');
  }
  return found;
}

function refusal(sentence: string, expression: string): Fault {
  return new Fault('unprocessable', sentence, { code: 'business-rule', expression });
}

/** Undefined when the patient of the case has no such assessment that the caller may see. */
export async function assessmentOf(
  records: Records,
  { patient }: CaseOfPatient,
  id: string,
): Promise<Kept<'QuestionnaireResponse'> | undefined> {
  const found = await records.read('QuestionnaireResponse', id);
  return idOf(found?.subject, 'Patient') === patient.id ? found : undefined;
}

/** @throws Fault not-found */
export async function requireAssessment(records: Records, about: CaseOfPatient, id: string) {
  const found = await assessmentOf(records, about, id);
  if (found) return found;
  throw new Fault('not-found', 'The patient has no such assessment, or it is not open to who asks.');
}

/** The form that a response is to; undefined when it is not here or cannot be used. */
export async function formOf(shelf: Shelf, { questionnaire }: QuestionnaireResponse): Promise<Form | undefined> {
  const found = questionnaire === undefined ? undefined : await findQuestionnaire(shelf, questionnaire);
  try {
    return found && openForm(found);
  } catch (error) {
    if (error instanceof Fault) return undefined;
    throw error;
  }
}

/** @throws Fault unprocessable */
export async function requireFormOf(shelf: Shelf, response: QuestionnaireResponse): Promise<Form> {
  const form = await formOf(shelf, response);
  if (form) return form;
  throw refusal('The instrument of this assessment is not here, so it cannot be worked on.', 'QuestionnaireResponse.questionnaire');
}

/** What expressions of a form may ask: the patient, who is asking, the case. */
export function surroundingsOf({ patient, episode }: CaseOfPatient, { now, zone }: Caller): Surroundings {
  return { now, zone, launch: { patient, episode } };
}

/** With what the form asks the record for. */
export async function surroundingsFor(form: Form, about: CaseOfPatient, caller: Caller, records: Records) {
  const plain = surroundingsOf(about, caller);
  const fetched = await fetchFor(form, `Patient/${about.patient.id}`, plain, records);
  return { fetched, surroundings: { ...plain, fetched: fetched.queries } };
}

export const authoredAt = ({ now, zone }: Caller): string => toFhirDateTime(now, zone);

/** A response takes any author but a team. */
export const authorOf = ({ who }: Caller) => who as NonNullable<QuestionnaireResponse['author']>;

export const toPlan = ({ plan }: CaseOfPatient): { basedOn?: Reference<never>[] } =>
  plan ? { basedOn: [{ reference: `CarePlan/${plan.id}` }] } : {};

// The assessments of a case: those of its patient, wherever they were made, and what is needed to work on one.
import type { QuestionnaireResponse, Reference } from '@medplum/fhirtypes';
import { Fault } from '../../fault.ts';
import { type CaseAtHand, caseAtHand, workableCase } from '../case-at-hand.ts';
import { planOfCase } from '../cases/find-cases.ts';
import { toFhirDateTime } from '../local-time.ts';
import type { Caller, Kept, Records } from '../records.ts';
import type { Surroundings } from '../sdc/evaluate.ts';
import { fetchFor } from '../sdc/fetch-queries.ts';
import { type Form, openForm } from '../sdc/form.ts';
import { idOf } from '../stored.ts';
import { findQuestionnaire, type Shelf } from './instruments.ts';

export interface CaseOfPatient extends CaseAtHand {
  readonly plan: Kept<'CarePlan'> | undefined;
}

/** @throws Fault not-found */
export async function caseOf(records: Records, id: string): Promise<CaseOfPatient> {
  return withPlan(records, await caseAtHand(records, id));
}

/** @throws Fault not-found; unprocessable when the case is over or its patient has died or been merged */
export async function openCaseOf(records: Records, id: string): Promise<CaseOfPatient> {
  return withPlan(records, await workableCase(records, id));
}

async function withPlan(records: Records, about: CaseAtHand): Promise<CaseOfPatient> {
  return { ...about, plan: await planOfCase(records, about.episode.id) };
}

function refusal(sentence: string): Fault {
  return new Fault('unprocessable', sentence, { code: 'business-rule' });
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
  throw refusal('The instrument of this assessment is not here, so it cannot be worked on.');
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

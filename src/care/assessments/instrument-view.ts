// An instrument before anybody answers: its list entry, and the tree to draw, filled in for a case when one is named.
import type { Questionnaire } from '@medplum/fhirtypes';
import { codedOf } from '../coded.ts';
import type { Caller } from '../records.ts';
import { openForm } from '../sdc/form.ts';
import { populate } from '../sdc/populate.ts';
import { caseOf, surroundingsFor } from './assessment-of-case.ts';
import type { InstrumentSummary } from './assessment-schema.ts';
import { formView } from './form-view.ts';
import { findQuestionnaire, type Shelf, titleOf } from './instruments.ts';

export function instrumentSummary(questionnaire: Questionnaire): InstrumentSummary {
  const { id, url = '', version, description, copyright, code = [] } = questionnaire;
  return {
    ...(id ? { id } : {}),
    canonical: url,
    ...(version ? { version } : {}),
    title: titleOf(questionnaire),
    ...(description ? { description } : {}),
    codes: code.flatMap((coding) => codedOf({ coding: [coding] }) ?? []),
    ...(copyright ? { copyright } : {}),
  };
}

/** Undefined when there is none that the caller may see. @throws Fault unprocessable for one that cannot be used */
export async function viewInstrument(shelf: Shelf, caller: Caller, name: string) {
  const questionnaire = await findQuestionnaire(shelf, name);
  if (!questionnaire) return undefined;
  const surroundings = { now: caller.now, zone: caller.zone };
  const blank = { resourceType: 'QuestionnaireResponse', status: 'in-progress' } as const;
  return { ...instrumentSummary(questionnaire), items: formView(openForm(questionnaire), blank, surroundings) };
}

/** With what the record of the case's patient already says; nothing is stored. */
export async function previewInstrument(
  shelf: Shelf,
  caller: Caller,
  { caseId, name }: { readonly caseId: string; readonly name: string },
) {
  const about = await caseOf(shelf.records, caseId);
  const questionnaire = about && (await findQuestionnaire(shelf, name));
  if (!about || !questionnaire) return undefined;
  const form = openForm(questionnaire);
  const { fetched, surroundings } = await surroundingsFor(form, about, caller, shelf.records);
  const { response } = populate(form, { subject: { reference: `Patient/${about.patient.id}` } }, surroundings, fetched);
  return { ...instrumentSummary(questionnaire), items: formView(form, response, surroundings) };
}

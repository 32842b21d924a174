// An assessment as an application sees it, made from the QuestionnaireResponse each time: whoever wrote that.
import type { QuestionnaireResponse } from '@medplum/fhirtypes';
import { isError } from '../../fhir/validation/issue.ts';
import { codedOf } from '../coded.ts';
import { findReadable } from '../find-readable.ts';
import { linkedOf } from '../linked.ts';
import type { Caller, Kept, Records } from '../records.ts';
import { valueIn } from '../sdc/answer-value.ts';
import { isCalculated } from '../sdc/calculate.ts';
import { checkResponse } from '../sdc/check-response.ts';
import { isHidden } from '../sdc/extensions.ts';
import type { Form } from '../sdc/form.ts';
import { answersOf, layOut, within } from '../sdc/places.ts';
import { assessmentOf, type CaseOfPatient, caseOf, formOf, surroundingsOf } from './assessment-of-case.ts';
import type { AssessmentSummary, AssessmentView, Score } from './assessment-schema.ts';
import { bareView, formView } from './form-view.ts';
import { type Shelf, titleOf } from './instruments.ts';

/** Newest first; undefined when there is no such case for the caller. */
export async function listAssessments(
  shelf: Shelf,
  caseId: string,
): Promise<{ items: AssessmentSummary[] } | undefined> {
  const about = await caseOf(shelf.records, caseId);
  const search = { subject: `Patient/${about.patient.id}`, _sort: '-authored' };
  const found = await shelf.records.find('QuestionnaireResponse', search);
  const forms = new Map<string, Form | undefined>();
  for (const response of found) {
    const { questionnaire = '' } = response;
    if (!forms.has(questionnaire)) forms.set(questionnaire, await formOf(shelf, response));
  }
  return { items: found.map((response) => summaryOf(response, forms.get(response.questionnaire ?? ''))) };
}

/** Undefined when there is no such case or assessment for the caller. */
export async function viewAssessment(
  shelf: Shelf,
  caller: Caller,
  { caseId, id }: { readonly caseId: string; readonly id: string },
): Promise<AssessmentView | undefined> {
  const about = await caseOf(shelf.records, caseId);
  const response = about && (await assessmentOf(shelf.records, about, id));
  if (!about || !response) return undefined;
  const form = await formOf(shelf, response);
  return {
    ...summaryOf(response, form),
    items: (form
      ? formView(form, response, surroundingsOf(about, caller))
      : bareView(response.item)) as AssessmentView['items'],
    results: await resultsOf(shelf.records, response),
    open: form ? missingIn(form, response, about, caller) : [],
  };
}

function summaryOf(response: Kept<'QuestionnaireResponse'>, form: Form | undefined): AssessmentSummary {
  const { id, meta, status = 'in-progress', questionnaire, authored, basedOn } = response;
  const patient = linkedOf(response.subject);
  const plan = linkedOf(basedOn?.find(({ reference }) => reference?.startsWith('CarePlan/')));
  const [author, source, encounter] = [
    linkedOf(response.author),
    linkedOf(response.source),
    linkedOf(response.encounter),
  ];
  const origin = (meta as { source?: string }).source;
  return {
    id,
    version: meta.versionId,
    status,
    ...(questionnaire ? { instrument: questionnaire } : {}),
    ...(form ? { title: titleOf(form.questionnaire) } : {}),
    ...(patient ? { patient } : {}),
    ...(plan ? { plan } : {}),
    ...(origin ? { origin } : {}),
    ...(authored ? { authored } : {}),
    ...(author ? { author } : {}),
    ...(source ? { source } : {}),
    ...(encounter ? { encounter } : {}),
    scores: form ? scoresIn(form, response) : [],
  };
}

/** What the form calculates and shows: totals, and what they mean. */
function scoresIn(form: Form, response: QuestionnaireResponse): Score[] {
  return [...within(layOut(form, response))].flatMap((place): Score[] => {
    const { item } = place;
    const [answer] = answersOf(place);
    if (!answer || !isCalculated(item) || isHidden(item.definition)) return [];
    const value = shownValue(valueIn(answer)?.value);
    if (value === undefined) return [];
    const code = codedOf({ coding: item.definition.code ?? [] });
    const { text } = item.definition;
    return [{ linkId: item.linkId, ...(code ? { code } : {}), ...(text ? { text } : {}), value }];
  });
}

function shownValue(value: unknown): number | string | undefined {
  if (typeof value === 'number' || typeof value === 'string') return value;
  const { display, code } = (value ?? {}) as { display?: string; code?: string };
  return display ?? code;
}

async function resultsOf(records: Records, { id, status }: Kept<'QuestionnaireResponse'>) {
  if (status !== 'completed' && status !== 'amended') return [];
  const found = await findReadable(records, 'Provenance', { entity: `QuestionnaireResponse/${id}` });
  const targets = found.flatMap(({ target = [] }) => target.map((each) => each.reference ?? ''));
  return [...new Set(targets)]
    .filter((each) => each !== '' && !each.startsWith('Patient/'))
    .map((reference) => ({ reference }));
}

function missingIn(form: Form, response: QuestionnaireResponse, about: CaseOfPatient, caller: Caller): string[] {
  if (response.status !== 'in-progress') return [];
  const issues = checkResponse(form, response, surroundingsOf(about, caller), {
    complete: true,
    mayLinger: () => true,
  });
  return issues.filter(isError).flatMap(({ details }) => details?.text ?? []);
}

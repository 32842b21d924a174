// A new assessment: a draft, filled in with what the record already says.
import type { QuestionnaireResponse } from '@medplum/fhirtypes';
import { derivedId } from '../derived-id.ts';
import type { Caller, Planned } from '../records.ts';
import { populate } from '../sdc/populate.ts';
import { PROFILE } from '../systems.ts';
import { settled } from './answer-assessment.ts';
import { authoredAt, authorOf, openCaseOf, surroundingsFor, toPlan } from './assessment-of-case.ts';
import type { StartAssessment } from './assessment-schema.ts';
import { codeTest } from './code-test.ts';
import { requireForm, type Shelf } from './instruments.ts';
import { type AnswerInput, withAnswers } from './read-answers.ts';

/** @throws Fault not-found for the case; unprocessable naming the member or the linkIds */
export async function startAssessment(
  shelf: Shelf,
  caller: Caller,
  { caseId, body }: { readonly caseId: string; readonly body: StartAssessment },
): Promise<Planned> {
  const about = await openCaseOf(shelf.records, caseId);
  const form = await requireForm(shelf, body.instrument);
  const { fetched, surroundings } = await surroundingsFor(form, about, caller, shelf.records);
  const start: Partial<QuestionnaireResponse> = {
    meta: { profile: [PROFILE.assessment, PROFILE.usCoreResponse] },
    ...toPlan(about),
    subject: { reference: `Patient/${about.patient.id}` },
    ...(body.encounter ? { encounter: body.encounter } : {}),
    authored: authoredAt(caller),
    author: authorOf(caller),
    ...(body.source ? { source: body.source } : {}),
  };
  const { response } = populate(form, start, surroundings, fetched);
  const answers = (body.answers ?? []) as AnswerInput[];
  const resource =
    answers.length === 0
      ? response
      : settled(form, withAnswers(form, response, answers), answers, surroundings, codeTest(shelf.installed));
  const id = derivedId(
    'assessment',
    caseId,
    form.questionnaire.url ?? '',
    caller.now.toString(),
    JSON.stringify(caller.who),
  );
  return { changes: [{ op: 'create', id, resource }], about: 0 };
}

// Answers to an assessment that goes on: saved as far as they are, and checked as far as they can be.
import type { QuestionnaireResponse } from '@medplum/fhirtypes';
import { Fault } from '../../fault.ts';
import { isError } from '../../fhir/validation/issue.ts';
import type { Caller, Planned } from '../records.ts';
import { calculate } from '../sdc/calculate.ts';
import type { CodeTest } from '../sdc/check-answer.ts';
import { checkResponse } from '../sdc/check-response.ts';
import type { Surroundings } from '../sdc/evaluate.ts';
import type { Form } from '../sdc/form.ts';
import {
  authoredAt,
  authorOf,
  openCaseOf,
  requireAssessment,
  requireFormOf,
  surroundingsOf,
} from './assessment-of-case.ts';
import type { AnswerAssessment } from './assessment-schema.ts';
import { codeTest } from './code-test.ts';
import type { Shelf } from './instruments.ts';
import { type AnswerInput, namedIn, refused, withAnswers } from './read-answers.ts';

export interface OneAssessment<Body> {
  readonly caseId: string;
  readonly id: string;
  readonly body: Body;
}

/** @throws Fault not-found; unprocessable naming the linkIds, or when the assessment has been completed */
export async function answerAssessment(
  shelf: Shelf,
  caller: Caller,
  { caseId, id, body }: OneAssessment<AnswerAssessment>,
): Promise<Planned> {
  const about = await openCaseOf(shelf.records, caseId);
  const current = await requireAssessment(shelf.records, about, id);
  requireDraft(current);
  const form = await requireFormOf(shelf, current);
  const answers = body.answers as AnswerInput[];
  const made = settled(
    form,
    withAnswers(form, current, answers),
    answers,
    surroundingsOf(about, caller),
    codeTest(shelf.installed),
  );
  const resource = { ...made, authored: authoredAt(caller), author: authorOf(caller) };
  return { changes: [{ op: 'update', resource, ifMatch: current.meta.versionId }], about: 0 };
}

/** @throws Fault unprocessable */
export function requireDraft({ status }: QuestionnaireResponse): void {
  if (status === 'in-progress') return;
  const way = status === 'completed' || status === 'amended' ? '; amend it, saying why' : '';
  throw new Fault('unprocessable', `The assessment is ${status}, no draft any more${way}.`, {
    expression: 'QuestionnaireResponse.status',
    code: 'business-rule',
  });
}

/**
 * With scores made anew. What no longer applies since an earlier answer was changed is kept while it is a draft: the answer
 * may be changed back.
 * @throws Fault unprocessable
 */
export function settled(
  form: Form,
  response: QuestionnaireResponse,
  answers: readonly AnswerInput[],
  surroundings: Surroundings,
  hasCode: CodeTest,
): QuestionnaireResponse {
  const { response: made } = calculate(form, response, surroundings);
  const named = namedIn(answers);
  const issues = checkResponse(form, made, surroundings, {
    complete: false,
    hasCode,
    mayLinger: (linkId) => !named.has(linkId),
  });
  const errors = issues.filter(isError);
  if (errors.length > 0) throw refused(errors);
  return made;
}

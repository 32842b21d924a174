// An assessment completed or corrected: checked as a whole, scored, and taken apart into observations, needs, goals and
// flags, all in one commit.
import type { Provenance, QuestionnaireResponse } from '@medplum/fhirtypes';
import { Fault } from '../../fault.ts';
import type { Change } from '../../fhir/change.ts';
import { isError } from '../../fhir/validation/issue.ts';
import { derivedId } from '../derived-id.ts';
import type { Caller, Kept, Planned } from '../records.ts';
import { calculate } from '../sdc/calculate.ts';
import type { CodeTest } from '../sdc/check-answer.ts';
import { checkResponse } from '../sdc/check-response.ts';
import type { Surroundings } from '../sdc/evaluate.ts';
import { extract, sourceOf } from '../sdc/extract.ts';
import type { Form } from '../sdc/form.ts';
import { withoutDisabled } from '../sdc/without-disabled.ts';
import { type OneAssessment, requireDraft } from './answer-assessment.ts';
import {
  authoredAt,
  authorOf,
  type CaseOfPatient,
  openCaseOf,
  requireAssessment,
  requireFormOf,
  surroundingsOf,
} from './assessment-of-case.ts';
import type { AmendAssessment, CompleteAssessment } from './assessment-schema.ts';
import { codeTest } from './code-test.ts';
import type { Shelf } from './instruments.ts';
import { planResults } from './plan-results.ts';
import { type AnswerInput, namedIn, refused, withAnswers } from './read-answers.ts';

/** @throws Fault not-found; unprocessable naming every linkId that is missing or wrong */
export async function completeAssessment(
  shelf: Shelf,
  caller: Caller,
  { caseId, id, body }: OneAssessment<CompleteAssessment>,
): Promise<Planned> {
  const about = await openCaseOf(shelf.records, caseId);
  const current = await requireAssessment(shelf.records, about, id);
  requireDraft(current);
  const form = await requireFormOf(shelf, current);
  const surroundings = surroundingsOf(about, caller);
  const answers = (body.answers ?? []) as AnswerInput[];
  const made = finished(form, current, answers, { surroundings, hasCode: codeTest(shelf.installed) });
  const resource = {
    ...made,
    status: 'completed' as const,
    authored: authoredAt(caller),
    author: authorOf(caller),
  };
  return commitOf(shelf, caller, { about, form, surroundings, current, resource, reason: undefined });
}

/** What was answered stays dated as it was; the correction has its own date and reason in its provenance. */
export async function amendAssessment(
  shelf: Shelf,
  caller: Caller,
  { caseId, id, body }: OneAssessment<AmendAssessment>,
): Promise<Planned> {
  const about = await openCaseOf(shelf.records, caseId);
  const current = await requireAssessment(shelf.records, about, id);
  if (current.status !== 'completed' && current.status !== 'amended') {
    throw new Fault('unprocessable', `The assessment is ${current.status}; only one that is completed is amended.`, {
      expression: 'QuestionnaireResponse.status',
      code: 'business-rule',
    });
  }
  const form = await requireFormOf(shelf, current);
  const surroundings = surroundingsOf(about, caller);
  const made = finished(form, current, body.answers as AnswerInput[], {
    surroundings,
    hasCode: codeTest(shelf.installed),
  });
  const resource = { ...made, status: 'amended' as const };
  return commitOf(shelf, caller, { about, form, surroundings, current, resource, reason: body.reason });
}

function finished(
  form: Form,
  current: QuestionnaireResponse,
  answers: readonly AnswerInput[],
  { surroundings, hasCode }: { readonly surroundings: Surroundings; readonly hasCode: CodeTest },
): QuestionnaireResponse {
  const named = namedIn(answers);
  const answered = withoutDisabled(
    form,
    withAnswers(form, current, answers),
    surroundings,
    (linkId) => !named.has(linkId),
  );
  const { response } = calculate(form, answered, surroundings);
  const errors = checkResponse(form, response, surroundings, { complete: true, hasCode }).filter(isError);
  if (errors.length > 0) throw refused(errors);
  return response;
}

interface Commit {
  readonly about: CaseOfPatient;
  readonly form: Form;
  readonly surroundings: Surroundings;
  readonly current: Kept<'QuestionnaireResponse'>;
  readonly resource: QuestionnaireResponse;
  readonly reason: string | undefined;
}

async function commitOf(shelf: Shelf, caller: Caller, commit: Commit): Promise<Planned> {
  const { form, surroundings, current, resource, reason } = commit;
  const extraction = extract(form, resource, surroundings);
  const results = await planResults(shelf.records, commit.about, extraction, resource);
  const response: Change = { op: 'update', resource, ifMatch: current.meta.versionId };
  const provenance = sourceOf(
    { ...extraction, resources: results.touched },
    { ...resource, author: authorOf(caller) },
    caller.now,
  );
  const made: Provenance[] = provenance ? [{ ...provenance, ...(reason ? { reason: [{ text: reason }] } : {}) }] : [];
  return {
    changes: [
      response,
      ...results.changes,
      ...made.map(
        (one): Change => ({
          op: 'create',
          id: derivedId('assessed', current.id, current.meta.versionId),
          resource: one,
        }),
      ),
    ],
    about: 0,
  };
}

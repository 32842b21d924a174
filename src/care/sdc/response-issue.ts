// An issue about an item of a response, found by its linkIds.
import type { OperationOutcomeIssue } from '@medplum/fhirtypes';
import { shown } from '../../fhir/validation/issue.ts';

/** @param path linkIds from outside in; linkIds come from the sender, so they are shortened and quoted */
export function issueAt(
  path: readonly string[],
  code: OperationOutcomeIssue['code'],
  text: string,
  severity: OperationOutcomeIssue['severity'] = 'error',
): OperationOutcomeIssue {
  const steps = path.map((linkId) => `.item.where(linkId = '${shown(linkId).replace(/['\\]/g, '\\$&')}')`);
  return { severity, code, details: { text }, expression: [`QuestionnaireResponse${steps.join('')}`] };
}

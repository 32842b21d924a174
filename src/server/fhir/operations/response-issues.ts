// What $validate says of a QuestionnaireResponse besides its shape: how it fits its form. Warnings, because FHIR lets a
// response be stored that its form would not take; the API refuses it.
import type { OperationOutcomeIssue, Resource } from '@medplum/fhirtypes';
import type { Grant } from '../../../access/grant.ts';
import { formOf } from '../../../care/assessments/assessment-of-case.ts';
import { checkResponse } from '../../../care/sdc/check-response.ts';
import { grantedRecords } from '../../api/granted-records.ts';
import type { FhirContext } from '../context.ts';

/** None for another resource, or when the form is not here. @param resource valid FHIR */
export async function responseIssues(
  context: FhirContext,
  grant: Grant,
  resource: Resource,
): Promise<OperationOutcomeIssue[]> {
  if (resource.resourceType !== 'QuestionnaireResponse') return [];
  const form = await formOf({ records: grantedRecords(context, grant), installed: context.artefacts }, resource);
  if (!form) return [];
  const complete = resource.status === 'completed' || resource.status === 'amended';
  const hasCode = (valueSet: string, { code = '', system }: { code?: string; system?: string }) =>
    context.terminology.codes(valueSet)?.has(code, system);
  const issues = checkResponse(form, resource, { now: context.clock.now(), zone: 'UTC' }, { complete, hasCode });
  return issues.map((issue) => ({ ...issue, severity: 'warning' }));
}

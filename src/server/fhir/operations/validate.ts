// $validate: what would be wrong with a resource, without storing it.
// https://hl7.org/fhir/R4/resource-operation-validate.html
import type { OperationOutcomeIssue, Resource } from '@medplum/fhirtypes';
import { decide } from '../../../access/decide.ts';
import { Fault } from '../../../fault.ts';
import { isError, issueOf } from '../../../fhir/validation/issue.ts';
import type { Answer, FhirContext, FhirRequest } from '../context.ts';
import { readCurrent } from '../read.ts';
import { type OperationInput, operationInput } from './input.ts';
import type { Operation } from './operation.ts';
import { responseIssues } from './response-issues.ts';

export const VALIDATE: Operation = {
  code: 'validate',
  at: ['type', 'instance'],
  affectsState: false,
  definition: 'http://hl7.org/fhir/OperationDefinition/Resource-validate',
  inputs: ['resource', 'mode', 'profile'],
  handler: validate,
};

const MODES = ['create', 'update', 'delete', 'profile'] as const;
type Mode = (typeof MODES)[number];

/** Always 200 when the validation could be done, whatever it found. */
async function validate(context: FhirContext, request: FhirRequest): Promise<Answer> {
  const { grant, params } = request;
  const { type = '', id } = params;
  const broken = bodyIssue(request.body, type);
  if (broken) return answer([broken]);
  const input = operationInput(VALIDATE, request);
  const mode = modeIn(input);
  if ((mode === 'update' || mode === 'delete') && id === undefined) {
    throw new Fault('invalid', `The mode ${mode} is for one resource: ${type}/{id}/$validate.`, { code: 'value' });
  }
  if (mode === 'delete') return answer(await deleteIssues(context, request));
  const given = input.resource('resource');
  if (given === undefined && id === undefined) {
    throw new Fault('invalid', 'Give the resource to validate as the body or as the parameter resource.', {
      code: 'required',
    });
  }
  const stored =
    given === undefined || mode === 'update' ? await readCurrent(context, grant, type, id ?? '') : undefined;
  const resource: Resource = given ?? JSON.parse((stored as { content: string }).content);
  const profiles = input.values('profile');
  const found = context.validate(resource, profiles, { advice: true });
  return answer([
    ...found,
    ...(found.some(isError) ? [] : await responseIssues(context, grant, resource)),
    ...typeIssues(resource, type),
    ...(mode === 'update' && given ? idIssues(given, type, id ?? '') : []),
    ...(mode === 'profile' && profiles.length === 0 ? [profileMissing(type)] : []),
  ]);
}

/** A body that is no resource is a finding too, not a bad request. */
function bodyIssue(body: unknown, type: string): OperationOutcomeIssue | undefined {
  if (body === undefined || body === null) return undefined;
  if (typeof body === 'object' && 'resourceType' in body) return undefined;
  return issueOf('error', 'structure', 'A resource must be a JSON object with a resourceType.', `${type}.resourceType`);
}

function modeIn(input: OperationInput): Mode | undefined {
  const text = input.value('mode');
  const mode = MODES.find((one) => one === text);
  if (text === undefined || mode) return mode;
  throw new Fault('invalid', `The mode must be one of ${MODES.join(', ')}.`, { code: 'value' });
}

/** Baton deletes whatever is there and may be deleted by the token; other resources may keep pointing at it. */
async function deleteIssues(context: FhirContext, { grant, params }: FhirRequest): Promise<OperationOutcomeIssue[]> {
  const { type = '', id = '' } = params;
  decide(grant, 'delete', type);
  await readCurrent(context, grant, type, id);
  return [];
}

function typeIssues({ resourceType }: Resource, type: string): OperationOutcomeIssue[] {
  if (typeof resourceType !== 'string' || resourceType === type) return [];
  const sentence = `The URL names ${type}, the resource says another type.`;
  return [issueOf('error', 'value', sentence, `${type}.resourceType`)];
}

function idIssues(resource: Resource, type: string, id: string): OperationOutcomeIssue[] {
  if (resource.id === id) return [];
  return [issueOf('error', 'value', 'For an update the resource must have the id that the URL names.', `${type}.id`)];
}

function profileMissing(type: string): OperationOutcomeIssue {
  return issueOf('error', 'required', 'The mode profile needs the parameter profile.', type);
}

function answer(issues: readonly OperationOutcomeIssue[]): Answer {
  const fine = { severity: 'information', code: 'informational', details: { text: 'Nothing is wrong.' } };
  const outcome = { resourceType: 'OperationOutcome', issue: issues.length > 0 ? issues : [fine] };
  return { status: 200, body: JSON.stringify(outcome) };
}

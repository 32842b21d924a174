// The input of a terminology operation, known to be valid FHIR: value sets and codings that anybody may send are walked
// through without asking again what they are made of.
import type { Resource } from '@medplum/fhirtypes';
import { Fault } from '../../../fault.ts';
import type { FhirContext, FhirRequest } from '../context.ts';
import { type OperationInput, operationInput } from './input.ts';
import type { Operation } from './operation.ts';

/**
 * @param bare name of the parameter that a body which is not a Parameters resource stands for
 * @throws Fault invalid, with everything that is wrong with the body
 */
export function terminologyInput(
  { validate }: FhirContext,
  operation: Operation,
  request: FhirRequest,
  bare?: string,
): OperationInput {
  const input = operationInput(operation, request, bare);
  const body = request.body as Resource | undefined | null;
  const issues = body === undefined || body === null || isEmpty(body) ? [] : validate(body);
  if (!issues.some(({ severity }) => severity === 'error' || severity === 'fatal')) return input;
  throw new Fault('invalid', 'The body of the request is not valid FHIR.', { issues });
}

/** FHIR has no empty lists; some clients send one all the same when they have nothing to say. */
function isEmpty(body: Resource): boolean {
  return body.resourceType === 'Parameters' && body.parameter?.length === 0;
}

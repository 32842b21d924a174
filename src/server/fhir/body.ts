// The resource in a request's body, as far as the door must know it; everything else is the validator's.
// https://hl7.org/fhir/R4/http.html#create
import type { Resource } from '@medplum/fhirtypes';
import { Fault } from '../../fault.ts';

/** @throws Fault invalid when the body is no resource, or one of another type than the URL says */
export function resourceIn(body: unknown, type: string): Resource & { id?: string } {
  if (typeof body !== 'object' || body === null || Array.isArray(body) || !('resourceType' in body)) {
    throw new Fault('invalid', `The body must be a ${type} as a JSON object with resourceType.`, { code: 'structure' });
  }
  if (body.resourceType !== type) {
    throw new Fault('invalid', `The URL names ${type}, the resource in the body says otherwise.`, {
      expression: 'resourceType',
      code: 'value',
    });
  }
  return body as Resource;
}

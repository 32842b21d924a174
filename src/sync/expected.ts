// Whether a received resource can be an answer to what was asked. A server that mixes up patients, types or ids is not
// believed: what it sent is kept aside for a person.
import type { Resource } from '@medplum/fhirtypes';
import { isFhirId, jsonOf } from './body.ts';
import { patientOf } from './patient-reference.ts';

/** What was asked for, beyond the type. */
export interface Asked {
  /** Remote id of the patient whose resources were asked for. */
  readonly patient?: string;
  /** Remote id of the resource that was asked for. */
  readonly id?: string;
  /** Base URL of the remote, which its references may begin with. */
  readonly base?: string;
}

/** Why not, in a sentence; undefined when it can. */
export function objection(resource: Resource, type: string, asked: Asked): string | undefined {
  if (resource.resourceType !== type) return `It is a ${String(resource.resourceType).slice(0, 64)}, not a ${type}.`;
  if (!isFhirId(resource.id)) return 'It has no valid id.';
  if (asked.id !== undefined && resource.id !== asked.id) return `It is another ${type} than was asked for.`;
  if (asked.patient === undefined) return undefined;
  const patient = type === 'Patient' ? `Patient/${resource.id}` : patientOf(jsonOf(resource));
  if (patient === undefined)
    return 'It says of no patient that it is about them, although those of one were asked for.';
  const right = `Patient/${asked.patient}`;
  return patient === right || patient === `${asked.base}/${right}`
    ? undefined
    : 'It is about another patient than was asked for.';
}

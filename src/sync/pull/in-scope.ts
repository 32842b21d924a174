// Whether what the remote has and we have not comes in. docs/sync-spec.md#I7
import type { JsonObject } from '../../fhir/canonical-json.ts';
import type { RunContext } from '../context.ts';
import { patientsOf } from '../patients/patient-reference.ts';

/**
 * New resources come in for patients in scope; without a scope for those we share, or where the type is only pulled.
 * @param body in local terms
 */
export function inScope(
  { connection, scope }: Pick<RunContext, 'connection' | 'scope'>,
  received: { readonly type: string; readonly remoteId: string; readonly body: JsonObject },
  body: JsonObject,
): boolean {
  const ours = patientsOf(body).map((patient) => patient.startsWith('Patient/'));
  const shared = ours.includes(true);
  if (!scope) return connection.types[received.type] === 'pull' || shared;
  if (received.type === 'Patient') return scope.has(received.remoteId);
  const patients = patientsOf(received.body);
  if (patients.length === 0) return connection.types[received.type] === 'pull';
  return patients.some((patient, at) => ours[at] && scope.has(patient.slice(patient.lastIndexOf('/') + 1)));
}

// Whether a server that has patients of its own knows whom a resource is about. docs/sync-spec.md#I8
import { parseLiteral } from '../../fhir/references.ts';
import type { StoredVersion } from '../../store/store.ts';
import { parseBody } from '../body.ts';
import type { ConnectionContext } from '../context.ts';
import { readLinkMap } from '../link-map.ts';
import { patientsOf } from './patient-reference.ts';

/**
 * Local id of a patient whom the server does not know, when it knows nobody whom the resource is about. Patients who flow out are made
 * there first, and where none flow at all it is the integrator's wish that it goes without.
 */
export async function patientUnknownThere(
  { store, connection }: Pick<ConnectionContext, 'store' | 'connection'>,
  { type, content }: StoredVersion,
): Promise<string | undefined> {
  if (connection.types.Patient !== 'pull' || type === 'Patient') return undefined;
  const named = patientsOf(parseBody(content)).map(parseLiteral);
  const patients = named.filter((target) => target !== undefined);
  const links = await readLinkMap(store, connection.name, patients, []);
  const isKnown = patients.some(({ id }) => links.remoteOf('Patient', id) !== undefined);
  return isKnown ? undefined : patients[0]?.id;
}

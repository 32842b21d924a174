// What has to wait until a person has said who somebody is on the server. docs/sync-spec.md#I8
import type { JsonObject } from '../../fhir/canonical-json.ts';
import { parseLiteral } from '../../fhir/references.ts';
import type { StoredVersion } from '../../store/store.ts';
import { parseBody } from '../body.ts';
import type { ConnectionContext, MappedContext } from '../context.ts';
import type { LinkMap } from '../mapping.ts';
import { lastOfEach } from './alias.ts';
import { idOfPatient } from './held.ts';
import { isAskedFor, openQuestions } from './identity-question.ts';
import { patientsOf } from './patient-reference.ts';

type About = Pick<ConnectionContext, 'store' | 'connection'>;

/** Without a link it would go there as nobody's; once a person has answered, it goes as the right one's. */
export async function isPatientAsked({ store, connection }: About, stored: StoredVersion): Promise<boolean> {
  for (const reference of patientsOf(parseBody(stored.content))) {
    const patient = parseLiteral(reference);
    if (patient && (await isAskedFor(store, connection.name, patient.type, patient.id))) return true;
  }
  return false;
}

/** Whose identity is asked before one of ours without a link can go there; undefined when nobody's is. */
export async function whoIsAsked(about: About, stored: StoredVersion): Promise<'it' | 'its patient' | undefined> {
  if (await isAskedFor(about.store, about.connection.name, stored.type, stored.id)) return 'it';
  return (await isPatientAsked(about, stored)) ? 'its patient' : undefined;
}

/** Whether it is asked who a patient is whom a linked resource is about there: nothing of it is put into ours until then. */
export async function isTheirPatientAsked(
  { store, connection, mapping }: Pick<MappedContext, 'store' | 'connection' | 'mapping'>,
  links: Pick<LinkMap, 'localOf'>,
  remote: JsonObject,
): Promise<boolean> {
  const ids = patientsOf(remote).flatMap((reference) => idOfPatient(reference, mapping.remoteBase) ?? []);
  const unknown = ids.filter((id) => links.localOf('Patient', id) === undefined);
  const standing = await lastOfEach(store, connection.name, unknown);
  return (await openQuestions(store, connection.name, 'Patient', [...unknown, ...standing.values()])).size > 0;
}

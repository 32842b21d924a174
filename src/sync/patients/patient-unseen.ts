// Whose record a replaced server has not shown since: it may have lost it and have given its id to somebody else. What is sent
// names nobody anew by that id until that is known. docs/sync-spec.md#I5 docs/sync-spec.md#I8
import type { JsonObject } from '../../fhir/canonical-json.ts';
import { collectReferences, parseLiteral } from '../../fhir/references.ts';
import type { StoredVersion } from '../../store/store.ts';
import { parseBody, resourceOf } from '../body.ts';
import type { ConnectionContext } from '../context.ts';
import { readLinkMap } from '../link-map.ts';
import { unseenAmong } from '../unseen.ts';
import { patientsOf } from './patient-reference.ts';

const ANY = "SELECT 1 FROM identity WHERE connection = ? AND type = 'Patient' AND unseen IS NOT NULL LIMIT 1";

type About = Pick<ConnectionContext, 'store' | 'connection'>;

export interface UnseenPatient {
  readonly localId: string;
  /** A person said that the record is gone. */
  readonly isGone: boolean;
}

/** Whether there is one at all: most of the time there is not. */
export async function isAnyPatientUnseen({ store, connection }: About): Promise<boolean> {
  return (await store.query(ANY, [connection.name])).length > 0;
}

/**
 * The patient whom a resource names and whose record there nobody has seen since; of one whose record is gone only who is about them.
 * @param there what it says there as far as is known, in local terms: whom that names is no news
 * @returns undefined when there is none
 */
export async function unseenPatientOf(
  about: About,
  { type, content }: Pick<StoredVersion, 'type' | 'content'>,
  there?: JsonObject,
): Promise<UnseenPatient | undefined> {
  if (type === 'Patient' || !(await isAnyPatientUnseen(about))) return undefined;
  const { store, connection } = about;
  const body = parseBody(content);
  const known = new Set(there && patientsNamedIn(there));
  const patients = patientsNamedIn(body).filter((id) => !known.has(id));
  const targets = patients.map((id) => ({ type: 'Patient', id }));
  const map = await readLinkMap(store, connection.name, targets, []);
  const records = new Map(patients.map((id) => [id, map.remoteOf('Patient', id) ?? '']));
  const unseen = await unseenAmong(store, connection.name, 'Patient', [...records.values()]);
  const whose = new Set(patientsOf(body).map((reference) => parseLiteral(reference)?.id));
  const stateOf = (id: string) => unseen.get(records.get(id) ?? '');
  const gone = patients.find((id) => whose.has(id) && stateOf(id) === 'gone');
  const localId = gone ?? patients.find((id) => stateOf(id) === 'there');
  return localId === undefined ? undefined : { localId, isGone: gone !== undefined };
}

/** Local ids of all patients that a body names, wherever. */
function patientsNamedIn(body: JsonObject): string[] {
  const named = collectReferences(resourceOf(body)).map(parseLiteral);
  return named.flatMap((target) => (target?.type === 'Patient' ? [target.id] : []));
}

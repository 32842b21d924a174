// Whose record a replaced server has not shown since: it may have lost it and have given its id to somebody else. What is about
// them names nobody by that id until that is known. docs/sync-spec.md#I5 docs/sync-spec.md#I8
import { parseLiteral } from '../../fhir/references.ts';
import type { StoredVersion } from '../../store/store.ts';
import { parseBody } from '../body.ts';
import type { ConnectionContext } from '../context.ts';
import { readLinkMap } from '../link-map.ts';
import { unseenAmong } from '../unseen.ts';
import { patientsOf } from './patient-reference.ts';

const ANY = "SELECT 1 FROM identity WHERE connection = ? AND type = 'Patient' AND unseen IS NOT NULL LIMIT 1";

export interface UnseenPatient {
  readonly localId: string;
  /** A person said that the record is gone. */
  readonly isGone: boolean;
}

/** The patient that a resource is about and whose record there nobody has seen since; undefined when there is none. */
export async function unseenPatientOf(
  { store, connection: { name } }: Pick<ConnectionContext, 'store' | 'connection'>,
  { type, content }: StoredVersion,
): Promise<UnseenPatient | undefined> {
  if (type === 'Patient' || (await store.query(ANY, [name])).length === 0) return undefined;
  const named = patientsOf(parseBody(content)).map(parseLiteral);
  const patients = named.filter((target) => target !== undefined);
  const map = await readLinkMap(store, name, patients, []);
  const records = new Map(patients.map(({ id }) => [map.remoteOf('Patient', id) ?? '', id]));
  const [unseen] = await unseenAmong(store, name, 'Patient', [...records.keys()]);
  const localId = unseen && records.get(unseen[0]);
  return localId === undefined ? undefined : { localId, isGone: unseen?.[1] === 'gone' };
}

// Whoever was merged into somebody else goes nowhere: the survivor does. docs/patient-matching.md#merges-there
import { replacedBy } from '../../fhir/patient-merge.ts';
import type { StoredVersion } from '../../store/store.ts';
import { parseBody } from '../body.ts';
import type { ConnectionContext } from '../context.ts';
import { followByLocal } from '../patients/alias.ts';
import { isToBeMerged } from '../patients/merge-job.ts';

/** Why something without a counterpart there gets none; undefined when it is nobody who was merged. */
export async function mergedAway(
  { store, connection }: Pick<ConnectionContext, 'store' | 'connection'>,
  { type, id, content }: StoredVersion,
): Promise<'merged-there' | 'merged-here' | undefined> {
  if (type !== 'Patient') return undefined;
  if ((await followByLocal(store, connection.name, [id])).has(id)) return 'merged-there';
  const isHere = replacedBy(parseBody(content)) !== undefined || (await isToBeMerged(store, connection.name, id));
  return isHere ? 'merged-here' : undefined;
}

// Whoever was merged into somebody else goes nowhere: the survivor does. docs/patient-matching.md#merges-there
import { replacedBy } from '../../fhir/patient-merge.ts';
import type { StoredVersion } from '../../store/store.ts';
import { parseBody } from '../body.ts';
import type { ConnectionContext } from '../context.ts';
import { readAliasOf } from '../patients/alias.ts';

/** Why something without a counterpart there gets none; undefined when it is nobody who was merged. */
export async function mergedAway(
  { store, connection }: Pick<ConnectionContext, 'store' | 'connection'>,
  { type, id, content }: StoredVersion,
): Promise<'merged-there' | 'merged-here' | undefined> {
  if (await readAliasOf(store, connection.name, type, id)) return 'merged-there';
  return type === 'Patient' && replacedBy(parseBody(content)) !== undefined ? 'merged-here' : undefined;
}

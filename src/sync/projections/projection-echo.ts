// What was projected never comes back as something new: it is known by its link, by our identifier (from wherever it
// reaches us), by its row, and while nobody knows whether it arrived, by what was sent. docs/sync-spec.md#I14
import type { JsonObject } from '../../fhir/canonical-json.ts';
import type { RunContext } from '../context.ts';
import type { Link } from '../identity.ts';
import { fingerprints, isNamedProjection } from './projection-name.ts';
import { isProjectionThere, readUnsure } from './projection-row.ts';

const TARGETS = new Set(['DocumentReference', 'Communication', 'ServiceRequest']);

export async function isOwnProjection(
  { store, connection, mapping }: RunContext,
  { type, remoteId, body }: { readonly type: string; readonly remoteId: string; readonly body: JsonObject },
  link: Link | undefined,
): Promise<boolean> {
  if (link) return link.how === 'projected';
  if (!TARGETS.has(type)) return false;
  if (isNamedProjection(mapping, body)) return true;
  if (await isProjectionThere(store, connection.name, type, remoteId)) return true;
  const seen = fingerprints(mapping, body);
  const unsure = seen.size === 0 ? [] : await readUnsure(store, connection.name, type);
  return unsure.some(({ sent }) => !fingerprints(mapping, sent).isDisjointFrom(seen));
}

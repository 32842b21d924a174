// Common versions that name one of ours by two records there, of which one means somebody else from now on: which name is meant is
// told by the element that it stands in.
import type { JsonObject } from '../fhir/canonical-json.ts';
import { LITERAL_ENDS } from '../fhir/references.ts';
import type { Statement, Store } from '../store/store.ts';
import { parseBody } from './body.ts';
import { isLive } from './identity-row.ts';
import { mapReferences } from './mapping.ts';
import type { Meant } from './meant.ts';

const BOTH = `SELECT type, local_id, base_local, base_remote FROM identity WHERE connection = ? AND ${isLive()}
  AND (base_local LIKE ? OR base_local LIKE ?) AND (base_remote LIKE ? OR base_remote LIKE ?) AND (base_remote LIKE ? OR base_remote LIKE ?)`;
const SAVE = `UPDATE identity SET base_local = ? WHERE connection = ? AND ${isLive()} AND type = ? AND local_id = ? AND base_local = ?`;

/**
 * For the commit that makes a record there somebody else's.
 * @param former whom it meant
 * @param own that one's other record there
 * @param localId whom it means from now on
 */
export async function renamedInPlace(
  store: Pick<Store, 'query'>,
  former: Meant,
  own: string,
  localId: string,
): Promise<Statement[]> {
  const { connection, type, remoteId } = former;
  const like = (id: string) => LITERAL_ENDS.map((end) => `%${type}/${id}${end}%`);
  const rows = await store.query(BOTH, [connection, ...like(former.localId), ...like(remoteId), ...like(own)]);
  return rows.flatMap((row) => {
    const [before, there] = [parseBody(String(row.base_local)), parseBody(String(row.base_remote))];
    const isMeant = (element: string) => names(there[element], type, remoteId) && !names(there[element], type, own);
    const after = renamed(before, isMeant, `${type}/${former.localId}`, `${type}/${localId}`);
    if (after === before) return [];
    const params = [JSON.stringify(after), connection, String(row.type), String(row.local_id), String(row.base_local)];
    return [{ sql: SAVE, params }];
  });
}

function names(value: unknown, type: string, id: string): boolean {
  const text = JSON.stringify(value) ?? '';
  return LITERAL_ENDS.some((end) => text.includes(`${type}/${id}${end}`));
}

/** With another name in those elements; the body itself when it is in none of them. */
function renamed(body: JsonObject, isMeant: (element: string) => boolean, from: string, to: string): JsonObject {
  let next = body;
  for (const [element, value] of Object.entries(body)) {
    if (value === undefined || !isMeant(element)) continue;
    const walked = mapReferences({ [element]: value }, (reference) => {
      const [, name, version = ''] = /^(.*?)(\/_history\/.*)?$/.exec(String(reference.reference)) ?? [];
      return name === from ? { ...reference, reference: `${to}${version}` } : reference;
    });
    // The copy is a spread, because it keeps the digits of decimals.
    if (walked[element] !== value) next = { ...next, ...walked };
  }
  return next;
}

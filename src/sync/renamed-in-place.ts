// Common versions that name one of ours by two records there, of which one means somebody else from now on: which name is meant is
// told by the element that it stands in, or by the entry of a list.
import { isJsonObject, type Json, type JsonObject } from '../fhir/canonical-json.ts';
import { LITERAL_ENDS } from '../fhir/references.ts';
import type { Statement, Store } from '../store/store.ts';
import { parseBody } from './body.ts';
import { isLive } from './identity-row.ts';
import { renameLiterals } from './mapping.ts';
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
  const handover = { type, remoteId, own, from: `${type}/${former.localId}`, to: `${type}/${localId}` };
  return rows.flatMap((row) => {
    const [before, there] = [parseBody(String(row.base_local)), parseBody(String(row.base_remote))];
    const after = renamedElements(handover, before, there);
    if (after === before) return [];
    const params = [JSON.stringify(after), connection, String(row.type), String(row.local_id), String(row.base_local)];
    return [{ sql: SAVE, params }];
  });
}

interface Handover {
  readonly type: string;
  /** The record there that means somebody else from now on, and the other one that the same person has. */
  readonly remoteId: string;
  readonly own: string;
  /** `Type/id` here of that person, and of whoever is meant from now on. */
  readonly from: string;
  readonly to: string;
}

/** The body itself when nothing in it means the other one. */
function renamedElements(handover: Handover, body: JsonObject, there: JsonObject): JsonObject {
  let next = body;
  for (const [element, value] of Object.entries(body)) {
    const other = value === undefined ? value : renamed(handover, value, there[element]);
    // The copy is a spread, because it keeps the digits of decimals.
    if (other !== undefined && other !== value) next = { ...next, [element]: other };
  }
  return next;
}

/** @param there what the value was made of; where that names both records, each element and each entry was made of its own */
function renamed(handover: Handover, value: Json, there: Json | undefined): Json {
  if (!names(there, handover.type, handover.remoteId)) return value;
  if (!names(there, handover.type, handover.own)) return renamedThroughout(handover, value);
  if (isJsonObject(value) && isJsonObject(there)) return renamedElements(handover, value, there);
  if (!Array.isArray(value) || !Array.isArray(there) || value.length !== there.length) return value;
  const entries = value.map((entry, at) => renamed(handover, entry, there[at]));
  return entries.some((entry, at) => entry !== value[at]) ? entries : value;
}

function renamedThroughout({ from, to }: Handover, value: Json): Json {
  return renameLiterals({ value }, (name) => (name === from ? to : undefined)).value ?? value;
}

function names(value: Json | undefined, type: string, id: string): boolean {
  const text = JSON.stringify(value) ?? '';
  return LITERAL_ENDS.some((end) => text.includes(`${type}/${id}${end}`));
}

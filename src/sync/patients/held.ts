// What belongs to a patient whose identity is asked, or names a record that the server fails to show: kept as it came, so that
// neither the page waits nor anything is put into the wrong record, and taken in once that is known. docs/sync-spec.md#I8
import type { JsonObject } from '../../fhir/canonical-json.ts';
import type { Statement, Store } from '../../store/store.ts';

export interface Held {
  readonly connection: string;
  readonly type: string;
  readonly remoteId: string;
  /** The remote record that is asked about: itself, its patient, or what else it names. */
  readonly waitsFor: { readonly type: string; readonly id: string };
  /** As it was received. */
  readonly body: JsonObject;
}

const HOLD = `INSERT INTO held_resource (connection, type, remote_id, waits_type, waits_id, body, at)
  VALUES (?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT (connection, type, remote_id) DO UPDATE SET waits_type = excluded.waits_type,
    waits_id = excluded.waits_id, body = excluded.body,
    at = CASE WHEN excluded.at > held_resource.at THEN excluded.at ELSE held_resource.at + 1 END`;

export function hold(held: Held, now: number): Statement {
  const { connection, type, remoteId, waitsFor, body } = held;
  return { sql: HOLD, params: [connection, type, remoteId, waitsFor.type, waitsFor.id, JSON.stringify(body), now] };
}

/** Forgets what is held of a resource, because a newer copy has been dealt with. */
export function letGo(connection: string, type: string, remoteId: string): Statement {
  const sql = 'DELETE FROM held_resource WHERE connection = ? AND type = ? AND remote_id = ?';
  return { sql, params: [connection, type, remoteId] };
}

/** What was held for one remote patient is held for another from now on: the server merged them. */
export function holdFor(connection: string, from: string, to: string): Statement {
  const sql = `UPDATE held_resource SET waits_id = ? WHERE connection = ? AND waits_type = 'Patient' AND waits_id = ?
    AND type <> 'Patient'`;
  return { sql, params: [to, connection, from] };
}

/** Which of the remote ids are held, with what was received. */
export async function heldAmong(
  store: Pick<Store, 'query'>,
  connection: string,
  type: string,
  remoteIds: readonly string[],
): Promise<Map<string, string>> {
  if (remoteIds.length === 0) return new Map();
  const places = remoteIds.map(() => '?').join(', ');
  const sql = `SELECT remote_id, body FROM held_resource WHERE connection = ? AND type = ? AND remote_id IN (${places})`;
  const rows = await store.query(sql, [connection, type, ...remoteIds]);
  return new Map(rows.map((row) => [String(row.remote_id), String(row.body)]));
}

/** Remote ids of what is held. @param since received before that it does not count, epoch milliseconds */
export async function allHeld(
  store: Pick<Store, 'query'>,
  connection: string,
  type: string,
  since: number,
): Promise<string[]> {
  const sql = 'SELECT remote_id FROM held_resource WHERE connection = ? AND type = ? AND at >= ?';
  return (await store.query(sql, [connection, type, since])).map((row) => String(row.remote_id));
}

/** Remote id of the patient that a received resource is about, as the server wrote it: `Patient/1` or a URL of its own. */
export function idOfPatient(reference: string, remoteBase: string): string | undefined {
  const own = reference.startsWith(`${remoteBase}/`) ? reference.slice(remoteBase.length + 1) : reference;
  return /^Patient\/([A-Za-z0-9\-.]{1,64})(?:\/|$)/.exec(own)?.[1];
}

// Remote records for which another one stands: the server merged them, or a person said that both are one. What refers to
// such a record means the one that stands for it. docs/sync-spec.md#I8
import { followChain } from '../../fhir/patient-merge.ts';
import type { SqlRow, Statement, Store } from '../../store/store.ts';

/** A link that has ended because another record took over. */
export interface Alias {
  readonly remoteId: string;
  /** Whom it was linked with; '' when with nobody. */
  readonly localId: string;
  readonly replacedBy: string;
  /** `merged` by the server; anything else by a person. */
  readonly how: string;
}

type Queryable = Pick<Store, 'query'>;

const ALIAS = "connection = ? AND type = ? AND state = 'replaced' AND replaced_by IS NOT NULL";

export async function readAlias(
  store: Queryable,
  connection: string,
  type: string,
  remoteId: string,
): Promise<Alias | undefined> {
  const sql = `SELECT * FROM identity WHERE ${ALIAS} AND remote_id = ? ORDER BY at DESC LIMIT 1`;
  const [row] = await store.query(sql, [connection, type, remoteId]);
  return row && toAlias(row);
}

/** By whom it was linked with. */
export async function readAliasOf(
  store: Queryable,
  connection: string,
  type: string,
  localId: string,
): Promise<Alias | undefined> {
  if (type !== 'Patient') return undefined;
  const sql = `SELECT * FROM identity WHERE ${ALIAS} AND local_id = ? ORDER BY at DESC LIMIT 1`;
  const [row] = await store.query(sql, [connection, type, localId]);
  return row && toAlias(row);
}

/** The record that stands for a remote one in the end; itself when none does, undefined in a circle. */
export function survivorOf(
  store: Queryable,
  connection: string,
  type: string,
  remoteId: string,
): Promise<string | undefined> {
  return followChain(remoteId, async (id) => (await readAlias(store, connection, type, id))?.replacedBy);
}

/** Remembers that another record stands for one that has no live link. */
export function saveAlias(alias: Alias & { connection: string; type: string }, now: number): Statement[] {
  const { connection, type, remoteId, localId, replacedBy, how } = alias;
  const sql = `INSERT INTO identity (connection, type, local_id, remote_id, state, how, replaced_by, at)
    VALUES (?, ?, ?, ?, 'replaced', ?, ?, ?)`;
  const row = { sql, params: [connection, type, localId, remoteId, how, replacedBy, now] };
  return [forgetAlias(connection, type, remoteId), row];
}

/** Ends a live link because another record stands for its remote one from now on. */
export function endLinkFor(
  link: { readonly connection: string; readonly type: string; readonly localId: string },
  replacedBy: string,
  now: number,
): Statement {
  const sql = `UPDATE identity SET state = 'replaced', replaced_by = ?, how = 'merged', at = ?
    WHERE connection = ? AND type = ? AND local_id = ? AND state <> 'replaced'`;
  return { sql, params: [replacedBy, now, link.connection, link.type, link.localId] };
}

export function forgetAlias(connection: string, type: string, remoteId: string): Statement {
  return { sql: `DELETE FROM identity WHERE ${ALIAS} AND remote_id = ?`, params: [connection, type, remoteId] };
}

/** Remote ids of local patients whose own record there was replaced. */
export async function followByLocal(
  store: Queryable,
  connection: string,
  localIds: readonly string[],
): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const alias of await aliasesAmong(store, connection, 'local_id', localIds)) {
    const survivor = await survivorOf(store, connection, 'Patient', alias.replacedBy);
    if (survivor !== undefined) found.set(alias.localId, survivor);
  }
  return found;
}

/**
 * Local ids of remote patients that were replaced, where the one that stands for them is linked; and is there, where only a person
 * said so.
 */
export async function followByRemote(
  store: Queryable,
  connection: string,
  remoteIds: readonly string[],
): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const alias of await aliasesAmong(store, connection, 'remote_id', remoteIds)) {
    const survivor = await survivorOf(store, connection, 'Patient', alias.replacedBy);
    const sql = `SELECT local_id FROM identity WHERE connection = ? AND type = 'Patient' AND remote_id = ?
      AND state NOT IN (${alias.how === 'merged' ? "'replaced'" : "'replaced', 'tombstone'"})`;
    const [row] = survivor === undefined ? [] : await store.query(sql, [connection, survivor]);
    if (row) found.set(alias.remoteId, String(row.local_id));
  }
  return found;
}

async function aliasesAmong(
  store: Queryable,
  connection: string,
  column: 'local_id' | 'remote_id',
  ids: readonly string[],
): Promise<Alias[]> {
  if (ids.length === 0) return [];
  const places = ids.map(() => '?').join(', ');
  const sql = `SELECT * FROM identity WHERE ${ALIAS} AND ${column} IN (${places}) ORDER BY at`;
  return (await store.query(sql, [connection, 'Patient', ...ids])).map(toAlias);
}

function toAlias(row: SqlRow): Alias {
  return {
    remoteId: String(row.remote_id),
    localId: String(row.local_id),
    replacedBy: String(row.replaced_by),
    how: String(row.how),
  };
}

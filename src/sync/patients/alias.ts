// Remote records for which another one stands: the server merged them, or a person said that both are one. What refers to
// such a record means the one that stands for it. docs/sync-spec.md#I8
import { followChain } from '../../fhir/patient-merge.ts';
import type { SqlRow, Statement, Store } from '../../store/store.ts';
import { isLive, isStoodFor } from '../identity-row.ts';

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

const ALIAS = `connection = ? AND type = ? AND ${isStoodFor()}`;

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

/** The one that the server itself has for a record in the end, whatever a person has said of that one. */
export function mergedInto(store: Queryable, connection: string, remoteId: string): Promise<string | undefined> {
  return followChain(remoteId, async (id) => {
    const alias = await readAlias(store, connection, 'Patient', id);
    return alias?.how === 'merged' ? alias.replacedBy : undefined;
  });
}

interface Last {
  readonly remoteId: string;
  /** A person has said so, of one of the records on the way. */
  readonly isSaid: boolean;
}

/** The record that stands for one in the end; itself when none does, undefined in a circle. */
async function lastOf(store: Queryable, connection: string, from: string): Promise<Last | undefined> {
  let isSaid = false;
  const remoteId = await followChain(from, async (id) => {
    const alias = await readAlias(store, connection, 'Patient', id);
    if (alias && alias.how !== 'merged') isSaid = true;
    return alias?.replacedBy;
  });
  return remoteId === undefined ? undefined : { remoteId, isSaid };
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
    WHERE connection = ? AND type = ? AND local_id = ? AND ${isLive()}`;
  return { sql, params: [replacedBy, now, link.connection, link.type, link.localId] };
}

export function forgetAlias(connection: string, type: string, remoteId: string): Statement {
  return { sql: `DELETE FROM identity WHERE ${ALIAS} AND remote_id = ?`, params: [connection, type, remoteId] };
}

/** It stands for nobody else any more; whom it meant until then is remembered as of a record that was let go. */
export function endAlias(connection: string, type: string, remoteId: string): Statement[] {
  return ending('remote_id', [connection, type, remoteId]);
}

/** The same for all for which a record stands: its id means somebody else by now. */
export function endAliasesInto(connection: string, type: string, remoteId: string): Statement[] {
  return ending('replaced_by', [connection, type, remoteId]);
}

function ending(column: 'remote_id' | 'replaced_by', params: readonly [string, string, string]): Statement[] {
  const which = `${ALIAS} AND ${column} = ?`;
  return [
    { sql: `DELETE FROM identity WHERE ${which} AND local_id = ''`, params },
    { sql: `UPDATE identity SET replaced_by = NULL WHERE ${which}`, params },
  ];
}

/** Remote ids of local patients whose own record there was replaced, where the one that stands for them is linked. */
export async function followByLocal(
  store: Queryable,
  connection: string,
  localIds: readonly string[],
): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const alias of await aliasesAmong(store, connection, 'local_id', localIds)) {
    const standing = await standsFor(store, connection, alias.remoteId);
    if (standing) found.set(alias.localId, standing.remoteId);
  }
  return found;
}

/** Local ids of remote patients that were replaced, where the one that stands for them is linked. */
export async function followByRemote(
  store: Queryable,
  connection: string,
  remoteIds: readonly string[],
): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const alias of await aliasesAmong(store, connection, 'remote_id', remoteIds)) {
    const standing = await standsFor(store, connection, alias.remoteId);
    if (standing) found.set(alias.remoteId, standing.localId);
  }
  return found;
}

/** Of some records those for which others stand, with the one that does in the end, whoever that is here. */
export async function lastOfEach(
  store: Queryable,
  connection: string,
  remoteIds: readonly string[],
): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const { remoteId } of await aliasesAmong(store, connection, 'remote_id', remoteIds)) {
    const last = await lastOf(store, connection, remoteId);
    if (last) found.set(remoteId, last.remoteId);
  }
  return found;
}

/** The linked patient that stands for a record; one that is gone there does no more, where only a person said so. */
export async function standsFor(
  store: Queryable,
  connection: string,
  remoteId: string,
): Promise<{ readonly remoteId: string; readonly localId: string } | undefined> {
  const last = await lastOf(store, connection, remoteId);
  if (!last) return undefined;
  const sql = `SELECT local_id FROM identity WHERE connection = ? AND type = 'Patient' AND remote_id = ?
    AND state NOT IN (${last.isSaid ? "'replaced', 'tombstone'" : "'replaced'"})`;
  const [row] = await store.query(sql, [connection, last.remoteId]);
  return row && { remoteId: last.remoteId, localId: String(row.local_id) };
}

/** Of patients, oldest first. */
export async function aliasesAmong(
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

/** Of patients: those for whom one of some records stands. */
export async function aliasesInto(
  store: Queryable,
  connection: string,
  remoteIds: readonly string[],
): Promise<Alias[]> {
  if (remoteIds.length === 0) return [];
  const sql = `SELECT * FROM identity WHERE ${ALIAS} AND replaced_by IN (${remoteIds.map(() => '?').join(', ')})`;
  return (await store.query(sql, [connection, 'Patient', ...remoteIds])).map(toAlias);
}

function toAlias(row: SqlRow): Alias {
  return {
    remoteId: String(row.remote_id),
    localId: String(row.local_id),
    replacedBy: String(row.replaced_by),
    how: String(row.how),
  };
}

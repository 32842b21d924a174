// Who is who, for mapping one resource or a page of them: the counterparts of everything that they name.
// docs/sync-spec.md#I8
import type { Store } from '../store/store.ts';
import { byType, LIVE, places } from './identity.ts';
import { isStoodFor } from './identity-row.ts';
import type { LinkMap } from './mapping.ts';
import { aliasesAmong, standsFor } from './patients/alias.ts';
import { inUseAmong } from './patients/in-use.ts';

type Queryable = Pick<Store, 'query'>;
type Target = { readonly type: string; readonly id: string };

export interface GrowingLinkMap extends LinkMap {
  add(type: string, localId: string, remoteId: string): void;
}

/**
 * Ids of the counterparts of the resources named; of records that another stands for, there or here, those of that one.
 */
export async function readLinkMap(
  store: Queryable,
  connection: string,
  local: readonly Target[],
  remote: readonly Target[],
): Promise<GrowingLinkMap> {
  const linked = await readLinked(store, connection, local, remote);
  const { toRemote, toLocal } = linked;
  for (const [key, localId] of await secondRecords(store, connection, unknownIn(remote, toLocal))) {
    toLocal.set(key, localId);
  }
  const there = await followThere(store, connection, patientsIn(unknownIn(local, toRemote)));
  const here = await followHere(store, connection, patientsIn(unknownIn(remote, toLocal)));
  const named = patientsIn(remote).flatMap((id) => toLocal.get(`Patient/${id}`) ?? here.standing.get(id) ?? []);
  const standing = await inUseAmong(store, [...new Set(named)]);
  const inUse = (id: string | undefined) => (id === undefined ? id : (standing.get(id) ?? id));
  return {
    add: linked.add,
    remoteOf: (type, id) => toRemote.get(`${type}/${id}`) ?? (isPatient(type) ? there.standing.get(id) : undefined),
    localOf(type, id) {
      const own = toLocal.get(`${type}/${id}`);
      return isPatient(type) ? inUse(own ?? here.standing.get(id)) : own;
    },
    remoteRecordOf: (type, id) => toRemote.get(`${type}/${id}`) ?? (isPatient(type) ? there.record.get(id) : undefined),
    localRecordOf: (type, id) => toLocal.get(`${type}/${id}`) ?? (isPatient(type) ? here.record.get(id) : undefined),
  };
}

/** By the live links. */
async function readLinked(store: Queryable, connection: string, local: readonly Target[], remote: readonly Target[]) {
  const toRemote = new Map<string, string>();
  const toLocal = new Map<string, string>();
  const add = (type: string, localId: string, remoteId: string) => {
    toRemote.set(`${type}/${localId}`, remoteId);
    toLocal.set(`${type}/${remoteId}`, localId);
  };
  for (const [column, targets] of [
    ['local_id', local],
    ['remote_id', remote],
  ] as const) {
    for (const [type, ids] of byType(targets)) {
      const sql = `SELECT local_id, remote_id FROM identity
        WHERE ${LIVE} AND how <> 'projected' AND ${column} IN (${places(ids)})`;
      const rows = await store.query(sql, [connection, type, ...ids]);
      for (const row of rows) add(type, String(row.local_id), String(row.remote_id));
    }
  }
  return { toRemote, toLocal, add };
}

/** A second record there of one of ours means it, where others refer to it. By `Type/id` there. */
async function secondRecords(
  store: Queryable,
  connection: string,
  unknown: readonly Target[],
): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const [type, ids] of byType(unknown.filter((one) => !isPatient(one.type)))) {
    const sql = `SELECT local_id, remote_id FROM identity WHERE connection = ? AND type = ? AND ${isStoodFor()}
      AND remote_id IN (${places(ids)}) ORDER BY at`;
    const rows = await store.query(sql, [connection, type, ...ids]);
    for (const row of rows) found.set(`${type}/${row.remote_id}`, String(row.local_id));
  }
  return found;
}

/** Of patients without a link, who was merged away. */
interface Followed {
  /** By whoever stands for them, where those are linked. */
  readonly standing: ReadonlyMap<string, string>;
  /** By what was theirs alone. */
  readonly record: ReadonlyMap<string, string>;
}

/** @param lost of ours; remote ids are found */
async function followThere(store: Queryable, connection: string, lost: readonly string[]): Promise<Followed> {
  const [standing, record] = [new Map<string, string>(), new Map<string, string>()];
  for (const { localId, remoteId } of await aliasesAmong(store, connection, 'local_id', lost)) {
    record.set(localId, remoteId);
    const one = await standsFor(store, connection, remoteId);
    if (one) standing.set(localId, one.remoteId);
  }
  const elsewhere = lost.filter((id) => !standing.has(id));
  const closed = await inUseAmong(store, elsewhere);
  const heirs = [...new Set(closed.values())].map((id) => ({ type: 'Patient', id }));
  const theirs = heirs.length > 0 ? await readLinkMap(store, connection, heirs, []) : undefined;
  for (const [id, heir] of closed) {
    const remoteId = theirs?.remoteOf('Patient', heir);
    if (remoteId !== undefined) standing.set(id, remoteId);
  }
  return { standing, record };
}

/** @param lost of theirs; local ids are found */
async function followHere(store: Queryable, connection: string, lost: readonly string[]): Promise<Followed> {
  const [standing, record] = [new Map<string, string>(), new Map<string, string>()];
  for (const { localId, remoteId } of await aliasesAmong(store, connection, 'remote_id', lost)) {
    const one = await standsFor(store, connection, remoteId);
    if (one) standing.set(remoteId, one.localId);
    // An earlier record of whoever stands for it is none of its own here: they would replace themselves.
    if (localId !== '' && localId !== one?.localId) record.set(remoteId, localId);
  }
  return { standing, record };
}

function unknownIn(targets: readonly Target[], known: ReadonlyMap<string, string>): Target[] {
  return targets.filter(({ type, id }) => !known.has(`${type}/${id}`));
}

function patientsIn(targets: readonly Target[]): string[] {
  return targets.filter(({ type }) => isPatient(type)).map(({ id }) => id);
}

function isPatient(type: string): boolean {
  return type === 'Patient';
}

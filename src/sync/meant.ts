// Whom records there that have no link meant here, until they were let go or another stood for them. docs/sync-spec.md#I8
import type { Store } from '../store/store.ts';
import { type Link, places } from './identity.ts';
import { hasEnded, letGoFirst } from './identity-row.ts';
import { type Alias, aliasesInto } from './patients/alias.ts';

type Queryable = Pick<Store, 'query'>;

/** Whom a record there without a live link meant until now. */
export interface Meant extends Pick<Link, 'connection' | 'type' | 'localId' | 'remoteId'> {
  /** Another record stood for it; else it was let go. */
  readonly isAlias: boolean;
  /** The same of records that were merged into it, after they had been let go. */
  readonly before: readonly Meant[];
}

/** By remote id; of several the one by the record that stands for it, else the newest. */
export async function readMeant(
  store: Queryable,
  connection: string,
  type: string,
  remoteIds: readonly string[],
): Promise<Map<string, Meant>> {
  const own = await readOwn(store, connection, type, remoteIds);
  if (type !== 'Patient') return own;
  for (const [remoteId, merged] of await mergedIntoEach(store, connection, remoteIds)) {
    const ids = merged.map((alias) => alias.remoteId);
    const before = (await readOwn(store, connection, type, ids)).values().filter(({ isLetGo }) => isLetGo);
    const nobody = { connection, type, localId: '', remoteId, isAlias: false, isLetGo: false };
    own.set(remoteId, { ...(own.get(remoteId) ?? nobody), before: [...before] });
  }
  return own;
}

interface Own extends Meant {
  /** The one that it meant was let go, whatever stood for it since. */
  readonly isLetGo: boolean;
}

async function readOwn(
  store: Queryable,
  connection: string,
  type: string,
  remoteIds: readonly string[],
): Promise<Map<string, Own>> {
  const meant = new Map<string, Own>();
  if (remoteIds.length === 0) return meant;
  const sql = `SELECT local_id, remote_id, replaced_by FROM identity WHERE connection = ? AND type = ? AND ${hasEnded()}
    AND how <> 'projected' AND remote_id IN (${places(remoteIds)}) ORDER BY ${letGoFirst()}, at`;
  for (const row of await store.query(sql, [connection, type, ...remoteIds])) {
    const remoteId = String(row.remote_id);
    const isAlias = row.replaced_by !== null;
    // A record that was merged when it was nobody's here had been somebody's before.
    const known = row.local_id === '' ? meant.get(remoteId) : undefined;
    const who = known ?? { localId: String(row.local_id), isLetGo: !isAlias };
    meant.set(remoteId, { ...{ connection, type, remoteId, before: [] }, ...who, isAlias });
  }
  return meant;
}

/** Of records those that were merged into one of them, or are second ones of theirs, with all that were merged into those. */
export async function mergedIntoEach(
  store: Queryable,
  connection: string,
  remoteIds: readonly string[],
): Promise<Map<string, Alias[]>> {
  const ends = new Map(remoteIds.map((id) => [id, id]));
  const merged = new Map<string, Alias[]>();
  for (let ids = remoteIds; ids.length > 0; ) {
    const aliases = await aliasesInto(store, connection, ids);
    const found = aliases.filter(({ remoteId }) => !ends.has(remoteId));
    for (const alias of found) {
      const end = ends.get(alias.replacedBy) ?? alias.replacedBy;
      ends.set(alias.remoteId, end);
      merged.set(end, [...(merged.get(end) ?? []), alias]);
    }
    ids = found.map(({ remoteId }) => remoteId);
  }
  return merged;
}

// Links whose records a server has not shown since it was found to be another than it was: wiped, or put back from a backup.
// What is absent of them was lost by the server, as far as can be told; of all others somebody deleted it.
// docs/sync-spec.md#I5 docs/sync-spec.md#I21
import type { SqlValue, Statement, Store } from '../store/store.ts';
import { LIVE, places } from './identity.ts';
import { isThere } from './identity-row.ts';
import type { Portion } from './link-portions.ts';
import { readFact, saveFact } from './pull/remote-fact.ts';

type Queryable = Pick<Store, 'query'>;

/**
 * `replaced`: the server is not the one it was. `missing`: everything was compared since, this is not listed there, and that is
 * plausible. `lost`: a person says that the server lost what is missing there.
 */
export type Unseen = 'replaced' | 'missing' | 'lost';

const OF_REMOTE = `${LIVE} AND remote_id IN`;

/** For the commit that finds out that the server was replaced. */
export function nothingSeen(live: readonly Portion[]): Statement[] {
  return live.map(({ where, params }) => ({
    sql: `UPDATE identity SET unseen = 'replaced' WHERE ${where} AND ${isThere()} AND how <> 'projected' AND unseen IS NULL`,
    params,
  }));
}

/** Resources are missing there. */
export function notSeen(
  connection: string,
  type: string,
  remoteIds: readonly string[],
  why: Exclude<Unseen, 'replaced'>,
): Statement {
  const sql = `UPDATE identity SET unseen = ? WHERE ${OF_REMOTE} (${places(remoteIds)})`;
  return { sql, params: [why, connection, type, ...remoteIds] };
}

/** Holds only while the server has not shown it. */
export function stillUnseen(connection: string, type: string, remoteId: string): Statement {
  const sql = `UPDATE identity SET at = at WHERE ${OF_REMOTE} (?) AND unseen IS NOT NULL`;
  return { sql, params: [connection, type, remoteId], rows: 1 };
}

/** Of what is asked whether it is gone, the id may be another's by now. */
const NOT_ASKED = `NOT EXISTS (SELECT 1 FROM conflict WHERE conflict.connection = identity.connection
  AND conflict.type = identity.type AND conflict.local_id = identity.local_id AND conflict.state = 'open'
  AND conflict.kind = 'deleted')`;

/** The server has shown that it has them. Content and versions: saveLink. */
export function seen(connection: string, type: string, remoteIds: readonly string[]): Statement {
  const sql = `UPDATE identity SET unseen = NULL WHERE unseen IS NOT NULL AND ${OF_REMOTE} (${places(remoteIds)})
    AND ${NOT_ASKED}`;
  return { sql, params: [connection, type, ...remoteIds] };
}

export async function readUnseen(
  store: Queryable,
  connection: string,
  type: string,
  remoteId: string,
): Promise<Unseen | undefined> {
  const sql = `SELECT unseen FROM identity WHERE ${LIVE} AND remote_id = ?`;
  return asUnseen((await store.query(sql, [connection, type, remoteId]))[0]?.unseen);
}

/** What the server has not shown of the remote ids, by id: with a link that is there as far as is known, or one that has ended as gone. */
export async function unseenAmong(
  store: Queryable,
  connection: string,
  type: string,
  remoteIds: readonly string[],
): Promise<Map<string, 'there' | 'gone'>> {
  if (remoteIds.length === 0) return new Map();
  const sql = `SELECT remote_id, state FROM identity WHERE unseen IS NOT NULL AND ${OF_REMOTE} (${places(remoteIds)})`;
  const rows = await store.query(sql, [connection, type, ...remoteIds]);
  return new Map(rows.map((row) => [String(row.remote_id), row.state === 'tombstone' ? 'gone' : 'there']));
}

const UNSEEN_THEN = 'unseen-links';
const countOf = (state: string) => `SELECT COUNT(*) AS links FROM identity WHERE connection = ? AND ${isThere()}
  AND how <> 'projected' AND ${state}`;

/** For the same commit: how many they are, for `hasShown`. @param now epoch milliseconds of the machine's clock */
export async function countUnseen(store: Queryable, connection: string, now: number): Promise<Statement> {
  const [row] = await store.query(countOf('1 = 1'), [connection]);
  return saveFact(connection, UNSEEN_THEN, String(row?.links), now);
}

/**
 * Whether the server has shown anything of what was linked when it was replaced; else it may be another one, or show us nothing. What
 * was made there since says nothing about that.
 */
export async function hasShown(store: Queryable, connection: string): Promise<boolean> {
  const then = await readFact(store, connection, UNSEEN_THEN);
  const [row] = await store.query(countOf('unseen IS NOT NULL'), [connection]);
  return then !== undefined && Number(row?.links) < Number(then.value);
}

/** When the server was last found to be another than it was, epoch milliseconds of the machine's clock; 0 for never. */
export async function replacedAt(store: Queryable, connection: string): Promise<number> {
  return (await readFact(store, connection, UNSEEN_THEN))?.at ?? 0;
}

/** What was received before that, and is linked only now. */
export function notSeenSince(connection: string, type: string, remoteIds: readonly string[]): Statement {
  const sql = `UPDATE identity SET unseen = 'replaced' WHERE ${OF_REMOTE} (${places(remoteIds)}) AND ${isThere()}`;
  return { sql, params: [connection, type, ...remoteIds] };
}

/** Types of which something has not been seen. */
export async function unseenTypes(store: Queryable, connection: string): Promise<Set<string>> {
  const sql = `SELECT DISTINCT type FROM identity WHERE connection = ? AND unseen IS NOT NULL AND ${isThere()}`;
  return new Set((await store.query(sql, [connection])).map(({ type }) => String(type)));
}

export function asUnseen(value: SqlValue | undefined): Unseen | undefined {
  return value === 'replaced' || value === 'missing' || value === 'lost' ? value : undefined;
}

// Who is who: one link per resource that crosses a connection, with the last two bodies known to be equal. Merging needs
// nothing else, so the remote needs no history. docs/sync-spec.md#I8
import { hashJson, isJsonObject, type JsonObject } from '../fhir/canonical-json.ts';
import type { SqlRow, SqlValue, Statement, Store } from '../store/store.ts';
import { comparable, parseBody } from './body.ts';
import { hasEnded, isLetGo, isLive, isStoodFor } from './identity-row.ts';
import type { Portion } from './link-portions.ts';

export type LinkState = 'linked' | 'conflict' | 'tombstone' | 'replaced';
/** `projected`: made in place of another resource, whose `Type/id` is the local id; never pulled back. */
export type LinkOrigin =
  | 'created-by-us'
  | 'created-by-them'
  | 'matched-identifier'
  | 'matched-rules'
  | 'matched-manual'
  | 'merged'
  | 'projected';

export interface Link {
  readonly connection: string;
  readonly type: string;
  readonly localId: string;
  readonly remoteId: string;
  readonly remoteVersion: string | undefined;
  readonly remoteHash: string | undefined;
  /** Local version of `baseLocal`. */
  readonly baseVersion: string | undefined;
  /** Comparable body in local terms. */
  readonly baseLocal: JsonObject | undefined;
  /** The remote's body as it was received. */
  readonly baseRemote: JsonObject | undefined;
  readonly state: LinkState;
  readonly how: LinkOrigin;
}

type Queryable = Pick<Store, 'query'>;

/** As much of a hash as tells copies of one resource apart. */
const MARK = 16;
/** Some thirty copies, newest first: more than a resource gets between two backups. */
const MOST_EARLIER = 1_000;

/** SQL: the copies that the link stood for, with the one that it stands for now. @param of the row's name and a dot */
const earlierCopies = (of = ''): string =>
  `substr(COALESCE(${of}remote_version, '') || ':' || substr(COALESCE(${of}remote_hash, ''), 1, ${MARK}) || ' '
    || COALESCE(${of}earlier, ''), 1, ${MOST_EARLIER})`;

const COLUMNS = `connection, type, local_id, remote_id, remote_version, remote_hash, base_version, base_local, base_remote,
  state, how`;
const SAVE = `INSERT INTO identity (${COLUMNS}, at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT (connection, type, local_id) WHERE ${isLive()} DO UPDATE SET
    remote_id = excluded.remote_id, remote_version = excluded.remote_version, remote_hash = excluded.remote_hash,
    base_version = excluded.base_version, base_local = excluded.base_local, base_remote = excluded.base_remote,
    state = excluded.state, at = excluded.at,
    earlier = CASE WHEN identity.remote_id <> excluded.remote_id THEN NULL
      WHEN identity.remote_version IS NULL OR identity.remote_hash IS NULL
        OR (identity.remote_version = excluded.remote_version AND identity.remote_hash = excluded.remote_hash)
      THEN identity.earlier ELSE ${earlierCopies('identity.')} END,
    unseen = CASE WHEN identity.remote_id = excluded.remote_id AND excluded.remote_version IS NULL
      AND COALESCE(identity.remote_hash, '') = COALESCE(excluded.remote_hash, '') THEN identity.unseen END`;
/** SQL: live links of a connection and a type. */
export const LIVE = `connection = ? AND type = ? AND ${isLive()}`;
const FORMER = `connection = ? AND type = ? AND ${isLetGo()} AND how <> 'projected'`;
/** SQL: second records of ours by a person's word, but for those whose own is gone and has not been let go. */
const SECOND = `connection = ? AND type = ? AND ${isStoodFor()} AND how <> 'merged' AND local_id <> '' AND NOT EXISTS (
  SELECT 1 FROM identity own WHERE own.connection = identity.connection AND own.type = identity.type
    AND own.local_id = identity.local_id AND ${isLive('own.')} AND own.state = 'tombstone')`;

/** The live link of a local resource. */
export async function readLink(
  store: Queryable,
  connection: string,
  type: string,
  localId: string,
): Promise<Link | undefined> {
  const sql = `SELECT ${COLUMNS} FROM identity WHERE ${LIVE} AND local_id = ?`;
  const [row] = await store.query(sql, [connection, type, localId]);
  return row && toLink(row);
}

/** Live links of remote resources, by remote id. */
export async function readLinksByRemote(
  store: Queryable,
  connection: string,
  type: string,
  remoteIds: readonly string[],
): Promise<Map<string, Link>> {
  return readWhere(store, LIVE, connection, type, remoteIds);
}

/** What remote resources were here until they were let go, by remote id. Those that another one stands for: patients/alias.ts. */
export async function readFormerLinks(
  store: Queryable,
  connection: string,
  type: string,
  remoteIds: readonly string[],
): Promise<Map<string, Link>> {
  return readWhere(store, FORMER, connection, type, remoteIds);
}

/**
 * What resources of several types meant here that nobody stands for now: they were let go, or a person took them for second
 * ones of ours whose own have been let go. Of several links with one of them the newest.
 */
export async function readFormerOf(
  store: Queryable,
  connection: string,
  targets: readonly { type: string; id: string }[],
): Promise<Link[]> {
  const links: Link[] = [];
  for (const [type, ids] of byType(targets)) {
    const seconds = type === 'Patient' ? await readWhere(store, SECOND, connection, type, ids) : [];
    const former = await readFormerLinks(store, connection, type, ids);
    links.push(...new Map([...former, ...seconds]).values());
  }
  return links;
}

/** Of several about one remote resource the newest. @param where SQL about a connection and a type */
async function readWhere(
  store: Queryable,
  where: string,
  connection: string,
  type: string,
  remoteIds: readonly string[],
): Promise<Map<string, Link>> {
  if (remoteIds.length === 0) return new Map();
  const sql = `SELECT ${COLUMNS} FROM identity WHERE ${where} AND remote_id IN (${places(remoteIds)}) ORDER BY at`;
  const rows = await store.query(sql, [connection, type, ...remoteIds]);
  return new Map(rows.map(toLink).map((link) => [link.remoteId, link]));
}

/** What tells an echo from an edit, without the bodies. */
export type LinkMark = Pick<Link, 'localId' | 'remoteId' | 'remoteVersion' | 'remoteHash' | 'state'>;

/** The marks of live links, by remote id: nearly every entry of a quiet page needs no more. */
export async function readLinkMarks(
  store: Queryable,
  connection: string,
  type: string,
  remoteIds: readonly string[],
): Promise<Map<string, LinkMark>> {
  if (remoteIds.length === 0) return new Map();
  const sql = `SELECT local_id, remote_id, remote_version, remote_hash, state FROM identity
    WHERE ${LIVE} AND remote_id IN (${places(remoteIds)})`;
  const rows = await store.query(sql, [connection, type, ...remoteIds]);
  const text = (value: SqlValue | undefined) => (typeof value === 'string' ? value : undefined);
  return new Map(
    rows.map((row) => [
      String(row.remote_id),
      {
        localId: String(row.local_id),
        remoteId: String(row.remote_id),
        remoteVersion: text(row.remote_version),
        remoteHash: text(row.remote_hash),
        state: String(row.state) as LinkState,
      },
    ]),
  );
}

/**
 * Writes the link; the live one of the same local resource is replaced. A version or another content means that the server has
 * shown it (unseen.ts).
 */
export function saveLink(link: Link, now: number): Statement {
  const text = (body: JsonObject | undefined) => (body ? JSON.stringify(body) : null);
  const params: SqlValue[] = [
    link.connection,
    link.type,
    link.localId,
    link.remoteId,
    link.remoteVersion ?? null,
    link.remoteHash ?? null,
    link.baseVersion ?? null,
    text(link.baseLocal),
    text(link.baseRemote && withVersion(link.baseRemote, link.remoteVersion)),
    link.state,
    link.how,
    now,
  ];
  return { sql: SAVE, params };
}

/** Holds only while a local resource has no other record there: another page may have linked it since it was looked for. */
export function unlessLinked({ connection, type, localId, remoteId }: Link): Statement {
  const sql = `UPDATE identity SET at = at WHERE ${LIVE} AND local_id = ? AND remote_id <> ?`;
  return { sql, params: [connection, type, localId, remoteId], rows: 0 };
}

/** Some servers tell the version in the ETag only. The body keeps it, because a link's own may have to be forgotten. */
function withVersion(body: JsonObject, version: string | undefined): JsonObject {
  const meta = isJsonObject(body.meta) ? body.meta : {};
  if (version === undefined || meta.versionId !== undefined) return body;
  return { ...body, meta: { ...meta, versionId: version } };
}

export function setLinkState(connection: string, type: string, localId: string, state: LinkState): Statement {
  return {
    sql: `UPDATE identity SET state = ? WHERE ${LIVE} AND local_id = ?`,
    params: [state, connection, type, localId],
  };
}

/**
 * Our side of the common version in other words. The commit fails with a conflict when there is another common version by now:
 * pulls and pushes go on beside each other.
 */
export function setBaseLocal(link: Link, baseLocal: JsonObject): Statement {
  const { connection, type, localId, remoteHash: hash = '', baseVersion = '' } = link;
  const isSame = "COALESCE(remote_hash, '') = ? AND COALESCE(base_version, '') = ?";
  return {
    sql: `UPDATE identity SET base_local = ? WHERE ${LIVE} AND local_id = ? AND ${isSame}`,
    params: [JSON.stringify(baseLocal), connection, type, localId, hash, baseVersion],
    rows: 1,
  };
}

/** The same content under a new version: remembered, because the next update must name it. */
export function setRemoteVersion(
  connection: string,
  type: string,
  localId: string,
  version: string,
  now: number,
): Statement {
  return {
    sql: `UPDATE identity SET earlier = ${earlierCopies()}, remote_version = ?, unseen = NULL, at = ?
      WHERE ${LIVE} AND local_id = ?`,
    params: [version, now, connection, type, localId],
  };
}

/**
 * The server counts its versions anew: an equal number says nothing any more, only equal content does. What was let go may
 * come back.
 */
export function forgetVersions(connection: string, live: readonly Portion[]): Statement[] {
  const set = `UPDATE identity SET earlier = ${earlierCopies()}, remote_version = NULL`;
  const ended = {
    sql: `${set} WHERE connection = ? AND ${hasEnded()} AND remote_version IS NOT NULL`,
    params: [connection],
  };
  const each = live.map(({ where, params }) => ({
    sql: `${set} WHERE ${where} AND remote_version IS NOT NULL`,
    params,
  }));
  return [ended, ...each];
}

/** True when the remote showed this very copy before, under the same version. */
export async function wasKnown(
  store: Queryable,
  link: Link,
  body: JsonObject,
  version: string | undefined,
): Promise<boolean> {
  const known = await readEarlier(store, link);
  return known.includes(`${version ?? ''}:${remoteHash(body).slice(0, MARK)}`);
}

/** True when the remote showed this content before, under whatever version. */
export async function hadContent(store: Queryable, link: Link, body: JsonObject): Promise<boolean> {
  const known = await readEarlier(store, link);
  return known.some((copy) => copy.endsWith(`:${remoteHash(body).slice(0, MARK)}`));
}

async function readEarlier(store: Queryable, { connection, type, localId, remoteId }: Link): Promise<string[]> {
  // Also from before it was let go and came back. In two parts, because each has its index.
  const [live, former] = [isLive(), hasEnded()].map(
    (state) =>
      `SELECT earlier FROM identity WHERE ${state} AND connection = ? AND type = ? AND local_id = ? AND remote_id = ?`,
  );
  const pair = [connection, type, localId, remoteId];
  const rows = await store.query(`${live} UNION ALL ${former}`, [...pair, ...pair]);
  return rows.flatMap(({ earlier }) => (typeof earlier === 'string' ? earlier.split(' ') : []));
}

/** Lets the remote copy go, so that the local resource can be linked to another one. */
export function replaceLink(link: Link, now: number): Statement {
  const sql = `UPDATE identity SET state = 'replaced', at = ? WHERE ${LIVE} AND local_id = ?`;
  return { sql, params: [now, link.connection, link.type, link.localId] };
}

/** Tells one remote body from another, whatever the server writes into meta at each read. */
export function remoteHash(body: JsonObject): string {
  return hashJson(comparable(body));
}

function toLink(row: SqlRow): Link {
  const text = (value: SqlValue | undefined) => (typeof value === 'string' ? value : undefined);
  const body = (value: SqlValue | undefined) => (typeof value === 'string' ? parseBody(value) : undefined);
  return {
    connection: String(row.connection),
    type: String(row.type),
    localId: String(row.local_id),
    remoteId: String(row.remote_id),
    remoteVersion: text(row.remote_version),
    remoteHash: text(row.remote_hash),
    baseVersion: text(row.base_version),
    baseLocal: body(row.base_local),
    baseRemote: body(row.base_remote),
    state: String(row.state) as LinkState,
    how: String(row.how) as LinkOrigin,
  };
}

export function places(values: readonly unknown[]): string {
  return values.map(() => '?').join(', ');
}

export function byType(targets: readonly { type: string; id: string }[]): Map<string, string[]> {
  const grouped = new Map<string, Set<string>>();
  for (const { type, id } of targets) grouped.set(type, (grouped.get(type) ?? new Set()).add(id));
  return new Map([...grouped].map(([type, ids]) => [type, [...ids]]));
}

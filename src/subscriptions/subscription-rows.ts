// The table of where each Subscription stands.
import type { LastingGrant } from '../access/lasting-grant.ts';
import type { SqlRow, SqlValue, Statement, Store } from '../store/store.ts';

export interface SubscriptionRow {
  readonly id: string;
  readonly owner: string;
  readonly authority: LastingGrant;
  /** Closed by a SecretBox. */
  readonly headers: string | undefined;
  readonly version: number;
  readonly state: 'waiting' | 'requested' | 'active' | 'error' | 'off';
  /** JSON of the resource; '' before the log's reader has come to it. */
  readonly content: string;
  readonly events: number;
  readonly delivered: number;
  readonly failures: number;
  /** Epoch milliseconds, as the others. */
  readonly failingSince: number | undefined;
  readonly nextAt: number | undefined;
  readonly endsAt: number | undefined;
  readonly contactAt: number | undefined;
  /** By an operator: nothing is sent. */
  readonly paused: boolean;
  /** Why the last attempt failed, or it is off. */
  readonly detail: string | undefined;
}

const COLUMNS = `id, owner, authority, headers, version, state, content, events, delivered, failures, failing_since, next_at,
  ends_at, contact_at, paused, detail`;

export async function readRow(store: Pick<Store, 'query'>, id: string): Promise<SubscriptionRow | undefined> {
  const [row] = await store.query(`SELECT ${COLUMNS} FROM subscription WHERE id = ?`, [id]);
  return row && rowOf(row);
}

export async function liveRows(store: Pick<Store, 'query'>): Promise<SubscriptionRow[]> {
  return (await store.query(`SELECT ${COLUMNS} FROM subscription WHERE live = 1 ORDER BY id`)).map(rowOf);
}

const AT_WORK = "state IN ('requested', 'active', 'error')";

/** Those that have something to send, or end, longest waiting first. */
export async function dueRows(store: Pick<Store, 'query'>, now: number, most: number): Promise<SubscriptionRow[]> {
  const sql = `SELECT ${COLUMNS} FROM subscription WHERE ${AT_WORK} AND (next_at <= ? OR ends_at <= ?)
    ORDER BY next_at, id LIMIT ?`;
  return (await store.query(sql, [now, now, most])).map(rowOf);
}

export async function countOf(store: Pick<Store, 'query'>, owner: string): Promise<number> {
  const [row] = await store.query("SELECT COUNT(*) AS n FROM subscription WHERE owner = ? AND state <> 'off'", [owner]);
  return Number(row?.n ?? 0);
}

/**
 * A client has asked for it: from its version on in the log, it is told in the client's name. What another was told, or was to
 * be told, is nothing to that client.
 */
export function holdRow(
  row: Pick<SubscriptionRow, 'id' | 'owner' | 'authority' | 'headers' | 'version'>,
  now: number,
): Statement[] {
  const { id, owner, authority, headers = null, version } = row;
  const others = {
    sql: `DELETE FROM subscription_event
      WHERE subscription = ? AND EXISTS (SELECT 1 FROM subscription WHERE id = ? AND owner <> ?)`,
    params: [id, id, owner],
  };
  const held = {
    sql: `INSERT INTO subscription (id, owner, authority, headers, version, state, content, live, events, delivered,
        failures, paused, at)
      VALUES (?, ?, ?, ?, ?, 'waiting', '', 0, 0, 0, 0, 0, ?)
      ON CONFLICT (id) DO UPDATE SET
        delivered = CASE WHEN subscription.owner = excluded.owner THEN subscription.delivered ELSE subscription.events END,
        owner = excluded.owner, authority = excluded.authority, headers = excluded.headers,
        version = excluded.version, state = 'waiting', failures = 0, failing_since = NULL, next_at = NULL, detail = NULL`,
    params: [id, owner, JSON.stringify(authority), headers, version, now],
  };
  return [others, held];
}

export interface Taken {
  readonly id: string;
  readonly version: number;
  readonly status: string;
  readonly content: string;
  readonly endsAt: number | undefined;
}

/**
 * What the log says of it from here on. Its delivery heeds only the version that it was held for, or a later one. One that was
 * on goes on being counted while it is asked for anew.
 */
export function takeRow({ id, version, status, content, endsAt }: Taken, now: number): Statement {
  const isOn = status === 'active' || status === 'error';
  const isDue = status === 'requested' || isOn;
  return {
    sql: `UPDATE subscription SET content = ?, live = CASE WHEN ? = 'requested' THEN live ELSE ? END, ends_at = ?,
        state = CASE WHEN version <= ? THEN ? ELSE state END,
        next_at = CASE WHEN version > ? THEN next_at WHEN failures = 0 THEN ? ELSE COALESCE(next_at, ?) END
      WHERE id = ?`,
    params: [
      content,
      status,
      Number(isOn),
      endsAt ?? null,
      version,
      status,
      version,
      ...(isDue ? [now, now] : [null, null]),
      id,
    ],
  };
}

/** Its end; nothing when it has been made anew meanwhile. */
export function dropRow(id: string, version: number): Statement[] {
  const isOver = 'NOT EXISTS (SELECT 1 FROM subscription WHERE id = ?)';
  return [
    { sql: "UPDATE subscription SET live = 0, content = '' WHERE id = ?", params: [id] },
    { sql: 'DELETE FROM subscription WHERE id = ? AND version <= ?', params: [id, version] },
    { sql: `DELETE FROM subscription_event WHERE subscription = ? AND ${isOver}`, params: [id, id] },
  ];
}

/** One version of the resource, by us, that changes how it is told: what follows waits until the log says so. */
export function turnRow(row: SubscriptionRow, version: number, more: Readonly<Record<string, SqlValue>>): Statement {
  return changeRow(row, { ...more, version, state: 'waiting' });
}

/** Its end without a version of the resource that says so: nothing is counted or sent until its client writes it anew. */
export function offRow(row: SubscriptionRow, detail: string): Statement {
  return changeRow(row, { state: 'off', live: 0, next_at: null, detail });
}

/** To be looked at now. */
export function nudgeRow(id: string, now: number): Statement {
  return { sql: 'UPDATE subscription SET next_at = ? WHERE id = ?', params: [now, id] };
}

/** Something of ours went wrong with it. */
export function restRow(id: string, until: number, sentence: string): Statement {
  return { sql: 'UPDATE subscription SET next_at = ?, detail = ? WHERE id = ?', params: [until, sentence, id] };
}

/** Nothing is to be told. Holds only while no event has come. */
export function idleRow(row: SubscriptionRow, until: number | null): Statement {
  const { sql, params = [], ...rest } = changeRow(row, { next_at: until });
  return { ...rest, sql: `${sql} AND events = ?`, params: [...params, row.events] };
}

/** Holds only while it stands as it was read. */
export function changeRow(row: SubscriptionRow, values: Readonly<Record<string, SqlValue>>): Statement {
  const names = Object.keys(values);
  return {
    sql: `UPDATE subscription SET ${names.map((name) => `${name} = ?`).join(', ')}
      WHERE id = ? AND version = ? AND state = ? AND delivered = ? AND failures = ?`,
    params: [...Object.values(values), row.id, row.version, row.state, row.delivered, row.failures],
    rows: 1,
  };
}

function rowOf(row: SqlRow): SubscriptionRow {
  const time = (value: SqlValue | undefined) => (value === null || value === undefined ? undefined : Number(value));
  return {
    id: String(row.id),
    owner: String(row.owner),
    authority: JSON.parse(String(row.authority)),
    headers: row.headers === null ? undefined : String(row.headers),
    version: Number(row.version),
    state: String(row.state) as SubscriptionRow['state'],
    content: String(row.content),
    events: Number(row.events),
    delivered: Number(row.delivered),
    failures: Number(row.failures),
    failingSince: time(row.failing_since),
    nextAt: time(row.next_at),
    endsAt: time(row.ends_at),
    contactAt: time(row.contact_at),
    paused: Number(row.paused) === 1,
    detail: row.detail === null ? undefined : String(row.detail),
  };
}

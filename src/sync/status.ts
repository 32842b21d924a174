// How each connection is doing, in numbers. docs/sync-spec.md#I23
import type { Clock } from '../clock.ts';
import type { BreakerStatus } from '../remote/breaker.ts';
import { readActiveAlerts } from '../store/alert.ts';
import { readCursor } from '../store/cursor.ts';
import type { SqlRow, Store } from '../store/store.ts';
import { type FirstLoadStatus, firstLoadStatus } from './bulk/job-rows.ts';
import { knownPlans } from './connections/note-capability.ts';
import type { Connection, ConnectionSource } from './connections/settings.ts';
import { isLetGo, isLive } from './identity-row.ts';
import type { PullPlan } from './pull/strategy.ts';
import { type PullSilence, pullSilence } from './pull-silence.ts';
import { cursorName } from './push/feed.ts';
import { isNewest, type OutboxState } from './push/outbox.ts';
import { GIVEN_UP } from './push/outbox-commands.ts';

export interface StreamStatus {
  readonly type: string;
  /** The remote's time up to which everything is here. */
  readonly highWater: string | null;
  readonly unfinished: boolean;
  /** Epoch milliseconds of the last page, or of the end of the pull that read it to its end. */
  readonly ranAt: number;
}

/** What alerts are raised by. Nothing in it has to be counted through all that is linked or was ever sent. */
export interface ConnectionHealth extends PullSilence {
  readonly breaker: BreakerStatus;
  /** Age of the oldest of them, by Baton's clock; 0 when there is none. */
  readonly feedLagSeconds: number;
  /** Age of the oldest entry that waits to be sent and could be; 0 when there is none. */
  readonly oldestQueuedSeconds: number;
  readonly oldestConflictSeconds: number;
  readonly lastQuarantinedSeconds: number | null;
  /** Outbox entries that wait for a person. */
  readonly parked: number;
  /** Outbox entries that the server refused, whose resource has no newer entry and nobody has given up. */
  readonly rejected: number;
  readonly openConflicts: number;
  /** Received resources that were kept aside, also where a later version came in. */
  readonly quarantined: number;
  /** Received resources that name somebody let go whose record the server fails to show. */
  readonly unshown: number;
}

export interface ConnectionStatus extends ConnectionHealth {
  readonly name: string;
  readonly mode: Connection['mode'];
  readonly source: ConnectionSource;
  readonly baseUrl: string;
  readonly vendor: Connection['vendor'];
  /** Log entries not looked at yet. */
  readonly feedLag: number;
  /** Conditions that operators were told of and that are still on. */
  readonly alerts: readonly string[];
  readonly outbox: Readonly<Record<OutboxState, number>>;
  readonly links: number;
  readonly streams: readonly StreamStatus[];
  /** By type, how it is pulled; `none` with `no-capability` where the server has no door. Empty before the first pull. */
  readonly strategies: Readonly<Record<string, PullPlan>>;
  /** Hints that wait to be read. */
  readonly hints: number;
  readonly firstLoad: FirstLoadStatus | null;
}

/**
 * What waits for a person, a consent, or a patient whom the server does not know is not late; what waits for another resource
 * is as late as that one.
 */
const OLDEST_QUEUED = `SELECT MIN(at) AS n FROM outbox WHERE connection = ? AND state IN ('queued', 'sending')
  AND waits_for IS NULL
  AND NOT EXISTS (SELECT 1 FROM conflict WHERE conflict.connection = outbox.connection
    AND conflict.type = outbox.type AND conflict.local_id = outbox.local_id AND conflict.state = 'open')`;
const OLDEST_CONFLICT = "SELECT MIN(at) AS n FROM conflict WHERE connection = ? AND state = 'open'";
const REJECTED = `SELECT COUNT(*) AS n FROM outbox WHERE connection = ? AND state = 'rejected' AND fault NOT LIKE '${GIVEN_UP}%'
  AND ${isNewest('outbox')}`;
/** What waits for a person's answer, or has just got it, is none of them. */
const UNSHOWN = `SELECT COUNT(*) AS n FROM held_resource AS held WHERE held.connection = ?
  AND EXISTS (SELECT 1 FROM identity WHERE identity.connection = held.connection AND identity.type = held.waits_type
    AND identity.remote_id = held.waits_id AND ${isLetGo('identity.')})
  AND NOT EXISTS (SELECT 1 FROM identity WHERE identity.connection = held.connection AND identity.type = held.waits_type
    AND identity.remote_id = held.waits_id AND ${isLive('identity.')})
  AND NOT EXISTS (SELECT 1 FROM not_the_same AS other WHERE other.connection = held.connection
    AND other.type = held.waits_type AND other.remote_id = held.waits_id AND other.at >= held.at)
  AND NOT EXISTS (SELECT 1 FROM conflict WHERE conflict.connection = held.connection AND conflict.type = held.waits_type
    AND conflict.remote_id = held.waits_id AND conflict.state = 'open' AND conflict.kind IN ('identity', 'duplicate'))`;
/** A line of an export may have no id; each is one of its own. */
const QUARANTINED = `SELECT COUNT(DISTINCT type || '/' || COALESCE(remote_id, id)) AS n FROM message
  WHERE connection = ? AND outcome = 'quarantined'`;
const LAST_QUARANTINED = "SELECT MAX(at) AS n FROM message WHERE connection = ? AND outcome = 'quarantined'";

export async function connectionHealth(
  store: Store,
  connection: Connection,
  breaker: BreakerStatus,
  clock: Clock,
): Promise<ConnectionHealth> {
  const count = counter(store, connection);
  const now = clock.real().epochMilliseconds;
  /** Seconds since an instant of the machine's clock that the query finds. */
  const since = async (sql: string) => {
    const n = (await store.query(sql, [connection.name]))[0]?.n;
    return n == null ? null : secondsBetween(Number(n), now);
  };
  const [unread] = await store.readLog(await readSoFar(store, connection), 1);
  return {
    breaker,
    feedLagSeconds: unread
      ? secondsBetween(Temporal.Instant.from(unread.lastUpdated).epochMilliseconds, clock.now().epochMilliseconds)
      : 0,
    oldestQueuedSeconds: (await since(OLDEST_QUEUED)) ?? 0,
    oldestConflictSeconds: (await since(OLDEST_CONFLICT)) ?? 0,
    ...(await pullSilence(store, connection, clock)),
    lastQuarantinedSeconds: await since(LAST_QUARANTINED),
    parked: await count("SELECT COUNT(*) AS n FROM outbox WHERE connection = ? AND state = 'parked'"),
    rejected: await count(REJECTED),
    openConflicts: await count("SELECT COUNT(*) AS n FROM conflict WHERE connection = ? AND state = 'open'"),
    quarantined: await count(QUARANTINED),
    unshown: await count(UNSHOWN),
  };
}

export async function connectionStatus(
  store: Store,
  connection: Connection,
  breaker: BreakerStatus,
  source: ConnectionSource,
  clock: Clock,
): Promise<ConnectionStatus> {
  const { name, mode, baseUrl, vendor } = connection;
  const count = counter(store, connection);
  const outbox = { queued: 0, sending: 0, sent: 0, parked: 0, rejected: 0, superseded: 0, withheld: 0 };
  for (const row of await store.query('SELECT state, COUNT(*) AS n FROM outbox WHERE connection = ? GROUP BY state', [
    name,
  ])) {
    outbox[String(row.state) as OutboxState] = Number(row.n);
  }
  const streams = await store.query(
    'SELECT type, high_water, cursor, ran_at FROM checkpoint WHERE connection = ? ORDER BY type, ran_at',
    [name],
  );
  return {
    name,
    mode,
    source,
    baseUrl,
    vendor,
    ...(await connectionHealth(store, connection, breaker, clock)),
    feedLag: (await store.head()) - (await readSoFar(store, connection)),
    alerts: await readActiveAlerts(store, name),
    outbox,
    links: await count(`SELECT COUNT(*) AS n FROM identity WHERE connection = ? AND ${isLive()}`),
    hints: await count('SELECT COUNT(*) AS n FROM hint WHERE connection = ?'),
    firstLoad: await firstLoadStatus(store, name),
    strategies: await knownPlans(store, name),
    streams: newestOfEachType(streams).map((row) => ({
      type: String(row.type),
      highWater: row.high_water === null ? null : String(row.high_water),
      unfinished: row.cursor !== null,
      ranAt: Number(row.ran_at),
    })),
  };
}

/** Position in the log. */
async function readSoFar(store: Store, connection: Connection): Promise<number> {
  return (await readCursor(store, cursorName(connection))) ?? 0;
}

function counter(store: Store, { name }: Connection): (sql: string) => Promise<number> {
  return async (sql) => Number((await store.query(sql, [name]))[0]?.n ?? 0);
}

/** A type that was pulled in another way before still has the stream of then. */
function newestOfEachType(rows: readonly SqlRow[]): SqlRow[] {
  return [...new Map(rows.map((row) => [String(row.type), row])).values()];
}

function secondsBetween(earlier: number, later: number): number {
  return Math.max(0, Math.round((later - earlier) / 1000));
}

// How each connection is doing, in numbers. docs/sync-spec.md#I23
import type { BreakerStatus } from '../remote/breaker.ts';
import { readCursor } from '../store/cursor.ts';
import type { SqlRow, Store } from '../store/store.ts';
import { type FirstLoadStatus, firstLoadStatus } from './bulk/job-rows.ts';
import { cursorName } from './feed.ts';
import { knownPlans } from './note-capability.ts';
import type { OutboxState } from './outbox.ts';
import type { Connection, ConnectionSource } from './settings.ts';
import type { PullPlan } from './strategy.ts';

export interface StreamStatus {
  readonly type: string;
  /** The remote's time up to which everything is here. */
  readonly highWater: string | null;
  readonly unfinished: boolean;
  /** Epoch milliseconds of the last page. */
  readonly ranAt: number;
}

export interface ConnectionStatus {
  readonly name: string;
  readonly mode: Connection['mode'];
  readonly source: ConnectionSource;
  readonly baseUrl: string;
  readonly vendor: Connection['vendor'];
  readonly breaker: BreakerStatus;
  /** Log entries not looked at yet. */
  readonly feedLag: number;
  readonly outbox: Readonly<Record<OutboxState, number>>;
  readonly links: number;
  readonly openConflicts: number;
  readonly quarantined: number;
  readonly streams: readonly StreamStatus[];
  /** By type, how it is pulled; `none` with `no-capability` where the server has no door. Empty before the first pull. */
  readonly strategies: Readonly<Record<string, PullPlan>>;
  /** Hints that wait to be read. */
  readonly hints: number;
  readonly firstLoad: FirstLoadStatus | null;
}

export async function connectionStatus(
  store: Store,
  connection: Connection,
  breaker: BreakerStatus,
  source: ConnectionSource,
): Promise<ConnectionStatus> {
  const { name, mode, baseUrl, vendor } = connection;
  const count = async (sql: string) => Number((await store.query(sql, [name]))[0]?.n ?? 0);
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
    breaker,
    feedLag: (await store.head()) - ((await readCursor(store, cursorName(connection))) ?? 0),
    outbox,
    links: await count("SELECT COUNT(*) AS n FROM identity WHERE connection = ? AND state <> 'replaced'"),
    openConflicts: await count("SELECT COUNT(*) AS n FROM conflict WHERE connection = ? AND state = 'open'"),
    hints: await count('SELECT COUNT(*) AS n FROM hint WHERE connection = ?'),
    firstLoad: await firstLoadStatus(store, name),
    quarantined: await count("SELECT COUNT(*) AS n FROM message WHERE connection = ? AND outcome = 'quarantined'"),
    strategies: await knownPlans(store, name),
    streams: newestOfEachType(streams).map((row) => ({
      type: String(row.type),
      highWater: row.high_water === null ? null : String(row.high_water),
      unfinished: row.cursor !== null,
      ranAt: Number(row.ran_at),
    })),
  };
}

/** A type that was pulled in another way before still has the stream of then. */
function newestOfEachType(rows: readonly SqlRow[]): SqlRow[] {
  return [...new Map(rows.map((row) => [String(row.type), row])).values()];
}

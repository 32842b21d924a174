// The Subscriptions at remotes that hints come from: what they are at, and how many of their events were heard of.
import type { SqlRow, Statement, Store } from '../../store/store.ts';

export interface HintSource {
  readonly remoteId: string;
  /** Empty when not known. */
  readonly type: string;
  readonly ours: boolean;
  readonly status: string;
  /** Number of the newest event that was heard of. */
  readonly eventNumber: number | undefined;
  /** Silence for twice as long means that something is wrong; undefined when the server promised no heartbeat. */
  readonly heartbeatSeconds: number | undefined;
  /** Epoch milliseconds, as the rest. */
  readonly heardAt: number | undefined;
  readonly checkedAt: number;
  readonly endsAt: number | undefined;
}

const COLUMNS =
  'connection, remote_id, type, ours, status, event_number, heartbeat_seconds, heard_at, checked_at, ends_at';
const SAVE = `INSERT INTO hint_source (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT (connection, remote_id) DO UPDATE SET type = excluded.type, ours = excluded.ours, status = excluded.status,
    heartbeat_seconds = excluded.heartbeat_seconds, checked_at = excluded.checked_at, ends_at = excluded.ends_at`;
/** Notifications overtake each other; the newest number stays. */
const HEARD = `UPDATE hint_source SET heard_at = ?, status = ?,
  event_number = CASE WHEN event_number IS NULL OR event_number < ? THEN ? ELSE event_number END
  WHERE connection = ? AND remote_id = ?`;

export async function readSources(store: Pick<Store, 'query'>, connection: string): Promise<HintSource[]> {
  const rows = await store.query('SELECT * FROM hint_source WHERE connection = ? ORDER BY remote_id', [connection]);
  return rows.map(toSource);
}

export function saveSource(connection: string, source: HintSource): Statement {
  return {
    sql: SAVE,
    params: [
      connection,
      source.remoteId,
      source.type,
      source.ours ? 1 : 0,
      source.status,
      source.eventNumber ?? null,
      source.heartbeatSeconds ?? null,
      source.heardAt ?? null,
      source.checkedAt,
      source.endsAt ?? null,
    ],
  };
}

/** @param event number of the newest event, 0 when it is about none */
export function heardFrom(connection: string, remoteId: string, status: string, event: number, now: number): Statement {
  return { sql: HEARD, params: [now, status, event, event, connection, remoteId] };
}

export function forgetSource(connection: string, remoteId: string): Statement {
  return { sql: 'DELETE FROM hint_source WHERE connection = ? AND remote_id = ?', params: [connection, remoteId] };
}

function toSource(row: SqlRow): HintSource {
  const number = (column: string) => (row[column] === null ? undefined : Number(row[column]));
  return {
    remoteId: String(row.remote_id),
    type: String(row.type),
    ours: Number(row.ours) === 1,
    status: String(row.status),
    eventNumber: number('event_number'),
    heartbeatSeconds: number('heartbeat_seconds'),
    heardAt: number('heard_at'),
    checkedAt: Number(row.checked_at),
    endsAt: number('ends_at'),
  };
}

// The table of events: numbered for each Subscription in the commit that moves the place in the log.
import type { LogEntry, SqlRow, Statement, Store } from '../store/store.ts';

export interface SubscriptionEvent {
  readonly number: number;
  readonly type: string;
  /** Id of the resource. */
  readonly resource: string;
  readonly operation: LogEntry['operation'];
  /** Epoch milliseconds: when it was committed. */
  readonly at: number;
}

/** @param number the next one. Fails with a conflict when it is not. */
export function addEvent(subscription: string, number: number, entry: LogEntry, now: number): Statement[] {
  const { sequence, type, id, operation, lastUpdated } = entry;
  const at = Temporal.Instant.from(lastUpdated).epochMilliseconds;
  return [
    {
      sql: `UPDATE subscription SET events = ?, next_at = CASE WHEN failures = 0 THEN ? ELSE next_at END
        WHERE id = ? AND events = ?`,
      params: [number, now, subscription, number - 1],
      rows: 1,
    },
    {
      sql: `INSERT INTO subscription_event (subscription, number, sequence, type, resource, operation, at)
        VALUES (?, ?, ?, ?, ?, ?, ?)`,
      params: [subscription, number, sequence, type, id, operation, at],
    },
  ];
}

/** Those with a number from `first` to `last`, both included. */
export async function readEvents(
  store: Pick<Store, 'query'>,
  subscription: string,
  first: number,
  last: number,
  most: number,
): Promise<SubscriptionEvent[]> {
  const sql = `SELECT number, type, resource, operation, at FROM subscription_event
    WHERE subscription = ? AND number >= ? AND number <= ? ORDER BY number LIMIT ?`;
  return (await store.query(sql, [subscription, first, last, most])).map(eventOf);
}

/** Whether the subscriber was told of the resource by an event with a lower number. */
export async function wasTold(
  store: Pick<Store, 'query'>,
  subscription: string,
  { type, id }: Pick<LogEntry, 'type' | 'id'>,
  number: number,
): Promise<boolean> {
  const sql = `SELECT 1 AS one FROM subscription_event
    WHERE subscription = ? AND type = ? AND resource = ? AND number < ? LIMIT 1`;
  return (await store.query(sql, [subscription, type, id, number])).length > 0;
}

const ARRIVED = `(number <= (SELECT delivered FROM subscription WHERE id = subscription_event.subscription)
  OR EXISTS (SELECT 1 FROM subscription WHERE id = subscription_event.subscription AND state = 'off'))`;

/** Of those from before: what has arrived, or will not any more. */
export function forgetEvents(before: number): Statement {
  return { sql: `DELETE FROM subscription_event WHERE at < ? AND ${ARRIVED}`, params: [before] };
}

export async function hasOldEvents(store: Pick<Store, 'query'>, before: number): Promise<boolean> {
  const sql = `SELECT 1 AS one FROM subscription_event WHERE at < ? AND ${ARRIVED} LIMIT 1`;
  return (await store.query(sql, [before])).length > 0;
}

function eventOf(row: SqlRow): SubscriptionEvent {
  return {
    number: Number(row.number),
    type: String(row.type),
    resource: String(row.resource),
    operation: String(row.operation) as SubscriptionEvent['operation'],
    at: Number(row.at),
  };
}

// The table of events: numbered for each Subscription in the commit that moves the place in the log.
import type { LogEntry, SqlRow, Statement, Store } from '../store/store.ts';

export interface SubscriptionEvent {
  readonly number: number;
  readonly type: string;
  /** Id of the resource. */
  readonly resource: string;
  readonly operation: LogEntry['operation'];
  /** Epoch milliseconds: when it was committed, by the clock that dates resources. */
  readonly at: number;
  /** It has arrived, and its subscriber could see the resource then. */
  readonly named: boolean;
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
      sql: `INSERT INTO subscription_event (subscription, number, sequence, type, resource, operation, at, counted_at, named)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0)`,
      params: [subscription, number, sequence, type, id, operation, at, now],
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
  const sql = `SELECT number, type, resource, operation, at, named FROM subscription_event
    WHERE subscription = ? AND number >= ? AND number <= ? ORDER BY number LIMIT ?`;
  return (await store.query(sql, [subscription, first, last, most])).map(eventOf);
}

/** For the commit that says they have arrived: these the subscriber could see. */
export function nameEvents(subscription: string, numbers: readonly number[]): Statement[] {
  if (numbers.length === 0) return [];
  const places = numbers.map(() => '?').join(', ');
  return [
    {
      sql: `UPDATE subscription_event SET named = 1 WHERE subscription = ? AND number IN (${places})`,
      params: [subscription, ...numbers],
    },
  ];
}

/** Whether the last that the subscriber learned of the resource, by events with a lower number, is that it is there. */
export async function knows(
  store: Pick<Store, 'query'>,
  subscription: string,
  { type, id }: Pick<LogEntry, 'type' | 'id'>,
  number: number,
): Promise<boolean> {
  return isThere(store, 'named = 1', [subscription, type, id, number]);
}

/** The same, if what is still to be told will be. */
export async function mayKnow(
  store: Pick<Store, 'query'>,
  subscription: string,
  { type, id }: Pick<LogEntry, 'type' | 'id'>,
): Promise<boolean> {
  const which =
    '(named = 1 OR number > (SELECT delivered FROM subscription WHERE id = subscription_event.subscription))';
  return isThere(store, which, [subscription, type, id, Number.MAX_SAFE_INTEGER]);
}

async function isThere(store: Pick<Store, 'query'>, which: string, params: Statement['params']): Promise<boolean> {
  const sql = `SELECT operation FROM subscription_event
    WHERE subscription = ? AND type = ? AND resource = ? AND number < ? AND ${which} ORDER BY number DESC LIMIT 1`;
  const [last] = await store.query(sql, params);
  return last !== undefined && last.operation !== 'delete';
}

/** What is not needed to know of which deletions its subscriber is to be told. */
const USELESS = `(named = 0 OR operation = 'delete' OR EXISTS (SELECT 1 FROM subscription_event later
  WHERE later.subscription = subscription_event.subscription AND later.type = subscription_event.type
    AND later.resource = subscription_event.resource AND later.number > subscription_event.number AND later.named = 1))`;
const OVER = `(EXISTS (SELECT 1 FROM subscription WHERE id = subscription_event.subscription AND state = 'off')
  OR number <= (SELECT delivered FROM subscription WHERE id = subscription_event.subscription) AND ${USELESS})`;

/** Of those counted before: what has arrived and was followed by others of the same resource, or will not arrive any more. */
export function forgetEvents(before: number): Statement {
  return { sql: `DELETE FROM subscription_event WHERE counted_at < ? AND ${OVER}`, params: [before] };
}

export async function hasOldEvents(store: Pick<Store, 'query'>, before: number): Promise<boolean> {
  const sql = `SELECT 1 AS one FROM subscription_event WHERE counted_at < ? AND ${OVER} LIMIT 1`;
  return (await store.query(sql, [before])).length > 0;
}

function eventOf(row: SqlRow): SubscriptionEvent {
  return {
    number: Number(row.number),
    type: String(row.type),
    resource: String(row.resource),
    operation: String(row.operation) as SubscriptionEvent['operation'],
    at: Number(row.at),
    named: Number(row.named) === 1,
  };
}

// Finding deliveries: the same words for a list, for what is to be repeated, and on the command line.
import { Fault } from '../fault.ts';
import type { SqlRow, SqlValue, Statement, Store } from '../store/store.ts';
import { bytesOf, type Channel } from './delivery.ts';
import type { Outcome } from './refusal.ts';

/** A delivery without its content; nothing of it tells of a patient. */
export interface DeliveryView {
  readonly id: string;
  readonly channel: Channel;
  /** Sending application, facility and control id; of a message without one the hash of its content. */
  readonly key: string;
  readonly received: string;
  readonly outcome: Outcome;
  readonly sender?: string;
  readonly facility?: string;
  readonly event?: string;
  readonly condition?: string;
  readonly location?: string;
  readonly detail?: string;
  readonly attempts: number;
  readonly correctedBy?: string;
  readonly dismissedBy?: string;
  readonly dismissedBecause?: string;
}

export interface WholeDelivery extends DeliveryView {
  readonly body: Uint8Array;
  readonly answer: string;
  /** As first received, when it was corrected since. */
  readonly original?: Uint8Array;
}

interface Condition {
  readonly sql: string;
  readonly params: readonly SqlValue[];
}

const COLUMNS = `channel, key, received, outcome, sender, facility, event, condition, location, detail, attempts,
  corrected_by, dismissed_by, dismissed_because`;

/** Refused, and nobody has said that it needs nothing more. The first two are those of the index. */
const WAITS = "outcome <> 'AA' AND dismissed_by IS NULL AND outcome <> 'CA'";

const equals = (column: string) => (value: string) => ({ sql: `${column} = ?`, params: [value] });
const oneOf = (name: string, values: readonly string[], condition: (value: string) => Condition) => (value: string) => {
  if (values.includes(value)) return condition(value);
  throw new Fault('invalid', `${name} is one of ${values.join(', ')}.`, { code: 'value', expression: name });
};

/** By the name of the parameter. Each throws Fault invalid for a value that it cannot be. */
export const DELIVERY_FILTERS: Readonly<Record<string, (value: string) => Condition>> = {
  channel: oneOf('channel', ['hl7v2', 'notification'], equals('channel')),
  outcome: oneOf('outcome', ['AA', 'AE', 'AR', 'CA'], equals('outcome')),
  sender: equals('sender'),
  facility: equals('facility'),
  event: equals('event'),
  condition: equals('condition'),
  key: equals('key'),
  waits: oneOf('waits', ['true', 'false'], (value) => ({
    sql: value === 'true' ? WAITS : `NOT (${WAITS})`,
    params: [],
  })),
  since: (value) => ({ sql: 'received >= ?', params: [milliseconds('since', value)] }),
  until: (value) => ({ sql: 'received < ?', params: [milliseconds('until', value)] }),
};

export interface DeliveryQuery {
  readonly filter: Readonly<Record<string, string>>;
  readonly limit: number;
  /** Only those after this one in the list. */
  readonly after?: string;
}

/**
 * The newest first.
 * @throws Fault invalid for a filter that there is not
 */
export async function findDeliveries(store: Pick<Store, 'query'>, query: DeliveryQuery): Promise<DeliveryView[]> {
  const conditions = Object.entries(query.filter).map(([name, value]) => {
    const condition = Object.hasOwn(DELIVERY_FILTERS, name) ? DELIVERY_FILTERS[name] : undefined;
    if (condition) return condition(value);
    const known = Object.keys(DELIVERY_FILTERS).join(', ');
    throw new Fault('invalid', `Deliveries are not found by ${name}, but by ${known}.`, { expression: name });
  });
  if (query.after !== undefined) conditions.push(await afterCondition(store, query.after));
  const where = conditions.map(({ sql }) => `(${sql})`).join(' AND ');
  const sql = `SELECT ${COLUMNS} FROM delivery ${where === '' ? '' : `WHERE ${where}`}
    ORDER BY received DESC, channel DESC, key DESC LIMIT ?`;
  const params = conditions.flatMap((condition) => condition.params);
  return (await store.query(sql, [...params, query.limit])).map(viewOf);
}

/** How many were refused and wait for somebody. */
export async function countWaiting(store: Pick<Store, 'query'>): Promise<number> {
  const [row] = await store.query(`SELECT COUNT(*) AS n FROM delivery WHERE ${WAITS}`, []);
  return Number(row?.n ?? 0);
}

/** @throws Fault not-found */
export async function readDelivery(store: Pick<Store, 'query'>, id: string): Promise<WholeDelivery> {
  const [channel, key] = partsOf(id);
  const sql = `SELECT ${COLUMNS}, body, answer, original FROM delivery WHERE channel = ? AND key = ?`;
  const [row] = await store.query(sql, [channel, key]);
  if (!row) throw new Fault('not-found', 'There is no such delivery; perhaps it was kept long enough.');
  const original = row.original == null ? {} : { original: bytesOf(row.original) };
  return { ...viewOf(row), body: bytesOf(row.body), answer: String(row.answer), ...original };
}

/** Nothing more is to be done about it. Only of one that was refused. */
export function dismissDelivery(id: string, by: string, because: string): Statement {
  const sql = `UPDATE delivery SET dismissed_by = ?, dismissed_because = ?
    WHERE channel = ? AND key = ? AND outcome NOT IN ('AA', 'CA')`;
  return { sql, params: [by, because, ...partsOf(id)], rows: 1 };
}

async function afterCondition(store: Pick<Store, 'query'>, after: string): Promise<Condition> {
  const [channel, key] = partsOf(after);
  const [row] = await store.query('SELECT received FROM delivery WHERE channel = ? AND key = ?', [channel, key]);
  if (!row) throw new Fault('invalid', 'after must be the `next` of an earlier page.', { code: 'value' });
  const received = Number(row.received);
  return {
    sql: 'received < ? OR (received = ? AND (channel < ? OR (channel = ? AND key < ?)))',
    params: [received, received, channel, channel, key],
  };
}

/** Channel and key say which one it is; written so that they fit in a path. */
function idOf(channel: string, key: string): string {
  return Buffer.from(JSON.stringify([channel, key])).toString('base64url');
}

function partsOf(id: string): [channel: string, key: string] {
  try {
    const [channel, key]: unknown[] = JSON.parse(Buffer.from(id, 'base64url').toString());
    if (typeof channel === 'string' && typeof key === 'string') return [channel, key];
  } catch {
    // falls through to the same answer
  }
  throw new Fault('not-found', 'There is no such delivery; perhaps it was kept long enough.');
}

function viewOf(row: SqlRow): DeliveryView {
  const text = (name: string, column: string) => (row[column] == null ? {} : { [name]: String(row[column]) });
  return {
    id: idOf(String(row.channel), String(row.key)),
    channel: String(row.channel) as Channel,
    key: String(row.key),
    received: Temporal.Instant.fromEpochMilliseconds(Number(row.received)).toString(),
    outcome: String(row.outcome) as Outcome,
    ...text('sender', 'sender'),
    ...text('facility', 'facility'),
    ...text('event', 'event'),
    ...text('condition', 'condition'),
    ...text('location', 'location'),
    ...text('detail', 'detail'),
    attempts: Number(row.attempts),
    ...text('correctedBy', 'corrected_by'),
    ...text('dismissedBy', 'dismissed_by'),
    ...text('dismissedBecause', 'dismissed_because'),
  };
}

function milliseconds(name: string, value: string): number {
  try {
    return Temporal.Instant.from(value).epochMilliseconds;
  } catch {
    throw new Fault('invalid', `${name} must be an instant like 2026-11-24T08:00:00Z.`, {
      code: 'value',
      expression: name,
    });
  }
}

// Pages through one of Baton's bookkeeping tables, newest first. Columns with content of resources or messages stay out.
import { Fault } from '../../fault.ts';
import type { SqlValue, Store } from '../../store/store.ts';
import { type Condition, MESSAGE_FILTERS } from '../../sync/messages/message-search.ts';
import { OUTBOX as OUTBOX_STATES } from '../../sync/push/outbox.ts';
import type { ListPage, ListRequest } from './list-request.ts';

export interface Table {
  readonly name: string;
  readonly columns: readonly string[];
  /** Columns in epoch milliseconds, shown as instants. */
  readonly times: readonly string[];
  /** Newest first by this column, then by `key`; together they are unique. */
  readonly order: string;
  readonly key: string;
  /** Columns that are compared for equality. */
  readonly filters: readonly string[];
  /** The values that a filter can have, where they are few. */
  readonly codes?: Readonly<Record<string, readonly string[]>>;
  /** Other filters, by the name of their parameter. */
  readonly where?: Readonly<Record<string, (value: string) => Condition>>;
}

export const AUDIT: Table = {
  name: 'audit',
  columns:
    'sequence recorded actor kind client origin address purposes emergency request interaction action status type id version patient further query'.split(
      ' ',
    ),
  times: ['recorded'],
  order: 'sequence',
  key: 'sequence',
  filters: ['actor', 'client', 'interaction', 'type', 'id', 'patient', 'emergency'],
};

export const OUTBOX: Table = {
  name: 'outbox',
  columns: 'id connection type local_id upto_sequence state attempts next_at waits_for fault fault_class at'.split(' '),
  times: ['next_at', 'at'],
  order: 'at',
  key: 'id',
  filters: ['connection', 'type', 'state'],
  codes: { state: Object.keys(OUTBOX_STATES) },
};

export const MESSAGES: Table = {
  name: 'message',
  columns:
    'id connection run_id direction type local_id remote_id method url status outcome class detail request_bytes response_bytes duration_ms replay_of at'.split(
      ' ',
    ),
  times: ['at'],
  order: 'at',
  key: 'id',
  filters: [],
  where: MESSAGE_FILTERS,
};

export const STREAMS: Table = {
  name: 'checkpoint',
  columns: 'stream_key connection type strategy high_water overlap_seconds cursor ran_at'.split(' '),
  times: ['ran_at'],
  order: 'ran_at',
  key: 'stream_key',
  filters: ['connection', 'type'],
};

/** What stands in for resources that a server does not take, and what it stands for. */
export const PROJECTIONS: Table = {
  name: 'projection',
  columns:
    'id connection source_type source_id number version target_type remote_id remote_version state review_at at'.split(
      ' ',
    ),
  times: ['review_at', 'at'],
  order: 'at',
  key: 'id',
  filters: ['connection', 'source_type', 'source_id', 'target_type', 'remote_id', 'state'],
};

export const ALERTS: Table = {
  name: 'alert',
  columns: 'id connection event detail at told_at'.split(' '),
  times: ['at', 'told_at'],
  order: 'at',
  key: 'id',
  filters: ['connection', 'event'],
};

/** Follow-ups that sweeps fail at. */
export const FAILING: Table = {
  name: 'sweep_failure',
  columns: 'task pass failures since next_at reason'.split(' '),
  times: ['since', 'next_at'],
  order: 'since',
  key: 'task',
  filters: ['task', 'pass'],
};

/** What was or is to be told about follow-ups, and to whom. */
export const NOTIFICATIONS: Table = {
  name: 'notification',
  columns: 'id request step channel address facility urgent state attempts next_at detail at'.split(' '),
  times: ['next_at', 'at'],
  order: 'at',
  key: 'id',
  filters: ['request', 'channel', 'facility', 'state'],
  codes: { state: ['waiting', 'sent', 'failed', 'undelivered', 'dropped'] },
};

/** @throws Fault invalid for a filter with a value that no row can have, or an `after` that is none of our `next`s */
export async function listTable(store: Store, table: Table, { limit, after, filter }: ListRequest): Promise<ListPage> {
  const where: string[] = [];
  const params: SqlValue[] = [];
  for (const name of table.filters) {
    const value = filter[name];
    if (value === undefined) continue;
    requireCode(name, value, table.codes?.[name]);
    where.push(`${name} = ?`);
    params.push(value);
  }
  for (const [name, condition] of Object.entries(table.where ?? {})) {
    const value = filter[name];
    if (value === undefined) continue;
    const { sql, params: values } = condition(value);
    where.push(`(${sql})`);
    params.push(...values);
  }
  if (after !== undefined) {
    const [order, key] = decode(after);
    where.push(`(${table.order} < ? OR (${table.order} = ? AND ${table.key} < ?))`);
    params.push(order, order, key);
  }
  const condition = where.length > 0 ? `WHERE ${where.join(' AND ')}` : '';
  const order = `ORDER BY ${table.order} DESC, ${table.key} DESC LIMIT ?`;
  const sql = `SELECT ${table.columns.join(', ')} FROM ${table.name} ${condition} ${order}`;
  const rows = await store.query(sql, [...params, limit + 1]);
  const items = rows.slice(0, limit).map((row) => {
    const times = table.times.map((name) => [name, instant(row[name])]);
    return { ...row, ...Object.fromEntries(times) };
  });
  const last = rows.length > limit ? rows[limit - 1] : undefined;
  return last ? { items, next: encode(last[table.order], last[table.key]) } : { items };
}

/** @throws Fault invalid for a value that no row can have */
export function requireCode(name: string, value: string, codes: readonly string[] | undefined): void {
  if (!codes || codes.includes(value)) return;
  throw new Fault('invalid', `${name} is one of ${codes.join(', ')}.`, { code: 'value', expression: name });
}

const instant = (value: SqlValue | undefined) =>
  value === null || value === undefined ? null : Temporal.Instant.fromEpochMilliseconds(Number(value)).toString();

const encode = (order: SqlValue | undefined, key: SqlValue | undefined) =>
  Buffer.from(JSON.stringify([Number(order), key])).toString('base64url');

function decode(after: string): [number, string | number] {
  try {
    const [order, key]: unknown[] = JSON.parse(Buffer.from(after, 'base64url').toString());
    if (typeof order === 'number' && (typeof key === 'string' || typeof key === 'number')) return [order, key];
  } catch {
    // falls through to the same answer
  }
  throw new Fault('invalid', 'after must be the `next` of an earlier page.', { code: 'value' });
}

// Finding messages: the same words for a list, for what is to be replayed, and on the command line.
import { Fault } from '../../fault.ts';
import type { SqlRow, SqlValue, Store } from '../../store/store.ts';
import type { MessageClass } from './message-log.ts';

/** A message without its bodies. */
export interface StoredMessage {
  readonly id: string;
  readonly connection: string;
  readonly runId: string;
  readonly direction: 'push' | 'pull';
  readonly type: string | undefined;
  readonly localId: string | undefined;
  readonly remoteId: string | undefined;
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly status: number | undefined;
  /** Sizes as they went over the wire; a body that is shorter was cut. */
  readonly requestBytes: number | undefined;
  readonly responseBytes: number | undefined;
  readonly headers: string | undefined;
  readonly outcome: string;
  readonly class: MessageClass;
  readonly detail: string | undefined;
  readonly durationMs: number | undefined;
  readonly replayOf: string | undefined;
  /** Epoch milliseconds of the machine's clock. */
  readonly at: number;
}

export interface WholeMessage extends StoredMessage {
  readonly request: string | undefined;
  readonly response: string | undefined;
}

const COLUMNS = `id, connection, run_id, direction, type, local_id, remote_id, method, url, status, request_bytes,
  response_bytes, headers, outcome, class, detail, duration_ms, replay_of, at`;

/** Part of a WHERE clause. */
export interface Condition {
  readonly sql: string;
  readonly params: readonly SqlValue[];
}

const equals = (column: string) => (value: string) => ({ sql: `${column} = ?`, params: [value] });

/** A word that no message has finds nothing, which would look as if all was well. */
const oneOf = (column: string, words: readonly string[]) => (value: string) => {
  if (words.includes(value)) return equals(column)(value);
  throw new Fault('invalid', `${column} must be ${words.join(', ')}.`, { code: 'value', expression: column });
};

const MESSAGE_CLASSES: readonly MessageClass[] = ['success', 'transient', 'ambiguous', 'conflict', 'permanent', 'auth'];

/** By the name of the parameter. Each throws Fault invalid for a value that it cannot be. */
export const MESSAGE_FILTERS: Readonly<Record<string, (value: string) => Condition>> = {
  connection: equals('connection'),
  run: equals('run_id'),
  direction: oneOf('direction', ['push', 'pull']),
  type: equals('type'),
  localId: equals('local_id'),
  remoteId: equals('remote_id'),
  outcome: equals('outcome'),
  class: oneOf('class', MESSAGE_CLASSES),
  method: equals('method'),
  replayOf: equals('replay_of'),
  /** `404`, or `4xx`. */
  status(value) {
    const [, hundreds] = /^([1-5])xx$/.exec(value) ?? [];
    if (hundreds !== undefined) {
      return { sql: 'status >= ? AND status < ?', params: [Number(hundreds) * 100, Number(hundreds) * 100 + 100] };
    }
    if (/^[1-5]\d\d$/.test(value)) return { sql: 'status = ?', params: [Number(value)] };
    throw new Fault('invalid', 'status must be an HTTP status such as 404, or 4xx.', { code: 'value' });
  },
  since: (value) => ({ sql: 'at >= ?', params: [milliseconds('since', value)] }),
  until: (value) => ({ sql: 'at < ?', params: [milliseconds('until', value)] }),
  /** Any part of it, whatever the case. */
  url: (value) => ({ sql: "LOWER(url) LIKE LOWER(?) ESCAPE '~'", params: [`%${value.replaceAll(/[~%_]/g, '~$&')}%`] }),
};

/** `localId` as rows write it: `local_id`. */
export const columnOf = (name: string) => name.replace(/(?<=[a-z])[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

const nameOf = (name: string) => Object.keys(MESSAGE_FILTERS).find((one) => columnOf(one) === columnOf(name));

/** @throws Fault invalid for a filter that there is not */
export function messageConditions(filter: Readonly<Record<string, string>>): Condition[] {
  return Object.entries(filter).map(([name, value]) => {
    const condition = MESSAGE_FILTERS[nameOf(name) ?? ''];
    if (condition) return condition(value);
    const known = Object.keys(MESSAGE_FILTERS).join(', ');
    throw new Fault('invalid', `Messages are not found by ${name}, but by ${known}.`);
  });
}

/** @throws Fault invalid when it is no instant such as 2026-11-24T08:00:00Z */
export function milliseconds(name: string, value: string): number {
  try {
    return Temporal.Instant.from(value).epochMilliseconds;
  } catch {
    throw new Fault('invalid', `${name} must be an instant like 2026-11-24T08:00:00Z.`, { code: 'value' });
  }
}

/** @throws Fault not-found */
export async function readMessage(store: Pick<Store, 'query'>, id: string): Promise<WholeMessage> {
  const [row] = await store.query(`SELECT ${COLUMNS}, request, response FROM message WHERE id = ?`, [id]);
  const text = (value: SqlValue | undefined) => (value == null ? undefined : String(value));
  if (row) return { ...toMessage(row), request: text(row.request), response: text(row.response) };
  throw new Fault('not-found', `There is no message ${id}; perhaps it was kept long enough.`);
}

/** The newest hundred messages that repeat one, oldest first. */
export async function readReplays(store: Pick<Store, 'query'>, id: string): Promise<StoredMessage[]> {
  const sql = `SELECT ${COLUMNS} FROM message WHERE replay_of = ? ORDER BY at DESC, id DESC LIMIT 100`;
  return (await store.query(sql, [id])).map(toMessage).reverse();
}

/** The newest first. */
export async function findMessages(
  store: Pick<Store, 'query'>,
  filter: Readonly<Record<string, string>>,
  limit: number,
): Promise<StoredMessage[]> {
  const conditions = messageConditions(filter);
  const where = conditions.length === 0 ? '' : `WHERE ${conditions.map(({ sql }) => sql).join(' AND ')}`;
  const params = conditions.flatMap((condition) => condition.params);
  const sql = `SELECT ${COLUMNS} FROM message ${where} ORDER BY at DESC, id DESC LIMIT ?`;
  return (await store.query(sql, [...params, limit])).map(toMessage);
}

function toMessage(row: SqlRow): StoredMessage {
  const text = (column: string) => (row[column] == null ? undefined : String(row[column]));
  const number = (column: string) => (row[column] == null ? undefined : Number(row[column]));
  return {
    id: String(row.id),
    connection: String(row.connection),
    runId: String(row.run_id),
    direction: row.direction === 'push' ? 'push' : 'pull',
    type: text('type'),
    localId: text('local_id'),
    remoteId: text('remote_id'),
    method: text('method'),
    url: text('url'),
    status: number('status'),
    requestBytes: number('request_bytes'),
    responseBytes: number('response_bytes'),
    headers: text('headers'),
    outcome: String(row.outcome),
    class: String(row.class ?? 'success') as MessageClass,
    detail: text('detail'),
    durationMs: number('duration_ms'),
    replayOf: text('replay_of'),
    at: Number(row.at),
  };
}

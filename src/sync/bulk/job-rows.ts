// The first load of a connection, as durable as what it brings: a restart goes on with the job, the file and the line.
import type { SqlRow, Statement, Store } from '../../store/store.ts';

/** requested: begun, or to be begun when it has no address yet. */
export type JobState = 'requested' | 'loading' | 'done' | 'failed';

export interface Job {
  readonly state: JobState;
  readonly types: readonly string[];
  readonly statusUrl: string | undefined;
  /** The remote's instant that the files are of. */
  readonly transactionTime: string | undefined;
  /** Times it was begun. */
  readonly attempts: number;
  /** Epoch milliseconds before which it is left alone. */
  readonly nextAt: number;
  /** Why it failed or waits. */
  readonly detail: string | undefined;
  readonly at: number;
}

export interface BulkFile {
  readonly position: number;
  readonly type: string;
  readonly url: string;
  readonly withToken: boolean;
  readonly state: 'waiting' | 'done';
  /** Lines that are in the store. */
  readonly lines: number;
}

type Queryable = Pick<Store, 'query'>;

const SAVE_JOB = `INSERT INTO bulk_job (connection, state, types, status_url, transaction_time, attempts, next_at, detail, at)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT (connection) DO UPDATE SET state = excluded.state, types = excluded.types,
    status_url = excluded.status_url, transaction_time = excluded.transaction_time, attempts = excluded.attempts,
    next_at = excluded.next_at, detail = excluded.detail`;
const SAVE_FILE = `INSERT INTO bulk_file (connection, position, type, url, with_token, state, lines)
  VALUES (?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT (connection, position) DO UPDATE SET state = excluded.state, lines = excluded.lines`;

export async function readJob(store: Queryable, connection: string): Promise<Job | undefined> {
  const [row] = await store.query('SELECT * FROM bulk_job WHERE connection = ?', [connection]);
  return row && toJob(row);
}

export function saveJob(connection: string, job: Job): Statement {
  const { state, types, statusUrl, transactionTime, attempts, nextAt, detail, at } = job;
  return {
    sql: SAVE_JOB,
    params: [
      connection,
      state,
      JSON.stringify(types),
      statusUrl ?? null,
      transactionTime ?? null,
      attempts,
      nextAt,
      detail ?? null,
      at,
    ],
  };
}

export async function readFiles(store: Queryable, connection: string): Promise<BulkFile[]> {
  const rows = await store.query('SELECT * FROM bulk_file WHERE connection = ? ORDER BY position', [connection]);
  return rows.map((row) => ({
    position: Number(row.position),
    type: String(row.type),
    url: String(row.url),
    withToken: Number(row.with_token) === 1,
    state: row.state === 'done' ? 'done' : 'waiting',
    lines: Number(row.lines),
  }));
}

export function saveFile(connection: string, file: BulkFile): Statement {
  const { position, type, url, withToken, state, lines } = file;
  return { sql: SAVE_FILE, params: [connection, position, type, url, withToken ? 1 : 0, state, lines] };
}

/** Signed addresses are as good as passwords: they are kept no longer than they are needed. */
export function forgetFiles(connection: string): Statement {
  return { sql: 'DELETE FROM bulk_file WHERE connection = ?', params: [connection] };
}

/** How a first load is doing, for people. */
export interface FirstLoadStatus {
  readonly state: JobState;
  readonly types: readonly string[];
  readonly files: number;
  readonly filesDone: number;
  /** Lines that are in the store, of files that are still known. */
  readonly lines: number;
  readonly detail: string | null;
}

/** null when there was none. */
export async function firstLoadStatus(store: Queryable, connection: string): Promise<FirstLoadStatus | null> {
  const job = await readJob(store, connection);
  if (!job) return null;
  const files = await readFiles(store, connection);
  return {
    state: job.state,
    types: job.types,
    files: files.length,
    filesDone: files.filter(({ state }) => state === 'done').length,
    lines: files.reduce((sum, { lines }) => sum + lines, 0),
    detail: job.detail ?? null,
  };
}

function toJob(row: SqlRow): Job {
  const text = (column: string) => (row[column] === null ? undefined : String(row[column]));
  const types: string[] = JSON.parse(String(row.types));
  return {
    state: String(row.state) as JobState,
    types,
    statusUrl: text('status_url'),
    transactionTime: text('transaction_time'),
    attempts: Number(row.attempts),
    nextAt: Number(row.next_at),
    detail: text('detail'),
    at: Number(row.at),
  };
}

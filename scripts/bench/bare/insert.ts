// The limit for creates: a loop that inserts the same rows as one create did, with the same durability and the same
// number of creates to a transaction, and does nothing else. argv: database URL, resource type, creates per transaction.
import { openPostgresLoop } from './insert-postgres.ts';
import { openSqliteLoop } from './insert-sqlite.ts';

export interface InsertLoop {
  /** Rows of one create. */
  readonly rows: number;
  /** Writes `count` creates, numbered from `first`, in one durable transaction. */
  transaction(first: number, count: number): Promise<void>;
  close(): Promise<void>;
}

const SECONDS = 3;

const [, , url = '', type = '', perTransaction = '1'] = process.argv;
const loop = await (url.startsWith('sqlite:')
  ? openSqliteLoop(url.slice('sqlite:'.length), type)
  : openPostgresLoop(url, type));
const count = Number(perTransaction);
let done = 0;
const begin = performance.now();
while (performance.now() < begin + SECONDS * 1000) {
  await loop.transaction(done + 1, count);
  done += count;
}
const perSecond = done / ((performance.now() - begin) / 1000);
await loop.close();
console.log(JSON.stringify({ perSecond, rows: loop.rows }));

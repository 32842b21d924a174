// The thread that appends audit records to a SQLite file (sqlite-audit-writer.ts): takes entries as JSON, answers when they are
// on disk or says why they are not.
import { parentPort, workerData } from 'node:worker_threads';
import { Fault } from '../fault.ts';
import { appendAudit } from './audit-chain.ts';
import type { AuditEntry } from './audit-entry.ts';
import { READY, type Refusal } from './sqlite-audit-messages.ts';
import { SqliteConnection } from './sqlite-connection.ts';
import { WriteLock } from './sqlite-write-lock.ts';

/** Only the ends of the trail and its indexes are looked at. */
const PRAGMAS = `
  PRAGMA synchronous = FULL;
  PRAGMA cache_size = -4096;
  PRAGMA wal_autocheckpoint = 4000;
  PRAGMA journal_size_limit = 67108864;
  PRAGMA busy_timeout = 0;
`;

const connection = new SqliteConnection(String(workerData), { readOnly: false });
connection.exec(PRAGMAS);
const lock = new WriteLock(connection);

async function append(entries: readonly AuditEntry[]): Promise<Refusal | undefined> {
  try {
    await lock.write((tx) => appendAudit(tx, entries));
    return undefined;
  } catch (error) {
    const isUnavailable = error instanceof Fault && error.kind === 'unavailable';
    return { message: (error as Error).message, isUnavailable };
  }
}

parentPort?.on('message', (text: string | undefined) => {
  if (text === undefined) {
    connection.close();
    parentPort?.close();
    return;
  }
  append(JSON.parse(text) as AuditEntry[]).then((refusal) => parentPort?.postMessage(refusal));
});
parentPort?.postMessage(READY);

// Reads the log and marks what must be sent: outbox rows and cursor in one commit, so that nothing is skipped or marked
// twice. What came from a connection is never marked for it. docs/sync-spec.md#I2 docs/sync-spec.md#I14
import type { Consent } from '@medplum/fhirtypes';
import { asFault } from '../../fault.ts';
import { advanceCursor, beginCursor, readCursor } from '../../store/cursor.ts';
import type { LogEntry, Store } from '../../store/store.ts';
import { actorOf, type Connection, pushes } from '../connections/settings.ts';
import type { ConnectionContext } from '../context.ts';
import { projectionsTouched } from '../projections/projection-marks.ts';
import { mark } from './outbox.ts';
import { consentChanged } from './withheld-rows.ts';

const BATCH = 500;

type FeedContext = Pick<ConnectionContext, 'store' | 'connection' | 'clock' | 'signal'>;

/** Marks everything that is in the log by now; resolves to how many rows were marked. */
export async function feedOutbox(context: FeedContext): Promise<number> {
  const { store, connection, signal } = context;
  const name = cursorName(connection);
  let position = await beginCursor(store, actorOf(connection), name, 0);
  let marked = 0;
  while (!signal.aborted) {
    const entries = await store.readLog(position, BATCH);
    const last = entries.at(-1);
    if (!last) break;
    const patients = await patientsWithNewConsents(store, entries);
    const changed = await changedBy(store, connection, entries, patients);
    const now = context.clock.real().epochMilliseconds;
    const rows = changed.map(({ type, id, sequence }) => mark(connection.name, type, id, sequence, now));
    const taken = patients.map((patient) => consentChanged(connection.name, patient));
    try {
      await store.commit(actorOf(connection), [], [...rows, ...taken, advanceCursor(name, position, last.sequence)]);
    } catch (error) {
      // Another process reads the same log for the same connection, and has marked these.
      if (asFault(error).kind === 'conflict') return marked;
      throw error;
    }
    position = last.sequence;
    marked += rows.length;
  }
  return marked;
}

type Changed = Pick<LogEntry, 'type' | 'id' | 'sequence'>;

/** What has to be looked at because of them: itself, or what stands in for it. */
async function changedBy(
  store: Store,
  connection: Connection,
  entries: readonly LogEntry[],
  patients: readonly string[],
): Promise<Changed[]> {
  const touched = await projectionsTouched(store, connection, entries, patients);
  return [...changedResources(connection, entries), ...touched];
}

/**
 * Everything in the log that the connection has not been told of, without moving the cursor: for a dry run.
 * @param from position to begin at; the cursor when absent
 * @returns what would be marked, once each, and how far was read
 */
export async function readUnfed(
  store: Store,
  connection: Connection,
  from?: number,
): Promise<{ readonly changed: Changed[]; readonly position: number }> {
  let position = from ?? (await readCursor(store, cursorName(connection))) ?? 0;
  const newest = new Map<string, Changed>();
  for (;;) {
    const entries = await store.readLog(position, BATCH);
    const last = entries.at(-1);
    if (!last) return { changed: [...newest.values()], position };
    for (const one of await changedBy(store, connection, entries, await patientsWithNewConsents(store, entries))) {
      newest.set(`${one.type}/${one.id}`, one);
    }
    position = last.sequence;
  }
}

/** Name of the log cursor of a connection. */
export function cursorName(connection: Connection): string {
  return `sync:${connection.name}`;
}

/** Ids of the patients of every Consent that was written or deleted, before and after. */
async function patientsWithNewConsents(store: Store, entries: readonly LogEntry[]): Promise<string[]> {
  const found = new Set<string>();
  for (const { type, id, versionId, content } of entries) {
    if (type !== 'Consent') continue;
    const before = await store.vread(type, id, String(Number(versionId) - 1));
    for (const text of [content, before?.content]) {
      const reference = text ? (JSON.parse(text) as Consent).patient?.reference : undefined;
      const patient = reference?.match(/(?:^|\/)Patient\/([A-Za-z0-9\-.]{1,64})/)?.[1];
      if (patient !== undefined) found.add(patient);
    }
  }
  return [...found];
}

/** The newest entry of each resource that goes to the connection. */
function changedResources(connection: Connection, entries: readonly LogEntry[]): LogEntry[] {
  const newest = new Map<string, LogEntry>();
  for (const entry of entries) {
    if (entry.origin !== connection.name && pushes(connection, entry.type))
      newest.set(`${entry.type}/${entry.id}`, entry);
  }
  return [...newest.values()];
}

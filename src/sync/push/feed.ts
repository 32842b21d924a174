// Reads the log and marks what must be sent: outbox rows and cursor in one commit, so that nothing is skipped or marked
// twice. Types that stayed behind the cursor, because they flow out only since later, catch up first. What came from a connection is never marked for it. docs/sync-spec.md#I2 docs/sync-spec.md#I14
import type { Consent } from '@medplum/fhirtypes';
import { asFault } from '../../fault.ts';
import { advanceCursor, beginCursor, readCursor } from '../../store/cursor.ts';
import type { LogEntry, Statement, Store } from '../../store/store.ts';
import { actorOf, type Connection, pushes } from '../connections/settings.ts';
import type { ConnectionContext } from '../context.ts';
import { projectionsTouched } from '../projections/projection-marks.ts';
import { advanceFedTypes, beginFedTypes, type FedType, readFedTypes } from './fed-types.ts';
import { mark } from './outbox.ts';
import { consentChanged } from './withheld-rows.ts';

const BATCH = 500;

type FeedContext = Pick<ConnectionContext, 'store' | 'connection' | 'clock' | 'signal'>;

/** Marks everything that is in the log by now; resolves to how many rows were marked. */
export async function feedOutbox(context: FeedContext): Promise<number> {
  const { store, connection } = context;
  await beginFedTypes(store, connection);
  const types = await readFedTypes(store, connection);
  const position = await beginCursor(store, actorOf(connection), cursorName(connection), 0);
  const counted = { marked: 0 };
  try {
    for (const one of types) await catchUp(context, one, position, counted);
    await readOn(context, types, position, counted);
  } catch (error) {
    // Another process reads the same log for the same connection, and has marked these.
    if (asFault(error).kind !== 'conflict') throw error;
  }
  return counted.marked;
}

interface Counted {
  marked: number;
}

/** Marks what there is of a type that has stayed behind the cursor. */
async function catchUp(context: FeedContext, fed: FedType, upTo: number, counted: Counted): Promise<void> {
  const { store, connection, signal } = context;
  let { sequence } = fed;
  while (sequence < upTo && !signal.aborted) {
    const { entries, next } = await readBehind(store, { ...fed, sequence }, upTo);
    const rows = marksOf(context, changedResources(connection, entries));
    const moved = advanceFedTypes(connection.name, [fed.type], sequence, next);
    await store.commit(actorOf(connection), [], [...rows, moved]);
    sequence = next;
    counted.marked += rows.length;
  }
}

/** Marks what is in the log after the cursor, once all types stand where it stands. */
async function readOn(context: FeedContext, types: readonly FedType[], from: number, counted: Counted): Promise<void> {
  const { store, connection, signal } = context;
  const name = cursorName(connection);
  const fed = types.map(({ type }) => type);
  let position = from;
  while (!signal.aborted) {
    const entries = await store.readLog(position, BATCH);
    const last = entries.at(-1);
    if (!last) return;
    const patients = await patientsWithNewConsents(store, entries);
    const rows = marksOf(context, await changedBy(store, connection, entries, patients));
    const taken = patients.map((patient) => consentChanged(connection.name, patient));
    const moved = [
      advanceCursor(name, position, last.sequence),
      ...(fed.length > 0 ? [advanceFedTypes(connection.name, fed, position, last.sequence)] : []),
    ];
    await store.commit(actorOf(connection), [], [...rows, ...taken, ...moved]);
    position = last.sequence;
    counted.marked += rows.length;
  }
}

/** The next entries of a type that is behind, and where it stands once they are marked. */
async function readBehind(
  store: Pick<Store, 'readLog'>,
  { type, sequence }: FedType,
  upTo: number,
): Promise<{ readonly entries: LogEntry[]; readonly next: number }> {
  const read = await store.readLog(sequence, BATCH, type);
  const entries = read.filter((entry) => entry.sequence <= upTo);
  const isAll = entries.length < BATCH;
  return { entries, next: isAll ? upTo : (entries.at(-1)?.sequence ?? upTo) };
}

function marksOf({ connection, clock }: FeedContext, changed: readonly Changed[]): Statement[] {
  const now = clock.real().epochMilliseconds;
  return changed.map(({ type, id, sequence }) => mark(connection.name, type, id, sequence, now));
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
  const behind = from === undefined ? await readFedTypes(store, connection) : [];
  for (const fed of behind) {
    for (let { sequence } = fed; sequence < position; ) {
      const { entries, next } = await readBehind(store, { ...fed, sequence }, position);
      for (const one of changedResources(connection, entries)) newest.set(`${one.type}/${one.id}`, one);
      sequence = next;
    }
  }
  for (;;) {
    const entries = await store.readLog(position, BATCH);
    const last = entries.at(-1);
    if (!last) return { changed: [...newest.values()], position };
    for (const one of await changedBy(store, connection, entries, await patientsWithNewConsents(store, entries))) {
      if (pushes(connection, one.type)) newest.set(`${one.type}/${one.id}`, one);
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

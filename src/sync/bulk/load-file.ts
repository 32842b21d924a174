// One file of an export, line by line through the same door as a page: batches that are one commit together with how far
// the file was read. A line that is no resource is kept aside and holds up nothing. docs/sync-spec.md#I7
import type { Bundle, Resource } from '@medplum/fhirtypes';
import { parseReceived } from '../../fhir/received-json.ts';
import { classifyError } from '../../remote/classify.ts';
import type { Line } from '../../remote/download.ts';
import { noAnswer } from '../../remote/no-answer.ts';
import type { RemoteFailure } from '../../remote/result.ts';
import type { Statement } from '../../store/store.ts';
import { actorOf } from '../connections/settings.ts';
import { ownExchanges, realNow } from '../context.ts';
import { writeMessage } from '../messages/message-log.ts';
import { applyPage } from '../pull/pull-page.ts';
import type { BulkRun } from './bulk-run.ts';
import { type BulkFile, saveFile } from './job-rows.ts';

const BATCH_LINES = 200;
const BATCH_CHARACTERS = 8 * 1024 * 1024;
/** Of what the server could not export, so much is recorded. */
const MOST_OUTCOMES = 1_000;

/** `stopped`: Baton ends, or the lease is gone. */
export type FileOutcome = 'done' | 'stopped' | RemoteFailure;

/** @param types that were asked for; a file of another type is not read */
export async function loadFile(bulk: BulkRun, file: BulkFile, types: readonly string[]): Promise<FileOutcome> {
  const { run, client, lease } = bulk;
  if (!types.includes(file.type) && file.type !== 'OperationOutcome') {
    const detail = `The export has a file of ${file.type}, which was not asked for.`;
    await keep(bulk, { ...file, state: 'done' }, [note(bulk, file, 'ignored', detail)]);
    return 'done';
  }
  const origins = run.connection.bulk?.fileOrigins ?? [];
  const signal = AbortSignal.any([run.signal, lease.signal]);
  const opened = await client.lines({ url: file.url, withToken: file.withToken, origins, signal });
  if (!opened.ok) return endless(bulk, file, opened.failure);
  let { lines } = file;
  let seen = 0;
  let batch: Line[] = [];
  let characters = 0;
  for await (const line of readable(opened.value)) {
    if (signal.aborted) return 'stopped';
    if ('class' in line) return line;
    seen += 1;
    if (seen <= lines) continue;
    batch.push(line);
    characters += line.text.length;
    if (batch.length < BATCH_LINES && characters < BATCH_CHARACTERS) continue;
    await take(bulk, { ...file, lines: seen }, batch);
    lines = seen;
    batch = [];
    characters = 0;
  }
  await take(bulk, { ...file, lines: seen, state: 'done' }, batch);
  return 'done';
}

/** What the server says it could not export is no reason to lose the rest. */
async function endless(bulk: BulkRun, file: BulkFile, failure: RemoteFailure): Promise<FileOutcome> {
  if (file.type !== 'OperationOutcome' || failure.class === 'transient') return failure;
  await keep(bulk, { ...file, state: 'done' }, [note(bulk, file, 'warning', failure.message)]);
  return 'done';
}

async function take(bulk: BulkRun, progress: BulkFile, batch: readonly Line[]): Promise<void> {
  const { type } = progress;
  const entry: Bundle['entry'] = [];
  const notes: Statement[] = [];
  for (const { text, isCut } of batch) {
    if (type === 'OperationOutcome') {
      const detail = 'The server could not export something.';
      if (notes.length < MOST_OUTCOMES && progress.lines <= MOST_OUTCOMES) {
        notes.push(note(bulk, progress, 'warning', detail, text));
      }
      continue;
    }
    const resource = isCut ? undefined : resourceOf(text);
    if (resource) entry.push({ resource });
    else {
      const why = isCut ? 'A line of the export is longer than is read.' : 'A line of the export is no resource.';
      notes.push(note(bulk, progress, 'quarantined', why, text));
    }
  }
  if (entry.length === 0) return keep(bulk, progress, notes);
  const context = ownExchanges(bulk.run);
  const page: Bundle = { resourceType: 'Bundle', type: 'collection', entry };
  const rows = [saveFile(context.connection.name, progress), ...notes, ...exchanged(bulk, type)];
  await applyPage(context, type, page, () => [...rows, bulk.lease.fence]);
}

async function keep(bulk: BulkRun, progress: BulkFile, notes: readonly Statement[]): Promise<void> {
  const { run, lease } = bulk;
  const statements = [
    saveFile(run.connection.name, progress),
    lease.fence,
    ...notes,
    ...exchanged(bulk, progress.type),
  ];
  await run.store.commit(actorOf(run.connection, run.runId), [], statements);
}

function exchanged({ run, exchanges }: BulkRun, type: string): Statement[] {
  const about = {
    connection: run.connection.name,
    runId: run.runId,
    direction: 'pull',
    type,
    outcome: 'bulk',
  } as const;
  return exchanges.take().map((exchange) => writeMessage({ ...about, exchange }, realNow(run)));
}

function note({ run }: BulkRun, { type }: BulkFile, outcome: string, detail: string, body?: string): Statement {
  const about = { connection: run.connection.name, runId: run.runId, direction: 'pull', type } as const;
  return writeMessage({ ...about, outcome, detail, body }, realNow(run));
}

function resourceOf(text: string): Resource | undefined {
  try {
    const value = parseReceived(text);
    const isResource = typeof value === 'object' && value !== null && 'resourceType' in value;
    return isResource ? (value as Resource) : undefined;
  } catch {
    return undefined;
  }
}

/** The lines, and in the end why there are no more, when that is a failure. */
async function* readable(lines: AsyncIterable<Line>): AsyncGenerator<Line | RemoteFailure> {
  try {
    yield* lines;
  } catch (error) {
    yield readingFailed(error);
  }
}

function readingFailed(error: unknown): RemoteFailure {
  if (error instanceof RangeError)
    return { class: 'permanent', message: 'A file of the export is larger than is read.' };
  const isNotText = error instanceof TypeError && 'code' in error && error.code === 'ERR_ENCODING_INVALID_ENCODED_DATA';
  if (isNotText) return { class: 'permanent', message: 'A file of the export is not UTF-8.' };
  return { class: classifyError(error, true), message: noAnswer(error) };
}

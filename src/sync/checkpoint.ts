// How far a stream has been read. The watermark is the remote's time and moves only in the commit that holds everything at
// or below it, so a crash repeats work and never skips any. docs/sync-spec.md#I3 docs/sync-spec.md#I4 docs/sync-spec.md#I5
import { hashJson } from '../fhir/canonical-json.ts';
import { urlWithin } from '../remote/within.ts';
import type { Statement, Store } from '../store/store.ts';
import type { PullStrategy } from './connections/settings.ts';

export type StreamStrategy = Exclude<PullStrategy, 'none'>;

export interface Checkpoint {
  readonly streamKey: string;
  readonly connection: string;
  readonly type: string;
  readonly strategy: StreamStrategy;
  readonly highWater: string | undefined;
  readonly overlapSeconds: number;
  /** Next page of an unfinished window; with `windowStart` and `windowMax`. */
  readonly cursor: string | undefined;
  /** The remote's clock when the window began. */
  readonly windowStart: string | undefined;
  /** Newest lastUpdated seen in the window. */
  readonly windowMax: string | undefined;
  readonly epoch: string | undefined;
  /** Newest first. */
  readonly history: readonly RunRecord[];
  readonly ranAt: number;
}

export interface RunRecord {
  readonly runId: string;
  readonly highWater: string | undefined;
  readonly applied: number;
}

/** Changing what is asked for, or how it is mapped, starts a new stream. */
const MAPPING_VERSION = 1;
const HISTORY = 5;

const SAVE = `INSERT INTO checkpoint (stream_key, connection, type, strategy, high_water, overlap_seconds, cursor,
  window_start, window_max, epoch, history, ran_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT (stream_key) DO UPDATE SET high_water = excluded.high_water, overlap_seconds = excluded.overlap_seconds,
    cursor = excluded.cursor, window_start = excluded.window_start, window_max = excluded.window_max,
    epoch = excluded.epoch, history = excluded.history, ran_at = excluded.ran_at`;

/**
 * Names a stream: whatever would make its watermark untrue is in the name, so changing it starts from the beginning.
 * @param filter what is asked for besides the type
 */
export function streamKey(
  connection: string,
  type: string,
  baseUrl: string,
  strategy: StreamStrategy,
  filter: string,
  mappingVersion = MAPPING_VERSION,
): string {
  return hashJson([connection, type, strategy, filter, baseUrl, mappingVersion]);
}

export async function readCheckpoint(
  store: Pick<Store, 'query'>,
  connection: string,
  type: string,
  baseUrl: string,
  overlapSeconds: number,
  strategy: StreamStrategy = 'search',
  filter = '',
): Promise<Checkpoint> {
  const key = streamKey(connection, type, baseUrl, strategy, filter);
  const [row] = await store.query('SELECT * FROM checkpoint WHERE stream_key = ?', [key]);
  const text = (column: string) => (typeof row?.[column] === 'string' ? row[column] : undefined);
  const history: RunRecord[] = JSON.parse(text('history') ?? '[]');
  // A page that would not be asked for is none to go on from: the window begins anew.
  const cursor = urlWithin(text('cursor') ?? '', `${baseUrl}/`, baseUrl);
  return {
    streamKey: key,
    connection,
    type,
    strategy,
    highWater: text('high_water'),
    overlapSeconds,
    cursor: text('cursor') === undefined ? undefined : cursor,
    windowStart: text('window_start'),
    windowMax: text('window_max'),
    epoch: text('epoch'),
    history,
    ranAt: Number(row?.ran_at ?? 0),
  };
}

export function saveCheckpoint(checkpoint: Checkpoint): Statement {
  const { streamKey: key, connection, type, strategy, overlapSeconds, ranAt } = checkpoint;
  return {
    sql: SAVE,
    params: [
      key,
      connection,
      type,
      strategy,
      checkpoint.highWater ?? null,
      overlapSeconds,
      checkpoint.cursor ?? null,
      checkpoint.windowStart ?? null,
      checkpoint.windowMax ?? null,
      checkpoint.epoch ?? null,
      JSON.stringify(checkpoint.history),
      ranAt,
    ],
  };
}

/** The checkpoint after a page; `next` is absent on the last one. */
export function advance(
  checkpoint: Checkpoint,
  page: { readonly newest: string | undefined; readonly date: string | undefined; readonly next: string | undefined },
  run: { readonly runId: string; readonly applied: number; readonly now: number },
): Checkpoint {
  const windowStart = checkpoint.windowStart ?? page.date;
  const windowMax = later(checkpoint.windowMax, page.newest);
  if (page.next !== undefined) return { ...checkpoint, cursor: page.next, windowStart, windowMax, ranAt: run.now };
  // Never beyond the moment the window began: what changed during it may be missing from its first pages.
  const reached = windowMax && windowStart ? earlier(windowMax, windowStart) : windowMax;
  const highWater = later(checkpoint.highWater, reached);
  const record: RunRecord = { runId: run.runId, highWater, applied: run.applied };
  const quiet = run.applied === 0 && highWater === checkpoint.highWater;
  const history = quiet ? checkpoint.history : [record, ...checkpoint.history].slice(0, HISTORY);
  return {
    ...checkpoint,
    highWater,
    cursor: undefined,
    windowStart: undefined,
    windowMax: undefined,
    history,
    ranAt: run.now,
  };
}

/** Where the next window begins, as a FHIR instant; undefined for the beginning of time. */
export function windowFrom(checkpoint: Checkpoint): string | undefined {
  if (checkpoint.highWater === undefined) return undefined;
  return Temporal.Instant.from(checkpoint.highWater).subtract({ seconds: checkpoint.overlapSeconds }).toString();
}

function later(left: string | undefined, right: string | undefined): string | undefined {
  if (left === undefined || right === undefined) return left ?? right;
  return Temporal.Instant.compare(left, right) >= 0 ? left : right;
}

function earlier(left: string, right: string): string {
  return Temporal.Instant.compare(left, right) <= 0 ? left : right;
}

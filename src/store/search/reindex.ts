// Indexes stored resources again after search parameters have changed: in batches, each one short transaction that also
// remembers how far it came, so that it goes on where it stopped, also after a crash, and commits go in between.
import { setTimeout as pause } from 'node:timers/promises';
import type { Resource } from '@medplum/fhirtypes';
import { parseExact } from '../../fhir/exact-json.ts';
import type { Engine, Transaction } from '../engine.ts';
import type { SearchEngine } from './engine.ts';
import { parsed, record } from './index-state.ts';

/** Resources per transaction: some ten milliseconds. */
const BATCH = 100;

const JOBS = 'SELECT type, parameters, position, upto FROM reindex ORDER BY type';
const RESOURCES = `SELECT rid, content FROM resource
  WHERE type = ? AND deleted = 0 AND rid > ? AND rid <= ? ORDER BY rid LIMIT ${BATCH}`;
const ADVANCE = 'UPDATE reindex SET position = ? WHERE type = ?';
const INDEXED = 'SELECT parameters FROM search_index WHERE type = ?';
const DONE = 'DELETE FROM reindex WHERE type = ?';

export interface Reindexing {
  readonly signal: AbortSignal;
  /** Only these, and without rests. */
  readonly types?: readonly string[] | undefined;
  /** Called after each type, which can then be searched. */
  readonly onTypeDone: () => Promise<void>;
}

/**
 * Works until nothing is left to be indexed, or until aborted. It rests as long as it works, so that commits never wait
 * for more than one batch. Two that run at once do no harm and finish no sooner.
 * @throws Fault unavailable when the database cannot be written
 */
export async function reindexAll(
  engine: Engine,
  searchEngine: SearchEngine,
  { signal, types, onTypeDone }: Reindexing,
): Promise<void> {
  while (!signal.aborted) {
    const started = performance.now();
    const step = await engine.write((tx) => reindexBatch(tx, searchEngine, types));
    if (step === 'finished') return;
    if (step === 'type-done') await onTypeDone();
    if (types) continue;
    await pause(performance.now() - started, undefined, { signal }).catch(() => undefined);
  }
}

type Step = 'batch-done' | 'type-done' | 'finished';

async function reindexBatch(
  tx: Transaction,
  searchEngine: SearchEngine,
  types: readonly string[] | undefined,
): Promise<Step> {
  const jobs = await tx.all(JOBS);
  const job = jobs.find(({ type }) => types?.includes(String(type)) ?? true);
  if (!job) return 'finished';
  const type = String(job.type);
  const rows = await tx.all(RESOURCES, [type, Number(job.position), Number(job.upto)]);
  for (const row of rows) {
    await searchEngine.index(tx, Number(row.rid), parseExact<Resource>(String(row.content)), { fresh: false });
  }
  if (rows.length === BATCH) {
    await tx.run(ADVANCE, [Number(rows.at(-1)?.rid), type]);
    return 'batch-done';
  }
  const [indexed] = await tx.all(INDEXED, [type]);
  const all = Object.entries({ ...parsed(indexed?.parameters), ...parsed(job.parameters) });
  await record(tx, [[type, Object.fromEntries(all.sort(([a], [b]) => (a < b ? -1 : 1)))]]);
  await tx.run(DONE, [type]);
  return 'type-done';
}

// Finds what time has made due, the most overdue first, and acts on each once. What is due is in the Tasks; missed beats,
// restarts and a clock that is set back change nothing about it.
import type { EpisodeOfCare } from '@medplum/fhirtypes';
import { Fault } from '../fault.ts';
import { withLease } from '../store/lease.ts';
import type { Statement } from '../store/store.ts';
import { whileUnchanged } from '../store/unchanged.ts';
import { isFarAhead, secondsAhead } from './clock-check.ts';
import { type Due, dueQueue, earliestDue } from './due.ts';
import { planLate } from './late.ts';
import { ACTOR, type Parts } from './parts.ts';
import { PASSES, type Pass } from './passes.ts';
import { episodeOf, planOrphan } from './still-live.ts';
import { readSweepFailures, type SweepFailures } from './sweep-failures.ts';

/** How often each thing was done. */
export type SweepResult = Readonly<Partial<Record<Pass['done'], number>>> & {
  /** Ended instead of raised: their transition is over, or their protocol does not want them so late. */
  readonly skipped?: number;
  /** Could not be acted on now; tried again by a later sweep. */
  readonly failed: number;
};

interface Counts {
  skipped?: number;
  failed: number;
  [done: string]: number | undefined;
}

const LEASE = Temporal.Duration.from({ seconds: 30 });
/** Acted on together, so that the store commits them in one go; each stands or falls alone. */
const BATCH = 500;

/**
 * Does what is due at `now`. Does nothing while another process sweeps, or while this machine's clock is far ahead of the
 * database's.
 */
export async function sweep(parts: Parts, now: Temporal.Instant): Promise<SweepResult> {
  const { store, clock, pulse } = parts;
  const counts: Counts = { failed: 0 };
  for (const { done } of PASSES) counts[done] = 0;
  if ((await earliestDue(parts, now)) === undefined) {
    pulse.swept(false);
    return counts;
  }
  const ahead = await secondsAhead(store, clock);
  pulse.compared(ahead);
  if (isFarAhead(ahead)) {
    pulse.swept(true);
    parts.log.error({ ahead }, "the sweep waits: this machine's clock is ahead of the database's");
    return counts;
  }
  const swept = await withLease(store, clock, 'transitions-sweep', LEASE, ({ fence, signal }) =>
    work({ parts, now, fence, signal, counts }),
  );
  pulse.swept(!swept.held || swept.value);
  return counts;
}

interface Sweep {
  readonly parts: Parts;
  readonly now: Temporal.Instant;
  readonly fence: Statement;
  readonly signal: AbortSignal;
  readonly counts: Counts;
}

/** @returns whether anything due is left that was not acted on */
async function work(sweep: Sweep): Promise<boolean> {
  const { parts, now, signal, counts } = sweep;
  const { mostPerSweep } = parts;
  const failures = await readSweepFailures(parts.store, parts.clock);
  const batchSize = Math.min(BATCH, mostPerSweep);
  let acted = 0;
  // What is raised late may have missed its deadline as well, so the queue is read anew until nothing comes of it.
  for (let before = -1; acted > before; ) {
    before = acted;
    const queue = dueQueue(parts, now);
    for (let batch = await queue.next(batchSize); batch.length > 0; batch = await queue.next(batchSize)) {
      const rested = batch.filter((due) => !failures.isResting(due));
      const byTask = [...Map.groupBy(rested, ({ task }) => task.id).values()];
      const results = await Promise.all(byTask.map((dues) => actOnTask(sweep, failures, dues)));
      acted += results.filter((result) => result === 'done').length;
      if (signal.aborted || acted + counts.failed >= mostPerSweep) return true;
    }
  }
  const outdated = failures.outdated();
  if (outdated.length > 0) await parts.store.commit(ACTOR, [], [...outdated, sweep.fence]);
  return false;
}

/** Of several things that are due about one Task the oldest that is still to be done is done, the next one after it. */
async function actOnTask(
  sweep: Sweep,
  failures: SweepFailures,
  dues: readonly Due[],
): Promise<'done' | 'passed' | 'failed'> {
  for (const due of dues) {
    const result = await act(sweep, failures, due);
    if (result !== 'passed') return result;
  }
  return 'passed';
}

async function act(
  { parts, now, fence, counts }: Sweep,
  failures: SweepFailures,
  due: Due,
): Promise<'done' | 'passed' | 'failed'> {
  const { pass, task } = due;
  const { store, log } = parts;
  try {
    const episode = await episodeOf(parts, task);
    const ended = planOrphan(task, episode, now) ?? (await planLate(parts, pass, task, now));
    const planned = ended ?? (await pass.plan(parts, task, now));
    if (!planned) return 'passed';
    const held = episode ? whileUnchanged(fence, referred(episode)) : fence;
    const outcomes = await store.commit(ACTOR, planned.changes, [held, ...failures.settled(due)]);
    const done = ended ? 'skipped' : pass.done;
    counts[done] = (counts[done] ?? 0) + 1;
    parts.emit(planned.event(outcomes.map(({ id }) => id)));
    return 'done';
  } catch (error) {
    // Somebody changed the Task, or the lease went to another process: whoever did will see to it.
    if (error instanceof Fault && (error.kind === 'precondition' || error.kind === 'conflict')) return 'passed';
    log.error({ err: error, task: task.id, pass: pass.parameter }, 'a sweep could not act on a follow-up');
    counts.failed += 1;
    await store.commit(ACTOR, [], [failures.failed(due, error)]);
    return 'failed';
  }
}

function referred({ resourceType: type, id = '', meta }: EpisodeOfCare) {
  return { type, id, versionId: meta?.versionId ?? '' };
}

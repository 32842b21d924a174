// Finds what time has made due, the most overdue first, and acts on each once. What is due is in the Tasks; missed beats,
// restarts and a clock that is set back change nothing about it.
import type { EpisodeOfCare, Task } from '@medplum/fhirtypes';
import { remembered } from '../care/team/has-left.ts';
import { asFault } from '../fault.ts';
import { withLease } from '../store/lease.ts';
import type { Statement } from '../store/store.ts';
import { whileUnchanged } from '../store/unchanged.ts';
import { isFarAhead, secondsAhead } from './clock-check.ts';
import { type Due, dueBatches, isAnythingDue } from './due.ts';
import { planLate } from './late.ts';
import { ACTOR, type Parts } from './parts.ts';
import { PASSES, type Pass } from './passes.ts';
import { type EpisodeOf, episodesOf, planOrphan, readingEpisodes } from './still-live.ts';
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
/** Acted on together, so that the store commits them in one go; each stands or falls alone. As many as it takes together. */
const BATCH = 250;

/**
 * Does what is due at `now`. Does nothing while another process sweeps, or while this machine's clock is far ahead of the
 * database's.
 */
export async function sweep(given: Parts, now: Temporal.Instant): Promise<SweepResult> {
  const parts = { ...given, hasLeft: remembered(given.hasLeft) };
  const { store, clock, pulse } = parts;
  const counts: Counts = { failed: 0 };
  for (const { done } of PASSES) counts[done] = 0;
  if (!(await isAnythingDue(parts, now))) {
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
  const swept = await withLease(store, clock, 'transitions-sweep', LEASE, async ({ fence, signal }) =>
    work({ parts, now, fence, signal, counts, failures: await readSweepFailures(store, clock) }),
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
  readonly failures: SweepFailures;
}

/** @returns whether anything due is left that was not acted on */
async function work(sweep: Sweep): Promise<boolean> {
  const { parts, now, signal, counts, failures } = sweep;
  let before: number;
  do {
    before = totalOf(counts);
    for await (const batch of dueBatches(parts, now, Math.min(BATCH, parts.mostPerSweep))) {
      const rested = batch.filter((due) => !failures.isResting(due));
      const episodeOf = await episodesOf(
        parts,
        rested.map(({ task }) => task),
      );
      const byTask = Map.groupBy(rested, ({ task }) => task.id).values();
      await Promise.all([...byTask].map((dues) => actOnTask(sweep, dues, episodeOf)));
      if (signal.aborted || totalOf(counts) >= parts.mostPerSweep) return true;
    }
    // What was raised late may have missed its deadline as well: it is due now.
  } while (totalOf(counts) > before);
  const outdated = failures.outdated();
  if (outdated.length > 0) await parts.store.commit(ACTOR, [], [...outdated, sweep.fence]);
  return false;
}

function totalOf(counts: Counts): number {
  return Object.values(counts).reduce<number>((sum, count) => sum + (count ?? 0), 0);
}

/** Of several things that are due about one Task the oldest that is still to be done is done, the next one after it. */
async function actOnTask(sweep: Sweep, dues: readonly Due[], episodeOf: EpisodeOf): Promise<void> {
  for (const due of dues) if (await act(sweep, due, episodeOf)) return;
}

/** @returns false when there was nothing to do, or somebody else was faster: whoever it was will see to it */
async function act(sweep: Sweep, due: Due, episodeOf: EpisodeOf): Promise<boolean> {
  try {
    return await commitAct(sweep, due, episodeOf);
  } catch (error) {
    if (asFault(error).kind !== 'conflict') return fail(sweep, due, error);
  }
  // The transition has changed since the page was read, or the Task has: looked at again, it is one or the other.
  try {
    return await commitAct(sweep, due, readingEpisodes(sweep.parts));
  } catch (error) {
    return fail(sweep, due, error);
  }
}

async function commitAct(sweep: Sweep, due: Due, episodeOf: EpisodeOf): Promise<boolean> {
  const { parts, now, fence, counts, failures } = sweep;
  const { pass, task } = due;
  const episode = await episodeOf(task);
  const ended = planOrphan(task, episode, now) ?? (await planLate(parts, pass, task, now));
  const planned = ended ?? (await pass.plan(parts, task, now));
  if (!planned) return false;
  const held = episode ? whileUnchanged(fence, referred(episode)) : fence;
  const outcomes = await parts.store.commit(ACTOR, planned.changes, [held, ...failures.settled(due)]);
  const done = ended ? 'skipped' : pass.done;
  counts[done] = (counts[done] ?? 0) + 1;
  parts.emit(planned.event(outcomes.map(({ id }) => id)));
  return true;
}

/** @returns false when it failed because the Task was changed or the lease was lost */
async function fail({ parts, fence, counts, failures }: Sweep, due: Due, error: unknown): Promise<boolean> {
  const { pass, task } = due;
  try {
    await parts.store.commit(ACTOR, [], [failures.failed(due, error), whileUnchanged(fence, referred(task))]);
  } catch (lost) {
    if (asFault(lost).kind === 'conflict') return false;
    throw lost;
  }
  counts.failed += 1;
  parts.log.error({ err: error, task: task.id, pass: pass.parameter }, 'a sweep could not act on a follow-up');
  return true;
}

function referred({ resourceType: type, id = '', meta }: EpisodeOfCare | Task) {
  return { type, id, versionId: meta?.versionId ?? '' };
}

// Finds the follow-ups whose window has opened or whose deadline has passed, and acts on each once. What is due is in the
// Tasks; missed beats, restarts and a clock that is set back change nothing about it.
import type { Task } from '@medplum/fhirtypes';
import { parseVersion } from '../care/stored.ts';
import { Fault } from '../fault.ts';
import { withLease } from '../store/lease.ts';
import type { Statement } from '../store/store.ts';
import { ACTOR, type Parts } from './parts.ts';
import { PASSES, type Pass } from './passes.ts';

/** How often each thing was done. */
export type SweepResult = Readonly<Partial<Record<Pass['done'], number>>> & {
  /** Could not be acted on now; tried again by the next sweep. */
  readonly failed: number;
};

const LEASE = Temporal.Duration.from({ seconds: 30 });
const PAGE = 500;
/** Bounds one sweep, so that what piled up is worked off in portions, the most overdue first. */
const MOST_PER_SWEEP = 2_000;

/** Does everything due at `now`, one pass after the other. Does nothing while another process sweeps. */
export async function sweep(parts: Parts, now: Temporal.Instant): Promise<SweepResult> {
  const { store, clock } = parts;
  const result: Record<string, number> & { failed: number } = { failed: 0 };
  for (const { done } of PASSES) result[done] = 0;
  await withLease(store, clock, 'transitions-sweep', LEASE, async ({ fence, signal }) => {
    for (const pass of PASSES) {
      const { done, failed } = await carryOut(parts, pass, now, fence, signal);
      result[pass.done] = done;
      result.failed += failed;
    }
  });
  return result;
}

async function carryOut(
  parts: Parts,
  { parameter, plan }: Pass,
  now: Temporal.Instant,
  fence: Statement,
  signal: AbortSignal,
): Promise<{ done: number; failed: number }> {
  // To the second, as windows are: one that opens now counts.
  const query = parts.parse(
    `Task?${new URLSearchParams({ [parameter]: `le${now.toString({ smallestUnit: 'second' })}`, _sort: parameter, _count: `${PAGE}` })}`,
  );
  let [done, failed, seen] = [0, 0, 0];
  let cursor: string | undefined;
  do {
    const page = await parts.store.search({ ...query, ...(cursor ? { cursor } : {}) });
    // Together, so that the store commits them in one go; each stands or falls alone.
    const results = await Promise.all(
      page.items.map((item) => act(parts, parseVersion(item, 'Task'), plan, now, fence)),
    );
    done += results.filter((result) => result === 'done').length;
    failed += results.filter((result) => result === 'failed').length;
    seen += page.items.length;
    cursor = page.next;
  } while (cursor && seen < MOST_PER_SWEEP && !signal.aborted);
  return { done, failed };
}

async function act(
  parts: Parts,
  task: Task,
  plan: Pass['plan'],
  now: Temporal.Instant,
  fence: Statement,
): Promise<'done' | 'skipped' | 'failed'> {
  try {
    const planned = await plan(parts, task, now);
    if (!planned) return 'skipped';
    const outcomes = await parts.store.commit(ACTOR, planned.changes, [fence]);
    parts.emit(planned.event(outcomes.map(({ id }) => id)));
    return 'done';
  } catch (error) {
    // Somebody changed the Task, or the lease went to another process: whoever did will see to it.
    if (error instanceof Fault && (error.kind === 'precondition' || error.kind === 'conflict')) return 'skipped';
    parts.log.error({ err: error, task: task.id }, 'a sweep could not act on a follow-up');
    return 'failed';
  }
}

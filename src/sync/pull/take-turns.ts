// The types of one pull, so that one whose pages never end holds up no other: each has a turn, and what it has not finished
// by then goes on when the others have had theirs. docs/sync-spec.md#I6
import type { Lease } from '../../store/lease.ts';
import type { RunContext } from '../context.ts';
import { pullByPages } from './pull.ts';
import type { PullResult } from './pull-result.ts';
import type { RosterWish } from './roster.ts';
import { comesFirst } from './type-order.ts';

/** Long enough that what changed in a day is read in one turn, and references seldom have to be put right afterwards. */
const TURN_MS = 60_000;

/**
 * Reads every type to its end.
 * @param types in their order
 * @param between done when all have had a turn and some are not at their end
 * @returns what came of those that were begun
 */
export async function takeTurns(
  run: RunContext,
  types: readonly string[],
  lease: Lease,
  wish: RosterWish,
  between: () => Promise<unknown>,
): Promise<Record<string, PullResult>> {
  const results: Record<string, PullResult> = {};
  const isOver = () => run.signal.aborted || run.remote.breaker.status.state !== 'closed';
  let waiting = types.map((type) => ({ type, pages: pullByPages(run, type, lease, wish) }));
  while (waiting.length > 0 && !isOver()) {
    const unfinished: typeof waiting = [];
    for (const one of waiting) {
      if (isOver()) break;
      const result = await takeTurn(run, one.type, one.pages);
      results[one.type] = result ?? { outcome: 'stopped', applied: 0 };
      if (!result) unfinished.push(one);
    }
    waiting = unfinished;
    if (waiting.length > 0 && !isOver()) await between();
  }
  return results;
}

/** Undefined when the turn was over before the type was at its end. */
async function takeTurn(
  { clock }: RunContext,
  type: string,
  pages: AsyncGenerator<undefined, PullResult>,
): Promise<PullResult | undefined> {
  const end = clock.real().epochMilliseconds + TURN_MS;
  for (;;) {
    const step = await pages.next();
    if (step.done) return step.value;
    // The others are about these: what came before its patient would pass by as a stranger's.
    if (!comesFirst(type) && clock.real().epochMilliseconds >= end) return undefined;
  }
}

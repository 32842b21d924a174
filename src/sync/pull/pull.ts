// Pulls one type: the strategy that fits the server is chosen, and the next best when the server turns out not to do what it
// states. docs/sync-spec.md#I29
import type { Lease } from '../../store/lease.ts';
import type { PullStrategy } from '../connections/settings.ts';
import { ownExchanges, type RunContext } from '../context.ts';
import type { PullResult } from './pull-result.ts';
import { readWindow } from './read-window.ts';
import { pullRoster, type RosterWish } from './roster.ts';
import { choosePlan, type PullPlan } from './strategy.ts';
import { forgetRefusal, isRefusal, readRefusal, saveRefusal } from './type-refusal.ts';

/** Reads the stream of one type to its end, under the lease of the connection's pull. */
export async function pullType(context: RunContext, type: string, lease: Lease): Promise<PullResult> {
  const pages = pullByPages(context, type, lease, { asked: true });
  for (;;) {
    const step = await pages.next();
    if (step.done) return step.value;
  }
}

/** The same, with a pause after each page of a stream. A roster, which has a budget of its own, goes on to its end. */
export async function* pullByPages(
  context: RunContext,
  type: string,
  lease: Lease,
  wish: RosterWish,
): AsyncGenerator<undefined, PullResult> {
  const known = await readRefusal(context, type);
  if (known.closed) return { outcome: 'refused', applied: 0 };
  const unable = new Set<PullStrategy>(known.unable);
  for (let plan = planOf(context, type, unable); ; ) {
    if (plan.strategy === 'none') return { outcome: 'no-strategy', applied: 0 };
    const result = yield* read(context, type, plan, lease, wish);
    const { failure } = result;
    if (!failure || !result.atStart || !isRefusal(failure)) {
      if (result.outcome === 'done' && known.told && unable.size === 0) await forgetRefusal(context, type);
      return result;
    }
    unable.add(plan.strategy);
    const next = failure.status === 403 ? plan : planOf(context, type, unable);
    const closed = unable.has(next.strategy) || next.strategy === 'none';
    const way = closed ? 'it is left alone' : `${next.strategy} from now on`;
    const detail = `${type}: the server refuses ${plan.strategy} (${failure.status}); ${way}.`;
    await saveRefusal(context, type, { ...known, unable, closed }, detail);
    if (closed) return { outcome: 'refused', applied: result.applied, failure };
    plan = next;
  }
}

function planOf(
  { connection, capability, remote }: RunContext,
  type: string,
  unable: ReadonlySet<PullStrategy>,
): PullPlan {
  return choosePlan(connection, capability, remote.vendor, type, unable);
}

async function* read(
  context: RunContext,
  type: string,
  plan: PullPlan,
  lease: Lease,
  wish: RosterWish,
): AsyncGenerator<undefined, PullResult> {
  if (plan.strategy === 'roster') return pullRoster(context, type, plan, lease, wish);
  return yield* readWindow(ownExchanges(context), type, plan, lease);
}

// Pulls one type: the strategy that fits the server is chosen, and the next best when the server turns out not to do what it
// states. docs/sync-spec.md#I29
import { speaksAgainstStatement } from '../../remote/absence.ts';
import type { Lease } from '../../store/lease.ts';
import type { PullStrategy } from '../connections/settings.ts';
import { upToDate } from '../connections/up-to-date.ts';
import { ownExchanges, type RunContext } from '../context.ts';
import type { PullResult } from './pull-result.ts';
import { readWindow } from './read-window.ts';
import { pullRoster, type RosterWish } from './roster.ts';
import { choosePlan, type PullPlan } from './strategy.ts';
import { forgetRefusal, isRefusal, NOT_GIVEN, readRefusal, saveRefusal } from './type-refusal.ts';

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
  let run = context;
  let known = await readRefusal(run, type);
  if (known.closed) return { outcome: 'refused', applied: 0 };
  const unable = new Set<PullStrategy>(known.unable);
  const refused: string[] = [];
  for (let plan = planOf(run, type, unable); plan.strategy !== 'none'; ) {
    const result = yield* read(run, type, plan, lease, wish);
    const { failure } = result;
    if (!failure || !result.atStart || !isRefusal(failure)) {
      if (refused.length > 0) await saveRefusal(run, type, { ...known, unable }, plan, sentence(type, refused, plan));
      else if (result.outcome === 'done' && known.isKnown && unable.size === 0) await forgetRefusal(run, type);
      return result;
    }
    const renewed = speaksAgainstStatement(failure) ? await upToDate(run) : run;
    if (renewed.capability.hash !== run.capability.hash) {
      // It states something else by now, which is told; what was refused before is no news any more.
      run = renewed;
      known = await readRefusal(run, type);
      unable.clear();
      refused.length = 0;
      plan = planOf(run, type, unable);
      continue;
    }
    unable.add(plan.strategy);
    refused.push(`${plan.strategy} (${failure.status})`);
    const next = failure.status === 403 ? plan : planOf(run, type, unable);
    if (unable.has(next.strategy) || next.strategy === 'none') {
      const detail = sentence(type, refused, NOT_GIVEN);
      await saveRefusal(run, type, { ...known, unable }, NOT_GIVEN, detail);
      return { outcome: 'refused', applied: result.applied, failure };
    }
    plan = next;
  }
  return { outcome: 'no-strategy', applied: 0 };
}

/** What was refused, and how the type is read from now on. */
function sentence(type: string, refused: readonly string[], { strategy }: PullPlan): string {
  const way = strategy === 'none' ? 'it is left alone' : `${strategy} from now on`;
  return `${type}: the server refuses ${refused.join(', ')}; ${way}.`;
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

// Which Goal of a plan under way is which goal of its protocol: the one that the follow-ups of the plan work towards, else the
// one in the protocol's words. Goals do not say it themselves, and people reword them.
import type { Goal } from '@medplum/fhirtypes';
import { type Link, referenceTo } from '../care/reference-to.ts';
import { followUpKey, goalsOf } from '../care/transition/follow-up.ts';
import type { Protocol } from '../care/transition/protocol.ts';
import type { LivePlan } from './live-plan.ts';

const GIVEN_UP: ReadonlySet<Goal['lifecycleStatus']> = new Set(['cancelled', 'rejected', 'entered-in-error']);

/** By `PlanDefinition.goal.id`; without those that the plan does not have, or not any more. */
export function goalsOfPlan(
  { definition, steps }: Pick<Protocol, 'definition' | 'steps'>,
  { goals, tasks }: Pick<LivePlan, 'goals' | 'tasks'>,
): ReadonlyMap<string, Link> {
  const open = goals.filter(({ lifecycleStatus }) => !GIVEN_UP.has(lifecycleStatus));
  const known = new Set(open.map((goal) => referenceTo(goal).reference));
  const found = new Map<string, Link>();
  for (const task of tasks) {
    const named = steps.find(({ id }) => id === followUpKey(task)?.step)?.action.goalId ?? [];
    const linked = goalsOf(task);
    // One link more or less, and nobody knows which is which.
    if (linked.length !== named.length) continue;
    for (const [at, id] of named.entries()) {
      const reference = linked[at] ?? '';
      if (known.has(reference) && !found.has(id)) found.set(id, { reference });
    }
  }
  for (const { id = '', description } of definition.goal ?? []) {
    const same = open.find((goal) => wordsOf(goal.description) === wordsOf(description));
    if (same && !found.has(id)) found.set(id, referenceTo(same));
  }
  return found;
}

const wordsOf = ({ text, coding }: Goal['description']) => text ?? coding?.[0]?.display ?? coding?.[0]?.code ?? '';

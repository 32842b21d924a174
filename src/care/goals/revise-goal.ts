// Revising a goal that is still pursued.
import { Fault } from '../../fault.ts';
import { itemOfCase } from '../plans/item-of-case.ts';
import { planToExtend } from '../plans/plan-of-case.ts';
import { workableCase } from '../plans/workable-case.ts';
import type { Caller, Planned, Records } from '../records.ts';
import { isPursued, revisedGoal } from './goal.ts';
import type { GoalRevision, Target } from './goal-schema.ts';
import { checkLinks, needsIn } from './set-goal.ts';
import { viewTarget } from './target.ts';
import { checkTargets } from './target-check.ts';

/** @throws Fault not-found; unprocessable naming the member */
export async function reviseGoal(
  records: Records,
  caller: Caller,
  { caseId, id, body }: { readonly caseId: string; readonly id: string; readonly body: GoalRevision },
): Promise<Planned> {
  const about = await workableCase(records, caseId);
  const goal = await itemOfCase(records, about, 'Goal', id);
  if (!isPursued(goal)) {
    throw new Fault('unprocessable', `The goal is ${goal.lifecycleStatus}; set a new one instead.`, {
      expression: 'Goal.lifecycleStatus',
      code: 'business-rule',
    });
  }
  const known: Target[] = (goal.target ?? []).map(viewTarget);
  checkTargets(body.targets ?? [], caller, { start: body.start ?? goal.startDate, known });
  await checkLinks(records, about, body);
  const needs = needsIn(body);
  const plan = needs.length > 0 ? await planToExtend(records, caller, about) : undefined;
  const resource = revisedGoal(goal, body, caller);
  return {
    changes: [{ op: 'update', resource, ifMatch: goal.meta.versionId }, ...(plan?.add({ needs }) ?? [])],
    about: 0,
  };
}

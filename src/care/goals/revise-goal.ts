// Revising a goal that is still pursued.
import { Fault } from '../../fault.ts';
import { workableCase } from '../case-at-hand.ts';
import { itemOfCase } from '../plans/item-of-case.ts';
import { planToExtend } from '../plans/plan-of-case.ts';
import type { Caller, Planned, Records } from '../records.ts';
import { isPursued, revisedGoal } from './goal.ts';
import type { GoalRevision, TargetAgain } from './goal-schema.ts';
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
  const known: TargetAgain[] = (goal.target ?? []).map(viewTarget);
  refuseOtherTime(body.targets ?? [], known);
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

/** @throws Fault unprocessable when a time within which a target is due is another than it was */
function refuseOtherTime(targets: readonly TargetAgain[], known: readonly TargetAgain[]): void {
  const at = targets.findIndex(({ within }) => within !== undefined && !known.some((one) => one.within === within));
  if (at < 0) return;
  throw new Fault('unprocessable', `targets[${at}].within is another than it was; give a due date instead.`, {
    expression: `targets[${at}].within`,
    code: 'business-rule',
  });
}

// All goals of a case's patient: those of the plan, and those that came from elsewhere.

import { caseAtHand } from '../case-at-hand.ts';
import { itemOfCase } from '../plans/item-of-case.ts';
import { currentPlan } from '../plans/plan-of-case.ts';
import type { Caller, Kept, Records } from '../records.ts';
import { isPursued, viewGoal } from './goal.ts';
import type { GoalView } from './goal-schema.ts';

export interface GoalFilter {
  /** `open`: still pursued; `closed` the others; both when absent. */
  readonly state?: 'open' | 'closed';
  readonly inPlan?: boolean;
}

/** Oldest first, without what was entered in error. @throws Fault not-found */
export async function listGoals(
  records: Records,
  caller: Caller,
  caseId: string,
  filter: GoalFilter = {},
): Promise<GoalView[]> {
  const { patient } = await caseAtHand(records, caseId);
  const [goals, planned] = await Promise.all([
    records.find('Goal', { patient: patient.id }),
    plannedGoals(records, caseId),
  ]);
  return goals
    .filter(({ lifecycleStatus }) => lifecycleStatus !== 'entered-in-error')
    .filter((goal) => filter.state === undefined || isPursued(goal) === (filter.state === 'open'))
    .filter((goal) => filter.inPlan === undefined || (planned(goal) !== undefined) === filter.inPlan)
    .map((goal) => viewGoal(goal, caller, planned(goal)));
}

/** @throws Fault not-found */
export async function showGoal(records: Records, caller: Caller, caseId: string, id: string): Promise<GoalView> {
  const goal = await itemOfCase(records, await caseAtHand(records, caseId), 'Goal', id);
  return viewGoal(goal, caller, (await plannedGoals(records, caseId))(goal));
}

async function plannedGoals(records: Records, caseId: string) {
  const plan = await currentPlan(records, caseId);
  const references = new Set(plan?.goal?.map(({ reference }) => reference));
  return ({ id }: Kept<'Goal'>) => (plan && references.has(`Goal/${id}`) ? `CarePlan/${plan.id}` : undefined);
}

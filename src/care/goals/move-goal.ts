// The steps of a goal's life: taken up, held, taken up again, reached or given up.
import type { Goal } from '@medplum/fhirtypes';
import { Fault } from '../../fault.ts';
import { workableCase } from '../case-at-hand.ts';
import { today } from '../given-time.ts';
import { withNote } from '../note.ts';
import { itemOfCase } from '../plans/item-of-case.ts';
import { requireStep } from '../plans/status-step.ts';
import type { Caller, Planned, Records } from '../records.ts';
import { achievementOf, codeOrWords } from './goal-codes.ts';
import type { GoalEnding } from './goal-schema.ts';

/** Verb of the API to `Goal.lifecycleStatus`. */
export const GOAL_STEPS = {
  activate: 'active',
  hold: 'on-hold',
  resume: 'active',
  complete: 'completed',
  cancel: 'cancelled',
  reject: 'rejected',
} as const satisfies Record<string, Goal['lifecycleStatus']>;
export type GoalVerb = keyof typeof GOAL_STEPS;

const NEEDS_REASON = new Set<GoalVerb>(['hold', 'cancel', 'reject']);

/** @throws Fault not-found; unprocessable when the goal cannot take the step, or a reason is missing */
export async function moveGoal(
  records: Records,
  caller: Caller,
  {
    caseId,
    id,
    verb,
    body,
  }: { readonly caseId: string; readonly id: string; readonly verb: GoalVerb; readonly body: GoalEnding },
): Promise<Planned> {
  const about = await workableCase(records, caseId);
  const goal = await itemOfCase(records, about, 'Goal', id);
  return {
    changes: [{ op: 'update', resource: movedGoal(goal, verb, body, caller), ifMatch: goal.meta.versionId }],
    about: 0,
  };
}

/** @throws Fault unprocessable */
export function movedGoal(goal: Goal, verb: GoalVerb, { achievement, reason, note }: GoalEnding, caller: Caller): Goal {
  if (NEEDS_REASON.has(verb) && !reason) {
    throw new Fault('unprocessable', `Say why: reason is missing.`, { expression: 'reason', code: 'required' });
  }
  const { statusReason: _, ...rest } = goal;
  const judged = achievement ?? defaultAchievement(goal, verb);
  const next: Goal = {
    ...rest,
    lifecycleStatus: GOAL_STEPS[verb],
    ...(judged ? { achievementStatus: achievementOf(judged), statusDate: today(caller) } : {}),
    ...(reason ? { statusReason: reason } : {}),
    ...withNote(goal.note, caller, note),
  };
  requireStep(goal, next);
  return next;
}

/** A goal is completed because it was achieved, unless somebody has judged it already. */
function defaultAchievement({ achievementStatus }: Goal, verb: GoalVerb) {
  const code = codeOrWords(achievementStatus);
  const isOpen = code === undefined || code === 'in-progress' || code === 'improving';
  if (verb === 'complete' && isOpen) return 'achieved';
  return verb === 'activate' && code === undefined ? 'in-progress' : undefined;
}

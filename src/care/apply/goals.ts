// PlanDefinition.goal → Goal. https://hl7.org/fhir/R4/plandefinition-definitions.html#PlanDefinition.goal
import type { Condition, Goal, PlanDefinitionGoal } from '@medplum/fhirtypes';
import { concept } from '../concept.ts';
import { localDate } from '../local-time.ts';
import { type Link, referenceTo } from '../reference-to.ts';
import { readAmount, shift } from './amount.ts';
import type { PathwayGoal } from './pathway.ts';
import { at } from './refusal.ts';
import { dayCountOf, type PlanClock } from './timing.ts';

export interface GoalSetting {
  readonly subject: Link;
  /** Conditions of the patient; those that the goal is about are what it addresses. */
  readonly conditions: readonly Condition[];
  readonly clock: PlanClock;
  readonly lifecycleStatus: 'proposed' | 'active';
  readonly identifier?: { readonly system: string; readonly value: string };
}

/** The Goal with its targets; what is due after a length of time is counted from the start of the plan. */
export function setPathwayGoal({ goal, place }: PathwayGoal, setting: GoalSetting): Goal {
  const { clock, lifecycleStatus, identifier } = setting;
  const start = localDate(clock.start, clock.zone);
  const targets = (goal.target ?? []).map(({ due, ...target }) => {
    if (!due) return target;
    const amount = readAmount(due, dayCountOf(due.extension), at(place, 'PlanDefinition.goal.target.due'));
    return { ...target, dueDate: localDate(shift(clock.start, amount, 1, 'ends', clock), clock.zone).toString() };
  });
  const addresses = setting.conditions.filter((condition) => isAbout(goal, condition)).map(referenceTo);
  return {
    resourceType: 'Goal',
    ...(identifier ? { identifier: [{ ...identifier }] } : {}),
    lifecycleStatus,
    ...(lifecycleStatus === 'active'
      ? {
          achievementStatus: concept(
            'http://terminology.hl7.org/CodeSystem/goal-achievement',
            'in-progress',
            'In Progress',
          ),
        }
      : {}),
    ...(goal.category ? { category: [goal.category] } : {}),
    ...(goal.priority ? { priority: goal.priority } : {}),
    description: goal.description,
    subject: setting.subject,
    // The day it is worked on is known; a coded start (admission, discharge…) says less.
    startDate: start.toString(),
    ...(targets.length > 0 ? { target: targets } : {}),
    ...(addresses.length > 0 ? { addresses } : {}),
  };
}

function isAbout({ addresses = [] }: PlanDefinitionGoal, { code }: Condition): boolean {
  const codings = addresses.flatMap(({ coding }) => coding ?? []);
  return codings.some((wanted) =>
    code?.coding?.some((has) => has.system === wanted.system && has.code === wanted.code),
  );
}

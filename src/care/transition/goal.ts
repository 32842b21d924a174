// What a transition is to achieve, as US Core Goals, and whether it did.
// http://hl7.org/fhir/us/core/StructureDefinition/us-core-goal
import type { Goal, PlanDefinitionGoal } from '@medplum/fhirtypes';
import { concept } from '../concept.ts';
import { localDate } from '../local-time.ts';
import { CLAIMS } from '../plans/claims.ts';
import { type Link, referenceTo } from '../reference-to.ts';
import type { TransitionContext } from './transition-context.ts';

const ACHIEVEMENT = 'http://terminology.hl7.org/CodeSystem/goal-achievement';

/** An active Goal; due dates are counted in days from the day of the discharge. */
export function setGoal(goal: PlanDefinitionGoal, risk: Link, context: TransitionContext): Goal {
  const { patient, anchor } = context;
  const start = localDate(anchor.discharge, anchor.zone);
  const targets = (goal.target ?? []).map(({ measure, due }) => ({
    ...(measure ? { measure } : {}),
    dueDate: start.add({ days: due?.value ?? 30 }).toString(),
  }));
  return {
    resourceType: 'Goal',
    meta: { profile: [...CLAIMS.goal] },
    lifecycleStatus: 'active',
    achievementStatus: concept(ACHIEVEMENT, 'in-progress', 'In Progress'),
    ...(goal.category ? { category: [goal.category] } : {}),
    ...(goal.priority ? { priority: goal.priority } : {}),
    description: goal.description,
    subject: referenceTo(patient),
    startDate: start.toString(),
    ...(targets.length > 0 ? { target: targets } : {}),
    addresses: [risk],
  };
}

/** An open Goal counted from a corrected discharge; undefined when nothing about it changes. */
export function moveGoal(goal: Goal, { anchor }: TransitionContext): Goal | undefined {
  const start = localDate(anchor.discharge, anchor.zone);
  const days = goal.startDate?.length === 10 ? Temporal.PlainDate.from(goal.startDate).until(start).days : 0;
  if (goal.lifecycleStatus !== 'active' || days === 0) return undefined;
  const target = goal.target?.map((one) =>
    one.dueDate?.length === 10
      ? { ...one, dueDate: Temporal.PlainDate.from(one.dueDate).add({ days }).toString() }
      : one,
  );
  return { ...goal, startDate: start.toString(), ...(target ? { target } : {}) };
}

/**
 * A Goal at the end of the transition: achieved when every follow-up that works towards it was completed, not achieved
 * otherwise. One that a nurse has already judged keeps her judgement.
 */
export function concludeGoal(goal: Goal, allCompleted: boolean, today: Temporal.PlainDate): Goal {
  const open = goal.achievementStatus?.coding?.some(({ code }) => code === 'in-progress') ?? true;
  const judged = allCompleted
    ? concept(ACHIEVEMENT, 'achieved', 'Achieved')
    : concept(ACHIEVEMENT, 'not-achieved', 'Not Achieved');
  return {
    ...goal,
    lifecycleStatus: 'completed',
    ...(open ? { achievementStatus: judged } : {}),
    statusDate: today.toString(),
  };
}

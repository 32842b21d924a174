// The plan of a case with all it refers to: needs, their goals, what is done for them, and what came of it.

import type { Period, Reference } from '@medplum/fhirtypes';
import { caseAtHand } from '../case-at-hand.ts';
import { codedOf } from '../coded.ts';
import { viewGoal } from '../goals/goal.ts';
import { progressOf } from '../goals/progress.ts';
import { viewActivity } from '../interventions/activity-view.ts';
import { activitiesOf } from '../interventions/list-interventions.ts';
import { linkedOf } from '../linked.ts';
import { viewNeed } from '../needs/need.ts';
import { notesOf } from '../note.ts';
import { plansOfCase } from '../plans-of-case.ts';
import type { Caller, Kept, Records, ResourceOf } from '../records.ts';
import { isDue, viewReview } from '../reviews/review.ts';
import { isReview } from '../reviews/review-codes.ts';
import { followed } from './followed.ts';
import { currentPlan } from './plan-of-case.ts';
import type { PlanSummary, PlanView } from './plan-schema.ts';

type GoalInPlan = PlanView['goals'][number];

/** The plan that is going on, else the last one; undefined when there never was one. @throws Fault not-found */
export async function showPlan(records: Records, caller: Caller, caseId: string): Promise<PlanView | undefined> {
  await caseAtHand(records, caseId);
  const plan = (await currentPlan(records, caseId)) ?? (await plansOfCase(records, caseId)).at(-1);
  return plan && viewPlan(records, caller, plan);
}

export async function viewPlan(records: Records, caller: Caller, plan: Kept<'CarePlan'>): Promise<PlanView> {
  const reference = `CarePlan/${plan.id}`;
  const [needs, goals, activities] = await Promise.all([
    followed(records, plan.addresses ?? [], (type) => type === 'Condition') as Promise<Kept<'Condition'>[]>,
    followed(records, plan.goal ?? [], (type) => type === 'Goal') as Promise<Kept<'Goal'>[]>,
    activitiesOf(records, plan),
  ]);
  const reviews = activities.filter((one): one is Kept<'Task'> => one.resourceType === 'Task' && isReview(one));
  const due = reviews.find(isDue);
  const work = activities
    .filter((one) => !(reviews as readonly unknown[]).includes(one))
    .map((one) => viewActivity(one, caller, reference));
  const inPlan = new Set([...goals, ...needs].map(({ resourceType, id }) => `${resourceType}/${id}`));
  const towards = (goal: string) => work.filter((one) => one.goals.some((each) => each.reference === goal));
  const branches = await Promise.all(
    goals.map(
      async (goal): Promise<GoalInPlan> => ({
        goal: viewGoal(goal, caller, reference),
        progress: await progressOf(records, goal),
        interventions: towards(`Goal/${goal.id}`),
      }),
    ),
  );
  const isGoalless = (one: (typeof work)[number]) => !one.goals.some((goal) => inPlan.has(goal.reference ?? ''));
  const addressing = (need: string) =>
    branches.filter(({ goal }) => goal.addresses.some((each) => each.reference === need));
  const seen = new Set([...inPlan, ...activities.map(({ resourceType, id }) => `${resourceType}/${id}`)]);
  const [author, period] = [linkedOf(plan.author), periodOf(plan.period)];
  return {
    id: plan.id,
    version: plan.meta.versionId,
    status: plan.status,
    ...(plan.title ? { title: plan.title } : {}),
    ...(plan.description ? { description: plan.description } : {}),
    ...(period ? { period } : {}),
    ...(plan.created ? { created: plan.created } : {}),
    ...(author ? { author } : {}),
    replaces: linked(plan.replaces),
    teams: linked(plan.careTeam),
    notes: notesOf(plan.note),
    ...(due ? { review: reviewDue(due, caller) } : {}),
    needs: needs.map((need) => ({
      need: viewNeed(need, reference),
      goals: addressing(`Condition/${need.id}`),
      interventions: work.filter((one) => one.need?.reference === `Condition/${need.id}` && isGoalless(one)),
    })),
    goals: branches.filter(({ goal }) => !goal.addresses.some((each) => inPlan.has(each.reference ?? ''))),
    interventions: work.filter((one) => isGoalless(one) && !inPlan.has(one.need?.reference ?? '')),
    unseen: unseenOf(plan, seen),
  };
}

function reviewDue(review: Kept<'Task'>, caller: Caller) {
  const { due, overdue } = viewReview(review, caller);
  return { ...(due ? { due } : {}), overdue };
}

function unseenOf(plan: ResourceOf<'CarePlan'>, seen: ReadonlySet<string>): PlanView['unseen'] {
  const activities = (plan.activity ?? []).flatMap(({ reference }) => reference ?? []);
  const all = linked([...(plan.addresses ?? []), ...(plan.goal ?? []), ...activities]);
  return all.filter(({ reference }) => reference === undefined || !seen.has(reference));
}

/** Every plan of the patient, also those of elsewhere; oldest first. @throws Fault not-found */
export async function listPlans(records: Records, caseId: string): Promise<PlanSummary[]> {
  const { patient } = await caseAtHand(records, caseId);
  const [plans, own] = await Promise.all([
    records.find('CarePlan', { patient: patient.id }),
    plansOfCase(records, caseId),
  ]);
  const ids = new Set(own.map(({ id }) => id));
  return plans.filter(({ status }) => status !== 'entered-in-error').map((plan) => summaryOf(plan, ids.has(plan.id)));
}

export function summaryOf(plan: Kept<'CarePlan'>, ofCase: boolean): PlanSummary {
  const period = periodOf(plan.period);
  return {
    id: plan.id,
    version: plan.meta.versionId,
    status: plan.status,
    ...(plan.title ? { title: plan.title } : {}),
    categories: (plan.category ?? []).flatMap((one) => codedOf(one) ?? []),
    ...(period ? { period } : {}),
    ofCase,
    needs: linked(plan.addresses),
    goals: linked(plan.goal),
    teams: linked(plan.careTeam),
    activities: (plan.activity ?? []).map(({ reference, detail }) => {
      const [link, code] = [linkedOf(reference), codedOf(detail?.code)];
      return {
        ...(link ? { reference: link } : {}),
        ...(code ? { code } : {}),
        ...(detail?.status ? { status: detail.status } : {}),
        ...(detail?.description ? { description: detail.description } : {}),
      };
    }),
    ...(plan.meta.source ? { origin: plan.meta.source } : {}),
  };
}

function linked(references: readonly Reference[] | undefined) {
  return (references ?? []).flatMap((one) => linkedOf(one) ?? []);
}

function periodOf(period: Period | undefined): { start?: string; end?: string } | undefined {
  const { start, end } = period ?? {};
  return start || end ? { ...(start ? { start } : {}), ...(end ? { end } : {}) } : undefined;
}

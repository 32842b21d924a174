// The plan of a case, its versions and its reviews.
import { movePlan, PLAN_STEPS, type PlanVerb, revisePlan, startPlan } from '../../care/plans/change-plan.ts';
import { PlanInput, PlanRevision, PlanStep, PlanSummary, PlanView } from '../../care/plans/plan-schema.ts';
import { listPlans, showPlan } from '../../care/plans/plan-view.ts';
import { replacePlan } from '../../care/plans/replace-plan.ts';
import { listReviews, recordReview, scheduleReview } from '../../care/reviews/review-plan.ts';
import { ReviewInput, ReviewSchedule, ReviewView } from '../../care/reviews/review-schema.ts';
import { listOf } from './plan-queries.ts';
import { type ApiRoute, command, query } from './route.ts';

const tag = 'Plan';
const reads = ['EpisodeOfCare', 'CarePlan'] as const;
const reviewReads = ['EpisodeOfCare', 'CarePlan', 'Task'] as const;

const SUMMARIES: Readonly<Record<PlanVerb, string>> = {
  activate: 'Put a draft into force',
  hold: 'Put the plan on hold, with the reason',
  resume: 'Go on with a plan that was on hold',
  complete: 'Bring the plan to its end, once nothing in it is open',
  revoke: 'End the plan before its time, with the reason',
};

export const PLAN_ROUTES: readonly ApiRoute[] = [
  query({
    path: '/cases/:id/plan',
    name: 'plan-read',
    summary: 'Read the plan: needs, their goals, what is done for them, and what came of it',
    tag,
    reads,
    answer: PlanView,
    run: ({ records, caller, params }) => showPlan(records, caller, params.id),
  }),
  query({
    path: '/cases/:id/plans',
    name: 'plan-list',
    summary: 'List every plan of the patient, earlier ones and those of elsewhere as well',
    tag,
    reads,
    answer: listOf(PlanSummary),
    run: async ({ records, params }) => ({ items: await listPlans(records, params.id) }),
  }),
  command({
    method: 'POST',
    path: '/cases/:id/plan',
    name: 'plan-start',
    summary: 'Start a plan where none is going on',
    tag,
    reads,
    body: PlanInput,
    answer: PlanView,
    examples: { body: { title: 'Living at home with heart failure' } },
    plan: ({ records, caller, params, body }) => startPlan(records, caller, { caseId: params.id, body }),
    view: ({ records, caller, params }) => showPlan(records, caller, params.id),
  }),
  command({
    method: 'PATCH',
    path: '/cases/:id/plan',
    name: 'plan-revise',
    summary: 'Revise title, description or period of the plan',
    tag,
    reads,
    body: PlanRevision,
    answer: PlanView,
    examples: { body: { period: { end: '2027-05-31' } } },
    plan: ({ records, caller, params, body }) => revisePlan(records, caller, { caseId: params.id, body }),
    view: ({ records, caller, params }) => showPlan(records, caller, params.id),
  }),
  command({
    method: 'POST',
    path: '/cases/:id/plan/replace',
    name: 'plan-replace',
    summary: 'Go on with a new version of the plan; what is open goes over into it',
    tag,
    reads,
    body: PlanInput,
    answer: PlanView,
    examples: { body: { title: 'Plan after the second admission' } },
    plan: ({ records, caller, params, body }) => replacePlan(records, caller, { caseId: params.id, body }),
    view: ({ records, caller, params }) => showPlan(records, caller, params.id),
  }),
  ...(Object.keys(PLAN_STEPS) as PlanVerb[]).map((verb) =>
    command({
      method: 'POST',
      path: `/cases/:id/plan/${verb}` as '/cases/:id/plan/complete',
      name: `plan-${verb}`,
      summary: SUMMARIES[verb],
      tag,
      reads,
      body: PlanStep,
      answer: PlanView,
      examples: { body: { reason: 'Admitted to hospital' } },
      plan: ({ records, caller, params, body }) => movePlan(records, caller, { caseId: params.id, verb, body }),
      view: ({ records, caller, params }) => showPlan(records, caller, params.id),
    }),
  ),
  query({
    path: '/cases/:id/reviews',
    name: 'review-list',
    summary: 'List the reviews of the plan, the one that is due first',
    tag,
    reads: reviewReads,
    answer: listOf(ReviewView),
    run: async ({ records, caller, params }) => ({ items: await listReviews(records, caller, params.id) }),
  }),
  command({
    method: 'POST',
    path: '/cases/:id/reviews',
    name: 'review-record',
    summary: 'Record a review of the plan, and when the next is due',
    tag,
    reads: reviewReads,
    body: ReviewInput,
    answer: ReviewView,
    examples: { body: { outcome: 'continue', reviewed: [{ reference: 'Goal/56' }], next: '2027-01-15' } },
    plan: ({ records, caller, params, body }) => recordReview(records, caller, { caseId: params.id, body }),
    view: async ({ records, caller, params }, { id }) =>
      (await listReviews(records, caller, params.id)).find((review) => review.id === id),
  }),
  command({
    method: 'PUT',
    path: '/cases/:id/reviews/due',
    name: 'review-schedule',
    summary: 'Set when the plan is to be looked at next',
    tag,
    reads: reviewReads,
    body: ReviewSchedule,
    answer: ReviewView,
    examples: { body: { due: '2027-01-15' } },
    plan: ({ records, caller, params, body }) => scheduleReview(records, caller, { caseId: params.id, body }),
    view: async ({ records, caller, params }, { id }) =>
      (await listReviews(records, caller, params.id)).find((review) => review.id === id),
  }),
];

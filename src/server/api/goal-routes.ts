// Goals: set, revise, agree on, follow, and bring to their end.
import Type from 'typebox';
import { acceptGoal } from '../../care/goals/acceptance.ts';
import {
  AcceptanceInput,
  GoalEnding,
  GoalInput,
  GoalRevision,
  GoalView,
  ProgressInput,
  ProgressView,
} from '../../care/goals/goal-schema.ts';
import { listGoals, showGoal } from '../../care/goals/list-goals.ts';
import { GOAL_STEPS, type GoalVerb, moveGoal } from '../../care/goals/move-goal.ts';
import { listProgress, recordProgress } from '../../care/goals/progress.ts';
import { reviseGoal } from '../../care/goals/revise-goal.ts';
import { setGoal } from '../../care/goals/set-goal.ts';
import { membershipRoutes } from './plan-membership.ts';
import { listOf, OF_PLAN, State } from './plan-queries.ts';
import { type ApiRoute, command, query } from './route.ts';

const tag = 'Goals';
const reads = ['EpisodeOfCare', 'Goal'] as const;

const EXAMPLE = {
  description: { text: 'Keep my weight steady, so that I can stay at home' },
  priority: 'high',
  targets: [
    {
      measure: { system: 'http://loinc.org', code: '29463-7', text: 'Body weight' },
      detail: { range: { low: { value: 78, unit: 'kg', code: 'kg' }, high: { value: 80, unit: 'kg', code: 'kg' } } },
      due: '2027-02-28',
    },
  ],
  expressedBy: { reference: 'Patient/12' },
  addresses: [{ reference: 'Condition/34' }],
};

const SUMMARIES: Readonly<Record<GoalVerb, string>> = {
  activate: 'Begin to pursue a goal that was proposed, planned or accepted',
  hold: 'Put a goal on hold, with the reason',
  resume: 'Take up again a goal that was on hold',
  complete: 'Bring a goal to its end; achieved, unless it was judged otherwise',
  cancel: 'Give a goal up, with the reason',
  reject: 'Reject a goal that was proposed, with the reason',
};

export const GOAL_ROUTES: readonly ApiRoute[] = [
  query({
    path: '/cases/:id/goals',
    name: 'goal-list',
    summary: 'List the goals of a case, also those that came from elsewhere',
    tag,
    reads,
    query: Type.Object({ state: State, inPlan: OF_PLAN }, { additionalProperties: false }),
    answer: listOf(GoalView),
    run: async ({ records, caller, params, query: filter }) => ({
      items: await listGoals(records, caller, params.id, filter),
    }),
  }),
  query({
    path: '/cases/:id/goals/:goal',
    name: 'goal-read',
    summary: 'Read a goal',
    tag,
    reads,
    answer: GoalView,
    run: ({ records, caller, params }) => showGoal(records, caller, params.id, params.goal),
  }),
  command({
    method: 'POST',
    path: '/cases/:id/goals',
    name: 'goal-set',
    summary: 'Set a goal, with targets by which one sees that it is reached',
    tag,
    reads,
    body: GoalInput,
    answer: GoalView,
    examples: { body: EXAMPLE },
    plan: ({ records, caller, params, body }) => setGoal(records, caller, { caseId: params.id, body }),
    view: ({ records, caller, params }, { id }) => showGoal(records, caller, params.id, id),
  }),
  command({
    method: 'PATCH',
    path: '/cases/:id/goals/:goal',
    name: 'goal-revise',
    summary: 'Revise a goal that is still pursued',
    tag,
    reads,
    body: GoalRevision,
    answer: GoalView,
    examples: { body: { priority: 'medium', targets: EXAMPLE.targets } },
    plan: ({ records, caller, params, body }) =>
      reviseGoal(records, caller, { caseId: params.id, id: params.goal, body }),
    view: ({ records, caller, params }) => showGoal(records, caller, params.id, params.goal),
  }),
  command({
    method: 'POST',
    path: '/cases/:id/goals/:goal/acceptance',
    name: 'goal-accept',
    summary: 'Record whether the patient, or somebody else, agrees to a goal',
    tag,
    reads,
    body: AcceptanceInput,
    answer: GoalView,
    examples: { body: { answer: 'agree', priority: 'high' } },
    plan: ({ records, caller, params, body }) =>
      acceptGoal(records, caller, { caseId: params.id, id: params.goal, body }),
    view: ({ records, caller, params }) => showGoal(records, caller, params.id, params.goal),
  }),
  query({
    path: '/cases/:id/goals/:goal/progress',
    name: 'goal-progress-list',
    summary: 'Read how a goal came along, oldest first',
    tag,
    reads,
    answer: listOf(ProgressView),
    run: async ({ records, params }) => ({ items: await listProgress(records, params.id, params.goal) }),
  }),
  command({
    method: 'POST',
    path: '/cases/:id/goals/:goal/progress',
    name: 'goal-progress',
    summary: 'Record how a goal stands: what it means, what was measured, or both',
    tag,
    reads,
    body: ProgressInput,
    answer: GoalView,
    examples: {
      body: {
        achievement: 'improving',
        measure: EXAMPLE.targets[0]?.measure,
        value: { quantity: { value: 80.5, unit: 'kg', code: 'kg' } },
        note: 'Weighs herself every morning now',
      },
    },
    plan: ({ records, caller, params, body }) =>
      recordProgress(records, caller, { caseId: params.id, id: params.goal, body }),
    view: ({ records, caller, params }) => showGoal(records, caller, params.id, params.goal),
  }),
  ...(Object.keys(GOAL_STEPS) as GoalVerb[]).map((verb) =>
    command({
      method: 'POST',
      path: `/cases/:id/goals/:goal/${verb}` as '/cases/:id/goals/:goal/complete',
      name: `goal-${verb}`,
      summary: SUMMARIES[verb],
      tag,
      reads,
      body: GoalEnding,
      answer: GoalView,
      examples: { body: { reason: 'In hospital for the time being' } },
      plan: ({ records, caller, params, body }) =>
        moveGoal(records, caller, { caseId: params.id, id: params.goal, verb, body }),
      view: ({ records, caller, params }) => showGoal(records, caller, params.id, params.goal),
    }),
  ),
  ...membershipRoutes({
    path: '/cases/:id/goals/:item',
    noun: 'goal',
    tag,
    type: 'Goal',
    reads,
    answer: GoalView,
    show: showGoal,
  }),
];

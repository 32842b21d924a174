// Interventions: plan, assign, carry out, move, delegate.
import Type, { type Static, type TSchema } from 'typebox';
import {
  assignIntervention,
  delegateIntervention,
  rescheduleIntervention,
  reviseIntervention,
} from '../../care/interventions/change-intervention.ts';
import {
  Assignment,
  Delegation,
  InterventionInput,
  InterventionRevision,
  InterventionStep,
  InterventionView,
  Rescheduling,
  SeveralInterventions,
} from '../../care/interventions/intervention-schema.ts';
import { listInterventions, showIntervention } from '../../care/interventions/list-interventions.ts';
import { moveIntervention, TASK_STEPS, type TaskVerb } from '../../care/interventions/move-intervention.ts';
import { planIntervention, planInterventions } from '../../care/interventions/plan-interventions.ts';
import { PlanView } from '../../care/plans/plan-schema.ts';
import { showPlan } from '../../care/plans/plan-view.ts';
import type { Caller, Planned, Records } from '../../care/records.ts';
import { membershipRoutes } from './plan-membership.ts';
import { listOf, OF_PLAN, State } from './plan-queries.ts';
import { type ApiRoute, type CommandMethod, command, query } from './route.ts';

const tag = 'Interventions';
const reads = ['EpisodeOfCare', 'Task'] as const;

const EXAMPLE = {
  description: 'Call about weight and breathing',
  owner: { reference: 'Practitioner/7' },
  start: '2026-12-01',
  due: '2026-12-03',
  goals: [{ reference: 'Goal/56' }],
};

const SUMMARIES: Readonly<Record<TaskVerb, string>> = {
  accept: 'Say that one will do it',
  start: 'Begin to do it',
  hold: 'Put it on hold, with the reason',
  resume: 'Go on with what was on hold',
  complete: 'Say that it is done, and what came of it',
  fail: 'Say that it was tried and failed, with the reason',
  cancel: 'Cancel it, with the reason',
  reject: 'Decline it, with the reason',
};

/** A command on one intervention, whose answer is that intervention. */
function onOne<Body extends TSchema>(
  method: CommandMethod,
  verb: string,
  summary: string,
  body: Body,
  example: object,
  run: (
    records: Records,
    caller: Caller,
    on: { readonly caseId: string; readonly id: string; readonly body: Static<Body> },
  ) => Promise<Planned>,
): ApiRoute {
  const path = method === 'PATCH' ? '/cases/:id/interventions/:task' : `/cases/:id/interventions/:task/${verb}`;
  return command({
    method,
    path: path as '/cases/:id/interventions/:task',
    name: `intervention-${verb}`,
    summary,
    tag,
    reads,
    body,
    answer: InterventionView,
    examples: { body: example },
    plan: ({ records, caller, params, body: sent }) =>
      run(records, caller, { caseId: params.id, id: params.task, body: sent }),
    view: ({ records, caller, params }) => showIntervention(records, caller, params.id, params.task),
  });
}

export const INTERVENTION_ROUTES: readonly ApiRoute[] = [
  query({
    path: '/cases/:id/interventions',
    name: 'intervention-list',
    summary: 'List what is and was done, by due date; orders and appointments of the plan as well',
    tag,
    reads,
    query: Type.Object(
      {
        state: State,
        inPlan: OF_PLAN,
        overdue: Type.Optional(Type.Boolean()),
        goal: Type.Optional(Type.String({ format: 'reference', description: 'Goal/12: what works towards it' })),
      },
      { additionalProperties: false },
    ),
    answer: listOf(InterventionView),
    run: async ({ records, caller, params, query: filter }) => ({
      items: await listInterventions(records, caller, params.id, filter),
    }),
  }),
  query({
    path: '/cases/:id/interventions/:task',
    name: 'intervention-read',
    summary: 'Read an intervention',
    tag,
    reads,
    answer: InterventionView,
    run: ({ records, caller, params }) => showIntervention(records, caller, params.id, params.task),
  }),
  command({
    method: 'POST',
    path: '/cases/:id/interventions',
    name: 'intervention-plan',
    summary: 'Plan an intervention; one that the patient owns becomes their own task',
    tag,
    reads,
    body: InterventionInput,
    answer: InterventionView,
    examples: { body: EXAMPLE },
    plan: ({ records, caller, params, body }) => planIntervention(records, caller, { caseId: params.id, body }),
    view: ({ records, caller, params }, { id }) => showIntervention(records, caller, params.id, id),
  }),
  command({
    method: 'POST',
    path: '/cases/:id/plan/interventions',
    name: 'intervention-plan-several',
    summary: 'Plan several interventions, all or none; answers with the plan',
    tag,
    reads: ['EpisodeOfCare', 'Task', 'CarePlan'],
    body: SeveralInterventions,
    answer: PlanView,
    examples: { body: { items: [EXAMPLE] } },
    plan: ({ records, caller, params, body }) => planInterventions(records, caller, { caseId: params.id, body }),
    view: ({ records, caller, params }) => showPlan(records, caller, params.id),
  }),
  onOne(
    'PATCH',
    'revise',
    'Revise an intervention that has not ended',
    InterventionRevision,
    { priority: 'urgent' },
    reviseIntervention,
  ),
  onOne(
    'POST',
    'assign',
    'Give an intervention to somebody',
    Assignment,
    { owner: { reference: 'Practitioner/8' } },
    assignIntervention,
  ),
  onOne(
    'POST',
    'delegate',
    'Make an intervention a task of the patient or a caregiver',
    Delegation,
    { description: 'Weigh yourself every morning and write it down' },
    delegateIntervention,
  ),
  onOne(
    'POST',
    'reschedule',
    'Move when an intervention is to be done',
    Rescheduling,
    { due: '2026-12-10' },
    rescheduleIntervention,
  ),
  ...(Object.keys(TASK_STEPS) as TaskVerb[]).map((verb) =>
    onOne(
      'POST',
      verb,
      SUMMARIES[verb],
      InterventionStep,
      verb === 'complete'
        ? { outcome: { text: 'Reached, no symptoms' } }
        : { reason: { text: 'Patient is travelling' } },
      (records, caller, on) => moveIntervention(records, caller, { ...on, verb }),
    ),
  ),
  ...membershipRoutes({
    path: '/cases/:id/interventions/:item',
    noun: 'intervention',
    tag,
    type: 'Task',
    reads,
    answer: InterventionView,
    show: showIntervention,
  }),
];

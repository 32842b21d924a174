// Needs and barriers: record, revise, settle, take up into the plan.
import Type from 'typebox';
import { listNeeds, showNeed } from '../../care/needs/list-needs.ts';
import { NeedEnding, NeedInput, NeedRevision, NeedView } from '../../care/needs/need-schema.ts';
import { recordNeed } from '../../care/needs/record-need.ts';
import { reviseNeed } from '../../care/needs/revise-need.ts';
import { type Settling, settleNeed } from '../../care/needs/settle-need.ts';
import { membershipRoutes } from './plan-membership.ts';
import { listOf, OF_PLAN, State } from './plan-queries.ts';
import { type ApiRoute, command, query } from './route.ts';

const tag = 'Needs';
const reads = ['EpisodeOfCare', 'Condition'] as const;

const EXAMPLE = {
  kind: 'barrier',
  category: 'transportation-insecurity',
  code: { system: 'http://snomed.info/sct', code: '713458007', text: 'Lack of access to transportation' },
  severity: 'moderate',
  onset: '2026-10',
};

const SETTLINGS: readonly (readonly [Settling, string])[] = [
  ['resolve', 'A need is met, or a barrier is gone'],
  ['refute', 'What was thought to be a need is none'],
  ['reopen', 'A need that was closed is back'],
  ['retract', 'A need was recorded by mistake'],
];

export const NEED_ROUTES: readonly ApiRoute[] = [
  query({
    path: '/cases/:id/needs',
    name: 'need-list',
    summary: 'List the needs and barriers of a case, also those known from elsewhere',
    tag,
    reads,
    query: Type.Object({ state: State, inPlan: OF_PLAN }, { additionalProperties: false }),
    answer: listOf(NeedView),
    run: async ({ records, params, query: filter }) => ({ items: await listNeeds(records, params.id, filter) }),
  }),
  query({
    path: '/cases/:id/needs/:need',
    name: 'need-read',
    summary: 'Read a need',
    tag,
    reads,
    answer: NeedView,
    run: ({ records, params }) => showNeed(records, params.id, params.need),
  }),
  command({
    method: 'POST',
    path: '/cases/:id/needs',
    name: 'need-record',
    summary: 'Record a need or barrier, which the plan then addresses',
    tag,
    reads,
    body: NeedInput,
    answer: NeedView,
    examples: { body: EXAMPLE },
    plan: ({ records, caller, params, body }) => recordNeed(records, caller, { caseId: params.id, body }),
    view: ({ records, params }, { id }) => showNeed(records, params.id, id),
  }),
  command({
    method: 'PATCH',
    path: '/cases/:id/needs/:need',
    name: 'need-revise',
    summary: 'Revise a need',
    tag,
    reads,
    body: NeedRevision,
    answer: NeedView,
    examples: { body: { severity: 'severe', note: 'Missed two visits this month' } },
    plan: ({ records, caller, params, body }) =>
      reviseNeed(records, caller, { caseId: params.id, id: params.need, body }),
    view: ({ records, params }) => showNeed(records, params.id, params.need),
  }),
  ...SETTLINGS.map(([how, summary]) =>
    command({
      method: 'POST',
      path: `/cases/:id/needs/:need/${how}` as '/cases/:id/needs/:need/resolve',
      name: `need-${how}`,
      summary,
      tag,
      reads,
      body: NeedEnding,
      answer: NeedView,
      examples: { body: { note: 'The county pays for rides now' } },
      plan: ({ records, caller, params, body }) =>
        settleNeed(records, caller, { caseId: params.id, id: params.need, how, body }),
      view: ({ records, params }) => showNeed(records, params.id, params.need),
    }),
  ),
  ...membershipRoutes({
    path: '/cases/:id/needs/:item',
    noun: 'need',
    tag,
    type: 'Condition',
    reads,
    answer: NeedView,
    show: (records, _, caseId, id) => showNeed(records, caseId, id),
  }),
];

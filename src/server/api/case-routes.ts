// Cases: open, read, list.
import { CaseList, CaseQuery, CaseView, OpenCase } from '../../care/cases/case-schema.ts';
import { listCases, viewCase } from '../../care/cases/find-cases.ts';
import { openCase } from '../../care/cases/open-case.ts';
import { type ApiRoute, command, query } from './route.ts';

const tag = 'Cases';

const OPEN_EXAMPLE = {
  patient: { reference: 'Patient/12' },
  programme: { text: 'Heart failure' },
  priority: 'urgent',
  reasons: [{ text: 'Second admission for heart failure in 30 days' }],
  careManager: { reference: 'Practitioner/7' },
};

export const CASE_ROUTES: readonly ApiRoute[] = [
  query({
    path: '/cases',
    name: 'case-list',
    summary: 'List cases, newest first',
    tag,
    reads: ['EpisodeOfCare'],
    query: CaseQuery,
    answer: CaseList,
    run: ({ records, query: criteria }) => listCases(records, criteria),
  }),
  command({
    method: 'POST',
    path: '/cases',
    name: 'case-open',
    summary: 'Open a case with its plan and its team',
    description: 'One patient has at most one open case of a programme.',
    tag,
    reads: ['EpisodeOfCare', 'Patient'],
    body: OpenCase,
    answer: CaseView,
    examples: { body: OPEN_EXAMPLE },
    plan: ({ records, caller, body }) => openCase(records, caller, body),
    view: ({ records }, { id }) => viewCase(records, id),
  }),
  query({
    path: '/cases/:id',
    name: 'case-read',
    summary: 'Read a case',
    tag,
    reads: ['EpisodeOfCare'],
    answer: CaseView,
    run: ({ records, params }) => viewCase(records, params.id),
  }),
];

// Who has to do what: the worklist and the caseloads.
import { CaseloadOfManager, CaseloadQuery, Caseloads } from '../../care/worklist/caseload-schema.ts';
import { listCaseloads, readCaseload } from '../../care/worklist/caseloads.ts';
import { listWork } from '../../care/worklist/list-work.ts';
import { Worklist, WorklistQuery } from '../../care/worklist/worklist-schema.ts';
import { type ApiRoute, query } from './route.ts';

const tag = 'Worklist';

export const WORKLIST_ROUTES: readonly ApiRoute[] = [
  query({
    path: '/worklist',
    name: 'worklist',
    summary: 'Tasks of a person, a team or everybody, by priority, then by deadline',
    tag,
    reads: ['Task'],
    query: WorklistQuery,
    answer: Worklist,
    run: ({ records, caller, query: criteria }) => listWork(records, caller, criteria),
  }),
  query({
    path: '/caseloads',
    name: 'caseload-list',
    summary: 'The board of a supervisor: how much each case manager has to do',
    tag,
    reads: ['Practitioner', 'EpisodeOfCare'],
    query: CaseloadQuery,
    answer: Caseloads,
    run: ({ records, caller, query: criteria }) => listCaseloads(records, caller, criteria),
  }),
  query({
    path: '/caseloads/:id',
    name: 'caseload-read',
    summary: 'The cases of one case manager, by the id of the Practitioner',
    tag,
    reads: ['Practitioner', 'EpisodeOfCare'],
    query: CaseloadQuery,
    answer: CaseloadOfManager,
    run: ({ records, caller, params, query: criteria }) => readCaseload(records, caller, params.id, criteria),
  }),
];

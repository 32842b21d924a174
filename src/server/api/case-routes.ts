// Cases: open, read, list.
import type { Static, TSchema } from 'typebox';
import { assignCase, handOverCase } from '../../care/cases/assign-case.ts';
import {
  AssignCase,
  CancelCase,
  CaseList,
  CaseQuery,
  CaseStep,
  CaseView,
  CloseCase,
  HandOverCase,
  OpenCase,
  ReasonedStep,
  ReviseCase,
} from '../../care/cases/case-schema.ts';
import { listCases, viewCase } from '../../care/cases/find-cases.ts';
import { activateCase, cancelCase, closeCase, holdCase, resumeCase, reviseCase } from '../../care/cases/move-case.ts';
import { openCaseOnPathway } from '../../care/pathways/open-case-on-pathway.ts';
import type { Caller, Planned, Records } from '../../care/records.ts';
import { type ApiRoute, type CommandRoute, command, query } from './route.ts';

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
    plan: ({ body, ...parts }) => openCaseOnPathway(parts, body),
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
  command({
    method: 'PATCH',
    path: '/cases/:id',
    name: 'case-revise',
    summary: 'Correct priority, reasons, diagnoses or organization of a case',
    tag,
    reads: ['EpisodeOfCare'],
    body: ReviseCase,
    examples: { body: { priority: 'urgent' } },
    answer: CaseView,
    plan: ({ records, params, body }) => reviseCase(records, params.id, body),
    view: ({ records }, { id }) => viewCase(records, id),
  }),
  verb('assign', 'Give a case its first manager', AssignCase, assignCase, {
    careManager: { reference: 'Practitioner/7' },
  }),
  verb('handover', 'Hand a case over to the next manager, with team and tasks', HandOverCase, handOverCase, {
    to: { reference: 'Practitioner/8' },
    note: 'Daughter prefers calls after 17:00; scales arrive on Monday.',
  }),
  verb('activate', 'Begin work on a planned or waiting case', CaseStep, activateCase, {
    note: 'Agreed with the patient',
  }),
  verb('hold', 'Put a case on hold', ReasonedStep, holdCase, { reason: { text: 'In hospital' } }),
  verb('resume', 'Go on with a case that was on hold', CaseStep, resumeCase, { note: 'Home again' }),
  verb('close', 'Close a case with its plan and team', CloseCase, closeCase, {
    reason: { text: 'Goals met' },
    outcome: { text: 'Manages at home' },
    outstanding: 'cancel',
  }),
  verb('cancel', 'Cancel a case that does not come about or was opened in error', CancelCase, cancelCase, {
    reason: { text: 'Declined' },
  }),
];

/** `POST /cases/{id}/VERB`, which answers with the case. */
function verb<Body extends TSchema>(
  name: string,
  summary: string,
  body: Body,
  plan: (records: Records, caller: Caller, id: string, input: Static<Body>) => Promise<Planned>,
  example?: Static<Body>,
): CommandRoute {
  return command({
    method: 'POST',
    path: `/cases/:id/${name}` as '/cases/:id',
    name: `case-${name}`,
    summary,
    tag,
    reads: ['EpisodeOfCare'],
    body,
    answer: CaseView,
    ...(example === undefined ? {} : { examples: { body: example } }),
    plan: (ask) => plan(ask.records, ask.caller, ask.params.id, ask.body),
    view: ({ records }, made) => viewCase(records, made.id),
  });
}

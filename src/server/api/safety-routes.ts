// Flags and incidents.
import Type from 'typebox';
import { endFlag, FlagEnd, FlagRaised, FlagView, listFlags, raiseFlag, showFlag } from '../../care/safety/flag.ts';
import {
  IncidentGiven,
  IncidentResolution,
  IncidentView,
  listIncidents,
  recordIncident,
  resolveIncident,
  showIncident,
} from '../../care/safety/incident.ts';
import { type ApiRoute, command, query } from './route.ts';

const tag = 'Safety';
const flag = { tag, reads: ['EpisodeOfCare', 'Flag'], answer: FlagView } as const;
const incident = { tag, reads: ['EpisodeOfCare', 'AdverseEvent'], answer: IncidentView } as const;

export const SAFETY_ROUTES: readonly ApiRoute[] = [
  query({
    path: '/cases/:id/flags',
    name: 'flag-list',
    summary: 'List warnings about the patient, active ones first',
    ...flag,
    answer: Type.Object({ items: Type.Array(FlagView) }),
    run: async ({ records, params }) => ({ items: await listFlags(records, params.id) }),
  }),
  query({
    path: '/cases/:id/flags/:flag',
    name: 'flag-read',
    summary: 'Read a flag',
    ...flag,
    run: ({ records, params }) => showFlag(records, params.id, params.flag),
  }),
  command({
    method: 'POST',
    path: '/cases/:id/flags',
    name: 'flag-raise',
    summary: 'Raise a flag',
    ...flag,
    body: FlagRaised,
    examples: { body: { category: 'safety', warning: { text: 'Falls at night' } } },
    plan: ({ records, caller, params, body }) => raiseFlag(records, caller, { caseId: params.id, body }),
    view: ({ records, params }, { id }) => showFlag(records, params.id, id),
  }),
  command({
    method: 'POST',
    path: '/cases/:id/flags/:flag/end',
    name: 'flag-end',
    summary: 'End a flag',
    ...flag,
    body: FlagEnd,
    examples: { body: { on: '2026-11-30' } },
    plan: ({ records, caller, params, body }) => endFlag(records, caller, { caseId: params.id, id: params.flag, body }),
    view: ({ records, params }) => showFlag(records, params.id, params.flag),
  }),
  query({
    path: '/cases/:id/incidents',
    name: 'incident-list',
    summary: 'List incidents, newest first',
    ...incident,
    answer: Type.Object({ items: Type.Array(IncidentView) }),
    run: async ({ records, params }) => ({ items: await listIncidents(records, params.id) }),
  }),
  query({
    path: '/cases/:id/incidents/:incident',
    name: 'incident-read',
    summary: 'Read an incident',
    ...incident,
    run: ({ records, params }) => showIncident(records, params.id, params.incident),
  }),
  command({
    method: 'POST',
    path: '/cases/:id/incidents',
    name: 'incident-record',
    summary: 'Record an incident, or one that nearly happened',
    ...incident,
    body: IncidentGiven,
    examples: {
      body: { kind: 'fall', happened: true, description: 'Fell in the bathroom', at: '2026-11-28T03:00:00-05:00' },
    },
    plan: ({ records, caller, params, body }) => recordIncident(records, caller, { caseId: params.id, body }),
    view: ({ records, params }, { id }) => showIncident(records, params.id, id),
  }),
  command({
    method: 'POST',
    path: '/cases/:id/incidents/:incident/resolve',
    name: 'incident-resolve',
    summary: 'Record the outcome of an incident',
    ...incident,
    body: IncidentResolution,
    examples: { body: { outcome: 'resolved' } },
    plan: ({ records, caller, params, body }) =>
      resolveIncident(records, caller, { caseId: params.id, id: params.incident, body }),
    view: ({ records, params }) => showIncident(records, params.id, params.incident),
  }),
];

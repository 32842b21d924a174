// What a patient wants: preferences and advance directives.
import Type from 'typebox';
import {
  DirectiveGiven,
  DirectiveRevocation,
  DirectiveView,
  listDirectives,
  recordDirective,
  revokeDirective,
  showDirective,
} from '../../care/preferences/advance-directive.ts';
import {
  endPreference,
  listPreferences,
  PreferenceEnd,
  PreferenceGiven,
  PreferenceView,
  recordPreference,
  showPreference,
} from '../../care/preferences/preference.ts';
import { type ApiRoute, command, query } from './route.ts';

const tag = 'Preferences';
const preference = { tag, reads: ['EpisodeOfCare', 'Observation'], answer: PreferenceView } as const;
const directive = { tag, reads: ['EpisodeOfCare', 'DocumentReference'], answer: DirectiveView } as const;

export const PREFERENCE_ROUTES: readonly ApiRoute[] = [
  query({
    path: '/cases/:id/preferences',
    name: 'preference-list',
    summary: 'List what the patient prefers, newest first',
    ...preference,
    answer: Type.Object({ items: Type.Array(PreferenceView) }),
    run: async ({ records, params }) => ({ items: await listPreferences(records, params.id) }),
  }),
  query({
    path: '/cases/:id/preferences/:preference',
    name: 'preference-read',
    summary: 'Read a preference',
    ...preference,
    run: ({ records, params }) => showPreference(records, params.id, params.preference),
  }),
  command({
    method: 'POST',
    path: '/cases/:id/preferences',
    name: 'preference-record',
    summary: 'Record a preference',
    ...preference,
    body: PreferenceGiven,
    examples: { body: { kind: 'treatment', preference: 'No intubation; comfort first.' } },
    plan: ({ records, caller, params, body }) => recordPreference(records, caller, { caseId: params.id, body }),
    view: ({ records, params }, { id }) => showPreference(records, params.id, id),
  }),
  command({
    method: 'POST',
    path: '/cases/:id/preferences/:preference/end',
    name: 'preference-end',
    summary: 'Record that a preference no longer holds',
    ...preference,
    body: PreferenceEnd,
    examples: { body: { on: '2026-11-30' } },
    plan: ({ records, caller, params, body }) =>
      endPreference(records, caller, { caseId: params.id, id: params.preference, body }),
    view: ({ records, params }) => showPreference(records, params.id, params.preference),
  }),
  query({
    path: '/cases/:id/advance-directives',
    name: 'advance-directive-list',
    summary: 'List advance directives, newest first',
    ...directive,
    answer: Type.Object({ items: Type.Array(DirectiveView) }),
    run: async ({ records, params }) => ({ items: await listDirectives(records, params.id) }),
  }),
  query({
    path: '/cases/:id/advance-directives/:directive',
    name: 'advance-directive-read',
    summary: 'Read an advance directive',
    ...directive,
    run: ({ records, params }) => showDirective(records, params.id, params.directive),
  }),
  command({
    method: 'POST',
    path: '/cases/:id/advance-directives',
    name: 'advance-directive-record',
    summary: 'Record an advance directive',
    ...directive,
    body: DirectiveGiven,
    examples: {
      body: {
        type: { code: '86533-7', text: 'Living will' },
        url: 'https://records.example.org/living-will.pdf',
        contentType: 'application/pdf',
        signed: '2025-04-01',
      },
    },
    plan: ({ records, caller, params, body }) => recordDirective(records, caller, { caseId: params.id, body }),
    view: ({ records, params }, { id }) => showDirective(records, params.id, id),
  }),
  command({
    method: 'POST',
    path: '/cases/:id/advance-directives/:directive/revoke',
    name: 'advance-directive-revoke',
    summary: 'Record that an advance directive was revoked',
    ...directive,
    body: DirectiveRevocation,
    examples: { body: { on: '2026-11-30' } },
    plan: ({ records, caller, params, body }) =>
      revokeDirective(records, caller, { caseId: params.id, id: params.directive, body }),
    view: ({ records, params }) => showDirective(records, params.id, params.directive),
  }),
];

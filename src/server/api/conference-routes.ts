// Care conferences of a case.
import Type from 'typebox';
import { answerInvitation, cancelConference, rescheduleConference } from '../../care/conferences/change-conference.ts';
import {
  ConferenceCancellation,
  ConferenceHeld,
  ConferenceMove,
  ConferencePlan,
  ConferenceView,
  InvitationAnswer,
} from '../../care/conferences/conference-schema.ts';
import { holdConference } from '../../care/conferences/hold-conference.ts';
import { listConferences, readConference } from '../../care/conferences/list-conferences.ts';
import { planConference } from '../../care/conferences/plan-conference.ts';
import { type ApiRoute, command, query } from './route.ts';

const tag = 'Conferences';
const reads = ['EpisodeOfCare', 'Appointment'] as const;
const one = { tag, reads, answer: ConferenceView } as const;

export const CONFERENCE_ROUTES: readonly ApiRoute[] = [
  query({
    path: '/cases/:id/conferences',
    name: 'conference-list',
    summary: "List the conferences about the case's patient, in the order of their times",
    tag,
    reads,
    answer: Type.Object({ items: Type.Array(ConferenceView) }),
    run: async ({ records, params }) => ({ items: await listConferences(records, params.id) }),
  }),
  query({
    path: '/cases/:id/conferences/:conference',
    name: 'conference-read',
    summary: 'Read a conference',
    ...one,
    run: ({ records, params }) => readConference(records, params.id, params.conference),
  }),
  command({
    method: 'POST',
    path: '/cases/:id/conferences',
    name: 'conference-plan',
    summary: 'Plan a conference and invite people to it',
    ...one,
    body: ConferencePlan,
    examples: {
      body: {
        title: 'Where to live after rehabilitation',
        start: '2026-12-01T14:00:00-05:00',
        minutes: 45,
        where: { display: 'Ward 3' },
        participants: [
          { actor: { reference: 'Practitioner/7' }, required: true },
          { actor: { reference: 'RelatedPerson/3' }, required: false },
        ],
        agenda: ['Stairs at home', 'Medication'],
      },
    },
    plan: ({ records, caller, params, body }) => planConference(records, caller, { caseId: params.id, body }),
    view: ({ records, params }, { id }) => readConference(records, params.id, id),
  }),
  command({
    method: 'POST',
    path: '/cases/:id/conferences/:conference/answer',
    name: 'conference-answer',
    summary: 'Record what somebody answered to the invitation',
    ...one,
    body: InvitationAnswer,
    examples: { body: { participant: { reference: 'Practitioner/7' }, answer: 'accepted' } },
    plan: ({ records, caller, params, body }) =>
      answerInvitation(records, caller, { caseId: params.id, id: params.conference, body }),
    view: ({ records, params }) => readConference(records, params.id, params.conference),
  }),
  command({
    method: 'POST',
    path: '/cases/:id/conferences/:conference/reschedule',
    name: 'conference-reschedule',
    summary: 'Move a conference and ask everybody again',
    ...one,
    body: ConferenceMove,
    examples: { body: { start: '2026-12-03T14:00:00-05:00', minutes: 30 } },
    plan: ({ records, caller, params, body }) =>
      rescheduleConference(records, caller, { caseId: params.id, id: params.conference, body }),
    view: ({ records, params }) => readConference(records, params.id, params.conference),
  }),
  command({
    method: 'POST',
    path: '/cases/:id/conferences/:conference/cancel',
    name: 'conference-cancel',
    summary: 'Call a conference off',
    ...one,
    body: ConferenceCancellation,
    examples: { body: { reason: { text: 'The patient is in hospital' } } },
    plan: ({ records, caller, params, body }) =>
      cancelConference(records, caller, { caseId: params.id, id: params.conference, body }),
    view: ({ records, params }) => readConference(records, params.id, params.conference),
  }),
  command({
    method: 'POST',
    path: '/cases/:id/conferences/:conference/hold',
    name: 'conference-hold',
    summary: 'Record who came, what was decided and the minutes',
    description: 'A decision with `intervention` becomes an intervention of the plan in the same commit.',
    ...one,
    body: ConferenceHeld,
    examples: {
      body: {
        attended: [{ reference: 'Practitioner/7' }],
        decisions: [{ text: 'Ask for a home safety visit', intervention: { due: '2026-12-10' } }],
      },
    },
    plan: ({ records, caller, params, body }) =>
      holdConference(records, caller, { caseId: params.id, id: params.conference, body }),
    view: ({ records, params }) => readConference(records, params.id, params.conference),
  }),
];

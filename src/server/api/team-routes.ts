// The team of a case.
import Type from 'typebox';
import { planAddMember, planChangeMember, planEndMember, planLead } from '../../care/team/plan-team.ts';
import { listTeams, showTeam } from '../../care/team/show-team.ts';
import { AddMember, ChangeMember, EndMember, Team } from '../../care/team/team-schema.ts';
import { command, query } from './route.ts';

const SHARED = { tag: 'Team', reads: ['EpisodeOfCare', 'CareTeam'] } as const;
const example = { member: { reference: 'Practitioner/7' }, role: { text: 'Social worker' }, duties: ['backup'] };

export const TEAM_ROUTES = [
  query({
    ...SHARED,
    path: '/cases/:id/team',
    name: 'team-list',
    summary: 'The team of the case, then other teams of the patient, with everybody who is or was in them',
    answer: Type.Object({ items: Type.Array(Team) }),
    run: async ({ records, caller, params }) => ({ items: await listTeams(records, caller, params.id) }),
  }),
  command({
    ...SHARED,
    method: 'POST',
    path: '/cases/:id/team/members',
    name: 'team-add',
    summary: 'Takes somebody into the team: staff, family or a community partner',
    body: AddMember,
    answer: Team,
    examples: { body: example },
    plan: ({ records, caller, params, body }) => planAddMember(records, caller, { case: params.id, input: body }),
    view: ({ records, caller, params }, made) => showTeam(records, caller, params.id, made.id),
  }),
  command({
    ...SHARED,
    method: 'POST',
    path: '/cases/:id/team/members/:member/change',
    name: 'team-change',
    summary: 'Gives a member another role from a day on, or other duties',
    body: ChangeMember,
    examples: { body: { duties: ['lead'] } },
    answer: Team,
    plan: ({ records, caller, params, body }) =>
      planChangeMember(records, caller, { case: params.id, member: params.member, input: body }),
    view: ({ records, caller, params }, made) => showTeam(records, caller, params.id, made.id),
  }),
  command({
    ...SHARED,
    method: 'POST',
    path: '/cases/:id/team/members/:member/end',
    name: 'team-end',
    summary: 'Ends a membership; it stays on record',
    body: EndMember,
    examples: { body: { end: '2026-11-30', note: 'Moved to another unit' } },
    answer: Team,
    plan: ({ records, caller, params, body }) =>
      planEndMember(records, caller, { case: params.id, member: params.member, input: body }),
    view: ({ records, caller, params }, made) => showTeam(records, caller, params.id, made.id),
  }),
  command({
    ...SHARED,
    method: 'POST',
    path: '/cases/:id/team/members/:member/lead',
    name: 'team-lead',
    summary: 'Makes a member lead the team, instead of who did',
    answer: Team,
    plan: ({ records, caller, params }) => planLead(records, caller, { case: params.id, member: params.member }),
    view: ({ records, caller, params }, made) => showTeam(records, caller, params.id, made.id),
  }),
];

// Referrals of a case: made, made again, chosen, taken back and closed by who refers.
import Type from 'typebox';
import { closeLoop, withdrawReferral } from '../../care/referrals/close-loop.ts';
import { listReferrals, showReferral } from '../../care/referrals/find-referral.ts';
import { chooseProvider, makeReferral, referAgain } from '../../care/referrals/make-referral.ts';
import {
  Choose,
  CloseLoop,
  MakeReferral,
  Reasoned,
  ReferAgain,
  Referral,
} from '../../care/referrals/referral-schema.ts';
import { command, query } from './route.ts';

const SHARED = { tag: 'Referrals', reads: ['EpisodeOfCare', 'ServiceRequest'] } as const;

export const REFERRAL_ROUTES = [
  query({
    ...SHARED,
    path: '/cases/:id/referrals',
    name: 'referral-list',
    summary: 'What was ordered for the patient, the latest first, with what became of it',
    answer: Type.Object({ items: Type.Array(Referral) }),
    run: async ({ records, params }) => ({ items: await listReferrals(records, params.id) }),
  }),
  query({
    ...SHARED,
    path: '/cases/:id/referrals/:referral',
    name: 'referral-read',
    summary: 'One referral, with warnings',
    answer: Referral,
    run: ({ records, params }) => showReferral(records, params.id, params.referral),
  }),
  command({
    ...SHARED,
    method: 'POST',
    path: '/cases/:id/referrals',
    name: 'referral-make',
    summary: 'Refers the patient: to a partner, to whoever claims it, or after the patient has chosen',
    body: MakeReferral,
    answer: Referral,
    examples: {
      body: {
        kind: 'community-resource',
        service: { system: 'http://snomed.info/sct', code: '467771000124109', text: 'Food pantry application' },
        sdoh: ['food-insecurity'],
        to: { reference: 'HealthcareService/pantry' },
        needs: ['12'],
        due: '2026-12-05',
      },
    },
    plan: ({ records, caller, params, body }) => makeReferral(records, caller, { case: params.id, input: body }),
    view: ({ records, params }, made) => showReferral(records, params.id, made.id),
  }),
  command({
    ...SHARED,
    method: 'POST',
    path: '/cases/:id/referrals/:referral/refer-again',
    name: 'referral-again',
    summary: 'Asks another partner after the one before refused, failed or did not deliver',
    body: ReferAgain,
    examples: { body: { to: { reference: 'HealthcareService/12' }, due: '2026-12-05' } },
    answer: Referral,
    plan: ({ records, caller, params, body }) =>
      referAgain(records, caller, { case: params.id, id: params.referral, input: body }),
    view: ({ records, params }, made) => showReferral(records, params.id, made.id),
  }),
  command({
    ...SHARED,
    method: 'POST',
    path: '/cases/:id/referrals/:referral/choices/:choice/choose',
    name: 'referral-choose',
    summary: 'Records which of the offered providers the patient chose, and asks that one',
    body: Choose,
    examples: { body: { chosen: { reference: 'HealthcareService/12' } } },
    answer: Referral,
    plan: ({ records, caller, params, body }) =>
      chooseProvider(records, caller, { case: params.id, id: params.referral, choice: params.choice, input: body }),
    view: ({ records, params }, made) => showReferral(records, params.id, made.id),
  }),
  command({
    ...SHARED,
    method: 'POST',
    path: '/cases/:id/referrals/:referral/withdraw',
    name: 'referral-withdraw',
    summary: 'Takes the referral back, from the partner as well',
    body: Reasoned,
    examples: { body: { reason: 'The family helps' } },
    answer: Referral,
    plan: ({ records, caller, params, body }) =>
      withdrawReferral(records, caller, { case: params.id, id: params.referral, input: body }),
    view: ({ records, params }, made) => showReferral(records, params.id, made.id),
  }),
  command({
    ...SHARED,
    method: 'POST',
    path: '/cases/:id/referrals/:referral/close',
    name: 'referral-close',
    summary: 'Closes the loop: what the patient says became of it, and what it did for goal and needs',
    body: CloseLoop,
    examples: { body: { received: true, note: 'Meals come every day' } },
    answer: Referral,
    plan: ({ records, caller, params, body }) =>
      closeLoop(records, caller, { case: params.id, id: params.referral, input: body }),
    view: ({ records, params }, made) => showReferral(records, params.id, made.id),
  }),
];

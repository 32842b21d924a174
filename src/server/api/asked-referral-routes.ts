// Referrals as the partner who is asked sees and answers them. Who refers may use the same routes for a partner whose
// status they keep themselves.
import Type, { type Static, type TSchema } from 'typebox';
import type { Caller, Planned, Records } from '../../care/records.ts';
import { pollReferrals, readAsked, showAsked } from '../../care/referrals/find-referral.ts';
import {
  AcceptReferral,
  AskedReferral,
  CompleteReferral,
  Reasoned,
  StartReferral,
} from '../../care/referrals/referral-schema.ts';
import {
  acceptReferral,
  completeReferral,
  type ReasonedStatus,
  startReferral,
  stopReferral,
} from '../../care/referrals/step-referral.ts';
import { command, query } from './route.ts';

const SHARED = { tag: 'Referrals, for partners', reads: ['Task'] } as const;

const Poll = Type.Object(
  {
    owner: Type.Optional(Type.String({ format: 'reference', description: 'Organization/3' })),
    status: Type.Optional(Type.String({ maxLength: 200, description: 'One or more with commas between' })),
    since: Type.Optional(Type.String({ format: 'date-time', description: 'Changed at or after' })),
    open: Type.Optional(Type.Boolean({ description: 'Those that nobody has claimed, or those that somebody has' })),
  },
  { additionalProperties: false },
);

interface Step<Body extends TSchema> {
  readonly verb: string;
  readonly summary: string;
  readonly body: Body;
  readonly example: Static<Body>;
  readonly plan: (
    records: Records,
    caller: Caller,
    of: { readonly id: string; readonly input: Static<Body> },
  ) => Promise<Planned>;
}

function step<Body extends TSchema>({ verb, summary, body, example, plan }: Step<Body>) {
  const path: `/referrals/:task/${string}` = `/referrals/:task/${verb}`;
  return command({
    ...SHARED,
    method: 'POST',
    path,
    name: `referral-task-${verb}`,
    summary,
    body,
    examples: { body: example },
    answer: AskedReferral,
    plan: ({ records, caller, params, body: input }) => plan(records, caller, { id: params.task, input }),
    view: async ({ records }, made) => showAsked(records, await readAsked(records, made.id)),
  });
}

const stop = (verb: string, to: ReasonedStatus, summary: string) =>
  step({
    verb,
    summary,
    body: Reasoned,
    example: { reason: 'No place before January' },
    plan: (records, caller, of) => stopReferral(records, caller, { ...of, to }),
  });

export const ASKED_REFERRAL_ROUTES = [
  query({
    ...SHARED,
    path: '/referrals',
    name: 'referral-task-list',
    summary: 'What partners are asked, the latest change first: theirs, and what is open to be claimed',
    query: Poll,
    answer: Type.Object({ items: Type.Array(AskedReferral) }),
    run: async ({ records, query: poll }) => ({ items: await pollReferrals(records, poll) }),
  }),
  query({
    ...SHARED,
    path: '/referrals/:task',
    name: 'referral-task-read',
    summary: 'One, as the partner sees it',
    answer: AskedReferral,
    run: async ({ records, params }) => showAsked(records, await readAsked(records, params.task)),
  }),
  step({
    verb: 'accept',
    summary: 'Accepts it, and claims it when nobody has; with the day that care is to start',
    body: AcceptReferral,
    example: { startOfCare: '2026-12-05' },
    plan: acceptReferral,
  }),
  step({
    verb: 'start',
    summary: 'Starts, or goes on after a hold',
    body: StartReferral,
    example: { on: '2026-12-05' },
    plan: startReferral,
  }),
  step({
    verb: 'complete',
    summary: 'Ends it with what was done',
    body: CompleteReferral,
    example: { service: { text: 'Meals delivered' }, start: '2026-12-05', end: '2027-01-05' },
    plan: completeReferral,
  }),
  stop('reject', 'rejected', 'Rejects it, with the reason'),
  stop('hold', 'on-hold', 'Puts it on hold, with the reason'),
  stop('fail', 'failed', 'Could not be done, with the reason'),
  stop('cancel', 'cancelled', 'Takes back the asking, or gives it back, with the reason; the order stays'),
];

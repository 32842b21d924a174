// Follow-ups of a transition: what was tried, done, handed on, acknowledged, moved or withdrawn.
import Type, { type Static, type TSchema } from 'typebox';
import { attemptFollowUp } from '../../care/follow-ups/attempt-follow-up.ts';
import {
  acknowledgeFollowUp,
  completeFollowUp,
  giveUpFollowUp,
  reassignFollowUp,
  rescheduleFollowUp,
  withdrawFollowUp,
} from '../../care/follow-ups/change-follow-up.ts';
import type { OnFollowUp } from '../../care/follow-ups/follow-up-at-hand.ts';
import {
  Acknowledgement,
  Attempt,
  Completion,
  FollowUpFilter,
  FollowUpView,
  GivingUp,
  NewDeadline,
  Reassignment,
  TransitionWithdrawal,
  Withdrawal,
  WithdrawnTransition,
} from '../../care/follow-ups/follow-up-schema.ts';
import { listFollowUps, showFollowUp } from '../../care/follow-ups/follow-up-view.ts';
import { showWithdrawn, withdrawTransition } from '../../care/follow-ups/withdraw-transition.ts';
import { deliverNotice } from '../../care/notices/deliver-notice.ts';
import { NoticeGiven } from '../../care/notices/notice-schema.ts';
import type { Caller, Planned, Records } from '../../care/records.ts';
import { type ApiRoute, command, query } from './route.ts';

const tag = 'Follow-ups';
const reads = ['EpisodeOfCare', 'Task'] as const;

type Run<Body> = (records: Records, caller: Caller, on: OnFollowUp<Body>) => Promise<Planned>;

/** A command on one follow-up, whose answer is that follow-up. */
function onOne<Body extends TSchema>(
  verb: string,
  summary: string,
  body: Body,
  example: object,
  run: Run<Static<Body>>,
): ApiRoute {
  return command({
    method: 'POST',
    path: `/transitions/:id/follow-ups/:task/${verb}` as '/transitions/:id/follow-ups/:task',
    name: `follow-up-${verb}`,
    summary,
    tag,
    reads: verb === 'attempt' ? [...reads, 'Communication'] : reads,
    body,
    answer: FollowUpView,
    examples: { body: example },
    plan: ({ records, caller, params, body: sent }) =>
      run(records, caller, { transition: params.id, task: params.task, body: sent }),
    view: ({ records, params }) => showFollowUp(records, { transition: params.id, task: params.task }),
  });
}

export const FOLLOW_UP_ROUTES: readonly ApiRoute[] = [
  query({
    path: '/transitions/:id/follow-ups',
    name: 'follow-up-list',
    summary: 'Follow-ups of a transition by deadline, and where each stands',
    tag,
    reads,
    query: FollowUpFilter,
    answer: Type.Object({ items: Type.Array(FollowUpView) }),
    run: ({ records, params, query: filter }) => listFollowUps(records, params.id, filter),
  }),
  query({
    path: '/transitions/:id/follow-ups/:task',
    name: 'follow-up-read',
    summary: 'One follow-up',
    tag,
    reads,
    answer: FollowUpView,
    run: ({ records, params }) => showFollowUp(records, { transition: params.id, task: params.task }),
  }),
  onOne(
    'attempt',
    'Log a contact or an attempt; who is reached completes it, attempts in time earn credit',
    Attempt,
    { channel: 'phone', party: 'patient', outcome: 'left-message', started: '2026-11-30T10:15:00-05:00' },
    attemptFollowUp,
  ),
  onOne(
    'complete',
    'Say that it is done',
    Completion,
    { outcome: { text: 'All medicines reconciled' } },
    completeFollowUp,
  ),
  onOne(
    'deliver',
    'Say that a notice of a stay was given, and how: it is done with that',
    NoticeGiven,
    {
      delivered: '2026-11-30T10:15:00-05:00',
      signed: '2026-11-30T10:20:00-05:00',
      document: { url: 'https://files.example.org/notices/17.pdf', contentType: 'application/pdf' },
    },
    deliverNotice,
  ),
  onOne(
    'give-up',
    'Say that it was tried and will not be done, with the reason',
    GivingUp,
    { reason: { text: 'Patient does not want a visit' } },
    giveUpFollowUp,
  ),
  onOne(
    'reassign',
    'Give it to somebody else, who is told',
    Reassignment,
    { owner: { reference: 'Practitioner/8' } },
    reassignFollowUp,
  ),
  onOne(
    'acknowledge',
    'See to one that is late; nobody further up is told for now',
    Acknowledgement,
    { note: 'Calling the daughter this afternoon' },
    acknowledgeFollowUp,
  ),
  onOne('reschedule', 'Move its deadline', NewDeadline, { due: '2026-12-04' }, rescheduleFollowUp),
  onOne(
    'withdraw',
    'Withdraw it, with the reason',
    Withdrawal,
    { reason: 'opted-out', note: 'Sees her own coach' },
    withdrawFollowUp,
  ),
  command({
    method: 'POST',
    path: '/transitions/:id/withdraw',
    name: 'transition-withdraw',
    summary: 'Withdraw a transition with all that is left of its plan: opted out, another provider bills',
    tag,
    reads: ['EpisodeOfCare'],
    body: TransitionWithdrawal,
    answer: WithdrawnTransition,
    examples: { body: { reason: 'opted-out' } },
    plan: ({ records, caller, params, body }) => withdrawTransition(records, caller, { transition: params.id, body }),
    view: ({ records, params }) => showWithdrawn(records, params.id),
  }),
];

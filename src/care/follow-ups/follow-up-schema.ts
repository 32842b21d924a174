// Follow-ups of a transition as an application sends and gets them.
import Type, { type Static } from 'typebox';
import { Coded } from '../coded.ts';
import { LogContact } from '../contacts/contact-schema.ts';
import { DateOrTime, Moment } from '../given-time.ts';
import { OWNERS } from '../known-resource.ts';
import { LinkedOut } from '../linked.ts';
import { NoteOut, NoteText } from '../note.ts';
import { NoticeDelivery } from '../notices/notice-schema.ts';
import { PartyOf } from '../party.ts';
import { STAGES, type Stage } from '../transition/life.ts';

const stages = Object.keys(STAGES) as Stage[];

export const FollowUpView = Type.Object(
  {
    id: Type.String(),
    version: Type.String(),
    step: Type.String({ description: 'Id of the step in the protocol' }),
    stage: Type.Enum(stages, { description: 'Where it stands: docs/transitions.md' }),
    status: Type.String({ description: 'Task.status' }),
    reason: Type.Optional(Coded),
    kind: Type.Optional(Coded),
    description: Type.Optional(Type.String()),
    priority: Type.Optional(Type.String()),
    owner: Type.Optional(LinkedOut),
    start: Type.Optional(Type.String()),
    due: Type.Optional(Type.String()),
    done: Type.Optional(Type.String()),
    remindAt: Type.Optional(Type.String()),
    escalateAt: Type.Optional(Type.String({ description: 'When the next one is told that it is late' })),
    expireAt: Type.Optional(Type.String()),
    attempts: Type.Array(LinkedOut, { description: 'The contacts and attempts at it' }),
    attemptsWanted: Type.Optional(Type.Integer({ description: 'So many separate attempts in time earn credit' })),
    credited: Type.Optional(Type.String({ description: 'When the attempt was that earned it' })),
    notCounted: Type.Optional(
      Type.Array(Type.Object({ contact: LinkedOut, because: Type.String() }), {
        description: 'Contacts at one that is to reach the patient which do not do it, or do not count at all, and why',
      }),
    ),
    delivery: Type.Optional(NoticeDelivery),
    notes: Type.Array(NoteOut),
    can: Type.Array(Type.String(), { description: 'What may happen to it now' }),
  },
  { additionalProperties: false },
);
export type FollowUpView = Static<typeof FollowUpView>;

export const FollowUpFilter = Type.Object(
  {
    stage: Type.Optional(Type.Enum(stages)),
    open: Type.Optional(Type.Boolean({ description: 'Only those that have not ended' })),
  },
  { additionalProperties: false },
);
export type FollowUpFilter = Static<typeof FollowUpFilter>;

export const Attempt = Type.Object(
  {
    ...Type.Omit(LogContact, ['intervention', 'completes']).properties,
    completes: Type.Optional(
      Type.Boolean({ description: 'Whether who was reached completes the follow-up; yes when not given' }),
    ),
  },
  { additionalProperties: false, description: 'A contact, or an attempt at one' },
);
export type Attempt = Static<typeof Attempt>;

export const Completion = Type.Object(
  {
    at: Type.Optional(Moment),
    outcome: Type.Optional(Coded),
    note: Type.Optional(NoteText),
  },
  { additionalProperties: false },
);
export type Completion = Static<typeof Completion>;

export const GivingUp = Type.Object(
  { reason: Coded, note: Type.Optional(NoteText) },
  { additionalProperties: false, description: 'Why it was not done' },
);
export type GivingUp = Static<typeof GivingUp>;

export const Reassignment = Type.Object(
  { owner: PartyOf(OWNERS, 'Whose it becomes'), note: Type.Optional(NoteText) },
  { additionalProperties: false },
);
export type Reassignment = Static<typeof Reassignment>;

export const Acknowledgement = Type.Object(
  {
    until: Type.Optional(DateOrTime),
    note: Type.Optional(NoteText),
  },
  {
    additionalProperties: false,
    description:
      'Somebody sees to it: nobody else is told before `until`, the end of the next business day when absent',
  },
);
export type Acknowledgement = Static<typeof Acknowledgement>;

export const NewDeadline = Type.Object(
  { due: DateOrTime, note: Type.Optional(NoteText) },
  { additionalProperties: false },
);
export type NewDeadline = Static<typeof NewDeadline>;

/** Why people withdraw a follow-up or a whole transition (CodeSystem transition-reason). */
export const WITHDRAWALS = ['opted-out', 'other-provider-bills', 'not-needed', 'readmitted', 'died'] as const;

export const Withdrawal = Type.Object(
  { reason: Type.Enum([...WITHDRAWALS]), note: Type.Optional(NoteText) },
  { additionalProperties: false },
);
export type Withdrawal = Static<typeof Withdrawal>;

export const TransitionWithdrawal = Type.Object(
  { reason: Type.Enum([...WITHDRAWALS]) },
  { additionalProperties: false },
);
export type TransitionWithdrawal = Static<typeof TransitionWithdrawal>;

export const WithdrawnTransition = Type.Object(
  { id: Type.String(), version: Type.String(), status: Type.String(), reason: Type.Optional(Type.String()) },
  { additionalProperties: false },
);
export type WithdrawnTransition = Static<typeof WithdrawnTransition>;

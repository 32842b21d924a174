// A case as an application sends and gets it.
import Type, { type Static } from 'typebox';
import { Coded } from '../coded.ts';
import { Linked, LinkedOut } from '../linked.ts';
import { FollowPathway } from '../pathways/pathway-schema.ts';

const Note = Type.String({ minLength: 1, maxLength: 10_000, description: 'Words for the record' });
const Day = Type.String({ format: 'date-or-time' });

export const CASE_STATUSES = ['planned', 'waitlist', 'active', 'onhold', 'finished', 'cancelled'] as const;
const Status = Type.Enum([...CASE_STATUSES]);
export const Priority = Type.Enum(['routine', 'urgent', 'asap', 'stat']);

export const OpenCase = Type.Object(
  {
    patient: Linked,
    programme: Type.Optional(Coded),
    status: Type.Optional(Type.Enum(['planned', 'waitlist', 'active'], { default: 'active' })),
    priority: Type.Optional(Priority),
    reasons: Type.Optional(Type.Array(Coded, { maxItems: 20, description: 'Why the patient needs case management' })),
    diagnoses: Type.Optional(Type.Array(Linked, { maxItems: 50, description: 'Conditions the case is about' })),
    referral: Type.Optional(Linked),
    careManager: Type.Optional(Linked),
    organization: Type.Optional(Linked),
    team: Type.Optional(
      Type.Array(
        Type.Object(
          { member: Linked, role: Coded, onBehalfOf: Type.Optional(Linked) },
          { additionalProperties: false },
        ),
        { maxItems: 100, description: 'Who takes part, beside the patient and the case manager' },
      ),
    ),
    title: Type.Optional(Type.String({ minLength: 1, maxLength: 200, description: "Of the case's plan" })),
    start: Type.Optional(Day),
    pathway: Type.Optional(FollowPathway),
  },
  { additionalProperties: false },
);
export type OpenCase = Static<typeof OpenCase>;

export const AssignCase = Type.Object(
  { careManager: Linked, note: Type.Optional(Note) },
  { additionalProperties: false },
);
export type AssignCase = Static<typeof AssignCase>;

export const HandOverCase = Type.Object(
  {
    to: { ...Linked, description: 'The case manager from now on' },
    note: { ...Note, description: 'What the next case manager must know' },
    date: Type.Optional({ ...Day, description: 'Since when; now when absent' }),
  },
  { additionalProperties: false },
);
export type HandOverCase = Static<typeof HandOverCase>;

export const CaseStep = Type.Object({ note: Type.Optional(Note) }, { additionalProperties: false });
export type CaseStep = Static<typeof CaseStep>;

export const ReasonedStep = Type.Object({ reason: Coded, note: Type.Optional(Note) }, { additionalProperties: false });
export type ReasonedStep = Static<typeof ReasonedStep>;

const outstanding = Type.Optional(
  Type.Enum(['refuse', 'cancel'], {
    default: 'refuse',
    description: 'What becomes of interventions that are not done: they stand against it, or are cancelled',
  }),
);

export const CloseCase = Type.Object(
  { reason: Coded, outcome: Coded, outstanding, note: Type.Optional(Note) },
  { additionalProperties: false },
);
export type CloseCase = Static<typeof CloseCase>;

export const CancelCase = Type.Object(
  { reason: Coded, outstanding, note: Type.Optional(Note) },
  { additionalProperties: false },
);
export type CancelCase = Static<typeof CancelCase>;

export const ReviseCase = Type.Object(
  {
    priority: Type.Optional(Type.Union([Priority, Type.Null()])),
    reasons: Type.Optional(Type.Array(Coded, { maxItems: 20, description: 'All of them' })),
    diagnoses: Type.Optional(Type.Array(Linked, { maxItems: 50, description: 'All of them' })),
    organization: Type.Optional(Type.Union([Linked, Type.Null()])),
  },
  { additionalProperties: false, minProperties: 1, description: 'Only what is to change; null takes it away' },
);
export type ReviseCase = Static<typeof ReviseCase>;

const PeriodOut = Type.Object({ start: Type.Optional(Type.String()), end: Type.Optional(Type.String()) });

export const CaseView = Type.Object({
  id: Type.String(),
  version: Type.String(),
  status: Status,
  statusReason: Type.Optional(Coded),
  patient: LinkedOut,
  programme: Type.Optional(Coded),
  priority: Type.Optional(Type.String()),
  reasons: Type.Array(Coded),
  diagnoses: Type.Array(LinkedOut),
  careManager: Type.Optional(LinkedOut),
  organization: Type.Optional(LinkedOut),
  referrals: Type.Array(LinkedOut),
  teams: Type.Array(LinkedOut),
  plan: Type.Optional(LinkedOut),
  period: Type.Optional(PeriodOut),
  outcome: Type.Optional(Coded),
  statusHistory: Type.Array(Type.Object({ status: Type.String(), period: PeriodOut, reason: Type.Optional(Coded) })),
});
export type CaseView = Static<typeof CaseView>;

const List = { minLength: 1, maxLength: 2_000 } as const;

export const CaseQuery = Type.Object(
  {
    patient: Type.Optional(Type.String({ format: 'reference', description: 'Patient/12' })),
    careManager: Type.Optional(Type.String({ format: 'reference', description: 'Practitioner/12' })),
    status: Type.Optional(Type.String({ ...List, description: 'One or more with commas between; all when absent' })),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200, default: 50 })),
    after: Type.Optional(Type.String({ ...List, description: '`next` of the page before' })),
  },
  { additionalProperties: false },
);
export type CaseQuery = Static<typeof CaseQuery>;

export const CaseList = Type.Object({ items: Type.Array(CaseView), next: Type.Optional(Type.String()) });
export type CaseList = Static<typeof CaseList>;

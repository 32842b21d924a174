// An intervention as an application sends and gets it.
import Type, { type Static } from 'typebox';
import { Coded } from '../coded.ts';
import { DateOrTime } from '../given-time.ts';
import { Linked, LinkedOut } from '../linked.ts';
import { Value } from '../measured-value.ts';
import { NoteOut, NoteText } from '../note.ts';

const members = {
  description: Type.Optional(
    Type.String({ minLength: 1, maxLength: 10_000, description: 'What is to be done, in words' }),
  ),
  code: Type.Optional({ ...Coded, description: 'What is to be done, as a code' }),
  priority: Type.Optional(Type.Enum(['routine', 'urgent', 'asap', 'stat'], { description: 'Routine when absent' })),
  owner: Type.Optional({
    ...Linked,
    description: 'Who is to do it; the patient or a caregiver gets it as their own task',
  }),
  start: Type.Optional({ ...DateOrTime, description: 'Not before' }),
  due: Type.Optional({ ...DateOrTime, description: 'By when; a date ends with its day' }),
  goals: Type.Optional(Type.Array(Linked, { minItems: 1, maxItems: 50, description: 'Goals it works towards' })),
  need: Type.Optional({ ...Linked, description: 'The need it is about' }),
};

export const InterventionInput = Type.Object(
  { ...members, note: Type.Optional(NoteText) },
  { additionalProperties: false, description: 'Something to do: a code, words, or both' },
);
export type InterventionInput = Static<typeof InterventionInput>;

export const SeveralInterventions = Type.Object(
  { items: Type.Array(InterventionInput, { minItems: 1, maxItems: 100 }) },
  { additionalProperties: false },
);
export type SeveralInterventions = Static<typeof SeveralInterventions>;

export const InterventionRevision = Type.Object(
  {
    description: members.description,
    code: members.code,
    priority: members.priority,
    goals: Type.Optional(Type.Array(Linked, { maxItems: 50, description: 'All of them' })),
    need: Type.Optional(Type.Union([Linked, Type.Null()])),
    note: Type.Optional(NoteText),
  },
  { additionalProperties: false, minProperties: 1, description: 'Only what is to change; null takes it away' },
);
export type InterventionRevision = Static<typeof InterventionRevision>;

export const Assignment = Type.Object(
  { owner: Linked, note: Type.Optional(NoteText) },
  { additionalProperties: false, description: 'Who is to do it from now on' },
);
export type Assignment = Static<typeof Assignment>;

export const Delegation = Type.Object(
  {
    to: Type.Optional({ ...Linked, description: 'The patient when absent, or a caregiver of theirs' }),
    description: Type.Optional(
      Type.String({ minLength: 1, maxLength: 10_000, description: 'In the words of the patient' }),
    ),
    note: Type.Optional(NoteText),
  },
  { additionalProperties: false },
);
export type Delegation = Static<typeof Delegation>;

export const Rescheduling = Type.Object(
  {
    start: Type.Optional(Type.Union([{ ...DateOrTime, description: 'Not before' }, Type.Null()])),
    due: Type.Optional(Type.Union([{ ...DateOrTime, description: 'By when' }, Type.Null()])),
    note: Type.Optional(NoteText),
  },
  { additionalProperties: false, minProperties: 1 },
);
export type Rescheduling = Static<typeof Rescheduling>;

const Output = Type.Object(
  {
    type: Type.Optional({ ...Coded, description: 'What kind of result; the outcome when absent' }),
    value: Type.Optional(Value),
    reference: Type.Optional({ ...Linked, description: 'A resource that is the result' }),
  },
  { additionalProperties: false, description: 'A value or a resource' },
);

export const InterventionStep = Type.Object(
  {
    at: Type.Optional({ ...DateOrTime, description: 'When it happened; now when absent' }),
    reason: Type.Optional(Coded),
    outcome: Type.Optional(Coded),
    outputs: Type.Optional(Type.Array(Output, { minItems: 1, maxItems: 50 })),
    note: Type.Optional(NoteText),
  },
  { additionalProperties: false },
);
export type InterventionStep = Static<typeof InterventionStep>;

export const InterventionView = Type.Object({
  id: Type.String(),
  version: Type.String(),
  type: Type.String({ description: 'Type of the FHIR resource; commands work on a Task' }),
  status: Type.Optional(Type.String()),
  statusReason: Type.Optional(Coded),
  businessStatus: Type.Optional(Coded),
  priority: Type.Optional(Type.String()),
  code: Type.Optional(Coded),
  description: Type.Optional(Type.String()),
  owner: Type.Optional(LinkedOut),
  requester: Type.Optional(LinkedOut),
  goals: Type.Array(LinkedOut),
  need: Type.Optional(LinkedOut),
  start: Type.Optional(Type.String()),
  due: Type.Optional(Type.String()),
  overdue: Type.Boolean(),
  started: Type.Optional(Type.String()),
  ended: Type.Optional(Type.String()),
  outcomes: Type.Array(
    Type.Object({ type: Type.Optional(Coded), value: Type.Optional(Value), reference: Type.Optional(LinkedOut) }),
  ),
  notes: Type.Array(NoteOut),
  plan: Type.Optional(LinkedOut),
  origin: Type.Optional(Type.String({ description: 'Where it came from, when not from here' })),
});
export type InterventionView = Static<typeof InterventionView>;

// A goal as an application sends and gets it.
import Type, { type Static } from 'typebox';
import { ACHIEVEMENTS } from '../../fhir/status/achievement.ts';
import { Coded } from '../coded.ts';
import { Linked, LinkedOut } from '../linked.ts';
import { Value } from '../measured-value.ts';
import { SOCIAL_NEEDS } from '../needs/social-needs.ts';
import { NoteOut, NoteText } from '../note.ts';

export type Achievement = (typeof ACHIEVEMENTS)[number];

const targetMembers = {
  measure: Type.Optional({ ...Coded, description: 'What is measured, preferably by LOINC' }),
  detail: Type.Optional({ ...Value, description: 'What it is to be' }),
  due: Type.Optional(Type.String({ format: 'date' })),
};

export const Target = Type.Object(targetMembers, {
  additionalProperties: false,
  minProperties: 1,
  description: 'Something by which one sees that the goal is reached',
});
export type Target = Static<typeof Target>;

/** Sent back as it is shown, where it comes from elsewhere and is due within a time. */
const TargetAgain = Type.Object(
  {
    ...targetMembers,
    within: Type.Optional(Type.String({ description: 'As it is shown; a due date takes its place' })),
  },
  { additionalProperties: false },
);
export type TargetAgain = Static<typeof TargetAgain>;

const members = {
  description: Coded,
  status: Type.Optional(
    Type.Enum(['proposed', 'planned', 'accepted', 'active'], { description: 'Active when absent' }),
  ),
  priority: Type.Optional(Type.Enum(['high', 'medium', 'low'])),
  category: Type.Optional(Type.Enum([...SOCIAL_NEEDS], { description: 'SDOH category of Gravity' })),
  start: Type.Optional(Type.String({ format: 'date', description: 'Today when absent' })),
  targets: Type.Optional(Type.Array(Target, { minItems: 1, maxItems: 50 })),
  expressedBy: Type.Optional({ ...Linked, description: 'Whose wish it is: the patient, a caregiver, a clinician' }),
  addresses: Type.Optional(Type.Array(Linked, { minItems: 1, maxItems: 100, description: 'Needs, findings or risks' })),
};

export const GoalInput = Type.Object(
  { ...members, note: Type.Optional(NoteText) },
  { additionalProperties: false, description: 'A goal to set' },
);
export type GoalInput = Static<typeof GoalInput>;

export const GoalRevision = Type.Object(
  {
    description: Type.Optional(Coded),
    priority: Type.Optional(Type.Union([Type.Enum(['high', 'medium', 'low']), Type.Null()])),
    start: members.start,
    targets: Type.Optional(
      Type.Array(TargetAgain, { maxItems: 50, description: 'All of them; those that stay keep all they have' }),
    ),
    expressedBy: members.expressedBy,
    addresses: Type.Optional(Type.Array(Linked, { maxItems: 100, description: 'All of them' })),
    note: Type.Optional(NoteText),
  },
  { additionalProperties: false, minProperties: 1, description: 'Only what is to change; null takes it away' },
);
export type GoalRevision = Static<typeof GoalRevision>;

export const GoalStatusReason = Type.Object(
  { reason: Type.Optional(Type.String({ minLength: 1, maxLength: 1_000 })), note: Type.Optional(NoteText) },
  { additionalProperties: false },
);

export const GoalEnding = Type.Object(
  {
    achievement: Type.Optional(Type.Enum([...ACHIEVEMENTS])),
    reason: Type.Optional(Type.String({ minLength: 1, maxLength: 1_000 })),
    note: Type.Optional(NoteText),
  },
  { additionalProperties: false },
);
export type GoalEnding = Static<typeof GoalEnding>;

export const AcceptanceInput = Type.Object(
  {
    by: Type.Optional({ ...Linked, description: 'Who agrees; the patient when absent' }),
    answer: Type.Enum(['agree', 'disagree', 'pending']),
    priority: Type.Optional(Type.Enum(['high', 'medium', 'low'], { description: 'How much it matters to them' })),
    note: Type.Optional(NoteText),
  },
  { additionalProperties: false },
);
export type AcceptanceInput = Static<typeof AcceptanceInput>;

export const ProgressInput = Type.Object(
  {
    achievement: Type.Optional(Type.Enum([...ACHIEVEMENTS], { description: 'What it means for the goal' })),
    at: Type.Optional(Type.String({ format: 'date-or-time', description: 'When it stood so; now when absent' })),
    measure: Type.Optional({ ...Coded, description: 'What was measured, e.g. that of a target' }),
    value: Type.Optional(Value),
    shownBy: Type.Optional(
      Type.Array(Linked, { minItems: 1, maxItems: 50, description: 'Observations that are there' }),
    ),
    note: Type.Optional(NoteText),
  },
  { additionalProperties: false, minProperties: 1, description: 'How the goal stands' },
);
export type ProgressInput = Static<typeof ProgressInput>;

export const ProgressView = Type.Object({
  id: Type.String({ description: 'Of the Observation' }),
  at: Type.Optional(Type.String()),
  achievement: Type.Optional(Type.String()),
  measure: Type.Optional(Coded),
  value: Type.Optional(Value),
  by: Type.Array(LinkedOut),
  notes: Type.Array(NoteOut),
});
export type ProgressView = Static<typeof ProgressView>;

const Acceptance = Type.Object({
  by: Type.Optional(LinkedOut),
  answer: Type.Optional(Type.String()),
  priority: Type.Optional(Type.String()),
});

export const GoalView = Type.Object({
  id: Type.String(),
  version: Type.String(),
  status: Type.String({ description: 'Goal.lifecycleStatus' }),
  statusReason: Type.Optional(Type.String()),
  achievement: Type.Optional(Type.String({ description: 'Code of goal-achievement, or words' })),
  achievedOn: Type.Optional(Type.String({ description: 'Since when the achievement is so' })),
  description: Type.Optional(Coded),
  priority: Type.Optional(Type.String({ description: 'high, medium, low, or the words of where it came from' })),
  category: Type.Optional(Type.String()),
  start: Type.Optional(Type.String()),
  targets: Type.Array(
    Type.Object({
      measure: Type.Optional(Coded),
      detail: Type.Optional(Value),
      due: Type.Optional(Type.String()),
      within: Type.Optional(Type.String({ description: 'Where it is due within a time instead: 3 mo' })),
    }),
  ),
  overdue: Type.Boolean({ description: 'A target is due and the goal is still pursued' }),
  expressedBy: Type.Optional(LinkedOut),
  addresses: Type.Array(LinkedOut),
  acceptance: Type.Array(Acceptance),
  notes: Type.Array(NoteOut),
  plan: Type.Optional(LinkedOut),
  origin: Type.Optional(Type.String({ description: 'Where it came from, when not from here' })),
});
export type GoalView = Static<typeof GoalView>;

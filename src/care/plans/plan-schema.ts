// The plan of a case as an application sends and gets it.
import Type, { type Static } from 'typebox';
import { Coded } from '../coded.ts';
import { GoalView, ProgressView } from '../goals/goal-schema.ts';
import { InterventionView } from '../interventions/intervention-schema.ts';
import { LinkedOut } from '../linked.ts';
import { NeedView } from '../needs/need-schema.ts';
import { NoteOut, NoteText } from '../note.ts';

const members = {
  title: Type.Optional(Type.String({ minLength: 1, maxLength: 500 })),
  description: Type.Optional(Type.String({ minLength: 1, maxLength: 10_000 })),
  period: Type.Optional(
    Type.Object(
      { start: Type.Optional(Type.String({ format: 'date' })), end: Type.Optional(Type.String({ format: 'date' })) },
      { additionalProperties: false, minProperties: 1 },
    ),
  ),
};

export const PlanInput = Type.Object(
  { ...members, note: Type.Optional(NoteText) },
  { additionalProperties: false, description: 'A plan to start, or to go on with in place of the one that is' },
);
export type PlanInput = Static<typeof PlanInput>;

export const PlanRevision = Type.Object(
  {
    ...members,
    description: Type.Optional(Type.Union([Type.String({ minLength: 1, maxLength: 10_000 }), Type.Null()])),
    note: Type.Optional(NoteText),
  },
  { additionalProperties: false, minProperties: 1, description: 'Only what is to change; null takes it away' },
);
export type PlanRevision = Static<typeof PlanRevision>;

export const PlanStep = Type.Object(
  {
    reason: Type.Optional(Type.String({ minLength: 1, maxLength: 1_000 })),
    openInterventions: Type.Optional(
      Type.Enum(['cancel'], {
        description: 'Cancels what is still open; without it a plan with open tasks does not end',
      }),
    ),
    note: Type.Optional(NoteText),
  },
  { additionalProperties: false },
);
export type PlanStep = Static<typeof PlanStep>;

const GoalInPlan = Type.Object({
  goal: GoalView,
  progress: Type.Array(ProgressView),
  interventions: Type.Array(InterventionView),
});

export const PlanView = Type.Object({
  id: Type.String(),
  version: Type.String(),
  status: Type.String(),
  title: Type.Optional(Type.String()),
  description: Type.Optional(Type.String()),
  period: Type.Optional(Type.Object({ start: Type.Optional(Type.String()), end: Type.Optional(Type.String()) })),
  created: Type.Optional(Type.String()),
  author: Type.Optional(LinkedOut),
  replaces: Type.Array(LinkedOut),
  teams: Type.Array(LinkedOut),
  notes: Type.Array(NoteOut),
  review: Type.Optional(Type.Object({ due: Type.Optional(Type.String()), overdue: Type.Boolean() })),
  needs: Type.Array(
    Type.Object({ need: NeedView, goals: Type.Array(GoalInPlan), interventions: Type.Array(InterventionView) }),
    { description: 'Each need with the goals that address it, and what is done about it' },
  ),
  goals: Type.Array(GoalInPlan, { description: 'Goals that address no need of the plan' }),
  interventions: Type.Array(InterventionView, {
    description: 'What works towards no goal and is about no need of the plan',
  }),
  unseen: Type.Array(LinkedOut, { description: 'What the plan refers to and is gone, or may not be seen' }),
});
export type PlanView = Static<typeof PlanView>;

export const PlanSummary = Type.Object({
  id: Type.String(),
  version: Type.String(),
  status: Type.String(),
  title: Type.Optional(Type.String()),
  categories: Type.Array(Coded),
  period: Type.Optional(Type.Object({ start: Type.Optional(Type.String()), end: Type.Optional(Type.String()) })),
  ofCase: Type.Boolean({ description: 'Whether it is a plan of this case' }),
  needs: Type.Array(LinkedOut),
  goals: Type.Array(LinkedOut),
  teams: Type.Array(LinkedOut),
  activities: Type.Array(
    Type.Object({
      reference: Type.Optional(LinkedOut),
      code: Type.Optional(Coded),
      status: Type.Optional(Type.String()),
      description: Type.Optional(Type.String()),
    }),
    { description: 'By reference, or in the plan itself where it comes from elsewhere' },
  ),
  origin: Type.Optional(Type.String({ description: 'Where it came from, when not from here' })),
});
export type PlanSummary = Static<typeof PlanSummary>;

// A review of the plan as an application sends and gets it.
import Type, { type Static } from 'typebox';
import { Linked, LinkedOut } from '../linked.ts';
import { NoteOut, NoteText } from '../note.ts';

const NextReview = Type.String({ format: 'date', description: 'When the plan is to be looked at next' });

export const ReviewInput = Type.Object(
  {
    outcome: Type.Enum(['continue', 'revise', 'close']),
    reviewed: Type.Optional(
      Type.Array(Linked, {
        minItems: 1,
        maxItems: 100,
        description: 'Goals, needs and interventions that were looked at',
      }),
    ),
    at: Type.Optional(Type.String({ format: 'date-or-time', description: 'Now when absent' })),
    note: Type.Optional(NoteText),
    next: Type.Optional(NextReview),
  },
  { additionalProperties: false },
);
export type ReviewInput = Static<typeof ReviewInput>;

export const ReviewSchedule = Type.Object(
  { due: NextReview, owner: Type.Optional(Linked) },
  { additionalProperties: false, description: 'When the plan is to be looked at, and by whom' },
);
export type ReviewSchedule = Static<typeof ReviewSchedule>;

export const ReviewView = Type.Object({
  id: Type.String(),
  version: Type.String(),
  status: Type.String({ description: 'Task.status: completed once it was done' }),
  due: Type.Optional(Type.String()),
  overdue: Type.Boolean(),
  owner: Type.Optional(LinkedOut),
  at: Type.Optional(Type.String()),
  outcome: Type.Optional(Type.String({ description: 'continue, revise, close' })),
  reviewed: Type.Array(LinkedOut),
  notes: Type.Array(NoteOut),
});
export type ReviewView = Static<typeof ReviewView>;

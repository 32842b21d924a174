// A need or barrier as an application sends and gets it.
import Type, { type Static } from 'typebox';
import { Coded } from '../coded.ts';
import { Linked, LinkedOut } from '../linked.ts';
import { NoteOut, NoteText } from '../note.ts';
import { SOCIAL_NEEDS } from './social-needs.ts';

export const SEVERITIES = { mild: '255604002', moderate: '6736007', severe: '24484000' } as const;

const KINDS = ['health-concern', 'social-need', 'barrier'] as const;
const VERIFICATIONS = ['unconfirmed', 'provisional', 'differential', 'confirmed'] as const;

const members = {
  kind: Type.Enum([...KINDS], { description: 'A barrier stands in the way of care' }),
  category: Type.Optional(
    Type.Enum([...SOCIAL_NEEDS], { description: 'SDOH category of Gravity; a social need must have one' }),
  ),
  code: Coded,
  severity: Type.Optional(Type.Enum(['mild', 'moderate', 'severe'])),
  onset: Type.Optional(Type.Union([Type.String({ format: 'partial-date' }), Type.String({ format: 'date-or-time' })])),
  verification: Type.Optional(Type.Enum([...VERIFICATIONS], { description: 'Confirmed when absent' })),
  statedBy: Type.Optional(Linked),
  evidence: Type.Optional(
    Type.Array(Linked, { minItems: 1, maxItems: 100, description: 'Answers and observations that show it' }),
  ),
};

export const NeedInput = Type.Object(
  { ...members, note: Type.Optional(NoteText) },
  { additionalProperties: false, description: 'A need to record' },
);
export type NeedInput = Static<typeof NeedInput>;

/** What of a need may be revised; `null` takes away what may be absent. */
export const NeedRevision = Type.Object(
  {
    kind: Type.Optional(members.kind),
    category: Type.Optional(Type.Union([Type.Enum([...SOCIAL_NEEDS]), Type.Null()])),
    code: Type.Optional(Coded),
    severity: Type.Optional(Type.Union([Type.Enum(['mild', 'moderate', 'severe']), Type.Null()])),
    onset: Type.Optional(
      Type.Union([Type.String({ format: 'partial-date' }), Type.String({ format: 'date-or-time' }), Type.Null()]),
    ),
    verification: members.verification,
    evidence: members.evidence,
    note: Type.Optional(NoteText),
  },
  { additionalProperties: false, minProperties: 1, description: 'Only what is to change; null takes it away' },
);
export type NeedRevision = Static<typeof NeedRevision>;

export const NeedEnding = Type.Object(
  {
    on: Type.Optional(Type.String({ format: 'date-or-time', description: 'When it ended; now when absent' })),
    note: Type.Optional(NoteText),
  },
  { additionalProperties: false },
);
export type NeedEnding = Static<typeof NeedEnding>;

export const NeedView = Type.Object({
  id: Type.String(),
  version: Type.String(),
  kind: Type.String({ description: 'health-concern, social-need, barrier; elsewhere also problem or diagnosis' }),
  category: Type.Optional(Type.String()),
  code: Type.Optional(Coded),
  status: Type.Optional(Type.String({ description: 'Condition.clinicalStatus' })),
  verification: Type.Optional(Type.String()),
  severity: Type.Optional(Type.String({ description: 'mild, moderate, severe, or the words of where it came from' })),
  onset: Type.Optional(Type.String()),
  abatement: Type.Optional(Type.String()),
  recorded: Type.Optional(Type.String()),
  recordedBy: Type.Optional(LinkedOut),
  statedBy: Type.Optional(LinkedOut),
  evidence: Type.Array(LinkedOut),
  notes: Type.Array(NoteOut),
  plan: Type.Optional(LinkedOut),
  origin: Type.Optional(Type.String({ description: 'Where it came from, when not from here' })),
});
export type NeedView = Static<typeof NeedView>;

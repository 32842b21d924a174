// Assessments as an application sends and gets them: an instrument as a tree to draw, answers by linkId, scores.
import Type, { type Static } from 'typebox';
import { Coded } from '../coded.ts';
import { LinkedOut } from '../linked.ts';

const closed = { additionalProperties: false } as const;

export const InstrumentSummary = Type.Object({
  id: Type.Optional(Type.String()),
  canonical: Type.String(),
  version: Type.Optional(Type.String()),
  title: Type.String(),
  description: Type.Optional(Type.String()),
  codes: Type.Array(Coded),
  copyright: Type.Optional(Type.String()),
});
export type InstrumentSummary = Static<typeof InstrumentSummary>;
export const InstrumentList = Type.Object({ items: Type.Array(InstrumentSummary) });

const VALUE =
  'true or false, a number, words, a date, a coding {system, code, display}, a quantity {value, unit, system, code}, a reference {reference} or a file';

const AnswerIn = Type.Object(
  {
    linkId: Type.String({ minLength: 1, maxLength: 255 }),
    values: Type.Optional(
      Type.Array(
        Type.Object(
          { value: Type.Unknown({ description: VALUE }), items: Type.Optional(Type.Array(Type.Unknown())) },
          closed,
        ),
        {
          maxItems: 500,
          description: 'Answers to a question, each with the answers below it; none takes what is there away',
        },
      ),
    ),
    items: Type.Optional(
      Type.Array(Type.Unknown(), { maxItems: 500, description: 'Of a group: what is in it, in this same form' }),
    ),
  },
  {
    ...closed,
    description: 'A question with its answers, or a group; a group that repeats comes once for each repetition',
  },
);

const Answers = Type.Array(AnswerIn, {
  maxItems: 1_000,
  description: 'What is not named stays as it is. Only what is in a group that repeats must come within that group',
});

export const StartAssessment = Type.Object(
  {
    instrument: Type.String({
      minLength: 1,
      maxLength: 500,
      description: 'Canonical, or id of a form that came with Baton',
    }),
    encounter: Type.Optional(Type.Object({ reference: Type.String({ format: 'reference' }) }, closed)),
    source: Type.Optional(
      Type.Object(
        { reference: Type.String({ format: 'reference' }) },
        { ...closed, description: 'Who answers, when it is not the patient' },
      ),
    ),
    answers: Type.Optional(Answers),
  },
  closed,
);
export type StartAssessment = Static<typeof StartAssessment>;

export const AnswerAssessment = Type.Object({ answers: Answers }, closed);
export type AnswerAssessment = Static<typeof AnswerAssessment>;

export const CompleteAssessment = Type.Object({ answers: Type.Optional(Answers) }, closed);
export type CompleteAssessment = Static<typeof CompleteAssessment>;

export const AmendAssessment = Type.Object(
  { answers: Answers, reason: Type.String({ minLength: 1, maxLength: 1_000, description: 'Why it is corrected' }) },
  closed,
);
export type AmendAssessment = Static<typeof AmendAssessment>;

export const FormNode = Type.Object({
  linkId: Type.String(),
  type: Type.String({ description: 'group, display, or the type of the question' }),
  text: Type.Optional(Type.String()),
  prefix: Type.Optional(Type.String()),
  required: Type.Optional(Type.Boolean()),
  repeats: Type.Optional(Type.Boolean()),
  readOnly: Type.Optional(Type.Boolean({ description: 'Not for the person: fixed or calculated' })),
  calculated: Type.Optional(Type.Boolean()),
  enabled: Type.Boolean({ description: 'Whether it applies, given the answers so far' }),
  maxLength: Type.Optional(Type.Number()),
  least: Type.Optional(Type.Unknown()),
  most: Type.Optional(Type.Unknown()),
  unit: Type.Optional(Type.String()),
  valueSet: Type.Optional(Type.String()),
  options: Type.Optional(
    Type.Array(
      Type.Object({
        value: Type.Unknown(),
        points: Type.Optional(Type.Number()),
        alone: Type.Optional(Type.Boolean({ description: 'Rules out all others' })),
      }),
    ),
  ),
  values: Type.Optional(
    Type.Array(Type.Object({ value: Type.Unknown(), items: Type.Optional(Type.Array(Type.Unknown())) })),
  ),
  items: Type.Optional(Type.Array(Type.Unknown(), { description: 'What is in the group, in this same form' })),
});
/** With its items typed. */
export interface FormNode extends Omit<Static<typeof FormNode>, 'items' | 'values'> {
  values?: { value: unknown; items?: FormNode[] }[];
  items?: FormNode[];
}

export const InstrumentView = Type.Object({ ...InstrumentSummary.properties, items: Type.Array(FormNode) });

const Score = Type.Object({
  linkId: Type.String(),
  code: Type.Optional(Coded),
  text: Type.Optional(Type.String()),
  value: Type.Union([Type.Number(), Type.String()]),
});
export type Score = Static<typeof Score>;

const SUMMARY = {
  id: Type.String(),
  version: Type.String(),
  status: Type.String(),
  instrument: Type.Optional(Type.String({ description: 'Canonical of the form' })),
  title: Type.Optional(Type.String()),
  patient: Type.Optional(LinkedOut),
  plan: Type.Optional(LinkedOut),
  origin: Type.Optional(Type.String({ description: 'System that it came from' })),
  authored: Type.Optional(Type.String()),
  author: Type.Optional(LinkedOut),
  source: Type.Optional(LinkedOut),
  encounter: Type.Optional(LinkedOut),
  scores: Type.Array(Score),
};
export const AssessmentSummary = Type.Object(SUMMARY);
export type AssessmentSummary = Static<typeof AssessmentSummary>;
export const AssessmentList = Type.Object({ items: Type.Array(AssessmentSummary) });

export const AssessmentView = Type.Object({
  ...SUMMARY,
  items: Type.Array(FormNode),
  results: Type.Array(LinkedOut, { description: 'What was extracted: observations, needs, goals, flags' }),
  open: Type.Array(Type.String(), { description: 'What is missing before it can be completed' }),
});
export type AssessmentView = Static<typeof AssessmentView>;

export const ScoreQuery = Type.Object(
  { code: Type.Optional(Type.String({ description: 'system|code or code' })) },
  closed,
);
export type ScoreQuery = Static<typeof ScoreQuery>;

export const ScoreHistory = Type.Object({
  items: Type.Array(
    Type.Object({
      code: Coded,
      points: Type.Array(
        Type.Object({
          date: Type.String(),
          value: Type.Number(),
          unit: Type.Optional(Type.String()),
          status: Type.String(),
          observation: LinkedOut,
          assessment: Type.Optional(LinkedOut),
        }),
      ),
    }),
  ),
});
export type ScoreHistory = Static<typeof ScoreHistory>;

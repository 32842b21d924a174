// Pathways as an application sends and gets them.
import Type, { type Static } from 'typebox';
import { Coded } from '../coded.ts';
import { Linked, LinkedOut } from '../linked.ts';
import { VARIANCE_KINDS, VARIANCE_SOURCES } from './variance.ts';

const Text = Type.String();
const StepId = Type.String({ minLength: 1, maxLength: 200, description: 'Id of a step, as the pathway shows it' });

export const PathwayHead = Type.Object({
  id: Text,
  url: Text,
  version: Type.Optional(Text),
  title: Text,
  description: Type.Optional(Text),
});

export const PathwayList = Type.Object({ items: Type.Array(PathwayHead) });
export type PathwayList = Static<typeof PathwayList>;

export const PathwayStep = Type.Object({
  id: Text,
  /** Id of the group it is in. */
  within: Type.Optional(Text),
  title: Text,
  description: Type.Optional(Text),
  /** What it makes; absent for a group. */
  makes: Type.Optional(Text),
  choose: Type.Optional(Text),
  required: Type.Optional(Text),
  ticked: Type.Optional(Type.Boolean()),
  conditions: Type.Array(Text),
  goals: Type.Array(Text),
});

export const PathwayView = Type.Object({
  ...PathwayHead.properties,
  purpose: Type.Optional(Text),
  forWhom: Type.Optional(Text),
  goals: Type.Array(Type.Object({ id: Text, text: Text, dueAfter: Type.Optional(Text) })),
  steps: Type.Array(PathwayStep),
  sources: Type.Array(
    Type.Object({ title: Type.Optional(Text), citation: Type.Optional(Text), url: Type.Optional(Text) }),
  ),
});
export type PathwayView = Static<typeof PathwayView>;

export const CasePathwaysQuery = Type.Object(
  { applicable: Type.Optional(Type.Boolean({ description: 'true: those whose conditions hold for the patient' })) },
  { additionalProperties: false },
);

export const CasePathways = Type.Object({
  items: Type.Array(
    Type.Object({
      ...PathwayHead.properties,
      followed: Type.Boolean({ description: 'The plan of the case follows it' }),
      problem: Type.Optional(Type.String({ description: 'Why it cannot be said whether it applies' })),
    }),
  ),
});
export type CasePathways = Static<typeof CasePathways>;

export const FollowPathway = Type.Object(
  {
    pathway: Type.String({ minLength: 1, maxLength: 500, description: 'Id, url, or url|version' }),
    take: Type.Optional(
      Type.Array(
        Type.Object(
          { step: StepId, times: Type.Optional(Type.Integer({ minimum: 1, maximum: 20 })) },
          { additionalProperties: false },
        ),
        { maxItems: 200, description: 'Chosen steps, of groups that leave a choice' },
      ),
    ),
    omit: Type.Optional(
      Type.Array(
        Type.Object(
          { step: StepId, reason: Type.String({ minLength: 1, maxLength: 1_000 }) },
          { additionalProperties: false },
        ),
        { maxItems: 200, description: 'Steps left out, each recorded as a variance' },
      ),
    ),
    parameters: Type.Optional(
      Type.Record(
        Type.String({ pattern: '^[A-Za-z]\\w*$' }),
        Type.Union([Type.String({ maxLength: 1_000 }), Type.Number(), Type.Boolean()]),
        { description: 'Values of variables that the pathway asks for' },
      ),
    ),
  },
  { additionalProperties: false },
);
export type FollowPathway = Static<typeof FollowPathway>;

export const RecordVariance = Type.Object(
  {
    kind: Type.Enum([...VARIANCE_KINDS]),
    reason: Type.String({ minLength: 1, maxLength: 10_000, description: 'Why, in words' }),
    source: Type.Optional(Type.Enum([...VARIANCE_SOURCES])),
    about: Type.Optional(Linked),
    pathway: Type.Optional(Type.String({ format: 'uri', description: 'Canonical; that of `about` when absent' })),
    step: Type.Optional(StepId),
  },
  { additionalProperties: false },
);
export type RecordVariance = Static<typeof RecordVariance>;

export const VarianceView = Type.Object({
  id: Text,
  version: Text,
  kind: Text,
  reason: Text,
  source: Type.Optional(Coded),
  pathway: Type.Optional(Text),
  step: Type.Optional(Text),
  about: Type.Optional(LinkedOut),
  recorded: Type.Optional(Text),
  by: Type.Optional(LinkedOut),
});
export type VarianceView = Static<typeof VarianceView>;

export const VarianceList = Type.Object({ items: Type.Array(VarianceView) });

export const VarianceReport = Type.Object({
  items: Type.Array(
    Type.Object({
      pathway: Type.Optional(Text),
      step: Type.Optional(Text),
      title: Text,
      state: Type.Enum(['open', 'overdue', 'done', 'done-late', 'not-done', 'added']),
      reference: LinkedOut,
      due: Type.Optional(Text),
      done: Type.Optional(Text),
      variances: Type.Array(Text, { description: 'Ids of what was recorded about it' }),
      unexplained: Type.Boolean({ description: 'It went another way and nobody has said why' }),
    }),
  ),
});
export type VarianceReport = Static<typeof VarianceReport>;

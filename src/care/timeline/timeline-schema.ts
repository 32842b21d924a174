// The timeline as an application asks for it and gets it.
import Type, { type Static } from 'typebox';
import { Coded } from '../coded.ts';
import { LinkedOut } from '../linked.ts';

export const KINDS = [
  'case-status',
  'transition',
  'plan',
  'admission',
  'encounter',
  'assessment',
  'need',
  'goal',
  'progress',
  'task',
  'step',
  'contact',
  'message',
  'notice',
  'case-note',
  'appointment',
  'procedure',
  'medication-list',
  'medication-issue',
  'referral',
  'document',
  'risk',
  'flag',
  'change',
] as const;
export type Kind = (typeof KINDS)[number];

export const TimelineQuery = Type.Object(
  {
    kind: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 500,
        description: `With commas between: ${KINDS.join(', ')}. All when absent, but \`change\`, who wrote what, and \`step\`, each step of each follow-up, which must be asked for`,
      }),
    ),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200, default: 50 })),
    after: Type.Optional(Type.String({ minLength: 1, maxLength: 6_000, description: '`next` of the page before' })),
  },
  { additionalProperties: false },
);
export type TimelineQuery = Static<typeof TimelineQuery>;

export const TimelineEntry = Type.Object({
  kind: Type.Enum([...KINDS]),
  when: Type.Optional(Type.String({ description: 'When it happened; absent when nobody said' })),
  what: Type.String(),
  code: Type.Optional(Coded),
  status: Type.Optional(Type.String()),
  stage: Type.Optional(Type.String({ description: 'Of a follow-up: where it stands, or stood after the step' })),
  who: Type.Optional(LinkedOut),
  reference: Type.String({ description: 'The FHIR resource' }),
});
export type TimelineEntry = Static<typeof TimelineEntry>;

export const Timeline = Type.Object({ items: Type.Array(TimelineEntry), next: Type.Optional(Type.String()) });
export type Timeline = Static<typeof Timeline>;

// What an application says and hears about the education of patients and caregivers.
import Type, { type Static } from 'typebox';
import { Coded } from '../coded.ts';
import { Day, Moment } from '../given-time.ts';
import { Linked, LinkedOut } from '../linked.ts';

const strict = { additionalProperties: false } as const;
const Line = Type.String({ minLength: 1, maxLength: 500, pattern: '\\S' });
const Words = Type.String({ minLength: 1, maxLength: 4_000, pattern: '\\S' });

const MATERIAL = {
  document: Type.Optional(Type.Object({ ...Linked.properties }, { ...strict, description: 'A DocumentReference' })),
  url: Type.Optional(Type.String({ format: 'uri', pattern: '^https?://' })),
  title: Type.Optional(Line),
};

export const EducationAssignment = Type.Object(
  {
    topic: Line,
    learner: Type.Optional(
      Type.Object({ ...Linked.properties }, { ...strict, description: 'The patient, when absent, or a caregiver' }),
    ),
    material: Type.Optional(Type.Object(MATERIAL, { ...strict, minProperties: 1 })),
    language: Type.Optional(Type.String({ pattern: '^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$', description: 'BCP 47: es-US' })),
    readingLevel: Type.Optional(Coded),
    due: Type.Optional(Day),
    owner: Type.Optional(Linked),
  },
  strict,
);
export type EducationAssignment = Static<typeof EducationAssignment>;

export const EducationDelivery = Type.Object({ at: Type.Optional(Moment), method: Type.Optional(Coded) }, strict);
export type EducationDelivery = Static<typeof EducationDelivery>;

export const RESULTS = ['understood', 'needs-reinforcement', 'not-understood', 'refused'] as const;

export const TeachBack = Type.Object(
  {
    result: Type.Enum([...RESULTS]),
    by: Type.Optional(
      Type.Object({ ...Linked.properties }, { ...strict, description: 'Who was asked; the learner when absent' }),
    ),
    at: Type.Optional(Moment),
    note: Type.Optional(Words),
    repeat: Type.Optional(Type.Object({ due: Day }, { ...strict, description: 'When it is taught again' })),
  },
  strict,
);
export type TeachBack = Static<typeof TeachBack>;

export const EducationCancellation = Type.Object({ reason: Coded }, strict);
export type EducationCancellation = Static<typeof EducationCancellation>;

export const EducationView = Type.Object({
  id: Type.String(),
  version: Type.String(),
  status: Type.String(),
  ofCase: Type.Boolean(),
  topic: Type.Optional(Type.String()),
  learner: Type.Optional(LinkedOut),
  material: Type.Optional(
    Type.Object({
      document: Type.Optional(LinkedOut),
      url: Type.Optional(Type.String()),
      title: Type.Optional(Type.String()),
    }),
  ),
  language: Type.Optional(Type.String()),
  readingLevel: Type.Optional(Coded),
  due: Type.Optional(Type.String()),
  owner: Type.Optional(LinkedOut),
  delivered: Type.Optional(Type.String()),
  method: Type.Optional(Coded),
  repeats: Type.Optional(
    Type.Object({ teachBack: Type.String() }, { description: 'The teach-back that made this necessary' }),
  ),
  cancelled: Type.Optional(Coded),
  teachBack: Type.Optional(
    Type.Object({
      id: Type.String(),
      result: Type.Optional(Type.String()),
      at: Type.Optional(Type.String()),
      by: Type.Optional(LinkedOut),
      educator: Type.Optional(LinkedOut),
      note: Type.Optional(Type.String()),
    }),
  ),
});
export type EducationView = Static<typeof EducationView>;

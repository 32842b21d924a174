// A family member or another person who cares for the patient, and how they bear it.
import Type, { type Static } from 'typebox';
import { Coded } from '../coded.ts';
import { DateOrTime } from '../given-time.ts';
import { LinkedOut } from '../linked.ts';
import { PERMISSIONS, STRAIN_LEVELS } from './caregiver-codes.ts';

const Telecom = Type.Object(
  {
    system: Type.Enum(['phone', 'fax', 'email', 'pager', 'url', 'sms', 'other']),
    value: Type.String({ minLength: 1, maxLength: 200 }),
    use: Type.Optional(Type.Enum(['home', 'work', 'temp', 'old', 'mobile'])),
    rank: Type.Optional(Type.Integer({ minimum: 1 })),
  },
  { additionalProperties: false },
);
export type Telecom = Static<typeof Telecom>;

const Language = Type.String({ pattern: '^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$', examples: ['en', 'es'] });
const Permissions = Type.Array(Type.Enum([...PERMISSIONS]), {
  uniqueItems: true,
  description: 'What the patient has said they may; a legal document is an advance directive, a denial a consent',
});

const SAID = {
  name: Type.Object(
    {
      given: Type.Optional(Type.Array(Type.String({ minLength: 1 }), { minItems: 1 })),
      family: Type.Optional(Type.String({ minLength: 1 })),
      text: Type.Optional(Type.String({ minLength: 1 })),
    },
    { additionalProperties: false, minProperties: 1 },
  ),
  relationship: Type.Array(Coded, {
    minItems: 1,
    maxItems: 10,
    description: 'To the patient: spouse, daughter, proxy',
  }),
  telecom: Type.Array(Telecom, { maxItems: 20 }),
  language: Language,
  permissions: Permissions,
  emergencyContact: Type.Boolean(),
};

export const AddCaregiver = Type.Object(
  {
    name: SAID.name,
    relationship: SAID.relationship,
    telecom: Type.Optional(SAID.telecom),
    language: Type.Optional(SAID.language),
    permissions: Type.Optional(SAID.permissions),
    emergencyContact: Type.Optional(SAID.emergencyContact),
    start: Type.Optional(DateOrTime),
  },
  { additionalProperties: false },
);
export type AddCaregiver = Static<typeof AddCaregiver>;

export const ChangeCaregiver = Type.Object(
  {
    name: Type.Optional(SAID.name),
    relationship: Type.Optional(SAID.relationship),
    telecom: Type.Optional(SAID.telecom),
    language: Type.Optional(SAID.language),
    permissions: Type.Optional(SAID.permissions),
    emergencyContact: Type.Optional(SAID.emergencyContact),
  },
  { additionalProperties: false, minProperties: 1, description: 'What is named is replaced, the rest stays' },
);
export type ChangeCaregiver = Static<typeof ChangeCaregiver>;

export const EndCaregiver = Type.Object({ end: Type.Optional(DateOrTime) }, { additionalProperties: false });
export type EndCaregiver = Static<typeof EndCaregiver>;

export const NoteStrain = Type.Object(
  {
    level: Type.Enum(STRAIN_LEVELS),
    observed: Type.Optional(DateOrTime),
    note: Type.Optional(Type.String({ minLength: 1, maxLength: 10_000 })),
    goals: Type.Optional(Type.Array(Type.String({ description: 'Id of a Goal it matters for' }), { maxItems: 20 })),
  },
  { additionalProperties: false },
);
export type NoteStrain = Static<typeof NoteStrain>;

export const Strain = Type.Object(
  {
    id: Type.String(),
    version: Type.String(),
    level: Type.Optional(Type.Enum(STRAIN_LEVELS)),
    value: Type.Optional(Coded),
    observed: Type.Optional(Type.String()),
    by: Type.Optional(LinkedOut),
    caregiver: Type.Optional(LinkedOut),
    notes: Type.Optional(Type.Array(Type.String())),
  },
  { additionalProperties: false },
);
export type Strain = Static<typeof Strain>;

export const Caregiver = Type.Object(
  {
    id: Type.String(),
    version: Type.String(),
    active: Type.Boolean(),
    name: Type.Optional(SAID.name),
    relationship: Type.Optional(Type.Array(Coded)),
    telecom: Type.Optional(Type.Array(Type.Partial(Telecom))),
    language: Type.Optional(Type.String()),
    permissions: Type.Optional(Permissions),
    emergencyContact: Type.Boolean(),
    start: Type.Optional(Type.String()),
    end: Type.Optional(Type.String()),
    strain: Type.Optional(Strain),
  },
  { additionalProperties: false },
);
export type Caregiver = Static<typeof Caregiver>;

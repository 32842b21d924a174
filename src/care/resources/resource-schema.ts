// A service in the community that patients are referred to.
import Type, { type Static } from 'typebox';
import { Coded } from '../coded.ts';
import { LinkedOut } from '../linked.ts';
import { SOCIAL_NEEDS } from '../needs/social-needs.ts';
import { PartyOf } from '../party.ts';
import { CAPACITY_STATUSES } from './resource-codes.ts';

const Words = Type.String({ minLength: 1, maxLength: 4_000 });
const Language = Type.String({ pattern: '^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$', examples: ['en', 'es'] });
const Telecom = Type.Object(
  {
    system: Type.Enum(['phone', 'fax', 'email', 'url', 'sms']),
    value: Type.String({ minLength: 1, maxLength: 200 }),
  },
  { additionalProperties: false },
);

export const CapacityNow = Type.Object(
  { status: Type.Enum(CAPACITY_STATUSES), notes: Type.Optional(Words) },
  { additionalProperties: false, description: 'Whether it can take another person' },
);
export type CapacityNow = Static<typeof CapacityNow>;

const SAID = {
  name: Type.String({ minLength: 1, maxLength: 200 }),
  categories: Type.Array(Coded, { minItems: 1, maxItems: 20 }),
  sdoh: Type.Optional(Type.Array(Type.Enum([...SOCIAL_NEEDS]), { uniqueItems: true })),
  types: Type.Optional(Type.Array(Coded, { maxItems: 20 })),
  provider: Type.Optional(PartyOf(['Organization'], 'Who provides it, and answers referrals')),
  telecom: Type.Optional(Type.Array(Telecom, { maxItems: 20 })),
  languages: Type.Optional(Type.Array(Language, { maxItems: 50, uniqueItems: true })),
  eligibility: Type.Optional(Words),
  appointmentRequired: Type.Optional(Type.Boolean()),
  comment: Type.Optional(Words),
  capacity: Type.Optional(CapacityNow),
};

export const RegisterResource = Type.Object(
  {
    ...SAID,
    location: Type.Optional(PartyOf(['Location'], 'Where it is, when that is known already')),
    place: Type.Optional(
      Type.Object(
        {
          address: Type.String({ minLength: 1, maxLength: 500 }),
          latitude: Type.Optional(Type.Number({ minimum: -90, maximum: 90 })),
          longitude: Type.Optional(Type.Number({ minimum: -180, maximum: 180 })),
        },
        { additionalProperties: false, description: 'Where it is, as a new Location' },
      ),
    ),
  },
  { additionalProperties: false },
);
export type RegisterResource = Static<typeof RegisterResource>;

export const CommunityResource = Type.Object(
  {
    id: Type.String(),
    version: Type.String(),
    active: Type.Boolean(),
    name: Type.Optional(Type.String()),
    categories: Type.Optional(Type.Array(Coded)),
    sdoh: SAID.sdoh,
    types: Type.Optional(Type.Array(Coded)),
    provider: Type.Optional(LinkedOut),
    locations: Type.Optional(Type.Array(LinkedOut)),
    telecom: Type.Optional(
      Type.Array(
        Type.Object({ system: Type.Optional(Type.String()), value: Type.String() }, { additionalProperties: false }),
      ),
    ),
    languages: Type.Optional(Type.Array(Type.String())),
    eligibility: Type.Optional(Type.String()),
    appointmentRequired: Type.Optional(Type.Boolean()),
    comment: Type.Optional(Type.String()),
    capacity: Type.Optional(
      Type.Object(
        { status: Type.Optional(Type.Enum(CAPACITY_STATUSES)), notes: Type.Optional(Type.String()) },
        { additionalProperties: false },
      ),
    ),
  },
  { additionalProperties: false },
);
export type CommunityResource = Static<typeof CommunityResource>;

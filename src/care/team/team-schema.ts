// The people of a case: who, in which role, from when until when.
import Type, { type Static } from 'typebox';
import { Coded } from '../coded.ts';
import { DateOrTime } from '../given-time.ts';
import { LinkedOut } from '../linked.ts';
import { PartyOf } from '../party.ts';
import { DUTIES } from './team-codes.ts';

const MEMBERS = ['Practitioner', 'PractitionerRole', 'RelatedPerson', 'Organization', 'Patient', 'CareTeam'] as const;

const Duties = Type.Array(Type.Enum([...DUTIES]), {
  uniqueItems: true,
  description: 'Leads the team, is on call, or stands in when somebody cannot come',
});
const Note = Type.String({ minLength: 1, maxLength: 2_000 });

export const AddMember = Type.Object(
  {
    member: PartyOf(MEMBERS, 'Who joins: staff, family, or a community partner'),
    role: Coded,
    start: Type.Optional(DateOrTime),
    end: Type.Optional(DateOrTime),
    onBehalfOf: Type.Optional(PartyOf(['Organization'], 'Whom a practitioner acts for')),
    duties: Type.Optional(Duties),
  },
  { additionalProperties: false },
);
export type AddMember = Static<typeof AddMember>;

export const ChangeMember = Type.Object(
  {
    role: Type.Optional(Coded),
    from: Type.Optional(DateOrTime),
    duties: Type.Optional(Duties),
  },
  { additionalProperties: false, minProperties: 1, description: 'A new role ends the old one and begins at `from`' },
);
export type ChangeMember = Static<typeof ChangeMember>;

export const EndMember = Type.Object(
  { end: Type.Optional(DateOrTime), note: Type.Optional(Note) },
  { additionalProperties: false },
);
export type EndMember = Static<typeof EndMember>;

export const Member = Type.Object(
  {
    id: Type.String({ description: 'Names the membership within the team' }),
    member: Type.Optional(LinkedOut),
    kind: Type.Optional(Type.Enum(['staff', 'family', 'community', 'patient', 'team'])),
    role: Type.Optional(Coded),
    start: Type.Optional(Type.String()),
    end: Type.Optional(Type.String()),
    current: Type.Boolean(),
    onBehalfOf: Type.Optional(LinkedOut),
    duties: Type.Optional(Duties),
  },
  { additionalProperties: false },
);
export type Member = Static<typeof Member>;

export const Team = Type.Object(
  {
    id: Type.String(),
    version: Type.String(),
    ofCase: Type.Boolean({ description: 'The team of this case; else of the patient, from elsewhere' }),
    status: Type.Optional(Type.Enum(['proposed', 'active', 'suspended', 'inactive', 'entered-in-error'])),
    name: Type.Optional(Type.String()),
    members: Type.Array(Member),
    notes: Type.Optional(Type.Array(Type.String())),
  },
  { additionalProperties: false },
);
export type Team = Static<typeof Team>;

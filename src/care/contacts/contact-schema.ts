// A contact, or an attempt at one, as a nurse logs it.
import Type, { type Static } from 'typebox';
import { Coded } from '../coded.ts';
import { Moment } from '../given-time.ts';
import { LinkedOut } from '../linked.ts';
import { PartyOf } from '../party.ts';
import { CHANNELS, namesOf, OUTCOMES, PARTIES } from './contact-codes.ts';

const WHOM = [
  'Patient',
  'RelatedPerson',
  'Practitioner',
  'PractitionerRole',
  'Organization',
  'CareTeam',
  'HealthcareService',
] as const;

export const ContactChannel = Type.Enum(namesOf(CHANNELS));
export const ContactOutcome = Type.Enum(namesOf(OUTCOMES));
export const ContactParty = Type.Enum(namesOf(PARTIES));
const Direction = Type.Enum(['outbound', 'inbound'], { description: 'Who reached out: we did, or they did' });
const Language = Type.String({ pattern: '^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$', examples: ['en', 'es', 'zh-Hant'] });

export const LogContact = Type.Object(
  {
    channel: ContactChannel,
    direction: Type.Optional(Direction),
    party: ContactParty,
    with: Type.Optional(
      Type.Array(PartyOf(WHOM, 'Somebody spoken with'), {
        minItems: 1,
        maxItems: 20,
        description: 'Who; the patient when `party` is patient and nobody is named',
      }),
    ),
    by: Type.Optional(
      PartyOf(
        ['Practitioner', 'PractitionerRole'],
        'Who of us made it, when an application logs it for somebody; the caller when absent',
      ),
    ),
    purpose: Type.Optional(Coded),
    outcome: ContactOutcome,
    interactive: Type.Optional(
      Type.Boolean({ description: 'Whether both could answer at once; by the channel when not given' }),
    ),
    started: Moment,
    ended: Type.Optional(Moment),
    visit: Type.Optional(
      Type.Object(
        { service: Type.Optional(Coded) },
        {
          additionalProperties: false,
          description: 'It was a visit by video: an Encounter of class VR is made of it, with the caller as performer',
        },
      ),
    ),
    language: Type.Optional(Language),
    interpreter: Type.Optional(Type.Boolean({ description: 'An interpreter took part' })),
    note: Type.Optional(Type.String({ minLength: 1, maxLength: 10_000 })),
    intervention: Type.Optional(PartyOf(['Task'], 'The intervention that the contact is for')),
    completes: Type.Optional(Type.Boolean({ description: 'The contact completes the intervention' })),
  },
  { additionalProperties: false, description: 'A contact, or an attempt at one' },
);
export type LogContact = Static<typeof LogContact>;

export const CorrectContact = Type.Object(
  { contact: LogContact, reason: Type.Optional(Type.String({ minLength: 1, maxLength: 1_000 })) },
  { additionalProperties: false, description: 'The contact as it should have been logged' },
);
export type CorrectContact = Static<typeof CorrectContact>;

export const RetractContact = Type.Object(
  { reason: Type.Optional(Type.String({ minLength: 1, maxLength: 1_000 })) },
  { additionalProperties: false },
);
export type RetractContact = Static<typeof RetractContact>;

/** Members are absent when a resource from elsewhere does not say them. */
export const Contact = Type.Object(
  {
    id: Type.String(),
    version: Type.String(),
    status: Type.Enum([
      'preparation',
      'in-progress',
      'not-done',
      'on-hold',
      'stopped',
      'completed',
      'entered-in-error',
      'unknown',
    ]),
    ofCase: Type.Boolean({ description: 'Logged for this case; else of the patient, from elsewhere' }),
    channel: Type.Optional(ContactChannel),
    direction: Type.Optional(Direction),
    party: Type.Optional(ContactParty),
    with: Type.Optional(Type.Array(LinkedOut)),
    by: Type.Optional(LinkedOut),
    purpose: Type.Optional(Coded),
    outcome: Type.Optional(ContactOutcome),
    reason: Type.Optional(Coded),
    interactive: Type.Optional(Type.Boolean()),
    started: Type.Optional(Type.String()),
    ended: Type.Optional(Type.String()),
    language: Type.Optional(Type.String()),
    interpreter: Type.Optional(Type.Boolean()),
    visit: Type.Optional(LinkedOut),
    notes: Type.Optional(Type.Array(Type.String())),
    intervention: Type.Optional(LinkedOut),
    attempt: Type.Optional(Type.Integer({ description: 'Which attempt at the intervention it was, counted from 1' })),
    corrects: Type.Optional(LinkedOut),
  },
  { additionalProperties: false },
);
export type Contact = Static<typeof Contact>;

/** How often an intervention was tried. */
export const Attempts = Type.Object(
  {
    intervention: LinkedOut,
    attempts: Type.Integer(),
    reached: Type.Integer(),
    last: Type.Optional(Type.String()),
  },
  { additionalProperties: false },
);
export type Attempts = Static<typeof Attempts>;

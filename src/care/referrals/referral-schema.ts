// A referral as a nurse makes and follows it, and as the partner who is asked sees it.
import Type, { type Static } from 'typebox';
import { ACHIEVEMENTS } from '../../fhir/status/achievement.ts';
import { Coded } from '../coded.ts';
import { DateOrTime } from '../given-time.ts';
import { LinkedOut } from '../linked.ts';
import { SOCIAL_NEEDS } from '../needs/social-needs.ts';
import { PartyOf } from '../party.ts';
import { REFERRAL_KINDS } from './referral-codes.ts';

const Words = Type.String({ minLength: 1, maxLength: 4_000 });
const ResourceId = Type.String({ pattern: '^[A-Za-z0-9\\-.]{1,64}$' });
const Ids = (of: string) => Type.Array(ResourceId, { maxItems: 50, uniqueItems: true, description: `Ids of ${of}` });
export const Priority = Type.Enum(['routine', 'urgent', 'asap', 'stat']);
const Performer = PartyOf(
  ['Organization', 'HealthcareService', 'Practitioner', 'PractitionerRole', 'CareTeam', 'RelatedPerson'],
  'Who is asked',
);
const Facility = PartyOf(['Organization', 'HealthcareService'], 'An organization that could do it');

const WHO = {
  to: Type.Optional(Performer),
  pool: Type.Optional(
    Type.Array(Facility, {
      minItems: 1,
      maxItems: 50,
      description: 'Whoever of these claims it first; without `to`, `pool` and `offer`, whoever claims it at all',
    }),
  ),
  followedBy: Type.Optional(
    Type.Enum(['partner', 'us'], {
      description:
        'Who keeps its status: the partner in Baton, or we, for a partner who is only called. Default partner',
    }),
  ),
};

export const MakeReferral = Type.Object(
  {
    kind: Type.Enum(REFERRAL_KINDS),
    service: Coded,
    sdoh: Type.Optional(Type.Array(Type.Enum([...SOCIAL_NEEDS]), { uniqueItems: true })),
    ...WHO,
    offer: Type.Optional(
      Type.Array(Facility, {
        minItems: 1,
        maxItems: 50,
        description: 'The list that the patient chooses from; nobody is asked before the choice',
      }),
    ),
    priority: Type.Optional(Priority),
    needs: Type.Optional(Ids('Conditions it addresses')),
    goals: Type.Optional(Ids('Goals it works towards')),
    consent: Type.Optional(PartyOf(['Consent'], 'Consent that lets the partner know')),
    due: Type.Optional(DateOrTime),
    doNotContactPatient: Type.Optional(Type.Boolean({ description: 'Contact would put the patient at risk' })),
    instructions: Type.Optional(Words),
    note: Type.Optional(Words),
  },
  { additionalProperties: false },
);
export type MakeReferral = Static<typeof MakeReferral>;

export const ReferAgain = Type.Object(
  { ...WHO, due: Type.Optional(DateOrTime), note: Type.Optional(Words) },
  { additionalProperties: false },
);
export type ReferAgain = Static<typeof ReferAgain>;

export const Reasoned = Type.Object(
  { reason: Words, note: Type.Optional(Words) },
  { additionalProperties: false, description: 'The other side reads the reason' },
);
export type Reasoned = Static<typeof Reasoned>;

export const AcceptReferral = Type.Object(
  {
    startOfCare: Type.Optional(DateOrTime),
    as: Type.Optional(PartyOf(['Organization'], 'Who claims an open referral, when the caller acts for several')),
    note: Type.Optional(Words),
  },
  { additionalProperties: false },
);
export type AcceptReferral = Static<typeof AcceptReferral>;

export const StartReferral = Type.Object(
  { on: Type.Optional(DateOrTime), note: Type.Optional(Words) },
  { additionalProperties: false },
);
export type StartReferral = Static<typeof StartReferral>;

export const CompleteReferral = Type.Object(
  {
    service: Type.Optional(Coded),
    start: Type.Optional(DateOrTime),
    end: Type.Optional(DateOrTime),
    note: Type.Optional(Words),
  },
  { additionalProperties: false, description: 'What was done; the service that was asked for, when not said' },
);
export type CompleteReferral = Static<typeof CompleteReferral>;

export const CloseLoop = Type.Object(
  {
    received: Type.Boolean({ description: 'The patient, or who speaks for them, says that the service was received' }),
    confirmedBy: Type.Optional(PartyOf(['Patient', 'RelatedPerson', 'Practitioner'], 'Who said so; the patient else')),
    on: Type.Optional(DateOrTime),
    goal: Type.Optional(
      Type.Object({ id: ResourceId, achievement: Type.Enum([...ACHIEVEMENTS]) }, { additionalProperties: false }),
    ),
    resolves: Type.Optional(Ids('Conditions that it resolved')),
    note: Type.Optional(Words),
  },
  { additionalProperties: false },
);
export type CloseLoop = Static<typeof CloseLoop>;

export const Choose = Type.Object(
  {
    chosen: Facility,
    by: Type.Optional(PartyOf(['Patient', 'RelatedPerson'], 'Who chose; the patient else')),
    on: Type.Optional(DateOrTime),
    followedBy: WHO.followedBy,
    note: Type.Optional(Words),
  },
  { additionalProperties: false },
);
export type Choose = Static<typeof Choose>;

/** One asking of one partner. */
export const ReferralTask = Type.Object(
  {
    id: Type.String(),
    version: Type.String(),
    status: Type.String(),
    owner: Type.Optional(LinkedOut),
    open: Type.Boolean({ description: 'Nobody has claimed it' }),
    reason: Type.Optional(Type.String()),
    asked: Type.Optional(Type.String()),
    due: Type.Optional(Type.String()),
    started: Type.Optional(Type.String()),
    ended: Type.Optional(Type.String()),
    outcomes: Type.Optional(Type.Array(LinkedOut)),
    notes: Type.Optional(Type.Array(Type.String())),
  },
  { additionalProperties: false },
);
export type ReferralTask = Static<typeof ReferralTask>;

export const Choice = Type.Object(
  {
    id: Type.String(),
    version: Type.String(),
    status: Type.String(),
    offered: Type.Array(LinkedOut),
    chosen: Type.Optional(LinkedOut),
    on: Type.Optional(Type.String()),
  },
  { additionalProperties: false },
);
export type Choice = Static<typeof Choice>;

export const Referral = Type.Object(
  {
    id: Type.String(),
    version: Type.String(),
    inPlan: Type.Boolean({ description: 'Of the plan of this case; else of the patient, from elsewhere' }),
    status: Type.String(),
    kind: Type.Optional(Type.Enum(REFERRAL_KINDS)),
    service: Type.Optional(Coded),
    sdoh: Type.Optional(Type.Array(Type.Enum([...SOCIAL_NEEDS]))),
    priority: Type.Optional(Priority),
    to: Type.Optional(Type.Array(LinkedOut)),
    requester: Type.Optional(LinkedOut),
    made: Type.Optional(Type.String()),
    due: Type.Optional(Type.String()),
    needs: Type.Optional(Type.Array(LinkedOut)),
    goals: Type.Optional(Type.Array(LinkedOut)),
    consent: Type.Optional(LinkedOut),
    doNotContactPatient: Type.Boolean(),
    instructions: Type.Optional(Type.String()),
    notes: Type.Optional(Type.Array(Type.String())),
    task: Type.Optional(ReferralTask),
    earlier: Type.Optional(Type.Array(ReferralTask)),
    choice: Type.Optional(Choice),
    closure: Type.Optional(
      Type.Object(
        { received: Type.Boolean(), on: Type.Optional(Type.String()), by: Type.Optional(LinkedOut) },
        { additionalProperties: false },
      ),
    ),
    warnings: Type.Optional(Type.Array(Type.String())),
  },
  { additionalProperties: false },
);
export type Referral = Static<typeof Referral>;

/** As the partner sees it: without the case, and of an open one not whom it is for. */
export const AskedReferral = Type.Object(
  {
    id: Type.String(),
    version: Type.String(),
    status: Type.String(),
    open: Type.Boolean(),
    service: Type.Optional(Type.String()),
    kind: Type.Optional(Type.Enum(REFERRAL_KINDS)),
    sdoh: Type.Optional(Type.Array(Type.Enum([...SOCIAL_NEEDS]))),
    priority: Type.Optional(Priority),
    patient: Type.Optional(LinkedOut),
    requester: Type.Optional(LinkedOut),
    owner: Type.Optional(LinkedOut),
    request: Type.Optional(LinkedOut),
    asked: Type.Optional(Type.String()),
    changed: Type.Optional(Type.String()),
    due: Type.Optional(Type.String()),
    started: Type.Optional(Type.String()),
    ended: Type.Optional(Type.String()),
    reason: Type.Optional(Type.String()),
    instructions: Type.Optional(Type.String()),
    doNotContactPatient: Type.Optional(Type.Boolean()),
    outcomes: Type.Optional(Type.Array(LinkedOut)),
    notes: Type.Optional(Type.Array(Type.String())),
  },
  { additionalProperties: false },
);
export type AskedReferral = Static<typeof AskedReferral>;

// What an application says and hears about care conferences.
import Type, { type Static } from 'typebox';
import { Coded } from '../coded.ts';
import { Day, Moment } from '../given-time.ts';
import { Linked, LinkedOut } from '../linked.ts';

const strict = { additionalProperties: false } as const;

const Words = Type.String({ minLength: 1, maxLength: 10_000, pattern: '\\S' });
const Line = Type.String({ minLength: 1, maxLength: 500, pattern: '\\S' });
const Minutes = Type.Integer({ minimum: 5, maximum: 1_440 });
const Link = Type.String({ format: 'uri', pattern: '^https://', description: 'Address of the online meeting' });

const Where = Type.Object(
  {
    reference: Type.Optional(Type.String({ format: 'reference' })),
    display: Type.Optional(Line),
  },
  { ...strict, minProperties: 1, description: 'A Location, or words' },
);

export const ConferencePlan = Type.Object(
  {
    title: Line,
    start: Moment,
    minutes: Minutes,
    where: Type.Optional(Where),
    link: Type.Optional(Link),
    participants: Type.Array(Type.Object({ actor: Linked, required: Type.Boolean() }, { ...strict }), {
      minItems: 1,
      maxItems: 100,
    }),
    agenda: Type.Optional(Type.Array(Line, { maxItems: 100 })),
  },
  strict,
);
export type ConferencePlan = Static<typeof ConferencePlan>;

export const InvitationAnswer = Type.Object(
  { participant: Linked, answer: Type.Enum(['accepted', 'declined', 'tentative']) },
  strict,
);
export type InvitationAnswer = Static<typeof InvitationAnswer>;

export const ConferenceMove = Type.Object(
  { start: Moment, minutes: Minutes, where: Type.Optional(Where), link: Type.Optional(Link) },
  strict,
);
export type ConferenceMove = Static<typeof ConferenceMove>;

export const ConferenceCancellation = Type.Object({ reason: Coded }, strict);
export type ConferenceCancellation = Static<typeof ConferenceCancellation>;

export const MANNERS = { 'in-person': 'FACE', video: 'VIDEOCONF', phone: 'PHONE' } as const;
const Manner = Type.Enum(['in-person', 'video', 'phone']);

const DecidedIntervention = Type.Object(
  { owner: Type.Optional(Linked), due: Type.Optional(Day) },
  { ...strict, description: 'Makes the decision an intervention of the plan' },
);

export const ConferenceHeld = Type.Object(
  {
    start: Type.Optional(Moment),
    end: Type.Optional(Moment),
    attended: Type.Array(Linked, { minItems: 1, maxItems: 100 }),
    manner: Type.Optional(Type.Array(Manner, { minItems: 1, maxItems: 3 })),
    decisions: Type.Optional(
      Type.Array(Type.Object({ text: Line, intervention: Type.Optional(DecidedIntervention) }, { ...strict }), {
        maxItems: 100,
      }),
    ),
    minutes: Type.Optional(Words),
  },
  strict,
);
export type ConferenceHeld = Static<typeof ConferenceHeld>;

export const ConferenceView = Type.Object({
  id: Type.String(),
  version: Type.String(),
  status: Type.String(),
  /** Whether it is planned for this case; otherwise it is the patient's from elsewhere. */
  ofCase: Type.Boolean(),
  title: Type.Optional(Type.String()),
  start: Type.Optional(Type.String()),
  end: Type.Optional(Type.String()),
  where: Type.Optional(LinkedOut),
  link: Type.Optional(Type.String()),
  participants: Type.Array(
    Type.Object({ actor: LinkedOut, required: Type.Boolean(), answer: Type.Optional(Type.String()) }),
  ),
  agenda: Type.Array(Type.String()),
  cancelled: Type.Optional(Coded),
  held: Type.Optional(
    Type.Object({
      id: Type.String(),
      start: Type.Optional(Type.String()),
      end: Type.Optional(Type.String()),
      attended: Type.Array(LinkedOut),
      absent: Type.Array(LinkedOut),
      manner: Type.Array(Type.String()),
      decisions: Type.Array(
        Type.Object({ text: Type.Optional(Type.String()), intervention: Type.Optional(LinkedOut) }),
      ),
      minutes: Type.Optional(Type.String()),
    }),
  ),
});
export type ConferenceView = Static<typeof ConferenceView>;

// The delivery of a notice as an application sends and gets it.
import Type, { type Static } from 'typebox';
import { Moment } from '../given-time.ts';
import { LinkedOut } from '../linked.ts';
import { NoteText } from '../note.ts';
import { PartyOf } from '../party.ts';

export const RECIPIENTS = ['Patient', 'RelatedPerson'] as const;

const method = Type.Enum(['handed-over', 'telephone'], {
  description: 'telephone: read to a representative, with a copy mailed. A message left is no delivery',
});

export const NoticeGiven = Type.Object(
  {
    delivered: Moment,
    method: Type.Optional(method),
    to: Type.Optional(PartyOf(RECIPIENTS, 'Patient or representative; the patient when absent')),
    signed: Type.Optional(Moment),
    refused: Type.Optional(Type.String({ ...Moment, description: 'When the signature was refused' })),
    mailed: Type.Optional(Type.String({ ...Moment, description: 'When the copy of what was read was mailed' })),
    language: Type.Optional(Type.String({ pattern: '^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$', examples: ['es-US'] })),
    document: Type.Optional(
      Type.Object(
        {
          url: Type.String({ format: 'uri', maxLength: 2000 }),
          contentType: Type.Optional(Type.String({ pattern: '^[a-z]+/[A-Za-z0-9.+-]+$' })),
          title: Type.Optional(Type.String({ minLength: 1, maxLength: 200 })),
        },
        { additionalProperties: false, description: 'The signed notice' },
      ),
    ),
    note: Type.Optional(NoteText),
  },
  { additionalProperties: false },
);
export type NoticeGiven = Static<typeof NoticeGiven>;

export const NoticeDelivery = Type.Object(
  {
    delivered: Type.String(),
    method: Type.Optional(method),
    to: Type.Optional(LinkedOut),
    signed: Type.Optional(Type.String()),
    refused: Type.Optional(Type.String()),
    mailed: Type.Optional(Type.String()),
    language: Type.Optional(Type.String()),
    document: Type.Optional(LinkedOut),
  },
  { additionalProperties: false, description: 'How a notice was given' },
);
export type NoticeDelivery = Static<typeof NoticeDelivery>;

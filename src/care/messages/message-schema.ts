// A message about a case, as an application sends and gets it.
import Type, { type Static } from 'typebox';
import { OWNERS } from '../known-resource.ts';
import { LinkedOut } from '../linked.ts';
import { PartyOf } from '../party.ts';

export const WriteMessage = Type.Object(
  {
    to: Type.Array(PartyOf(OWNERS, 'A member of the team, the case manager, the patient or somebody of the family'), {
      minItems: 1,
      maxItems: 50,
    }),
    text: Type.String({ minLength: 1, maxLength: 10_000 }),
    inReplyTo: Type.Optional(PartyOf(['Communication'], 'The message that is answered')),
  },
  { additionalProperties: false, description: 'A message to people of the case' },
);
export type WriteMessage = Static<typeof WriteMessage>;

export const Message = Type.Object({
  id: Type.String(),
  version: Type.String(),
  from: Type.Optional(LinkedOut),
  to: Type.Array(LinkedOut),
  sent: Type.Optional(Type.String()),
  text: Type.Optional(Type.String({ description: 'Absent when the message was taken back' })),
  inReplyTo: Type.Optional(LinkedOut),
  retracted: Type.Boolean({ description: 'Its sender has taken it back' }),
});
export type Message = Static<typeof Message>;

export const Thread = Type.Object({
  id: Type.String({ description: 'Of the message it began with' }),
  last: Type.Optional(Type.String({ description: 'When its latest message was sent' })),
  messages: Type.Array(Message),
});
export type Thread = Static<typeof Thread>;

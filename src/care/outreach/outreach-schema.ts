// An outreach campaign among the members of a panel, as an application sends it and what it gets.
import Type, { type Static } from 'typebox';
import { Coded } from '../coded.ts';
import { DateOrTime } from '../given-time.ts';
import { LinkedOut } from '../linked.ts';
import { PartyOf } from '../party.ts';

export const OpenOutreach = Type.Object(
  {
    campaign: Type.String({
      pattern: '^[a-z0-9][a-z0-9-]{0,63}$',
      description: 'Names the campaign; a member is reached out to once in it',
      examples: ['flu-2026'],
    }),
    reason: Coded,
    description: Type.Optional(Type.String({ minLength: 1, maxLength: 1_000, description: 'What to do' })),
    priority: Type.Optional(Type.Enum(['routine', 'urgent', 'asap', 'stat'])),
    due: DateOrTime,
    owner: Type.Optional(PartyOf(['Practitioner', 'PractitionerRole'], 'Who reaches out')),
    role: Type.Optional(Coded),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200, default: 100, description: 'Members at a time' })),
    after: Type.Optional(Type.String({ minLength: 1, maxLength: 2_000, description: '`next` of the answer before' })),
  },
  { additionalProperties: false, description: 'Outreach to a page of the members; `owner` or `role` says by whom' },
);
export type OpenOutreach = Static<typeof OpenOutreach>;

export const OutreachView = Type.Object({
  panel: Type.String(),
  campaign: Type.String(),
  members: Type.Integer({ description: 'Of this page' }),
  open: Type.Integer({ description: 'Have an outreach that is still to be done' }),
  ended: Type.Integer({ description: 'Have one that was done, or will not be' }),
  without: Type.Integer({ description: 'Have none: died, merged, or the record is not open to who asks' }),
  items: Type.Array(Type.Object({ patient: LinkedOut, task: LinkedOut, status: Type.String() })),
  next: Type.Optional(Type.String({ description: 'Send it as `after` to go on; absent on the last page' })),
});
export type OutreachView = Static<typeof OutreachView>;

// A panel and its members as an application gets them.
import Type, { type Static } from 'typebox';
import { Coded } from '../coded.ts';
import { LinkedOut } from '../linked.ts';
import { MEMBERSHIP_STATUSES } from './membership.ts';
import { RISKS } from './scoring-method.ts';

export const PanelSummary = Type.Object({
  id: Type.String(),
  title: Type.String(),
  description: Type.Optional(Type.String({ description: 'Markdown' })),
  members: Type.Integer({ description: 'On the panel now, of those the caller may see' }),
});

export const PanelList = Type.Object({ items: Type.Array(PanelSummary) });
export type PanelList = Static<typeof PanelList>;

export const MemberView = Type.Object({
  id: Type.String(),
  version: Type.String(),
  patient: LinkedOut,
  status: Type.Enum([...MEMBERSHIP_STATUSES]),
  tier: Type.Optional(Type.String()),
  score: Type.Optional(Type.Integer()),
  assessment: Type.Optional(LinkedOut),
  since: Type.Optional(Type.String({ description: 'Beginning of the present spell on the panel' })),
  spells: Type.Array(Type.Object({ start: Type.Optional(Type.String()), end: Type.Optional(Type.String()) })),
  why: Type.Array(LinkedOut, { description: 'What the panel put the patient on for' }),
  case: Type.Optional(LinkedOut),
  declined: Type.Optional(
    Type.Object({
      until: Type.Optional(Type.String()),
      reason: Type.Optional(Coded),
      by: Type.Optional(LinkedOut),
      at: Type.Optional(Type.String()),
    }),
  ),
});
export type MemberView = Static<typeof MemberView>;

export const PanelView = Type.Object({
  ...PanelSummary.properties,
  criteria: Type.Array(Type.Object({ title: Type.String(), exclude: Type.Boolean() })),
  method: Type.Optional(Type.Object({ code: Type.String(), version: Type.String(), title: Type.String() })),
  items: Type.Array(MemberView),
  next: Type.Optional(Type.String()),
});
export type PanelView = Static<typeof PanelView>;

export const PanelQuery = Type.Object(
  {
    status: Type.Optional(Type.Enum([...MEMBERSHIP_STATUSES], { default: 'on' })),
    tier: Type.Optional(Type.Enum([...RISKS])),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200, default: 50 })),
    after: Type.Optional(Type.String({ minLength: 1, maxLength: 2_000, description: '`next` of the page before' })),
  },
  { additionalProperties: false },
);
export type PanelQuery = Static<typeof PanelQuery>;

export const DeclineMember = Type.Object(
  { reason: Coded, until: Type.String({ format: 'date', description: 'Last day on which the patient stays off' }) },
  { additionalProperties: false },
);
export type DeclineMember = Static<typeof DeclineMember>;

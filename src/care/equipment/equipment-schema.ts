// Equipment that is ordered for the home: ordered, authorised, delivered.
import Type, { type Static } from 'typebox';
import { Coded } from '../coded.ts';
import { DateOrTime } from '../given-time.ts';
import { LinkedOut } from '../linked.ts';
import { PartyOf } from '../party.ts';

const Words = Type.String({ minLength: 1, maxLength: 4_000 });
const Ids = Type.Array(Type.String({ pattern: '^[A-Za-z0-9\\-.]{1,64}$' }), { maxItems: 50, uniqueItems: true });
export const STAGES = ['ordered', 'authorised', 'denied', 'delivered', 'cancelled'] as const;
export type Stage = (typeof STAGES)[number];

export const OrderEquipment = Type.Object(
  {
    item: Coded,
    supplier: Type.Optional(PartyOf(['Organization', 'HealthcareService', 'Practitioner'], 'Who delivers it')),
    priority: Type.Optional(Type.Enum(['routine', 'urgent', 'asap', 'stat'])),
    needs: Type.Optional(Ids),
    coverage: Type.Optional(PartyOf(['Coverage'], 'Who is to pay')),
    neededBy: Type.Optional(DateOrTime),
    note: Type.Optional(Words),
  },
  { additionalProperties: false },
);
export type OrderEquipment = Static<typeof OrderEquipment>;

export const AdvanceEquipment = Type.Object(
  {
    stage: Type.Enum(['authorised', 'denied', 'delivered', 'cancelled']),
    on: Type.Optional(DateOrTime),
    reason: Type.Optional(Words),
    authorisation: Type.Optional(Type.String({ minLength: 1, maxLength: 100, description: 'Number of the payer' })),
    note: Type.Optional(Words),
  },
  { additionalProperties: false },
);
export type AdvanceEquipment = Static<typeof AdvanceEquipment>;

export const Equipment = Type.Object(
  {
    id: Type.String(),
    version: Type.String(),
    inPlan: Type.Boolean(),
    status: Type.String(),
    stage: Type.Optional(Type.Enum([...STAGES])),
    item: Type.Optional(Coded),
    supplier: Type.Optional(LinkedOut),
    priority: Type.Optional(Type.String()),
    needs: Type.Optional(Type.Array(LinkedOut)),
    coverage: Type.Optional(LinkedOut),
    ordered: Type.Optional(Type.String()),
    neededBy: Type.Optional(Type.String()),
    delivered: Type.Optional(Type.String()),
    authorisation: Type.Optional(Type.String()),
    reason: Type.Optional(Type.String()),
    task: Type.Optional(LinkedOut),
    notes: Type.Optional(Type.Array(Type.String())),
  },
  { additionalProperties: false },
);
export type Equipment = Static<typeof Equipment>;

// Equipment that is ordered for the patient of a case.
import Type from 'typebox';
import { AdvanceEquipment, Equipment, OrderEquipment } from '../../care/equipment/equipment-schema.ts';
import { advanceEquipment, listEquipment, orderEquipment } from '../../care/equipment/plan-equipment.ts';
import type { Records } from '../../care/records.ts';
import { command, query } from './route.ts';

const SHARED = { tag: 'Equipment', reads: ['EpisodeOfCare', 'DeviceRequest'] } as const;
const show = async (records: Records, id: string, order: string) =>
  (await listEquipment(records, id)).find((one) => one.id === order);

export const EQUIPMENT_ROUTES = [
  query({
    ...SHARED,
    path: '/cases/:id/equipment',
    name: 'equipment-list',
    summary: 'Equipment that was ordered for the patient, the latest first',
    answer: Type.Object({ items: Type.Array(Equipment) }),
    run: async ({ records, params }) => ({ items: await listEquipment(records, params.id) }),
  }),
  command({
    ...SHARED,
    method: 'POST',
    path: '/cases/:id/equipment',
    name: 'equipment-order',
    summary: 'Orders equipment, and follows it',
    body: OrderEquipment,
    answer: Equipment,
    examples: {
      body: {
        item: { system: 'http://snomed.info/sct', code: '91537007', text: 'Hospital bed' },
        supplier: { reference: 'Organization/supplier' },
        neededBy: '2026-12-01',
      },
    },
    plan: ({ records, caller, params, body }) => orderEquipment(records, caller, { case: params.id, input: body }),
    view: ({ records, params }, made) => show(records, params.id, made.id),
  }),
  command({
    ...SHARED,
    method: 'POST',
    path: '/cases/:id/equipment/:order/advance',
    name: 'equipment-advance',
    summary: 'Authorised, denied, delivered or cancelled',
    body: AdvanceEquipment,
    examples: { body: { stage: 'delivered', on: '2026-12-02' } },
    answer: Equipment,
    plan: ({ records, caller, params, body }) =>
      advanceEquipment(records, caller, { case: params.id, id: params.order, input: body }),
    view: ({ records, params }, made) => show(records, params.id, made.id),
  }),
];

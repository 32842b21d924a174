// Discharges that a person tells of; every transition begins from one.
import Type from 'typebox';
import { correctDischarge, takeBackDischarge } from '../../care/discharges/correct-discharge.ts';
import {
  CorrectDischarge,
  Discharge,
  TakeBackDischarge,
  TellDischarge,
} from '../../care/discharges/discharge-schema.ts';
import { listDischarges, showDischarge } from '../../care/discharges/discharge-view.ts';
import { tellDischarge } from '../../care/discharges/tell-discharge.ts';
import { type ApiRoute, command, query } from './route.ts';

const one = { tag: 'Discharges', reads: ['Patient', 'Encounter'], answer: Discharge } as const;
const item = '/patients/:id/discharges/:discharge';

export const DISCHARGE_ROUTES: readonly ApiRoute[] = [
  query({
    path: '/patients/:id/discharges',
    name: 'discharge-list',
    summary: 'Discharges of a patient, the latest first, whoever told of them',
    ...one,
    answer: Type.Object({ items: Type.Array(Discharge) }),
    run: async ({ records, params }) => {
      const items = await listDischarges(records, params.id);
      return items && { items };
    },
  }),
  query({
    path: item,
    name: 'discharge-read',
    summary: 'One discharge, or the stay that goes on when it was taken back',
    ...one,
    run: ({ records, params }) => showDischarge(records, params.id, params.discharge),
  }),
  command({
    method: 'POST',
    path: '/patients/:id/discharges',
    name: 'discharge-tell',
    summary: 'Tells that the patient was discharged; the transition starts',
    description:
      'Ends the stay that is open, or `encounter`. A discharge of the same day that the hospital has told of already is that ' +
      'one, and only gains what it did not say; so does a stay that is over and does not say since when. When Baton has heard of no such stay, one is made; the visit number is added ' +
      'when the hospital tells of it. `discharged` is a date when the time is not known.',
    ...one,
    body: TellDischarge,
    examples: {
      body: {
        discharged: '2026-11-25',
        admitted: '2026-11-20',
        disposition: '06',
        facilityName: 'St. Elsewhere Hospital',
        reason: { text: 'Heart failure' },
      },
    },
    plan: ({ records, caller, installed, params, body }) =>
      tellDischarge(records, caller, installed, { patient: params.id, told: body }),
    view: ({ records, params }, { id }) => showDischarge(records, params.id, id),
  }),
  command({
    method: 'POST',
    path: `${item}/correct`,
    name: 'discharge-correct',
    summary: 'Corrects a discharge; what is not yet done of the transition moves with it',
    ...one,
    body: CorrectDischarge,
    examples: { body: { why: 'Left a day later', discharged: '2026-11-26T11:00:00-05:00', disposition: '03' } },
    plan: ({ records, caller, installed, params, body }) =>
      correctDischarge(records, caller, installed, { patient: params.id, id: params.discharge, body }),
    view: ({ records, params }) => showDischarge(records, params.id, params.discharge),
  }),
  command({
    method: 'POST',
    path: `${item}/take-back`,
    name: 'discharge-take-back',
    summary: 'Takes a discharge back; its transition is withdrawn',
    ...one,
    body: TakeBackDischarge,
    examples: { body: { why: 'Went back to the ward', stay: 'goes-on' } },
    plan: ({ records, caller, params, body }) =>
      takeBackDischarge(records, caller, { patient: params.id, id: params.discharge, body }),
    view: ({ records, params }) => showDischarge(records, params.id, params.discharge),
  }),
];

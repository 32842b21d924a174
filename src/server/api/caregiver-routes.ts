// Family and other caregivers of the patient of a case.
import Type from 'typebox';
import {
  AddCaregiver,
  Caregiver,
  ChangeCaregiver,
  EndCaregiver,
  NoteStrain,
  Strain,
} from '../../care/caregivers/caregiver-schema.ts';
import { viewStrain } from '../../care/caregivers/caregiver-view.ts';
import {
  listCaregivers,
  listStrain,
  planAddCaregiver,
  planChangeCaregiver,
  planEndCaregiver,
  planStrain,
  showCaregiver,
} from '../../care/caregivers/plan-caregivers.ts';
import { command, query } from './route.ts';

const SHARED = { tag: 'Caregivers', reads: ['EpisodeOfCare', 'RelatedPerson'] } as const;

export const CAREGIVER_ROUTES = [
  query({
    ...SHARED,
    path: '/cases/:id/caregivers',
    name: 'caregiver-list',
    summary: 'Everybody related to the patient, with what they may and how they bear it',
    answer: Type.Object({ items: Type.Array(Caregiver) }),
    run: async ({ records, caller, params }) => ({ items: await listCaregivers(records, caller, params.id) }),
  }),
  query({
    ...SHARED,
    path: '/cases/:id/caregivers/:caregiver',
    name: 'caregiver-read',
    summary: 'One caregiver',
    answer: Caregiver,
    run: ({ records, caller, params }) => showCaregiver(records, caller, { case: params.id, id: params.caregiver }),
  }),
  command({
    ...SHARED,
    method: 'POST',
    path: '/cases/:id/caregivers',
    name: 'caregiver-add',
    summary: 'Adds a caregiver',
    body: AddCaregiver,
    answer: Caregiver,
    examples: {
      body: {
        name: { given: ['Rosa'], family: 'Diaz' },
        relationship: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-RoleCode', code: 'DAU', text: 'Daughter' }],
        telecom: [{ system: 'phone', value: '555-0100', use: 'mobile' }],
        language: 'es',
        permissions: ['know-condition', 'talk-with-team'],
        emergencyContact: true,
      },
    },
    plan: ({ records, caller, params, body }) => planAddCaregiver(records, caller, { case: params.id, input: body }),
    view: ({ records, caller, params }, made) => showCaregiver(records, caller, { case: params.id, id: made.id }),
  }),
  command({
    ...SHARED,
    method: 'POST',
    path: '/cases/:id/caregivers/:caregiver/change',
    name: 'caregiver-change',
    summary: 'Changes what is known of a caregiver',
    body: ChangeCaregiver,
    examples: { body: { language: 'es' } },
    answer: Caregiver,
    plan: ({ records, caller, params, body }) =>
      planChangeCaregiver(records, caller, { case: params.id, id: params.caregiver, input: body }),
    view: ({ records, caller, params }, made) => showCaregiver(records, caller, { case: params.id, id: made.id }),
  }),
  command({
    ...SHARED,
    method: 'POST',
    path: '/cases/:id/caregivers/:caregiver/end',
    name: 'caregiver-end',
    summary: 'They care for the patient no longer',
    body: EndCaregiver,
    examples: { body: { end: '2026-11-30' } },
    answer: Caregiver,
    plan: ({ records, caller, params, body }) =>
      planEndCaregiver(records, caller, { case: params.id, id: params.caregiver, input: body }),
    view: ({ records, caller, params }, made) => showCaregiver(records, caller, { case: params.id, id: made.id }),
  }),
  query({
    ...SHARED,
    path: '/cases/:id/caregivers/:caregiver/strain',
    name: 'caregiver-strain-list',
    summary: 'How a caregiver bore it, the latest first',
    answer: Type.Object({ items: Type.Array(Strain) }),
    run: async ({ records, caller, params }) => ({
      items: await listStrain(records, caller, { case: params.id, id: params.caregiver }),
    }),
  }),
  command({
    ...SHARED,
    method: 'POST',
    path: '/cases/:id/caregivers/:caregiver/strain',
    name: 'caregiver-strain-note',
    summary: 'Notes how a caregiver bears it',
    body: NoteStrain,
    examples: { body: { level: 'considerable', note: 'Up twice every night' } },
    answer: Strain,
    plan: ({ records, caller, params, body }) =>
      planStrain(records, caller, { case: params.id, id: params.caregiver, input: body }),
    view: async ({ records }, made) => {
      const observation = await records.read('Observation', made.id);
      return observation && viewStrain(observation);
    },
  }),
];

// Education of patients and caregivers, with teach-back.
import Type from 'typebox';
import { assignEducation, cancelEducation, deliverEducation, recordTeachBack } from '../../care/education/educate.ts';
import {
  EducationAssignment,
  EducationCancellation,
  EducationDelivery,
  EducationView,
  TeachBack,
} from '../../care/education/education-schema.ts';
import { listEducation, showEducation } from '../../care/education/education-view.ts';
import { type ApiRoute, command, query } from './route.ts';

const tag = 'Education';
const reads = ['EpisodeOfCare', 'Task'] as const;
const one = { tag, reads, answer: EducationView } as const;

export const EDUCATION_ROUTES: readonly ApiRoute[] = [
  query({
    path: '/cases/:id/education',
    name: 'education-list',
    summary: 'List what is and was taught, newest first',
    tag,
    reads,
    answer: Type.Object({ items: Type.Array(EducationView) }),
    run: async ({ records, params }) => ({ items: await listEducation(records, params.id) }),
  }),
  query({
    path: '/cases/:id/education/:education',
    name: 'education-read',
    summary: 'Read an education',
    ...one,
    run: ({ records, params }) => showEducation(records, params.id, params.education),
  }),
  command({
    method: 'POST',
    path: '/cases/:id/education',
    name: 'education-assign',
    summary: 'Assign something to be taught',
    ...one,
    body: EducationAssignment,
    examples: {
      body: {
        topic: 'Weighing yourself every morning',
        material: { url: 'https://medlineplus.gov/heartfailure.html', title: 'Heart failure' },
        language: 'es-US',
        readingLevel: { text: 'Grade 5' },
        due: '2026-12-04',
      },
    },
    plan: ({ records, caller, params, body }) => assignEducation(records, caller, { caseId: params.id, body }),
    view: ({ records, params }, { id }) => showEducation(records, params.id, id),
  }),
  command({
    method: 'POST',
    path: '/cases/:id/education/:education/deliver',
    name: 'education-deliver',
    summary: 'Record that it was taught',
    ...one,
    body: EducationDelivery,
    examples: { body: { method: { text: 'Shown and told' } } },
    plan: ({ records, caller, params, body }) =>
      deliverEducation(records, caller, { caseId: params.id, id: params.education, body }),
    view: ({ records, params }) => showEducation(records, params.id, params.education),
  }),
  command({
    method: 'POST',
    path: '/cases/:id/education/:education/teach-back',
    name: 'education-teach-back',
    summary: 'Record what the learner understood',
    description: 'What was not understood needs `repeat`: it is assigned again in the same commit.',
    ...one,
    body: TeachBack,
    examples: { body: { result: 'needs-reinforcement', repeat: { due: '2026-12-05' } } },
    plan: ({ records, caller, params, body }) =>
      recordTeachBack(records, caller, { caseId: params.id, id: params.education, body }),
    view: ({ records, params }) => showEducation(records, params.id, params.education),
  }),
  command({
    method: 'POST',
    path: '/cases/:id/education/:education/cancel',
    name: 'education-cancel',
    summary: 'Cancel an education',
    ...one,
    body: EducationCancellation,
    examples: { body: { reason: { text: 'Declined' } } },
    plan: ({ records, caller, params, body }) =>
      cancelEducation(records, caller, { caseId: params.id, id: params.education, body }),
    view: ({ records, params }) => showEducation(records, params.id, params.education),
  }),
];

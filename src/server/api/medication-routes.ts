// Medication reconciliation of a case, and the qualifications that its sign-off needs.
import Type from 'typebox';
import { LIST_KINDS, type ListKind } from '../../care/medications/compare-lists.ts';
import {
  DiscrepancyResolution,
  ListSetting,
  ReconciliationCancellation,
  ReconciliationStart,
  ReconciliationView,
  SignOffGiven,
} from '../../care/medications/reconciliation-schema.ts';
import { listReconciliations, showReconciliation } from '../../care/medications/reconciliation-view.ts';
import { signOffReconciliation } from '../../care/medications/sign-off-reconciliation.ts';
import { startReconciliation } from '../../care/medications/start-reconciliation.ts';
import {
  cancelReconciliation,
  compareAnew,
  resolveDiscrepancy,
  setMedicationList,
} from '../../care/medications/work-on-reconciliation.ts';
import { listQualifications, PractitionerQualifications } from '../../care/qualifications/list-qualifications.ts';
import { Fault } from '../../fault.ts';
import { type ApiRoute, command, query } from './route.ts';

const tag = 'Medication reconciliation';
const reads = ['EpisodeOfCare', 'Task', 'List', 'DetectedIssue'] as const;
const one = { tag, reads, answer: ReconciliationView } as const;
const item = '/cases/:id/medication-reconciliations/:reconciliation';

export const MEDICATION_ROUTES: readonly ApiRoute[] = [
  query({
    path: '/cases/:id/medication-reconciliations',
    name: 'medication-reconciliation-list',
    summary: 'List medication reconciliations, newest first',
    tag,
    reads,
    answer: Type.Object({ items: Type.Array(ReconciliationView) }),
    run: async ({ records, params }) => ({ items: await listReconciliations(records, params.id) }),
  }),
  query({
    path: item,
    name: 'medication-reconciliation-read',
    summary: 'Read a medication reconciliation: lists, discrepancies, sign-off',
    ...one,
    run: ({ records, params }) => showReconciliation(records, params.id, params.reconciliation),
  }),
  command({
    method: 'POST',
    path: '/cases/:id/medication-reconciliations',
    name: 'medication-reconciliation-start',
    summary: 'Start a medication reconciliation with lists made from what is stored',
    description:
      'The lists before admission, at discharge and now are proposals made from statements, prescriptions and doses given. ' +
      'With `corrects` it corrects one that was signed off.',
    ...one,
    body: ReconciliationStart,
    examples: { body: { due: '2026-12-02' } },
    plan: ({ records, caller, params, body }) => startReconciliation(records, caller, { caseId: params.id, body }),
    view: ({ records, params }, { id }) => showReconciliation(records, params.id, id),
  }),
  command({
    method: 'PUT',
    path: `${item}/lists/:list`,
    name: 'medication-list-set',
    summary: 'Set one of the lists: before-admission, at-discharge or current',
    description: 'A line with the id of one on the list stays that one. The discrepancies follow in the same commit.',
    ...one,
    body: ListSetting,
    examples: {
      body: {
        lines: [
          {
            medication: {
              system: 'http://www.nlm.nih.gov/research/umls/rxnorm',
              code: '314076',
              text: 'Lisinopril 10 MG',
            },
            dose: { value: 10, unit: 'mg' },
            frequency: { times: 1, every: 1, unit: 'd' },
          },
        ],
      },
    },
    plan: ({ records, caller, params, body }) =>
      setMedicationList(records, caller, {
        caseId: params.id,
        id: params.reconciliation,
        kind: listKind(params.list),
        body,
      }),
    view: ({ records, params }) => showReconciliation(records, params.id, params.reconciliation),
  }),
  command({
    method: 'POST',
    path: `${item}/compare`,
    name: 'medication-reconciliation-compare',
    summary: 'Compare the lists anew, after they were edited as FHIR',
    ...one,
    plan: ({ records, caller, params }) =>
      compareAnew(records, caller, { caseId: params.id, id: params.reconciliation }),
    view: ({ records, params }) => showReconciliation(records, params.id, params.reconciliation),
  }),
  command({
    method: 'POST',
    path: `${item}/discrepancies/:discrepancy/resolve`,
    name: 'medication-discrepancy-resolve',
    summary: 'Decide about a discrepancy',
    description: '`accept` needs a reason, `clarify` the prescriber.',
    ...one,
    body: DiscrepancyResolution,
    examples: { body: { resolution: 'stop', reason: 'Taken twice under two names' } },
    plan: ({ records, caller, params, body }) =>
      resolveDiscrepancy(records, caller, {
        caseId: params.id,
        id: params.reconciliation,
        discrepancy: params.discrepancy,
        body,
      }),
    view: ({ records, params }) => showReconciliation(records, params.id, params.reconciliation),
  }),
  command({
    method: 'POST',
    path: `${item}/sign-off`,
    name: 'medication-reconciliation-sign-off',
    summary: 'Sign a medication reconciliation off',
    description:
      'By a registered nurse, a pharmacist or a prescriber whose qualification is current where the patient lives; when no ' +
      'discrepancy is open.',
    ...one,
    body: SignOffGiven,
    examples: { body: { note: 'Gone through with the daughter' } },
    plan: ({ records, caller, params, body }) =>
      signOffReconciliation(records, caller, { caseId: params.id, id: params.reconciliation, body }),
    view: ({ records, params }) => showReconciliation(records, params.id, params.reconciliation),
  }),
  command({
    method: 'POST',
    path: `${item}/cancel`,
    name: 'medication-reconciliation-cancel',
    summary: 'Give a medication reconciliation up',
    ...one,
    body: ReconciliationCancellation,
    examples: { body: { reason: { text: 'Back in hospital' } } },
    plan: ({ records, caller, params, body }) =>
      cancelReconciliation(records, caller, { caseId: params.id, id: params.reconciliation, body }),
    view: ({ records, params }) => showReconciliation(records, params.id, params.reconciliation),
  }),
  query({
    path: '/practitioners/:id/qualifications',
    name: 'qualification-list',
    summary: 'What a practitioner is qualified for and may sign off',
    tag: 'Practitioners',
    reads: ['Practitioner'],
    query: Type.Object(
      { state: Type.Optional(Type.String({ pattern: '^[A-Z]{2}$', description: 'Where the patient lives: NY' })) },
      { additionalProperties: false },
    ),
    answer: PractitionerQualifications,
    run: ({ records, caller, params, query: { state } }) => listQualifications(records, caller, params.id, state),
  }),
];

/** @throws Fault not-found */
function listKind(given: string): ListKind {
  const kind = LIST_KINDS.find((known) => known === given);
  if (kind) return kind;
  throw new Fault('not-found', `There is no list ${given}; there are ${LIST_KINDS.join(', ')}.`);
}

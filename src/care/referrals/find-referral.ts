// Referrals of a case, and what is worth knowing before a partner is asked.
import { Fault } from '../../fault.ts';
import { type CaseAtHand, caseAtHand } from '../case-at-hand.ts';
import { belongsTo, planReferences } from '../plans/plan-of-case.ts';
import type { Kept, Records } from '../records.ts';
import { capacityOf } from '../resources/resource-codes.ts';
import { idOf } from '../stored.ts';
import type { AskedReferral, Referral } from './referral-schema.ts';
import { isChoice, latestFirst, viewAsked, viewReferral } from './referral-view.ts';

/** @throws Fault not-found when it is not of the patient of the case */
export async function readReferral(records: Records, { patient }: CaseAtHand, id: string) {
  const order = await records.read('ServiceRequest', id);
  if (!order || idOf(order.subject, 'Patient') !== patient.id) {
    throw new Fault('not-found', `There is no referral ${id} for the patient of this case.`);
  }
  const tasks = await records.find('Task', { focus: `ServiceRequest/${id}` });
  return { order, tasks };
}

/** The one that stands: the last that asks somebody. */
export const latestTask = (tasks: readonly Kept<'Task'>[]): Kept<'Task'> | undefined =>
  latestFirst(tasks.filter((task) => !isChoice(task)))[0];

/** All that were ordered for the patient, also elsewhere, the latest first. @throws Fault not-found */
export async function listReferrals(records: Records, id: string): Promise<Referral[]> {
  const { patient } = await caseAtHand(records, id);
  const [orders, tasks, ofPlan] = await Promise.all([
    records.find('ServiceRequest', { patient: `Patient/${patient.id}`, _sort: '-authored' }),
    records.find('Task', { patient: `Patient/${patient.id}` }),
    planReferences(records, id),
  ]);
  const byOrder = Map.groupBy(tasks, ({ focus }) => focus?.reference ?? '');
  const shown = orders.filter(({ status }) => status !== 'entered-in-error');
  return shown.map((order) =>
    viewReferral({
      order,
      tasks: byOrder.get(`ServiceRequest/${order.id}`) ?? [],
      inPlan: belongsTo(order.basedOn, ofPlan),
    }),
  );
}

/** One, with warnings. @throws Fault not-found */
export async function showReferral(records: Records, caseId: string, id: string): Promise<Referral> {
  const found = await caseAtHand(records, caseId);
  const { order, tasks } = await readReferral(records, found, id);
  const inPlan = belongsTo(order.basedOn, await planReferences(records, caseId));
  return viewReferral({ order, tasks, inPlan, warnings: await warningsOf(records, order) });
}

/** Nothing here keeps a nurse from referring; she should know. */
async function warningsOf(records: Records, order: Kept<'ServiceRequest'>): Promise<string[]> {
  const services = (order.performer ?? []).flatMap((one) => idOf(one, 'HealthcareService') ?? []);
  const found = await Promise.all(services.map((id) => records.read('HealthcareService', id)));
  return found.flatMap((service) => {
    const capacity = service && capacityOf(service);
    if (service?.active === false) return [`${service.name ?? 'The service'} is not active.`];
    if (capacity?.status === undefined || capacity.status === 'capacity') return [];
    return [
      `${service?.name ?? 'The service'} ${SAYS[capacity.status]}${capacity.notes ? `: ${capacity.notes}` : '.'}`,
    ];
  });
}

const SAYS = {
  'no-capacity': 'has no capacity',
  waitlist: 'has a waitlist',
  'additional-assessment-required': 'needs another assessment first',
} as const;

/** What partners ask for when they poll. */
export interface Poll {
  /** `Organization/…`; those open to anybody with `open`. */
  readonly owner?: string | undefined;
  readonly status?: string | undefined;
  /** FHIR instant; changed at or after. */
  readonly since?: string | undefined;
  readonly open?: boolean | undefined;
}

/** Referral Tasks that the caller may see, the latest change first. */
export async function pollReferrals(records: Records, { owner, status, since, open }: Poll): Promise<AskedReferral[]> {
  const tasks = await records.find('Task', {
    code: 'http://hl7.org/fhir/CodeSystem/task-code|fulfill',
    ...(owner === undefined ? {} : { owner }),
    ...(open === undefined ? {} : { 'owner:missing': String(open) }),
    ...(status === undefined ? {} : { status }),
    ...(since === undefined ? {} : { _lastUpdated: `ge${since}` }),
    _sort: '-_lastUpdated',
  });
  return Promise.all(tasks.filter(isOfOrder).map((task) => showAsked(records, task)));
}

const isOfOrder = ({ focus }: Kept<'Task'>) => focus?.reference?.startsWith('ServiceRequest/') ?? false;

/** The order as well, where the caller may read it: the partner that is asked may, who looks at open ones not. */
export async function showAsked(records: Records, task: Kept<'Task'>): Promise<AskedReferral> {
  const id = task.owner ? idOf(task.focus, 'ServiceRequest') : undefined;
  const order = id === undefined ? undefined : await records.read('ServiceRequest', id);
  return viewAsked(task, order);
}

/** @throws Fault not-found */
export async function readAsked(records: Records, id: string): Promise<Kept<'Task'>> {
  const task = await records.read('Task', id);
  if (task && isOfOrder(task) && !isChoice(task)) return task;
  throw new Fault('not-found', `There is no referral task ${id}.`);
}

// What is and was done for the patient of a case: every Task and ServiceRequest, and whatever else the plan refers to.
import type { CarePlan, ResourceType } from '@medplum/fhirtypes';
import { Fault } from '../../fault.ts';
import { caseAtHand } from '../case-at-hand.ts';
import { findReadable } from '../find-readable.ts';
import { toLastInstant } from '../local-time.ts';
import { followed } from '../plans/followed.ts';
import { currentPlan } from '../plans/plan-of-case.ts';
import type { Caller, Kept, Records } from '../records.ts';
import { isReview } from '../reviews/review-codes.ts';
import { hasEnded, viewActivity } from './activity-view.ts';
import type { InterventionView } from './intervention-schema.ts';

export interface InterventionFilter {
  readonly state?: 'open' | 'closed';
  readonly overdue?: boolean;
  readonly inPlan?: boolean;
  /** `Goal/12`: only what works towards it. */
  readonly goal?: string;
}

/** In order of their due date, those without one last; reviews of the plan are listed by themselves. @throws Fault not-found */
export async function listInterventions(
  records: Records,
  caller: Caller,
  caseId: string,
  filter: InterventionFilter = {},
): Promise<InterventionView[]> {
  const { patient } = await caseAtHand(records, caseId);
  const plan = await currentPlan(records, caseId);
  const [tasks, orders, others] = await Promise.all([
    records.find('Task', { patient: patient.id }),
    findReadable(records, 'ServiceRequest', { patient: patient.id }),
    activitiesOf(records, plan, (type) => type !== 'Task' && type !== 'ServiceRequest'),
  ]);
  const planned = new Set(plan?.activity?.map(({ reference }) => reference?.reference));
  const planOf = (one: Kept<ResourceType>) =>
    plan && planned.has(`${one.resourceType}/${one.id}`) ? `CarePlan/${plan.id}` : undefined;
  return [...tasks.filter((task) => !isReview(task)), ...orders, ...others]
    .map((one) => viewActivity(one, caller, planOf(one)))
    .filter((view) => view.status !== 'entered-in-error')
    .filter((view) => filter.state === undefined || hasEnded(view) === (filter.state === 'closed'))
    .filter((view) => filter.overdue === undefined || view.overdue === filter.overdue)
    .filter((view) => filter.inPlan === undefined || (view.plan !== undefined) === filter.inPlan)
    .filter((view) => filter.goal === undefined || view.goals.some(({ reference }) => reference === filter.goal))
    .sort((one, other) => byDue(one, other, caller.zone));
}

/** @throws Fault not-found */
export async function showIntervention(
  records: Records,
  caller: Caller,
  caseId: string,
  id: string,
): Promise<InterventionView> {
  const { subject } = await caseAtHand(records, caseId);
  const [task, plan] = await Promise.all([records.read('Task', id), currentPlan(records, caseId)]);
  if (task?.for?.reference === subject.reference) {
    const isPlanned = plan?.activity?.some(({ reference }) => reference?.reference === `Task/${id}`);
    return viewActivity(task, caller, isPlanned ? `CarePlan/${plan?.id}` : undefined);
  }
  const view = (await listInterventions(records, caller, caseId)).find((one) => one.id === id);
  if (view) return view;
  throw new Fault('not-found', `The case has no intervention ${id}, or you may not see it.`);
}

/** What the plan's activities lead to, where it is there and may be seen. */
export function activitiesOf(
  records: Records,
  plan: CarePlan | undefined,
  isWanted?: (type: string) => boolean,
): Promise<Kept<ResourceType>[]> {
  const references = (plan?.activity ?? []).map(({ reference }) => reference);
  return followed(records, references, isWanted);
}

function byDue({ due: one }: InterventionView, { due: other }: InterventionView, zone: string): number {
  if (one === undefined || other === undefined) return Number(one === undefined) - Number(other === undefined);
  return Temporal.Instant.compare(toLastInstant(one, zone), toLastInstant(other, zone));
}

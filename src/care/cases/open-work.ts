// What is still to be done in a case: the tasks and orders of its plan that have not ended.
import type { CarePlan, CodeableConcept, Reference, ServiceRequest, Task } from '@medplum/fhirtypes';
import type { Change } from '../../fhir/change.ts';
import { findReadable } from '../find-readable.ts';
import type { Caller, Kept, Records } from '../records.ts';
import { touched } from '../touched.ts';

export const OPEN_TASKS = 'draft,requested,received,accepted,ready,in-progress,on-hold';
const OPEN_ORDERS = 'draft,active,on-hold';

export interface OpenWork {
  readonly tasks: readonly Kept<'Task'>[];
  readonly orders: readonly Kept<'ServiceRequest'>[];
}

/** @param patient `Patient/12` */
export async function openWork(
  records: Records,
  patient: string,
  plans: readonly Kept<'CarePlan'>[],
): Promise<OpenWork> {
  const [tasks, orders] = await Promise.all([
    findReadable(records, 'Task', { patient, status: OPEN_TASKS }),
    findReadable(records, 'ServiceRequest', { patient, status: OPEN_ORDERS }),
  ]);
  const isPlanned = partOf(plans);
  return { tasks: tasks.filter(isPlanned), orders: orders.filter(isPlanned) };
}

/** Whether something belongs to one of the plans: it says so itself, or a plan does. */
export function partOf(plans: readonly (CarePlan & { readonly id: string })[]) {
  const ids = new Set(plans.map(({ id }) => `CarePlan/${id}`));
  const planned = new Set(plans.flatMap(({ activity = [] }) => activity.map((each) => each.reference?.reference)));
  return (item: { readonly resourceType: string; readonly id: string; readonly basedOn?: readonly Reference[] }) =>
    planned.has(`${item.resourceType}/${item.id}`) ||
    (item.basedOn ?? []).some(({ reference = '' }) => ids.has(reference));
}

/** Ends all of it without having been done. */
export function cancelWork({ tasks, orders }: OpenWork, reason: CodeableConcept, { now }: Caller): Change[] {
  return [
    ...tasks.map((task) => {
      const resource: Task = touched({ ...task, status: 'cancelled', statusReason: reason }, now);
      return { op: 'update', resource, ifMatch: task.meta.versionId } as const;
    }),
    ...orders.map((order) => {
      const resource: ServiceRequest = { ...order, status: 'revoked' };
      return { op: 'update', resource, ifMatch: order.meta.versionId } as const;
    }),
  ];
}

// Ordering equipment and following it until it is delivered.
import { randomUUID } from 'node:crypto';
import type { DeviceRequest, Task } from '@medplum/fhirtypes';
import { Fault } from '../../fault.ts';
import { caseAtHand, openCaseAtHand, workableCase } from '../case-at-hand.ts';
import { nowOf, requirePast } from '../given-time.ts';
import { notOfPatient } from '../known-resource.ts';
import { withNote } from '../note.ts';
import { belongsTo, planReferences, planToExtend } from '../plans/plan-of-case.ts';
import type { Caller, Kept, Planned, Records } from '../records.ts';
import { idOf } from '../stored.ts';
import type { AdvanceEquipment, Equipment, OrderEquipment, Stage } from './equipment-schema.ts';
import { AUTHORISATION, followOrder, stageConcept, viewEquipment, writeOrder } from './write-equipment.ts';

/** All that was ordered for the patient, also elsewhere, the latest first. @throws Fault not-found */
export async function listEquipment(records: Records, id: string): Promise<Equipment[]> {
  const { patient } = await caseAtHand(records, id);
  const [orders, tasks, ofPlan] = await Promise.all([
    records.find('DeviceRequest', { patient: `Patient/${patient.id}`, _sort: '-authored-on' }),
    records.find('Task', { patient: `Patient/${patient.id}` }),
    planReferences(records, id),
  ]);
  return orders
    .filter(({ status }) => status !== 'entered-in-error')
    .map((order) => {
      const task = tasks.find(({ focus }) => focus?.reference === `DeviceRequest/${order.id}`);
      return viewEquipment(order, task, belongsTo(order.basedOn, ofPlan));
    });
}

/** @throws Fault not-found; unprocessable for a patient who has died, or a need of somebody else */
export async function orderEquipment(
  records: Records,
  caller: Caller,
  command: { readonly case: string; readonly input: OrderEquipment },
): Promise<Planned> {
  const { input } = command;
  const found = await workableCase(records, command.case);
  for (const [at, id] of (input.needs ?? []).entries()) {
    const need = await records.read('Condition', id);
    if (idOf(need?.subject, 'Patient') !== found.patient.id) throw notOfPatient(`Condition/${id}`, `needs[${at}]`);
  }
  const plan = await planToExtend(records, caller, found);
  const place = { patient: `Patient/${found.patient.id}`, plan: plan.reference };
  const [id, taskId] = [randomUUID(), randomUUID()];
  const order = writeOrder(input, place, caller);
  return {
    changes: [
      { op: 'create', id, resource: order },
      { op: 'create', id: taskId, resource: followOrder(order, `DeviceRequest/${id}`, place, caller) },
      ...plan.add({ activities: [`DeviceRequest/${id}`, `Task/${taskId}`] }),
    ],
    about: 0,
  };
}

interface Step {
  /** Stages it can follow on. */
  readonly after: readonly Stage[];
  readonly task: Task['status'];
  readonly order: NonNullable<DeviceRequest['status']>;
  readonly needsReason: boolean;
}

const STEPS: Readonly<Record<AdvanceEquipment['stage'], Step>> = {
  authorised: { after: ['ordered', 'denied'], task: 'in-progress', order: 'active', needsReason: false },
  denied: { after: ['ordered', 'authorised'], task: 'on-hold', order: 'on-hold', needsReason: true },
  // What needs no authorisation is delivered straight away.
  delivered: { after: ['ordered', 'authorised'], task: 'completed', order: 'completed', needsReason: false },
  cancelled: { after: ['ordered', 'authorised', 'denied'], task: 'cancelled', order: 'revoked', needsReason: true },
};

/** @throws Fault not-found; unprocessable when the stage cannot follow, or a reason is missing */
export async function advanceEquipment(
  records: Records,
  caller: Caller,
  command: { readonly case: string; readonly id: string; readonly input: AdvanceEquipment },
): Promise<Planned> {
  const { input, id } = command;
  const { patient } = await openCaseAtHand(records, command.case);
  const order = await records.read('DeviceRequest', id);
  const [task] = await records.find('Task', { focus: `DeviceRequest/${id}` });
  if (!order || !task || idOf(order.subject, 'Patient') !== patient.id) {
    throw new Fault('not-found', `There is no equipment ${id} that was ordered here for the patient of this case.`);
  }
  const step = STEPS[input.stage];
  const before = viewEquipment(order, task, false).stage ?? 'ordered';
  if (!step.after.includes(before)) {
    throw new Fault('unprocessable', `Equipment that is ${before} cannot become ${input.stage}.`, {
      expression: 'stage',
      code: 'business-rule',
    });
  }
  if (step.needsReason && input.reason === undefined) {
    throw new Fault('unprocessable', 'Give the reason.', { expression: 'reason', code: 'required' });
  }
  const { on = nowOf(caller) } = input;
  requirePast(on, 'on', caller);
  return {
    changes: [
      { op: 'update', resource: { ...order, status: step.order }, ifMatch: order.meta.versionId },
      { op: 'update', resource: advance(task, step, { ...input, on }, caller), ifMatch: task.meta.versionId },
    ],
    about: 0,
  };
}

function advance(task: Kept<'Task'>, step: Step, input: AdvanceEquipment, caller: Caller): Task {
  const { statusReason: _, ...rest } = task;
  const { stage, on, reason, authorisation, note } = input;
  const others = (task.identifier ?? []).filter(({ system }) => system !== AUTHORISATION);
  return {
    ...rest,
    ...(authorisation === undefined
      ? {}
      : { identifier: [...others, { system: AUTHORISATION, value: authorisation }] }),
    status: step.task,
    businessStatus: stageConcept(stage),
    ...(reason === undefined ? {} : { statusReason: { text: reason } }),
    lastModified: nowOf(caller),
    ...(stage === 'delivered' ? { executionPeriod: { ...task.executionPeriod, end: on } } : {}),
    ...withNote(task.note, caller, note),
  } as Task;
}

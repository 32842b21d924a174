// What is changed about an intervention that has not ended: what it is, who does it, and when.
import type { Task } from '@medplum/fhirtypes';
import { Fault } from '../../fault.ts';
import { type CaseAtHand, workableCase } from '../case-at-hand.ts';
import { requireAhead, requireOrder } from '../given-time.ts';
import { knownResource, OWNERS } from '../known-resource.ts';
import { withNote } from '../note.ts';
import { itemOfCase } from '../plans/item-of-case.ts';
import { planToExtend } from '../plans/plan-of-case.ts';
import type { Caller, Kept, Planned, Records } from '../records.ts';
import { touched } from '../touched.ts';
import { hasEnded } from './activity-view.ts';
import { rescheduled, revisedIntervention } from './intervention.ts';
import type { Assignment, Delegation, InterventionRevision, Rescheduling } from './intervention-schema.ts';
import { forPatient, isPatients, notForPatient } from './patient-task.ts';
import { checkLinks } from './plan-interventions.ts';

interface On<Body> {
  readonly caseId: string;
  readonly id: string;
  readonly body: Body;
}

/** @throws Fault not-found; unprocessable naming the member */
export async function reviseIntervention(
  records: Records,
  caller: Caller,
  { caseId, id, body }: On<InterventionRevision>,
): Promise<Planned> {
  const { about, task } = await openTask(records, caseId, id);
  await checkLinks(records, about, body);
  const goals = (body.goals ?? []).map(({ reference }) => reference);
  const needs = body.need ? [body.need.reference] : [];
  const isLinked = goals.length > 0 || needs.length > 0;
  const added = isLinked ? (await planToExtend(records, caller, about)).add({ goals, needs }) : [];
  return { changes: [update(task, revisedIntervention(task, body, caller)), ...added], about: 0 };
}

/** @throws Fault not-found; unprocessable naming the member */
export async function assignIntervention(
  records: Records,
  caller: Caller,
  { caseId, id, body: { owner, note } }: On<Assignment>,
): Promise<Planned> {
  const { about, task } = await openTask(records, caseId, id);
  await knownResource(records, about, owner.reference, OWNERS, 'owner');
  const assigned = isPatients(owner)
    ? forPatient(task, owner)
    : { ...(isPatients(task.owner) ? notForPatient(task) : task), owner: owner as NonNullable<Task['owner']> };
  return single(task, { ...assigned, ...withNote(task.note, caller, note) }, caller);
}

/** Gives it to the patient, or to a caregiver of theirs. @throws Fault not-found; unprocessable naming the member */
export async function delegateIntervention(
  records: Records,
  caller: Caller,
  { caseId, id, body }: On<Delegation>,
): Promise<Planned> {
  const { about, task } = await openTask(records, caseId, id);
  if (body.to) await knownResource(records, about, body.to.reference, ['Patient', 'RelatedPerson'], 'to');
  const described = body.description ? { ...task, description: body.description } : task;
  const delegated = forPatient(described, body.to ?? about.subject);
  return single(task, { ...delegated, ...withNote(task.note, caller, body.note) }, caller);
}

/** @throws Fault not-found; unprocessable naming the member */
export async function rescheduleIntervention(
  records: Records,
  caller: Caller,
  { caseId, id, body }: On<Rescheduling>,
): Promise<Planned> {
  const { task } = await openTask(records, caseId, id);
  if (body.due) requireAhead(body.due, 'due', caller);
  const resource = rescheduled(task, body, caller);
  const { start, end } = resource.restriction?.period ?? {};
  requireOrder(start, end, ['start', 'due'], caller);
  return { changes: [update(task, resource)], about: 0 };
}

async function openTask(
  records: Records,
  caseId: string,
  id: string,
): Promise<{ readonly about: CaseAtHand; readonly task: Kept<'Task'> }> {
  const about = await workableCase(records, caseId);
  const task = await itemOfCase(records, about, 'Task', id);
  if (!hasEnded(task)) return { about, task };
  throw new Fault('unprocessable', `The intervention is ${task.status}; plan a new one instead.`, {
    expression: 'Task.status',
    code: 'business-rule',
  });
}

function single(task: Kept<'Task'>, resource: Task, { now }: Caller): Planned {
  return { changes: [update(task, touched(resource, now))], about: 0 };
}

const update = (task: Kept<'Task'>, resource: Task) =>
  ({ op: 'update', resource, ifMatch: task.meta.versionId }) as const;

// An intervention as a Task. https://hl7.org/fhir/R4/task.html
import type { Extension, Task } from '@medplum/fhirtypes';
import type { CaseAtHand } from '../case-at-hand.ts';
import { conceptOf } from '../coded.ts';
import { asDue, asStart, nowOf } from '../given-time.ts';
import { withNote } from '../note.ts';
import { CLAIMS } from '../plans/claims.ts';
import type { Caller, Kept } from '../records.ts';
import { EXTENSION } from '../systems.ts';
import { touched } from '../touched.ts';
import type { InterventionInput, InterventionRevision, Rescheduling } from './intervention-schema.ts';
import { forPatient, isPatients } from './patient-task.ts';

/**
 * @param about with the role in which the caller acts, who asks the patient: Gravity has no bare practitioner ask
 * @param plan reference of the plan that it belongs to
 */
export function interventionOf(
  input: InterventionInput,
  { subject, role }: Pick<CaseAtHand, 'subject'> & { readonly role?: Kept<'PractitionerRole'> | undefined },
  plan: string,
  caller: Caller,
): Task {
  const { description, code, priority = 'routine', owner, start, due, goals = [], need, note } = input;
  const authoredOn = nowOf(caller);
  const task = {
    resourceType: 'Task',
    meta: { profile: [...CLAIMS.intervention] },
    ...(goals.length > 0 ? { extension: goals.map(goalLink) } : {}),
    basedOn: [{ reference: plan }],
    status: 'requested',
    intent: 'order',
    priority,
    ...(code ? { code: conceptOf(code) } : {}),
    ...(description ? { description } : {}),
    for: subject,
    authoredOn,
    lastModified: authoredOn,
    requester: caller.who,
    ...(owner ? { owner } : {}),
    ...(need ? { reasonReference: need } : {}),
    ...(start || due ? { restriction: { period: periodOf({ start, due }, caller.zone) } } : {}),
    ...withNote(undefined, caller, note),
  } as Task;
  if (!isPatients(owner)) return task;
  const { display } = caller.who;
  const requester = role && { reference: `PractitionerRole/${role.id}`, ...(display ? { display } : {}) };
  return forPatient(requester ? { ...task, requester } : task, owner);
}

/** The intervention with what is to change, and everything else as it was. */
export function revisedIntervention(task: Task, revision: InterventionRevision, caller: Caller): Task {
  const { description, code, priority, goals, need, note } = revision;
  const revised = { ...task };
  if (description) revised.description = description;
  if (code) revised.code = conceptOf(code);
  if (priority) revised.priority = priority;
  if (goals) revised.extension = withGoals(task.extension ?? [], goals);
  if (revised.extension?.length === 0) delete revised.extension;
  if (need !== undefined) delete revised.reasonReference;
  if (need) revised.reasonReference = need;
  return touched({ ...revised, ...withNote(task.note, caller, note) }, caller.now);
}

export function rescheduled(task: Task, { start, due, note }: Rescheduling, caller: Caller): Task {
  const period = { ...task.restriction?.period };
  if (start !== undefined) delete period.start;
  if (due !== undefined) delete period.end;
  Object.assign(period, periodOf({ start: start ?? undefined, due: due ?? undefined }, caller.zone));
  const { period: _, ...restriction } = task.restriction ?? {};
  const { restriction: __, ...rest } = task;
  const next = Object.keys(period).length > 0 ? { ...restriction, period } : restriction;
  const moved: Task = { ...rest, ...(Object.keys(next).length > 0 ? { restriction: next } : {}) };
  return touched({ ...moved, ...withNote(task.note, caller, note) }, caller.now);
}

function periodOf({ start, due }: { start?: string | undefined; due?: string | undefined }, zone: string) {
  return { ...(start ? { start: asStart(start, zone) } : {}), ...(due ? { end: asDue(due, zone) } : {}) };
}

/** The links to goals that stay keep all they have. */
function withGoals(extensions: readonly Extension[], goals: readonly { readonly reference: string }[]): Extension[] {
  const isLink = ({ url }: Extension) => url === EXTENSION.pertainsToGoal;
  const links = goals.map((goal) => {
    const same = (one: Extension) => isLink(one) && one.valueReference?.reference === goal.reference;
    return extensions.find(same) ?? goalLink(goal);
  });
  return [...extensions.filter((one) => !isLink(one)), ...links];
}

const goalLink = (valueReference: { readonly reference: string }): Extension => ({
  url: EXTENSION.pertainsToGoal,
  valueReference,
});

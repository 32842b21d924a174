// What nurses do with a follow-up beside contacts: complete it or give it up, hand it on, say that they see to it, move its
// deadline, withdraw it. Every command asks the table of its life first.
import type { Task } from '@medplum/fhirtypes';
import { reasonConcept } from '../concept.ts';
import { requireAhead, requireOrder, requireWithin } from '../given-time.ts';
import { movedTask } from '../interventions/move-intervention.ts';
import { knownResource, OWNERS } from '../known-resource.ts';
import { withNote } from '../note.ts';
import { requireStep } from '../plans/status-step.ts';
import type { Caller, Kept, Planned, Records } from '../records.ts';
import { touched } from '../touched.ts';
import { withEnding } from '../transition/ending.ts';
import { clockOf, withClock } from '../transition/follow-up-clock.ts';
import { type LifeEvent, stageAfter, stageConcept, stageOf } from '../transition/life.ts';
import { LONGEST_REST } from '../transition/step-life.ts';
import { followUpAtHand, type OnFollowUp } from './follow-up-at-hand.ts';
import type {
  Acknowledgement,
  Completion,
  GivingUp,
  NewDeadline,
  Reassignment,
  Withdrawal,
} from './follow-up-schema.ts';

/** Days ahead that a deadline may be moved to: a transition is over by then. */
const LATEST_DEADLINE = 60;

/** @throws Fault not-found; unprocessable naming what may happen instead */
export async function completeFollowUp(records: Records, caller: Caller, on: OnFollowUp<Completion>): Promise<Planned> {
  const { task } = await followUpAtHand(records, on);
  stageFor(task, 'complete-on-time');
  return ended(task, movedTask(task, 'complete', on.body, caller), caller);
}

/** @throws Fault not-found; unprocessable naming what may happen instead */
export async function giveUpFollowUp(records: Records, caller: Caller, on: OnFollowUp<GivingUp>): Promise<Planned> {
  const { task } = await followUpAtHand(records, on);
  stageFor(task, 'fail');
  return ended(task, movedTask(task, 'fail', on.body, caller), caller);
}

/** The new owner is told once it is raised. @throws Fault not-found; unprocessable naming the member */
export async function reassignFollowUp(
  records: Records,
  caller: Caller,
  on: OnFollowUp<Reassignment>,
): Promise<Planned> {
  const { subject, task } = await followUpAtHand(records, on);
  stageFor(task, 'reassign');
  const { owner, note } = on.body;
  await knownResource(records, { subject }, owner.reference, OWNERS, 'owner');
  const next: Task = { ...task, owner: owner as NonNullable<Task['owner']>, ...withNote(task.note, caller, note) };
  return { ...changed(task, next, caller), releases: true };
}

/**
 * Nobody further up is told before `until`; without it Baton sets the end of the facility's next business day.
 * @throws Fault not-found; unprocessable when nothing is late, or naming the member
 */
export async function acknowledgeFollowUp(
  records: Records,
  caller: Caller,
  on: OnFollowUp<Acknowledgement>,
): Promise<Planned> {
  const { task } = await followUpAtHand(records, on);
  const businessStatus = stageConcept(stageFor(task, 'acknowledge'));
  const { until, note } = on.body;
  if (until) {
    requireAhead(until, 'until', caller);
    requireWithin(LONGEST_REST.days, until, 'until', caller);
  }
  const { until: _, ...clock } = clockOf(task);
  // A day ends where the facility is, which Baton sees to.
  const acknowledged = withClock(task, { ...clock, ...(until ? { until, escalateAt: until } : {}) });
  return changed(task, { ...acknowledged, businessStatus, ...withNote(task.note, caller, note) }, caller);
}

/** Everything that hangs on the deadline is counted anew from it. @throws Fault not-found; unprocessable naming the member */
export async function rescheduleFollowUp(
  records: Records,
  caller: Caller,
  on: OnFollowUp<NewDeadline>,
): Promise<Planned> {
  const { task } = await followUpAtHand(records, on);
  stageFor(task, 'reschedule');
  const { due, note } = on.body;
  requireAhead(due, 'due', caller);
  requireWithin(LATEST_DEADLINE, due, 'due', caller);
  requireOrder(task.restriction?.period?.start, due, ['its start', 'due'], caller);
  const period = { ...task.restriction?.period, end: due };
  const next: Task = { ...task, restriction: { ...task.restriction, period }, ...withNote(task.note, caller, note) };
  return changed(task, next, caller);
}

/** @throws Fault not-found; unprocessable when it has ended */
export async function withdrawFollowUp(records: Records, caller: Caller, on: OnFollowUp<Withdrawal>): Promise<Planned> {
  const { task } = await followUpAtHand(records, on);
  const businessStatus = stageConcept(stageFor(task, 'withdraw'));
  const { reason, note } = on.body;
  const next: Task = {
    ...task,
    status: 'cancelled',
    statusReason: reasonConcept(reason),
    businessStatus,
    ...withNote(task.note, caller, note),
  };
  requireStep(task, next);
  return changed(task, next, caller);
}

const stageFor = (task: Task, event: LifeEvent) => stageAfter(stageOf(task) ?? 'scheduled', event);

function ended(task: Kept<'Task'>, next: Task, caller: Caller): Planned {
  return changed(task, withEnding(next, caller.zone) ?? next, caller);
}

function changed(task: Kept<'Task'>, next: Task, { now }: Caller): Planned {
  return { changes: [{ op: 'update', resource: touched(next, now), ifMatch: task.meta.versionId }], about: 0 };
}

// Closing the loop: the patient says whether the service came, and what it did for the goal and the needs. And taking a
// referral back.
import type { Condition, Extension, Goal, ServiceRequest } from '@medplum/fhirtypes';
import { Fault } from '../../fault.ts';
import type { Change } from '../../fhir/change.ts';
import { type CaseAtHand, openCaseAtHand } from '../case-at-hand.ts';
import { concept } from '../concept.ts';
import { nowOf, requirePast, today } from '../given-time.ts';
import { notOfPatient } from '../known-resource.ts';
import type { LinkedOut } from '../linked.ts';
import { withNote } from '../note.ts';
import { outcomesInPlan } from '../plans/outcomes-in-plan.ts';
import { currentPlan } from '../plans/plan-of-case.ts';
import type { Caller, Kept, Planned, Records } from '../records.ts';
import { idOf } from '../stored.ts';
import { latestTask, readReferral } from './find-referral.ts';
import { CLOSURE } from './referral-codes.ts';
import type { CloseLoop, Reasoned } from './referral-schema.ts';
import { outcomesOf } from './referral-view.ts';

type Of<T> = { readonly case: string; readonly id: string; readonly input: T };

/**
 * The order is completed when the service was received; else it stays active, so that somebody else can be asked.
 * @throws Fault not-found; unprocessable while a partner is still at it
 */
export async function closeLoop(records: Records, caller: Caller, { input, ...of }: Of<CloseLoop>): Promise<Planned> {
  const found = await openCaseAtHand(records, of.case);
  const { order, tasks } = await readReferral(records, found, of.id);
  const { on = nowOf(caller), received, goal, resolves = [] } = input;
  requirePast(on, 'on', caller);
  const task = latestTask(tasks);
  if (task && !ENDED.has(task.status)) {
    throw new Fault('unprocessable', `The referral is ${task.status}; close the loop when the partner has ended it.`, {
      expression: 'Task.status',
      code: 'business-rule',
    });
  }
  const by = input.confirmedBy ?? { reference: `Patient/${found.patient.id}` };
  const closed = {
    ...order,
    ...(received ? { status: 'completed' as const } : {}),
    extension: [...(order.extension ?? []).filter(({ url }) => url !== CLOSURE), closure(received, on, by)],
    ...withNote(order.note, caller, input.note),
  } as ServiceRequest;
  return {
    changes: [
      { op: 'update', resource: closed, ifMatch: order.meta.versionId },
      ...(goal ? [await judgeGoal(records, caller, found, goal)] : []),
      ...(task ? noteOutcomes(await currentPlan(records, of.case), task.id, outcomesOf(task)) : []),
      ...(await Promise.all(resolves.map((id, at) => resolveNeed(records, caller, found, id, at)))),
    ],
    about: 0,
  };
}

const ENDED = new Set(['completed', 'failed', 'rejected', 'cancelled', 'entered-in-error']);

function closure(received: boolean, on: string, by: Extension['valueReference']): Extension {
  return {
    url: CLOSURE,
    extension: [
      { url: 'received', valueBoolean: received },
      { url: 'on', valueDateTime: on },
      ...(by ? [{ url: 'by', valueReference: by }] : []),
    ],
  };
}

/** Takes the order back, and the Task with it where it has not ended. */
export async function withdrawReferral(
  records: Records,
  caller: Caller,
  { input, ...of }: Of<Reasoned>,
): Promise<Planned> {
  const found = await openCaseAtHand(records, of.case);
  const { order, tasks } = await readReferral(records, found, of.id);
  const live = tasks.filter(({ status }) => !ENDED.has(status));
  const cancelled = live.map(
    (task): Change => ({
      op: 'update',
      resource: { ...task, status: 'cancelled', statusReason: { text: input.reason }, lastModified: nowOf(caller) },
      ifMatch: task.meta.versionId,
    }),
  );
  const resource = {
    ...order,
    status: 'revoked',
    ...withNote(order.note, caller, input.note ?? input.reason),
  } as const;
  const revoked: Change = { op: 'update', resource: resource as ServiceRequest, ifMatch: order.meta.versionId };
  return { changes: [revoked, ...cancelled], about: 0 };
}

async function judgeGoal(
  records: Records,
  caller: Caller,
  { patient }: CaseAtHand,
  { id, achievement }: NonNullable<CloseLoop['goal']>,
): Promise<Change> {
  const goal = await records.read('Goal', id);
  if (!goal || idOf(goal.subject, 'Patient') !== patient.id) throw notOfPatient(`Goal/${id}`, 'goal.id');
  const code = achievement;
  const words = (code.charAt(0).toUpperCase() + code.slice(1)).replaceAll('-', ' ');
  const resource: Goal = {
    ...goal,
    achievementStatus: concept('http://terminology.hl7.org/CodeSystem/goal-achievement', code, words),
    statusDate: today(caller),
  };
  return { op: 'update', resource, ifMatch: goal.meta.versionId };
}

/** The activity of the plan names what came of it. */
function noteOutcomes(plan: Kept<'CarePlan'> | undefined, task: string, outcomes: readonly LinkedOut[]): Change[] {
  const named = outcomes.flatMap(({ reference }) => reference ?? []);
  return plan && named.length > 0 ? [outcomesInPlan(plan.id, `Task/${task}`, named)] : [];
}

async function resolveNeed(
  records: Records,
  caller: Caller,
  { patient }: CaseAtHand,
  id: string,
  at: number,
): Promise<Change> {
  const need: Kept<'Condition'> | undefined = await records.read('Condition', id);
  if (!need || idOf(need.subject, 'Patient') !== patient.id) throw notOfPatient(`Condition/${id}`, `resolves[${at}]`);
  const resolved: Partial<Condition> = {
    clinicalStatus: concept('http://terminology.hl7.org/CodeSystem/condition-clinical', 'resolved', 'Resolved'),
    ...(hasAbatement(need) ? {} : { abatementDateTime: today(caller) }),
  };
  return { op: 'update', resource: { ...need, ...resolved } as Condition, ifMatch: need.meta.versionId };
}

const hasAbatement = (need: Condition) => Object.keys(need).some((name) => name.startsWith('abatement'));

// Starting, revising, holding and ending the plan of a case.

import type { CarePlan } from '@medplum/fhirtypes';
import { Fault } from '../../fault.ts';
import type { Change } from '../../fhir/change.ts';
import { workableCase } from '../case-at-hand.ts';
import { derivedId } from '../derived-id.ts';
import { requireOrder } from '../given-time.ts';
import { hasEnded } from '../interventions/activity-view.ts';
import { activitiesOf } from '../interventions/list-interventions.ts';
import { withNote } from '../note.ts';
import { plansOfCase } from '../plans-of-case.ts';
import type { Caller, Kept, Planned, Records } from '../records.ts';
import { isReview } from '../reviews/review-codes.ts';
import { touched } from '../touched.ts';
import { newPlan, retold } from './new-plan.ts';
import { isCurrent, requirePlan } from './plan-of-case.ts';
import type { PlanInput, PlanRevision, PlanStep } from './plan-schema.ts';
import { requireStep } from './status-step.ts';

/** @throws Fault not-found; conflict when a plan is going on; unprocessable naming the member */
export async function startPlan(
  records: Records,
  caller: Caller,
  { caseId, body: { note, ...input } }: { readonly caseId: string; readonly body: PlanInput },
): Promise<Planned> {
  const about = await workableCase(records, caseId);
  checkPeriod(input.period, caller);
  const plans = await plansOfCase(records, caseId);
  if (plans.some(isCurrent)) {
    throw new Fault('conflict', 'The case has a plan that is going on; revise it, or replace it with a new version.', {
      expression: 'CarePlan.status',
      code: 'business-rule',
    });
  }
  const resource: CarePlan = { ...newPlan(about, input, caller), ...withNote(undefined, caller, note) };
  return { changes: [{ op: 'create', id: planId(caseId, plans.length), resource }], about: 0 };
}

/** Two plans that are made at once collide on the id. @param before how many plans the case has had */
export const planId = (caseId: string, before: number) => derivedId('case-plan', caseId, String(before));

/** @throws Fault not-found; unprocessable naming the member */
export async function revisePlan(
  records: Records,
  caller: Caller,
  { caseId, body }: { readonly caseId: string; readonly body: PlanRevision },
): Promise<Planned> {
  await workableCase(records, caseId);
  const plan = await requirePlan(records, caseId);
  const resource = revisedPlan(plan, body, caller);
  checkPeriod(resource.period, caller);
  return { changes: [{ op: 'update', resource, ifMatch: plan.meta.versionId }], about: 0 };
}

/** The plan with what is to change, and everything else as it was. */
export function revisedPlan(
  plan: CarePlan,
  { title, description, period, note }: PlanRevision,
  caller: Caller,
): CarePlan {
  const revised = { ...plan };
  if (title) revised.title = title;
  if (description !== undefined) delete revised.description;
  if (description) revised.description = description;
  if (period) revised.period = { ...plan.period, ...period };
  return retold({ ...revised, ...withNote(plan.note, caller, note) });
}

export const PLAN_STEPS = {
  activate: 'active',
  hold: 'on-hold',
  resume: 'active',
  complete: 'completed',
  revoke: 'revoked',
} as const satisfies Record<string, CarePlan['status']>;
export type PlanVerb = keyof typeof PLAN_STEPS;

/** @throws Fault not-found; unprocessable when the plan cannot take the step, or work is still open */
export async function movePlan(
  records: Records,
  caller: Caller,
  { caseId, verb, body }: { readonly caseId: string; readonly verb: PlanVerb; readonly body: PlanStep },
): Promise<Planned> {
  await workableCase(records, caseId);
  const plan = await requirePlan(records, caseId);
  const { reason, note, openInterventions } = body;
  if ((verb === 'hold' || verb === 'revoke') && !reason) {
    throw new Fault('unprocessable', 'Say why: reason is missing.', { expression: 'reason', code: 'required' });
  }
  const words = [reason, note].filter((text) => text !== undefined).join('. ');
  const status = PLAN_STEPS[verb];
  const noted = withNote(plan.note, caller, words === '' ? undefined : words);
  const resource = retold({ ...plan, status, ...noted });
  requireStep<CarePlan>(plan, resource);
  const isEnd = verb === 'complete' || verb === 'revoke';
  const closing = isEnd ? await closeWork(records, caller, plan, openInterventions === 'cancel', reason) : [];
  return { changes: [{ op: 'update', resource, ifMatch: plan.meta.versionId }, ...closing], about: 0 };
}

/** The review that is still due goes with the plan; of other work the nurse says what becomes of it. */
async function closeWork(
  records: Records,
  caller: Caller,
  plan: Kept<'CarePlan'>,
  mayCancel: boolean,
  reason = 'The plan has ended',
): Promise<Change[]> {
  const open = (await activitiesOf(records, plan)).filter((one) => !hasEnded(one as { status?: string }));
  const tasks = open.filter((one): one is Kept<'Task'> => one.resourceType === 'Task');
  const left = open.length - tasks.filter((task) => mayCancel || isReview(task)).length;
  if (left > 0) {
    const what = mayCancel
      ? 'orders or appointments that are not tasks are still open'
      : 'interventions are still open';
    throw new Fault('unprocessable', `${left} ${what}; end them first, or say openInterventions: cancel for tasks.`, {
      expression: 'openInterventions',
      code: 'business-rule',
    });
  }
  return tasks.map((task) => ({
    op: 'update',
    resource: touched({ ...task, status: 'cancelled', statusReason: { text: reason } }, caller.now),
    ifMatch: task.meta.versionId,
  }));
}

/** @throws Fault unprocessable */
export function checkPeriod(period: { start?: string; end?: string } | undefined, { zone }: Caller): void {
  requireOrder(period?.start, period?.end, ['period.start', 'period.end'], { zone });
}

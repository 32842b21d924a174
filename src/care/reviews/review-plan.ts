// Scheduling reviews of the plan, and recording what came of them.
import { randomUUID } from 'node:crypto';
import type { Task } from '@medplum/fhirtypes';
import { caseAtHand, workableCase } from '../case-at-hand.ts';
import { asDue, requireAhead, requirePast } from '../given-time.ts';
import { knownResource, knownResources, OWNERS } from '../known-resource.ts';
import { planToExtend, requirePlan } from '../plans/plan-of-case.ts';
import { requireStep } from '../plans/status-step.ts';
import type { Caller, Kept, Planned, Records } from '../records.ts';
import { touched } from '../touched.ts';
import { isDue, reviewed, reviewOf, viewReview } from './review.ts';
import { isReview } from './review-codes.ts';
import type { ReviewInput, ReviewSchedule, ReviewView } from './review-schema.ts';

/** Sets the date of the next review, or moves it. @throws Fault not-found; unprocessable naming the member */
export async function scheduleReview(
  records: Records,
  caller: Caller,
  { caseId, body: { due, owner } }: { readonly caseId: string; readonly body: ReviewSchedule },
): Promise<Planned> {
  const about = await workableCase(records, caseId);
  const plan = await requirePlan(records, caseId);
  requireAhead(due, 'due', caller);
  if (owner) await knownResource(records, about, owner.reference, OWNERS, 'owner');
  const pending = (await reviewsOf(records, about.patient.id)).find(isDue);
  if (!pending) {
    const id = randomUUID();
    const resource = reviewOf(about, `CarePlan/${plan.id}`, caller, { due, owner: owner ?? about.episode.careManager });
    const added = (await planToExtend(records, caller, about)).add({ activities: [`Task/${id}`] });
    return { changes: [{ op: 'create', id, resource }, ...added], about: 0 };
  }
  const { restriction } = pending;
  const moved = {
    ...pending,
    restriction: { ...restriction, period: { ...restriction?.period, end: asDue(due, caller.zone) } },
    ...(owner ? { owner } : {}),
  } as Task;
  return {
    changes: [{ op: 'update', resource: touched(moved, caller.now), ifMatch: pending.meta.versionId }],
    about: 0,
  };
}

/** Completes the review that was due, or records one that was not, and plans the next. @throws Fault as above */
export async function recordReview(
  records: Records,
  caller: Caller,
  { caseId, body }: { readonly caseId: string; readonly body: ReviewInput },
): Promise<Planned> {
  const about = await workableCase(records, caseId);
  const plan = await requirePlan(records, caseId);
  const reference = `CarePlan/${plan.id}`;
  if (body.at) requirePast(body.at, 'at', caller);
  if (body.next) requireAhead(body.next, 'next', caller);
  await knownResources(
    records,
    about,
    body.reviewed,
    ['Goal', 'Condition', 'Task', 'ServiceRequest', 'CarePlan'],
    'reviewed',
  );
  const pending = (await reviewsOf(records, about.patient.id)).find(isDue);
  const task = pending ?? reviewOf(about, reference, caller, {});
  const done = reviewed(task, body, caller);
  if (pending) requireStep(pending, done);
  const [doneId, nextId] = [pending?.id ?? randomUUID(), randomUUID()];
  const extendable = await planToExtend(records, caller, about);
  const owner = pending?.owner ?? about.episode.careManager;
  const next = body.next ? reviewOf(about, reference, caller, { due: body.next, owner }) : undefined;
  return {
    changes: [
      pending
        ? { op: 'update', resource: done, ifMatch: pending.meta.versionId }
        : { op: 'create', id: doneId, resource: done },
      ...(next ? [{ op: 'create', id: nextId, resource: next } as const] : []),
      ...extendable.add({ activities: [`Task/${doneId}`, ...(next ? [`Task/${nextId}`] : [])] }),
    ],
    about: 0,
  };
}

/** Newest first, the one that is due before all. @throws Fault not-found */
export async function listReviews(records: Records, caller: Caller, caseId: string): Promise<ReviewView[]> {
  const { patient } = await caseAtHand(records, caseId);
  const reviews = (await reviewsOf(records, patient.id)).toReversed();
  const ordered = [...reviews.filter(isDue), ...reviews.filter((task) => !isDue(task))];
  return ordered.map((task) => viewReview(task, caller));
}

async function reviewsOf(records: Records, patientId: string): Promise<Kept<'Task'>[]> {
  const tasks = await records.find('Task', { patient: patientId });
  return tasks.filter((task) => isReview(task) && task.status !== 'entered-in-error');
}

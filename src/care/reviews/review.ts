// A review of the plan is a Task about the plan: due at a time, and completed with what was looked at and what came of it.
import type { Task, TaskOutput } from '@medplum/fhirtypes';
import type { CaseAtHand } from '../case-at-hand.ts';
import { codedOf } from '../coded.ts';
import { hasCode } from '../concept.ts';
import { asDue, asStart, nowOf } from '../given-time.ts';
import { linkedOf } from '../linked.ts';
import { toLastInstant } from '../local-time.ts';
import { notesOf, withNote } from '../note.ts';
import { CLAIMS } from '../plans/claims.ts';
import type { Caller, Kept } from '../records.ts';
import { CODE_SYSTEM } from '../systems.ts';
import { touched } from '../touched.ts';
import { type ReviewCode, reviewConcept } from './review-codes.ts';
import type { ReviewInput, ReviewView } from './review-schema.ts';

const ENDED = new Set<Task['status']>(['completed', 'cancelled', 'failed', 'rejected', 'entered-in-error']);

export const isDue = ({ status }: Task): boolean => !ENDED.has(status);

/** A review that is to come. @param due date; none for one that is done at once */
export function reviewOf(
  { subject, episode }: Pick<CaseAtHand, 'subject' | 'episode'>,
  plan: string,
  caller: Caller,
  {
    due,
    owner = episode.careManager,
  }: { readonly due?: string; readonly owner?: { readonly reference?: string } | undefined },
): Task {
  const authoredOn = nowOf(caller);
  const code = reviewConcept('plan-review');
  return {
    resourceType: 'Task',
    meta: { profile: [...CLAIMS.intervention] },
    basedOn: [{ reference: plan }],
    status: 'requested',
    intent: 'order',
    priority: 'routine',
    code,
    description: code.text,
    focus: { reference: plan },
    for: subject,
    authoredOn,
    lastModified: authoredOn,
    requester: caller.who,
    ...(owner ? { owner } : {}),
    ...(due ? { restriction: { period: { end: asDue(due, caller.zone) } } } : {}),
  } as Task;
}

export function reviewed(task: Task, { outcome, reviewed: parts = [], at, note }: ReviewInput, caller: Caller): Task {
  const end = at ? asStart(at, caller.zone) : nowOf(caller);
  const output: TaskOutput[] = [
    { type: reviewConcept('outcome'), valueCodeableConcept: reviewConcept(outcome) },
    ...parts.map((part) => ({ type: reviewConcept('reviewed'), valueReference: part as TaskOutput['valueReference'] })),
  ];
  const done: Task = {
    ...task,
    status: 'completed',
    executionPeriod: { ...task.executionPeriod, end },
    output: [...(task.output ?? []), ...output],
    ...withNote(task.note, caller, note),
  };
  return touched(done, caller.now);
}

export function viewReview(task: Kept<'Task'>, { now, zone }: Pick<Caller, 'now' | 'zone'>): ReviewView {
  const due = task.restriction?.period?.end;
  const owner = linkedOf(task.owner);
  const says = (code: ReviewCode) =>
    (task.output ?? []).filter(({ type }) => hasCode(type, CODE_SYSTEM.planReview, code));
  const outcome = codedOf(says('outcome')[0]?.valueCodeableConcept);
  const isLate = due !== undefined && Temporal.Instant.compare(toLastInstant(due, zone), now) < 0;
  return {
    id: task.id,
    version: task.meta.versionId,
    status: task.status,
    ...(due ? { due } : {}),
    overdue: isDue(task) && isLate,
    ...(owner ? { owner } : {}),
    ...(task.executionPeriod?.end ? { at: task.executionPeriod.end } : {}),
    ...(outcome?.code ? { outcome: outcome.code } : {}),
    reviewed: says('reviewed').flatMap(({ valueReference }) => linkedOf(valueReference) ?? []),
    notes: notesOf(task.note),
  };
}

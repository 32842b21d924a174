// How a follow-up that has ended ended: in time or late, by credit, withdrawn or given up.
import type { Task } from '@medplum/fhirtypes';
import { toInstant, toLastInstant } from '../local-time.ts';
import { LIFE, type LifeEvent, type Stage, stageConcept, stageOf } from './life.ts';

/** What happened to it; undefined while it is open, and when it was a mistake. */
export function endingOf(task: Task, zone: string): LifeEvent | undefined {
  switch (task.status) {
    case 'completed':
      return isLate(task, zone) ? 'complete-late' : 'complete-on-time';
    case 'failed':
      return 'fail';
    case 'cancelled':
    case 'rejected':
      return 'withdraw';
    default:
      return undefined;
  }
}

/** When it was done; what does not say so was done when it was last worked on. */
export function doneAt({ executionPeriod, lastModified, meta }: Task): string | undefined {
  return executionPeriod?.end ?? lastModified ?? meta?.lastUpdated;
}

/** Done after its deadline. */
function isLate(task: Task, zone: string): boolean {
  const due = task.restriction?.period?.end;
  const done = doneAt(task);
  if (!due || !done) return false;
  return Temporal.Instant.compare(toInstant(done, zone), toLastInstant(due, zone)) > 0;
}

/** The ended Task with the stage that says how it ended; undefined when it says so already, or is no case of it. */
export function withEnding(task: Task, zone: string): Task | undefined {
  const event = endingOf(task, zone);
  const stage: Stage = stageOf(task) ?? 'scheduled';
  if (!event) return undefined;
  // What somebody wrote about it as done is measured like everything else.
  const isSaid = stage === 'done-on-time' || stage === 'done-late';
  const end = LIFE[isSaid ? 'due' : stage][event];
  return end && end !== stage ? { ...task, businessStatus: stageConcept(end) } : undefined;
}

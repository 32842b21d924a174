// When a Task was last worked on.
import type { Task } from '@medplum/fhirtypes';

/** The Task with `lastModified`, never before it was authored: the clock may have been set back since. */
export function touched(task: Task, now: Temporal.Instant): Task {
  const authored = task.authoredOn?.includes('T') ? Temporal.Instant.from(task.authoredOn) : now;
  const modified = Temporal.Instant.compare(now, authored) < 0 ? authored : now;
  return { ...task, lastModified: modified.toString({ smallestUnit: 'second' }) };
}

// A follow-up's window has opened: it becomes due and its owner is to be told. Where it stands against its clock may have
// been overwritten by whoever else keeps a copy; then it is raised (again) rather than forgotten.

import type { Task } from '@medplum/fhirtypes';
import { toInstant } from '../care/local-time.ts';
import { IDENTIFIER } from '../care/systems.ts';
import { touched } from '../care/touched.ts';
import { clockConcept, followUpKey, formatKey, hasClockStatus } from '../care/transition/follow-up.ts';
import { remindOwner } from '../care/transition/reminder.ts';
import type { Change } from '../fhir/change.ts';
import { tokenText } from '../fhir/search/token-text.ts';
import { isTerminal } from '../fhir/status/task.ts';
import type { Act } from './act.ts';
import type { Parts } from './parts.ts';

export async function planRaise(_parts: Parts, task: Task, now: Temporal.Instant): Promise<Act | undefined> {
  const key = followUpKey(task);
  const { start, end } = task.restriction?.period ?? {};
  if (!key || !start || isTerminal(task.status)) return undefined;
  if (hasClockStatus(task, 'due') || hasClockStatus(task, 'overdue')) return undefined;
  const due = touched({ ...task, businessStatus: clockConcept('due') }, now);
  const reminder = remindOwner(due, formatKey(key), 'follow-up-due', start, now);
  const changes: Change[] = [
    { op: 'update', resource: due, ifMatch: task.meta?.versionId },
    { op: 'create', resource: reminder, ifNoneExist: reminderQuery(formatKey(key)) },
  ];
  const { episode, step } = key;
  const lateSeconds = secondsBetween(toInstant(start, 'UTC'), now);
  return {
    changes,
    event: () => ({
      kind: 'follow-up-due',
      episode,
      step,
      task: task.id ?? '',
      ...(end ? { due: end } : {}),
      lateSeconds,
    }),
  };
}

/** Finds the reminder of a follow-up. */
export function reminderQuery(key: string): string {
  return new URLSearchParams({ identifier: tokenText(IDENTIFIER.reminder, key) }).toString();
}

/** Whole seconds from `moment` to `now`. */
export function secondsBetween(moment: Temporal.Instant, now: Temporal.Instant): number {
  return Math.floor(moment.until(now).total('seconds'));
}

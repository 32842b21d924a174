// A follow-up's window has opened: it becomes due and its owner is to be told. Where it stands against its clock may have
// been overwritten by whoever else keeps a copy; then it is raised (again) rather than forgotten.

import type { Task } from '@medplum/fhirtypes';
import { toInstant } from '../care/local-time.ts';
import { IDENTIFIER } from '../care/systems.ts';
import { touched } from '../care/touched.ts';
import { followUpKey, formatKey } from '../care/transition/follow-up.ts';
import { LIFE, type Stage, stageAfter, stageConcept, stageOf } from '../care/transition/life.ts';
import { remindOwner } from '../care/transition/reminder.ts';
import type { Change } from '../fhir/change.ts';
import { tokenText } from '../fhir/search/token-text.ts';
import { isTerminal } from '../fhir/status/task.ts';
import { type Act, changeTask } from './act.ts';
import { planExpiry } from './expire.ts';
import { toldOf } from './named-on-team.ts';
import type { Parts } from './parts.ts';
import { secondsBetween } from './seconds-between.ts';

export async function planRaise(parts: Parts, task: Task, now: Temporal.Instant): Promise<Act | undefined> {
  const key = followUpKey(task);
  const { start, end } = task.restriction?.period ?? {};
  if (!key || !start || isTerminal(task.status)) return undefined;
  const stage = stageOf(task) ?? 'scheduled';
  if (isUnderWay(stage)) return undefined;
  // Nobody was there to raise it before it had become useless.
  const expiry = await planExpiry(parts, task, now);
  if (expiry) return expiry;
  // Whatever was written over where it stood, it is raised.
  const businessStatus = stageConcept(stageAfter('scheduled', 'open'));
  const due = touched({ ...task, businessStatus }, now);
  const recipient = await toldOf(parts, due, now);
  const reminder = remindOwner(due, formatKey(key), 'follow-up-due', start, now, recipient);
  const changes: Change[] = [
    changeTask(task, due),
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

/** Raised already, and not ended: what an open Task says of its end does not count. */
const isUnderWay = (stage: Stage) => stage !== 'scheduled' && Object.keys(LIFE[stage]).length > 0;

/** Finds the reminder of a follow-up. */
export function reminderQuery(key: string): string {
  return new URLSearchParams({ identifier: tokenText(IDENTIFIER.reminder, key) }).toString();
}

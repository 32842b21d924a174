// The deadline of a follow-up comes near and nobody has done it: its owner is told once more.
import type { Task } from '@medplum/fhirtypes';
import { toInstant, toLastInstant } from '../care/local-time.ts';
import { touched } from '../care/touched.ts';
import { followUpKey, formatKey } from '../care/transition/follow-up.ts';
import { clockOf } from '../care/transition/follow-up-clock.ts';
import { stageAfter, stageConcept, stageOf } from '../care/transition/life.ts';
import { messageKey, remindOwner } from '../care/transition/reminder.ts';
import { isTerminal } from '../fhir/status/task.ts';
import { type Act, changeTask } from './act.ts';
import { planEscalation } from './escalate.ts';
import { toldOf } from './named-on-team.ts';
import type { Parts } from './parts.ts';
import { reminderQuery } from './raise.ts';
import { secondsBetween } from './seconds-between.ts';

export async function planReminder(parts: Parts, task: Task, now: Temporal.Instant): Promise<Act | undefined> {
  const key = followUpKey(task);
  const { remindAt, deadline = '' } = clockOf(task);
  const due = task.restriction?.period?.end;
  if (!key || !remindAt || !due || isTerminal(task.status) || stageOf(task) !== 'due') return undefined;
  const lateSeconds = secondsBetween(toInstant(remindAt, 'UTC'), now);
  if (lateSeconds < 0) return undefined;
  // Too late to remind: it is missed, and who is to be told is told that.
  if (Temporal.Instant.compare(toLastInstant(due, 'UTC'), now) <= 0) return planEscalation(parts, task, now);
  const reminded = touched({ ...task, businessStatus: stageConcept(stageAfter('due', 'remind')) }, now);
  const told = messageKey(formatKey(key), 'soon', deadline);
  return {
    changes: [
      changeTask(task, reminded),
      {
        op: 'create',
        resource: remindOwner(reminded, told, 'follow-up-reminder', remindAt, now, await toldOf(parts, reminded, now)),
        ifNoneExist: reminderQuery(told),
      },
    ],
    event: () => ({
      kind: 'follow-up-reminded',
      episode: key.episode,
      step: key.step,
      task: task.id ?? '',
      due,
      lateSeconds,
    }),
  };
}

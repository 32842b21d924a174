// A follow-up has outlived its use: it ends, with credit when its attempts earned it, else as expired.
import type { Task } from '@medplum/fhirtypes';
import { reasonConcept } from '../care/concept.ts';
import { toInstant } from '../care/local-time.ts';
import { touched } from '../care/touched.ts';
import { followUpKey } from '../care/transition/follow-up.ts';
import { clockOf } from '../care/transition/follow-up-clock.ts';
import { LIFE, stageConcept, stageOf } from '../care/transition/life.ts';
import { isTerminal } from '../fhir/status/task.ts';
import { type Act, changeTask } from './act.ts';
import type { Parts } from './parts.ts';
import { secondsBetween } from './seconds-between.ts';

export async function planExpiry(_parts: Parts, task: Task, now: Temporal.Instant): Promise<Act | undefined> {
  const key = followUpKey(task);
  const { expireAt } = clockOf(task);
  if (!key || !expireAt || isTerminal(task.status)) return undefined;
  const lateSeconds = secondsBetween(toInstant(expireAt, 'UTC'), now);
  if (lateSeconds < 0) return undefined;
  const stage = LIFE[stageOf(task) ?? 'scheduled'].expire ?? 'expired';
  const businessStatus = stageConcept(stage);
  const ended: Task =
    stage === 'done-by-credit'
      ? { ...task, status: 'completed', businessStatus }
      : { ...task, status: 'failed', statusReason: reasonConcept('expired'), businessStatus };
  const end = task.restriction?.period?.end;
  return {
    changes: [changeTask(task, touched(ended, now))],
    event: () => ({
      kind: 'follow-up-expired',
      episode: key.episode,
      step: key.step,
      task: task.id ?? '',
      ...(end ? { due: end } : {}),
      lateSeconds,
      credited: stage === 'done-by-credit',
    }),
  };
}

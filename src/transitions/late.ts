// What becomes of a follow-up that nobody could raise in time, as its protocol wants it (`late` of follow-up-timing). What is
// to be raised all the same is no matter of this file.
import type { Task } from '@medplum/fhirtypes';
import { toInstant } from '../care/local-time.ts';
import { findResources } from '../care/stored.ts';
import { IDENTIFIER } from '../care/systems.ts';
import { cancelFollowUp, followUpKey } from '../care/transition/follow-up.ts';
import { clockOf } from '../care/transition/follow-up-clock.ts';
import { tokenText } from '../fhir/search/token-text.ts';
import { isTerminal } from '../fhir/status/task.ts';
import { type Act, changeTask } from './act.ts';
import { planExpiry } from './expire.ts';
import type { Parts } from './parts.ts';
import type { Pass } from './passes.ts';

/** @returns undefined when it is to be raised */
export async function planLate(
  parts: Parts,
  { parameter }: Pass,
  task: Task,
  now: Temporal.Instant,
): Promise<Act | undefined> {
  if (parameter !== 'raise-at') return undefined;
  switch (clockOf(task).late) {
    case 'skip-after':
      return planExpiry(parts, task, now);
    case 'fire-last':
      return (await hasLaterOne(parts, task, now)) ? planSkip(task, now) : undefined;
    default:
      return undefined;
  }
}

/** A follow-up of the same kind has opened since: doing that one is enough. */
async function hasLaterOne({ store }: Parts, task: Task, now: Temporal.Instant): Promise<boolean> {
  const kind = task.code?.coding?.[0];
  const start = startOf(task);
  if (!kind?.code || start === undefined) return false;
  const episode = tokenText(IDENTIFIER.transitionPlan, followUpKey(task)?.episode ?? '');
  const others = await findResources(store, 'Task', {
    'group-identifier': episode,
    code: tokenText(kind.system ?? '', kind.code),
  });
  return others.some((other) => {
    const begins = other.id === task.id || isTerminal(other.status) ? undefined : startOf(other);
    return begins !== undefined && begins > start && begins <= now.epochMilliseconds;
  });
}

function startOf({ restriction }: Task): number | undefined {
  const start = restriction?.period?.start;
  return start === undefined ? undefined : toInstant(start, 'UTC').epochMilliseconds;
}

function planSkip(task: Task, now: Temporal.Instant): Act | undefined {
  const key = followUpKey(task);
  const skipped = cancelFollowUp(task, 'superseded', now);
  if (!key || !skipped) return undefined;
  const { episode, step } = key;
  return {
    changes: [changeTask(task, skipped)],
    event: () => ({ kind: 'follow-up-skipped', episode, step, task: task.id ?? '', reason: 'superseded' }),
  };
}

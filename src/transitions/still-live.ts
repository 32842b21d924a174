// A follow-up is acted on only while its transition is under way: looked at when the act is planned, and held by the commit
// to the version that was looked at.
import type { EpisodeOfCare, Task } from '@medplum/fhirtypes';
import { readResource } from '../care/stored.ts';
import { isLive, withdrawnBecause } from '../care/transition/episode.ts';
import { cancelFollowUp, followUpKey } from '../care/transition/follow-up.ts';
import type { Act } from './act.ts';
import type { Parts } from './parts.ts';

/** The transition of a follow-up; undefined when it is none's, or of one that there is not. */
export async function episodeOf({ store }: Parts, task: Task): Promise<EpisodeOfCare | undefined> {
  return readResource(store, 'EpisodeOfCare', followUpKey(task)?.episode);
}

/** The end of a follow-up whose transition ended without it; undefined while that is under way. */
export function planOrphan(task: Task, episode: EpisodeOfCare | undefined, now: Temporal.Instant): Act | undefined {
  const key = followUpKey(task);
  if (!key || (episode && isLive(episode))) return undefined;
  const reason = (episode && withdrawnBecause(episode)) ?? 'resolved';
  const cancelled = cancelFollowUp(task, reason, now);
  if (!cancelled) return undefined;
  return {
    changes: [{ op: 'update', resource: cancelled, ifMatch: task.meta?.versionId }],
    event: () => ({ kind: 'follow-up-skipped', episode: key.episode, step: key.step, task: task.id ?? '', reason }),
  };
}

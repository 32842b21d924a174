// A follow-up is acted on only while its transition is under way: looked at when the act is planned, and held by the commit
// to the version that was looked at.
import type { EpisodeOfCare, Task } from '@medplum/fhirtypes';
import { findResources, readResource } from '../care/stored.ts';
import { isLive, withdrawnBecause } from '../care/transition/episode.ts';
import { cancelFollowUp, followUpKey } from '../care/transition/follow-up.ts';
import { type Act, changeTask } from './act.ts';
import type { Parts } from './parts.ts';

/** The transition of a follow-up; undefined when it is none's, or of one that there is not. */
export type EpisodeOf = (task: Task) => Promise<EpisodeOfCare | undefined>;

/** Reads it when it is asked for. */
export function readingEpisodes({ store }: Parts): EpisodeOf {
  return (task) => readResource(store, 'EpisodeOfCare', followUpKey(task)?.episode);
}

/** Reads those of many follow-ups at once. @param tasks at most 1,000 */
export async function episodesOf({ store }: Parts, tasks: readonly Task[]): Promise<EpisodeOf> {
  const ids = new Set(tasks.flatMap((task) => followUpKey(task)?.episode ?? []));
  const found = ids.size === 0 ? [] : await findResources(store, 'EpisodeOfCare', { _id: [...ids].join(',') });
  const known = new Map(found.map((episode) => [episode.id, episode]));
  return async (task) => known.get(followUpKey(task)?.episode);
}

/** The end of a follow-up whose transition ended without it; undefined while that is under way. */
export function planOrphan(task: Task, episode: EpisodeOfCare | undefined, now: Temporal.Instant): Act | undefined {
  const key = followUpKey(task);
  if (!key || (episode && isLive(episode))) return undefined;
  const reason = (episode && withdrawnBecause(episode)) ?? 'resolved';
  const cancelled = cancelFollowUp(task, reason, now);
  if (!cancelled) return undefined;
  return {
    changes: [changeTask(task, cancelled)],
    event: () => ({ kind: 'follow-up-skipped', episode: key.episode, step: key.step, task: task.id ?? '', reason }),
  };
}

// A follow-up is acted on only while its transition is under way: looked at when the act is planned, and again inside the
// commit, where nothing can come between.
import type { EpisodeOfCare, Task } from '@medplum/fhirtypes';
import { readResource } from '../care/stored.ts';
import { isLive, withdrawnBecause } from '../care/transition/episode.ts';
import { cancelFollowUp, followUpKey } from '../care/transition/follow-up.ts';
import { Fault } from '../fault.ts';
import type { Change } from '../fhir/change.ts';
import type { Act } from './act.ts';
import type { Parts } from './parts.ts';

/** Makes no version; a commit with it fails when the transition has ended meanwhile. */
export function whileLive(episode: string): Change {
  return {
    op: 'patch',
    type: 'EpisodeOfCare',
    id: episode,
    revise(current) {
      if (isLive(current as EpisodeOfCare)) return current;
      throw new Fault('precondition', 'The transition has ended meanwhile.');
    },
  };
}

/** The end of a follow-up whose transition ended without it; undefined while that is under way. */
export async function planOrphan(parts: Parts, task: Task, now: Temporal.Instant): Promise<Act | undefined> {
  const key = followUpKey(task);
  if (!key) return undefined;
  const episode = await readResource(parts.store, 'EpisodeOfCare', key.episode);
  if (episode && isLive(episode)) return undefined;
  const reason = (episode && withdrawnBecause(episode)) ?? 'resolved';
  const cancelled = cancelFollowUp(task, reason, now);
  if (!cancelled) return undefined;
  return {
    changes: [{ op: 'update', resource: cancelled, ifMatch: task.meta?.versionId }],
    event: () => ({ kind: 'follow-up-skipped', episode: key.episode, step: key.step, task: task.id ?? '', reason }),
  };
}

// Somebody changed a follow-up, here or at another system: what has ended is settled, and what goes on has its clock set by
// what was changed.

import type { Task } from '@medplum/fhirtypes';
import { parseVersion, readResource } from '../care/stored.ts';
import { encounterOfEpisode, isLive } from '../care/transition/episode.ts';
import { isEscalation } from '../care/transition/escalation.ts';
import { type FollowUpKey, followUpKey } from '../care/transition/follow-up.ts';
import { isTerminal } from '../fhir/status/task.ts';
import type { LogEntry } from '../store/store.ts';
import { readLivePlan } from './live-plan.ts';
import { ACTOR, type Parts } from './parts.ts';
import { NOTHING, type Reaction } from './reaction.ts';
import { planSettlement } from './settle.ts';
import { planUpkeep } from './upkeep.ts';

export async function reactToTask(parts: Parts, entry: LogEntry): Promise<Reaction> {
  if (entry.operation === 'delete') return NOTHING;
  const task = parseVersion(entry, 'Task');
  const key = followUpKey(task);
  if (!key) return NOTHING;
  if (isTerminal(task.status)) return settle(parts, key);
  // Baton's own versions have their clock right.
  if (entry.actor === ACTOR.reference || isEscalation(key)) return NOTHING;
  return keepUp(parts, task);
}

async function settle(parts: Parts, key: FollowUpKey): Promise<Reaction> {
  const episode = await readResource(parts.store, 'EpisodeOfCare', key.episode);
  if (!episode || !isLive(episode)) return NOTHING;
  const plan = await readLivePlan(parts.store, episode);
  const { zone } = await parts.facilities.placeOf(episode.managingOrganization);
  const { changes, closes } = planSettlement(plan, zone, parts.clock.now());
  const encounter = encounterOfEpisode(episode) ?? '';
  return {
    changes,
    events: () => (closes ? [{ kind: 'transition-completed', episode: key.episode, encounter }] : []),
  };
}

async function keepUp(parts: Parts, seen: Task): Promise<Reaction> {
  const task = await readResource(parts.store, 'Task', seen.id);
  // A later version has an entry of its own.
  if (!task || task.meta?.versionId !== seen.meta?.versionId) return NOTHING;
  return { changes: await planUpkeep(parts, task), events: () => [] };
}

// A follow-up has ended, here or at another system: settle what hung on it.

import { parseVersion, readResource } from '../care/stored.ts';
import { encounterOfEpisode, isLive } from '../care/transition/episode.ts';
import { followUpKey } from '../care/transition/follow-up.ts';
import { isTerminal } from '../fhir/status/task.ts';
import type { LogEntry } from '../store/store.ts';
import { readLivePlan } from './live-plan.ts';
import type { Parts } from './parts.ts';
import { NOTHING, type Reaction } from './reaction.ts';
import { planSettlement } from './settle.ts';

export async function reactToTask(parts: Parts, entry: LogEntry): Promise<Reaction> {
  if (entry.operation === 'delete') return NOTHING;
  const task = parseVersion(entry, 'Task');
  const key = isTerminal(task.status) ? followUpKey(task) : undefined;
  const episode = key && (await readResource(parts.store, 'EpisodeOfCare', key.episode));
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

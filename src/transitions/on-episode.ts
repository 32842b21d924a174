// Somebody ended a transition by hand (opted out, another provider bills): the rest of its plan ends with it.
import { parseVersion, readResource } from '../care/stored.ts';
import { encounterOfEpisode, isTransition, withdrawnBecause } from '../care/transition/episode.ts';
import type { LogEntry } from '../store/store.ts';
import { readLivePlan } from './live-plan.ts';
import { ACTOR, type Parts } from './parts.ts';
import { NOTHING, type Reaction } from './reaction.ts';
import { planEndOfPlan } from './withdraw.ts';

export async function reactToEpisode(parts: Parts, entry: LogEntry): Promise<Reaction> {
  if (entry.operation === 'delete' || entry.actor === ACTOR.reference) return NOTHING;
  if (!isTransition(parseVersion(entry, 'EpisodeOfCare'))) return NOTHING;
  const episode = await readResource(parts.store, 'EpisodeOfCare', entry.id);
  if (episode?.status !== 'cancelled') return NOTHING;
  const reason = withdrawnBecause(episode) ?? 'not-needed';
  const changes = planEndOfPlan(await readLivePlan(parts.store, episode), reason, parts.clock.now());
  if (changes.length === 0) return NOTHING;
  const encounter = encounterOfEpisode(episode) ?? '';
  return {
    changes,
    events: () => [{ kind: 'transition-withdrawn', episode: entry.id, encounter, reason }],
  };
}

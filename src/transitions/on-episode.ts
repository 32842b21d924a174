// Somebody ended a transition by hand: the rest of its plan ends with it. When they did not say that this was to be, operators
// are told what it has taken along.
import type { EpisodeOfCare } from '@medplum/fhirtypes';
import type { TransitionReason } from '../care/concept.ts';
import { parseVersion, readResource } from '../care/stored.ts';
import { encounterOfEpisode, isLive, isOfStay, isTransition, withdrawnBecause } from '../care/transition/episode.ts';
import { isTerminal } from '../fhir/status/task.ts';
import { CLOCKWORK, writeAlert } from '../store/alert.ts';
import type { LogEntry } from '../store/store.ts';
import { readLivePlan } from './live-plan.ts';
import { ACTOR, type Parts } from './parts.ts';
import { NOTHING, type Reaction } from './reaction.ts';
import { planEndOfPlan } from './withdraw.ts';

export async function reactToEpisode(parts: Parts, entry: LogEntry): Promise<Reaction> {
  if (entry.actor === ACTOR.reference) return NOTHING;
  const stored = await readResource(parts.store, 'EpisodeOfCare', entry.id);
  const episode = stored ?? (await lastVersion(parts, entry));
  if (!episode || !(isTransition(episode) || isOfStay(episode)) || (stored && isLive(stored))) return NOTHING;
  const reason = stored ? reasonOf(stored) : 'not-needed';
  const plan = await readLivePlan(parts.store, episode);
  const changes = planEndOfPlan(plan, reason, parts.clock.now());
  if (changes.length === 0) return NOTHING;
  const open = plan.tasks.filter(({ status }) => !isTerminal(status)).length;
  const isAsked = stored?.status === 'cancelled';
  const encounter = encounterOfEpisode(episode) ?? '';
  return {
    changes,
    alongside: isAsked || open === 0 ? [] : [tellOfLoss(parts, entry, stored ? 'ended' : 'deleted', open)],
    events: () => [{ kind: 'transition-withdrawn', episode: entry.id, encounter, reason }],
  };
}

/** Of one that was deleted. */
async function lastVersion({ store }: Parts, { id, versionId, operation }: LogEntry) {
  if (operation !== 'delete') return undefined;
  const version = await store.vread('EpisodeOfCare', id, String(Number(versionId) - 1));
  return version && version.operation !== 'delete' ? parseVersion(version, 'EpisodeOfCare') : undefined;
}

function reasonOf(episode: EpisodeOfCare): TransitionReason {
  return withdrawnBecause(episode) ?? (episode.status === 'finished' ? 'resolved' : 'not-needed');
}

function tellOfLoss({ clock }: Parts, { id, actor }: LogEntry, what: string, open: number) {
  const detail = `EpisodeOfCare/${id} was ${what} by ${actor} with ${open} follow-ups open, which are cancelled.`;
  return writeAlert({ subject: CLOCKWORK, event: 'transitions.cut-short', detail }, clock.real().epochMilliseconds);
}

// What ended a transition turns out not to have been: a readmission that was a mistake, a death that was another's. The
// discharge before it counts again, and what has been done for it stays done.
import type { Encounter, EpisodeOfCare } from '@medplum/fhirtypes';
import type { TransitionReason } from '../care/concept.ts';
import { findResources, readResource } from '../care/stored.ts';
import { encounterOfEpisode, isOfEmergency, isTransition, withdrawnBecause } from '../care/transition/episode.ts';
import { begin, isFollowedUp } from './begin.ts';
import { decide } from './decide.ts';
import { gatherFacts } from './facts.ts';
import { readLivePlan } from './live-plan.ts';
import type { Parts } from './parts.ts';
import { both, NOTHING, type Reaction } from './reaction.ts';
import { completedSteps } from './revise.ts';
import { dischargedAt, laterStay } from './stays.ts';

/**
 * Begins the patient's last transition anew when it was withdrawn for one of `reasons` and nothing speaks for that any more;
 * so, too, the last one of an emergency visit, which runs beside it.
 * @param voided the stay that was none; its own transitions do not count
 */
export async function resumeLast(
  parts: Parts,
  voided: Pick<Encounter, 'id' | 'subject'>,
  reasons: readonly TransitionReason[],
): Promise<Reaction> {
  const patient = voided.subject?.reference;
  if (!patient) return NOTHING;
  const transitions = (await findResources(parts.store, 'EpisodeOfCare', { patient }))
    .filter((episode) => isTransition(episode) && encounterOfEpisode(episode) !== voided.id)
    .toSorted((a, b) => Temporal.Instant.compare(dischargedAt(a), dischargedAt(b)));
  const ofStays = transitions.findLast((episode) => !isOfEmergency(episode));
  let reaction = NOTHING;
  for (const last of [ofStays, transitions.findLast(isOfEmergency)]) {
    const because = last && withdrawnBecause(last);
    if (!because || !reasons.includes(because)) continue;
    reaction = both(reaction, await resume(parts, last, transitions, voided));
  }
  return reaction;
}

async function resume(
  parts: Parts,
  last: EpisodeOfCare,
  transitions: readonly EpisodeOfCare[],
  voided: Pick<Encounter, 'id'>,
): Promise<Reaction> {
  const { store, rules } = parts;
  const stay = encounterOfEpisode(last);
  const encounter = await readResource(store, 'Encounter', stay);
  if (!encounter || !isFollowedUp(parts, encounter)) return NOTHING;
  const facts = await gatherFacts(parts, encounter, encounter.meta?.lastUpdated ?? parts.clock.now().toString());
  if (!facts) return NOTHING;
  const decision = decide(facts, rules, await laterStay(parts, facts.context, voided.id));
  const episodes = transitions.filter((episode) => encounterOfEpisode(episode) === stay);
  return begin(parts, facts, decision, episodes, completedSteps(await readLivePlan(store, last)));
}

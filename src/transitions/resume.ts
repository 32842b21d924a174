// What ended a transition turns out not to have been: a readmission that was a mistake or was over before, a death that was
// another's. The discharge before it counts again, and what has been done for it stays done.
import type { Encounter, EpisodeOfCare } from '@medplum/fhirtypes';
import type { TransitionReason } from '../care/concept.ts';
import { findResources, readResource } from '../care/stored.ts';
import { encounterOfEpisode, isOfEmergency, isTransition, withdrawnBecause } from '../care/transition/episode.ts';
import { begin, isFollowedUp } from './begin.ts';
import { decide } from './decide.ts';
import { type DischargeFacts, gatherFacts } from './facts.ts';
import { inOrder } from './left-at.ts';
import { readLivePlan } from './live-plan.ts';
import type { Parts } from './parts.ts';
import { both, NOTHING, type Reaction } from './reaction.ts';
import { completedSteps } from './revise.ts';
import { type ChainReason, ENDED_BY_STAY, laterStay, type Uncounted } from './stays.ts';

/**
 * Begins the patient's last transition anew when it was withdrawn for one of `reasons` and nothing speaks for that any more;
 * so, too, the last one of an emergency visit, which runs beside it.
 * @param voided the stay that was none; its own transitions do not count
 */
export async function resumeLast(
  parts: Parts,
  voided: Pick<Encounter, 'id' | 'subject'>,
  reasons: readonly TransitionReason[] = ENDED_BY_STAY,
): Promise<Reaction> {
  const transitions = await transitionsBeside(parts, voided, reasons);
  const ordered = (await inOrder(parts, newestOfEach(transitions), voided.id)).map(({ episode }) => episode);
  const ofStays = ordered.findLast((episode) => !isOfEmergency(episode));
  let reaction = NOTHING;
  for (const last of [ofStays, ordered.findLast(isOfEmergency)]) {
    const because = last && withdrawnBecause(last);
    if (!because || !reasons.includes(because)) continue;
    const known = await lookAgain(parts, last, { stay: voided.id, transition: voided.id });
    // Also when something else has ended it: the record says so from now on.
    if (known) reaction = both(reaction, await resume(parts, last, transitions, known));
  }
  return reaction;
}

/** A transition that begins anew. */
export interface Freed {
  readonly reaction: Reaction;
  /** Of its stay. */
  readonly discharge: Temporal.Instant;
}

/**
 * The patient's last transition, begun anew because the stay that had ended it was over before: its discharge had been told too late.
 * @param discharge of that stay, as it is told now
 */
export async function freedBy(
  parts: Parts,
  stay: Pick<Encounter, 'id' | 'subject'>,
  discharge: Temporal.Instant,
): Promise<Freed | undefined> {
  const transitions = await transitionsBeside(parts, stay, ENDED_BY_STAY);
  const last = (await inOrder(parts, newestOfEach(transitions))).findLast(({ episode }) => !isOfEmergency(episode));
  const because = last && withdrawnBecause(last.episode);
  if (!last || !ENDED_BY_STAY.some((reason) => reason === because)) return undefined;
  if (Temporal.Instant.compare(last.left, discharge) <= 0) return undefined;
  const known = await lookAgain(parts, last.episode, { transition: stay.id });
  if (!known || known.later) return undefined;
  return { reaction: await resume(parts, last.episode, transitions, known), discharge: last.left };
}

/** Of all other encounters of the patient, as they were begun; nothing when none of them was ended for one of `reasons`. */
async function transitionsBeside(
  parts: Parts,
  { id, subject }: Pick<Encounter, 'id' | 'subject'>,
  reasons: readonly TransitionReason[],
): Promise<EpisodeOfCare[]> {
  const patient = subject?.reference;
  if (!patient) return [];
  const episodes = await findResources(parts.store, 'EpisodeOfCare', { patient });
  const beside = episodes.filter((episode) => isTransition(episode) && encounterOfEpisode(episode) !== id);
  return beside.some((episode) => reasons.some((reason) => withdrawnBecause(episode) === reason)) ? beside : [];
}

/** Of each stay the one that was begun last: it has taken the place of those before it, wherever those are in time. */
function newestOfEach(transitions: readonly EpisodeOfCare[]): EpisodeOfCare[] {
  return [...new Map(transitions.map((episode) => [encounterOfEpisode(episode), episode])).values()];
}

/** A discharge as it is known now, and what a later stay makes of it. */
interface Known {
  readonly facts: DischargeFacts;
  readonly later: ChainReason | undefined;
}

/** Undefined when the discharge does not count after all. */
async function lookAgain(parts: Parts, last: EpisodeOfCare, uncounted: Uncounted): Promise<Known | undefined> {
  const encounter = await readResource(parts.store, 'Encounter', encounterOfEpisode(last));
  if (!encounter || !isFollowedUp(parts, encounter)) return undefined;
  const facts = await gatherFacts(parts, encounter, { voided: uncounted.stay });
  return facts && { facts, later: await laterStay(parts, facts.context, uncounted) };
}

async function resume(
  parts: Parts,
  last: EpisodeOfCare,
  transitions: readonly EpisodeOfCare[],
  { facts, later }: Known,
): Promise<Reaction> {
  const stay = encounterOfEpisode(last);
  const episodes = transitions.filter((episode) => encounterOfEpisode(episode) === stay);
  const plans = await Promise.all(episodes.map((episode) => readLivePlan(parts.store, episode)));
  const done = completedSteps(plans, facts.context);
  return begin(parts, facts, decide(facts, parts.rules, later), episodes, done);
}

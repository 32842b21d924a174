// Plans a transition that is under way anew, under the protocols as they are now: shown as a difference first, carried out only
// as it was shown. What stands in both plans stays as it is, with what was done about it.
import { createHash } from 'node:crypto';
import type { CarePlan, EpisodeOfCare } from '@medplum/fhirtypes';
import { findResources, readResource } from '../care/stored.ts';
import { leftBy } from '../care/transition/discharge.ts';
import { encounterOfEpisode, isLive, isTransition } from '../care/transition/episode.ts';
import { Fault } from '../fault.ts';
import { becomesHistory, isFollowedUp } from './begin.ts';
import { decide } from './decide.ts';
import { gatherFacts } from './facts.ts';
import { dischargedAt, keptFor } from './left-at.ts';
import { type LivePlan, readLivePlan } from './live-plan.ts';
import { ACTOR, type Parts } from './parts.ts';
import { type Replacement, replacePlan } from './replace-plan.ts';
import { laterStay } from './stays.ts';
import { differenceOf, type StepDifference } from './step-difference.ts';

export interface Replan {
  readonly episode: string;
  /** Canonicals of the PlanDefinitions. */
  readonly from: string | null;
  readonly to: string;
  readonly steps: readonly StepDifference[];
  /** Of what is shown; to be given back when it is to be carried out. */
  readonly tag: string;
  /** The transition that has taken the place of this one, once it is carried out. */
  readonly carriedOut?: string;
}

/**
 * @param seen tag of the difference that is to be carried out; only shown when absent
 * @throws Fault not-found when there is no such transition, unprocessable when it cannot be planned anew, conflict when it has
 * changed since it was shown
 */
export async function replan(parts: Parts, id: string, seen: string | undefined): Promise<Replan> {
  const { store } = parts;
  const episode = await readResource(store, 'EpisodeOfCare', id);
  if (!episode) throw new Fault('not-found', `There is no EpisodeOfCare/${id}.`);
  if (!isTransition(episode)) throw new Fault('unprocessable', `EpisodeOfCare/${id} is no transition of care.`);
  if (!isLive(episode)) throw new Fault('unprocessable', `EpisodeOfCare/${id} has ended; nothing is left to plan.`);
  const plan = await readLivePlan(store, episode);
  const { reaction, changes, to } = await planAnew(parts, episode, plan);
  const steps = changes.flatMap((change) => differenceOf(change) ?? []);
  const from = canonicalOf(plan.carePlan);
  const shown = { episode: id, from, to, steps };
  const tag = createHash('sha256')
    .update(JSON.stringify([shown, versionsOf(plan)]))
    .digest('hex')
    .slice(0, 24);
  if (seen === undefined) return { ...shown, tag };
  if (seen !== tag) throw new Fault('conflict', 'The transition has changed since it was shown; look at it again.');
  const outcomes = await store.commit(ACTOR, reaction.changes);
  const events = reaction.events(outcomes);
  for (const event of events) parts.emit(event);
  const started = events.find((event) => event.kind === 'transition-started');
  return { ...shown, tag, ...(started ? { carriedOut: started.episode } : {}) };
}

async function planAnew(
  parts: Parts,
  episode: EpisodeOfCare,
  plan: LivePlan,
): Promise<{ reaction: Replacement['reaction']; changes: Replacement['steps']; to: string }> {
  const { store, rules } = parts;
  const stay = encounterOfEpisode(episode);
  const encounter = await readResource(store, 'Encounter', stay);
  const isOver = encounter && isFollowedUp(parts, encounter);
  const facts = isOver && (await gatherFacts(parts, encounter, { kept: keptFor(episode, encounter) }));
  if (!facts) {
    throw new Fault('unprocessable', 'The patient of the transition is not stored any more, or its stay is not over.');
  }
  const { anchor, now } = facts.context;
  if (becomesHistory(leftBy(facts.context.encounter, anchor.discharge, anchor.zone), dischargedAt(episode), now)) {
    throw new Fault(
      'unprocessable',
      'The discharge is told by now to have been more than 31 days ago; nothing begins so late.',
    );
  }
  const decision = decide(facts, rules, await laterStay(parts, facts.context));
  if (!decision.start) {
    throw new Fault('unprocessable', `No protocol would begin for this discharge now (${decision.reason}).`);
  }
  const all = await findResources(store, 'EpisodeOfCare', { encounter: `Encounter/${stay}` });
  const episodes = all.filter(isTransition);
  const { reaction, steps } = await replacePlan(parts, plan, facts, decision, episodes);
  return { reaction, changes: steps, to: decision.protocol.canonical };
}

const canonicalOf = (plan: CarePlan | undefined) => plan?.instantiatesCanonical?.[0] ?? null;

function versionsOf({ episode, carePlan, tasks, orders }: LivePlan): (string | undefined)[] {
  return [episode, carePlan, ...tasks, ...orders].map(
    (resource) => resource && `${resource.id}/${resource.meta?.versionId}`,
  );
}

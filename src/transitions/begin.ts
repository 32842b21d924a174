// A discharge begins its transition, or is recorded as one that begins none.
import type { EpisodeOfCare } from '@medplum/fhirtypes';
import type { Link } from '../care/reference-to.ts';
import { withdrawnBecause } from '../care/transition/episode.ts';
import type { Decision } from './decide.ts';
import { type DischargeFacts, liveTransitions } from './facts.ts';
import type { Parts } from './parts.ts';
import { both, NOTHING, type Reaction, withdrawAll } from './reaction.ts';
import { planDecline, planStart } from './start.ts';
import { dischargedAt, isOther } from './stays.ts';

/** What was discharged longer ago than a transition lasts begins none: it is history being loaded. */
const TOO_OLD = { hours: 31 * 24 };

/**
 * The transition of a discharge that has none under way.
 * @param episodes earlier transitions of the same encounter
 * @param done steps that an earlier plan has seen through
 */
export async function begin(
  parts: Parts,
  facts: DischargeFacts,
  decision: Decision,
  episodes: readonly EpisodeOfCare[],
  done?: ReadonlyMap<string, Link>,
): Promise<Reaction> {
  const { context } = facts;
  const { discharge } = context.anchor;
  if (Temporal.Instant.compare(discharge.add(TOO_OLD), context.now) < 0) return NOTHING;
  if (!decision.start) return decline(facts, decision, episodes);
  const earlier = await liveTransitions(parts, `Patient/${context.patient.id}`);
  const superseded = earlier.filter(
    (episode) => isOther(episode, context.encounter) && Temporal.Instant.compare(dischargedAt(episode), discharge) < 0,
  );
  const ended = await withdrawAll(parts.store, superseded, 'readmitted', context.now);
  return both(ended, startReaction(facts, decision, episodes, done));
}

function decline(
  { context }: DischargeFacts,
  { reason }: Extract<Decision, { start: false }>,
  episodes: readonly EpisodeOfCare[],
): Reaction {
  if (episodes.some((episode) => withdrawnBecause(episode) === reason)) return NOTHING;
  const encounter = context.encounter.id ?? '';
  const changes = planDecline(context, reason, episodes);
  return { changes, events: () => [{ kind: 'transition-declined', encounter, reason }] };
}

/** The transition that a decision calls for, whatever there was before. */
export function startReaction(
  { context }: DischargeFacts,
  decision: Extract<Decision, { start: true }>,
  episodes: readonly EpisodeOfCare[],
  done?: ReadonlyMap<string, Link>,
): Reaction {
  const plan = planStart(context, decision, episodes, done);
  const { total, band } = decision.risk.score;
  return {
    changes: plan.changes,
    events: (outcomes) => [
      {
        kind: 'transition-started',
        episode: plan.episode,
        encounter: context.encounter.id ?? '',
        patient: context.patient.id ?? '',
        protocol: decision.protocol.canonical,
        score: total,
        band,
        carePlan: outcomes[plan.carePlanAt]?.id ?? '',
        followUps: plan.followUps,
      },
    ],
  };
}

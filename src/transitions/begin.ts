// A discharge begins its transition, or is recorded as one that begins none.
import type { Encounter, EpisodeOfCare } from '@medplum/fhirtypes';
import type { Link } from '../care/reference-to.ts';
import { findResources } from '../care/stored.ts';
import { chainReason } from '../care/transition/chain.ts';
import { isDischarged, isEmergency, isEmergencyDischarge, leftBy } from '../care/transition/discharge.ts';
import { isOfEmergency, withdrawnBecause } from '../care/transition/episode.ts';
import type { Decision } from './decide.ts';
import type { DischargeFacts } from './facts.ts';
import { dischargedAt, isUntold } from './left-at.ts';
import type { Parts } from './parts.ts';
import { both, NOTHING, type Reaction, withdrawEach } from './reaction.ts';
import { type Before, planDecline, planStart } from './start.ts';
import { endedEarlier, isOther, type Superseded, supersededBy } from './stays.ts';

/** What protocols begin from: the end of a stay, and of an emergency visit when one of them is for those. */
export function isFollowedUp({ rules }: Parts, encounter: Encounter): boolean {
  if (isDischarged(encounter)) return true;
  return isEmergencyDischarge(encounter) && rules.protocols.some(({ forEmergency }) => forEmergency);
}

/** Longer ago than a transition lasts. */
export const TOO_OLD = { hours: 31 * 24 };

/**
 * What was discharged longer ago than a transition lasts begins none: it is history being loaded.
 * @param left at the latest: a discharge that is known to its month only may have been on the last day of it
 */
export function isHistory(left: Temporal.Instant, now: Temporal.Instant): boolean {
  return Temporal.Instant.compare(left.add(TOO_OLD), now) < 0;
}

/**
 * Whether a correction makes history of a transition that was none: a discharge that was counted from November was in May. One that
 * is in its last days anyway goes on, unless it is far off.
 * @param left as for `isHistory`, as it is told now
 * @param before what the transition is counted from
 */
export function becomesHistory(left: Temporal.Instant, before: Temporal.Instant, now: Temporal.Instant): boolean {
  return isHistory(left, now) && (!isHistory(before, now) || isHistory(left, before));
}

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
  const { discharge, zone } = context.anchor;
  const isOld = isHistory(leftBy(context.encounter, discharge, zone), context.now);
  if (isEmergency(context.encounter)) {
    return isOld ? NOTHING : beginEmergency(parts, facts, decision, episodes, done);
  }
  const superseded = await supersededBy(parts, context.encounter, discharge);
  // History tells no more than that a stay before it, whose discharge nobody has told, was over long ago.
  if (isOld) return withdrawEach(parts, await untold(parts, superseded), context.now);
  const ended = await withdrawEach(parts, superseded, context.now);
  // A stay that is first heard of when it is over ends the earlier ones, whatever comes after it.
  if (!decision.start) return both(ended, decline(facts, decision, episodes));
  const before = await endedEarlier(parts, context.encounter, discharge);
  const continues = [...before, ...superseded.map(({ episode }) => episode)];
  return both(ended, startReaction(facts, decision, episodes, { done, continues }));
}

async function untold(parts: Parts, superseded: readonly Superseded[]): Promise<Superseded[]> {
  const found: Superseded[] = [];
  for (const one of superseded) if (await isUntold(parts, one.episode)) found.push(one);
  return found;
}

/** Of a visit that calls for nothing nobody needs a record; of several within a month the first is followed up (FUM). */
async function beginEmergency(
  parts: Parts,
  facts: DischargeFacts,
  decision: Decision,
  episodes: readonly EpisodeOfCare[],
  done: ReadonlyMap<string, Link> | undefined,
): Promise<Reaction> {
  if (!decision.start) return NOTHING;
  const { patient, encounter, anchor } = facts.context;
  const others = await findResources(parts.store, 'EpisodeOfCare', {
    patient: `Patient/${patient.id}`,
    status: 'active,finished',
  });
  const isFollowedUp = others.some(
    (episode) =>
      isOfEmergency(episode) &&
      isOther(episode, encounter) &&
      chainReason(anchor.discharge, dischargedAt(episode), anchor.zone) !== undefined,
  );
  return isFollowedUp ? NOTHING : startReaction(facts, decision, episodes, { done, continues: [] });
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
  before: Before = {},
): Reaction {
  const plan = planStart(context, decision, episodes, before);
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

// What an encounter's new version means for transitions: a discharge begins one, a cancelled discharge takes it back, a
// corrected one moves it, and a new stay ends those of earlier ones.
import type { Encounter, EpisodeOfCare } from '@medplum/fhirtypes';
import { isDischarged, isInHouse } from '../care/discharge.ts';
import { isLive, withdrawnBecause } from '../care/episode.ts';
import { findResources, parseVersion, readResource } from '../care/stored.ts';
import type { LogEntry } from '../store/store.ts';
import { type Decision, decide } from './decide.ts';
import { type DischargeFacts, gatherFacts, liveTransitions } from './facts.ts';
import { readLivePlan } from './live-plan.ts';
import type { Parts } from './parts.ts';
import { both, NOTHING, type Reaction, withdrawAll } from './reaction.ts';
import { completedSteps, follows, isAnchoredAt, planMove } from './revise.ts';
import { planDecline, planStart } from './start.ts';
import { dischargedAt, isAfterDischarge, isBackInHospital, isOther } from './stays.ts';

/** What was discharged longer ago than a transition lasts begins none: it is history being loaded. */
const TOO_OLD = { hours: 31 * 24 };

export async function reactToEncounter(parts: Parts, entry: LogEntry): Promise<Reaction> {
  const { store, clock } = parts;
  const episodes = await findResources(store, 'EpisodeOfCare', { encounter: `Encounter/${entry.id}` });
  const live = episodes.filter(isLive);
  const encounter = entry.operation === 'delete' ? undefined : parseVersion(entry, 'Encounter');
  if (encounter && isDischarged(encounter)) return reactToDischarge(parts, entry, episodes);
  const cancelled = await withdrawAll(store, live, 'discharge-cancelled', clock.now());
  if (!encounter || !isInHouse(encounter)) return cancelled;
  return both(cancelled, await endEarlierTransitions(parts, encounter));
}

/** A patient who is in hospital again is followed up from the next discharge, not from the last. */
async function endEarlierTransitions(parts: Parts, encounter: Encounter): Promise<Reaction> {
  const patient = encounter.subject?.reference;
  if (!patient) return NOTHING;
  const others = await liveTransitions(parts, patient);
  const ended = others.filter(
    (episode) => isOther(episode, encounter) && isAfterDischarge(encounter, dischargedAt(episode)),
  );
  return withdrawAll(parts.store, ended, 'readmitted', parts.clock.now());
}

async function reactToDischarge(parts: Parts, entry: LogEntry, episodes: readonly EpisodeOfCare[]): Promise<Reaction> {
  const encounter = await readResource(parts.store, 'Encounter', entry.id);
  // The discharge has been taken back since; the entry that did so comes later in the log.
  if (!encounter || !isDischarged(encounter)) return NOTHING;
  const live = episodes.find(isLive);
  if (!live && episodes.some(isSettled)) return NOTHING;
  const facts = await gatherFacts(parts, encounter, entry.lastUpdated);
  if (!facts) {
    parts.log.error({ encounter: entry.id }, 'a discharge whose patient is not stored cannot be followed up');
    return NOTHING;
  }
  const decision = decide(facts, parts.rules, await isBackInHospital(parts, facts.context));
  return live ? revise(parts, live, facts, decision, episodes) : begin(parts, facts, decision, episodes);
}

async function begin(
  parts: Parts,
  facts: DischargeFacts,
  decision: Decision,
  episodes: readonly EpisodeOfCare[],
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
  return both(ended, startReaction(facts, decision, episodes));
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

function startReaction(
  { context }: DischargeFacts,
  decision: Extract<Decision, { start: true }>,
  episodes: readonly EpisodeOfCare[],
  done?: Parameters<typeof planStart>[3],
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
        lace: total,
        band,
        carePlan: outcomes[plan.carePlanAt]?.id ?? '',
        followUps: plan.followUps,
      },
    ],
  };
}

/** The discharge of a transition under way was told again, perhaps corrected. */
async function revise(
  parts: Parts,
  live: EpisodeOfCare,
  facts: DischargeFacts,
  decision: Decision,
  episodes: readonly EpisodeOfCare[],
): Promise<Reaction> {
  const { store } = parts;
  const { context } = facts;
  if (!decision.start) return withdrawAll(store, [live], decision.reason, context.now);
  const plan = await readLivePlan(store, live);
  if (!follows(plan, decision.protocol)) {
    const ended = await withdrawAll(store, [live], 'superseded', context.now);
    return both(ended, startReaction(facts, decision, episodes, completedSteps(plan)));
  }
  if (isAnchoredAt(plan, context)) return NOTHING;
  const { changes, moved } = planMove(plan, decision.protocol, context);
  const encounter = context.encounter.id ?? '';
  return {
    changes,
    events: () => [{ kind: 'transition-moved', episode: live.id ?? '', encounter, followUps: moved }],
  };
}

/** Nothing will begin from this encounter any more: its transition ran its course or a later stay took its place. */
function isSettled(episode: EpisodeOfCare): boolean {
  return episode.status === 'finished' || withdrawnBecause(episode) === 'readmitted';
}

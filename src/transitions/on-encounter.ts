// What an encounter's new version means for transitions: a discharge begins one, a cancelled discharge takes it back, a
// corrected one moves it, and a new stay ends those of earlier ones.
import type { Encounter, EpisodeOfCare } from '@medplum/fhirtypes';
import type { TransitionReason } from '../care/concept.ts';
import { toInstant, toLastInstant } from '../care/local-time.ts';
import { findResources, parseVersion, readResource } from '../care/stored.ts';
import { chainReason } from '../care/transition/chain.ts';
import { isInHouse, isStay, leftBy, toldEnd } from '../care/transition/discharge.ts';
import {
  isLive,
  isOfStay,
  isTransition,
  keyOfEpisode,
  takeBack,
  transitionKey,
  withdrawnBecause,
} from '../care/transition/episode.ts';
import type { Protocol } from '../care/transition/protocol.ts';
import type { TransitionContext } from '../care/transition/transition-context.ts';
import { Fault } from '../fault.ts';
import type { Change } from '../fhir/change.ts';
import { isStandIn } from '../fhir/stand-in-end.ts';
import type { StoredVersion } from '../store/store.ts';
import { becomesHistory, begin, isFollowedUp, isHistory } from './begin.ts';
import { type Decision, decide } from './decide.ts';
import { emergenciesAgain } from './emergencies-again.ts';
import { type DischargeFacts, gatherFacts } from './facts.ts';
import { afterAdmission } from './known-discharge.ts';
import { dischargedAt, keptFor } from './left-at.ts';
import { type LivePlan, readLivePlan } from './live-plan.ts';
import { reactToStay } from './on-stay.ts';
import type { Parts } from './parts.ts';
import { both, NOTHING, type Reaction, touchesSame, withdrawAll, withdrawEach } from './reaction.ts';
import { isUnbegun, protocolAtFirstRisk } from './reassess.ts';
import { replacePlan } from './replace-plan.ts';
import { freedBy, resumeLast } from './resume.ts';
import { completedSteps, follows, isAnchoredAt, planMove } from './revise.ts';
import { isEndedByStay, laterStay, supersededBy } from './stays.ts';
import { recounted } from './upkeep.ts';
import { updatesWithProvenance } from './withdraw.ts';

/** @throws Fault unprocessable for a discharge whose patient is not stored */
export async function reactToEncounter(parts: Parts, entry: StoredVersion): Promise<Reaction> {
  const { store } = parts;
  const begun = await findResources(store, 'EpisodeOfCare', { encounter: `Encounter/${entry.id}` });
  const notices = await reactToStay(parts, entry, begun.filter(isOfStay));
  return both(await reactAsTransition(parts, entry, begun.filter(isTransition)), notices);
}

async function reactAsTransition(
  parts: Parts,
  entry: StoredVersion,
  episodes: readonly EpisodeOfCare[],
): Promise<Reaction> {
  const { store, clock } = parts;
  const live = episodes.filter(isLive);
  const encounter = entry.operation === 'delete' ? undefined : parseVersion(entry, 'Encounter');
  if (encounter && isFollowedUp(parts, encounter)) {
    return both(await reactToDischarge(parts, entry, episodes), await emergenciesAgain(parts, encounter));
  }
  const withdrawn = await withdrawAll(store, live, 'discharge-cancelled', clock.now());
  const cancelled = both(withdrawn, reopenEnded(parts, entry.id, episodes));
  if (!encounter) return cancelled;
  if (isInHouse(encounter)) return both(cancelled, await endEarlierTransitions(parts, encounter));
  // An admission that was a mistake, or no stay after all, ended nothing.
  if (!isVoid(encounter)) return cancelled;
  return both(both(cancelled, await resumeLast(parts, encounter)), await emergenciesAgain(parts, encounter, true));
}

const isVoid = (encounter: Encounter) =>
  !isStay(encounter) || encounter.status === 'cancelled' || encounter.status === 'entered-in-error';

/** The discharge of a transition that had run its course is taken back: the next one begins another. */
function reopenEnded({ clock }: Parts, encounter: string, episodes: readonly EpisodeOfCare[]): Reaction {
  const ended = episodes.filter((episode) => episode.status === 'finished' && !withdrawnBecause(episode));
  if (ended.length === 0) return NOTHING;
  const changes = updatesWithProvenance(ended.map(takeBack), `Encounter/${encounter}`, clock.now());
  return { changes, events: () => [] };
}

/** A patient who is in hospital again is followed up from the next discharge, not from the last. */
async function endEarlierTransitions(parts: Parts, encounter: Encounter): Promise<Reaction> {
  return withdrawEach(parts, await supersededBy(parts, encounter), parts.clock.now());
}

async function reactToDischarge(
  parts: Parts,
  entry: StoredVersion,
  episodes: readonly EpisodeOfCare[],
): Promise<Reaction> {
  const encounter = await readResource(parts.store, 'Encounter', entry.id);
  // The discharge has been taken back since; the entry that did so comes later in the log.
  if (!encounter || !isFollowedUp(parts, encounter)) return NOTHING;
  const live = episodes.find(isLive);
  const last = episodes.at(-1);
  const settled = !live && last && isSettled(last) ? last : undefined;
  if (settled && !(await isToldAnew(parts, settled, encounter))) return NOTHING;
  const facts = await gatherFacts(parts, encounter, { kept: keptFor(live, encounter) });
  if (!facts) {
    const { end } = encounter.period ?? {};
    if (end !== undefined && isHistory(toLastInstant(end, 'UTC'), parts.clock.now())) return NOTHING;
    throw new Fault('unprocessable', 'The patient of this discharge is not stored; it is followed up once they are.');
  }
  const { anchor } = facts.context;
  const freed = await freedBy(parts, encounter, afterAdmission(encounter, anchor.discharge));
  const isChained = freed && chainReason(freed.discharge, anchor.discharge, anchor.zone);
  const decision = decide(facts, parts.rules, isChained ?? (await laterStay(parts, facts.context)));
  if (settled && !decision.start) return NOTHING;
  const reaction = live
    ? await revise(parts, live, facts, decision, episodes)
    : await begin(parts, facts, decision, episodes, await doneBefore(parts, episodes, facts));
  if (!freed) return reaction;
  // The other one, which counts, ends this one itself: nothing that was decided about it without the other holds.
  return touchesSame(reaction, freed.reaction) ? freed.reaction : both(reaction, freed.reaction);
}

/** What was done, when this discharge was said to be a death, or to be before a later stay, and that was a mistake. */
async function doneBefore({ store }: Parts, episodes: readonly EpisodeOfCare[], { context }: DischargeFacts) {
  const last = episodes.at(-1);
  if (!last || (withdrawnBecause(last) !== 'died' && !isEndedByStay(last))) return undefined;
  const plans = await Promise.all(episodes.map((episode) => readLivePlan(store, episode)));
  return completedSteps(plans, context);
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
  const left = leftBy(context.encounter, context.anchor.discharge, context.anchor.zone);
  // Told rightly at first it would have begun nothing. A typing error may be behind it: told right again it begins anew.
  if (becomesHistory(left, dischargedAt(live), context.now)) {
    return withdrawAll(store, [live], 'discharge-cancelled', context.now);
  }
  if (!decision.start) return withdrawAll(store, [live], decision.reason, context.now);
  const plan = await readLivePlan(store, live);
  const protocol = await protocolToKeep(parts, plan, decision.protocol, context);
  if (!protocol) {
    return (await replacePlan(parts, plan, facts, decision, episodes)).reaction;
  }
  if (isAnchoredAt(plan, context)) return NOTHING;
  const { changes, moved } = planMove(plan, protocol, context);
  const encounter = context.encounter.id ?? '';
  return {
    changes: await Promise.all(changes.map((change) => recredited(parts, change, context))),
    events: () => [{ kind: 'transition-moved', episode: live.id ?? '', encounter, followUps: moved }],
  };
}

/** Attempts that were in time for one deadline need not be for another. */
async function recredited(parts: Parts, change: Change, { anchor }: TransitionContext): Promise<Change> {
  if (change.op !== 'update' || change.resource.resourceType !== 'Task') return change;
  const resource = await recounted(parts, change.resource, anchor.discharge, anchor.zone);
  return resource ? { ...change, resource } : change;
}

/** Undefined when the plan is to give way to one of the chosen protocol. */
async function protocolToKeep(
  parts: Parts,
  plan: LivePlan,
  chosen: Protocol,
  context: TransitionContext,
): Promise<Protocol | undefined> {
  if (follows(plan, chosen)) return chosen;
  return isUnbegun(plan) ? undefined : protocolAtFirstRisk(parts, plan, context);
}

/** What a person decided is not undone by a late word about this stay; what a later stay has made so, by its discharge alone. */
const FINAL: ReadonlySet<TransitionReason | undefined> = new Set([
  'readmitted',
  'continued',
  'opted-out',
  'other-provider-bills',
  'not-needed',
]);

/** Nothing will begin from this encounter any more: its transition ran its course or was ended for good. */
function isSettled(episode: EpisodeOfCare): boolean {
  const reason = withdrawnBecause(episode);
  return (episode.status === 'finished' && !reason) || FINAL.has(reason);
}

/** A later stay ended the transition, and the discharge is told to have been at another time than it was counted from then. */
async function isToldAnew({ facilities }: Parts, settled: EpisodeOfCare, encounter: Encounter): Promise<boolean> {
  if (!isEndedByStay(settled) || isStandIn(encounter.period)) return false;
  const { zone } = await facilities.placeOf(encounter.serviceProvider);
  const end = toldEnd(encounter, zone);
  if (end === undefined) return false;
  return keyOfEpisode(settled) !== transitionKey(encounter.id ?? '', toInstant(end, zone));
}

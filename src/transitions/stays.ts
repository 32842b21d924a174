// How a patient's stays lie to each other in time.
import type { Encounter, EpisodeOfCare } from '@medplum/fhirtypes';
import { toInstant } from '../care/local-time.ts';
import { findResources, readResource } from '../care/stored.ts';
import { chainReason, isToFacility } from '../care/transition/chain.ts';
import { isEmergency, isNonAcute } from '../care/transition/discharge.ts';
import { encounterOfEpisode, isOfEmergency, isTransition, withdrawnBecause } from '../care/transition/episode.ts';
import type { TransitionContext } from '../care/transition/transition-context.ts';
import { liveTransitions } from './facts.ts';
import { afterAdmission, knownDischarge, staysSince } from './known-discharge.ts';
import { inOrder, leftAt } from './left-at.ts';
import type { Parts } from './parts.ts';

/** A stay that began this much before a discharge is the next one all the same: a change of encounter, not of place. */
const OVERLAP = { hours: 24 };

/** Why a later stay ends a transition. */
export const ENDED_BY_STAY = ['readmitted', 'continued'] as const;
export type ChainReason = (typeof ENDED_BY_STAY)[number];

/** A transition that a later stay ends, and why. */
export interface Superseded {
  readonly episode: EpisodeOfCare;
  readonly reason: ChainReason;
}

/** The transition began with another encounter. */
export function isOther(episode: EpisodeOfCare, { id }: Encounter): boolean {
  return encounterOfEpisode(episode) !== id;
}

/** The stay began after the discharge. One that was never closed, years ago, did not. */
export function isAfterDischarge({ period }: Encounter, discharge: Temporal.Instant): boolean {
  if (!period?.start) return true;
  return Temporal.Instant.compare(toInstant(period.start, 'UTC'), discharge.subtract(OVERLAP)) >= 0;
}

/**
 * The live transitions that a stay ends: the patient is followed up from its discharge, not from theirs.
 * @param stay open, or ended at `until`
 */
export async function supersededBy(parts: Parts, stay: Encounter, until?: Temporal.Instant): Promise<Superseded[]> {
  const patient = stay.subject?.reference;
  if (!patient) return [];
  const others = (await liveTransitions(parts, patient)).filter((episode) => isOther(episode, stay));
  const ended = until && afterAdmission(stay, until);
  const found = await Promise.all(others.map((episode) => supersedes(parts, stay, episode, ended)));
  return found.flatMap((one) => one ?? []);
}

async function supersedes(
  parts: Parts,
  stay: Encounter,
  episode: EpisodeOfCare,
  until: Temporal.Instant | undefined,
): Promise<Superseded | undefined> {
  const discharge = await leftAt(parts, episode);
  const isLater = until ? Temporal.Instant.compare(discharge, until) < 0 : isAfterDischarge(stay, discharge);
  if (!isLater) return undefined;
  const { zone } = await parts.facilities.placeOf(episode.managingOrganization);
  const admission = stay.period?.start ? toInstant(stay.period.start, zone) : (until ?? parts.clock.now());
  const reason = chainReason(admission, discharge, zone);
  if (!reason || !isNonAcute(stay) || !(await isExpected(parts, episode))) return reason && { episode, reason };
  // The nursing facility that the patient was sent to has taken them in: it is looked at until it discharges them.
  return until ? { episode, reason: 'continued' } : undefined;
}

/** The patient went to a facility whose stay is yet to come. */
async function isExpected({ store, rules }: Parts, episode: EpisodeOfCare): Promise<boolean> {
  const encounter = await readResource(store, 'Encounter', encounterOfEpisode(episode));
  return encounter !== undefined && isToFacility(rules.destinationOf(encounter));
}

/** Ids of encounters that do not count: as a stay, for its transition. */
export interface Uncounted {
  readonly stay?: string | undefined;
  readonly transition?: string | undefined;
}

/**
 * What became of the patient since this discharge that makes it count no more: another stay of the same chain began, and
 * perhaps ended, or a later discharge is followed up. Undefined when nothing did.
 */
export async function laterStay(
  parts: Parts,
  context: TransitionContext,
  { stay, transition }: Uncounted = {},
): Promise<ChainReason | undefined> {
  const { patient, encounter, anchor } = context;
  const discharge = afterAdmission(encounter, anchor.discharge);
  const reason = await stayAfter(parts, context, stay);
  if (reason || isEmergency(encounter)) return reason;
  const transitions = (await liveTransitions(parts, `Patient/${patient.id}`)).filter(
    (episode) => isOther(episode, encounter) && !isOfEmergency(episode) && encounterOfEpisode(episode) !== transition,
  );
  // The same stay under two encounters is followed up once.
  const later = (await inOrder(parts, transitions, stay)).filter(
    ({ left }) => Temporal.Instant.compare(left, discharge) >= 0,
  );
  return later.flatMap(({ left }) => chainReason(left, discharge, anchor.zone) ?? [])[0];
}

/**
 * What the first stay of the same chain is to this discharge that began since, and is not over or ended later.
 * @param voided id of an encounter that does not count
 */
export async function stayAfter(
  parts: Parts,
  { patient, encounter, anchor, destination }: TransitionContext,
  voided?: string,
): Promise<ChainReason | undefined> {
  const discharge = afterAdmission(encounter, anchor.discharge);
  const stays = await staysSince(parts.store, `Patient/${patient.id}`, discharge.subtract({ hours: 24 * 2 }));
  const waitsForFacility = isToFacility(destination);
  for (const stay of stays) {
    if (stay.id === encounter.id || stay.id === voided) continue;
    // An emergency visit in the midst of a stay is part of that; one that is open was perhaps never closed.
    const isAround = isEmergency(encounter) && stay.status === 'finished';
    if (!isAround && !isAfterDischarge(stay, discharge)) continue;
    const isAwaited = waitsForFacility && isNonAcute(stay);
    const start = stay.period?.start;
    const admission = start ? toInstant(start, anchor.zone) : discharge;
    const reason = chainReason(admission, discharge, anchor.zone);
    // Those after it are another story as well.
    if (!reason && !waitsForFacility) break;
    if (!reason && !isAwaited) continue;
    const isOver = stay.status === 'finished';
    if (isOver && !(await endsAfter(parts, stay, discharge, voided))) continue;
    if (!isAwaited) return reason;
    if (isOver) return 'continued';
  }
  return undefined;
}

async function endsAfter(
  { store }: Parts,
  stay: Encounter,
  discharge: Temporal.Instant,
  voided: string | undefined,
): Promise<boolean> {
  const end = stay.period?.end;
  if (end?.includes('T') && Temporal.Instant.compare(toInstant(end, 'UTC'), discharge) <= 0) return false;
  const left = await knownDischarge(store, stay, { zone: 'UTC', voided });
  return Temporal.Instant.compare(afterAdmission(stay, left), discharge) > 0;
}

/** Transitions that a later stay has ended before it was discharged itself: its own continues them. */
export async function endedEarlier(
  parts: Parts,
  stay: Encounter,
  discharge: Temporal.Instant,
): Promise<EpisodeOfCare[]> {
  const patient = stay.subject?.reference;
  const start = stay.period?.start;
  if (!patient || !start) return [];
  const episodes = (await findResources(parts.store, 'EpisodeOfCare', { patient, status: 'cancelled' })).filter(
    (episode) => isTransition(episode) && isOther(episode, stay) && isEndedByStay(episode),
  );
  const ordered = await inOrder(parts, episodes);
  const ended = afterAdmission(stay, discharge);
  return ordered
    .filter(({ left }) => Temporal.Instant.compare(left, ended) < 0)
    .filter(({ left }) => chainReason(toInstant(start, 'UTC'), left, 'UTC') !== undefined)
    .map(({ episode }) => episode);
}

/** A later stay ended the transition, or it did not begin because of one. */
export function isEndedByStay(episode: EpisodeOfCare): boolean {
  const because = withdrawnBecause(episode);
  return ENDED_BY_STAY.some((reason) => reason === because);
}

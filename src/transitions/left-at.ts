// When patients left for whom transitions began: what those are counted from, and what puts them in order.
import type { Encounter, EpisodeOfCare } from '@medplum/fhirtypes';
import { toInstant } from '../care/local-time.ts';
import { readResource } from '../care/stored.ts';
import { isEmergency } from '../care/transition/discharge.ts';
import { dischargeOf, encounterOfEpisode, isLive, isOfEmergency } from '../care/transition/episode.ts';
import { countedDischarge } from './counted-discharge.ts';
import { afterAdmission, boundByOthers } from './known-discharge.ts';
import type { Parts } from './parts.ts';

/** When the discharge was that began a transition. */
export function dischargedAt(episode: EpisodeOfCare): Temporal.Instant {
  return dischargeOf(episode) ?? toInstant(episode.meta?.lastUpdated ?? '', 'UTC');
}

/** What a transition under way is counted from; undefined for that of an emergency visit that has become a stay since. */
export function keptFor(episode: EpisodeOfCare | undefined, encounter: Encounter): Temporal.Instant | undefined {
  return episode && isOfEmergency(episode) === isEmergency(encounter) ? dischargedAt(episode) : undefined;
}

/**
 * When the patient left for whom a transition began, to put it in order with other stays: for one that nobody has told when, the
 * patient's other stays may tell more than it is counted from; one that has ended may have been corrected since.
 * @param voided id of an encounter that does not count
 */
export async function leftAt(parts: Parts, episode: EpisodeOfCare, voided?: string): Promise<Temporal.Instant> {
  const known = await knownOf(parts, episode);
  if (!known) return dischargedAt(episode);
  // A correction that is told moves the transition by its own entry of the log, but none that has ended.
  if (known.counted.basis === 'told') {
    return afterAdmission(known.encounter, isLive(episode) ? dischargedAt(episode) : known.counted.at);
  }
  return boundByOthers(parts.store, known.encounter, known.counted, { zone: known.zone, voided });
}

/** Whether it began with a discharge of which nobody has told when it was. */
export async function isUntold(parts: Parts, episode: EpisodeOfCare): Promise<boolean> {
  const known = await knownOf(parts, episode);
  return known !== undefined && known.counted.basis !== 'told';
}

/** The discharge that began a transition, as it is known now; undefined when it was taken back. */
async function knownOf({ store, facilities }: Parts, episode: EpisodeOfCare) {
  const encounter = await readResource(store, 'Encounter', encounterOfEpisode(episode));
  const kept = encounter && keptFor(episode, encounter);
  if (encounter?.status !== 'finished' || !kept) return undefined;
  const { zone } = await facilities.placeOf(encounter.serviceProvider);
  return { encounter, counted: await countedDischarge(store, encounter, zone, kept), zone };
}

export interface Ordered {
  readonly episode: EpisodeOfCare;
  readonly left: Temporal.Instant;
}

/** Transitions by when the patient left. */
export async function inOrder(parts: Parts, episodes: readonly EpisodeOfCare[], voided?: string): Promise<Ordered[]> {
  const ordered = await Promise.all(
    episodes.map(async (episode) => ({ episode, left: await leftAt(parts, episode, voided) })),
  );
  return ordered.toSorted((a, b) => Temporal.Instant.compare(a.left, b.left));
}

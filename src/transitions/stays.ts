// How a patient's stays lie to each other in time.
import type { Encounter, EpisodeOfCare } from '@medplum/fhirtypes';
import { toInstant } from '../care/local-time.ts';
import { findResources } from '../care/stored.ts';
import { isInHouse } from '../care/transition/discharge.ts';
import { encounterOfEpisode } from '../care/transition/episode.ts';
import type { TransitionContext } from '../care/transition/transition-context.ts';
import { liveTransitions } from './facts.ts';
import type { Parts } from './parts.ts';

/** A stay that began this much before a discharge is the next one all the same: a change of encounter, not of place. */
const OVERLAP = { hours: 24 };

/** When the discharge was that began a transition. */
export function dischargedAt({ period }: EpisodeOfCare): Temporal.Instant {
  return toInstant(period?.start ?? '', 'UTC');
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
 * The patient has been admitted again since this discharge, and perhaps discharged again.
 * @param voided id of an encounter that does not count
 */
export async function isBackInHospital(
  parts: Parts,
  { patient, encounter, anchor }: TransitionContext,
  voided?: string,
): Promise<boolean> {
  const reference = `Patient/${patient.id}`;
  const open = await findResources(parts.store, 'Encounter', { patient: reference, status: 'in-progress,onleave' });
  const others = open.filter((stay) => stay.id !== encounter.id && isInHouse(stay));
  if (others.some((stay) => isAfterDischarge(stay, anchor.discharge))) return true;
  const transitions = (await liveTransitions(parts, reference)).filter(
    (episode) => isOther(episode, encounter) && encounterOfEpisode(episode) !== voided,
  );
  return transitions.some((episode) => Temporal.Instant.compare(dischargedAt(episode), anchor.discharge) > 0);
}

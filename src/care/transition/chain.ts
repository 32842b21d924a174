// Which stays belong together. HEDIS TRC: a readmission or direct transfer on the day of the discharge or within 30 days after
// it extends the episode, and the last discharge counts. PCR: stays two or more calendar days apart are distinct.
import type { EpisodeOfCare, Reference } from '@medplum/fhirtypes';
import { localDate } from '../local-time.ts';
import { EXTENSION } from '../systems.ts';
import type { Destination } from './discharge.ts';

/** Days after the day of the discharge that a new stay still extends the episode. */
const CHAIN_DAYS = 30;
/** A stay that begins so many days after the discharge or sooner is a direct transfer, not a readmission. */
const DIRECT_DAYS = 1;

/** Where a patient is looked after by another facility, whose own discharge is yet to come. */
const FACILITIES: ReadonlySet<Destination> = new Set([
  'skilled-nursing',
  'rehabilitation',
  'long-term-care',
  'psychiatric',
  'other-facility',
]);

export const isToFacility = (destination: Destination): boolean => FACILITIES.has(destination);

/**
 * What a stay that began at `admission` is to a discharge before it; undefined when it is another story. One that began
 * before the discharge came is its continuation.
 * @param zone of the facility that discharged
 */
export function chainReason(
  admission: Temporal.Instant,
  discharge: Temporal.Instant,
  zone: string,
): 'continued' | 'readmitted' | undefined {
  const days = localDate(discharge, zone).until(localDate(admission, zone), { largestUnit: 'days' }).days;
  if (days > CHAIN_DAYS) return undefined;
  return days <= DIRECT_DAYS ? 'continued' : 'readmitted';
}

/** The transition as the continuation of earlier ones. */
export function continuing(episode: EpisodeOfCare, earlier: readonly EpisodeOfCare[]): EpisodeOfCare {
  if (earlier.length === 0) return episode;
  const links = earlier.map(({ id }) => ({
    url: EXTENSION.transitionContinues,
    valueReference: { reference: `EpisodeOfCare/${id}` },
  }));
  return { ...episode, extension: [...(episode.extension ?? []), ...links] };
}

/** The transitions that this one continues. */
export function continuedBy({ extension }: EpisodeOfCare): Reference[] {
  const links = (extension ?? []).filter(({ url }) => url === EXTENSION.transitionContinues);
  return links.flatMap(({ valueReference }) => valueReference ?? []);
}

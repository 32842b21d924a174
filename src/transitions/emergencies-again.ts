// A visit of the emergency department while the patient is in elsewhere is part of that stay and followed up with it. When the
// stay proves to have been over before, or to have been none, the visit is looked at again.
import type { Encounter } from '@medplum/fhirtypes';
import { toInstant } from '../care/local-time.ts';
import { findResources, parseVersion } from '../care/stored.ts';
import { EMERGENCY, isStay } from '../care/transition/discharge.ts';
import { isTransition } from '../care/transition/episode.ts';
import type { StoredVersion } from '../store/store.ts';
import { TOO_OLD } from './begin.ts';
import type { Parts } from './parts.ts';
import { NOTHING, type Reaction } from './reaction.ts';

/**
 * What begins now that `stay` is over or called off: of several visits the first, because one within a month is enough (FUM).
 * @param react to an emergency visit that has no transition
 */
export async function emergenciesAgain(
  { store, rules, clock }: Parts,
  stay: Encounter,
  react: (visit: StoredVersion) => Promise<Reaction>,
): Promise<Reaction> {
  const patient = stay.subject?.reference;
  if (!patient || !isStay(stay) || !rules.protocols.some(({ forEmergency }) => forEmergency)) return NOTHING;
  const since = clock.now().subtract(TOO_OLD).toString({ smallestUnit: 'second' });
  const query = new URLSearchParams({ patient, class: EMERGENCY, status: 'finished', date: `ge${since}` });
  const visits = await store.find(`Encounter?${query}`);
  for (const visit of visits.toSorted((one, other) => beganAt(one) - beganAt(other))) {
    const begun = await findResources(store, 'EpisodeOfCare', { encounter: `Encounter/${visit.id}` });
    const reaction = begun.some(isTransition) ? NOTHING : await react(visit);
    if (reaction.changes.length > 0) return reaction;
  }
  return NOTHING;
}

function beganAt(version: StoredVersion): number {
  const { period } = parseVersion(version, 'Encounter');
  return period?.start ? toInstant(period.start, 'UTC').epochMilliseconds : 0;
}

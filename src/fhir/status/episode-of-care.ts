// What may become of an EpisodeOfCare: a case, or a transition of care. One that has ended stays ended; who comes back has
// another. https://hl7.org/fhir/R4/valueset-episode-of-care-status.html
import type { EpisodeOfCare } from '@medplum/fhirtypes';
import type { Machine } from './machine.ts';

type EpisodeStatus = EpisodeOfCare['status'];

export const EPISODE_OF_CARE: Machine<EpisodeStatus> = {
  name: 'EpisodeOfCare',
  element: 'status',
  source: 'https://hl7.org/fhir/R4/valueset-episode-of-care-status.html',
  successors: {
    planned: ['waitlist', 'active', 'cancelled', 'entered-in-error'],
    waitlist: ['planned', 'active', 'cancelled', 'entered-in-error'],
    // Cancelled: it is found out that there was nothing to do, such as a discharge that is taken back.
    active: ['onhold', 'finished', 'cancelled', 'entered-in-error'],
    onhold: ['active', 'finished', 'cancelled', 'entered-in-error'],
    finished: ['entered-in-error'],
    cancelled: ['entered-in-error'],
    'entered-in-error': [],
  },
};

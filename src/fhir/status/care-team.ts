// What may become of a CareTeam. https://hl7.org/fhir/R4/valueset-care-team-status.html
import type { CareTeam } from '@medplum/fhirtypes';
import type { Machine } from './machine.ts';

type CareTeamStatus = NonNullable<CareTeam['status']>;

export const CARE_TEAM: Machine<CareTeamStatus> = {
  name: 'CareTeam',
  element: 'status',
  source: 'https://hl7.org/fhir/R4/valueset-care-team-status.html',
  successors: {
    proposed: ['active', 'inactive', 'entered-in-error'],
    active: ['suspended', 'inactive', 'entered-in-error'],
    suspended: ['active', 'inactive', 'entered-in-error'],
    inactive: ['entered-in-error'],
    'entered-in-error': [],
  },
};

// A team of a case with nobody on it yet. http://hl7.org/fhir/us/core/StructureDefinition/us-core-careteam
import type { CareTeam, Organization, Patient, Reference } from '@medplum/fhirtypes';
import { LONGITUDINAL_TEAM, TEAM_PROFILES } from './team-codes.ts';

export interface NewTeam {
  readonly subject: Reference<Patient>;
  /** FHIR dateTime. */
  readonly start: string;
  readonly organization?: Reference<Organization> | undefined;
}

export function newTeam({ subject, start, organization }: NewTeam): CareTeam {
  return {
    resourceType: 'CareTeam',
    meta: { profile: [...TEAM_PROFILES] },
    status: 'active',
    category: [LONGITUDINAL_TEAM],
    name: 'Case management team',
    subject,
    period: { start },
    ...(organization ? { managingOrganization: [organization] } : {}),
  };
}

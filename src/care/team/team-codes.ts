// How the people of a case are coded. https://hl7.org/fhir/R4/careteam.html
import type { CodeableConcept } from '@medplum/fhirtypes';
import { concept } from '../concept.ts';
import { PROFILE } from '../systems.ts';

const BASE = 'https://baton.health/fhir';
export const TEAM_PROFILES = [PROFILE.careTeam, PROFILE.usCoreCareTeam];
export const DUTY = `${BASE}/StructureDefinition/team-duty`;

/** CodeSystem team-duty. */
export const DUTIES = ['lead', 'on-call', 'backup', 'supervisor'] as const;
export type Duty = (typeof DUTIES)[number];

/** LOINC LL2083-0. */
export const LONGITUDINAL_TEAM: CodeableConcept = concept(
  'http://loinc.org',
  'LA28865-6',
  'Longitudinal care-coordination focused care team',
);

// How community resources are coded. http://hl7.org/fhir/us/sdoh-clinicalcare, capacity statuses of its third edition.

import type { CodeableConcept, Extension, HealthcareService } from '@medplum/fhirtypes';
import { profileUrl } from '../../fhir/profile-canonical.ts';
import { concept } from '../concept.ts';

const GRAVITY = 'http://hl7.org/fhir/us/sdoh-clinicalcare';

export const RESOURCE_PROFILE = profileUrl('baton', 'baton-community-resource');
export const CAPACITY = `${GRAVITY}/StructureDefinition/SDOHCC-ExtensionHealthcareServiceCapacityStatus`;
const CODES = `${GRAVITY}/CodeSystem/SDOHCC-CodeSystemTemporaryCodes`;

const STATUSES = {
  capacity: 'Capacity',
  'no-capacity': 'No Capacity',
  waitlist: 'Waitlist',
  'additional-assessment-required': 'Additional Assessment Required',
} as const;
export type CapacityStatus = keyof typeof STATUSES;
export const CAPACITY_STATUSES = Object.keys(STATUSES) as CapacityStatus[];

export function capacityExtension(status: CapacityStatus, notes: string | undefined): Extension {
  const valueCodeableConcept: CodeableConcept = concept(CODES, status, STATUSES[status]);
  const said: Extension[] = notes === undefined ? [] : [{ url: 'capacityNotes', valueString: notes }];
  return { url: CAPACITY, extension: [{ url: 'capacityStatus', valueCodeableConcept }, ...said] };
}

export interface Capacity {
  readonly status?: CapacityStatus;
  readonly notes?: string;
}

/** What the service says of itself; undefined when it says nothing. */
export function capacityOf({ extension = [] }: HealthcareService): Capacity | undefined {
  const parts = extension.find(({ url }) => url === CAPACITY)?.extension;
  if (!parts) return undefined;
  const codes = parts.find(({ url }) => url === 'capacityStatus')?.valueCodeableConcept?.coding ?? [];
  const status = CAPACITY_STATUSES.find((known) => codes.some(({ code }) => code === known));
  const notes = parts.find(({ url }) => url === 'capacityNotes')?.valueString;
  return { ...(status ? { status } : {}), ...(notes === undefined ? {} : { notes }) };
}

// Why nothing more is planned for a patient.
import type { Patient } from '@medplum/fhirtypes';
import type { JsonObject } from '../fhir/canonical-json.ts';
import { replacedBy } from '../fhir/patient-merge.ts';

export function hasDied({ deceasedBoolean, deceasedDateTime }: Patient): boolean {
  return deceasedBoolean === true || deceasedDateTime !== undefined;
}

/** Reference to the record that stands for this one. */
export function mergedInto(patient: Patient): string | undefined {
  return replacedBy(patient as unknown as JsonObject);
}

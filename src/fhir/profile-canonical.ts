// Canonical URLs of the profiles and extensions that Baton writes, by whose they are and their id there. Unversioned: what is
// installed decides.

const FOLDERS = {
  baton: 'https://baton.health/fhir/StructureDefinition/',
  /** http://hl7.org/fhir/us/core */
  usCore: 'http://hl7.org/fhir/us/core/StructureDefinition/',
  /** Multiple Chronic Conditions, eCare Plan: http://hl7.org/fhir/us/mcc */
  mcc: 'http://hl7.org/fhir/us/mcc/StructureDefinition/',
  /** Gravity, SDOH Clinical Care: http://hl7.org/fhir/us/sdoh-clinicalcare */
  gravity: 'http://hl7.org/fhir/us/sdoh-clinicalcare/StructureDefinition/',
} as const;

/** `usCore`, `us-core-goal` -> `http://hl7.org/fhir/us/core/StructureDefinition/us-core-goal` */
export function profileUrl(guide: keyof typeof FOLDERS, id: string): string {
  return FOLDERS[guide] + id;
}

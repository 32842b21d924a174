// Names that Baton's audit records and provenance use beside those of FHIR, DICOM and IHE.

/** Device (by logical reference): a part of Baton. The same as in src/care/systems.ts. */
export const COMPONENT = 'https://baton.health/fhir/sid/component';
/** What Baton calls an interaction that is not one of FHIR's: `$everything`, `sync-read`, `ops-sweep`, `export`… */
export const INTERACTION = 'https://baton.health/fhir/CodeSystem/interaction';
/** Of an entity: the emergency access under which somebody worked. */
export const EMERGENCY = 'https://baton.health/fhir/sid/emergency-access';

/** Literal references to whoever may act. */
export const AUTHORS =
  /^(Practitioner|PractitionerRole|RelatedPerson|Patient|Organization|Device)\/[A-Za-z0-9.-]{1,64}$/;

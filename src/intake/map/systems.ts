// Identifier and extension URIs that intake writes.

/** Identifiers whose authority has no URI of its own: this base plus the authority's or the facility's code. */
export const SID = 'https://baton.health/fhir/sid/';

export const FACILITY_SYSTEM = `${SID}facility`;

/** Ids Baton makes so that the same thing in a later message is recognised. */
export const DIAGNOSIS_SYSTEM = `${SID}hl7v2-diagnosis`;
export const RELATED_PERSON_SYSTEM = `${SID}hl7v2-related-person`;
export const COVERAGE_SYSTEM = `${SID}hl7v2-coverage`;
export const ALLERGY_SYSTEM = `${SID}hl7v2-allergy`;

/** On Patient and Encounter: the newest event of any kind that has been applied. Older messages only fill gaps. */
export const LATEST_EVENT = 'https://baton.health/fhir/StructureDefinition/latest-event';

/** On Encounter, one each: what an event said of where the patient is (map/whereabouts.ts); `location` is made of them. */
export const WHEREABOUTS = 'https://baton.health/fhir/StructureDefinition/whereabouts';

/** On Patient: the sender deleted the person then (A29). A newer event of any kind shows that it still has them. */
export const REMOVED = 'https://baton.health/fhir/StructureDefinition/removed-by-sender';

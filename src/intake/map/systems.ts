// Identifier and extension URIs that intake writes.
import type { Extension } from '@medplum/fhirtypes';

/** Identifiers whose authority has no URI of its own: this base plus the authority's or the facility's code. */
export const SID = 'https://baton.health/fhir/sid/';

export const FACILITY_SYSTEM = `${SID}facility`;

/** Ids Baton makes so that the same thing in a later message is recognised. */
export const DIAGNOSIS_SYSTEM = `${SID}hl7v2-diagnosis`;
export const RELATED_PERSON_SYSTEM = `${SID}hl7v2-related-person`;
export const COVERAGE_SYSTEM = `${SID}hl7v2-coverage`;
export const ALLERGY_SYSTEM = `${SID}hl7v2-allergy`;

/**
 * When the event happened that last set what this is attached to: on Encounter its status (with period.end and the
 * discharge disposition), on Encounter.period its start. Older events never override it.
 */
export const EVENT_TIME = 'https://baton.health/fhir/StructureDefinition/event-time';

/** On Patient and Encounter: the newest event of any kind that has been applied. Older messages only fill gaps. */
export const LATEST_EVENT = 'https://baton.health/fhir/StructureDefinition/latest-event';

/** On Encounter, one each: what an event said of where the patient is (map/whereabouts.ts); `location` is made of them. */
export const WHEREABOUTS = 'https://baton.health/fhir/StructureDefinition/whereabouts';

/** On Patient: the sender deleted the person then (A29). A newer event of any kind shows that it still has them. */
export const REMOVED = 'https://baton.health/fhir/StructureDefinition/removed-by-sender';

interface Extensible {
  readonly extension?: Extension[];
}

/** The instant an extension holds. */
export function instantOf(element: Extensible | undefined, url: string): Temporal.Instant | undefined {
  const value = element?.extension?.find((extension) => extension.url === url)?.valueInstant;
  return value === undefined ? undefined : Temporal.Instant.from(value);
}

/** The extensions with the one of `url` replaced where it stands, or added. */
export function withInstant(element: Extensible | undefined, url: string, instant: Temporal.Instant): Extension[] {
  const extensions = element?.extension ?? [];
  const mine: Extension = { url, valueInstant: instant.toString({ fractionalSecondDigits: 3 }) };
  const known = extensions.some((extension) => extension.url === url);
  return known ? extensions.map((extension) => (extension.url === url ? mine : extension)) : [...extensions, mine];
}

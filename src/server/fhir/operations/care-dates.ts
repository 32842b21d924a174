// Which search parameter holds the date of care of a type, for the period of $everything.
import type { SearchParameters } from '../../../fhir/search/parameters.ts';

/** Types whose date of care is not called `date`. */
const CARE_DATES: Readonly<Record<string, string>> = {
  AdverseEvent: 'date',
  Claim: 'created',
  ClaimResponse: 'created',
  Communication: 'sent',
  CommunicationRequest: 'authored',
  Condition: 'onset-date',
  CoverageEligibilityRequest: 'created',
  CoverageEligibilityResponse: 'created',
  DeviceRequest: 'authored-on',
  ExplanationOfBenefit: 'created',
  Goal: 'start-date',
  ImagingStudy: 'started',
  Media: 'created',
  MedicationAdministration: 'effective-time',
  MedicationDispense: 'whenhandedover',
  MedicationRequest: 'authoredon',
  MedicationStatement: 'effective',
  NutritionOrder: 'datetime',
  Provenance: 'recorded',
  QuestionnaireResponse: 'authored',
  RequestGroup: 'authored',
  ServiceRequest: 'authored',
  Specimen: 'collected',
  Task: 'authored-on',
};

/** Undefined when the type has no date of care. */
export function careDateOf(parameters: SearchParameters, type: string): string | undefined {
  const code = CARE_DATES[type] ?? 'date';
  return parameters.get(type, code)?.kind === 'date' ? code : undefined;
}

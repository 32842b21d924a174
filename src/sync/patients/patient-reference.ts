// Whose resource it is: the reference to a patient, wherever the type has it.
import { isJsonObject, type Json, type JsonObject } from '../../fhir/canonical-json.ts';

const ELEMENTS = ['patient', 'subject', 'for', 'beneficiary', 'individual'];

/** `Patient/id` (or a URL that ends so) that the resource is about, of whatever version; undefined when it is about none. */
export function patientOf(body: JsonObject): string | undefined {
  const element = patientElementOf(body);
  return element === undefined ? undefined : patientIn(body[element]);
}

/** The element that has it. */
export function patientElementOf(body: JsonObject): string | undefined {
  return ELEMENTS.find((element) => patientIn(body[element]) !== undefined);
}

function patientIn(value: Json | undefined): string | undefined {
  const reference = isJsonObject(value) ? value.reference : undefined;
  return typeof reference === 'string' ? /^(?:.*\/)?Patient\/[^/]+(?=$|\/_history\/)/.exec(reference)?.[0] : undefined;
}

/** The element where a type has its patient; undefined for types that are about nobody in particular. */
export function patientElement(type: string): string | undefined {
  return ELEMENT_BY_TYPE[type];
}

const ELEMENT_BY_TYPE: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    [
      'CarePlan',
      'CareTeam',
      'ClinicalImpression',
      'Communication',
      'CommunicationRequest',
      'Condition',
      'DiagnosticReport',
      'DocumentReference',
      'Encounter',
      'Flag',
      'Goal',
      'MedicationRequest',
      'Observation',
      'Procedure',
      'QuestionnaireResponse',
      'RiskAssessment',
      'ServiceRequest',
    ].map((type) => [type, 'subject']),
  ),
  ...Object.fromEntries(
    ['AllergyIntolerance', 'Consent', 'EpisodeOfCare', 'Immunization', 'RelatedPerson'].map((type) => [
      type,
      'patient',
    ]),
  ),
  Coverage: 'beneficiary',
  Task: 'for',
};

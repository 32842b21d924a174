// Whose resource it is: the reference to a patient, wherever the type has it. Groups, persons, provenance and audit events name
// patients, but are of nobody's record.
import { isJsonObject, type Json, type JsonObject } from '../../fhir/canonical-json.ts';

/** Types by the element. Of an appointment it is the `actor` within. */
const TYPES: Readonly<Record<string, string>> = {
  patient: `AllergyIntolerance BodyStructure Claim ClaimResponse Consent CoverageEligibilityRequest
    CoverageEligibilityResponse DetectedIssue Device EpisodeOfCare ExplanationOfBenefit FamilyMemberHistory Immunization
    ImmunizationEvaluation ImmunizationRecommendation MolecularSequence NutritionOrder RelatedPerson SupplyDelivery
    VisionPrescription`,
  subject: `Account AdverseEvent Basic CarePlan CareTeam ChargeItem ClinicalImpression Communication CommunicationRequest
    Composition Condition Contract DeviceRequest DeviceUseStatement DiagnosticReport DocumentManifest DocumentReference
    Encounter Flag Goal GuidanceResponse ImagingStudy Invoice List MeasureReport Media MedicationAdministration
    MedicationDispense MedicationRequest MedicationStatement Observation Procedure QuestionnaireResponse RequestGroup
    RiskAssessment ServiceRequest Specimen`,
  actor: 'AppointmentResponse Schedule',
  beneficiary: 'Coverage',
  candidate: 'EnrollmentRequest',
  deliverTo: 'SupplyRequest',
  for: 'Task',
  individual: 'ResearchSubject',
  participant: 'Appointment',
};
const ELEMENTS = Object.keys(TYPES);
const ELEMENT_BY_TYPE = new Map(
  Object.entries(TYPES).flatMap(([element, types]) => types.split(/\s+/).map((type) => [type, element] as const)),
);

/** `Patient/id` (or a URL that ends so) that the resource is about, of whatever version; undefined when it is about none. */
export function patientOf(body: JsonObject): string | undefined {
  return patientsOf(body)[0];
}

/** All of them: an account or an appointment may have several. */
export function patientsOf(body: JsonObject): string[] {
  const element = patientElementOf(body);
  return element === undefined ? [] : patientsIn(body[element]);
}

/** The element that has them. */
export function patientElementOf(body: JsonObject): string | undefined {
  return ELEMENTS.find((element) => patientsIn(body[element]).length > 0);
}

function patientsIn(value: Json | undefined): string[] {
  return (Array.isArray(value) ? value : [value]).flatMap((item) => {
    const { reference } = isJsonObject(item) ? (isJsonObject(item.actor) ? item.actor : item) : {};
    const name = typeof reference === 'string' ? /^(?:.*\/)?Patient\/[^/]+(?=$|\/_history\/)/.exec(reference)?.[0] : '';
    return name ? [name] : [];
  });
}

/**
 * What is sent, with ours where it would be about nobody any more: one record there stood for two of ours, of whom one was taken
 * out here.
 * @param there what it is carried over to
 */
export function withPatients(wanted: JsonObject, there: JsonObject, ours: JsonObject): JsonObject {
  const element = patientElementOf(ours);
  const isEmptied = patientElementOf(there) !== undefined && patientElementOf(wanted) === undefined;
  return isEmptied && element !== undefined ? { ...wanted, [element]: ours[element] } : wanted;
}

/** The element where a type has its patient; undefined for types that are about nobody in particular. */
export function patientElement(type: string): string | undefined {
  return ELEMENT_BY_TYPE.get(type);
}

// What US Core lets a server demand of a search besides the patient. Asked one by one after the server has refused the plain
// search, because servers that demand a category take no list of them. https://hl7.org/fhir/us/core/STU6.1/CapabilityStatement-us-core-server.html

const OBSERVATIONS = [
  'laboratory',
  'vital-signs',
  'social-history',
  'survey',
  'exam',
  'imaging',
  'procedure',
  'therapy',
  'activity',
  'sdoh',
];

/** By type: conditions of a search, each for a request of its own. */
export const US_CORE_REQUIRED: Readonly<Record<string, readonly string[]>> = {
  CarePlan: ['category=assess-plan'],
  CareTeam: ['status=active'],
  Condition: ['category=problem-list-item', 'category=encounter-diagnosis', 'category=health-concern'],
  DiagnosticReport: ['category=LAB', 'category=LP29684-5', 'category=LP29708-2', 'category=LP7839-6'],
  DocumentReference: ['category=clinical-note'],
  MedicationRequest: ['intent=order', 'intent=plan'],
  Observation: OBSERVATIONS.map((category) => `category=${category}`),
  ServiceRequest: ['category=387713003', 'category=386053000', 'category=410606002', 'category=sdoh'],
};

// One valid resource of each type that case management lives on, with the details that validation has to get right.
import type { Resource } from '@medplum/fhirtypes';

const LOINC = 'http://loinc.org';
const SNOMED = 'http://snomed.info/sct';
const HL7 = 'http://terminology.hl7.org/CodeSystem';
const patient = { reference: 'Patient/p1' };
const nurse = { reference: 'Practitioner/n1', display: 'Nurse One' };

export const EXAMPLES = {
  Patient: {
    resourceType: 'Patient',
    id: 'p1',
    meta: { versionId: '1', lastUpdated: '2026-11-24T09:00:00.123Z' },
    text: { status: 'generated', div: '<div xmlns="http://www.w3.org/1999/xhtml"><p>Example <b>Patient</b></p></div>' },
    contained: [{ resourceType: 'Organization', id: 'gp', name: 'Practice' }],
    identifier: [{ system: 'urn:oid:1.2.36.146.595.217.0.1', value: '12345', period: { start: '2001-05' } }],
    active: true,
    name: [{ use: 'official', family: 'Example', given: ['Pat', 'Q'] }, { text: 'Patty' }],
    telecom: [{ system: 'phone', value: '+1 555 0100', use: 'home', rank: 1 }],
    gender: 'female',
    birthDate: '1950-02-28',
    _birthDate: {
      extension: [
        { url: 'http://hl7.org/fhir/StructureDefinition/patient-birthTime', valueDateTime: '1950-02-28T10:00:00Z' },
      ],
    },
    deceasedBoolean: false,
    multipleBirthInteger: 2,
    address: [{ line: ['1 Main St'], city: 'Springfield', postalCode: '12345', country: 'US' }],
    communication: [{ language: { coding: [{ system: 'urn:ietf:bcp:47', code: 'en' }] }, preferred: true }],
    generalPractitioner: [{ reference: '#gp' }],
    managingOrganization: { reference: 'Organization/o1' },
  },
  Encounter: {
    resourceType: 'Encounter',
    id: 'e1',
    status: 'finished',
    class: { system: `${HL7}/v3-ActCode`, code: 'IMP' },
    subject: patient,
    period: { start: '2026-11-20T08:00:00-05:00', end: '2026-11-24T15:30:00-05:00' },
    diagnosis: [{ condition: { reference: 'Condition/c1' }, rank: 1 }],
    hospitalization: { dischargeDisposition: { coding: [{ system: `${HL7}/discharge-disposition`, code: 'home' }] } },
  },
  Condition: {
    resourceType: 'Condition',
    id: 'c1',
    clinicalStatus: { coding: [{ system: `${HL7}/condition-clinical`, code: 'active' }] },
    verificationStatus: { coding: [{ system: `${HL7}/condition-ver-status`, code: 'confirmed' }] },
    category: [{ coding: [{ system: `${HL7}/condition-category`, code: 'encounter-diagnosis' }] }],
    code: { coding: [{ system: SNOMED, code: '42343007', display: 'Congestive heart failure' }] },
    subject: patient,
    onsetDateTime: '2020',
  },
  CarePlan: {
    resourceType: 'CarePlan',
    id: 'cp1',
    status: 'active',
    intent: 'plan',
    title: 'Transition home',
    subject: patient,
    period: { start: '2026-11-24', end: '2026-12-24' },
    careTeam: [{ reference: 'CareTeam/ct1' }],
    goal: [{ reference: 'Goal/g1' }],
    activity: [
      { reference: { reference: 'Task/t1' }, progress: [{ time: '2026-11-25T10:00:00Z', text: 'Called' }] },
      { detail: { kind: 'Task', status: 'scheduled', description: 'Call', scheduledPeriod: { start: '2026-11-26' } } },
    ],
  },
  Goal: {
    resourceType: 'Goal',
    id: 'g1',
    lifecycleStatus: 'active',
    description: { text: 'Weight below 80 kg' },
    subject: patient,
    target: [
      {
        measure: { coding: [{ system: LOINC, code: '29463-7' }] },
        detailQuantity: { value: 80, comparator: '<', unit: 'kg', system: 'http://unitsofmeasure.org', code: 'kg' },
        dueDate: '2026-12-24',
      },
    ],
  },
  CareTeam: {
    resourceType: 'CareTeam',
    id: 'ct1',
    status: 'active',
    subject: patient,
    participant: [{ role: [{ text: 'Case manager' }], member: nurse, onBehalfOf: { reference: 'Organization/o1' } }],
  },
  Task: {
    resourceType: 'Task',
    id: 't1',
    identifier: [{ system: 'urn:baton:follow-up', value: 'ep1|call|1' }],
    status: 'requested',
    intent: 'order',
    priority: 'urgent',
    code: { text: 'Follow-up call' },
    for: patient,
    authoredOn: '2026-11-24T15:30:00Z',
    lastModified: '2026-11-24T15:30:00Z',
    owner: nurse,
    restriction: { period: { end: '2026-11-26T17:00:00-05:00' } },
    input: [{ type: { text: 'attempts' }, valuePositiveInt: 3 }],
  },
  ServiceRequest: {
    resourceType: 'ServiceRequest',
    id: 's1',
    status: 'active',
    intent: 'order',
    code: { text: 'Home health' },
    subject: patient,
    occurrenceTiming: { repeat: { frequency: 2, period: 1, periodUnit: 'wk' } },
  },
  RiskAssessment: {
    resourceType: 'RiskAssessment',
    id: 'r1',
    status: 'final',
    subject: patient,
    method: { text: 'LACE' },
    prediction: [
      { outcome: { text: 'Readmission' }, probabilityDecimal: 22.5, whenRange: { high: { value: 30, unit: 'd' } } },
    ],
  },
  EpisodeOfCare: {
    resourceType: 'EpisodeOfCare',
    id: 'ep1',
    status: 'active',
    statusHistory: [{ status: 'planned', period: { start: '2026-11-20', end: '2026-11-24' } }],
    patient,
    careManager: nurse,
  },
  RelatedPerson: {
    resourceType: 'RelatedPerson',
    id: 'rp1',
    patient,
    relationship: [{ coding: [{ system: `${HL7}/v3-RoleCode`, code: 'DAU' }] }],
    telecom: [{ system: 'phone', value: '555-0101' }],
  },
  Communication: {
    resourceType: 'Communication',
    id: 'co1',
    status: 'completed',
    subject: patient,
    recipient: [patient],
    sender: nurse,
    sent: '2026-11-25T10:00:00Z',
    payload: [{ contentString: 'Left a message' }],
  },
  Observation: {
    resourceType: 'Observation',
    id: 'o1',
    status: 'final',
    code: { coding: [{ system: LOINC, code: '85354-9' }] },
    subject: patient,
    effectiveInstant: '2026-11-24T09:00:00.000+01:00',
    component: [
      { code: { coding: [{ system: LOINC, code: '8480-6' }] }, valueQuantity: { value: 120, unit: 'mmHg' } },
      { code: { coding: [{ system: LOINC, code: '8462-4' }] }, dataAbsentReason: { text: 'not done' } },
    ],
  },
  Bundle: {
    resourceType: 'Bundle',
    type: 'transaction',
    entry: [
      {
        fullUrl: 'urn:uuid:05efabf0-4be2-4561-91ce-51548425acb9',
        resource: { resourceType: 'Patient', name: [{ text: 'New' }] },
        request: { method: 'POST', url: 'Patient' },
      },
      { request: { method: 'DELETE', url: 'Task/old' } },
    ],
  },
} as const satisfies Record<string, unknown>;

export type ExampleType = keyof typeof EXAMPLES;

/** A deep copy that a test may spoil. */
export function example(type: ExampleType): Record<string, unknown> & Resource {
  return structuredClone(EXAMPLES[type]) as unknown as Record<string, unknown> & Resource;
}

// A patient's record with everything that the US Core search matrix asks for. Two patients' records differ in ids only
// where a search is by patient; names, birth date and codes of the patient differ too.
import type { Resource } from '@medplum/fhirtypes';

const US_CORE = 'http://hl7.org/fhir/us/core';
const SCT = 'http://snomed.info/sct';
const HL7 = 'http://terminology.hl7.org/CodeSystem';

const concept = (system: string, code: string) => ({ coding: [{ system, code }] });

/** @param who `ann` or `bea` */
export function recordOf(who: 'ann' | 'bea'): Resource[] {
  const subject = { reference: `Patient/${who}` };
  const resources: object[] = [
    { resourceType: 'Practitioner', id: 'nurse', name: [{ family: 'Nurse' }] },
    { resourceType: 'Location', id: 'ward', name: 'Ward' },
    patient(who),
    {
      resourceType: 'CarePlan',
      id: `${who}-plan`,
      status: 'active',
      intent: 'plan',
      category: [concept(`${US_CORE}/CodeSystem/careplan-category`, 'assess-plan')],
      subject,
      period: { start: '2026-03-02', end: '2026-03-20' },
    },
    {
      resourceType: 'CareTeam',
      id: `${who}-team`,
      status: 'active',
      subject,
      participant: [{ role: [concept(SCT, '224535009')], member: { reference: 'Practitioner/nurse' } }],
    },
    {
      resourceType: 'Goal',
      id: `${who}-goal`,
      lifecycleStatus: 'active',
      description: concept(SCT, '281004'),
      subject,
      target: [{ measure: concept('http://loinc.org', '72514-3'), dueDate: '2026-06-30' }],
    },
    {
      resourceType: 'Encounter',
      id: `${who}-enc`,
      identifier: [{ system: 'http://hospital.example/visits', value: `V-${who}` }],
      status: 'finished',
      class: { system: `${HL7}/v3-ActCode`, code: 'IMP' },
      type: [concept(SCT, '183807002')],
      subject,
      period: { start: '2026-03-01T08:00:00Z', end: '2026-03-01T18:00:00Z' },
      location: [{ location: { reference: 'Location/ward' } }],
      hospitalization: { dischargeDisposition: concept(`${HL7}/discharge-disposition`, 'home') },
    },
    {
      resourceType: 'ServiceRequest',
      id: `${who}-request`,
      status: 'active',
      intent: 'order',
      category: [concept(SCT, '409073007')],
      code: concept('http://loinc.org', '24627-2'),
      subject,
      authoredOn: '2026-03-02',
    },
    {
      resourceType: 'Condition',
      id: `${who}-condition`,
      extension: [
        { url: 'http://hl7.org/fhir/StructureDefinition/condition-assertedDate', valueDateTime: '2026-02-03' },
      ],
      clinicalStatus: concept(`${HL7}/condition-clinical`, 'remission'),
      verificationStatus: concept(`${HL7}/condition-ver-status`, 'confirmed'),
      category: [concept(`${HL7}/condition-category`, 'encounter-diagnosis')],
      code: concept(SCT, '84114007'),
      subject,
      encounter: { reference: `Encounter/${who}-enc` },
      onsetDateTime: '2026-02-01',
      abatementDateTime: '2026-03-05',
      recordedDate: '2026-02-02',
    },
    {
      resourceType: 'QuestionnaireResponse',
      id: `${who}-answers`,
      questionnaire: 'http://forms.example/phq-9',
      status: 'completed',
      subject,
      authored: '2026-03-03',
    },
  ];
  return resources as Resource[];
}

function patient(who: 'ann' | 'bea'): object {
  const isAnn = who === 'ann';
  const coded = (url: string, code: string) => ({
    url: `${US_CORE}/StructureDefinition/${url}`,
    extension: [
      { url: 'ombCategory', valueCoding: { system: 'urn:oid:2.16.840.1.113883.6.238', code } },
      { url: 'text', valueString: code },
    ],
  });
  return {
    resourceType: 'Patient',
    id: who,
    extension: [
      coded('us-core-race', isAnn ? '2106-3' : '2028-9'),
      coded('us-core-ethnicity', isAnn ? '2186-5' : '2135-2'),
    ],
    identifier: [{ system: 'http://hospital.example/mrn', value: who }],
    name: [isAnn ? { family: 'Anders', given: ['Annabel'] } : { family: 'Berg', given: ['Beatrice'] }],
    gender: isAnn ? 'female' : 'other',
    birthDate: isAnn ? '1950-02-03' : '1962-07-01',
  };
}

// A patient whose transition went well, and one who went to a skilled nursing facility; a year ago, so that all is over.
import type { EvidenceSources } from '../../../src/care/evidence/evidence-sources.ts';
import { destinationOf, usFederal } from '../../care/artifacts.ts';
import { sampleEncounter } from '../../care/sample.ts';

export const TRANSITION = 'home';

export function createSampleSources(): EvidenceSources {
  const place = { zone: 'America/New_York', calendar: usFederal };
  return { placeOf: async () => place, destinationOf };
}

const BATON = 'https://baton.health/fhir';
const stay = (id: string, patient: string, disposition: string) => ({
  ...sampleEncounter(),
  id,
  type: undefined,
  diagnosis: undefined,
  subject: { reference: `Patient/${patient}` },
  serviceProvider: { reference: 'Organization/river' },
  period: { start: '2025-11-15T08:00:00-05:00', end: '2025-11-20T14:00:00-05:00' },
  hospitalization: {
    dischargeDisposition: {
      coding: [{ system: 'https://www.nubc.org/CodeSystem/PatDischargeStatus', code: disposition }],
    },
  },
});
const transition = (id: string, encounter: string, patient: string, start: string) => ({
  resourceType: 'EpisodeOfCare',
  id,
  status: 'finished',
  extension: [
    {
      url: `${BATON}/StructureDefinition/transition-encounter`,
      valueReference: { reference: `Encounter/${encounter}` },
    },
  ],
  type: [{ coding: [{ system: `${BATON}/CodeSystem/episode-type`, code: 'transition-of-care' }] }],
  patient: { reference: `Patient/${patient}` },
  managingOrganization: { reference: 'Organization/river' },
  period: { start, end: '2025-12-20T09:00:00-05:00' },
});
const kase = (id: string, patient: string) => ({
  resourceType: 'EpisodeOfCare',
  id,
  status: 'active',
  type: [{ coding: [{ system: `${BATON}/CodeSystem/episode-type`, code: 'case-management' }] }],
  patient: { reference: `Patient/${patient}` },
});

export const THE_STAY = [
  { resourceType: 'Organization', id: 'river', name: 'Riverside' },
  { resourceType: 'Patient', id: 'ann', name: [{ family: 'Sample' }], birthDate: '1950-03-01' },
  { resourceType: 'Patient', id: 'bob', name: [{ family: 'Other' }], birthDate: '1950-03-01' },
  {
    resourceType: 'Practitioner',
    id: 'doctor',
    active: true,
    qualification: [{ code: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0360', code: 'MD' }] } }],
  },
  {
    resourceType: 'Condition',
    id: 'depression',
    subject: { reference: 'Patient/bob' },
    code: { coding: [{ system: 'http://hl7.org/fhir/sid/icd-10-cm', code: 'F33.2' }] },
  },
  stay('stay', 'ann', '01'),
  { ...stay('stay-bob', 'bob', '03'), diagnosis: [{ condition: { reference: 'Condition/depression' } }] },
  transition(TRANSITION, 'stay', 'ann', '2025-11-20T14:00:00-05:00'),
  transition('to-snf', 'stay-bob', 'bob', '2025-11-19T14:00:00-05:00'),
  kase('case', 'ann'),
  kase('other', 'bob'),
  {
    resourceType: 'Communication',
    id: 'call',
    status: 'completed',
    category: [{ coding: [{ system: `${BATON}/CodeSystem/contact-party`, code: 'patient' }] }],
    medium: [{ coding: [{ system: `${BATON}/CodeSystem/contact-channel`, code: 'phone' }] }],
    subject: { reference: 'Patient/ann' },
    recipient: [{ reference: 'Patient/ann' }],
    sender: { reference: 'Practitioner/doctor' },
    sent: '2025-11-21T10:00:00-05:00',
  },
  {
    resourceType: 'Procedure',
    id: 'reconciled',
    status: 'completed',
    code: { coding: [{ system: 'http://snomed.info/sct', code: '430193006' }] },
    subject: { reference: 'Patient/ann' },
    performedDateTime: '2025-11-24T10:00:00-05:00',
    performer: [{ actor: { reference: 'Practitioner/doctor' } }],
  },
  {
    resourceType: 'Encounter',
    id: 'visit',
    status: 'finished',
    class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'AMB' },
    subject: { reference: 'Patient/ann' },
    participant: [{ individual: { reference: 'Practitioner/doctor' } }],
    period: { start: '2025-11-25T09:00:00-05:00', end: '2025-11-25T09:30:00-05:00' },
  },
];

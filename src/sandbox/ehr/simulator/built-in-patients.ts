// Fictional records for a simulated server: the sandbox hospital's patients first, then as many others as are wanted.
import type { Resource } from '@medplum/fhirtypes';
import { FACILITY_SYSTEM } from '../../../intake/map/systems.ts';
import { SANDBOX_FACILITY } from '../../sandbox-config.ts';

const PEOPLE = [
  { mrn: 'MRN48210', family: 'Okafor', given: 'Eleanor', gender: 'female', birthDate: '1948-03-11' },
  { mrn: 'MRN50377', family: 'Lindqvist', given: 'Thomas', gender: 'male', birthDate: '1968-05-19' },
  { mrn: 'MRN51904', family: 'Delgado', given: 'Ruth', gender: 'female', birthDate: '1955-09-27' },
] as const;

const US_CORE_CATEGORY = 'http://hl7.org/fhir/us/core/CodeSystem/careplan-category';
const SNOMED = 'http://snomed.info/sct';
const LOINC = 'http://loinc.org';
const MRN = `https://baton.health/fhir/sid/${SANDBOX_FACILITY.code}`;

/** What the patients share: who treats them, and where. */
export function builtInHospital(): Resource[] {
  const { name, code } = SANDBOX_FACILITY;
  return [
    {
      resourceType: 'Organization',
      id: 'org-1',
      identifier: [{ system: FACILITY_SYSTEM, value: code }],
      name,
      active: true,
    },
    { resourceType: 'Location', id: 'loc-1', name: 'Medical unit 4', status: 'active' },
    {
      resourceType: 'Practitioner',
      id: 'prac-1',
      identifier: [{ system: 'http://hl7.org/fhir/sid/us-npi', value: '1234567893' }],
      name: [{ family: 'Rivera', given: ['Elena'] }],
    },
  ];
}

/**
 * One patient's record, ten resources of ten types.
 * @param index from 0; the same index is the same person
 */
export function builtInRecord(index: number): Resource[] {
  const person = PEOPLE[index] ?? {
    mrn: `MRN${70000 + index}`,
    family: `Sample${index}`,
    given: 'Alex',
    gender: index % 2 === 0 ? ('female' as const) : ('male' as const),
    birthDate: `${1930 + (index % 60)}-05-14`,
  };
  const n = index + 1;
  const subject = { reference: `Patient/pat-${n}` };
  const encounter = { reference: `Encounter/enc-${n}` };
  const start = '2026-11-20T09:15:00-05:00';
  const failure = { coding: [{ system: SNOMED, code: '42343007', display: 'Congestive heart failure' }] };
  return [
    {
      resourceType: 'Patient',
      id: `pat-${n}`,
      identifier: [{ system: MRN, value: person.mrn, type: { text: 'MRN' } }],
      name: [{ use: 'official', family: person.family, given: [person.given] }],
      gender: person.gender,
      birthDate: person.birthDate,
      active: true,
    },
    {
      resourceType: 'Encounter',
      id: `enc-${n}`,
      identifier: [{ system: `${MRN}/visit`, value: `V${90000 + index}` }],
      status: 'in-progress',
      class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'IMP' },
      subject,
      period: { start },
    },
    {
      resourceType: 'Condition',
      id: `cond-${n}`,
      clinicalStatus: coded('http://terminology.hl7.org/CodeSystem/condition-clinical', 'active'),
      category: [coded('http://terminology.hl7.org/CodeSystem/condition-category', 'problem-list-item')],
      code: failure,
      subject,
      recordedDate: '2026-11-20',
    },
    {
      resourceType: 'CareTeam',
      id: `team-${n}`,
      status: 'active',
      subject,
      encounter,
      participant: [{ member: { reference: 'Practitioner/prac-1' }, role: [{ text: 'Case manager' }] }],
    },
    {
      resourceType: 'Goal',
      id: `goal-${n}`,
      lifecycleStatus: 'active',
      description: { text: 'Weight stays within two kilograms of the discharge weight' },
      subject,
      startDate: '2026-11-20',
      target: [{ dueDate: '2026-12-20' }],
    },
    {
      resourceType: 'CarePlan',
      id: `plan-${n}`,
      status: 'active',
      intent: 'plan',
      category: [coded(US_CORE_CATEGORY, 'assess-plan'), coded(SNOMED, '38717003')],
      title: 'Plan after discharge',
      subject,
      encounter,
      period: { start },
      goal: [{ reference: `Goal/goal-${n}` }],
      activity: [{ detail: { status: 'scheduled', description: 'Telephone call within two business days' } }],
    },
    {
      resourceType: 'ServiceRequest',
      id: `req-${n}`,
      status: 'active',
      intent: 'order',
      code: { text: 'Home health nursing' },
      subject,
      encounter,
      authoredOn: start,
    },
    {
      resourceType: 'Observation',
      id: `obs-${n}`,
      status: 'final',
      category: [coded('http://terminology.hl7.org/CodeSystem/observation-category', 'vital-signs')],
      code: coded(LOINC, '29463-7'),
      subject,
      effectiveDateTime: start,
      valueQuantity: { value: 74.5 + (index % 20), unit: 'kg', system: 'http://unitsofmeasure.org', code: 'kg' },
    },
    {
      resourceType: 'Task',
      id: `task-${n}`,
      status: 'requested',
      intent: 'order',
      code: { text: 'Confirm that the primary care office has the discharge summary' },
      for: subject,
      encounter,
      authoredOn: start,
      lastModified: start,
    },
    {
      resourceType: 'Coverage',
      id: `cov-${n}`,
      status: 'active',
      beneficiary: subject,
      payor: [{ display: 'Fictional Health Plan' }],
    },
  ];
}

const coded = (system: string, code: string) => ({ coding: [{ system, code }] });

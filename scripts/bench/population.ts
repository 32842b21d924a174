// A small case-management population for the benchmark: nine resources to a patient, always the same ones.
import { createHash } from 'node:crypto';

export interface Resource {
  readonly resourceType: string;
  readonly id: string;
  readonly owner?: { readonly reference: string };
  readonly [element: string]: unknown;
}

const CASELOAD = 50;

/** @returns groups of resources; each refers only to itself and to groups before it */
export function population(patients: number): Resource[][] {
  const managers = Array.from({ length: Math.ceil(patients / CASELOAD) }, (_, n) => ({
    resourceType: 'Practitioner',
    id: uuid(`manager ${n}`),
    name: [{ family: `Manager${n}`, given: ['Case'] }],
  }));
  return [
    managers,
    ...Array.from({ length: patients }, (_, n) => resourcesOf(n, managers[Math.floor(n / CASELOAD)]?.id ?? '')),
  ];
}

function resourcesOf(n: number, manager: string): Resource[] {
  const id = (what: string) => uuid(`${what} ${n}`);
  const patient = { reference: `Patient/${id('patient')}` };
  const day = (offset: number) =>
    Temporal.PlainDate.from('2026-01-01')
      .add({ days: ((n * 7) % 290) + offset })
      .toString();
  const concept = (system: string, code: string) => ({ coding: [{ system, code }] });
  const text = { status: 'generated', div: `<div xmlns="http://www.w3.org/1999/xhtml">Plan ${n}</div>` };
  const owner = { reference: `Practitioner/${manager}` };
  return [
    {
      resourceType: 'Patient',
      id: id('patient'),
      identifier: [{ system: 'urn:bench:mrn', value: `M${n}` }],
      name: [{ family: `Family${n % 97}`, given: [`Given${n % 31}`] }],
      gender: n % 2 ? 'male' : 'female',
      birthDate: `${1930 + (n % 60)}-0${1 + (n % 9)}-1${n % 9}`,
    },
    {
      resourceType: 'Encounter',
      id: id('encounter'),
      status: 'finished',
      class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'IMP' },
      subject: patient,
      period: { start: day(0), end: day(4) },
    },
    {
      resourceType: 'Condition',
      id: id('condition'),
      clinicalStatus: concept('http://terminology.hl7.org/CodeSystem/condition-clinical', 'active'),
      code: concept('http://hl7.org/fhir/sid/icd-10-cm', 'I50.23'),
      subject: patient,
    },
    {
      resourceType: 'Goal',
      id: id('goal'),
      lifecycleStatus: 'active',
      description: { text: 'No readmission within thirty days' },
      subject: patient,
      target: [{ dueDate: day(34) }],
    },
    {
      resourceType: 'CareTeam',
      id: id('team'),
      status: 'active',
      subject: patient,
      participant: [{ member: owner }, { member: patient }],
    },
    {
      resourceType: 'CarePlan',
      id: id('plan'),
      text,
      status: 'active',
      intent: 'plan',
      category: [concept('http://hl7.org/fhir/us/core/CodeSystem/careplan-category', 'assess-plan')],
      subject: patient,
      period: { start: day(4), end: day(34) },
      careTeam: [{ reference: `CareTeam/${id('team')}` }],
      addresses: [{ reference: `Condition/${id('condition')}` }],
      goal: [{ reference: `Goal/${id('goal')}` }],
      activity: [
        { reference: { reference: `Task/${id('call')}` } },
        { reference: { reference: `Task/${id('visit')}` } },
      ],
    },
    ...(['call', 'visit', 'review'] as const).map((step, at) => ({
      resourceType: 'Task',
      id: id(step),
      identifier: [{ system: 'urn:bench:follow-up', value: `${n}|${step}|1` }],
      basedOn: [{ reference: `CarePlan/${id('plan')}` }],
      status: at === 2 && n % 3 === 0 ? 'completed' : 'requested',
      intent: 'order',
      priority: n % 5 ? 'routine' : 'urgent',
      code: { text: step },
      for: patient,
      encounter: { reference: `Encounter/${id('encounter')}` },
      authoredOn: day(4),
      owner,
      restriction: { period: { start: day(5 + at), end: day(6 + at * 7) } },
    })),
  ];
}

/** The same id for the same words, so that runs can be compared. */
function uuid(words: string): string {
  const hex = createHash('sha256').update(words).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

// One patient's whole record: twenty resources that refer to each other and to the patient's case manager.
import { measurementsOf } from './measurements.ts';
import { concept, dateOf, ICD10, type Resource, referenceTo, timeOf } from './resource.ts';
import { chance, pick, uuidOf } from './seeded.ts';
import { type CareOf, workOf } from './work.ts';

/** Resources of one patient. */
export const RECORD_SIZE = 20;

const PROBLEMS = [
  ['I50.23', 'Acute on chronic systolic heart failure'],
  ['E11.9', 'Type 2 diabetes mellitus without complications'],
  ['J44.1', 'Chronic obstructive pulmonary disease with exacerbation'],
  ['N18.4', 'Chronic kidney disease, stage 4'],
  ['F32.1', 'Major depressive disorder, single episode, moderate'],
  ['I10', 'Essential hypertension'],
] as const;
const GIVEN = ['Ana', 'Ben', 'Carla', 'Dmitri', 'Elif', 'Farid', 'Grace', 'Hugo', 'Ines', 'Jonas', 'Keiko', 'Luis'];
const ACT_CODE = 'http://terminology.hl7.org/CodeSystem/v3-ActCode';
const PLAN_CATEGORY = 'http://hl7.org/fhir/us/core/CodeSystem/careplan-category';

export const patientId = (n: number) => uuidOf(`patient ${n}`);
export const medicalRecordNumber = (n: number) => `M${n}`;

/** Ten patients share a family name, however many there are: a search by name finds as many at every size. */
export const familyName = (n: number) => `Family${Math.floor(n / 10)}son`;

export function recordOf(n: number, managerId: string): Resource[] {
  const subject = { reference: `Patient/${patientId(n)}` };
  const owner = { reference: `Practitioner/${managerId}` };
  const day = chance(n, 1, 700);
  const visits = ['AMB', 'VR'].map((kind, at) => encounterOf(n, kind, day + at * 9));
  const problems = [0, 1].map((at) => problemOf(n, at, day));
  const encounter = { reference: `Encounter/${visits[0]?.id}` };
  const plan = { reference: `CarePlan/${planId(n)}` };
  const care: CareOf = { n, subject, encounter, owner, plan, day };
  const goal = goalOf(n, day);
  const team = teamOf(n, managerId);
  const carePlan = planOf(care, [goal, team, ...problems]);
  return [
    patientOf(n, managerId),
    ...visits,
    ...problems,
    goal,
    team,
    carePlan,
    ...measurementsOf(n, subject, encounter, day),
    ...workOf(care),
    {
      resourceType: 'Provenance',
      id: uuidOf(`provenance ${n}`),
      target: [plan],
      recorded: timeOf(day, 16),
      activity: concept('http://terminology.hl7.org/CodeSystem/v3-DataOperation', 'CREATE', 'create'),
      agent: [{ who: owner }],
    },
  ];
}

export function patientOf(n: number, managerId: string): Resource {
  return {
    resourceType: 'Patient',
    id: patientId(n),
    identifier: [{ system: 'urn:bench:mrn', value: medicalRecordNumber(n) }],
    active: true,
    name: [{ use: 'official', family: familyName(n), given: [pick(GIVEN, n, 2), pick(GIVEN, n, 3)] }],
    telecom: [{ system: 'phone', value: `+1 555 ${String(n % 10_000_000).padStart(7, '0')}`, use: 'home' }],
    gender: n % 2 ? 'male' : 'female',
    birthDate: `${1930 + chance(n, 4, 70)}-${String(1 + chance(n, 5, 12)).padStart(2, '0')}-${10 + chance(n, 6, 18)}`,
    address: [
      { line: [`${n % 900} Main Street`], city: `City${n % 83}`, state: 'NM', postalCode: `${87_000 + (n % 600)}` },
    ],
    generalPractitioner: [{ reference: `Practitioner/${managerId}` }],
  };
}

export const planId = (n: number) => uuidOf(`plan ${n}`);

function encounterOf(n: number, kind: string, day: number): Resource {
  return {
    resourceType: 'Encounter',
    id: uuidOf(`encounter ${kind} ${n}`),
    status: 'finished',
    class: { system: ACT_CODE, code: kind },
    type: [{ text: kind === 'AMB' ? 'Clinic visit' : 'Telephone contact' }],
    subject: { reference: `Patient/${patientId(n)}` },
    period: { start: timeOf(day, 9, chance(n, 7, 60)), end: timeOf(day, 10) },
  };
}

function problemOf(n: number, at: number, day: number): Resource {
  const [code, display] = pick(PROBLEMS, n, 8 + at);
  return {
    resourceType: 'Condition',
    id: uuidOf(`condition ${at} ${n}`),
    clinicalStatus: concept('http://terminology.hl7.org/CodeSystem/condition-clinical', 'active'),
    verificationStatus: concept('http://terminology.hl7.org/CodeSystem/condition-ver-status', 'confirmed'),
    category: [concept('http://terminology.hl7.org/CodeSystem/condition-category', 'problem-list-item')],
    code: { ...concept(ICD10, code, display), text: display },
    subject: { reference: `Patient/${patientId(n)}` },
    onsetDateTime: dateOf(day),
  };
}

function goalOf(n: number, day: number): Resource {
  return {
    resourceType: 'Goal',
    id: uuidOf(`goal ${n}`),
    lifecycleStatus: 'active',
    achievementStatus: concept('http://terminology.hl7.org/CodeSystem/goal-achievement', 'in-progress'),
    description: { text: 'No readmission within thirty days' },
    subject: { reference: `Patient/${patientId(n)}` },
    startDate: dateOf(day),
    target: [{ dueDate: dateOf(day + 30) }],
  };
}

function teamOf(n: number, managerId: string): Resource {
  return {
    resourceType: 'CareTeam',
    id: uuidOf(`team ${n}`),
    status: 'active',
    name: `Care team of ${medicalRecordNumber(n)}`,
    subject: { reference: `Patient/${patientId(n)}` },
    participant: [
      { role: [{ text: 'case manager' }], member: { reference: `Practitioner/${managerId}` } },
      { role: [{ text: 'patient' }], member: { reference: `Patient/${patientId(n)}` } },
    ],
  };
}

function planOf(
  { n, subject, encounter, owner, day }: CareOf,
  [goal, team, ...problems]: readonly Resource[],
): Resource {
  const div = `<div xmlns="http://www.w3.org/1999/xhtml">Plan of care for ${medicalRecordNumber(n)}</div>`;
  return {
    resourceType: 'CarePlan',
    id: planId(n),
    text: { status: 'generated', div },
    status: 'active',
    intent: 'plan',
    category: [concept(PLAN_CATEGORY, 'assess-plan')],
    title: 'Home after a hospital stay',
    subject,
    encounter,
    period: { start: dateOf(day), end: dateOf(day + 30) },
    author: owner,
    careTeam: team && [referenceTo(team)],
    addresses: problems.map(referenceTo),
    goal: goal && [referenceTo(goal)],
    activity: [0, 1].map((step) => ({ reference: { reference: `Task/${uuidOf(`task ${step} ${n}`)}` } })),
  };
}

// M: case management through /api/v1: opening a case on a pathway of forty activities, the worklist of a manager with 150
// cases beside those of the population, and the timeline of a case with two thousand entries.
import { randomUUID } from 'node:crypto';
import { expectStatus } from '../driver/checks.ts';
import type { Request } from '../driver/connection.ts';
import type { Ask, Session, World } from '../driver/session.ts';
import { patientId } from '../population/record.ts';
import { concept, dateOf, LOINC, type Resource, timeOf } from '../population/resource.ts';
import { chance, uuidOf } from '../population/seeded.ts';
import { post } from './requests.ts';
import type { Workload } from './workload.ts';

const ACTIVITIES = 40;
const CASES = 150;
const TASKS_OF_CASE = 8;
const ENTRIES = 2_000;
const PATHWAY = 'https://bench.example/PlanDefinition/forty';
const MANAGER = { reference: `Practitioner/${uuidOf(`manager of ${CASES} cases`)}` };
/** Opens cases, more with every run: a kept database would else have another worklist each time. */
const OPENER = { reference: `Practitioner/${uuidOf('manager of opened cases')}` };

const api = (path: string): Request => ({ method: 'GET', path: `/api/v1/${path}` });
const command = (path: string, body: object): Request => ({
  method: 'POST',
  path: `/api/v1/${path}`,
  body: JSON.stringify(body),
  headers: `content-type: application/json\r\nidempotency-key: ${randomUUID()}\r\n`,
});

/** Puts resources, in transactions. */
async function store(ask: Ask, resources: readonly Resource[]): Promise<void> {
  for (let at = 0; at < resources.length; at += 500) {
    const entry = resources.slice(at, at + 500).map((resource) => ({
      resource,
      request: { method: 'PUT', url: `${resource.resourceType}/${resource.id}` },
    }));
    expectStatus(await ask(post('', JSON.stringify({ resourceType: 'Bundle', type: 'transaction', entry }))), 200);
  }
}

function practitioner({ reference }: { readonly reference: string }): Resource {
  return { resourceType: 'Practitioner', id: reference.slice(13), active: true, name: [{ family: 'Cases' }] };
}

async function prepareOpening(ask: Ask): Promise<readonly string[]> {
  const action = Array.from({ length: ACTIVITIES }, (_, at) => ({ id: `step-${at}`, title: `Activity ${at}` }));
  const id = uuidOf('pathway of forty');
  await store(ask, [
    practitioner(OPENER),
    { resourceType: 'PlanDefinition', id, url: PATHWAY, status: 'active', name: 'Forty', title: 'Forty', action },
  ]);
  return ['ready'];
}

/** Each opening has a programme of its own, of which the patient has no open case. */
function* openCases({ population, run }: World, number: number): Session {
  for (let round = 0; ; round++) {
    const patient = { reference: `Patient/${patientId(chance(round, number + run, population.patients))}` };
    const programme = { text: `Programme ${run} ${number} ${round}` };
    const body = { patient, programme, careManager: OPENER, pathway: { pathway: PATHWAY } };
    expectStatus(yield command('cases', body), 201);
  }
}

async function prepareWorklist(ask: Ask): Promise<readonly string[]> {
  await store(ask, [practitioner(MANAGER), ...Array.from({ length: CASES }, (_, n) => caseOf(String(n))).flat()]);
  return [MANAGER.reference];
}

/** A patient with a case, its plan and the tasks of it; always the same for the same key. */
export function caseOf(
  n: string,
  { manager: owner, tasks }: { readonly manager: { readonly reference: string }; readonly tasks: number } = {
    manager: MANAGER,
    tasks: TASKS_OF_CASE,
  },
): Resource[] {
  const id = uuidOf(`case ${n}`);
  const subject = { reference: `Patient/${uuidOf(`patient of case ${n}`)}` };
  const plan = { reference: `CarePlan/${uuidOf(`plan of case ${n}`)}` };
  const task = (at: number): Resource => ({
    resourceType: 'Task',
    id: uuidOf(`task ${at} of case ${n}`),
    status: 'requested',
    intent: 'order',
    priority: at % 4 === 0 ? 'urgent' : 'routine',
    description: `Call ${at}`,
    for: subject,
    basedOn: [plan],
    owner,
    authoredOn: dateOf(0),
    lastModified: dateOf(800),
    restriction: { period: { end: timeOf(860 + chance(Number(n.replace(/\D/g, '')), at, 90), 16) } },
  });
  return [
    { resourceType: 'Patient', id: subject.reference.slice(8), name: [{ family: `Case${n}`, given: ['Ana'] }] },
    {
      resourceType: 'EpisodeOfCare',
      id,
      status: 'active',
      type: [concept('https://baton.health/fhir/CodeSystem/episode-type', 'case-management')],
      patient: subject,
      careManager: owner,
      period: { start: dateOf(800) },
    },
    {
      resourceType: 'CarePlan',
      id: plan.reference.slice(9),
      identifier: [{ system: 'urn:baton:case-plan', value: id }],
      status: 'active',
      intent: 'plan',
      title: 'Case management plan',
      subject,
    },
    ...Array.from({ length: tasks }, (_, at) => task(at)),
  ];
}

function* readWorklist(_world: World, _number: number, [owner = '']: readonly string[]): Session {
  for (;;) {
    const answer = yield api(`worklist?owner=${owner}&limit=50`);
    expectStatus(answer, 200);
    const { items } = JSON.parse(answer.body.toString()) as { items: unknown[] };
    if (items.length !== 50) throw new Error(`${items.length} tasks on the worklist`);
  }
}

/** One case, with entries of four kinds, and a way to read all of it page by page. */
async function prepareTimeline(ask: Ask): Promise<readonly string[]> {
  const [patient, episode, plan, ...tasks] = caseOf(String(CASES)) as [Resource, Resource, Resource, ...Resource[]];
  const subject = { reference: `Patient/${patient.id}` };
  const entries = Array.from({ length: ENTRIES }, (_, n): Resource => {
    const [day, hour] = [chance(n, 1, 800), chance(n, 2, 24)];
    const id = uuidOf(`entry ${n}`);
    const kinds: readonly Resource[] = [
      {
        resourceType: 'Communication',
        id,
        status: 'completed',
        subject,
        sent: timeOf(day, hour),
        topic: { text: 'Call' },
      },
      {
        resourceType: 'Observation',
        id,
        status: 'final',
        code: concept(LOINC, '29463-7', 'Body weight'),
        subject,
        focus: [{ reference: `Task/${tasks[0]?.id}` }],
        effectiveDateTime: timeOf(day, hour),
        valueQuantity: { value: 80, unit: 'kg' },
      },
      { ...(tasks[0] as Resource), id, lastModified: timeOf(day, hour) },
      {
        resourceType: 'Procedure',
        id,
        status: 'completed',
        code: { text: 'Teach-back' },
        subject,
        performedDateTime: timeOf(day, hour),
      },
    ];
    return kinds[n % kinds.length] as Resource;
  });
  await store(ask, [practitioner(MANAGER), patient, episode, plan, ...tasks, ...entries]);
  return [episode.id];
}

function* readTimeline(_world: World, _number: number, [id = '']: readonly string[]): Session {
  for (;;) {
    const answer = yield api(`cases/${id}/timeline`);
    expectStatus(answer, 200);
    const { items } = JSON.parse(answer.body.toString()) as { items: unknown[] };
    if (items.length !== 50) throw new Error(`${items.length} entries on the timeline`);
  }
}

/** A goal in milliseconds is one in requests a second over a single connection. */
const within = (ms: number) => ({ sqlite: 1_000 / ms, postgres: 1_000 / ms });

export const CASE_WORKLOADS: readonly Workload[] = [
  {
    name: 'M worklist',
    what: `the first 50 tasks of a manager with ${CASES} cases`,
    connections: 1,
    script: { prepare: prepareWorklist, session: readWorklist },
    goal: within(10),
  },
  {
    name: 'M timeline',
    what: `the first 50 entries of a case with ${ENTRIES}`,
    connections: 1,
    script: { prepare: prepareTimeline, session: readTimeline },
    goal: within(50),
  },
  {
    name: 'M open',
    what: `opening a case on a pathway of ${ACTIVITIES} activities`,
    connections: 1,
    script: { prepare: prepareOpening, session: openCases },
    goal: within(20),
  },
];

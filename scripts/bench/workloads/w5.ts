// W5: what care managers' programs read all day.
import { type BundleSeen, checkBundle, expectBundle, expectStatus } from '../driver/checks.ts';
import type { Ask, Session, World } from '../driver/session.ts';
import { managerId } from '../population/population.ts';
import { patientId } from '../population/record.ts';
import { numbersBelow } from '../population/seeded.ts';
import { get } from './requests.ts';
import type { Workload } from './workload.ts';

const PAGES = 1_000;

function* readPlans({ population }: World, number: number): Session {
  for (const n of numbersBelow(population.patients, number)) {
    const query = `CarePlan?patient=${patientId(n)}&category=assess-plan&_include=CarePlan:goal&_include=CarePlan:care-team`;
    expectBundle(yield get(query), 'searchset', (bundle) => expectTypes(bundle, ['CarePlan', 'Goal', 'CareTeam']));
  }
  throw new Error('numbers never end');
}

function* readWorklists({ population }: World, number: number): Session {
  for (const m of numbersBelow(population.managers, number)) {
    const query = `Task?owner=${managerId(m)}&status=requested,in-progress&_sort=priority,due&_count=50&_include=Task:patient`;
    expectBundle(yield get(query), 'searchset', (bundle) => {
      expectTypes(bundle, ['Task', 'Patient']);
      const statuses = bundle.entry?.flatMap(({ resource }) =>
        resource?.resourceType === 'Task' ? [resource.status] : [],
      );
      const wrong = statuses?.find((status) => status !== 'requested' && status !== 'in-progress');
      if (wrong !== undefined) throw new Error(`a Task that is ${wrong} on the worklist`);
    });
  }
  throw new Error('numbers never end');
}

function* readEverything({ population }: World, number: number): Session {
  for (const n of numbersBelow(population.patients, number)) {
    expectBundle(yield get(`Patient/${patientId(n)}/$everything`), 'searchset', (bundle) =>
      expectTypes(bundle, ['Patient', 'CarePlan', 'Goal', 'Observation', 'Task', 'Encounter']),
    );
  }
  throw new Error('numbers never end');
}

async function offersEverything(ask: Ask): Promise<readonly string[]> {
  const { status } = await ask(get(`Patient/${patientId(0)}/$everything`));
  return status === 404 ? [] : ['offered'];
}

/** Walks to a page and asks for that one again and again; nothing when the population is too small to have it. */
function page(query: string, number: number) {
  return {
    async prepare(ask: Ask): Promise<readonly string[]> {
      let url = `/fhir/R4/${query}`;
      for (let at = 1; at < number; at++) {
        const bundle = checkBundle(await ask({ method: 'GET', path: url }), 'searchset', () => undefined);
        const next = bundle.link?.find(({ relation }) => relation === 'next')?.url;
        if (next === undefined) return [];
        const { pathname, search } = new URL(next);
        url = pathname + search;
      }
      expectStatus(await ask({ method: 'GET', path: url }), 200);
      return [url];
    },
    *session(_world: World, _number: number, [path = '']: readonly string[]): Session {
      for (;;) {
        expectBundle(yield { method: 'GET', path }, 'searchset', ({ entry = [] }) => {
          if (entry.length !== 10) throw new Error(`a page of ${entry.length} instead of 10`);
        });
      }
    },
  };
}

function expectTypes({ entry = [] }: BundleSeen, types: readonly string[]): void {
  const there = new Set(entry.map(({ resource }) => resource?.resourceType));
  const missing = types.filter((type) => !there.has(type));
  if (missing.length > 0) throw new Error(`no ${missing.join(', ')} in the Bundle`);
}

const WALKS = [
  ['', 'Observation?category=vital-signs&_count=10', 'Observations by category'],
  ['-updated', 'Observation?_sort=-_lastUpdated&_count=10', 'Observations, newest first'],
] as const;

export const W5: readonly Workload[] = [
  {
    name: 'W5 plan',
    what: 'CarePlan by patient and category, with goals and team',
    connections: 64,
    script: { session: readPlans },
    limit: { kind: 'read', type: 'CarePlan', count: 3 },
    share: 0.3,
  },
  {
    name: 'W5 worklist',
    what: 'worklist: open Tasks by priority and due time, with Patients, page of 50',
    connections: 64,
    script: { session: readWorklists },
    limit: { kind: 'read', type: 'Task', count: 85 },
    share: 0.3,
  },
  {
    name: 'W5 everything',
    what: 'Patient/$everything, 20 resources',
    connections: 64,
    script: { prepare: offersEverything, session: readEverything },
    limit: { kind: 'read', type: 'Observation', count: 20 },
    share: 0.3,
  },
  ...WALKS.flatMap(([suffix, query, what]) =>
    [1, PAGES].map(
      (number): Workload => ({
        name: `W5 page-${number}${suffix}`,
        what: `${what}: page ${number.toLocaleString('en-US')} of 10`,
        connections: 64,
        script: page(query, number),
        limit: { kind: 'read', type: 'Observation', count: 10 },
        share: 0.3,
      }),
    ),
  ),
];

// W3: one search of each kind, and all of them in turn.
import { type BundleSeen, expectBundle } from '../driver/checks.ts';
import type { Session, World } from '../driver/session.ts';
import { managerOf } from '../population/population.ts';
import { familyName, medicalRecordNumber, patientId } from '../population/record.ts';
import { dateOf } from '../population/resource.ts';
import { chance, numbersBelow } from '../population/seeded.ts';
import { get } from './requests.ts';
import type { Workload } from './workload.ts';

interface Search {
  readonly what: string;
  /** @param n of a patient at random */
  readonly query: (n: number, world: World) => string;
  readonly type: string;
  /** Matches that there are at least. */
  readonly least: number;
  /** Resources on the page, about; for the bare limit. */
  readonly page: number;
}

const HEART_RATE = 'http://loinc.org|8867-4';
const PER_MINUTE = 'http://unitsofmeasure.org|/min';

const SEARCHES: Readonly<Record<string, Search>> = {
  string: {
    what: 'string: Patients by family name',
    query: (n) => `Patient?family=${familyName(n)}`,
    type: 'Patient',
    least: 1,
    page: 10,
  },
  date: {
    what: 'date: Encounters of a week',
    query: (n) => {
      const day = chance(n, 90, 680);
      return `Encounter?date=ge${dateOf(day)}&date=lt${dateOf(day + 7)}&_count=50`;
    },
    type: 'Encounter',
    least: 0,
    page: 50,
  },
  identifier: {
    what: 'token: Patient by identifier',
    query: (n) => `Patient?identifier=urn:bench:mrn%7C${medicalRecordNumber(n)}`,
    type: 'Patient',
    least: 1,
    page: 1,
  },
  token: {
    what: 'token: Observations by code, page of 50',
    query: () => `Observation?code=${encodeURIComponent(HEART_RATE)}&_count=50`,
    type: 'Observation',
    least: 50,
    page: 50,
  },
  reference: {
    what: "reference: a patient's Observations",
    query: (n) => `Observation?patient=${patientId(n)}`,
    type: 'Observation',
    least: 5,
    page: 5,
  },
  quantity: {
    what: 'quantity: heart rates over a limit, page of 50',
    query: (n) =>
      `Observation?code=${encodeURIComponent(HEART_RATE)}&value-quantity=gt${60 + (n % 40)}%7C${encodeURIComponent(PER_MINUTE)}&_count=50`,
    type: 'Observation',
    least: 50,
    page: 50,
  },
  composite: {
    what: 'composite: code with value, page of 50',
    query: (n) => `Observation?code-value-quantity=${encodeURIComponent(`${HEART_RATE}$gt${60 + (n % 40)}`)}&_count=50`,
    type: 'Observation',
    least: 50,
    page: 50,
  },
  chained: {
    what: "chained: Tasks by the patient's family name",
    query: (n) => `Task?patient.family=${familyName(n)}`,
    type: 'Task',
    least: 4,
    page: 40,
  },
  has: {
    what: '_has: Patients by what was measured, and when',
    query: (n) => `Patient?_has:Observation:patient:date=${dateOf(chance(n, 91, 690))}&_count=50`,
    type: 'Patient',
    least: 0,
    page: 10,
  },
  include: {
    what: "_include: a manager's Tasks with their Patients, page of 50",
    query: (n, { population }) => `Task?owner=${managerOf(n, population)}&_include=Task:patient&_count=50`,
    type: 'Task',
    least: 50,
    page: 63,
  },
  total: {
    what: '_total=accurate: Observations by code, page of 50',
    query: () => `Observation?code=${encodeURIComponent(HEART_RATE)}&_count=50&_total=accurate`,
    type: 'Observation',
    least: 50,
    page: 50,
  },
};

const ALL = Object.values(SEARCHES);

function searching(searches: readonly Search[]) {
  return function* search(world: World, number: number): Session {
    let turn = number;
    for (const n of numbersBelow(world.population.patients, number)) {
      const { query, type, least } = searches[turn++ % searches.length] as Search;
      const asked = query(n, world);
      expectBundle(yield get(asked), 'searchset', (bundle) => checkPage(bundle, asked, type, least));
    }
    throw new Error('numbers never end');
  };
}

function checkPage({ entry = [] }: BundleSeen, asked: string, type: string, least: number): void {
  const matches = entry.filter(({ search }) => search?.mode === 'match');
  const wrong = matches.find(({ resource }) => resource?.resourceType !== type);
  if (wrong || matches.length < least) {
    throw new Error(`${asked} gave ${matches.length} matches, the wrong one a ${wrong?.resource?.resourceType}`);
  }
}

export const W3: readonly Workload[] = [
  {
    name: 'W3 all',
    what: 'all searches below in turn',
    connections: 64,
    script: { session: searching(ALL) },
    goal: { sqlite: 6_000, postgres: 2_500 },
  },
  ...Object.entries(SEARCHES).map(
    ([name, search]): Workload => ({
      name: `W3 ${name}`,
      what: search.what,
      connections: 64,
      script: { session: searching([search]) },
      limit: { kind: 'read', type: search.type, count: search.page },
      share: 0.3,
    }),
  ),
];

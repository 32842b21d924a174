// Measures sync against the benchmark's server, in a process of its own so that its memory is nobody else's. Prints its
// rows as JSON. Usage: node measure.ts BASE_URL FOLDER TASKS
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { CarePlan, Task } from '@medplum/fhirtypes';
import { pino } from 'pino';
import { readLabelPolicy } from '../../../src/access/label-policy.ts';
import { systemClock } from '../../../src/clock.ts';
import { merge3 } from '../../../src/fhir/merge3.ts';
import { openStore } from '../../../src/store/open.ts';
import { BATON } from '../../../src/store/store.ts';
import { jsonOf } from '../../../src/sync/body.ts';
import { readPolicies } from '../../../src/sync/conflicts/policies.ts';
import type { Connection, Direction, PullStrategy } from '../../../src/sync/connections/settings.ts';
import { createSync } from '../../../src/sync/sync.ts';
import { testParameters, testRules } from '../../../tests/support/store-rules.ts';

export interface SyncRow {
  readonly name: string;
  readonly what: string;
  readonly value: number;
  readonly unit: string;
  readonly goal: number;
  /** Whether more is better. */
  readonly more: boolean;
}

const PUSHED = 2_000;
const EDITS = 50;
const MERGES = 300;
const PROFILES = new URL('../../../profiles/', import.meta.url).pathname;

const [baseUrl = '', folder = ''] = process.argv.slice(2);
const clock = systemClock();
const path = join(folder, 'sync.db');
const store = await openStore({ url: `sqlite:${path}`, clock, log: pino({ level: 'silent' }), ...testRules() });
const policies = readPolicies(join(PROFILES, 'policies'));
const rows: SyncRow[] = [];

function syncWith(strategy: PullStrategy, direction: Direction) {
  const connection: Connection = {
    name: 'bench',
    baseUrl,
    vendor: 'hapi',
    mode: 'both',
    auth: { type: 'none' },
    types: { Patient: direction, Task: direction },
    strategies: { Task: strategy },
    overlapSeconds: 300,
    pullEverySeconds: 60,
    pacing: { requestsPerSecond: 100_000, concurrency: 32 },
  };
  return createSync({
    store,
    clock,
    log: pino({ level: 'error' }),
    connections: [connection],
    baseUrl: 'https://baton.test',
    fetch,
    policies,
    consent: { parameters: testParameters, labels: readLabelPolicy(join(PROFILES, 'access/consent-policy.json')) },
    workers: 32,
    emit: (event) => {
      if (event.kind === 'pushed') arrived(event.localId ?? '');
    },
  });
}

let arrived: (localId: string) => void = () => undefined;
const LIVE = "FROM resource WHERE type = 'Task' AND content <> ''";
/** No more than are edited: what the benchmark holds must not count as Baton's memory. */
const someTasks = async () =>
  (await store.query(`SELECT content ${LIVE} LIMIT ${PUSHED}`)).map(
    ({ content }) => JSON.parse(String(content)) as Task & { id: string },
  );
const rewind = () =>
  store.commit(BATON, [], [{ sql: 'UPDATE checkpoint SET high_water = NULL, cursor = NULL', params: [] }]);
const seconds = async (work: () => Promise<unknown>) => {
  const begun = performance.now();
  await work();
  return (performance.now() - begun) / 1000;
};

// A type that is only pulled brings in all there is.
const loading = syncWith('search', 'pull');
const first = await seconds(() => loading.pullNow());
const sync = syncWith('search', 'both');
const known = Number((await sync.status())[0]?.links);
rows.push({
  name: 'S pull first',
  what: 'everything is new',
  value: known / first,
  unit: 'resources/s',
  goal: 0,
  more: true,
});
await rewind();
const quiet = await seconds(() => sync.pullNow());
const residentAfterPull = process.memoryUsage().rss / 2 ** 20;
rows.push({
  ...{ name: 'S pull search', what: 'by search, nothing changed', value: known / quiet, unit: 'resources/s' },
  ...{ goal: 3_000, more: true },
});

const tasks = await someTasks();
const [{ total } = { total: 0 }] = await store.query(`SELECT COUNT(*) AS total ${LIVE}`);
const asked = async () => Number(await (await fetch(`${baseUrl}/asks`)).text());
const roster = syncWith('roster', 'both');
const before = await asked();
const patient = await seconds(() => roster.pullNow());
const again = await seconds(() => roster.pullNow());
if ((await asked()) > before) {
  const value = Number(total) / Math.min(patient, again);
  rows.push({
    name: 'S pull roster',
    what: 'patient by patient, nothing changed',
    value,
    unit: 'resources/s',
    goal: 1_500,
    more: true,
  });
}

await sync.pushNow();
for (let at = 0; at < tasks.length; at += 500) {
  const changes = tasks.slice(at, at + 500).map((task) => ({
    op: 'update' as const,
    resource: { ...task, description: `${task.description}, edited` },
  }));
  await store.commit(BATON, changes);
}
let sent = 0;
arrived = () => {
  sent += 1;
};
const pushing = await seconds(() => sync.pushNow());
rows.push({
  name: 'S push',
  what: 'updates, 32 at a time',
  value: sent / pushing,
  unit: 'updates/s',
  goal: 400,
  more: true,
});

sync.follow();
const latencies: number[] = [];
for (let edit = 0; edit < EDITS; edit += 1) {
  const task = tasks[edit];
  if (!task) break;
  const there = new Promise<void>((resolve) => {
    arrived = (localId) => (localId === task.id ? resolve() : undefined);
  });
  const begun = performance.now();
  await store.commit(BATON, [{ op: 'update', resource: { ...task, description: `edit ${edit}` } }]);
  await there;
  latencies.push(performance.now() - begun);
}
latencies.sort((a, b) => a - b);
const median = latencies[Math.floor(latencies.length / 2)] ?? Number.NaN;
rows.push({
  name: 'S edit',
  what: 'from the commit to the answer of the server, median',
  value: median,
  unit: 'ms',
  goal: 250,
  more: false,
});

const plan = carePlan(0);
const [ours, theirs] = [carePlan(1), carePlan(2)];
const merging = process.cpuUsage();
for (let merge = 0; merge < MERGES; merge += 1) merge3(jsonOf(plan), jsonOf(ours), jsonOf(theirs), policies.CarePlan);
const merged = process.cpuUsage(merging).user / 1000 / MERGES;
rows.push({
  name: 'S merge',
  what: 'a CarePlan of 50 activities, CPU time',
  value: merged,
  unit: 'ms',
  goal: 1,
  more: false,
});
rows.push({
  ...{
    name: 'S memory',
    what: `resident after the quiet pull of ${known} links`,
    value: residentAfterPull,
    unit: 'MiB',
  },
  ...{ goal: 350, more: false },
});

function carePlan(edit: number): CarePlan {
  const activity = Array.from({ length: 50 }, (_, at) => ({
    detail: {
      code: { coding: [{ system: 'http://snomed.info/sct', code: String(100_000 + at) }] },
      status: (at + edit) % 10 === 0 && edit > 0 ? ('completed' as const) : ('scheduled' as const),
      scheduledString: `day ${at}`,
      description: `Step ${at} of the plan`,
    },
  }));
  return {
    resourceType: 'CarePlan',
    status: 'active',
    intent: 'plan',
    title: `Plan ${edit}`,
    subject: { reference: 'Patient/1' },
    activity,
  };
}

await sync.stop();
await roster.stop();
await store.close();
await rm(folder, { recursive: true, force: true });
console.log(JSON.stringify(rows));
process.exit(0);

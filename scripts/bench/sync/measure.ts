// Measures how fast sync is against the benchmark's server. Prints its rows as JSON, and leaves its database with the links.
// Usage: node measure.ts BASE_URL DATABASE
import type { CarePlan, Task } from '@medplum/fhirtypes';
import { merge3 } from '../../../src/fhir/merge3.ts';
import { BATON } from '../../../src/store/store.ts';
import { jsonOf } from '../../../src/sync/body.ts';
import type { Direction, PullStrategy } from '../../../src/sync/connections/settings.ts';
import { benchPolicies, benchSync, openBenchStore, refuseIdle } from './baton-side.ts';

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

const [baseUrl = '', path = ''] = process.argv.slice(2);
const store = await openBenchStore(path);
const rows: SyncRow[] = [];
const syncWith = (strategy: PullStrategy, direction: Direction) =>
  benchSync(store, baseUrl, strategy, direction, (event) => {
    if (event.kind === 'pushed') arrived(event.localId ?? '');
  });

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
  await refuseIdle(roster);
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
await refuseIdle(sync);
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
const mergeAll = () => {
  for (let merge = 0; merge < MERGES; merge += 1)
    merge3(jsonOf(plan), jsonOf(ours), jsonOf(theirs), benchPolicies.CarePlan);
};
// As in a service that has run for a while: the first are compiled while they run.
mergeAll();
const merging = process.cpuUsage();
mergeAll();
const merged = process.cpuUsage(merging).user / 1000 / MERGES;
rows.push({
  name: 'S merge',
  what: 'a CarePlan of 50 activities, CPU time',
  value: merged,
  unit: 'ms',
  goal: 1,
  more: false,
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
console.log(JSON.stringify(rows));
process.exit(0);

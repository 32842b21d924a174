// Group F: sweeps over follow-ups of which most wait, and discharges that become plans. argv: database URL, folder, how many
// wait. Prints rows as JSON.
import type { Patient, Task } from '@medplum/fhirtypes';
import { pino } from 'pino';
import { type App, build } from '../../../src/app.ts';
import { findResources } from '../../../src/care/stored.ts';
import { systemClock } from '../../../src/clock.ts';
import { loadConfig } from '../../../src/config.ts';
import { dischargeOf, loadPatients } from './discharges.ts';
import { addWaiting } from './waiting.ts';

export interface SweepRow {
  readonly name: string;
  readonly what: string;
  /** Median of the runs, or the only one. */
  readonly milliseconds: number;
  readonly cpuMilliseconds: number;
  readonly goal: number;
}

const DUE = 1_000;
const EACH = 50;
/** Sweeps that find a thousand due: the first one of a process finds nothing compiled. */
const SWEEPS = 7;
const NURSE = { reference: 'Practitioner/bench', kind: 'service' } as const;

const [, , url = '', folder = '', waiting = '1000000'] = process.argv;

const first = await open();
const discharge = Temporal.Now.instant().subtract({ hours: 2 });
const [template] = await makeTransitions(first);
if (!template) throw new Error('The discharge made no follow-up.');
await first.close();
await addWaiting(url, template.id ?? '', Number(waiting));

const app = await open();
const rows: SweepRow[] = [];
const quiet = discharge.subtract({ hours: 1 });
// The first finds nothing prepared.
await app.transitions.sweep(quiet);
const runs: Measured[] = [];
for (let n = 0; n < 200; n += 1) runs.push(await timed(() => app.transitions.sweep(quiet)));
rows.push({ name: 'F none', what: `${waiting} wait, none is due`, ...middleOf(runs), goal: 5 });
const swept: Measured[] = [];
for (let n = 0; n < SWEEPS; n += 1) {
  const one = await timed(() => app.transitions.sweep(opensAt(n)));
  if (one.value.raised !== DUE) throw new Error(`Raised ${one.value.raised} instead of ${DUE}.`);
  swept.push(one);
}
const [cold, ...warm] = swept as [Measured, ...Measured[]];
rows.push({ name: 'F due', what: `${waiting} wait, ${DUE} are due`, ...middleOf(warm), goal: 1_000 });
rows.push({ name: 'F first', what: 'the same, the first sweep of a process', ...middleOf([cold]), goal: 1_000 });
const planned: Measured[] = [];
for (const [n, patient] of (await loadPatients(app)).entries()) {
  const resource = dischargeOf(`home-${n}`, patient, second(discharge));
  await app.transitions.run();
  planned.push(
    await timed(async () => {
      await app.store.commit(NURSE, [{ op: 'update', resource }]);
      await app.transitions.run();
    }),
  );
  const plan = await findResources(app.store, 'CarePlan', { patient: `Patient/${patient}`, status: 'active' });
  if (!plan.some(({ instantiatesCanonical }) => instantiatesCanonical?.[0]?.includes('transition'))) {
    throw new Error('A discharge has no plan.');
  }
}
if (planned.length > 0) {
  const what = `a patient of Synthea goes home: from the discharge to its committed plan, median of ${planned.length}`;
  rows.push({ name: 'F plan', what, ...middleOf(planned), goal: 100 });
}
await app.close();
console.log(JSON.stringify(rows));

interface Measured {
  readonly milliseconds: number;
  readonly cpuMilliseconds: number;
}

/** The one in the middle by the clock. */
function middleOf(runs: readonly Measured[]): Measured {
  const { milliseconds, cpuMilliseconds } = runs.toSorted((a, b) => a.milliseconds - b.milliseconds)[
    runs.length >> 1
  ] as Measured;
  return { milliseconds, cpuMilliseconds };
}

/** When the n-th thousand open. */
function opensAt(n: number): Temporal.Instant {
  return discharge.add({ minutes: 5 * n });
}

async function timed<T>(work: () => Promise<T>): Promise<Measured & { value: T }> {
  const cpu = process.cpuUsage();
  const begin = performance.now();
  const value = await work();
  const milliseconds = performance.now() - begin;
  const { user, system } = process.cpuUsage(cpu);
  return { value, milliseconds, cpuMilliseconds: (user + system) / 1000 };
}

function open(): Promise<App> {
  const config = loadConfig({
    BATON_DATABASE_URL: url,
    BATON_DATA_DIR: folder,
    BATON_SANDBOX: 'off',
    BATON_MLLP_PORT: 'off',
  });
  const log = pino({ level: 'error' }, pino.destination(2));
  return build(config, { clock: systemClock(), fetch, log, write: () => undefined });
}

/** Twenty discharges with fifty follow-ups each for every sweep. */
async function makeTransitions({ store, transitions }: App): Promise<Task[]> {
  const made: Task[] = [];
  for (let n = 0; n < DUE / EACH; n += 1) {
    const patient: Patient = { resourceType: 'Patient', id: `bench-${n}` };
    await store.commit(NURSE, [{ op: 'update', resource: patient }]);
    await store.commit(NURSE, [{ op: 'update', resource: dischargeOf(`bench-${n}`, `bench-${n}`, second(discharge)) }]);
  }
  await transitions.run();
  for (let n = 0; n < DUE / EACH; n += 1) {
    const own = await findResources(store, 'Task', { patient: `Patient/bench-${n}` });
    const [one] = own;
    if (!one) throw new Error('The discharge made no follow-up.');
    const ended = own.map((task): Task => ({ ...task, status: 'cancelled' }));
    await store.commit(
      NURSE,
      ended.map((resource) => ({ op: 'update', resource })),
    );
    made.push(one);
    for (let sweep = 0; sweep < SWEEPS; sweep += 1) {
      const due = Array.from({ length: EACH }, (_, at) => dueTask(one, `bench-${sweep}-${at}`, opensAt(sweep)));
      await store.commit(
        NURSE,
        due.map((resource) => ({ op: 'create', resource })),
      );
    }
  }
  await transitions.run();
  const [model] = await findResources(store, 'Task', { patient: 'Patient/bench-0', status: 'requested', _count: '1' });
  return model ? [model] : [];
}

function dueTask(task: Task, step: string, opens: Temporal.Instant): Task {
  const { id: _, meta: __, ...rest } = task;
  const episode = task.groupIdentifier?.value;
  return {
    ...rest,
    identifier: [{ system: 'urn:baton:follow-up', value: `${episode}|${step}|1` }],
    restriction: { period: { start: second(opens), end: second(opens.add({ hours: 48 })) } },
  };
}

function second(instant: Temporal.Instant): string {
  return instant.toString({ smallestUnit: 'second' });
}

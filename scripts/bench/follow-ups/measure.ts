// Group F: sweeps over follow-ups of which most wait. argv: database URL, folder, how many wait. Prints rows as JSON.
import type { Encounter, Patient, Task } from '@medplum/fhirtypes';
import { pino } from 'pino';
import { type App, build } from '../../../src/app.ts';
import { findResources } from '../../../src/care/stored.ts';
import { systemClock } from '../../../src/clock.ts';
import { loadConfig } from '../../../src/config.ts';
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
const middle = runs.toSorted((a, b) => a.milliseconds - b.milliseconds)[100] as Measured;
rows.push({ name: 'F none', what: `${waiting} wait, none is due`, ...middle, goal: 5 });
const swept = await timed(() => app.transitions.sweep(discharge));
if (swept.value.raised !== DUE) throw new Error(`Raised ${swept.value.raised} instead of ${DUE}.`);
const { milliseconds, cpuMilliseconds } = swept;
rows.push({ name: 'F due', what: `${waiting} wait, ${DUE} are due`, milliseconds, cpuMilliseconds, goal: 1_000 });
await app.close();
console.log(JSON.stringify(rows));

interface Measured {
  readonly milliseconds: number;
  readonly cpuMilliseconds: number;
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

/** Twenty discharges with fifty follow-ups each that are due at the discharge. */
async function makeTransitions({ store, transitions }: App): Promise<Task[]> {
  const made: Task[] = [];
  for (let n = 0; n < DUE / EACH; n += 1) {
    const patient: Patient = { resourceType: 'Patient', id: `bench-${n}` };
    await store.commit(NURSE, [{ op: 'update', resource: patient }]);
    await store.commit(NURSE, [{ op: 'update', resource: dischargeOf(n) }]);
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
    await store.commit(
      NURSE,
      Array.from({ length: EACH }, (_, at) => ({ op: 'create' as const, resource: dueTask(one, `bench-${at}`) })),
    );
  }
  await transitions.run();
  const [model] = await findResources(store, 'Task', { patient: 'Patient/bench-0', status: 'requested', _count: '1' });
  return model ? [model] : [];
}

function dueTask(task: Task, step: string): Task {
  const { id: _, meta: __, ...rest } = task;
  const episode = task.groupIdentifier?.value;
  return {
    ...rest,
    identifier: [{ system: 'urn:baton:follow-up', value: `${episode}|${step}|1` }],
    restriction: { period: { start: second(discharge), end: second(discharge.add({ hours: 48 })) } },
  };
}

function dischargeOf(n: number): Encounter {
  return {
    resourceType: 'Encounter',
    id: `bench-${n}`,
    status: 'finished',
    class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'IMP', display: 'inpatient encounter' },
    subject: { reference: `Patient/bench-${n}` },
    period: { start: second(discharge.subtract({ hours: 96 })), end: second(discharge) },
    hospitalization: {
      dischargeDisposition: {
        coding: [{ system: 'https://www.nubc.org/CodeSystem/PatDischargeStatus', code: '01' }],
      },
    },
  };
}

function second(instant: Temporal.Instant): string {
  return instant.toString({ smallestUnit: 'second' });
}

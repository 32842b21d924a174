// Group F: sweeps over follow-ups of which most wait, and discharges that become plans. argv: database URL, folder, how many
// wait, when their patients went home, which of two processes. Prints rows as JSON.
import { findResources } from '../../../src/care/stored.ts';
import { dischargeOf, loadPatients } from './discharges.ts';
import { DUE, NURSE, open, opensAt, SWEEPS, second } from './scene.ts';

export interface SweepRow {
  readonly name: string;
  readonly what: string;
  /** Median of the runs, or the only one. */
  readonly milliseconds: number;
  readonly cpuMilliseconds: number;
  /** None where it is only told. */
  readonly goal?: number;
}

const [, , url = '', folder = '', waiting = '', at = '', which = ''] = process.argv;

const discharge = Temporal.Instant.from(at);
const app = await open(url, folder);
const rows: SweepRow[] = [];
if (which === 'start') await sweepAtStart();
else await sweepLater();
await app.close();
console.log(JSON.stringify(rows));

/** What was due while nobody ran: the process begins with it, and nothing is prepared. */
async function sweepAtStart(): Promise<void> {
  rows.push({ name: 'F start', what: 'the same, overdue when a process starts', ...(await sweepDue(0)) });
}

/** A process that has prepared itself, as it does after its start. */
async function sweepLater(): Promise<void> {
  await app.warmUp();
  const quiet = discharge.subtract({ hours: 1 });
  // A beat that finds nothing.
  await app.transitions.sweep(quiet);
  const first = await sweepDue(1);
  const none: Measured[] = [];
  for (let n = 0; n < 200; n += 1) none.push(await timed(() => app.transitions.sweep(quiet)));
  const later: Measured[] = [];
  for (let n = 2; n < SWEEPS; n += 1) later.push(await sweepDue(n));
  rows.push({ name: 'F none', what: `${waiting} wait, none is due`, ...middleOf(none), goal: 5 });
  const due = `${waiting} wait, ${DUE} are due; median of ${later.length} sweeps`;
  rows.push({ name: 'F due', what: due, ...middleOf(later), goal: 1_000 });
  rows.push({ name: 'F first', what: 'the same, the first sweep of a process', ...first, goal: 1_000 });
  await planDischarges();
}

async function planDischarges(): Promise<void> {
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
}

async function sweepDue(n: number): Promise<Measured> {
  const { value, ...measured } = await timed(() => app.transitions.sweep(opensAt(discharge, n)));
  if (value.raised !== DUE) throw new Error(`Raised ${value.raised} instead of ${DUE}.`);
  return measured;
}

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

async function timed<T>(work: () => Promise<T>): Promise<Measured & { value: T }> {
  const cpu = process.cpuUsage();
  const begin = performance.now();
  const value = await work();
  const milliseconds = performance.now() - begin;
  const { user, system } = process.cpuUsage(cpu);
  return { value, milliseconds, cpuMilliseconds: (user + system) / 1000 };
}

// Whatever happens in whatever order, and whenever the process dies, every follow-up is made once, none is raised early and
// none that is due is forgotten (docs/sync-spec.md I24).
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { isTerminal } from '../../src/fhir/status/task.ts';
import type { Store } from '../../src/store/store.ts';
import { admitted, discharged, FACILITIES, type Hospital, openHospital } from './hospital.ts';

const STEPS = [
  'discharge',
  'later-discharge',
  'cancel',
  'hours',
  'days',
  'restart',
  'two-sweeps',
  'complete',
  'dies-before-commit',
  'dies-after-commit',
  'clock-back',
  'zone-change',
] as const;
type Step = (typeof STEPS)[number];

const LATER = { period: { start: '2026-11-15T08:00:00-05:00', end: '2026-11-21T09:00:00-05:00' } };

/** The store of a process that dies at one of its commits: what comes after it never happens. */
function dyingStore(store: Store, lastCommit: number, isWritten: boolean): Store {
  let commits = 0;
  const commit: Store['commit'] = async (...change) => {
    commits += 1;
    if (commits < lastCommit || (commits === lastCommit && isWritten)) {
      const outcomes = await store.commit(...change);
      if (commits < lastCommit) return outcomes;
    }
    throw new Error('The process died.');
  };
  return new Proxy(store, { get: (target, name) => (name === 'commit' ? commit : Reflect.get(target, name)) });
}

/** Longer than the sweep's lease, which a dead process cannot give back. */
const LEASE_RUNS_OUT = { seconds: 31 };

async function play(hospital: Hospital, steps: readonly Step[], dies: () => void): Promise<Temporal.Instant> {
  let now = Temporal.Instant.from('2026-11-21T15:00:00Z');
  let facilities = FACILITIES;
  const open = (store: Store = hospital.store) => hospital.openTransitions({ store, facilities });
  for (const [n, step] of steps.entries()) {
    if (step === 'hours') now = now.add({ hours: 5 });
    if (step === 'days') now = now.add({ hours: 72 });
    hospital.at((step === 'clock-back' ? now.subtract({ hours: 2 }) : now).toString());
    if (step === 'discharge') await hospital.put(discharged());
    if (step === 'later-discharge') await hospital.put(discharged(LATER));
    if (step === 'cancel') await hospital.put(admitted());
    if (step === 'restart') await hospital.restart();
    if (step === 'complete') await hospital.complete('contact');
    if (step === 'zone-change') facilities = FACILITIES.map((one) => ({ ...one, zone: 'Asia/Kathmandu' }));
    if (step === 'two-sweeps') await Promise.allSettled([open().tick(), open().tick()]);
    else if (step.startsWith('dies')) {
      const dying = dyingStore(hospital.store, 1 + (n % 5), step === 'dies-after-commit');
      await open(dying)
        .tick()
        .catch(() => undefined);
      dies();
      await hospital.restart();
    } else if (step === 'hours' || step === 'days' || step === 'clock-back') await open().tick();
  }
  hospital.at(now.toString());
  await open().tick();
  return now;
}

/** Versions of follow-ups that became due or overdue before their time; the store's time never goes back. */
async function raisedEarly(hospital: Hospital): Promise<string[]> {
  const early: string[] = [];
  for (const entry of await hospital.log()) {
    if (entry.type !== 'Task' || entry.operation === 'delete') continue;
    const { businessStatus, restriction, identifier } = JSON.parse(entry.content);
    const status = businessStatus?.coding?.[0]?.code;
    const { start, end } = restriction?.period ?? {};
    const from = status === 'due' ? start : status === 'overdue' ? end : undefined;
    const told = Temporal.Instant.from(entry.lastUpdated);
    if (from && Temporal.Instant.compare(told, Temporal.Instant.from(from)) < 0) early.push(identifier?.[0]?.value);
  }
  return early;
}

it('makes every follow-up once, none early, and leaves none behind that is due', async () => {
  const step = fc.constantFrom<Step>(...STEPS);
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 2, maxLength: 9 }), async (steps) => {
      let skew = new Temporal.Duration();
      const hospital = await openHospital(undefined, { skew: () => skew });
      const dies = () => {
        skew = skew.add(LEASE_RUNS_OUT);
      };
      try {
        const now = await play(hospital, ['discharge', ...steps], dies);
        const tasks = await hospital.all('Task');
        const keys = tasks.map(({ identifier }) => identifier?.[0]?.value);
        expect(new Set(keys).size, 'keys are unique').toBe(keys.length);
        const live = (await hospital.episodes()).filter(({ status }) => status === 'active');
        const cancelled = steps.findLast((one) => one === 'cancel' || one.endsWith('discharge')) === 'cancel';
        expect(live.length, 'live transitions').toBe(cancelled ? 0 : 1);
        for (const task of tasks.filter(({ status }) => !isTerminal(status))) {
          const { start, end } = task.restriction?.period ?? {};
          const past = (moment: string | undefined) =>
            Temporal.Instant.compare(Temporal.Instant.from(moment ?? ''), now) <= 0;
          const expected = past(end) ? 'overdue' : past(start) ? 'due' : 'scheduled';
          expect(task.businessStatus?.coding?.[0]?.code, task.identifier?.[0]?.value).toBe(expected);
        }
        expect(await raisedEarly(hospital)).toEqual([]);
        const told = (await hospital.all('CommunicationRequest')).map(({ identifier }) => identifier?.[0]?.value);
        expect(new Set(told).size, 'nobody is told twice').toBe(told.length);
        expect(hospital.kinds()).not.toContain('transition-failed');
      } finally {
        await hospital.temp.cleanup();
      }
    }),
    {
      numRuns: 12,
      // A discharge corrected to a later time and back is no readmission.
      examples: [[['later-discharge', 'days', 'discharge', 'discharge']]],
    },
  );
}, 120_000);

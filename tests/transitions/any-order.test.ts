// Whatever happens in whatever order, every follow-up is made once and none that is due is forgotten (docs/sync-spec.md I24).
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { isTerminal } from '../../src/fhir/status/task.ts';
import { admitted, discharged, type Hospital, openHospital } from './hospital.ts';

type Step = 'discharge' | 'later-discharge' | 'cancel' | 'hours' | 'days' | 'restart' | 'two-sweeps' | 'complete';

const LATER = { period: { start: '2026-11-15T08:00:00-05:00', end: '2026-11-21T09:00:00-05:00' } };

async function play(hospital: Hospital, steps: readonly Step[]): Promise<Temporal.Instant> {
  let now = Temporal.Instant.from('2026-11-21T15:00:00Z');
  for (const step of steps) {
    if (step === 'hours') now = now.add({ hours: 5 });
    if (step === 'days') now = now.add({ hours: 72 });
    hospital.at(now.toString());
    if (step === 'discharge') await hospital.put(discharged());
    if (step === 'later-discharge') await hospital.put(discharged(LATER));
    if (step === 'cancel') await hospital.put(admitted());
    if (step === 'restart') await hospital.restart();
    if (step === 'complete') await hospital.complete('contact');
    if (step === 'two-sweeps') {
      await Promise.allSettled([hospital.openTransitions().tick(), hospital.openTransitions().tick()]);
    } else if (step === 'hours' || step === 'days') await hospital.transitions.tick();
  }
  await hospital.transitions.tick();
  return now;
}

it('makes every follow-up once and leaves none behind that is due', async () => {
  const step = fc.constantFrom<Step>(
    'discharge',
    'later-discharge',
    'cancel',
    'hours',
    'days',
    'restart',
    'two-sweeps',
    'complete',
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 2, maxLength: 10 }), async (steps) => {
      const hospital = await openHospital();
      try {
        const now = await play(hospital, ['discharge', ...steps]);
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
        expect(hospital.kinds()).not.toContain('transition-failed');
      } finally {
        await hospital.temp.cleanup();
      }
    }),
    {
      numRuns: 25,
      // A discharge corrected to a later time and back is no readmission.
      examples: [[['later-discharge', 'days', 'discharge', 'discharge']]],
    },
  );
});

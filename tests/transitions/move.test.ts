// A discharge whose time is corrected moves the whole plan, not only its follow-ups.
import { afterEach, beforeEach, expect, it } from 'vitest';
import { discharged, type Hospital, openHospital } from './hospital.ts';

let hospital: Hospital;
beforeEach(async () => {
  hospital = await openHospital();
  await hospital.put(discharged());
  await hospital.run();
  await hospital.put(discharged({ period: { start: '2026-11-15T08:00:00-05:00', end: '2026-11-21T10:00:00-05:00' } }));
  hospital.at('2026-11-21T16:00:00Z');
  await hospital.run();
});
afterEach(() => hospital.temp.cleanup());

it('counts the plan, as CMS does, from the corrected day to 29 days after it', async () => {
  const [plan] = await hospital.all('CarePlan');
  expect(plan?.period).toEqual({ start: '2026-11-21', end: '2026-12-20' });
});

it('says the corrected days in words', async () => {
  const [plan] = await hospital.all('CarePlan');
  expect(plan?.text?.div).toContain('Discharged on 2026-11-21.');
  expect(plan?.text?.div).toContain('<li>Call on day 14: by 2026-12-07</li>');
  expect(plan?.text?.div).toContain('<li>Order the follow-up visit: by 2026-12-05</li>');
  expect(plan?.text?.div.match(/<li>/g)).toHaveLength(plan?.activity?.length ?? 0);
});

it('moves the goals, the team and the orders', async () => {
  const goals = await hospital.all('Goal');
  expect(new Set(goals.map(({ startDate }) => startDate))).toEqual(new Set(['2026-11-21']));
  expect(goals.map(({ target }) => target?.[0]?.dueDate).sort()).toEqual([
    '2026-11-25',
    '2026-12-05',
    '2026-12-05',
    '2026-12-21',
  ]);
  expect((await hospital.all('CareTeam'))[0]?.period?.start).toBe('2026-11-21T10:00:00-05:00');
  expect((await hospital.all('ServiceRequest'))[0]?.occurrencePeriod).toMatchObject({
    start: '2026-11-21T10:00:00-05:00',
    end: '2026-12-05T23:59:59-05:00',
  });
});

// sync.md B11: the schedule that cannot lose. Times are of the hospital's facility, America/New_York.
import type { CommunicationRequest, EpisodeOfCare, Resource, Task } from '@medplum/fhirtypes';
import { afterEach, describe, expect, it } from 'vitest';
import { createCalendars } from '../../src/care/business-calendar.ts';
import type { LatePolicy } from '../../src/care/deadline.ts';
import { clockOf, withClock } from '../../src/care/transition/follow-up-clock.ts';
import { CLOCKWORK } from '../../src/store/alert.ts';
import { withLease } from '../../src/store/lease.ts';
import type { OpenStore } from '../../src/store/open.ts';
import { whileUnchanged } from '../../src/store/unchanged.ts';
import { discharged, type Hospital, openHospital } from './hospital.ts';

const NURSE = { reference: 'Practitioner/nurse', kind: 'user' } as const;
let hospital: Hospital;
afterEach(() => hospital.temp.cleanup());

async function opened(...options: Parameters<typeof openHospital>): Promise<Hospital> {
  hospital = await openHospital(...options);
  await hospital.put(discharged());
  await hospital.run();
  hospital.events.length = 0;
  return hospital;
}

/** Copies of a follow-up of the transition, each a step of its own. */
async function addFollowUps(count: number, start: string, end: string): Promise<void> {
  const template = (await hospital.followUps()).visit as Task;
  const episode = template.groupIdentifier?.value;
  await hospital.store.commit(
    NURSE,
    Array.from({ length: count }, (_, n) => ({
      op: 'create' as const,
      resource: {
        ...template,
        id: undefined,
        identifier: [{ system: 'urn:baton:follow-up', value: `${episode}|extra-${n}|1` }],
        restriction: { period: { start, end } },
      },
    })),
  );
}

const told = () => hospital.events.map((event) => ('step' in event ? `${event.kind} ${event.step}` : event.kind));
const alertsOf = async (store: OpenStore) =>
  (await store.query('SELECT event FROM alert WHERE connection = ?', [CLOCKWORK])).map(({ event }) => event).sort();

/** What must hold whatever happened: nobody is told twice, and nothing due is left. */
async function expectExactlyOnce(at: string): Promise<void> {
  const tasks = await hospital.all('Task');
  const keys = tasks.map(({ identifier }) => identifier?.[0]?.value);
  expect(new Set(keys).size).toBe(keys.length);
  const requests: CommunicationRequest[] = await hospital.all('CommunicationRequest');
  const reminders = requests.map(({ identifier }) => identifier?.[0]?.value);
  expect(new Set(reminders).size).toBe(reminders.length);
  const events = told();
  expect(new Set(events).size).toBe(events.length);
  const before = events.length;
  hospital.at(at);
  await hospital.transitions.sweep();
  expect(hospital.events).toHaveLength(before);
}

describe('ticks at the same time do everything once', () => {
  it.each([2, 10])('%i of them', async (processes) => {
    await opened();
    hospital.at('2026-11-26T15:00:00Z');
    const all = Array.from({ length: processes }, () => hospital.openTransitions());
    await Promise.all(all.flatMap((one) => [one.tick(), one.tick()]));
    await hospital.transitions.tick();
    expect(told().filter((text) => text === 'follow-up-due contact')).toHaveLength(1);
    await expectExactlyOnce('2026-11-26T15:00:00Z');
  });
});

describe('after downtime', () => {
  it.each([
    ['an hour', '2026-11-20T20:05:00Z', ['follow-up-due notify-pcp']],
    [
      'three days',
      '2026-11-23T15:00:00Z',
      [
        'follow-up-due notify-pcp',
        'follow-up-due medication-reconciliation',
        'follow-up-due visit',
        'follow-up-due contact',
        'follow-up-escalated notify-pcp',
      ],
    ],
  ])('of %s everything is made up for, the most overdue first', async (_, at, expected) => {
    await opened();
    await hospital.restart();
    hospital.at(at);
    await hospital.transitions.tick();
    expect(told()).toEqual(expected);
    await expectExactlyOnce(at);
  });

  // Clocks went back on 1 November 2026 at 06:00Z and go forward on 14 March 2027 at 07:00Z.
  it.each([
    ['back', '2026-11-01T01:30:00-04:00', '2026-11-01T01:30:00-05:00'],
    ['forward', '2027-03-14T01:59:00-05:00', '2027-03-14T03:00:00-04:00'],
  ])('while clocks went %s each of two an hour apart by the sun comes at its own moment', async (_, first, second) => {
    await opened();
    for (const task of Object.values(await hospital.followUps())) await hospital.put({ ...task, status: 'cancelled' });
    const template = (await hospital.followUps()).visit as Task;
    const episode = template.groupIdentifier?.value;
    const follow = (step: string, start: string): Task => ({
      ...template,
      id: step,
      status: 'requested',
      identifier: [{ system: 'urn:baton:follow-up', value: `${episode}|${step}|1` }],
      restriction: { period: { start, end: '2027-06-01T12:00:00-04:00' } },
    });
    await hospital.put(follow('one', first));
    await hospital.put(follow('two', second));
    const [one, two] = [Temporal.Instant.from(first), Temporal.Instant.from(second)];
    await hospital.transitions.sweep(one.subtract({ seconds: 1 }));
    expect(told()).toEqual([]);
    await hospital.transitions.sweep(two.subtract({ seconds: 1 }));
    expect(told()).toEqual(['follow-up-due one']);
    await hospital.transitions.sweep(two);
    expect(told()).toEqual(['follow-up-due one', 'follow-up-due two']);
  });
});

describe('a burst', () => {
  it('is paced, the most overdue first, whatever is to be done about it', async () => {
    await opened(undefined, { mostPerSweep: 10 });
    await addFollowUps(30, '2026-11-20T15:00:00-05:00', '2026-11-27T15:00:00-05:00');
    await hospital.transitions.sweep(Temporal.Instant.from('2026-11-20T19:30:00Z'));
    expect(told()).toEqual(['follow-up-due notify-pcp']);
    hospital.events.length = 0;
    // The deadline of notify-pcp was on the 21st at 19:00Z; all thirty were due before.
    const now = Temporal.Instant.from('2026-11-21T20:00:00Z');
    for (const sweep of [1, 2, 3]) {
      expect((await hospital.transitions.sweep(now)).raised).toBe(10);
      await hospital.transitions.pulse.keep();
      expect(hospital.events).toHaveLength(10 * sweep);
    }
    await hospital.transitions.sweep(now);
    expect(told().slice(30)).toEqual(['follow-up-due medication-reconciliation', 'follow-up-escalated notify-pcp']);
  });
});

describe('a follow-up that cannot be stored', () => {
  let isBroken = true;
  const refuse = (resource: Resource) =>
    isBroken && resource.resourceType === 'Task' && resource.description === 'poison' && resource.id !== undefined;

  it('holds up nobody, rests for a while, is listed and told, and goes on when it is mended', async () => {
    isBroken = false;
    let seconds = 0;
    await opened(refuse, { mostPerSweep: 3, skew: () => Temporal.Duration.from({ seconds }) });
    await addFollowUps(5, '2026-11-20T13:00:00-05:00', '2026-11-27T15:00:00-05:00');
    for (const task of await hospital.all('Task')) {
      if (task.identifier?.[0]?.value?.includes('extra')) await hospital.put({ ...task, description: 'poison' });
    }
    await hospital.run();
    isBroken = true;
    const now = Temporal.Instant.from('2026-11-20T19:30:00Z');
    expect(await hospital.transitions.sweep(now)).toMatchObject({ raised: 0, failed: 3 });
    expect(await hospital.transitions.sweep(now)).toMatchObject({ raised: 1, failed: 2 });
    expect(told()).toEqual(['follow-up-due notify-pcp']);
    expect(await hospital.transitions.sweep(now)).toMatchObject({ raised: 0, failed: 0 });
    seconds = 90;
    await hospital.transitions.sweep(now);
    await hospital.transitions.sweep(now);
    const rows = await hospital.store.query('SELECT task, failures, reason FROM sweep_failure');
    expect(rows.map(({ failures }) => failures)).toEqual([2, 2, 2, 2, 2]);
    expect(String(rows[0]?.reason)).not.toContain('poison');
    seconds = 240;
    isBroken = false;
    await hospital.transitions.sweep(now);
    await hospital.transitions.sweep(now);
    expect(await hospital.store.query('SELECT task FROM sweep_failure')).toEqual([]);
    await expectExactlyOnce('2026-11-20T19:30:00Z');
  });
});

describe('a follow-up that could not be raised in time', () => {
  const late = async (step: string, policy: LatePolicy, expireAt?: string) => {
    const task = (await hospital.followUps())[step] as Task;
    const clock = { ...clockOf(task), late: policy, ...(expireAt ? { expireAt } : {}) };
    await hospital.put(withClock(task, clock));
  };

  it('is raised all the same, once it has expired not, as its protocol says', async () => {
    await opened();
    await late('contact', 'skip-after', '2026-11-25T00:00:00-05:00');
    await late('visit', 'skip-after', '2026-12-25T00:00:00-05:00');
    hospital.at('2026-11-26T15:00:00Z');
    await hospital.transitions.tick();
    expect(told()).toContain('follow-up-expired contact');
    expect(told()).not.toContain('follow-up-due contact');
    expect(told()).toContain('follow-up-due visit');
    expect(told()).toContain('follow-up-due notify-pcp');
    expect((await hospital.followUps()).contact).toMatchObject({ status: 'failed' });
    await expectExactlyOnce('2026-11-26T15:00:00Z');
  });

  it('of several of a kind is raised as the last one only', async () => {
    await opened();
    const template = (await hospital.followUps()).visit as Task;
    const code = { coding: [{ system: 'urn:test', code: 'check-in' }] };
    for (const day of ['21', '22', '23', '29']) {
      const start = `2026-11-${day}T09:00:00-05:00`;
      const end = '2026-12-20T09:00:00-05:00';
      const task: Task = { ...template, id: `check-${day}`, code, restriction: { period: { start, end } } };
      const identifier = [
        { system: 'urn:baton:follow-up', value: `${template.groupIdentifier?.value}|check-${day}|1` },
      ];
      await hospital.put(withClock({ ...task, identifier }, { ...clockOf(task), late: 'fire-last' }));
    }
    hospital.at('2026-11-24T15:00:00Z');
    await hospital.transitions.tick();
    expect(told().filter((text) => text.includes('check-'))).toEqual([
      'follow-up-skipped check-21',
      'follow-up-skipped check-22',
      'follow-up-due check-23',
    ]);
    const tasks = await hospital.followUps();
    expect(tasks['check-21']).toMatchObject({ status: 'cancelled', statusReason: { text: 'Superseded' } });
    expect(tasks['check-29']).toMatchObject({ status: 'requested' });
    await expectExactlyOnce('2026-11-24T15:00:00Z');
  });
});

describe('a transition that has ended', () => {
  it('by somebody who left its follow-ups open has them cancelled instead of raised', async () => {
    await opened();
    const [episode] = await hospital.episodes();
    await hospital.put({ ...(episode as EpisodeOfCare), status: 'finished' });
    // Before anybody has read of it in the log.
    hospital.at('2026-11-20T19:06:00Z');
    expect(await hospital.transitions.sweep()).toMatchObject({ raised: 0, skipped: 1 });
    expect(told()).toEqual(['follow-up-skipped notify-pcp']);
    expect((await hospital.followUps())['notify-pcp']).toMatchObject({ status: 'cancelled' });
    expect(await hospital.all('CommunicationRequest')).toEqual([]);
  });

  it('between plan and commit lets nothing be done any more', async () => {
    await opened();
    const [episode] = await hospital.episodes();
    const read = { type: 'EpisodeOfCare', id: episode?.id ?? '', versionId: episode?.meta?.versionId ?? '' };
    await withLease(
      hospital.store,
      hospital.temp.clock,
      'test',
      Temporal.Duration.from({ seconds: 30 }),
      async (lease) => {
        const held = whileUnchanged(lease.fence, read);
        await hospital.store.commit(NURSE, [], [held]);
        await hospital.put({ ...(episode as EpisodeOfCare), status: 'finished' });
        await expect(hospital.store.commit(NURSE, [], [held])).rejects.toMatchObject({ kind: 'conflict' });
        await hospital.store.commit(NURSE, [], [lease.fence]);
      },
    );
  });
});

describe('the clock', () => {
  it("an hour ahead of the database's stops the sweep and is told once, until they agree", async () => {
    let minutes = 60;
    await opened(undefined, { skew: () => Temporal.Duration.from({ minutes }) });
    const { transitions, store } = hospital;
    hospital.at('2026-11-23T15:00:00Z');
    expect(await transitions.tick()).toMatchObject({ raised: 0 });
    await transitions.watchdog.look();
    await transitions.watchdog.look();
    expect(await alertsOf(store)).toEqual(['machine-clock.skewed']);
    expect(await transitions.watchdog.complaints()).toHaveLength(1);
    minutes = 4;
    expect(await transitions.tick()).toMatchObject({ raised: 4 });
    await transitions.watchdog.look();
    expect(await alertsOf(store)).toEqual(['machine-clock.agreed', 'machine-clock.skewed']);
  });

  it('an hour behind is told, and nothing waits for it', async () => {
    await opened(undefined, { skew: () => Temporal.Duration.from({ minutes: -60 }) });
    hospital.at('2026-11-23T15:00:00Z');
    expect(await hospital.transitions.tick()).toMatchObject({ raised: 4 });
    await hospital.transitions.watchdog.look();
    expect(await alertsOf(hospital.store)).toEqual(['machine-clock.skewed']);
  });
});

describe('the watchdog', () => {
  it('tells of a heartbeat that stopped, once for all processes, and of its return', async () => {
    let minutes = 0;
    await opened(undefined, { skew: () => Temporal.Duration.from({ minutes }) });
    const { transitions, store } = hospital;
    const other = hospital.openTransitions();
    await transitions.tick();
    await transitions.watchdog.look();
    expect(await alertsOf(store)).toEqual([]);
    minutes = 6;
    await Promise.all([transitions.watchdog.look(), other.watchdog.look()]);
    expect(await alertsOf(store)).toEqual(['heartbeat.stopped']);
    await other.tick();
    await transitions.watchdog.look();
    expect(await alertsOf(store)).toEqual(['heartbeat.resumed', 'heartbeat.stopped']);
    expect((await transitions.watchdog.complaints())[0]).toMatch(/heartbeat that ended well was 36\d s ago/);
    expect(await other.watchdog.complaints()).toEqual([]);
  });

  it('tells of a calendar whose years are coming to their end while the process runs', async () => {
    await opened();
    const calendars = createCalendars([{ name: 'us-federal', weekend: [6, 7], coverage: { to: 2027 } }]);
    const { watchdog } = hospital.openTransitions({ calendars });
    expect(await watchdog.complaints()).toEqual([]);
    hospital.at('2027-08-01T15:00:00Z');
    expect(await watchdog.complaints()).toEqual([
      'Calendar "us-federal" does not cover 2028; add its holidays and move its coverage.',
    ]);
    await watchdog.look();
    expect(await alertsOf(hospital.store)).toEqual(['calendars.ending']);
  });

  it('tells of sweeps that leave what is due', async () => {
    let minutes = 0;
    await opened(undefined, { mostPerSweep: 1, skew: () => Temporal.Duration.from({ minutes }) });
    const { transitions, store } = hospital;
    hospital.at('2026-11-23T15:00:00Z');
    await transitions.tick();
    minutes = 2;
    await transitions.tick();
    minutes = 4;
    await transitions.watchdog.look();
    expect(await alertsOf(store)).toEqual([]);
    await transitions.tick();
    expect((await transitions.watchdog.status()).secondsBehind).toBeGreaterThanOrEqual(240);
  });
});

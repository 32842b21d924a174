// Cron schedules in UTC, evaluated by the heartbeat: what passed while nobody looked is made up for once.
import { afterEach, describe, expect, test } from 'vitest';
import { lastTime, nextTime, problemOfCron } from '../../src/sync/connections/cron.ts';
import { openWorld, task, type World, type WorldOptions } from '../support/sync-world.ts';

const utc = (text: string) => Temporal.Instant.from(`${text}Z`);

describe('expressions', () => {
  test.each(['0 3 * * *', '*/15 8-17 * * mon-fri', '0 0 L * *', '30 2 1,15 * *', '0 0 29 2 *', '0 9 * * 1#1'])(
    '%s is one',
    (expression) => {
      expect(problemOfCron(expression)).toBeUndefined();
    },
  );

  test.each([
    ['0 3 * *', 'five fields'],
    ['0 0 3 * * *', 'five fields'],
    ['60 3 * * *', 'minute of the schedule cannot be 60'],
    ['0 3 * * funday', 'weekday'],
    ['', 'five fields'],
    ['0 0 30 2 *', 'cannot be'],
  ])('%j is none', (expression, sentence) => {
    expect(problemOfCron(expression)?.replace('dayOfWeek', 'weekday')).toContain(sentence);
  });

  test.each([
    ['0 3 * * *', '2026-11-27T03:00', '2026-11-28T02:59', undefined, '2026-11-28T03:00'],
    ['0 3 * * *', '2026-11-27T03:00', '2026-11-28T03:00', '2026-11-28T03:00', '2026-11-29T03:00'],
    ['0 3 * * *', '2026-11-20T12:00', '2026-11-28T12:00', '2026-11-28T03:00', '2026-11-29T03:00'],
    ['*/20 * * * *', '2026-11-28T12:00', '2026-11-28T12:19', undefined, '2026-11-28T12:20'],
    ['0 0 L * *', '2026-11-01T00:00', '2026-12-15T00:00', '2026-11-30T00:00', '2026-12-31T00:00'],
    ['0 0 29 2 *', '2024-03-01T00:00', '2028-03-01T00:00', '2028-02-29T00:00', '2032-02-29T00:00'],
    ['30 1 * * *', '2026-11-01T00:00', '2026-11-01T02:00', '2026-11-01T01:30', '2026-11-02T01:30'],
  ] as const)('%s after %s until %s', (expression, after, now, last, next) => {
    expect(lastTime(expression, utc(after), utc(now))).toEqual(last && utc(last));
    expect(nextTime(expression, utc(now))).toEqual(next && utc(next));
  });
});

describe('a scheduled pull', () => {
  let world: World;
  afterEach(() => world.cleanup());

  async function open(options: WorldOptions = {}): Promise<void> {
    world = await openWorld({
      ...options,
      connection: {
        types: { Task: 'pull' },
        schedule: { pull: '0 3 * * *', sweep: '0 0 29 2 *' },
        ...options.connection,
      },
    });
  }
  const pulls = () => world.remote.requests.filter(({ url }) => url.startsWith('/Task?')).length;

  test('waits for its time, runs once, and makes up once for what passed while Baton was down', async () => {
    await open();
    world.remote.put(task('r1'));
    for (const now of ['2026-11-27T12:00', '2026-11-28T02:59']) await world.sync.tick(utc(now));
    expect(pulls()).toBe(0);
    for (const now of ['2026-11-28T03:00', '2026-11-28T03:01', '2026-11-28T12:00']) await world.sync.tick(utc(now));
    expect(pulls()).toBe(1);
    await world.restart();
    await world.sync.tick(utc('2026-11-29T02:00'));
    expect(pulls()).toBe(1);
    await world.restart();
    for (const now of ['2026-12-02T07:00', '2026-12-02T07:01']) await world.sync.tick(utc(now));
    expect(pulls()).toBe(2);
    await world.sync.tick(utc('2026-12-03T03:00'));
    expect(pulls()).toBe(3);
  });

  test('that found the server away is still due', async () => {
    await open({ connection: { mode: 'pull' } });
    await world.sync.tick(utc('2026-11-27T12:00'));
    world.remote.knobs.statement = { resourceType: 'Basic' };
    await world.sync.tick(utc('2026-11-28T03:00'));
    expect(pulls()).toBe(0);
    world.remote.knobs.statement = {};
    world.remote.knobs.refusals = Array.from({ length: 3 }, () => ({ status: 500 }));
    await world.sync.tick(utc('2026-11-28T03:10'));
    expect(world.remote.knobs.refusals).toEqual([]);
    await world.sync.tick(utc('2026-11-28T03:20'));
    await world.sync.tick(utc('2026-11-28T03:21'));
    expect(pulls()).toBe(1);
  });

  test('that another process has run is not run again', async () => {
    await open();
    await world.sync.tick(utc('2026-11-27T12:00'));
    const other = world.another();
    await other.tick(utc('2026-11-27T12:00'));
    await other.tick(utc('2026-11-28T03:00'));
    await world.sync.tick(utc('2026-11-28T03:01'));
    expect(pulls()).toBe(1);
    await other.stop();
  });

  test('that is off runs when it is on again', async () => {
    await open();
    await world.sync.tick(utc('2026-11-27T12:00'));
    const mode = (value: string) => world.sync.connections.patch(NOBODY, 'ehr', { mode: value });
    await mode('push');
    await world.sync.tick(utc('2026-11-28T03:00'));
    expect(pulls()).toBe(0);
    await mode('pull');
    await world.sync.tick(utc('2026-11-28T03:30'));
    expect(pulls()).toBe(1);
  });
});

const NOBODY = { reference: 'test', kind: 'service' } as const;

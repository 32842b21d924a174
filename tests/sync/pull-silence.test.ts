// When a type is silent for too long, and when that it has not been read is no silence. docs/sync-spec.md#I23
import { afterEach, describe, expect, test } from 'vitest';
import { NURSE, openWorld, patient, task, type World, type WorldOptions } from '../support/sync-world.ts';

let world: World;
afterEach(() => world.cleanup());

const told = () => world.events.flatMap(({ alert }) => alert ?? []).filter((alert) => alert.startsWith('pull.'));
let passed = 0;

async function open(options: WorldOptions): Promise<void> {
  passed = 0;
  world = await openWorld(options);
}

async function beatAfter(minutes: number): Promise<void> {
  world.pass({ minutes });
  passed += minutes;
  await world.sync.tick(Temporal.Now.instant().add({ minutes: passed }));
}

const failing =
  (path: string, isFailing: () => boolean): typeof globalThis.fetch =>
  async (...given) =>
    isFailing() && String(given[0]).includes(path) ? new Response('', { status: 503 }) : globalThis.fetch(...given);

describe('a connection with a schedule', () => {
  const types = { Task: 'pull' } as const;

  test('is silent an hour after the time at which it should have been read', async () => {
    let isAway = false;
    const fetch = failing('/Task', () => isAway);
    await open({ connection: { types, schedule: { pull: '0 * * * *' } }, sync: () => ({ fetch }) });
    await beatAfter(0);
    for (let hour = 0; hour < 4; hour += 1) await beatAfter(60);
    expect(told()).toEqual([]);
    isAway = true;
    await beatAfter(59);
    expect(told()).toEqual([]);
    await beatAfter(66);
    await beatAfter(10);
    expect(told()).toEqual(['pull.stalled']);
    isAway = false;
    await beatAfter(60);
    await beatAfter(60);
    expect(told()).toEqual(['pull.stalled', 'pull.resumed']);
  });

  test('is not silent from one time to the next', async () => {
    const { hour } = Temporal.Now.zonedDateTimeISO('UTC');
    await open({ connection: { types, schedule: { pull: `0 ${(hour + 12) % 24} * * *` } } });
    await world.sync.pullNow();
    for (let hours = 0; hours < 10; hours += 1) await beatAfter(60);
    expect(told()).toEqual([]);
  });
});

describe('a type that was never read', () => {
  const types = { Patient: 'pull', Task: 'pull' } as const;

  test('is silent since it should have been, told once over restarts', async () => {
    let isAway = true;
    const sync = () => ({ fetch: failing('/Task?', () => isAway) });
    await open({ connection: { types }, sync });
    await beatAfter(0);
    await beatAfter(50);
    expect(told()).toEqual([]);
    await world.restart(sync);
    await beatAfter(15);
    await world.restart(sync);
    await beatAfter(5);
    expect(told()).toEqual(['pull.stalled']);
    isAway = false;
    await beatAfter(60);
    await beatAfter(60);
    expect(told()).toEqual(['pull.stalled', 'pull.resumed']);
  });

  test('is silent though a first load of it was under way, which the connection has no more', async () => {
    const sync = () => ({ fetch: failing('/Task', () => true) });
    await open({ connection: { types: { Task: 'pull' } }, sync });
    const sql = `INSERT INTO bulk_job (connection, state, types, attempts, next_at, at)
      VALUES ('ehr', 'loading', '["Task"]', 1, 0, 0)`;
    await world.temp.store.commit(NURSE, [], [{ sql, params: [] }]);
    await beatAfter(0);
    await beatAfter(65);
    expect(told()).toEqual(['pull.stalled']);
  });

  test('is not silent on a server that has it not', async () => {
    await open({ knobs: { lost: ['Task'] }, connection: { types } });
    for (let rounds = 0; rounds < 4; rounds += 1) await beatAfter(40);
    expect(told()).toEqual([]);
  });
});

describe('a round that takes longer than the limit', () => {
  // All of it in less time than the lease of the pull lasts.
  const limit = { alerts: { stalledSeconds: 12 } };
  const connection = {
    vendor: 'epic',
    types: { Patient: 'both', Task: 'both' },
    pullEverySeconds: 4,
    pacing: { concurrency: 1 },
  } as const;

  async function round(secondsToAnswer: number): Promise<void> {
    let isFirst = true;
    const fetch: typeof globalThis.fetch = async (...given) => {
      const answer = await globalThis.fetch(...given);
      if (isFirst && String(given[0]).includes('/Task?')) {
        world.pass({ seconds: secondsToAnswer });
        const other = world.another();
        await other.tick(Temporal.Now.instant());
        await other.stop();
      }
      return answer;
    };
    await open({ knobs: { lastUpdated: false }, connection, sync: () => ({ fetch, ...limit }) });
    for (const id of ['p1', 'p2', 'p3', 'p4']) await world.write(patient(id));
    await world.sync.pushNow();
    for (const { id } of world.remote.all('Patient')) {
      world.remote.put(task(`of-${id}`, { for: { reference: `Patient/${id}` } }));
    }
    await world.sync.pullNow();
    expect(await world.all('Task')).toHaveLength(4);
    isFirst = false;
    await world.sync.tick(Temporal.Now.instant());
  }

  test('is none as long as it brings something, neither while it lasts nor when it has ended', async () => {
    await round(8);
    expect(told()).toEqual([]);
  });

  test('is one while it brings nothing', async () => {
    await round(13);
    expect(told()).toContain('pull.stalled');
  });
});

describe('a connection that was off for days', () => {
  const types = { Patient: 'push', Task: 'pull' } as const;
  const mode = (value: string) => world.sync.connections.patch(NURSE, 'ehr', { mode: value });

  test('is read with the first beat after that, however long its interval is', async () => {
    await open({ connection: { types, pullEverySeconds: 7200 } });
    await beatAfter(0);
    await mode('off');
    for (let beats = 0; beats < 60; beats += 1) await beatAfter(121);
    world.remote.put(task('t1'));
    await mode('both');
    await beatAfter(1);
    expect(await world.all('Task')).toHaveLength(1);
    expect(told()).toEqual([]);
  });

  test('is not silent before that beat, whatever is told of it meanwhile', async () => {
    await open({ connection: { types } });
    await beatAfter(0);
    await mode('off');
    await beatAfter(5 * 24 * 60);
    await mode('both');
    world.remote.knobs.refusals.push({ status: 422, body: '' });
    await world.write(patient('p1'));
    await world.sync.pushNow();
    expect(world.events.flatMap(({ alert }) => alert ?? [])).toContain('rejected.first');
    expect(told()).toEqual([]);
  });
});

test('a pull that the server was not there for is tried with the next beat, not after the next interval', async () => {
  let isAway = true;
  const sync = () => ({ fetch: failing('/Task', () => isAway) });
  await open({ connection: { types: { Task: 'pull' }, pullEverySeconds: 86_400 }, sync });
  world.remote.put(task('t1'));
  await beatAfter(0);
  isAway = false;
  await beatAfter(1);
  expect(await world.all('Task')).toHaveLength(1);
});

// What a server says it can do changes; so does the way it is asked, and operators hear of it once. docs/sync-spec.md#I29
import type { Task } from '@medplum/fhirtypes';
import { afterEach, describe, expect, test } from 'vitest';
import { openWorld, patient, task, type World, type WorldOptions } from '../support/sync-world.ts';

let world: World;
afterEach(() => world.cleanup());

async function open(options: WorldOptions): Promise<void> {
  world = await openWorld(options);
  await world.write(patient('p1'));
  await world.sync.pushNow();
  put('r1');
  await world.sync.pullNow();
}

const put = (id: string, fields: object = {}) =>
  world.remote.put(task(id, { for: { reference: `Patient/${world.remote.all('Patient')[0]?.id}` }, ...fields }));
const told = (kind: string) => world.events.filter((event) => event.kind === kind);

async function urlsOf(work: () => Promise<unknown>): Promise<string[]> {
  const before = world.remote.requests.length;
  await work();
  return world.remote.requests.slice(before).map(({ url }) => url);
}

describe('a lost ability', () => {
  const types = { Patient: 'push', Task: 'both' } as const;

  test('switches to the next strategy and is told once, with the difference', async () => {
    await open({ knobs: { history: true }, connection: { vendor: 'epic', types } });
    expect(told('capability')).toEqual([]);
    Object.assign(world.remote.knobs, { history: false, lastUpdated: false });
    world.pass({ hours: 25 });
    put('r2');
    const urls = await urlsOf(() => world.sync.pullNow());
    expect(urls.some((url) => url.startsWith('/Task?patient='))).toBe(true);
    expect(await world.all('Task')).toHaveLength(2);
    world.pass({ hours: 25 });
    await world.sync.pullNow();
    await world.restart();
    await world.sync.pullNow();
    const [event, ...more] = told('capability');
    expect(more).toEqual([]);
    expect(event?.detail).toContain('Task lost interactions: history-type.');
    expect(event?.detail).toContain('Task lost search: _lastUpdated.');
    expect(event?.detail).toContain('Task is pulled by roster instead of history.');
    const messages = await world.temp.store.query("SELECT detail FROM message WHERE outcome = 'capability-changed'");
    expect(messages).toEqual([{ detail: event?.detail }]);
  });

  test('is noticed across a restart', async () => {
    await open({ knobs: { history: true }, connection: { types } });
    world.remote.knobs.history = false;
    await world.restart();
    await world.sync.pullNow();
    expect(told('capability')).toHaveLength(1);
  });

  test('of a type that does not flow is nobody’s concern', async () => {
    await open({ knobs: { searchableIdentifier: true }, connection: { types: { Task: 'both' } } });
    world.remote.knobs.lastUpdated = true;
    await world.restart();
    await world.sync.pullNow();
    expect(told('capability')).toEqual([]);
  });

  test('to write is noticed by the first refusal, not by one of each resource', async () => {
    await open({ connection: { types } });
    const [search, reads] = [
      ['_lastUpdated', 'identifier'],
      ['read', 'search-type'],
    ];
    const writes = [...reads, 'create', 'update', 'delete'];
    const fresh = (id: string) => world.write({ ...task(id, { for: { reference: 'Patient/p1' } }), id });
    world.pass({ minutes: 11 });
    world.remote.knobs.doors = {
      Patient: { interactions: writes, search },
      Task: { interactions: reads, search: [...search, 'patient'] },
    };
    world.remote.knobs.refusals.push({ status: 405 });
    await fresh('t1');
    await world.sync.pushNow();
    await fresh('t2');
    const urls = await urlsOf(() => world.sync.pushNow());
    expect(urls).toEqual([]);
    await world.sync.pullNow();
    expect(told('capability')).toEqual([
      expect.objectContaining({ detail: 'Task lost interactions: create, delete, update.' }),
    ]);
    const [status] = await world.sync.status();
    expect(status?.outbox).toMatchObject({ rejected: 0, superseded: 2 });
  });

  test('that the server still states is found out by its refusal', async () => {
    await open({ connection: { types } });
    const stated = { ...world.remote.knobs };
    Object.assign(world.remote.knobs, { lastUpdated: 'with-patient' });
    put('r2', { status: 'accepted' });
    for (let rounds = 0; rounds < 3; rounds += 1) await world.sync.pullNow();
    expect(stated.lastUpdated).toBe(true);
    expect(await world.all('Task')).toHaveLength(2);
    expect(told('refused-type')).toEqual([
      expect.objectContaining({ type: 'Task', detail: expect.stringContaining('roster from now on') }),
    ]);
    const urls = await urlsOf(() => world.sync.pullNow());
    expect(urls.filter((url) => url.startsWith('/Task?')).every((url) => url.includes('patient='))).toBe(true);
  });
});

describe('a type that the server has no more', () => {
  const types = { Patient: 'push', Task: 'both' } as const;
  const alerts = () => world.events.flatMap(({ alert }) => alert ?? []).filter((alert) => !alert.startsWith('clock.'));
  const planOf = async () => (await world.sync.status())[0]?.strategies.Task;
  const outbox = async () => (await world.sync.status())[0]?.outbox;
  const beat = (hours: number) => {
    world.pass({ hours });
    passed += hours;
    return world.sync.tick(Temporal.Now.instant().add({ hours: passed }));
  };
  let passed = 0;

  async function openLinked(knobs: WorldOptions['knobs'] = { history: true }): Promise<Task & { id: string }> {
    passed = 0;
    await open({ connection: { types }, ...(knobs ? { knobs } : {}) });
    const [here] = await world.all<Task>('Task');
    if (!here) throw new Error('nothing came in');
    return here;
  }

  test('is one event, and one when it is back; what was edited waits for that, and nothing is taken for deleted', async () => {
    const here = await openLinked();
    world.remote.knobs.lost = ['Task'];
    await world.sync.pullNow();
    expect(alerts()).toEqual(['capability.changed']);
    expect(told('capability').map(({ detail }) => detail)).toEqual([
      'Task is gone. Task is pulled by none instead of history.',
    ]);
    expect(await planOf()).toMatchObject({ strategy: 'none', why: 'no-capability' });
    await world.write({ ...here, status: 'accepted' });
    await world.write({ ...task('t2', { for: { reference: 'Patient/p1' } }), id: 't2' });
    await world.sync.pushNow();
    for (let day = 0; day < 3; day += 1) await beat(25);
    expect(await world.sync.conflicts()).toEqual([]);
    expect(await outbox()).toMatchObject({ superseded: 2, queued: 0, rejected: 0, parked: 0 });
    expect(alerts()).toEqual(['capability.changed']);

    world.remote.knobs.lost = [];
    for (let rounds = 0; rounds < 2; rounds += 1) await beat(25);
    expect(alerts()).toEqual(['capability.changed', 'capability.changed']);
    expect(told('capability')[1]?.detail).toBe('Task is there. Task is pulled by history instead of none.');
    expect(await planOf()).toMatchObject({ strategy: 'history' });
    expect(world.remote.all('Task').map((one) => (one as Task).status)).toEqual(['accepted', 'requested']);
    expect(await world.sync.conflicts()).toEqual([]);
  });

  test('is noticed by a push, too, which asks nobody whether the resource was deleted', async () => {
    const here = await openLinked();
    world.remote.knobs.lost = ['Task'];
    await world.write({ ...here, status: 'accepted' });
    await world.sync.pushNow();
    expect(await world.sync.conflicts()).toEqual([]);
    expect(await outbox()).toMatchObject({ superseded: 1, queued: 0, rejected: 0 });
    await world.sync.pullNow();
    expect(alerts()).toEqual(['capability.changed']);
    expect(await planOf()).toMatchObject({ strategy: 'none' });
  });

  test('is noticed where resources are only sent', async () => {
    await open({ connection: { types: { Patient: 'push', Task: 'push' }, mode: 'push' } });
    await world.write({ ...task('t1', { for: { reference: 'Patient/p1' } }), id: 't1' });
    await world.sync.pushNow();
    world.remote.knobs.lost = ['Task'];
    await world.write({ ...task('t1', { for: { reference: 'Patient/p1' }, status: 'accepted' }), id: 't1' });
    await world.sync.pushNow();
    expect(alerts()).toEqual(['capability.changed']);
    expect(await outbox()).toMatchObject({ superseded: 1 });
    world.remote.knobs.lost = [];
    world.pass({ hours: 25 });
    await world.sync.pushNow();
    expect(alerts()).toEqual(['capability.changed', 'capability.changed']);
    expect(world.remote.all('Task').map((one) => (one as Task).status)).toEqual(['requested', 'accepted']);
  });

  test('though it states that it has: one event, and what is sent waits and goes when it is given again', async () => {
    const here = await openLinked();
    world.remote.knobs.denied = ['Task'];
    await world.sync.pullNow();
    expect(alerts()).toEqual(['type.refused']);
    expect(await planOf()).toMatchObject({ strategy: 'none', why: expect.stringContaining('refuses') });
    await world.write({ ...here, status: 'accepted' });
    await world.sync.pushNow();
    for (let day = 0; day < 3; day += 1) await beat(25);
    expect(await world.sync.conflicts()).toEqual([]);
    expect(await outbox()).toMatchObject({ queued: 1, rejected: 0, parked: 0, superseded: 0 });
    expect(alerts()).toEqual(['type.refused']);

    world.remote.knobs.denied = [];
    for (let rounds = 0; rounds < 2; rounds += 1) await beat(25);
    expect(alerts()).toEqual(['type.refused', 'type.given']);
    expect(await planOf()).toMatchObject({ strategy: 'history' });
    expect((world.remote.all('Task')[0] as Task).status).toBe('accepted');
  });

  test('to who only sends it and is told otherwise by the statement, once', async () => {
    await open({ connection: { types: { Patient: 'push', Task: 'push' }, mode: 'push' } });
    world.remote.knobs.denied = ['Task'];
    for (const id of ['t1', 't2']) await world.write({ ...task(id, { for: { reference: 'Patient/p1' } }), id });
    await world.sync.pushNow();
    for (let day = 0; day < 3; day += 1) await beat(25);
    expect(await outbox()).toMatchObject({ queued: 2, rejected: 0, parked: 0 });
    expect(alerts()).toEqual(['type.refused']);
    world.remote.knobs.denied = [];
    await beat(25);
    await beat(1);
    expect(world.remote.all('Task')).toHaveLength(3);
    expect(alerts()).toEqual(['type.refused', 'type.given']);
  });

  test('says nothing about a resource that was looked for, nor about the server', async () => {
    await openLinked({});
    world.pass({ minutes: 1 });
    for (const id of ['t1', 't2', 't3']) await world.write({ ...task(id, { for: { reference: 'Patient/p1' } }), id });
    await world.sync.pushNow();
    const there = world.remote.all('Task').find(({ id }) => id !== 'r1');
    world.remote.remove('Task', String(there?.id));
    world.remote.knobs.forgetsDeleted = true;
    await world.sync.sweep();
    expect(await world.temp.store.query('SELECT type FROM delete_probe')).toEqual([{ type: 'Task' }]);
    world.remote.knobs.denied = ['Task'];
    for (let day = 0; day < 4; day += 1) await beat(25);
    const links = await world.temp.store.query("SELECT state FROM identity WHERE type = 'Task'");
    expect(links.map(({ state }) => state)).toEqual(['linked', 'linked', 'linked', 'linked']);
    expect(alerts()).not.toContain('server.replaced');
  });
});

test('another way that the connection itself asks for is no change of the server', async () => {
  await open({ knobs: { history: true }, connection: { types: { Patient: 'push', Task: 'both' } } });
  const strategies = { Task: 'search' } as const;
  await world.restart(() => ({ connections: [{ ...world.connection, strategies }] }));
  await world.sync.pullNow();
  expect(told('capability')).toEqual([]);
  expect((await world.sync.status())[0]?.strategies.Task).toMatchObject({ strategy: 'search' });
  await world.restart();
  await world.sync.pullNow();
  expect(told('capability')).toEqual([]);
});

test('a type without a door is counted, and nothing is asked', async () => {
  await open({ connection: { types: { Patient: 'push', Task: 'both', Communication: 'both' } } });
  await world.write({
    resourceType: 'Communication',
    id: 'm1',
    status: 'completed',
    subject: { reference: 'Patient/p1' },
  });
  await world.sync.pushNow();
  await world.sync.pullNow();
  expect(world.remote.requests.filter(({ url }) => url.includes('Communication'))).toEqual([]);
  const [status] = await world.sync.status();
  expect(status?.outbox).toMatchObject({ superseded: 1, parked: 0 });
  expect(status?.strategies).toMatchObject({
    Task: { strategy: 'search' },
    Communication: { strategy: 'none', why: 'no-capability' },
  });
});

describe('the stream', () => {
  test('starts anew when another patient scope is asked for', async () => {
    await open({ connection: { types: { Patient: 'push', Task: 'both' } } });
    const streams = () => world.temp.store.query("SELECT stream_key FROM checkpoint WHERE type = 'Task'");
    expect(await streams()).toHaveLength(1);
    const id = String(world.remote.all('Patient')[0]?.id);
    world.remote.put({
      resourceType: 'Group',
      id: 'g1',
      type: 'person',
      actual: true,
      member: [{ entity: { reference: `Patient/${id}` } }],
    });
    const scoped = { ...world.connection, patients: { kind: 'group', id: 'g1' } as const };
    await world.restart(() => ({ connections: [scoped] }));
    const urls = await urlsOf(() => world.sync.pullNow());
    expect(urls).toContain('/Task?_sort=_lastUpdated&_count=100');
    expect(await streams()).toHaveLength(2);
  });

  test('looks back at least as far as the product needs', async () => {
    await open({ connection: { types: { Patient: 'push', Task: 'both' }, overlapSeconds: 0 } });
    const lastUpdated = Temporal.Instant.fromEpochMilliseconds(world.remote.now - 200_000).toString();
    world.remote.put(task('late', { for: (world.remote.all('Task')[0] as Task).for }), { lastUpdated });
    await world.sync.pullNow();
    expect(await world.all('Task')).toHaveLength(2);
  });
});

test('clocks that are a minute apart are told once, and once that they agree again', async () => {
  const now = () => Temporal.Now.instant().epochMilliseconds;
  world = await openWorld({ connection: { types: { Task: 'pull' } } });
  world.remote.now = now();
  await world.sync.pullNow();
  expect(told('clock')).toEqual([]);
  world.remote.now = now() + 90_000;
  for (let rounds = 0; rounds < 3; rounds += 1) await world.sync.pullNow();
  expect(told('clock').map(({ detail }) => detail)).toEqual([expect.stringMatching(/is \d+ s ahead of ours/)]);
  world.remote.now = now();
  await world.restart();
  await world.sync.pullNow();
  expect(told('clock')).toHaveLength(2);
});

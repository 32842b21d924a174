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
    expect(status?.outbox).toMatchObject({ rejected: 1, superseded: 1 });
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

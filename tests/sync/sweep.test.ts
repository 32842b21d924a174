// The sweep compares everything linked with everything there, and finds what the streams missed. docs/sync-spec.md#I21
import type { Task } from '@medplum/fhirtypes';
import { afterEach, describe, expect, test } from 'vitest';
import { openWorld, patient, task, type World, type WorldOptions } from '../support/sync-world.ts';

let world: World;
afterEach(() => world.cleanup());

async function open(tasks: number, options: WorldOptions = {}): Promise<void> {
  world = await openWorld(options);
  await world.write(patient('p1'));
  await world.sync.pushNow();
  for (let id = 0; id < tasks; id += 1) world.remote.put(task(`r${id}`, { for: subject() }));
  await world.sync.pullNow();
}

const subject = () => ({ reference: `Patient/${world.remote.all('Patient')[0]?.id}` });

async function states(): Promise<unknown[]> {
  const rows = await world.temp.store.query("SELECT state FROM identity WHERE type = 'Task' ORDER BY state, remote_id");
  return rows.map(({ state }) => state);
}

/** Changes something in a way that no stream shows: long before the watermark. */
function unseen(id: string, fields: object): void {
  world.remote.put(task(id, { for: subject(), ...fields }), { lastUpdated: '2020-01-01T00:00:00.000Z' });
}

async function asked(work: () => Promise<unknown>): Promise<string[]> {
  const before = world.remote.requests.length;
  await work();
  return world.remote.requests.slice(before).map(({ url }) => url);
}

for (const elements of [true, false]) {
  test(`finds new, changed and deleted ones that no stream shows (${elements ? 'ids and versions' : 'whole'})`, async () => {
    await open(3, { knobs: { elements } });
    unseen('r1', { status: 'accepted' });
    unseen('late', {});
    world.remote.put(task('stranger', { for: { reference: 'Patient/other' } }), {
      lastUpdated: '2020-01-01T00:00:00Z',
    });
    world.remote.remove('Task', 'r2');
    await world.sync.pullNow();
    expect(await world.all('Task')).toHaveLength(3);
    expect(await states()).toEqual(['linked', 'linked', 'linked']);
    const urls = await asked(() => world.sync.sweep());
    const tasks = await world.all<Task>('Task');
    expect(tasks).toHaveLength(4);
    expect(tasks.filter(({ status }) => status === 'accepted')).toHaveLength(1);
    expect(await states()).toEqual(['linked', 'linked', 'linked', 'tombstone']);
    const whole = urls.filter((url) => url.startsWith('/Task/')).sort();
    expect(whole).toEqual(elements ? ['/Task/late', '/Task/r1', '/Task/r2'] : ['/Task/r2']);
  });
}

test('finds what names one of ours beside a stranger', async () => {
  const door = { interactions: ['read', 'search-type', 'create', 'update'], search: ['identifier', '_lastUpdated'] };
  const doors = { Patient: door, Appointment: door };
  await open(0, { knobs: { elements: true, doors }, connection: { types: { Patient: 'both', Appointment: 'both' } } });
  const participant = [{ reference: 'Patient/other' }, subject()].map((actor) => ({
    actor,
    status: 'accepted' as const,
  }));
  const appointment = { resourceType: 'Appointment', id: 'a1', status: 'proposed', participant } as const;
  world.remote.put(appointment, { lastUpdated: '2020-01-01T00:00:00Z' });
  const later = { ...appointment, id: 'a2' };
  world.remote.put(later);
  await world.sync.pullNow();
  world.remote.put({ ...appointment, id: 'a3' }, { lastUpdated: '2020-01-01T00:00:00Z' });
  await world.sync.sweep();
  expect(await world.all('Appointment')).toHaveLength(3);
});

test('of an unchanged server writes nothing', async () => {
  await open(5);
  const head = await world.temp.store.head();
  const urls = await asked(() => world.sync.sweep());
  expect(await world.temp.store.head()).toBe(head);
  expect(urls.filter((url) => /^\/Task\/r/.test(url))).toEqual([]);
});

test('goes patient by patient where types are pulled so, whatever was known of the answers', async () => {
  const types = { Patient: 'both', Task: 'both' } as const;
  await open(2, { knobs: { lastUpdated: false }, connection: { vendor: 'epic', types } });
  await world.temp.store.commit(
    { reference: 'Device/test', kind: 'service' },
    [],
    [{ sql: "UPDATE roster SET answers = '[]' WHERE type = 'Task'", params: [] }],
  );
  // Nothing is known of who was there, so only the comparison with the links can tell.
  world.remote.remove('Task', 'r0');
  await world.sync.sweep('ehr');
  expect(await states()).toEqual(['linked', 'tombstone']);
});

test('does not believe that half of a type was deleted', async () => {
  await open(24);
  for (let id = 0; id < 13; id += 1) world.remote.remove('Task', `r${id}`);
  await world.sync.sweep();
  expect(new Set(await states())).toEqual(new Set(['linked']));
  expect(await world.temp.store.query('SELECT * FROM delete_probe')).toEqual([]);
  expect(world.events).toContainEqual(
    expect.objectContaining({ kind: 'sweep', type: 'Task', detail: expect.stringContaining('13 of 24') }),
  );
});

test('draws no conclusion from a list with gaps', async () => {
  await open(2, { knobs: { elements: false } });
  world.remote.remove('Task', 'r0');
  world.remote.knobs.warnings = { Task: '4119' };
  await world.sync.sweep();
  expect(await states()).toEqual(['linked', 'linked']);
  expect(await world.temp.store.query('SELECT * FROM delete_probe')).toEqual([]);
});

test('happens once a night, also when Baton was down at night', async () => {
  await open(1);
  const sweeps = async (now: string) => {
    const urls = await asked(() => world.sync.tick(Temporal.Instant.from(`${now}Z`)));
    return urls.filter((url) => url.startsWith('/Task?') && url.includes('_elements')).length;
  };
  expect(await sweeps('2030-01-01T12:00')).toBe(0);
  expect(await sweeps('2030-01-02T01:59')).toBe(0);
  expect(await sweeps('2030-01-02T02:00')).toBe(1);
  await world.restart();
  expect(await sweeps('2030-01-02T02:01')).toBe(0);
  expect(await sweeps('2030-01-05T12:00')).toBe(1);
  expect(await sweeps('2030-01-05T12:01')).toBe(0);
});

describe('a server that is not the one it was', () => {
  test('is noticed by what we made there, and read from the beginning', async () => {
    await open(2);
    const kept = world.remote.all('Task');
    world.remote.wipe();
    for (const one of kept) world.remote.put(one, { lastUpdated: '2020-01-01T00:00:00.000Z' });
    unseen('older', {});
    await world.sync.pullNow();
    expect(world.events.filter(({ kind }) => kind === 'epoch')).toEqual([]);
    world.pass({ hours: 2 });
    const urls = await asked(() => world.sync.pullNow());
    expect(world.events.filter(({ kind }) => kind === 'epoch')).toHaveLength(1);
    expect(urls).toContain('/Task?_sort=_lastUpdated&_count=100');
    world.pass({ hours: 2 });
    await world.sync.pullNow();
    expect(world.events.filter(({ kind }) => kind === 'epoch').length).toBeLessThanOrEqual(2);
  });

  test('and older than what we know takes nothing away from us: a person decides', async () => {
    await open(0);
    await world.write(task('t1'));
    await world.sync.pushNow();
    const backup = world.remote.all('Task')[0] as Task & { id: string };
    await world.write(task('t1', { description: 'Call the daughter' }));
    await world.sync.pushNow();
    await world.sync.pullNow();
    const patients = world.remote.all('Patient');
    world.remote.wipe();
    for (const one of [...patients, backup]) world.remote.put(one);
    // The first pull meets the older version and takes it for nothing; the second finds out why.
    for (let rounds = 0; rounds < 3; rounds += 1) {
      await world.sync.pullNow();
      expect((await world.all<Task>('Task'))[0]?.description).toBe('Call the daughter');
    }
    expect(world.events.filter(({ kind }) => kind === 'epoch')).toHaveLength(1);
    expect(await world.sync.conflicts()).toEqual([expect.objectContaining({ kind: 'content', type: 'Task' })]);
  });

  test('and was edited since does not overwrite our newer words, whoever wins in general', async () => {
    await open(0);
    await world.write(task('t1', { statusReason: { text: 'no answer' } }));
    await world.sync.pushNow();
    await world.sync.pullNow();
    const kept = [...world.remote.all('Patient'), ...world.remote.all('Task')];
    await world.write(task('t1', { statusReason: { text: 'moved away' } }));
    world.remote.wipe();
    world.pass({ hours: 2 });
    await world.sync.pullNow();
    expect(world.events.filter(({ kind }) => kind === 'epoch')).toHaveLength(1);
    for (const one of kept) {
      world.remote.put(one.resourceType === 'Task' ? ({ ...one, businessStatus: { text: 'called' } } as Task) : one);
    }
    await world.sync.pullNow();
    expect((await world.all<Task>('Task'))[0]?.statusReason).toEqual({ text: 'moved away' });
    const [conflict] = await world.sync.conflicts();
    expect(conflict?.paths.map(({ path }) => path)).toContain('statusReason');
  });

  test('one lost canary is a delete, not another server', async () => {
    await open(0);
    await world.write(patient('p2'));
    await world.sync.pushNow();
    await world.sync.pullNow();
    const newest = world.remote.all('Patient').at(-1);
    world.remote.remove('Patient', String(newest?.id));
    world.pass({ hours: 2 });
    await world.sync.pullNow();
    expect(world.events.filter(({ kind }) => kind === 'epoch')).toEqual([]);
    const rows = await world.temp.store.query("SELECT state FROM identity WHERE type = 'Patient' ORDER BY state");
    expect(rows.map(({ state }) => state)).toEqual(['linked', 'tombstone']);
  });

  test('is not one that says of all that we made that it was deleted there', async () => {
    await open(0);
    world.remote.remove('Patient', String(world.remote.all('Patient')[0]?.id));
    world.pass({ hours: 2 });
    await world.sync.pullNow();
    await world.sync.sweep();
    expect(world.events.filter(({ kind }) => kind === 'epoch' || kind === 'sweep')).toEqual([]);
    const rows = await world.temp.store.query("SELECT state FROM identity WHERE type = 'Patient'");
    expect(rows.map(({ state }) => state)).toEqual(['tombstone']);
  });
});

// Pulling patient by patient from a server that does not tell what changed. docs/sync-spec.md#I29
import type { Task } from '@medplum/fhirtypes';
import { afterEach, describe, expect, test } from 'vitest';
import type { Connection } from '../../src/sync/connections/settings.ts';
import type { Knobs } from '../support/fake-remote-knobs.ts';
import { carePlan, openWorld, patient, task, type World } from '../support/sync-world.ts';

let world: World;
afterEach(() => world.cleanup());

const HOLES: Partial<Knobs> = { lastUpdated: false };
const EPIC: Partial<Connection> = {
  vendor: 'epic',
  types: { Patient: 'both', Task: 'both' },
  pullEverySeconds: 60,
};

/** Patients p1… both sides know, each with so many tasks there. */
async function open(
  patients: number,
  tasks: number,
  knobs: Partial<Knobs> = {},
  connection: Partial<Connection> = {},
): Promise<string[]> {
  world = await openWorld({ knobs: { ...HOLES, ...knobs }, connection: { ...EPIC, ...connection } });
  for (let id = 1; id <= patients; id += 1) await world.write(patient(`p${id}`));
  await world.sync.pushNow();
  const ids = world.remote.all('Patient').map(({ id }) => id);
  for (const id of ids) {
    for (let number = 0; number < tasks; number += 1) {
      world.remote.put(task(`t${id}-${number}`, { for: { reference: `Patient/${id}` } }));
    }
  }
  return ids;
}

function searches(type = 'Task'): string[] {
  return world.remote.requests.map(({ url }) => url).filter((url) => url.startsWith(`/${type}?`));
}

async function asked<T>(work: () => Promise<T>): Promise<string[]> {
  const before = world.remote.requests.length;
  await work();
  return world.remote.requests.slice(before).map(({ method, url }) => `${method} ${url}`);
}

async function probes(): Promise<unknown[]> {
  return (await world.temp.store.query('SELECT remote_id FROM delete_probe')).map((row) => row.remote_id);
}

describe('a roster', () => {
  test('brings what each linked patient has, and later what changed', async () => {
    await open(2, 2);
    await world.sync.pullNow();
    expect(await world.all('Task')).toHaveLength(4);
    expect(searches().every((url) => url.includes('patient='))).toBe(true);
    const [there] = world.remote.all('Task') as Task[];
    world.remote.put({ ...there, status: 'completed' } as Task);
    await world.sync.pullNow();
    expect((await world.all<Task>('Task')).filter(({ status }) => status === 'completed')).toHaveLength(1);
  });

  test('that brings nothing new writes nothing but its bookkeeping', async () => {
    await open(3, 2);
    await world.sync.pullNow();
    const links = () => world.temp.store.query('SELECT * FROM identity ORDER BY type, local_id');
    const [head, before] = [await world.temp.store.head(), await links()];
    for (let rounds = 0; rounds < 3; rounds += 1) await world.sync.pullNow();
    expect(await world.temp.store.head()).toBe(head);
    expect(await links()).toEqual(before);
    const [message] = await world.temp.store.query(
      "SELECT response FROM message WHERE outcome = 'unchanged' AND type = 'Task' ORDER BY at DESC LIMIT 1",
    );
    expect(message?.response).toBeNull();
  });

  test('is told by the server that nothing changed, where it gives an ETag', async () => {
    await open(2, 1, { searchTags: true });
    await world.sync.pullNow();
    await world.sync.pullNow();
    const statuses = await world.temp.store.query(
      "SELECT status FROM message WHERE type = 'Task' AND method = 'GET' ORDER BY at",
    );
    expect(statuses.map(({ status }) => status).slice(-2)).toEqual([304, 304]);
    const [there] = world.remote.all('Task') as Task[];
    world.remote.put({ ...there, status: 'accepted' } as Task);
    await world.sync.pullNow();
    expect((await world.all<Task>('Task')).map(({ status }) => status)).toContain('accepted');
  });

  test('finds an edit on a server without versions by its content', async () => {
    await open(1, 1, { versioning: false });
    await world.sync.pullNow();
    const [there] = world.remote.all('Task') as Task[];
    world.remote.put({ ...there, description: 'Visit the patient' } as Task);
    await world.sync.pullNow();
    expect((await world.all<Task>('Task'))[0]?.description).toBe('Visit the patient');
  });

  test('waits longer for quiet patients, and asks only about those that are due', async () => {
    const [first] = await open(2, 1, { searchTags: true }, { schedule: { sweep: '0 0 29 2 *' } });
    const tick = () => world.sync.tick(Temporal.Now.instant().add({ hours: 24 * ticks }));
    let ticks = 0;
    await tick();
    expect(searches()).toHaveLength(2);
    ticks += 1;
    expect((await asked(tick)).filter((url) => url.includes('/Task?'))).toHaveLength(0);
    // Quiet for an hour: asked again, then not before a tenth of that time has passed.
    world.pass({ minutes: 60 });
    ticks += 1;
    world.remote.put({ ...(world.remote.all('Task')[0] as Task), status: 'accepted' } as Task);
    expect((await asked(tick)).filter((url) => url.includes('/Task?'))).toHaveLength(2);
    world.pass({ minutes: 2 });
    ticks += 1;
    const due = (await asked(tick)).filter((url) => url.includes('/Task?'));
    expect(due).toHaveLength(1);
    expect(due[0]).toContain(`patient=${first}`);
  });

  test('stays within what the server allows between two pulls', async () => {
    await open(12, 1, {}, { pullEverySeconds: 1 });
    await world.sync.tick(Temporal.Now.instant());
    // Five requests a second, for one second.
    expect(searches()).toHaveLength(5);
    world.pass({ seconds: 1 });
    await world.sync.tick(Temporal.Now.instant().add({ seconds: 2 }));
    expect(new Set(searches()).size).toBe(10);
  });

  test('is pulled at each beat of the minute, also when one comes a moment early', async () => {
    await open(1, 1, {}, { schedule: { sweep: '0 0 29 2 *' } });
    const start = Temporal.Now.instant();
    await world.sync.tick(start);
    world.pass({ milliseconds: 59_980 });
    const url = (await asked(() => world.sync.tick(start.add({ milliseconds: 59_980 })))).filter((one) =>
      one.includes('/Task?'),
    );
    expect(url).toHaveLength(1);
    expect(await asked(() => world.sync.tick(start.add({ milliseconds: 100_000 })))).toEqual([]);
  });

  test('with a schedule takes as many as the server allows until its next time', async () => {
    await open(12, 1, {}, { pullEverySeconds: 1, schedule: { pull: '0 3 * * *', sweep: '0 0 29 2 *' } });
    const start = Temporal.Now.instant();
    await world.sync.tick(start);
    await world.sync.tick(start.add({ hours: 24 }));
    expect(new Set(searches()).size).toBe(12);
  });

  test('of a Group larger than a run may ask about gives everybody a turn', async () => {
    const members = Array.from({ length: 12 }, (_, n) => `r${n + 10}`);
    world = await openWorld({
      knobs: HOLES,
      connection: { ...EPIC, mode: 'pull', pullEverySeconds: 1, patients: { kind: 'group', id: 'g1' } },
    });
    for (const id of members) world.remote.put(patient(id));
    const member = members.map((id) => ({ entity: { reference: `Patient/${id}` } }));
    world.remote.put({ resourceType: 'Group', id: 'g1', type: 'person', actual: true, member });
    for (let minute = 0; minute < 3; minute += 1) {
      await world.sync.tick(Temporal.Now.instant().add({ minutes: minute }));
      world.pass({ minutes: 1 });
    }
    expect(new Set(searches()).size).toBe(12);
  });

  test('of members of a Group brings them and theirs, and nobody else', async () => {
    world = await openWorld({
      knobs: HOLES,
      connection: { ...EPIC, mode: 'pull', patients: { kind: 'group', id: 'g1' } },
    });
    for (const id of ['r1', 'r2', 'r3']) {
      world.remote.put(patient(id));
      world.remote.put(task(`t-${id}`, { for: { reference: `Patient/${id}` } }));
    }
    const member = ['r1', 'r2'].map((id) => ({ entity: { reference: `Patient/${id}` }, inactive: id === 'r2' }));
    world.remote.put({ resourceType: 'Group', id: 'g1', type: 'person', actual: true, member });
    await world.sync.pullNow();
    expect(await world.all('Patient')).toHaveLength(1);
    expect(await world.all('Task')).toHaveLength(1);
  });

  test('of patients whom a query finds follows the query', async () => {
    const patients = { kind: 'query', query: 'identifier=urn:mrn|1' } as const;
    world = await openWorld({ knobs: HOLES, connection: { ...EPIC, mode: 'pull', patients } });
    world.remote.put(patient('r1', { identifier: [{ system: 'urn:mrn', value: '1' }] }));
    world.remote.put(patient('r2', { identifier: [{ system: 'urn:mrn', value: '2' }] }));
    await world.sync.pullNow();
    expect(await world.all('Patient')).toHaveLength(1);
  });
});

describe('what a server demands of a search', () => {
  const TYPES = { types: { Patient: 'both', CarePlan: 'both', Task: 'both' } } as const;
  const inCategory = (code: string) => ({ category: [{ coding: [{ code }] }] });

  test('is asked one by one, as the vendor file says', async () => {
    const categories = { CarePlan: ['38717003', '736353004'] };
    const [id] = await open(1, 0, { requiredCategories: categories }, TYPES);
    const subject = { reference: `Patient/${id}` };
    world.remote.put(carePlan('c1', { subject, ...inCategory('38717003') }));
    world.remote.put(carePlan('c2', { subject, ...inCategory('736353004') }));
    await world.sync.pullNow();
    expect(await world.all('CarePlan')).toHaveLength(2);
    expect(searches('CarePlan').every((url) => /category=[^&,]+(&|$)/.test(url))).toBe(true);
  });

  test('is learned from its refusal, and remembered', async () => {
    const generic = { ...TYPES, vendor: 'generic', strategies: { CarePlan: 'roster' } } as const;
    const [id] = await open(2, 0, { requiredCategories: { CarePlan: ['assess-plan'] } }, generic);
    world.remote.put(carePlan('c1', { subject: { reference: `Patient/${id}` }, ...inCategory('assess-plan') }));
    await world.sync.pullNow();
    expect(await world.all('CarePlan')).toHaveLength(1);
    await world.restart();
    const again = (await asked(() => world.sync.pullNow())).filter((url) => url.includes('/CarePlan?'));
    expect(again).toHaveLength(2);
    expect(again.every((url) => url.includes('category=assess-plan'))).toBe(true);
  });
});

describe('a type that is refused', () => {
  test('is told once, left alone, and holds up nothing else', async () => {
    await open(2, 1, { notGranted: ['CarePlan'] }, { types: { Patient: 'both', CarePlan: 'both', Task: 'both' } });
    for (let rounds = 0; rounds < 3; rounds += 1) await world.sync.pullNow();
    expect(await world.all('Task')).toHaveLength(2);
    expect(world.events.filter(({ kind }) => kind === 'refused-type')).toEqual([
      expect.objectContaining({ type: 'CarePlan', connection: 'ehr' }),
    ]);
    const before = searches('CarePlan').length;
    await world.sync.pullNow();
    expect(searches('CarePlan')).toHaveLength(before);
    world.remote.knobs.notGranted = [];
    world.pass({ hours: 25 });
    world.remote.put(carePlan('c1', { subject: { reference: `Patient/${world.remote.all('Patient')[0]?.id}` } }));
    await world.sync.pullNow();
    expect(searches('CarePlan').length).toBeGreaterThan(before);
  });

  test('is told from one patient who is not shown to us', async () => {
    const [id] = await open(2, 1);
    world.remote.knobs.restrictedPatients = [String(id)];
    await world.sync.pullNow();
    expect(await world.all('Task')).toHaveLength(1);
    expect(world.events.filter(({ kind }) => kind === 'refused-type')).toEqual([]);
  });

  test('a refused credential stops the run', async () => {
    await open(3, 1);
    world.remote.knobs.refusals.push({ status: 401 });
    const urls = await asked(() => world.sync.pullNow());
    expect(urls.filter((url) => url.includes('/Task?'))).toHaveLength(0);
    expect(world.events).toContainEqual({ kind: 'breaker', connection: 'ehr', state: 'open' });
  });
});

describe('what is missing from an answer', () => {
  test('is asked for by its id and only then believed to be deleted', async () => {
    await open(1, 2);
    await world.sync.pullNow();
    world.remote.remove('Task', world.remote.all('Task')[0]?.id ?? '');
    await world.sync.pullNow();
    const states = await world.temp.store.query("SELECT state FROM identity WHERE type = 'Task' ORDER BY state");
    expect(states.map(({ state }) => state)).toEqual(['linked', 'tombstone']);
    expect(await world.all('Task')).toHaveLength(2);
    expect(await probes()).toEqual([]);
  });

  test('is believed after two times not found with a day between', async () => {
    await open(1, 1, { forgetsDeleted: true });
    await world.sync.pullNow();
    world.remote.remove('Task', world.remote.all('Task')[0]?.id ?? '');
    const state = async () =>
      (await world.temp.store.query("SELECT state FROM identity WHERE type = 'Task'"))[0]?.state;
    await world.sync.pullNow();
    await world.sync.pullNow();
    expect(await state()).toBe('linked');
    world.pass({ hours: 23 });
    await world.sync.pullNow();
    expect(await state()).toBe('linked');
    world.pass({ hours: 2 });
    await world.sync.pullNow();
    expect(await state()).toBe('tombstone');
  });

  test('that was there after all loses its probe', async () => {
    const [id] = await open(1, 1);
    await world.sync.pullNow();
    const there = world.remote.all('Task')[0] as Task;
    world.remote.put({ ...there, for: { reference: 'Patient/other' } } as Task);
    await world.sync.pullNow();
    expect(await probes()).toEqual([]);
    expect(world.remote.requests.map(({ url }) => url)).toContain(`/Task/${there.id}`);
    expect(id).toBeDefined();
    expect((await world.sync.status())[0]).toMatchObject({ openConflicts: 1 });
  });

  test('means nothing in an answer that the server calls incomplete', async () => {
    await open(1, 2, { warnings: { Task: '4119' } });
    await world.sync.pullNow();
    expect(await world.all('Task')).toHaveLength(2);
    world.remote.remove('Task', world.remote.all('Task')[0]?.id ?? '');
    const urls = await asked(() => world.sync.pullNow());
    expect(urls.some((url) => url.includes('/Task/'))).toBe(false);
    expect(await probes()).toEqual([]);
    // Once an answer is whole again, it counts.
    world.remote.knobs.warnings = {};
    await world.sync.pullNow();
    const states = await world.temp.store.query("SELECT state FROM identity WHERE type = 'Task' ORDER BY state");
    expect(states.map(({ state }) => state)).toEqual(['linked', 'tombstone']);
  });

  test('a harmless warning does not make an answer incomplete', async () => {
    await open(1, 1, { warnings: { Task: '4101' } });
    await world.sync.pullNow();
    world.remote.remove('Task', world.remote.all('Task')[0]?.id ?? '');
    await world.sync.pullNow();
    const [row] = await world.temp.store.query("SELECT state FROM identity WHERE type = 'Task'");
    expect(row?.state).toBe('tombstone');
  });

  test('an answer with a page that fails is not used at all', async () => {
    await open(1, 6, { pageSize: 4, breakPages: true });
    await world.sync.pullNow();
    expect(await world.all('Task')).toHaveLength(0);
    expect(await probes()).toEqual([]);
    world.remote.knobs.breakPages = false;
    await world.sync.pullNow();
    expect(await world.all('Task')).toHaveLength(6);
  });
});

describe('a search narrowed to a patient', () => {
  test('asks only for what changed since the last complete run, and never takes absence for anything', async () => {
    const oracle = { vendor: 'oracle', types: { Patient: 'both', Task: 'both' } } as const;
    await open(1, 2, { lastUpdated: 'with-patient' }, oracle);
    await world.sync.pullNow();
    expect(await world.all('Task')).toHaveLength(2);
    world.remote.now += 3_600_000;
    const [there] = world.remote.all('Task') as Task[];
    await world.sync.pullNow();
    world.remote.put({ ...there, status: 'accepted' } as Task);
    const urls = (await asked(() => world.sync.pullNow())).filter((url) => url.includes('/Task'));
    // Oracle Health: "The date and prefix pairs must create a closed range."
    expect(urls).toEqual([expect.stringMatching(/_lastUpdated=ge2026[^&]*&_lastUpdated=le2036/)]);
    expect((await world.all<Task>('Task')).map(({ status }) => status)).toContain('accepted');
    expect(await probes()).toEqual([]);
  });
});

test('pages about one patient that are too much together are let go, and the others go on', async () => {
  const [first = ''] = await open(2, 1, { pageSize: 8 });
  const description = 'x'.repeat(2 * 1024 * 1024);
  for (let number = 0; number < 48; number += 1) {
    world.remote.put(task(`big-${number}`, { for: { reference: `Patient/${first}` }, description }));
  }
  const urls = await asked(() => world.sync.pullNow());
  // The first pages have 14 and 16 MiB.
  expect(urls.filter((url) => url.includes(`/Task?patient=${first}&`))).toHaveLength(5);
  expect(await world.all<Task>('Task')).toHaveLength(1);
  const messages = await world.temp.store.query("SELECT detail FROM message WHERE outcome = 'permanent'");
  const detail = expect.stringContaining('larger than 64 MiB together');
  expect(messages).toEqual(Array.from({ length: 5 }, () => expect.objectContaining({ detail })));
});

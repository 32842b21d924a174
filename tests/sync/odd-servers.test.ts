// Servers that leave things out or are wrong for a moment, and what happens at just the wrong time.
// docs/sync-spec.md#I3 docs/sync-spec.md#I4 docs/sync-spec.md#I5 docs/sync-spec.md#I13 docs/sync-spec.md#I22 docs/sync-spec.md#I29
import type { Task } from '@medplum/fhirtypes';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Fault } from '../../src/fault.ts';
import { NURSE, openWorld, patient, task, type World, type WorldOptions } from '../support/sync-world.ts';

/** Of a read, until it counts as failed: src/remote/fhir-client.ts. */
const READ_ATTEMPTS = 3;

let world: World;
afterEach(() => world.cleanup());

async function open(options: WorldOptions = {}): Promise<void> {
  world = await openWorld(options);
  await world.write(patient('p1'));
  await world.sync.pushNow();
}

const subject = () => ({ reference: `Patient/${world.remote.all('Patient')[0]?.id}` });
const descriptions = async () => (await world.all<Task>('Task')).map(({ description }) => description).sort();

test('without a Date, a time that cannot be true is nothing to read on from', async () => {
  await open({ knobs: { dates: false } });
  world.remote.put(task('r1', { for: subject(), description: 'First' }));
  world.remote.put(task('r2', { for: subject(), description: 'Mistyped' }), { lastUpdated: '2099-01-01T00:00:00Z' });
  await world.sync.pullNow();
  const [stream] = await world.temp.store.query("SELECT high_water FROM checkpoint WHERE type = 'Task'");
  expect(String(stream?.high_water) < '2099').toBe(true);
  world.remote.put(task('r3', { for: subject(), description: 'Later' }));
  await world.sync.pullNow();
  expect(await descriptions()).toEqual(['First', 'Later', 'Mistyped']);
});

// Within what is read again at each pull, and before it, where only a record that is looked at hourly tells.
test.each([1, 10])('only the ETag tells versions: a server restored to %i minutes ago is noticed', async (minutes) => {
  await open({ knobs: { metaVersions: false } });
  await world.write(task('t1'));
  await world.sync.pushNow();
  const backup = world.remote.all('Task')[0] as Task & { id: string };
  world.remote.now += minutes * 60_000;
  await world.write(task('t1', { description: 'Call the daughter' }));
  await world.sync.pushNow();
  await world.sync.pullNow();
  const patients = world.remote.all('Patient');
  world.remote.wipe();
  for (const one of [...patients, backup]) {
    world.remote.put(one, one.meta?.lastUpdated ? { lastUpdated: one.meta.lastUpdated } : {});
  }
  if (minutes > 5) world.pass({ hours: 2 });
  for (let rounds = 0; rounds < 3; rounds += 1) {
    await world.sync.pullNow();
    expect(await descriptions()).toEqual(['Call the daughter']);
  }
  expect(world.events.filter(({ kind }) => kind === 'epoch')).toHaveLength(1);
  await world.sync.pushNow();
  expect(world.remote.all('Task')).toMatchObject([{ description: 'Call the daughter' }]);
});

test('one refusal of a history is no reason to read patient by patient for a day', async () => {
  await open({
    knobs: { history: true, lastUpdated: false },
    connection: { types: { Patient: 'push', Task: 'both' } },
  });
  world.remote.put(task('r1', { for: subject() }));
  await world.sync.pullNow();
  const read = async () => {
    const before = world.remote.requests.length;
    await world.sync.pullNow();
    return world.remote.requests.slice(before).some(({ url }) => url.startsWith('/Task/_history'));
  };
  const refuse = () => world.remote.knobs.refusals.push({ status: 422 });
  expect(await read()).toBe(true);
  refuse();
  expect(await read()).toBe(false);
  expect(await read()).toBe(false);
  // The next way is refused, too, so it takes twice as long.
  world.pass({ minutes: 61 });
  expect(await read()).toBe(false);
  world.pass({ minutes: 61 });
  expect(await read()).toBe(true);
  const told = world.events.filter(({ kind }) => kind === 'refused-type');
  expect(told.map(({ isOver = false }) => isOver)).toEqual([false, true]);
});

test('a page that is committed at the second try has its exchanges in the log', async () => {
  let failures = 0;
  await open();
  world.remote.put(task('r1', { for: subject() }));
  await world.restart((store) => ({
    store: Object.assign(Object.create(store), {
      commit: async (...given: Parameters<typeof store.commit>) => {
        const brings = given[1].some((change) => change.op === 'create' && change.resource.resourceType === 'Task');
        if (brings && ++failures === 1) throw new Fault('precondition', 'Somebody edited it meanwhile.');
        return store.commit(...given);
      },
    }),
  }));
  await world.sync.pullNow();
  expect(failures).toBe(2);
  const sql = "SELECT outcome FROM message WHERE method = 'GET' AND url LIKE '%/Task?%'";
  expect(await world.temp.store.query(sql)).toEqual([{ outcome: 'applied' }]);
});

test('a record that carries our identifier and is not ours, by a person’s word, is passed over by creates', async () => {
  await open();
  await world.write(task('t1'));
  await world.sync.pushNow();
  const [first] = world.remote.all('Task') as (Task & { id: string })[];
  // As after a restore from a backup.
  world.remote.put({ ...first, id: 'other' } as Task);
  await world.sync.pullNow();
  const answer = async (kind: string) => {
    const [conflict, another] = await world.sync.conflicts();
    expect([conflict?.kind, another]).toEqual([kind, undefined]);
    await world.sync.resolve(NURSE, String(conflict?.id), { take: 'ours' });
  };
  await answer('duplicate');
  await world.sync.pullNow();
  world.remote.remove('Task', String(first?.id));
  await world.write(task('t1', { priority: 'urgent' }));
  await world.sync.pushNow();
  await answer('deleted');
  await world.sync.pushNow();
  expect(await world.sync.conflicts()).toEqual([]);
  expect((world.remote.all('Task') as Task[]).map(({ priority }) => priority)).toEqual([undefined, 'urgent']);
});

test('what was on its way while a lost record was let go is told of the new one, too', async () => {
  await open();
  await world.write(task('t1'));
  await world.sync.pushNow();
  world.remote.remove('Patient', String(subject().reference.split('/')[1]));
  await world.write(patient('p1', { birthDate: '1950-02-03' }));
  await world.sync.pushNow();
  const [conflict] = await world.sync.conflicts();
  expect(conflict).toMatchObject({ kind: 'deleted', localId: 'p1' });
  await world.write(task('t1', { priority: 'urgent' }));
  world.remote.knobs.beforeWrite = async () => {
    world.remote.knobs.beforeWrite = undefined;
    await world.sync.resolve(NURSE, String(conflict?.id), { take: 'ours' });
  };
  await world.sync.pushNow();
  await world.sync.pushNow();
  expect(world.remote.all('Task')).toMatchObject([{ for: subject() }]);
});

describe.each<[string, (edits: number) => object]>([
  ['the same', () => ({ status: 'accepted' })],
  ['another one each time', (edits) => ({ businessStatus: { text: `Step ${edits}` } })],
])('a server that edits a task after each update, drops a note and answers without the resource: %s', (_name, edit) => {
  let edits = 0;
  let most = 0;
  /** Answers to reads since the last update. */
  let reads = 0;
  let failing = (_read: number) => false;
  const theirs = () => world.remote.all('Task')[0] as Task & { id: string };
  const updates = () => world.remote.writes().filter((one) => one.startsWith('PUT /Task')).length;

  beforeEach(async () => {
    edits = 0;
    most = Number.POSITIVE_INFINITY;
    failing = () => false;
    const fetchOf: typeof fetch = async (url, init) => {
      if (init?.method === 'PUT') reads = 0;
      else if (String(url).includes('/Task/') && failing(++reads)) return new Response(null, { status: 500 });
      const response = await fetch(url, init);
      if (edits >= most || !response.ok || init?.method !== 'PUT' || !String(url).includes('/Task/')) return response;
      world.remote.put({ ...theirs(), ...edit(++edits) } as Task);
      const headers = [...response.headers].filter(([name]) => name === 'etag');
      return new Response(null, { status: response.status, headers });
    };
    await open({ knobs: { forgets: ['note'] }, sync: () => ({ fetch: fetchOf }) });
    await world.write(task('t1', { description: 'Call' }));
    await world.sync.pushNow();
    await world.write(task('t1', { description: 'Call twice', note: [{ text: 'Dropped there' }] }));
  });

  async function exchange(rounds: number): Promise<void> {
    for (let round = 0; round < rounds; round += 1) {
      await world.sync.pushNow();
      world.pass({ minutes: 20 });
    }
  }

  test('a person is asked after four of ours, and nothing is lost', async () => {
    await exchange(20);
    expect(updates()).toBe(4);
    const [conflict, another] = await world.sync.conflicts();
    expect(another).toBeUndefined();
    expect(conflict).toMatchObject({ kind: 'content', local: { description: 'Call twice', note: [{}] } });
    expect(conflict).toMatchObject({ remote: edit(4), proposed: { ...edit(4), note: [{}] } });
    expect((await world.sync.status())[0]).toMatchObject({ parked: 0 });
    most = edits;
    await world.sync.resolve(NURSE, String(conflict?.id), { take: 'ours' });
    await exchange(2);
    expect(await world.sync.conflicts()).toEqual([]);
    expect(theirs()).toMatchObject({ description: 'Call twice', ...edit(4) });
    expect(await world.all<Task>('Task')).toMatchObject([{ description: 'Call twice', ...edit(4), note: [{}] }]);
  });

  test('reads that fail in between neither count nor begin the count anew', async () => {
    // The one right after the update shows the edit; the next one fails, each time that it is tried.
    failing = (read) => read > 1 && read <= 1 + READ_ATTEMPTS;
    await exchange(20);
    expect([updates(), (await world.sync.conflicts()).length]).toEqual([4, 1]);
    expect((await world.sync.status())[0]).toMatchObject({ parked: 0 });
  });

  test('one that stops in time is asked nobody about, and the next time is counted anew', async () => {
    for (const description of ['Call twice', 'Call thrice']) {
      const [before, said] = [updates(), edits];
      most = edits + 3;
      const note = [{ text: `Dropped there: ${description}` }];
      await world.write({ ...((await world.all<Task>('Task'))[0] as Task & { id: string }), description, note });
      await exchange(6);
      await world.sync.pullNow();
      expect([updates() - before, edits - said, await world.sync.conflicts()]).toEqual([4, 3, []]);
      const both = { description, ...edit(edits) };
      expect([theirs(), await world.all<Task>('Task')]).toMatchObject([both, [{ ...both, note }]]);
    }
  });
});

describe('an edit there between a write that is answered without the resource and the read that follows', () => {
  let edit: (() => void) | undefined;
  beforeEach(async () => {
    edit = undefined;
    const fetchOf: typeof fetch = async (url, init) => {
      const response = await fetch(url, init);
      if (!edit || !response.ok || (init?.method !== 'PUT' && init?.method !== 'POST')) return response;
      edit();
      edit = undefined;
      const headers = [...response.headers].filter(([name]) => name === 'etag' || name === 'location');
      return new Response(null, { status: response.status, headers });
    };
    await open({ sync: () => ({ fetch: fetchOf }) });
    await world.write(task('t1', { description: 'Call' }));
  });

  const urgent = () => {
    const [theirs] = world.remote.all('Task') as Task[];
    world.remote.put({ ...theirs, priority: 'urgent' } as Task);
  };
  async function exchange(): Promise<void> {
    for (let rounds = 0; rounds < 3; rounds += 1) {
      await world.sync.pushNow();
      world.pass({ minutes: 20 });
      await world.sync.pullNow();
    }
  }

  test('of a create comes in', async () => {
    edit = urgent;
    await exchange();
    expect(await world.all<Task>('Task')).toMatchObject([{ description: 'Call', priority: 'urgent' }]);
    expect(world.remote.all('Task')).toMatchObject([{ description: 'Call', priority: 'urgent' }]);
  });

  test('of an update comes in', async () => {
    await exchange();
    await world.write(task('t1', { description: 'Call twice' }));
    edit = urgent;
    await exchange();
    expect(await world.all<Task>('Task')).toMatchObject([{ description: 'Call twice', priority: 'urgent' }]);
    expect(world.remote.all('Task')).toMatchObject([{ description: 'Call twice', priority: 'urgent' }]);
  });
});

test.each([
  ['nothing', 204, ''],
  ['an empty body', 200, ''],
  ['a Bundle whose entries are no list', 200, '{"resourceType":"Bundle","type":"searchset","entry":5}'],
  ['another resource', 200, '{"resourceType":"Patient","id":"x"}'],
])('%s for a search is no success', async (_, status, body) => {
  await open();
  world.remote.knobs.refusals = [{ status, body, headers: { 'content-type': 'application/fhir+json' } }];
  await world.sync.pullNow();
  const rows = await world.temp.store.query(
    "SELECT outcome, class, detail FROM message WHERE type = 'Patient' AND direction = 'pull' AND method = 'GET'",
  );
  expect(rows).toEqual([
    { outcome: 'permanent', class: 'permanent', detail: expect.stringMatching('The server answered with') },
  ]);
});

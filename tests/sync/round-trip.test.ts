// What crosses a connection, in both directions, and what does not.
// docs/sync-spec.md#I1 docs/sync-spec.md#I7 docs/sync-spec.md#I14 docs/sync-spec.md#I15
import type { CarePlan, Patient, Provenance, Task } from '@medplum/fhirtypes';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parseExact } from '../../src/fhir/exact-json.ts';
import { carePlan, openWorld, patient, task, type World } from '../support/sync-world.ts';

let world: World;
beforeEach(async () => {
  world = await openWorld();
});
afterEach(() => world.cleanup());

async function remoteOf(type: string, localId: string): Promise<string> {
  const [row] = await world.temp.store.query('SELECT remote_id FROM identity WHERE type = ? AND local_id = ?', [
    type,
    localId,
  ]);
  return String(row?.remote_id);
}

describe('push', () => {
  test('a create carries our identifier, remote references, no local id and no server meta', async () => {
    await world.write(task('t1', { basedOn: [{ reference: 'CarePlan/c1' }] }));
    await world.write(carePlan('c1'));
    await world.write(patient('p1'));
    await world.sync.pushNow();
    const [there] = world.remote.all('Task') as Task[];
    expect(there?.identifier).toEqual([{ system: 'https://baton.test/id', value: 't1' }]);
    expect(there?.for).toEqual({ reference: `Patient/${await remoteOf('Patient', 'p1')}` });
    expect(there?.basedOn).toEqual([{ reference: `CarePlan/${await remoteOf('CarePlan', 'c1')}` }]);
    expect(world.remote.writes()).toEqual(['POST /Patient', 'POST /CarePlan', 'POST /Task']);
    const post = world.remote.requests.find(({ url, method }) => method === 'POST' && url === '/Task');
    expect(JSON.parse(String(post?.body))).not.toHaveProperty('id');
    expect(post?.headers['if-none-exist']).toBe('identifier=https%3A%2F%2Fbaton.test%2Fid%7Ct1');
  });

  test('one that was copied from a server goes with one identifier of ours, its own', async () => {
    const copied = { system: 'https://baton.test/id', value: 'another' };
    await world.write(patient('p1', { identifier: [copied, { system: 'urn:mrn', value: '1' }] }));
    await world.sync.pushNow();
    const [there] = world.remote.all('Patient') as Patient[];
    expect(there?.identifier).toEqual([
      { system: 'urn:mrn', value: '1' },
      { ...copied, value: 'p1' },
    ]);
  });

  test('a decimal keeps the digits it was written with', async () => {
    const activity = '[{"detail":{"status":"scheduled","quantity":{"value":1.50}}}]';
    const plan = parseExact<CarePlan & { id: string }>(
      JSON.stringify(carePlan('c1')).replace(/}$/, `,"activity":${activity}}`),
    );
    await world.write(patient('p1'));
    await world.write(plan);
    await world.sync.pushNow();
    const sent = world.remote.requests.map(({ body }) => String(body)).filter((body) => body.includes('CarePlan'));
    expect(sent.join()).toContain('"quantity":{"value":1.50}');
  });

  test('an update names the version it is based on', async () => {
    await world.write(patient('p1'));
    await world.sync.pushNow();
    await world.write(patient('p1', { gender: 'female' }));
    await world.sync.pushNow();
    expect((world.remote.all('Patient')[0] as Patient).gender).toBe('female');
    expect(world.remote.requests.at(-1)?.headers['if-match']).toBe('W/"1"');
  });

  test('resources that refer to each other go in one transaction', async () => {
    await world.write(patient('p1'));
    await world.write(task('t1', { basedOn: [{ reference: 'CarePlan/c1' }] }));
    await world.write(carePlan('c1', { activity: [{ reference: { reference: 'Task/t1' } }] }));
    await world.sync.pushNow();
    const [plan] = world.remote.all('CarePlan') as CarePlan[];
    const [there] = world.remote.all('Task') as Task[];
    expect(world.remote.writes()).toEqual(['POST /Patient', 'POST ']);
    expect(plan?.activity?.[0]?.reference?.reference).toBe(`Task/${there?.id}`);
    expect(there?.basedOn?.[0]?.reference).toBe(`CarePlan/${plan?.id}`);
  });

  test('without transactions a circle is closed by an update', async () => {
    world.remote.knobs.transactions = false;
    await world.write(patient('p1'));
    await world.write(task('t1', { basedOn: [{ reference: 'CarePlan/c1' }] }));
    await world.write(carePlan('c1', { activity: [{ reference: { reference: 'Task/t1' } }] }));
    await world.sync.pushNow();
    const [plan] = world.remote.all('CarePlan') as CarePlan[];
    const [there] = world.remote.all('Task') as Task[];
    expect(plan?.activity?.[0]?.reference?.reference).toBe(`Task/${there?.id}`);
    expect(there?.basedOn?.[0]?.reference).toBe(`CarePlan/${plan?.id}`);
    expect(world.remote.writes().filter((write) => write.startsWith('POST'))).toHaveLength(3);
  });

  test('a reference to what does not go there becomes a logical one, never a URL of ours', async () => {
    await world.write({ resourceType: 'Practitioner', id: 'dr1', name: [{ family: 'Osei' }] });
    await world.write(patient('p1'));
    await world.write(task('t1', { owner: { reference: 'Practitioner/dr1', display: 'Dr Osei' } }));
    await world.sync.pushNow();
    expect((world.remote.all('Task')[0] as Task).owner).toEqual({
      type: 'Practitioner',
      identifier: { system: 'https://baton.test/id', value: 'dr1' },
      display: 'Dr Osei',
    });
  });

  test('many workers send everything in one go, each resource once and after what it refers to', async () => {
    await world.restart(() => ({ workers: 8 }));
    for (let id = 0; id < 20; id += 1) {
      await world.write(task(`t${id}`, { basedOn: [{ reference: `CarePlan/c${id % 3}` }] }));
    }
    for (let id = 0; id < 3; id += 1) await world.write(carePlan(`c${id}`));
    await world.write(patient('p1'));
    await world.sync.pushNow();
    expect(world.remote.writes().filter((write) => write === 'POST /Task')).toHaveLength(20);
    expect(world.remote.writes()).toHaveLength(24);
    const references = world.remote.all('Task').flatMap((one) => (one as Task).basedOn ?? []);
    expect(references.filter(({ reference }) => reference?.startsWith('CarePlan/'))).toHaveLength(20);
  });

  test('more rows are worked on than the server is asked for at a time', async () => {
    await world.cleanup();
    world = await openWorld({ connection: { pacing: { concurrency: 4 } } });
    let [asked, most, claimed] = [0, 0, 0];
    const fetch: typeof globalThis.fetch = async (...request) => {
      asked += 1;
      most = Math.max(most, asked);
      const rows = await world.temp.store.query("SELECT COUNT(*) AS n FROM outbox WHERE state = 'sending'");
      claimed = Math.max(claimed, Number(rows[0]?.n));
      return globalThis.fetch(...request).finally(() => {
        asked -= 1;
      });
    };
    await world.restart(() => ({ fetch, workers: undefined }));
    for (let id = 0; id < 20; id += 1) await world.write(patient(`p${id}`));
    await world.sync.pushNow();
    expect(world.remote.all('Patient')).toHaveLength(20);
    // How many there are at a time depends on the store, too.
    expect(most).toBeLessThanOrEqual(4);
    expect(most).toBeGreaterThan(1);
    expect([5, 6]).toContain(claimed);
  });

  test('types and modes that are not configured do not flow', async () => {
    await world.write({ resourceType: 'Observation', id: 'o1', status: 'final', code: { text: 'x' } });
    await world.sync.pushNow();
    expect(world.remote.requests).toEqual([]);
  });

  test('a local delete stays here unless the policy says otherwise', async () => {
    await world.write(patient('p1'));
    await world.sync.pushNow();
    await world.temp.store.commit({ reference: 'Practitioner/x', kind: 'user' }, [
      { op: 'delete', type: 'Patient', id: 'p1' },
    ]);
    await world.sync.pushNow();
    expect(world.remote.all('Patient')).toHaveLength(1);
    const [row] = await world.temp.store.query("SELECT fault FROM outbox WHERE state = 'superseded'");
    expect(row?.fault).toBe('delete-kept-by-policy');
  });

  test('a refused resource is rejected at once, and sent again after it was changed', async () => {
    world.remote.knobs.refusals.push({ status: 422 });
    await world.write(patient('p1'));
    await world.sync.pushNow();
    expect(world.events).toMatchObject([
      { kind: 'rejected', localId: 'p1' },
      { kind: 'alert', alert: 'rejected.first' },
    ]);
    await world.sync.pushNow();
    expect(world.remote.all('Patient')).toHaveLength(0);
    await world.write(patient('p1', { gender: 'male' }));
    await world.sync.pushNow();
    expect(world.remote.all('Patient')).toHaveLength(1);
  });
});

describe('pull', () => {
  test('an edit made there arrives here as a new version, with its origin and provenance', async () => {
    await world.write(patient('p1'));
    await world.write(task('t1'));
    await world.sync.pushNow();
    const [there] = world.remote.all('Task') as Task[];
    world.remote.put({ ...there, status: 'completed' } as Task);
    await world.sync.pullNow();
    const here = await world.read<Task>('Task', 't1');
    expect(here?.status).toBe('completed');
    expect(here?.for).toEqual({ reference: 'Patient/p1' });
    expect(here?.identifier).toBeUndefined();
    const log = await world.temp.store.readLog(0, 100);
    expect(log.filter(({ type }) => type === 'Task').map(({ origin }) => origin)).toEqual([null, 'ehr']);
    const [provenance] = await world.all<Provenance>('Provenance');
    expect(provenance?.target).toEqual([{ reference: 'Task/t1' }]);
    expect(provenance?.entity?.[0]?.what.reference).toBe(`${world.remote.baseUrl}/Task/${there?.id}/_history/2`);
  });

  test('a new task for a patient we share comes in under an id of ours; one for a stranger does not', async () => {
    await world.write(patient('p1'));
    await world.sync.pushNow();
    const subject = `Patient/${await remoteOf('Patient', 'p1')}`;
    world.remote.put(task('77', { for: { reference: subject } }));
    world.remote.put(task('78', { for: { reference: 'Patient/stranger' } }));
    await world.sync.pullNow();
    const tasks = await world.all<Task>('Task');
    expect(tasks).toHaveLength(1);
    expect(tasks[0]?.id).toMatch(/^[0-9a-f-]{36}$/);
    expect(tasks[0]?.for).toEqual({ reference: 'Patient/p1' });
  });

  test('edits of different elements on both sides come together on both sides', async () => {
    await world.write(patient('p1'));
    await world.write(task('t1'));
    await world.sync.pushNow();
    const [there] = world.remote.all('Task') as Task[];
    world.remote.put({ ...there, status: 'in-progress' } as Task);
    await world.write(task('t1', { priority: 'urgent' }));
    await world.sync.pullNow();
    await world.sync.pushNow();
    const both = { status: 'in-progress', priority: 'urgent' };
    expect(await world.read('Task', 't1')).toMatchObject(both);
    expect(world.remote.all('Task')[0]).toMatchObject(both);
  });

  test('what the remote made of our body never comes back as an edit, and what it dropped stays here', async () => {
    world.remote.knobs.normalise = true;
    const extension = [{ url: 'https://example.org/x', valueString: 'kept' }];
    await world.write(patient('p1'));
    await world.write(carePlan('c1', { extension, title: ' Going home ' }));
    await world.sync.pushNow();
    const [there] = world.remote.all('CarePlan') as CarePlan[];
    expect(there?.title).toBe('GOING HOME');
    world.remote.put({ ...there, note: [{ text: 'seen' }] } as CarePlan);
    await world.sync.pullNow();
    await world.sync.pushNow();
    expect(await world.read('CarePlan', 'c1')).toMatchObject({
      extension,
      title: ' Going home ',
      note: [{ text: 'seen' }],
    });
    expect(world.remote.writes()).toEqual(['POST /Patient', 'POST /CarePlan']);
  });

  test('elements we know nothing about survive an update of ours', async () => {
    await world.write(patient('p1'));
    await world.write(carePlan('c1'));
    await world.sync.pushNow();
    const [there] = world.remote.all('CarePlan') as CarePlan[];
    const foreign = { extension: [{ url: 'https://ehr.example/private', valueString: 'theirs' }] };
    world.remote.put({ ...there, ...foreign } as CarePlan);
    await world.sync.pullNow();
    await world.write({ ...(await world.read<CarePlan>('CarePlan', 'c1')), title: 'New title' } as CarePlan & {
      id: string;
    });
    await world.sync.pushNow();
    expect(world.remote.all('CarePlan')[0]).toMatchObject({ ...foreign, title: 'New title' });
  });

  test('a reference to what comes later is pointed to it once it is here', async () => {
    await world.cleanup();
    world = await openWorld({ connection: { types: { Patient: 'both', Task: 'both', CarePlan: 'both' } } });
    await world.write(patient('p1'));
    await world.sync.pushNow();
    const subject = { reference: `Patient/${await remoteOf('Patient', 'p1')}` };
    world.remote.put(carePlan('900', { subject }));
    world.remote.put(task('901', { for: subject, basedOn: [{ reference: 'CarePlan/900' }] }));
    await world.sync.pullNow();
    const [plan] = await world.all<CarePlan>('CarePlan');
    const [pulled] = await world.all<Task>('Task');
    expect(pulled?.basedOn).toEqual([{ reference: `CarePlan/${plan?.id}` }]);
    await world.sync.pushNow();
    expect(world.remote.writes()).toEqual(['POST /Patient']);
  });

  test('an invalid resource is kept aside and the page goes on', async () => {
    await world.write(patient('p1'));
    await world.sync.pushNow();
    const subject = { reference: `Patient/${await remoteOf('Patient', 'p1')}` };
    world.remote.put(task('91', { for: subject }));
    world.remote.put(task('92', { for: subject, status: 'no-such-status' }));
    world.remote.put(task('93', { for: subject }));
    await world.sync.pullNow();
    expect(await world.all('Task')).toHaveLength(2);
    const [message] = await world.temp.store.query("SELECT * FROM message WHERE outcome = 'quarantined'");
    expect(message).toMatchObject({ type: 'Task', remote_id: '92' });
    expect(String(message?.response)).toContain('no-such-status');
    expect((await world.sync.status())[0]).toMatchObject({ quarantined: 1 });
  });
});

describe('echo', () => {
  test('rounds without edits write nothing on either side', async () => {
    await world.write(patient('p1'));
    await world.write(task('t1', { basedOn: [{ reference: 'CarePlan/c1' }] }));
    await world.write(carePlan('c1', { activity: [{ reference: { reference: 'Task/t1' } }] }));
    await world.sync.pushNow();
    world.remote.put({ ...(world.remote.all('Task')[0] as Task), status: 'accepted' });
    const round = async () => {
      world.pass({ minutes: 2 });
      world.remote.now += 120_000;
      await world.sync.tick(Temporal.Now.instant());
      await world.sync.pullNow();
      await world.sync.pushNow();
    };
    await round();
    const links = () => world.temp.store.query('SELECT * FROM identity ORDER BY type, local_id');
    const [head, writes, before] = [await world.temp.store.head(), world.remote.writes().length, await links()];
    for (let rounds = 0; rounds < 10; rounds += 1) await round();
    expect(await world.temp.store.head()).toBe(head);
    expect(world.remote.writes()).toHaveLength(writes);
    expect(await links()).toEqual(before);
  });

  test('a change from one connection reaches the other once and its own never', async () => {
    const other = await openWorld();
    const connections = [world.connection, { ...world.connection, name: 'second', baseUrl: other.remote.baseUrl }];
    await world.restart(() => ({ connections }));
    await world.write(patient('p1'));
    await world.write(task('t1'));
    await world.sync.pushNow();
    world.remote.put({ ...(world.remote.all('Task')[0] as Task), status: 'completed' });
    for (let rounds = 0; rounds < 3; rounds += 1) {
      await world.sync.pullNow();
      await world.sync.pushNow();
    }
    expect(world.remote.writes()).toEqual(['POST /Patient', 'POST /Task']);
    expect(other.remote.writes()).toEqual(['POST /Patient', 'POST /Task', expect.stringMatching(/^PUT \/Task/)]);
    expect(other.remote.all('Task')[0]).toMatchObject({ status: 'completed' });
    await other.cleanup();
  });
});

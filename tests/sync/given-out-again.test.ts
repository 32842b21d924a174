// Ids of records that were gone there and were let go: what those who name them mean, while nobody has them, and once
// somebody else does. docs/sync-spec.md#I8 docs/sync-spec.md#I21
import type { CarePlan, Patient, Task } from '@medplum/fhirtypes';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { meaningOthers } from '../../src/sync/let-go.ts';
import { NURSE, openWorld, patient, task, type World } from '../support/sync-world.ts';
import { planOf, shareTask } from './shared-task.ts';

type Stored<T> = T & { id: string };

let world: World;
/** Of our patient there, until they are let go. */
let id: string;
let first: Stored<Task>;

/** A task of theirs about a patient of ours, in a plan of ours. */
beforeEach(async () => {
  world = await openWorld();
  await begin();
  await planOf(world, first);
});
afterEach(() => world.cleanup());

async function begin(): Promise<void> {
  first = await shareTask(world);
  id = String(world.remote.all('Patient')[0]?.id);
}

async function exchange(): Promise<void> {
  for (let rounds = 0; rounds < 2; rounds += 1) {
    await world.sync.pullNow();
    await world.sync.pushNow();
  }
}

const theirs = (key = 'r1') => world.remote.all('Task').find((one) => one.id === key) as Stored<Task>;
const edit = (fields: Partial<Task>, key = 'r1') => world.remote.put({ ...theirs(key), ...fields } as Task);
const named = ({ activity }: CarePlan) => activity?.map(({ reference }) => reference?.reference);
const planThere = (key: string) => world.remote.all('CarePlan').find((one) => one.id === key) as CarePlan;
const asked = async () => (await world.sync.conflicts()).map(({ paths }) => paths.map(({ path }) => path).join());
const described = async () => (await world.all<Task>('Task')).map(({ description }) => description);

async function answer(take: 'ours' | 'theirs'): Promise<void> {
  const [conflict, another] = await world.sync.conflicts();
  expect([conflict !== undefined, another]).toEqual([true, undefined]);
  await world.sync.resolve(NURSE, String(conflict?.id), { take });
}

/** The patient is deleted there, and a person says that ours lives on. */
async function loseThem(): Promise<void> {
  world.remote.remove('Patient', id);
  await world.write(patient('p1', { birthDate: '1950-02-03' }));
  await world.sync.pushNow();
  await answer('ours');
}

/** The same of the task. */
async function loseTask(): Promise<Stored<Task>> {
  const before = theirs();
  world.remote.remove('Task', 'r1');
  await world.write({ ...first, priority: 'urgent' });
  await world.sync.pushNow();
  await answer('ours');
  return before;
}

/** Somebody who is not known here. */
const stranger = (key: string) =>
  patient(key, { name: [{ family: 'Okafor' }], identifier: [{ system: 'urn:mrn', value: '2' }] });

/** Another patient of ours; resolves to the id there. */
async function another(): Promise<string> {
  await world.write(patient('p5', { name: [{ family: 'Quinn' }], birthDate: '1933-03-03' }));
  await exchange();
  const found = (world.remote.all('Patient') as Patient[]).find(({ name }) => name?.[0]?.family === 'Quinn');
  return String(found?.id);
}

describe('a task of a patient whose id somebody else has', () => {
  test('is asked about also when the edit goes back to earlier words', async () => {
    edit({ description: 'Call back' });
    await exchange();
    await loseThem();
    world.remote.put(stranger(id));
    edit({ description: 'Call' });
    await world.sync.pullNow();
    expect(await asked()).toEqual(['patient']);
    expect(await described()).toEqual(['Call back']);
  });

  test('is theirs once a person said so, whatever words it goes back to', async () => {
    await loseThem();
    world.remote.put(stranger(id));
    for (const description of ['Theirs', 'Theirs again', 'Theirs']) {
      edit({ description });
      await world.sync.pullNow();
      if ((await asked()).length > 0) await answer('theirs');
      await exchange();
      expect(await asked()).toEqual([]);
      expect(await described()).toEqual([description]);
      expect(theirs().for?.reference).toBe(`Patient/${id}`);
    }
  });

  test('stays theirs when ours is named beside them', async () => {
    await loseThem();
    await exchange();
    const anew = world.remote.all('Patient').find((one) => one.id !== id)?.id;
    world.remote.put(stranger(id));
    const both = { for: { reference: `Patient/${id}` }, requester: { reference: `Patient/${anew}` } };
    edit({ description: 'Theirs', ...both });
    await world.sync.pullNow();
    await answer('theirs');
    await exchange();
    const [mine] = await world.all<Task>('Task');
    await world.write({ ...(mine as Stored<Task>), priority: 'asap' });
    await exchange();
    expect(theirs()).toMatchObject(both);
  });

  test.each(['somebody else has the id', 'it is moved to another of ours'])(
    'is asked about when ours names a version of them: %s',
    async (how) => {
      await world.write({ ...first, for: { reference: 'Patient/p1/_history/1' } });
      const elsewhere = await another();
      if (how === 'somebody else has the id') {
        await loseThem();
        world.remote.put(stranger(id));
        edit({ description: 'Theirs' });
      } else edit({ for: { reference: `Patient/${elsewhere}` } });
      await exchange();
      expect(await asked()).toEqual(['patient']);
      expect(await described()).toEqual(['Call']);
    },
  );

  test.each(['apart', 'new'] as const)(
    'is not ours by an identifier of ours that a person denied: %s',
    async (decision) => {
      await world.cleanup();
      world = await openWorld({ connection: { types: { Patient: 'both', Task: 'pull' } } });
      await begin();
      const [before] = world.remote.all('Patient');
      await loseThem();
      await exchange();
      world.remote.put(before as Patient);
      await exchange();
      const [question] = await world.sync.matches();
      await world.sync.decideMatch(NURSE, String(question?.id), { decision });
      await exchange();
      edit({ description: 'Theirs' });
      await exchange();
      expect(await asked()).toEqual(['patient']);
      expect(await described()).toEqual(['Call']);
    },
  );
});

test('whom a task names beside its patient stays ours when somebody else has the id', async () => {
  const five = await another();
  const names = { for: { reference: `Patient/${five}` }, requester: { reference: `Patient/${id}` } };
  world.remote.put(task('r7', { ...names, description: 'Call' }));
  await exchange();
  await loseThem();
  world.remote.put(stranger(id));
  edit({ description: 'Call back' }, 'r7');
  await exchange();
  await exchange();
  expect(await asked()).toEqual([]);
  const ours = (await world.all<Task>('Task')).find(({ description }) => description === 'Call back');
  expect(ours?.requester?.reference).toBe('Patient/p1');
  const anew = (world.remote.all('Patient') as Patient[]).find(({ birthDate }) => birthDate === '1950-02-03')?.id;
  expect(theirs('r7').requester?.reference).toBe(`Patient/${anew}`);
});

test('who is named while it is asked who they are is ours once that is said', async () => {
  const five = await another();
  const before = world.remote.all('Patient').find((one) => one.id === id) as Patient;
  await loseThem();
  await exchange();
  world.remote.put(before);
  const names = { for: { reference: `Patient/${five}` }, requester: { reference: `Patient/${id}` } };
  world.remote.put(task('r7', { ...names, description: 'Theirs' }));
  await exchange();
  const [question] = await world.sync.matches();
  await world.sync.decideMatch(NURSE, String(question?.id), { decision: 'link', to: 'p1' });
  await exchange();
  const ours = (await world.all<Task>('Task')).find(({ description }) => description === 'Theirs');
  expect(ours?.requester?.reference).toBe('Patient/p1');
  expect(await world.temp.store.query('SELECT * FROM unresolved_reference')).toEqual([]);
});

describe('an edit about somebody of whom it is asked who they are', () => {
  /** A push of ours fails until they are back, so that theirs is not about our new record before. */
  beforeEach(async () => {
    const before = world.remote.all('Patient').find((one) => one.id === id) as Patient;
    await loseThem();
    const { fetch } = globalThis;
    let isRefusing = true;
    const refusing: typeof fetch = async (url, init) =>
      isRefusing && init?.method === 'PUT' ? new Response('', { status: 422 }) : fetch(url, init);
    await world.restart(() => ({ fetch: refusing }));
    await exchange();
    world.remote.put(before);
    await world.sync.pullNow();
    expect((await world.sync.matches()).map(({ remoteId }) => remoteId)).toEqual([id]);
    edit({ description: 'About the one in question' });
    isRefusing = false;
    await world.write({ ...first, priority: 'asap' });
    await world.sync.pushNow();
  });

  test('waits also when a push finds it', async () => {
    expect(await described()).toEqual(['Call']);
    expect(theirs()).toMatchObject({ for: { reference: `Patient/${id}` }, description: 'About the one in question' });
    expect(theirs().priority).not.toBe('asap');
    const detail = 'Who its patient is on the server is asked (/ops/matches).';
    expect(await world.sync.preview('ehr', 'Task', first.id)).toMatchObject({ outcome: 'would-wait', detail });
    const rows = await world.temp.store.query(
      "SELECT state, fault FROM outbox WHERE type = 'Task' AND state = 'queued'",
    );
    expect(rows).toMatchObject([{ state: 'queued', fault: detail }]);
  });

  test.each(['link', 'apart'] as const)('is whose a person says: %s', async (decision) => {
    const [question] = await world.sync.matches();
    const how = decision === 'link' ? ({ decision, to: 'p1' } as const) : { decision };
    await world.sync.decideMatch(NURSE, String(question?.id), how);
    world.pass({ minutes: 5 });
    await world.sync.pushNow();
    await exchange();
    expect(await asked()).toEqual(decision === 'link' ? [] : ['patient']);
    const words = decision === 'link' ? 'About the one in question' : 'Call';
    expect(await world.all<Task>('Task')).toMatchObject([
      { for: { reference: 'Patient/p1' }, description: words, priority: 'asap' },
    ]);
    expect(theirs().description).toBe('About the one in question');
  });
});

test('a plan that names ours and, newly, the one that is back keeps both', async () => {
  const before = await loseTask();
  await exchange();
  world.remote.put(before);
  const there = world.remote.all('CarePlan')[0] as Stored<CarePlan>;
  const [anew] = named(there) ?? [];
  world.remote.put({ ...there, activity: [...(there.activity ?? []), { reference: { reference: 'Task/r1' } }] });
  await exchange();
  await world.write({ ...((await world.read<CarePlan>('CarePlan', 'c1')) as Stored<CarePlan>), title: 'Ours' });
  await exchange();
  expect(named(planThere(there.id))).toEqual([anew, 'Task/r1']);
  await answer('ours');
  await exchange();
  await exchange();
  expect(named(planThere(there.id))).toEqual([anew, 'Task/r1']);
  const [one, other] = named((await world.read<CarePlan>('CarePlan', 'c1')) as CarePlan) ?? [];
  expect(one).toBe(`Task/${first.id}`);
  expect(other).toMatch(/^Task\//);
  expect(other).not.toBe(one);
});

test('a plan of a backup, which names the one that was let go, names the one that took its place', async () => {
  const [before] = world.remote.all('CarePlan') as Stored<CarePlan>[];
  await loseTask();
  await exchange();
  const next = (world.remote.all('Task') as Stored<Task>[]).map((one) => one.id);
  world.remote.put(before as CarePlan);
  await exchange();
  expect(named(planThere(String(before?.id)))).toEqual(next.map((key) => `Task/${key}`));
  const writes = world.remote.writes().length;
  await exchange();
  expect(world.remote.writes()).toHaveLength(writes);
});

test('a plan that is newly written there means ours while nobody has the id', async () => {
  await loseTask();
  const { resourceType, status, intent, subject } = world.remote.all('CarePlan')[0] as CarePlan;
  const activity = [{ reference: { reference: 'Task/r1' } }];
  world.remote.put({ resourceType, id: 'c9', status, intent, subject, title: 'Theirs', activity });
  await exchange();
  await exchange();
  const nine = (await world.all<CarePlan>('CarePlan')).find(({ title }) => title === 'Theirs') as CarePlan;
  expect(named(nine)).toEqual([`Task/${first.id}`]);
  expect(named(planThere('c9'))).toEqual([`Task/${world.remote.all('Task')[0]?.id}`]);
});

describe('who has the id', () => {
  test('is asked once for a page', async () => {
    const keys = ['m1', 'm2', 'm3'];
    for (const key of keys) world.remote.put(task(key, { for: { reference: `Patient/${id}` }, description: key }));
    await exchange();
    await loseThem();
    for (const key of keys) edit({ description: `${key} again` }, key);
    const before = world.remote.requests.length;
    await world.sync.pullNow();
    const reads = world.remote.requests.slice(before).filter(({ url }) => url === `/Patient/${id}`);
    expect(reads).toHaveLength(1);
    expect((await described()).sort()).toEqual(['Call', ...keys.map((key) => `${key} again`)]);
  });

  test('asks nobody when it refuses who we are', async () => {
    await loseThem();
    edit({ description: 'Theirs' });
    const { fetch } = globalThis;
    const refusing: typeof fetch = async (url, init) =>
      String(url).endsWith(`/Patient/${id}`) ? new Response('', { status: 401 }) : fetch(url, init);
    await world.restart(() => ({ fetch: refusing }));
    await world.sync.pullNow();
    expect(await asked()).toEqual([]);
    expect(await described()).toEqual(['Call']);
  });

  test.each(['pull', 'push'] as const)('waits while the server does not say: %s', async (way) => {
    await loseThem();
    edit({ description: 'Theirs' });
    await world.write({ ...first, priority: 'asap' });
    const fetch = globalThis.fetch;
    let isDown = true;
    const stumbling: typeof fetch = async (url, init) =>
      isDown && String(url).endsWith(`/Patient/${id}`) ? new Response('', { status: 503 }) : fetch(url, init);
    await world.restart(() => ({ fetch: stumbling }));
    await (way === 'pull' ? world.sync.pullNow() : world.sync.pushNow());
    expect(await asked()).toEqual([]);
    expect(await described()).toEqual(['Call']);
    isDown = false;
    await exchange();
    expect(await asked()).toEqual([]);
    expect(await world.all('Task')).toMatchObject([{ description: 'Theirs', priority: 'asap' }]);
  });
});

describe('a task of a second record that was denied', () => {
  const t2 = () => theirs('t2');

  beforeEach(async () => {
    await world.cleanup();
    world = await openWorld();
    const identifier = [{ system: 'urn:mrn', value: '77' }];
    world.remote.put(patient('r1', { identifier }));
    world.remote.put(patient('r2', { identifier }));
    await world.write(patient('p1', { identifier }));
    await world.sync.pushNow();
    const decide = async (remoteId: string, decision: 'link' | 'apart') => {
      const question = (await world.sync.matches()).find((one) => one.remoteId === remoteId);
      const how = decision === 'link' ? ({ decision, to: 'p1' } as const) : { decision };
      await world.sync.decideMatch(NURSE, String(question?.id), how);
    };
    for (const remoteId of ['r1', 'r2']) await decide(remoteId, 'link');
    world.remote.put(task('t2', { for: { reference: 'Patient/r2' }, description: 'Early' }));
    await exchange();
    expect(await described()).toEqual(['Early']);
    world.remote.remove('Patient', 'r1');
    world.remote.put({ ...stranger('r2'), birthDate: '1999-09-09' } as Patient);
    await world.sync.sweep();
    await exchange();
    await decide('r2', 'apart');
  });

  test('is theirs', async () => {
    world.remote.put(task('t3', { for: { reference: 'Patient/r2' }, description: 'Late' }));
    edit({ description: 'Early, edited' }, 't2');
    await exchange();
    expect(await described()).toEqual(['Early']);
    expect(await asked()).toEqual(['patient']);
  });

  test('is shown with whom it is about there, and with no proposal that mixes the two', async () => {
    edit({ description: 'About Okafor' }, 't2');
    await exchange();
    const [conflict] = await world.sync.conflicts();
    const shown = await world.sync.conflict(String(conflict?.id));
    expect(shown).toMatchObject({ paths: [{ path: 'patient' }], proposed: shown.local });
    const words = Object.fromEntries(shown.elements.map((one) => [one.path, [one.decidedBy.kind, one.why]]));
    expect(words).toEqual({
      for: ['patient', 'It would move the resource to another patient.'],
      description: ['only-change', undefined],
    });
    const whom = shown.elements.find(({ path }) => path === 'for');
    expect([whom?.ours, whom?.proposed]).toEqual([{ reference: 'Patient/p1' }, { reference: 'Patient/p1' }]);
    expect(whom?.theirs).toEqual({ reference: expect.stringMatching(/^http.*\/Patient\/r2$/) });
  });

  test('is asked about as theirs also when both sides edited it', async () => {
    const [ours] = await world.all<Task>('Task');
    edit({ description: 'About Okafor', statusReason: { text: 'Okafor moved' } }, 't2');
    await world.write({ ...(ours as Stored<Task>), description: 'Early, today' });
    await world.sync.pullNow();
    expect(await asked()).toEqual(['patient,description']);
    const [conflict] = await world.sync.conflicts();
    expect(conflict?.proposed).toEqual(conflict?.local);
  });

  test.each(['ours', 'theirs', 'proposed', 'edited'] as const)(
    'is of one of the two after the answer: %s',
    async (take) => {
      edit({ description: 'About Okafor' }, 't2');
      await exchange();
      const [conflict] = await world.sync.conflicts();
      const { local, remote } = await world.sync.conflict(String(conflict?.id));
      const body = { ...local, ...remote, for: { reference: 'Patient/p1' }, description: 'By hand' };
      await world.sync.resolve(NURSE, String(conflict?.id), take === 'edited' ? { take, body } : { take });
      await exchange();
      await exchange();
      const [ours] = await world.all<Task>('Task');
      const words = [ours?.description, t2().description];
      if (take === 'theirs') {
        expect(words).toEqual(['About Okafor', 'About Okafor']);
        expect(ours?.for?.reference).toMatch(/^http.*\/Patient\/r2$/);
        expect(t2().for?.reference).toBe('Patient/r2');
      } else {
        const word = take === 'edited' ? 'By hand' : 'Early';
        expect(words).toEqual([word, word]);
        expect(ours?.for?.reference).toBe('Patient/p1');
        expect(t2().for?.reference).toBe('Patient/r1');
      }
      expect(await asked()).toEqual([]);
    },
  );
});

test('words that were kept mean who has the id by now, of whatever version', async () => {
  const mapping = { remoteBase: world.remote.baseUrl, ownSystem: 'https://baton.test/id' };
  const rows = [{ type: 'Patient', before: 'p1', after: 'p2' }];
  const context = { store: { query: async () => rows }, connection: world.connection, mapping } as never;
  const kept = (who: string) => ({
    resourceType: 'Task',
    for: { reference: `Patient/${who}` },
    owner: { reference: `Patient/${who}/_history/3` },
  });
  const meant = await meaningOthers(context, kept('p1'), { for: { reference: 'Patient/r1' } });
  expect(meant).toEqual(kept('p2'));
});

test('a record that becomes a second one of another of ours: what is edited of it is asked about', async () => {
  const identifier = [{ system: 'urn:mrn', value: '2' }];
  const other = (key: string) => patient(key, { name: [{ family: 'Okafor' }], birthDate: '1999-09-09', identifier });
  await world.write(other('p2'));
  await exchange();
  await loseThem();
  world.remote.put(other(id));
  await world.sync.pullNow();
  const [question] = await world.sync.matches();
  expect(question?.remoteId).toBe(id);
  await world.sync.decideMatch(NURSE, String(question?.id), { decision: 'link', to: 'p2' });
  edit({ description: 'About Okafor', for: { reference: `Patient/${id}` } });
  await exchange();
  expect(await described()).toEqual(['Call']);
  expect(await asked()).toEqual(['patient']);
});

test('a record that another was merged into, and that comes back as somebody else, is theirs once a person said so', async () => {
  world.remote.put(patient('r2') as Patient);
  const link = [{ type: 'replaced-by' as const, other: { reference: 'Patient/r2' } }];
  world.remote.put({ ...world.remote.all('Patient').find((one) => one.id === id), active: false, link } as Patient);
  await exchange();
  id = 'r2';
  await loseThem();
  await world.write(task('t9', { description: 'After' }));
  world.remote.put(patient('r2', { name: [{ family: 'Else' }], birthDate: '1911-11-11' }) as Patient);
  await world.sync.pushNow();
  await exchange();
  const sent = () => (world.remote.all('Task') as Task[]).find(({ description }) => description === 'After');
  const [question, another] = await world.sync.matches();
  expect([question?.remoteId, another]).toEqual(['r2', undefined]);
  expect(sent()?.for?.reference).not.toBe('Patient/r2');
  expect((await world.all<Patient>('Patient')).map(({ name }) => name?.[0]?.family)).toEqual(['Rivera']);
  await world.sync.decideMatch(NURSE, String(question?.id), { decision: 'new' });
  await exchange();
  const whose = (world.remote.all('Patient') as Stored<Patient>[]).find(
    (one) => `Patient/${one.id}` === sent()?.for?.reference,
  );
  expect([whose?.name?.[0]?.family, whose?.active, whose?.id === 'r2']).toEqual(['Rivera', undefined, false]);
  expect((await world.all<Patient>('Patient')).map(({ name }) => name?.[0]?.family)).toEqual(['Rivera', 'Else']);
  expect(await asked()).toEqual([]);
});

test('a task of our patient that names, beside them, the id they had before stays theirs without a question', async () => {
  edit({ requester: { reference: `Patient/${id}` } });
  await exchange();
  await loseThem();
  await exchange();
  const anew = String((world.remote.all('Patient') as Stored<Patient>[]).find((one) => one.id !== id)?.id);
  edit({ for: { reference: `Patient/${anew}` }, requester: { reference: `Patient/${id}` } });
  await exchange();
  const identifier = [{ system: 'urn:mrn', value: '2' }];
  const other = (key: string) => patient(key, { name: [{ family: 'Okafor' }], birthDate: '1999-09-09', identifier });
  await world.write(other('p2'));
  world.remote.put(other(id));
  await exchange();
  edit({ description: 'Edited' });
  await exchange();
  expect(await asked()).toEqual([]);
  expect((await world.all<Task>('Task'))[0]).toMatchObject({ description: 'Edited', for: { reference: 'Patient/p1' } });
});

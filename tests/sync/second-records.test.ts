// A second record there of a patient of ours, by a person's word, whose first one is gone by now: nobody knows whose it is until a
// person says so again. docs/sync-spec.md#I8
import type { Patient, Task } from '@medplum/fhirtypes';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { NURSE, openWorld, patient, task, type World } from '../support/sync-world.ts';

let world: World;
const identifier = (value: string) => [{ system: 'urn:mrn', value }];
const quinn = (id: string) =>
  patient(id, { name: [{ family: 'Quinn', given: ['Zed'] }], birthDate: '1933-03-03', identifier: identifier('5') });
const okafor = (id: string) =>
  patient(id, { name: [{ family: 'Okafor' }], birthDate: '1999-09-09', identifier: identifier('2') });
const tasks = () => world.all<Task>('Task');
const described = async (description: string) => (await tasks()).find((one) => one.description === description);

const there = (type: string, id: string) => world.remote.all(type).find((one) => one.id === id);

beforeEach(async () => {
  world = await openWorld();
  await begin();
});

async function begin(): Promise<void> {
  for (const id of ['r1', 'r2']) world.remote.put(patient(id, { identifier: identifier('77') }));
  await world.write(patient('p1', { identifier: identifier('77') }));
  await world.sync.pushNow();
  for (const remoteId of ['r1', 'r2']) await decide(remoteId, 'p1');
  world.remote.put(quinn('r5'));
  await world.write(quinn('p2'));
  await world.sync.pushNow();
  world.remote.put(task('t2', { for: { reference: 'Patient/r2' }, description: 'Early' }));
  await exchange();
}
afterEach(() => world.cleanup());

async function exchange(): Promise<void> {
  for (let rounds = 0; rounds < 2; rounds += 1) {
    await world.sync.pullNow();
    await world.sync.pushNow();
  }
}

async function decide(remoteId: string, to?: string): Promise<void> {
  const question = (await world.sync.matches()).find((one) => one.remoteId === remoteId);
  const decision = to === undefined ? ({ decision: 'apart' } as const) : ({ decision: 'link', to } as const);
  await world.sync.decideMatch(NURSE, String(question?.id), decision);
}

async function decideNew(remoteId: string): Promise<void> {
  const question = (await world.sync.matches()).find((one) => one.remoteId === remoteId);
  await world.sync.decideMatch(NURSE, String(question?.id), { decision: 'new' });
}

async function loseFirst(): Promise<void> {
  world.remote.remove('Patient', 'r1');
  await world.sync.sweep();
}

test('the answer that it is somebody else of ours merges nobody', async () => {
  await loseFirst();
  world.remote.put(quinn('r2'));
  await exchange();
  await decide('r2', 'p2');
  await exchange();
  const patients = await world.all<Patient>('Patient');
  expect(patients.map(({ id, link, active }) => [id, link, active ?? true]).sort()).toEqual([
    ['p1', undefined, true],
    ['p2', undefined, true],
  ]);
  expect(await world.sync.matches()).toEqual([]);
});

test.each(['edited', 'new'])('what is about it waits meanwhile: %s', async (how) => {
  await loseFirst();
  world.remote.put(okafor('r2'));
  const about = { for: { reference: 'Patient/r2' }, description: 'About Okafor' };
  world.remote.put(task(how === 'edited' ? 't2' : 't3', about));
  await exchange();
  expect((await world.sync.matches()).map(({ remoteId }) => remoteId)).toEqual(['r2']);
  expect(await described('About Okafor')).toBeUndefined();
});

test('who names it beside their patient does not name ours, nor once that is denied', async () => {
  await loseFirst();
  world.remote.put(okafor('r2'));
  const [five] = await world.temp.store.query("SELECT remote_id FROM identity WHERE local_id = 'p2'");
  const names = { for: { reference: `Patient/${five?.remote_id}` }, requester: { reference: 'Patient/r2' } };
  world.remote.put(task('t7', { ...names, description: 'Beside' }));
  await exchange();
  expect((await described('Beside'))?.requester?.reference).toMatch(/^http/);
  await decide('r2');
  await exchange();
  expect((await described('Beside'))?.requester?.reference).toMatch(/^http/);
});

function mergeThere(from: string, into: string): void {
  const link = [{ type: 'replaced-by' as const, other: { reference: `Patient/${into}` } }];
  world.remote.put({ ...(there('Patient', from) as Patient), active: false, link } as Patient);
}

test('the record of another of ours is merged there into the second, whose first is gone: it is theirs, and nobody else moves', async () => {
  world.remote.put(task('t5', { for: { reference: 'Patient/r5' }, description: 'Of Quinn' }));
  await exchange();
  const [five] = await world.temp.store.query("SELECT remote_id FROM identity WHERE local_id = 'p2'");
  await loseFirst();
  world.remote.put(quinn('r2'));
  await exchange();
  mergeThere(String(five?.remote_id), 'r2');
  await exchange();
  await exchange();
  const patients = await world.all<Patient>('Patient');
  expect(patients.map(({ id, active }) => [id, active ?? true]).sort()).toEqual([
    ['p1', true],
    ['p2', true],
  ]);
  expect((await described('Early'))?.for?.reference).toBe('Patient/p1');
  world.remote.put(task('t6', { for: { reference: 'Patient/r2' }, description: 'After' }));
  await exchange();
  expect((await described('After'))?.for?.reference).toBe('Patient/p2');
  world.remote.put(task('t2', { for: { reference: 'Patient/r2' }, description: 'About Quinn' }));
  await exchange();
  expect(await described('About Quinn')).toBeUndefined();
});

test('what the first says of it is not about ours themselves', async () => {
  world.remote.put(patient('r3', { identifier: identifier('77') }));
  const link: Patient['link'] = [{ type: 'seealso', other: { reference: 'Patient/r3' } }];
  world.remote.put({ ...(there('Patient', 'r1') as Patient & { id: string }), link });
  await exchange();
  await decide('r3', 'p1');
  await exchange();
  const said = [{ type: 'seealso', other: { reference: `${world.remote.baseUrl}/Patient/r3` } }];
  expect(await world.read('Patient', 'p1')).toMatchObject({ link: said });
  expect(there('Patient', 'r1')).toMatchObject({ link });
});

describe('the server merges the first into the second', () => {
  const ours = async () => (await world.read<Patient>('Patient', 'p1')) as Patient & { id: string };

  test('ours stays who it is and has that record now, and another server hears nothing of it', async () => {
    world.sync.stop();
    await world.cleanup();
    world = await openWorld({ others: { lab: {} } });
    await begin();
    mergeThere('r1', 'r2');
    await exchange();
    await exchange();
    const patient = await ours();
    expect([patient.active ?? true, patient.link]).toEqual([true, undefined]);
    const lab = world.remotes.lab?.all('Patient') as Patient[];
    expect(lab.map(({ active, link }) => [active ?? true, link])).toEqual([
      [true, undefined],
      [true, undefined],
    ]);
    await world.write(task('t4', { description: 'After' }));
    await exchange();
    const sent = (world.remote.all('Task') as Task[]).find(({ description }) => description === 'After');
    expect(sent?.for?.reference).toBe('Patient/r2');
    expect(await world.sync.matches()).toEqual([]);
  });

  test('a push that meets it goes to that one', async () => {
    mergeThere('r1', 'r2');
    await world.write({ ...(await ours()), gender: 'female' });
    await world.sync.pushNow();
    await exchange();
    const genders = ['r1', 'r2'].map((id) => (there('Patient', id) as Patient).gender);
    expect(genders).toEqual([undefined, 'female']);
    expect(there('Patient', 'r1')).toMatchObject({ link: [{ other: { reference: 'Patient/r2' } }] });
  });

  test('and a third into the second, who is denied later: what names that one is not of ours', async () => {
    world.remote.put(patient('r3', { name: [{ family: 'Zzz' }], birthDate: '1922-02-02' }));
    mergeThere('r3', 'r2');
    await exchange();
    await loseFirst();
    world.remote.put(okafor('r2'));
    await world.sync.sweep();
    await exchange();
    expect((await world.sync.matches()).map(({ remoteId }) => remoteId)).toEqual(['r2']);
    world.remote.put(task('t3', { for: { reference: 'Patient/r3' }, description: 'About Okafor' }));
    await exchange();
    expect((await described('About Okafor'))?.for?.reference).not.toBe('Patient/p1');
  });
});

test.each(['is gone, too', 'says something else by now', 'is as it was'])(
  'ours is made anew once the first is let go, when the second %s, and nothing goes to whoever has the old id',
  async (second) => {
    if (second === 'is gone, too') world.remote.remove('Patient', 'r2');
    if (second === 'says something else by now') world.remote.put(okafor('r2'));
    world.remote.remove('Patient', 'r1');
    await world.write({
      ...((await world.read<Patient>('Patient', 'p1')) as Patient & { id: string }),
      gender: 'female',
    });
    await world.sync.pushNow();
    const [conflict] = await world.sync.conflicts();
    expect(conflict?.kind).toBe('deleted');
    await world.sync.resolve(NURSE, String(conflict?.id), { take: 'ours' });
    await world.write(task('t4', { description: 'After' }));
    world.remote.put(patient('r1', { name: [{ family: 'Somebody', given: ['Else'] }], birthDate: '1911-11-11' }));
    for (let day = 0; day < 3; day += 1) {
      await world.sync.pushNow();
      await exchange();
      world.pass({ hours: 24 });
    }
    const women = (world.remote.all('Patient') as (Patient & { id: string })[]).filter(
      (one) => one.gender === 'female',
    );
    expect(women).toHaveLength(1);
    const sent = (world.remote.all('Task') as Task[]).find(({ description }) => description === 'After');
    expect(sent?.for?.reference).toBe(`Patient/${women[0]?.id}`);
  },
);

test.each(['another of ours', 'somebody new'])(
  'what is edited of it is asked about once it is said to be %s',
  async (who) => {
    await loseFirst();
    world.remote.put(who === 'somebody new' ? okafor('r2') : quinn('r2'));
    await exchange();
    if (who === 'somebody new') await decideNew('r2');
    else await decide('r2', 'p2');
    await exchange();
    world.remote.put(task('t2', { for: { reference: 'Patient/r2' }, description: 'About them' }));
    await exchange();
    expect(await described('About them')).toBeUndefined();
    const conflicts = await world.sync.conflicts();
    expect(conflicts.map(({ type, paths }) => [type, paths.map(({ path }) => path)])).toContainEqual([
      'Task',
      ['patient'],
    ]);
  },
);

test('what names it there names the record that ours has by now, when the first is gone', async () => {
  await loseFirst();
  world.remote.put(patient('r3', { identifier: identifier('77') }));
  await exchange();
  await decide('r3', 'p1');
  world.remote.put(okafor('r2'));
  await exchange();
  expect((await described('Early'))?.for?.reference).toBe('Patient/p1');
  expect(there('Task', 't2')).toMatchObject({ for: { reference: 'Patient/r3' } });
});

test('what names it there goes on naming it while nobody has said which record ours has instead of the first', async () => {
  await loseFirst();
  await world.write({ ...((await described('Early')) as Task & { id: string }), priority: 'urgent' });
  await exchange();
  expect(there('Task', 't2')).toMatchObject({ priority: 'urgent', for: { reference: 'Patient/r2' } });
});

test.each(['becomes one of ours later', 'was merged into that of one of ours instead'])(
  'what is edited of it is asked about when it was merged into a record that %s',
  async (how) => {
    await loseFirst();
    world.remote.put(okafor('r6'));
    world.remote.put(okafor('r2'));
    mergeThere('r2', 'r6');
    await exchange();
    if (how === 'becomes one of ours later') {
      await world.write(okafor('p3'));
      await world.sync.pushNow();
    } else {
      const { link: _link, ...whole } = there('Patient', 'r2') as Patient;
      world.remote.put(whole);
      mergeThere('r2', 'r5');
      await exchange();
    }
    world.remote.put(task('t2', { for: { reference: 'Patient/r2' }, description: 'About Okafor' }));
    await world.sync.pullNow();
    expect(await described('About Okafor')).toBeUndefined();
    const conflicts = await world.sync.conflicts();
    expect(conflicts.flatMap(({ paths }) => paths.map(({ path }) => path))).toEqual(['patient']);
  },
);

test('where patients are only sent, what names one that a push asked about comes in once that is answered', async () => {
  await world.cleanup();
  world = await openWorld({ connection: { types: { Patient: 'push', Task: 'both' } } });
  for (const one of [quinn('p1'), okafor('p7')]) await world.write(one);
  await world.sync.pushNow();
  const theirs = () => (world.remote.all('Patient') as Patient[]).filter(({ name }) => name?.[0]?.family === 'Quinn');
  const [first] = theirs() as (Patient & { id: string })[];
  if (!first) throw new Error('not sent');
  world.remote.remove('Patient', first.id);
  await world.write({ ...quinn('p1'), gender: 'female' } as Patient & { id: string });
  await world.sync.pushNow();
  const [conflict] = await world.sync.conflicts();
  await world.sync.resolve(NURSE, String(conflict?.id), { take: 'ours' });
  await world.sync.pushNow();
  const [anew] = theirs() as (Patient & { id: string })[];
  world.remote.put(first);
  const link = [{ type: 'replaced-by' as const, other: { reference: `Patient/${first.id}` } }];
  world.remote.put({ ...anew, active: false, link } as Patient & { id: string });
  await world.write({ ...quinn('p1'), gender: 'male' } as Patient & { id: string });
  await world.sync.pushNow();
  await world.sync.pushNow();
  await decide(first.id, 'p7');
  world.remote.put(task('t9', { for: { reference: `Patient/${first.id}` } }));
  await exchange();
  expect(await tasks()).toMatchObject([{ for: { reference: 'Patient/p7' } }]);
});

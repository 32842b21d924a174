// Whom a record there meant before, by what a person said or until it was let go, when the server merges it or somebody else
// turns out to have it: nobody's words and tasks come into another's record. docs/sync-spec.md#I8
import type { Account, Communication, Patient, Task } from '@medplum/fhirtypes';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { NURSE, openWorld, patient, task, type World, type WorldOptions } from '../support/sync-world.ts';

type Stored<T> = T & { id: string };

let world: World;
afterEach(() => world.cleanup());

async function open(types: Record<string, 'pull' | 'push' | 'both'>, options: WorldOptions = {}): Promise<void> {
  world = await openWorld({ ...options, connection: { types, ...options.connection } });
}

async function exchange(): Promise<void> {
  for (let rounds = 0; rounds < 2; rounds += 1) {
    await world.sync.pullNow();
    await world.sync.pushNow();
  }
}

const DOOR = { interactions: ['read', 'search-type', 'create', 'update'], search: ['identifier', '_lastUpdated'] };
const BOTH = { Patient: 'both', Task: 'both' } as const;
const number = (value: string) => ({ identifier: [{ system: 'urn:mrn', value }] });
const quinn = (id: string) =>
  patient(id, { name: [{ family: 'Quinn', given: ['Zed'] }], birthDate: '1933-03-03', ...number('5') });
const there = (id: string) => world.remote.all('Patient').find((one) => one.id === id) as Stored<Patient>;
const ours = async () => (await world.read<Patient>('Patient', 'p1')) as Stored<Patient>;
const linkOf = async (id: string) => {
  const sql =
    "SELECT remote_id FROM identity WHERE type = 'Patient' AND local_id = ? AND state <> 'replaced' AND connection = 'ehr'";
  return (await world.temp.store.query(sql, [id])).map(({ remote_id }) => String(remote_id));
};
const inUse = async () => (await world.all<Patient>('Patient')).filter(({ active }) => active !== false).length;
const asked = async () =>
  (await world.sync.matches()).map(({ remoteId, candidates }) => [remoteId, candidates.map(({ why }) => why).join()]);

function merge(from: string, into: string): void {
  const link = [{ type: 'replaced-by' as const, other: { reference: `Patient/${into}` } }];
  world.remote.put({ ...there(from), active: false, link });
}

async function answer(remoteId: string, to: string | undefined): Promise<void> {
  const question = (await world.sync.matches()).find((one) => one.remoteId === remoteId);
  const decision = to === undefined ? ({ decision: 'apart' } as const) : ({ decision: 'link', to } as const);
  await world.sync.decideMatch(NURSE, String(question?.id), decision);
}

/** The record of ours is deleted there, and a person says that ours lives on. */
async function lose(remoteId: string): Promise<void> {
  world.remote.remove('Patient', remoteId);
  await world.write({ ...(await ours()), gender: 'female' });
  await world.sync.sweep();
  const conflict = (await world.sync.conflicts()).find(({ kind }) => kind === 'deleted');
  await world.sync.resolve(NURSE, String(conflict?.id), { take: 'ours' });
}

describe('the server merges the record of another of ours into one', () => {
  test('that ours had until it was let go: what is edited of it is asked about', async () => {
    await open({ Patient: 'both', Task: 'pull' });
    await world.write(patient('p1', number('77')));
    await world.write(quinn('p5'));
    await world.sync.pushNow();
    const [one, five] = [String((await linkOf('p1'))[0]), String((await linkOf('p5'))[0])];
    world.remote.put(task('t1', { for: { reference: `Patient/${one}` }, description: 'Call' }));
    await exchange();
    await lose(one);
    await exchange();
    world.remote.put(quinn(one));
    merge(five, one);
    await exchange();
    expect(await linkOf('p5')).toEqual([one]);
    world.remote.put(task('t1', { for: { reference: `Patient/${one}` }, description: 'About Quinn' }));
    await exchange();
    expect((await world.all<Task>('Task')).map(({ description }) => description)).toEqual(['Call']);
    const conflicts = await world.sync.conflicts();
    expect(conflicts.map(({ type, paths }) => [type, paths.map(({ path }) => path)])).toEqual([['Task', ['patient']]]);
  });

  test('that ours had, who has a second record: nothing about ours goes to it', async () => {
    await open({ Patient: 'pull', Task: 'both' });
    for (const id of ['r1', 'r2']) world.remote.put(patient(id, number('77')));
    world.remote.put(quinn('r5'));
    await world.write(patient('p1', number('77')));
    await exchange();
    await answer('r2', 'p1');
    await exchange();
    await lose('r1');
    world.remote.put(quinn('r1'));
    merge('r5', 'r1');
    await exchange();
    await world.write(task('t9', { description: 'After' }));
    await exchange();
    const sent = (world.remote.all('Task') as Task[]).find(({ description }) => description === 'After');
    expect(sent?.for?.reference).not.toBe('Patient/r1');
  });
});

describe('the server merges the record of ours into one that a person said is not theirs', () => {
  test.each(['apart', 'link'])('and that nobody here has: the person is asked again, %s', async (decision) => {
    await open(BOTH);
    await world.write(patient('p1', number('77')));
    world.remote.put(patient('r1', number('77')));
    await exchange();
    world.remote.put(patient('r2', { ...number('77'), gender: 'male' }));
    await exchange();
    await answer('r2', undefined);
    await exchange();
    merge('r1', 'r2');
    await exchange();
    expect(await asked()).toEqual([['r2', 'merged']]);
    expect((await ours()).gender).toBeUndefined();
    await answer('r2', decision === 'link' ? 'p1' : undefined);
    await exchange();
    await world.write(task('t1', { description: 'After' }));
    await exchange();
    const [linked] = await linkOf('p1');
    if (decision === 'link') expect([linked, (await ours()).gender]).toEqual(['r2', 'male']);
    else expect([linked === 'r1' || linked === 'r2', (await ours()).gender]).toEqual([false, undefined]);
    expect((world.remote.all('Task') as Task[])[0]?.for?.reference).toBe(`Patient/${linked}`);
    expect(await world.sync.matches()).toEqual([]);
  });

  describe.each([false, true])(
    'an account about them and somebody else, when the person is asked again (%s)',
    (isAnswered) => {
      const about = (...ids: string[]) => ids.map((id) => ({ reference: `Patient/${id}` }));
      const account = (...ids: string[]) =>
        ({ resourceType: 'Account', id: 'a1', status: 'active', subject: about(...ids) }) as const;
      const theirs = () => world.remote.all('Account')[0] as Stored<Account>;
      let [one, three]: (string | undefined)[] = [];
      beforeEach(async () => {
        const doors = Object.fromEntries(['Patient', 'Account'].map((type) => [type, DOOR]));
        await open({ Patient: 'both', Account: 'both' }, { knobs: { doors } });
        world.remote.put(patient('r1', number('77')));
        await world.write(patient('p1', number('77')));
        await world.write(patient('p3', { name: [{ family: 'Three' }] }));
        await world.write(account('p1', 'p3'));
        await exchange();
        world.remote.put(patient('r2', { ...number('77'), gender: 'male' }));
        await exchange();
        await answer('r2', undefined);
        await exchange();
        [one, three] = [...(await linkOf('p1')), ...(await linkOf('p3'))];
        expect(theirs().subject).toEqual(about(String(one), String(three)));
        merge('r1', 'r2');
      });

      test('comes in without them once they are taken out of it there', async () => {
        world.remote.put({ ...theirs(), subject: about(String(three)) });
        await exchange();
        expect(await asked()).toEqual([['r2', 'merged']]);
        if (isAnswered) await answer('r2', 'p1');
        await exchange();
        expect(await world.read('Account', 'a1')).toMatchObject({ subject: about('p3') });
        expect(theirs().subject).toEqual(about(String(three)));
      });

      test('goes on naming them there when something else of it is edited here, once it is answered', async () => {
        await exchange();
        await world.write({ ...account('p1', 'p3'), description: 'Edited' });
        if (isAnswered) await answer('r2', 'p1');
        await exchange();
        expect(theirs().description).toBe(isAnswered ? 'Edited' : undefined);
        const records = [theirs().subject, await world.read('Account', 'a1')];
        const isMoved = isAnswered && theirs().subject?.[0]?.reference === 'Patient/r2';
        expect(records).toMatchObject([
          about(isMoved ? 'r2' : String(one), String(three)),
          { subject: about('p1', 'p3') },
        ]);
      });

      test('goes there without them once they are taken out of it here', async () => {
        await exchange();
        expect(await asked()).toEqual([['r2', 'merged']]);
        await world.write(account('p3'));
        if (isAnswered) await answer('r2', 'p1');
        await exchange();
        expect(theirs().subject).toEqual(about(String(three)));
        expect(await world.read('Account', 'a1')).toMatchObject({ subject: about('p3') });
      });
    },
  );

  test('an account loses two of whom the person is asked again, once they are taken out of it there', async () => {
    const about = (...ids: string[]) => ids.map((id) => ({ reference: `Patient/${id}` }));
    const doors = Object.fromEntries(['Patient', 'Account'].map((type) => [type, DOOR]));
    await open({ Patient: 'both', Account: 'both' }, { knobs: { doors } });
    for (const id of ['1', '2', '3']) {
      world.remote.put(patient(`r${id}`, number(id)));
      await world.write(patient(`p${id}`, number(id)));
    }
    await world.write({ resourceType: 'Account', id: 'a1', status: 'active', subject: about('p1', 'p2', 'p3') });
    await exchange();
    for (const id of ['1', '2']) world.remote.put(patient(`s${id}`, { ...number(id), gender: 'male' }));
    await exchange();
    for (const id of ['1', '2']) await answer(`s${id}`, undefined);
    await exchange();
    for (const id of ['1', '2']) merge(`r${id}`, `s${id}`);
    world.remote.put({ ...(world.remote.all('Account')[0] as Stored<Account>), subject: about('r3') });
    await exchange();
    expect(await asked()).toHaveLength(2);
    expect(await world.read('Account', 'a1')).toMatchObject({ subject: about('p3') });
  });

  test.each(['there', 'here'])(
    'a message that is about somebody else loses them as a recipient, once they are taken out of it %s',
    async (side) => {
      const to = (...ids: string[]) => ({ recipient: ids.map((id) => ({ reference: `Patient/${id}` })) });
      const subject = { reference: 'Patient/p2' };
      const message = { resourceType: 'Communication', id: 'c1', status: 'completed', subject } as const;
      const theirs = () => world.remote.all('Communication')[0] as Stored<Communication>;
      const doors = Object.fromEntries(['Patient', 'Communication'].map((type) => [type, DOOR]));
      await open({ Patient: 'both', Communication: 'both' }, { knobs: { doors } });
      for (const id of ['1', '2']) {
        world.remote.put(patient(`r${id}`, number(id)));
        await world.write(patient(`p${id}`, number(id)));
      }
      await world.write({ ...message, ...to('p1', 'p2') });
      await exchange();
      expect(theirs()).toMatchObject(to('r1', 'r2'));
      world.remote.put(patient('s1', { ...number('1'), gender: 'male' }));
      await exchange();
      await answer('s1', undefined);
      await exchange();
      merge('r1', 's1');
      await exchange();
      expect(await asked()).toEqual([['s1', 'merged']]);
      if (side === 'there') world.remote.put({ ...theirs(), ...to('r2') });
      else await world.write({ ...message, ...to('p2') });
      await exchange();
      expect(await world.read('Communication', 'c1')).toMatchObject(to('p2'));
      expect(theirs()).toMatchObject(to('r2'));
    },
  );

  test('and that another of ours has: nothing moves and nobody is closed until the person is asked again', async () => {
    await open({ Patient: 'pull', Task: 'both' });
    world.remote.put(patient('r1', { name: [{ family: 'One' }], ...number('77') }));
    world.remote.put(task('t1', { for: { reference: 'Patient/r1' } }));
    await exchange();
    world.remote.put(patient('r2', { name: [{ family: 'Two' }], birthDate: '1933-03-03', ...number('77') }));
    await exchange();
    const question = (await world.sync.matches()).find(({ remoteId }) => remoteId === 'r2');
    await world.sync.decideMatch(NURSE, String(question?.id), { decision: 'new' });
    await exchange();
    merge('r1', 'r2');
    await exchange();
    expect(await asked()).toEqual([['r1', 'merged']]);
    expect(await inUse()).toBe(2);
    const patients = await world.all<Patient>('Patient');
    const one = patients.find(({ name }) => name?.[0]?.family === 'One');
    expect((await world.all<Task>('Task')).map((found) => found.for?.reference)).toEqual([`Patient/${one?.id}`]);
  });
});

test('a merge closes nobody about whom another server is asked', async () => {
  await open({ Patient: 'pull', Task: 'both' }, { others: { lab: { connection: { types: { Patient: 'both' } } } } });
  for (const [id, family] of Object.entries({ r1: 'One', r2: 'Two' })) {
    world.remote.put(patient(id, { name: [{ family }] }));
  }
  await exchange();
  const one = (await world.all<Patient>('Patient')).find(({ name }) => name?.[0]?.family === 'One') as Stored<Patient>;
  const lab = world.remotes.lab?.all('Patient') as Patient[];
  world.remotes.lab?.put({ ...lab.find(({ name }) => name?.[0]?.family === 'One'), gender: 'male' } as Patient);
  await world.write({ ...one, gender: 'female' });
  await exchange();
  expect(await world.sync.conflicts()).toMatchObject([{ connection: 'lab', kind: 'content' }]);
  merge('r1', 'r2');
  await exchange();
  expect(await inUse()).toBe(2);
  expect(await asked()).toEqual([['r1', 'merged']]);
});

test('what names a record that was merged into one that is asked about waits for the answer, too', async () => {
  await open(BOTH);
  await world.write(patient('p1', number('77')));
  world.remote.put(patient('r1', { ...number('77'), birthDate: '1977-07-07' }));
  world.remote.put(patient('r0', { name: [{ family: 'Zero' }], birthDate: '1911-01-01' }));
  merge('r0', 'r1');
  await exchange();
  world.remote.put(task('t0', { for: { reference: 'Patient/r0' } }));
  await exchange();
  const held = await world.temp.store.query("SELECT waits_id FROM held_resource WHERE type = 'Task'");
  expect(held).toEqual([{ waits_id: 'r1' }]);
  await answer('r1', 'p1');
  await exchange();
  expect((await world.all<Task>('Task')).map((one) => one.for?.reference)).toEqual(['Patient/p1']);
});

describe('what a record has had there since long before', () => {
  const LONG_AGO = { lastUpdated: '2019-01-01T00:00:00Z' };
  async function begin(): Promise<void> {
    await open(BOTH, { connection: { overlapSeconds: 0 } });
    await world.write(patient('p1', number('77')));
    world.remote.put(patient('r1', number('77')));
    world.remote.put(patient('r2', { name: [{ family: 'Zero' }] }), LONG_AGO);
    world.remote.put(task('t2', { for: { reference: 'Patient/r2' } }), LONG_AGO);
    world.remote.put(task('t1', { for: { reference: 'Patient/r1' } }));
    await exchange();
    expect(await world.all('Task')).toHaveLength(1);
  }

  test('comes in when the one of ours is merged into it', async () => {
    await begin();
    merge('r1', 'r2');
    await exchange();
    expect(await world.all('Task')).toHaveLength(2);
  });

  test('comes in when it becomes a second record of ours', async () => {
    await begin();
    world.remote.put(patient('r2', number('77')));
    await exchange();
    await answer('r2', 'p1');
    await exchange();
    expect((await world.all<Task>('Task')).map((one) => one.for?.reference)).toEqual(['Patient/p1', 'Patient/p1']);
  });
});

describe('a second record of one of ours by a person’s word', () => {
  async function begin(): Promise<void> {
    await open(BOTH);
    await world.write(patient('p1', number('77')));
    for (const id of ['r1', 'r2']) world.remote.put(patient(id, number('77')));
    await exchange();
    await answer('r2', 'p1');
    world.remote.put(task('t2', { for: { reference: 'Patient/r2' }, description: 'Early' }));
    await exchange();
    expect(await linkOf('p1')).toEqual(['r1']);
  }

  test('is linked with nobody else of ours by their number', async () => {
    await begin();
    world.remote.put({ ...there('r1'), ...number('78') });
    await exchange();
    await world.write({ ...(await ours()), ...number('78') });
    await world.write(patient('p9', number('77')));
    await world.sync.pushNow();
    expect(await linkOf('p9')).toEqual([]);
    expect((await asked()).map(([remoteId]) => remoteId)).toContain('r2');
  });

  test('whose own is gone and that has the number of another of ours by now: what is edited of it is asked about', async () => {
    await begin();
    world.remote.remove('Patient', 'r1');
    await world.sync.sweep();
    await world.temp.store.commit(NURSE, [{ op: 'create', resource: quinn('p5'), id: 'p5' }]);
    world.remote.put(quinn('r2'));
    await world.sync.pullNow();
    expect(await linkOf('p5')).toEqual(['r2']);
    world.remote.put(task('t2', { for: { reference: 'Patient/r2' }, description: 'About Quinn' }));
    await exchange();
    expect((await world.all<Task>('Task')).map(({ description }) => description)).toEqual(['Early']);
    const conflicts = await world.sync.conflicts();
    expect(conflicts.map(({ type, paths }) => [type, paths.map(({ path }) => path)])).toContainEqual([
      'Task',
      ['patient'],
    ]);
  });
});

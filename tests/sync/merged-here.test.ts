// Who was merged away here, and what names them, on its way there and from there. docs/patient-matching.md#merges-there
import type { Patient, Task } from '@medplum/fhirtypes';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { NURSE, openWorld, patient, task, type World } from '../support/sync-world.ts';

let world: World;
beforeEach(async () => {
  world = await openWorld({ connection: { types: { Patient: 'both', Task: 'both' } } });
});
afterEach(() => world.cleanup());

async function exchange(): Promise<void> {
  for (let rounds = 0; rounds < 2; rounds += 1) {
    await world.sync.pullNow();
    await world.sync.pushNow();
  }
}
const one = (fields: object = {}) => patient('p1', { name: [{ family: 'One' }], ...fields });
const two = () => patient('p2', { name: [{ family: 'Two' }], birthDate: '1933-03-03' });
const closed = () => one({ active: false, link: [{ type: 'replaced-by', other: { reference: 'Patient/p2' } }] });
const recordOf = async (id: string) => {
  const sql = "SELECT remote_id FROM identity WHERE type = 'Patient' AND local_id = ?";
  return String((await world.temp.store.query(sql, [id]))[0]?.remote_id);
};
const theirs = async (id: string) => {
  const record = await recordOf(id);
  return world.remote.all('Patient').find((some) => some.id === record) as Patient & { id: string };
};
const subjects = () => (world.remote.all('Task') as Task[]).map((some) => some.for);

describe('what names somebody here who was merged away and has no record there', () => {
  test('goes there as of the one who stands for them', async () => {
    await world.write(two());
    await exchange();
    await world.write(closed());
    await world.write(task('t1'));
    await exchange();
    expect(subjects()).toEqual([{ reference: `Patient/${await recordOf('p2')}` }]);
    expect(world.remote.all('Patient')).toHaveLength(1);
  });

  test('has the one who stands for them made there first', async () => {
    await world.sync.pullNow();
    await world.write(two());
    await world.write(closed());
    await world.write(task('t1'));
    await world.temp.store.commit(NURSE, [], [{ sql: "DELETE FROM outbox WHERE local_id = 'p2'", params: [] }]);
    await world.sync.pushNow();
    expect(subjects()).toEqual([{ reference: `Patient/${await recordOf('p2')}` }]);
  });
});

test('what names them there stays with them when the one who stands for them was deleted here', async () => {
  await world.write(one());
  await world.write(two());
  await exchange();
  await world.write(closed());
  await exchange();
  await world.temp.store.commit(NURSE, [{ op: 'delete', type: 'Patient', id: 'p2' }]);
  world.remote.put(task('t1', { for: { reference: `Patient/${await recordOf('p1')}` } }));
  await exchange();
  expect((await world.all<Task>('Task')).map((some) => some.for)).toEqual([{ reference: 'Patient/p1' }]);
});

describe('a record that says whom it stands for, when the server merged the two', () => {
  const named = (who: Patient | undefined) => (who?.link ?? []).map(({ type, other }) => [type, other.reference]);

  async function mergeThere(saysSo: boolean): Promise<void> {
    await world.write(one());
    await world.write(two());
    await exchange();
    const [from, into] = [await theirs('p1'), await theirs('p2')];
    const link = [{ type: 'replaced-by' as const, other: { reference: `Patient/${into.id}` } }];
    const stands = [{ type: 'replaces' as const, other: { reference: `Patient/${from.id}` } }];
    world.remote.put({ ...from, active: false, link });
    if (saysSo) world.remote.put({ ...into, link: stands });
  }

  test('there: it is another one of ours, not itself', async () => {
    await mergeThere(true);
    await exchange();
    expect(named(await world.read<Patient>('Patient', 'p2'))).toEqual([['replaces', 'Patient/p1']]);
  });

  test('here, by a person’s word: it is another one of theirs, not itself', async () => {
    const observation = { status: 'final' as const, code: { text: 'Weight' }, subject: { reference: 'Patient/p1' } };
    await mergeThere(false);
    await world.write({ resourceType: 'Observation', id: 'o1', ...observation });
    await exchange();
    const from = await recordOf('p1');
    const [asked] = await world.sync.matches();
    await world.sync.decideMatch(NURSE, String(asked?.id), { decision: 'link', to: 'p2' });
    await exchange();
    expect(named(await theirs('p2'))).toEqual([['replaces', `Patient/${from}`]]);
  });
});

describe('somebody who was deleted here, and into whom the server has merged another one of ours since', () => {
  const ours = async () => (await world.all<Task>('Task')).map((some) => some.for?.reference);
  beforeEach(async () => {
    await world.write(one());
    await world.write(two());
    await world.write(task('t1'));
    await exchange();
    const [from, into] = [await theirs('p1'), await theirs('p2')];
    await world.temp.store.commit(NURSE, [{ op: 'delete', type: 'Patient', id: 'p2' }]);
    world.remote.put({ ...into, gender: 'male' });
    const link = [{ type: 'replaced-by' as const, other: { reference: `Patient/${into.id}` } }];
    world.remote.put({ ...from, active: false, link });
    await world.sync.pullNow();
  });

  test('is given nothing of that one', async () => {
    expect(await ours()).toEqual(['Patient/p1']);
    expect((await world.sync.conflicts()).map(({ kind }) => kind)).toEqual(['deleted']);
  });

  test('stands for that one once a person has them back', async () => {
    for (const { id } of await world.sync.conflicts()) await world.sync.resolve(NURSE, id, { take: 'theirs' });
    await exchange();
    expect(await ours()).toEqual(['Patient/p2']);
    expect((await world.read<Patient>('Patient', 'p1'))?.active).toBe(false);
  });
});

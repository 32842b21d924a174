// Worlds in which the soak of merges (npm run soak:sync -- --about merges) found something wrong, each as small as it gets, and
// a small part of that soak.
// docs/sync-spec.md#I8
import type { Patient, Task } from '@medplum/fhirtypes';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { mergeDays } from '../support/model/merge-days.ts';
import { NURSE, openWorld, patient, task, type World } from '../support/sync-world.ts';

let world: World;
beforeEach(async () => {
  world = await openWorld({ others: { lab: {} } });
});
afterEach(() => world.cleanup());

async function round(): Promise<void> {
  await world.sync.pullNow();
  await world.sync.pushNow();
}

const recordOf = async (connection: string, localId: string) => {
  const sql = "SELECT remote_id FROM identity WHERE connection = ? AND local_id = ? AND type = 'Patient'";
  return String((await world.temp.store.query(sql, [connection, localId]))[0]?.remote_id);
};
const described = async (text: string) =>
  (await world.all<Task>('Task')).find(({ description }) => description === text);

/** @param from local ids */
async function mergeThere(connection: string, from: string, into: string): Promise<void> {
  const remote = world.remotes[connection];
  const [closed, open] = [await recordOf(connection, from), await recordOf(connection, into)];
  const record = remote?.all('Patient').find(({ id }) => id === closed) as Patient & { id: string };
  const link = [{ type: 'replaced-by' as const, other: { reference: `Patient/${open}` } }];
  remote?.put({ ...record, active: false, link });
}

describe('two of ours that a person says are one, because a server merged theirs', () => {
  beforeEach(async () => {
    await world.write(patient('p1', { name: [{ family: 'One' }] }));
    await world.write(patient('p2', { name: [{ family: 'Two' }] }));
    await round();
    await mergeThere('ehr', 'p1', 'p2');
    await round();
    const [asked] = await world.sync.matches();
    await world.sync.decideMatch(NURSE, String(asked?.id), { decision: 'link', to: 'p2' });
    await round();
    await round();
  });

  test('what another server writes late about the closed one comes to the other', async () => {
    const late = { for: { reference: `Patient/${await recordOf('lab', 'p1')}` }, description: 'Late' };
    world.remotes.lab?.put(task('late', late));
    await round();
    expect((await described('Late'))?.for?.reference).toBe('Patient/p2');
    expect(await world.sync.matches()).toEqual([]);
  });
});

test('two servers that merge two of ours in opposite directions close one of them', async () => {
  await world.write(patient('p1', { name: [{ family: 'One' }] }));
  await world.write(patient('p2', { name: [{ family: 'Two' }] }));
  await round();
  await mergeThere('ehr', 'p1', 'p2');
  await mergeThere('lab', 'p2', 'p1');
  await round();
  for (const { id, candidates } of await world.sync.matches()) {
    await world.sync.decideMatch(NURSE, id, { decision: 'link', to: String(candidates[0]?.localId) });
  }
  for (let rounds = 0; rounds < 3; rounds += 1) await round();
  const patients = await world.all<Patient>('Patient');
  expect(patients.filter(({ active }) => active === false)).toHaveLength(1);
  expect(await world.sync.matches()).toEqual([]);
});

test('a record there that stands for both of ours is not closed in favour of itself, and goes on as that of the one in use', async () => {
  await world.write(patient('p1', { name: [{ family: 'One' }] }));
  await world.write(patient('p2', { name: [{ family: 'Two' }] }));
  await round();
  await mergeThere('lab', 'p2', 'p1');
  await round();
  const kept = await recordOf('lab', 'p1');
  await mergeThere('ehr', 'p1', 'p2');
  await round();
  const asked = (await world.sync.matches()).find(({ connection }) => connection === 'ehr');
  await world.sync.decideMatch(NURSE, String(asked?.id), { decision: 'link', to: 'p2' });
  for (let rounds = 0; rounds < 3; rounds += 1) await round();
  expect(await world.read('Patient', 'p1')).toMatchObject({ active: false });
  const record = world.remotes.lab?.all('Patient').find(({ id }) => id === kept) as Patient;
  expect([record.active, record.link?.map(({ type }) => type)]).toEqual([undefined, ['replaces']]);
  expect(record.name).toEqual([{ family: 'Two' }]);
  const sql = "SELECT local_id FROM identity WHERE connection = 'lab' AND remote_id = ? AND state <> 'replaced'";
  expect(await world.temp.store.query(sql, [kept])).toEqual([{ local_id: 'p2' }]);
});

test.each([1001, 1005])('random days of people who are alike, merged and taken apart, seed %i', async (seed) => {
  const { damage } = await mergeDays(seed, 60);
  expect(damage).toEqual([]);
});

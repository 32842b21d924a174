// Whose the record there is of one who was merged away here, when the other one's is gone there, when a person had said that it is
// not the other one's, and what a preview says of it. docs/sync-spec.md#I8
import type { Patient, Task } from '@medplum/fhirtypes';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { NURSE, openWorld, patient, task, type World } from '../support/sync-world.ts';

type Stored<T> = T & { id: string };

let world: World;
afterEach(() => world.cleanup());

async function exchange(): Promise<void> {
  for (let rounds = 0; rounds < 2; rounds += 1) {
    await world.sync.pullNow();
    await world.sync.pushNow();
  }
}

const number = (value: string) => ({ identifier: [{ system: 'urn:mrn', value }] });
const replacedBy = (id: string) => [{ type: 'replaced-by' as const, other: { reference: `Patient/${id}` } }];
const theirs = (id: string) => world.remote.all('Patient').find((one) => one.id === id) as Stored<Patient> | undefined;
const linkOf = async (id: string) => {
  const sql = "SELECT remote_id FROM identity WHERE type = 'Patient' AND local_id = ? AND state <> 'replaced'";
  return (await world.temp.store.query(sql, [id])).map(({ remote_id }) => String(remote_id));
};

/** Nobody can be made there. */
const doors = { Patient: { interactions: ['read', 'search-type', 'update'], search: ['identifier', '_lastUpdated'] } };

/** As a message or a person merges, without any server. */
async function closeHere(id: string, into: string): Promise<void> {
  const before = (await world.read<Patient>('Patient', id)) as Stored<Patient>;
  await world.write({ ...before, active: false, link: replacedBy(into) });
}

test('the record is not closed in favour of one that was deleted there, which nobody here has heard of', async () => {
  world = await openWorld();
  for (const id of ['p1', 'p2']) world.remote.put(patient(`r-${id}`, number(id)));
  for (const id of ['p1', 'p2']) await world.write(patient(id, number(id)));
  await exchange();
  await closeHere('p1', 'p2');
  world.remote.remove('Patient', 'r-p2');
  await world.sync.pushNow();
  expect(theirs('r-p1')?.active).not.toBe(false);
});

describe('a record that a person had said is not that of the one into whom its own one is merged here', () => {
  beforeEach(async () => {
    world = await openWorld({ connection: { types: { Patient: 'both' } }, knobs: { doors } });
    world.remote.put(patient('r1', { ...number('1'), birthDate: '1933-03-03' }));
    await world.write(patient('p2', { ...number('1'), birthDate: '1944-04-04' }));
    await exchange();
    const [asked] = await world.sync.matches();
    await world.sync.decideMatch(NURSE, String(asked?.id), { decision: 'new' });
    await exchange();
    const [one] = (await world.all<Stored<Patient>>('Patient')).filter(({ id }) => id !== 'p2');
    expect(await linkOf(String(one?.id))).toEqual(['r1']);
    await closeHere(String(one?.id), 'p2');
    await exchange();
  });

  test('is asked about, and stays in use', async () => {
    expect(theirs('r1')?.active).not.toBe(false);
    expect(await linkOf('p2')).toEqual([]);
    const asked = await world.sync.matches();
    expect(asked.map(({ remoteId, candidates }) => [remoteId, candidates.map(({ localId }) => localId)])).toEqual([
      ['r1', ['p2']],
    ]);
  });

  test.each(['link', 'apart'] as const)('and the answer holds: %s', async (how) => {
    const [asked] = await world.sync.matches();
    const decision = how === 'link' ? ({ decision: 'link', to: 'p2' } as const) : ({ decision: 'apart' } as const);
    await world.sync.decideMatch(NURSE, String(asked?.id), decision);
    await exchange();
    world.remote.put({ ...(theirs('r1') as Stored<Patient>), gender: 'female' });
    for (let rounds = 0; rounds < 2; rounds += 1) await exchange();
    expect(await linkOf('p2')).toEqual(how === 'link' ? ['r1'] : []);
    expect(await world.sync.matches()).toEqual([]);
    expect(theirs('r1')?.active).not.toBe(false);
  });
});

test('a merge there into one who was merged here into somebody who was deleted moves nothing', async () => {
  world = await openWorld({ connection: { types: { Patient: 'both', Task: 'both' } } });
  for (const id of ['p1', 'p2']) {
    world.remote.put(patient(`r-${id}`, number(id)));
    await world.write(patient(id, number(id)));
  }
  await world.write(patient('p3', number('p3')));
  await world.write(task('t1'));
  await exchange();
  await closeHere('p2', 'p3');
  await world.temp.store.commit(NURSE, [{ op: 'delete', type: 'Patient', id: 'p3' }]);
  world.remote.put({ ...(theirs('r-p1') as Stored<Patient>), active: false, link: replacedBy('r-p2') });
  await exchange();
  expect((await world.all<Task>('Task')).map((one) => one.for?.reference)).toEqual(['Patient/p1']);
});

test('a preview does not show a record closed that stays in use as that of whoever stands for its own one', async () => {
  world = await openWorld({ connection: { types: { Patient: 'both' } }, knobs: { doors } });
  world.remote.put(patient('r1', number('1')));
  await world.write(patient('p1', number('1')));
  await exchange();
  await world.write(patient('p2', number('2')));
  await closeHere('p1', 'p2');
  expect(await world.sync.preview('ehr', 'Patient', 'p1')).toMatchObject({ outcome: 'unchanged' });
  await exchange();
  expect([theirs('r1')?.active, await linkOf('p2')]).toEqual([undefined, ['r1']]);
});

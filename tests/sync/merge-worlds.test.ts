// Worlds in which the soak of merges (npm run soak:sync -- --about merges) found something wrong, each as small as it gets, and
// a small part of that soak.
// docs/sync-spec.md#I8
import type { Account, Patient, Task } from '@medplum/fhirtypes';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { carryChange } from '../../src/fhir/merge3.ts';
import { withPatients } from '../../src/sync/patients/patient-reference.ts';
import { mergeDays } from '../support/model/merge-days.ts';
import { People } from '../support/model/people.ts';
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

/** As a message or a person merges, without any server. */
async function closeHere(id: string, into: string): Promise<void> {
  const link = [{ type: 'replaced-by', other: { reference: `Patient/${into}` } }];
  await world.write({ ...(await world.read<Patient>('Patient', id)), active: false, link } as Patient & { id: string });
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

  test('so does what names the closed one by our identifier', async () => {
    const identifier = { system: 'https://baton.test/id', value: 'p1' };
    world.remotes.lab?.put(task('late', { for: { type: 'Patient', identifier }, description: 'Late' }));
    await round();
    expect((await described('Late'))?.for?.reference).toBe('Patient/p2');
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

test('two of ours that were merged here, and there in the opposite direction just before a push tells of it, are closed in no circle', async () => {
  await world.write(patient('p1', { name: [{ family: 'One' }] }));
  await world.write(patient('p2', { name: [{ family: 'Two' }] }));
  await round();
  const [first, second] = [await recordOf('ehr', 'p1'), await recordOf('ehr', 'p2')];
  await mergeThere('ehr', 'p2', 'p1');
  await closeHere('p1', 'p2');
  await world.sync.pushNow();
  for (let rounds = 0; rounds < 3; rounds += 1) await round();
  const closed = (world.remote.all('Patient') as Patient[]).filter(({ active }) => active === false);
  expect(closed.map(({ id }) => id)).toEqual([second]);
  const sql = "SELECT local_id FROM identity WHERE connection = 'ehr' AND remote_id = ? AND state <> 'replaced'";
  expect(await world.temp.store.query(sql, [String(first)])).toEqual([{ local_id: 'p2' }]);
  expect(await world.read('Patient', 'p1')).toMatchObject({ active: false });
  expect((await world.read<Patient>('Patient', 'p2'))?.active).toBeUndefined();
});

test('two merges in opposite directions that are carried out at the same moment close one of them', async () => {
  await world.write(patient('p1', { name: [{ family: 'One' }] }));
  await world.write(patient('p2', { name: [{ family: 'Two' }] }));
  await round();
  await mergeThere('ehr', 'p1', 'p2');
  await mergeThere('lab', 'p2', 'p1');
  await round();
  await world.write(task('t1'));
  for (const { id, candidates } of await world.sync.matches()) {
    await world.sync.decideMatch(NURSE, id, { decision: 'link', to: String(candidates[0]?.localId) });
  }
  let isMoving = false;
  await world.restart((store) => ({
    store: {
      ...store,
      async commit(...given: Parameters<typeof store.commit>) {
        // The first of them moves the task; before it does, the other one is carried out to its end.
        if (!isMoving && given[1].some((change) => 'resource' in change && change.resource.id === 't1')) {
          isMoving = true;
          const faster = world.another();
          await faster.pullNow('lab');
          await faster.stop();
        }
        return store.commit(...given);
      },
    },
  }));
  await world.sync.pullNow('ehr');
  expect(isMoving).toBe(true);
  for (let rounds = 0; rounds < 3; rounds += 1) await round();
  const patients = await world.all<Patient>('Patient');
  expect(patients.filter(({ active }) => active === false).map(({ id }) => id)).toEqual(['p2']);
  expect((await world.read<Task>('Task', 't1'))?.for?.reference).toBe('Patient/p1');
  expect(await world.sync.matches()).toEqual([]);
});

test('an answer that a record is one of ours who was merged here meanwhile means whoever stands for them', async () => {
  const maria = { name: [{ family: 'García', given: ['María'] }], gender: 'female' };
  await world.write(patient('p1', maria));
  world.remote.put(patient('r1', maria) as Patient);
  await world.sync.pullNow('ehr');
  const [asked] = await world.sync.matches();
  await world.write(patient('p2', { name: [{ family: 'Two' }] }));
  await closeHere('p1', 'p2');
  await world.sync.decideMatch(NURSE, String(asked?.id), { decision: 'link', to: 'p1' });
  await round();
  expect(await recordOf('ehr', 'p2')).toBe('r1');
  const record = world.remote.all('Patient').find(({ id }) => id === 'r1') as Patient;
  expect(record.active).toBeUndefined();
});

test('theirs, taken after their patient was merged here, is about the one who stands for them', async () => {
  await world.write(patient('p1', { name: [{ family: 'One' }] }));
  await world.write(patient('p2', { name: [{ family: 'Two' }] }));
  await world.write(task('t1'));
  await round();
  const there = world.remotes.lab?.all('Task')[0] as Task;
  world.remotes.lab?.put({ ...there, description: 'Theirs' });
  await world.write(task('t1', { description: 'Ours' }));
  await world.sync.pullNow('lab');
  const [asked] = await world.sync.conflicts();
  await closeHere('p1', 'p2');
  await world.write(task('t1', { description: 'Ours', for: { reference: 'Patient/p2' } }));
  const { tag } = await world.sync.conflict(String(asked?.id));
  await world.sync.resolve(NURSE, String(asked?.id), { take: 'theirs' }, tag);
  expect(await world.read('Task', 't1')).toMatchObject({
    description: 'Theirs',
    for: { reference: 'Patient/p2' },
  });
});

test('a reference to a patient who was merged here before it could be put right is about the one who stands for them', async () => {
  await world.cleanup();
  world = await openWorld({ connection: { types: { Patient: 'push', Task: 'both' } } });
  await world.write(patient('p2', { name: [{ family: 'Two' }] }));
  await world.sync.pushNow();
  const subject = await recordOf('ehr', 'p2');
  await world.write(patient('p1', { name: [{ family: 'One' }] }));
  Object.assign(world.remote.knobs, { dropWrite: 'after', hideNew: true });
  await world.sync.pushNow();
  world.remote.knobs.hideNew = false;
  // Nobody knows yet that the record was made by the request that had no answer.
  const made = world.remote.all('Patient').find(({ id }) => id !== subject) as Patient;
  world.remote.put(
    task('x1', { for: { reference: `Patient/${subject}` }, requester: { reference: `Patient/${made.id}` } }),
  );
  await world.sync.pullNow();
  const requester = async () => (await world.all<Task>('Task'))[0]?.requester?.reference;
  expect(await requester()).toBe(`${world.remote.baseUrl}/Patient/${made.id}`);
  world.remote.reveal();
  world.pass({ minutes: 10 });
  await world.sync.pushNow();
  expect(await recordOf('ehr', 'p1')).toBe(made.id);
  await closeHere('p1', 'p2');
  await world.sync.pullNow();
  expect(await requester()).toBe('Patient/p2');
});

describe('an account about several', () => {
  const aboutHere = (...ids: string[]) => ids.map((id) => ({ reference: `Patient/${id}` }));
  const aboutThere = async (...ids: string[]) =>
    aboutHere(...(await Promise.all(ids.map((id) => recordOf('lab', id)))));
  const account = (...ids: string[]) =>
    ({ resourceType: 'Account', id: 'a1', status: 'active', subject: aboutHere(...ids) }) as const;
  const there = () => world.remotes.lab?.all('Account')[0] as Account;
  const door = { interactions: ['read', 'search-type', 'create', 'update'], search: ['identifier', '_lastUpdated'] };
  const knobs = { doors: { Patient: door, Account: door } };
  beforeEach(async () => {
    await world.cleanup();
    const connection = { types: { Patient: 'both', Account: 'both' } } as const;
    world = await openWorld({ connection, knobs, others: { lab: { knobs } } });
    await world.write(patient('p1', { name: [{ family: 'One' }] }));
    await world.write(patient('p2', { name: [{ family: 'Two' }] }));
    await world.write(patient('p3', { name: [{ family: 'Three' }] }));
    await world.write(account('p1', 'p3'));
    await round();
  });
  async function mergeHere(): Promise<void> {
    await closeHere('p1', 'p2');
    await world.write(account('p2', 'p3'));
  }
  /** Until they are asked, a nurse says that it is about the first one. */
  async function mergeAndGiveBack(): Promise<void> {
    await mergeThere('lab', 'p1', 'p2');
    await round();
    expect(await world.read('Account', 'a1')).toMatchObject({ subject: aboutHere('p2', 'p3') });
    await world.write(account('p1', 'p3'));
    await round();
    expect(await world.sync.matches()).toHaveLength(1);
  }
  async function mergeAndTakeBack(): Promise<void> {
    const closed = await recordOf('lab', 'p1');
    await mergeThere('lab', 'p1', 'p2');
    await round();
    const merged = world.remotes.lab?.all('Patient').find(({ id }) => id === closed) as Patient & { id: string };
    const { link: _link, active: _active, ...whole } = merged;
    world.remotes.lab?.put(whole as Patient & { id: string });
    await round();
    expect(await world.sync.matches()).toHaveLength(1);
  }

  test.each([
    ['was merged here, which the server has not been told yet', mergeHere],
    ['has the same record there as somebody else', mergeAndGiveBack],
    ['had the record of another, whose merge was taken back, which is asked about', mergeAndTakeBack],
  ])('goes there without one who %s, when they are taken out of it here', async (_, merge) => {
    await merge();
    await world.write(account('p3'));
    await round();
    expect(there().subject).toEqual(await aboutThere('p3'));
    expect(await world.read('Account', 'a1')).toMatchObject({ subject: aboutHere('p3') });
  });

  test.each([
    ['was merged here, which the server has not been told yet', mergeHere],
    ['has the same record there as somebody else', mergeAndGiveBack],
    ['had the record of another, whose merge was taken back, which is asked about', mergeAndTakeBack],
  ])('loses one who %s, when they are taken out of it there', async (_, merge) => {
    await merge();
    world.remotes.lab?.put({ ...there(), subject: await aboutThere('p3') });
    await round();
    await round();
    expect(await world.read('Account', 'a1')).toMatchObject({ subject: aboutHere('p3') });
    expect(there().subject).toEqual(await aboutThere('p3'));
  });

  test('is never sent about nobody, when one record there stood for two and one of them was taken out here', () => {
    const about = (...ids: string[]) => ({ resourceType: 'Account', subject: aboutHere(...ids) });
    const [ours, there] = [about('p1'), about('p2')];
    const carried = carryChange(about('p1', 'p2'), ours, there);
    expect(carried).toEqual({ resourceType: 'Account' });
    expect(withPatients(carried, there, ours)).toEqual(ours);
    expect(withPatients(there, there, ours)).toEqual(there);
  });

  describe('of whom a server that makes its patients itself does not have one', () => {
    const logical = [{ type: 'Patient', identifier: { system: 'https://baton.test/id', value: 'p3' } }];

    beforeEach(async () => {
      await world.cleanup();
      const connection = { types: { Patient: 'both', Account: 'both' } } as const;
      const pulling = { types: { Patient: 'pull', Account: 'both' } } as const;
      world = await openWorld({ connection, knobs, others: { lab: { knobs, connection: pulling } } });
      for (const [id, family] of Object.entries({ r1: 'One', r2: 'Two' })) {
        world.remotes.lab?.put(patient(id, { name: [{ family }], identifier: [{ system: 'urn:mrn', value: id }] }));
      }
      await round();
      await world.write(patient('p3', { name: [{ family: 'Three' }] }));
      const sql = "SELECT local_id FROM identity WHERE connection = 'lab' AND type = 'Patient' ORDER BY remote_id";
      const [one, two] = (await world.temp.store.query(sql)).map(({ local_id }) => String(local_id));
      await world.write(account(String(one), 'p3'));
      await round();
      await mergeThere('lab', String(one), String(two));
      await round();
      await world.write(account(String(one), 'p3'));
      await round();
      expect(await world.sync.matches()).toHaveLength(1);
      expect(there().subject).toHaveLength(2);
    });

    test('goes there without another who has the same record there as somebody else, once they are taken out here', async () => {
      await world.write(account('p3'));
      await round();
      expect(there().subject).toEqual(logical);
    });

    test('loses another who has the same record there as somebody else, once they are taken out there', async () => {
      world.remotes.lab?.put({ ...there(), subject: logical } as Account);
      await round();
      await round();
      expect(await world.read('Account', 'a1')).toMatchObject({ subject: aboutHere('p3') });
      expect(there().subject).toEqual(logical);
    });
  });
});

describe('what the random days hold for true of an appointment that somebody joined', () => {
  const people = new People();
  people.isRecordOf('a', 'r1', 'Zed');
  people.isRecordOf('a', 'r2', 'Eva');
  const about = (id: string, comment: string) => ({
    ...{ resourceType: 'Appointment' as const, id: 'x1', status: 'proposed' as const, description: 'k1', comment },
    participant: [{ actor: { reference: `Patient/${id}` }, status: 'accepted' as const }],
  });
  const word = people.write(['Ana']);
  people.join('k1', 'Evan');

  test('it is nobody else’s', () => {
    expect(people.mixed('a', [], [about('r1', word)])).toHaveLength(1);
  });

  test('it is also of whoever is said to be one with them, and of no third', () => {
    people.unite('Evan', 'Zed');
    expect(people.mixed('a', [], [about('r1', word)])).toEqual([]);
    expect(people.mixed('a', [], [about('r2', word)])).toHaveLength(1);
  });
});

describe('what the random days hold for true of a record that the server gave to somebody else', () => {
  const about = (id: string, description: string, key = 'k1') => ({
    ...{ resourceType: 'Task' as const, id: 't1', status: 'requested' as const, intent: 'order' as const, description },
    ...{ groupIdentifier: { value: key }, for: { reference: `Patient/${id}` } },
  });
  let people: People;
  let before: string;
  let since: string;
  beforeEach(() => {
    people = new People();
    people.isRecordOf('a', 'r1', 'Ana');
    people.isRecordOf('a', 'r2', 'Evan');
    people.isRecordOf('a', 'r3', 'Zed');
    people.isRecordOf('here', 'p1', 'Ana');
    before = people.write(['Ana']);
    people.handOver('a', 'r1', 'Evan', [about('r1', before)]);
    since = people.write(['Evan']);
  });

  test('what it had about the one before is about whom it puts it under itself, and about no third', () => {
    expect(people.mixed('a', [], [about('r1', before)])).toEqual([]);
    expect(people.mixed('a', [], [about('r2', before)])).toHaveLength(1);
    people.putUnder('a', 'r1', 'r2', about('r1', before));
    expect(people.mixed('a', [], [about('r2', before)])).toEqual([]);
    expect(people.mixed('a', [], [about('r3', before)])).toHaveLength(1);
  });

  test('what came to be there under the wrong one otherwise is not excused by that', () => {
    const late = people.write(['Ana']);
    people.putUnder('a', 'r1', 'r2', about('r1', late));
    expect(people.mixed('a', [], [about('r2', late)])).toHaveLength(1);
  });

  test('what it says in a paper of the one before is about either while it says that the record is gone', () => {
    expect(people.mixed('here', [], [about('p1', since)])).toHaveLength(1);
    people.saidToBeGone('a', 'r1', about('r1', since, 'k2'));
    expect(people.mixed('here', [], [about('p1', since)])).toHaveLength(1);
    people.saidToBeGone('a', 'r1', about('r1', since));
    expect(people.mixed('here', [], [about('p1', since)])).toEqual([]);
  });
});

test.each([1001, 1005])('random days of people who are alike, merged and taken apart, seed %i', async (seed) => {
  const { damage } = await mergeDays(seed, 60);
  expect(damage).toEqual([]);
});

// Who is who when two systems meet for the first time. docs/sync-spec.md#I8
import type { Group, Patient } from '@medplum/fhirtypes';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { NURSE, openWorld, patient, task, type World } from '../support/sync-world.ts';

const MRN = { system: 'urn:oid:1.2.3', value: '4711' };
const links = () => world.temp.store.query('SELECT local_id, remote_id, how FROM identity ORDER BY local_id');

let world: World;
beforeEach(async () => {
  world = await openWorld();
});
afterEach(() => world.cleanup());

test('a patient who is there already is linked, not made again, and both records come together', async () => {
  world.remote.put({ ...patient('r1'), identifier: [MRN], gender: 'female' } as Patient);
  await world.write(patient('p1', { identifier: [MRN], telecom: [{ system: 'phone', value: '555' }] }));
  await world.write(task('t1'));
  await world.sync.pushNow();
  expect(world.remote.all('Patient')).toHaveLength(1);
  expect(world.remote.all('Patient')[0]).toMatchObject({ gender: 'female', telecom: [{ value: '555' }] });
  expect(await world.read('Patient', 'p1')).toMatchObject({ gender: 'female', telecom: [{ value: '555' }] });
  expect(world.remote.all('Task')[0]).toMatchObject({ for: { reference: 'Patient/r1' } });
  expect(await links()).toContainEqual({ local_id: 'p1', remote_id: 'r1', how: 'matched-identifier' });
});

test('a pulled patient who is here already is linked, and their tasks come in', async () => {
  await world.write(patient('p1', { identifier: [MRN] }));
  world.remote.put({ ...patient('r1'), identifier: [MRN], gender: 'female' } as Patient);
  world.remote.put(task('r2', { for: { reference: 'Patient/r1' } }));
  await world.sync.pullNow();
  expect(await world.read('Patient', 'p1')).toMatchObject({ gender: 'female' });
  expect(await world.all('Task')).toMatchObject([{ for: { reference: 'Patient/p1' } }]);
  await world.sync.pushNow();
  expect(world.remote.all('Patient')).toHaveLength(1);
});

test('the same number on another birth date waits for a person, in both directions', async () => {
  world.remote.put({ ...patient('r1'), identifier: [MRN], birthDate: '1999-09-09' } as Patient);
  await world.write(patient('p1', { identifier: [MRN] }));
  await world.write(task('t1'));
  await world.sync.pushNow();
  await world.sync.pullNow();
  await world.sync.pushNow();
  expect(await world.sync.conflicts()).toMatchObject([{ kind: 'identity', localId: 'p1', remoteId: 'r1' }]);
  expect(world.remote.writes()).toEqual([]);
  for (const [type, id, who] of [
    ['Patient', 'p1', 'it'],
    ['Task', 't1', 'its patient'],
  ] as const) {
    const detail = `Who ${who} is on the server is asked (/ops/matches).`;
    expect(await world.sync.preview('ehr', type, id)).toMatchObject({ outcome: 'would-wait', detail });
  }
  const [conflict] = await world.sync.conflicts();
  await world.sync.resolve(NURSE, String(conflict?.id), { take: 'theirs' });
  expect(await links()).toEqual([{ local_id: 'p1', remote_id: 'r1', how: 'matched-manual' }]);
});

test.each([false, true])(
  'an appointment waits while it is asked who its patient is: beside another %s',
  async (isBeside) => {
    await world.cleanup();
    const door = { interactions: ['read', 'search-type', 'create', 'update'], search: ['identifier', '_lastUpdated'] };
    const doors = { Patient: door, Appointment: door };
    world = await openWorld({ connection: { types: { Patient: 'both', Appointment: 'pull' } }, knobs: { doors } });
    world.remote.put({ ...patient('r1'), identifier: [MRN], birthDate: '1999-09-09' } as Patient);
    await world.write(patient('p1', { identifier: [MRN] }));
    await world.write(patient('p9', { name: [{ family: 'Quinn' }], birthDate: '1960-01-01' }));
    await world.sync.pushNow();
    await world.sync.pullNow();
    const other = world.remote.all('Patient').find(({ id }) => id !== 'r1');
    const practitioner = { actor: { display: 'Dr. Abara' }, status: 'accepted' as const };
    const beside = (id: string) =>
      isBeside ? [{ actor: { reference: `Patient/${id}` }, status: 'accepted' as const }] : [];
    const participant = [
      practitioner,
      ...beside(String(other?.id)),
      { actor: { reference: 'Patient/r1' }, status: 'accepted' as const },
    ];
    world.remote.put({ resourceType: 'Appointment', id: 'r2', status: 'proposed', participant });
    await world.sync.pullNow();
    expect(await world.all('Appointment')).toEqual([]);
    const [question] = await world.sync.matches();
    await world.sync.decideMatch(NURSE, String(question?.id), { decision: 'link', to: 'p1' });
    await world.sync.pullNow();
    const named = { actor: { reference: 'Patient/p1' } };
    expect(await world.all('Appointment')).toMatchObject([{ participant: [practitioner, ...beside('p9'), named] }]);
  },
);

test.each([
  ['r1', 'r2'],
  ['r2', 'r1'],
])('an appointment of somebody in scope comes in, whoever else it names: %s, %s', async (...ids) => {
  await world.cleanup();
  const door = { interactions: ['read', 'search-type', 'create', 'update'], search: ['identifier', '_lastUpdated'] };
  const doors = { Patient: door, Group: door, Appointment: door };
  const connection = {
    types: { Patient: 'pull', Appointment: 'pull' },
    patients: { kind: 'group', id: 'g1' },
  } as const;
  world = await openWorld({ connection, knobs: { doors } });
  for (const id of ['r1', 'r2', 'r3']) world.remote.put(patient(id));
  const member = [{ entity: { reference: 'Patient/r1' } }];
  world.remote.put({ resourceType: 'Group', id: 'g1', type: 'person', actual: true, member } as Group & { id: string });
  const about = (...patients: string[]) =>
    patients.map((id) => ({ actor: { reference: `Patient/${id}` }, status: 'accepted' as const }));
  world.remote.put({ resourceType: 'Appointment', id: 'a1', status: 'proposed', participant: about(...ids) });
  world.remote.put({ resourceType: 'Appointment', id: 'a2', status: 'proposed', participant: about('r2', 'r3') });
  await world.sync.pullNow();
  const [ours] = await world.all<Patient>('Patient');
  const there = (id: string) => (id === 'r1' ? `Patient/${ours?.id}` : expect.stringMatching(/^http.*\/Patient\/r2$/));
  const participant = ids.map((id) => ({ actor: { reference: there(id) } }));
  expect(await world.all('Appointment')).toMatchObject([{ participant }]);
});

test('two remote records with the same number are two questions; one link makes the other the same person', async () => {
  world.remote.put({ ...patient('r1'), identifier: [MRN] } as Patient);
  world.remote.put({ ...patient('r2'), identifier: [MRN] } as Patient);
  await world.write(patient('p1', { identifier: [MRN] }));
  await world.sync.pushNow();
  const asked = await world.sync.matches();
  expect(asked.map(({ kind, remoteId }) => [kind, remoteId]).sort()).toEqual([
    ['identity', 'r1'],
    ['identity', 'r2'],
  ]);
  expect(world.remote.all('Patient')).toHaveLength(2);
  for (const remoteId of ['r1', 'r2']) {
    const id = String(asked.find((one) => one.remoteId === remoteId)?.id);
    await world.sync.decideMatch(NURSE, id, { decision: 'link', to: 'p1' });
  }
  world.remote.put(task('x1', { for: { reference: 'Patient/r2' } }));
  await world.sync.pullNow();
  await world.sync.pushNow();
  expect(await world.all('Task')).toMatchObject([{ for: { reference: 'Patient/p1' } }]);
  expect(world.remote.all('Patient')).toHaveLength(2);
  expect(await world.sync.conflicts()).toEqual([]);
});

test.each(['as it was', 'edited', 'unlike'])(
  'a second record lives on when the first is gone there: %s',
  async (how) => {
    const second = { ...patient('r2'), identifier: [MRN] } as Patient;
    world.remote.put({ ...patient('r1'), identifier: [MRN] } as Patient);
    world.remote.put(second);
    await world.write(patient('p1', { identifier: [MRN] }));
    await world.sync.pushNow();
    for (const remoteId of ['r1', 'r2']) {
      const asked = (await world.sync.matches()).find((one) => one.remoteId === remoteId);
      await world.sync.decideMatch(NURSE, String(asked?.id), { decision: 'link', to: 'p1' });
    }
    await world.sync.pullNow();
    world.remote.remove('Patient', 'r1');
    const unlike = { name: [{ family: 'Okafor' }], birthDate: '1999-09-09', identifier: [] };
    if (how === 'edited') world.remote.put({ ...second, gender: 'female' });
    if (how === 'unlike') world.remote.put({ ...second, ...unlike });
    world.remote.put(task('x1', { for: { reference: 'Patient/r2' } }));
    await world.sync.sweep();
    await world.sync.pullNow();
    const [asked, another] = await world.sync.matches();
    expect([asked?.remoteId, asked?.candidates.map(({ localId }) => localId), another]).toEqual([
      'r2',
      ['p1'],
      undefined,
    ]);
    await world.sync.decideMatch(NURSE, String(asked?.id), { decision: 'link', to: 'p1' });
    await world.sync.pullNow();
    await world.sync.pushNow();
    expect(await world.all('Task')).toMatchObject([{ for: { reference: 'Patient/p1' } }]);
    for (const { id } of await world.sync.conflicts()) await world.sync.resolve(NURSE, id, { take: 'ours' });
    await world.write(patient('p1', { identifier: [MRN], maritalStatus: { text: 'widowed' } }));
    await world.sync.pushNow();
    expect(world.remote.all('Patient')).toMatchObject([{ id: 'r2', maritalStatus: { text: 'widowed' } }]);
  },
);

test('our own resource seen before its create was settled is recognised', async () => {
  world.remote.knobs.dropWrite = 'after';
  await world.write(patient('p1'));
  await world.sync.pushNow();
  await world.sync.pullNow();
  expect(await links()).toMatchObject([{ local_id: 'p1', how: 'created-by-us' }]);
  world.pass({ minutes: 2 });
  await world.sync.pushNow();
  expect(await world.all('Patient')).toHaveLength(1);
  expect(world.remote.all('Patient')).toHaveLength(1);
});

test('a copy of our resource is a question and does not replace the link', async () => {
  await world.write(patient('p1'));
  await world.sync.pushNow();
  const [original] = world.remote.all('Patient') as Patient[];
  world.remote.put({ ...original, id: 'copy' } as Patient);
  await world.sync.pullNow();
  expect(await world.sync.conflicts()).toMatchObject([{ kind: 'duplicate', remoteId: 'copy' }]);
  expect(await links()).toMatchObject([{ local_id: 'p1', remote_id: original?.id }]);
});

// Who may be who waits for a person, with everything that hangs on the answer, and nothing else waits. docs/sync-spec.md#I8
import type { Patient, Task } from '@medplum/fhirtypes';
import { afterEach, describe, expect, test } from 'vitest';
import { NURSE, openWorld, patient, task, type World, type WorldOptions } from '../support/sync-world.ts';

const MRN = { system: 'urn:oid:1.2.3', value: '4711' };
const SSN = { system: 'http://hl7.org/fhir/sid/us-ssn', value: '123-45-6789' };
/** Alike enough to ask: family 6, given 5, birth date 8, gender 1. */
const MARIA = { name: [{ family: 'García', given: ['María'] }], gender: 'female', birthDate: '1950-03-04' };
const PHONE = { telecom: [{ system: 'phone', value: '555-010-2030' }] };
const PULLED = { types: { Patient: 'pull', Task: 'pull' } } as const;

let world: World;
afterEach(() => world.cleanup());

async function open(options: WorldOptions = {}): Promise<void> {
  world = await openWorld(options);
}
async function round(): Promise<void> {
  await world.sync.pullNow();
  await world.sync.pushNow();
}
async function only() {
  const asked = await world.sync.matches();
  expect(asked).toHaveLength(1);
  return asked[0] as (typeof asked)[number];
}
const links = () =>
  world.temp.store.query("SELECT local_id, remote_id, how FROM identity WHERE type = 'Patient' ORDER BY local_id");
const thereLike = (id: string, fields: object = {}) => world.remote.put(patient(id, { ...MARIA, ...fields }));

describe('a patient from there who is like one of ours', () => {
  test('is a question with what each rule said; their tasks wait, others come in', async () => {
    await open({ connection: PULLED });
    await world.write(patient('p1', MARIA));
    thereLike('r1', { name: [{ family: 'GARCIA', given: ['Maria'] }] });
    world.remote.put(
      patient('r2', { name: [{ family: 'Novak', given: ['Petra'] }], birthDate: '1988-12-30' }) as Patient,
    );
    world.remote.put(task('x1', { for: { reference: 'Patient/r1' } }));
    world.remote.put(task('x2', { for: { reference: 'Patient/r2' } }));
    await round();
    await round();
    expect(await only()).toMatchObject({
      kind: 'identity',
      remoteId: 'r1',
      candidates: [
        {
          localId: 'p1',
          why: 'rules',
          score: 20,
          fields: expect.arrayContaining([{ field: 'birthDate', degree: 'equal', score: 8 }]),
        },
      ],
    });
    expect(await world.all('Patient')).toHaveLength(2);
    expect(await world.all<Task>('Task')).toHaveLength(1);
    expect(world.events.filter(({ kind }) => kind === 'conflict')).toHaveLength(1);
    expect(world.remote.writes()).toEqual([]);
  });

  test('linked by a person: the records come together, and what waited comes in', async () => {
    await open({ connection: PULLED });
    await world.write(patient('p1', MARIA));
    thereLike('r1', PHONE);
    world.remote.put(task('x1', { for: { reference: 'Patient/r1' } }));
    await round();
    await world.sync.decideMatch(NURSE, (await only()).id, { decision: 'link', to: 'p1' });
    await round();
    expect(await world.read('Patient', 'p1')).toMatchObject(PHONE);
    expect(await world.all('Task')).toMatchObject([{ for: { reference: 'Patient/p1' } }]);
    expect(await links()).toEqual([{ local_id: 'p1', remote_id: 'r1', how: 'matched-manual' }]);
    expect(await world.temp.store.query('SELECT * FROM held_resource')).toEqual([]);
  });

  test('a new patient: comes in with their tasks, and the pair is never proposed again', async () => {
    await open();
    await world.write(patient('p1', MARIA));
    thereLike('r1');
    world.remote.put(task('x1', { for: { reference: 'Patient/r1' } }));
    await round();
    await world.sync.decideMatch(NURSE, (await only()).id, { decision: 'new' });
    await round();
    const patients = await world.all<Patient>('Patient');
    const other = patients.find(({ id }) => id !== 'p1');
    expect(patients).toHaveLength(2);
    expect(await world.all('Task')).toMatchObject([{ for: { reference: `Patient/${other?.id}` } }]);
    // Ours is made there now, although the two are alike.
    expect(world.remote.all('Patient')).toHaveLength(2);
    world.remote.put({
      ...(world.remote.all('Patient').find(({ id }) => id === 'r1') as Patient),
      ...PHONE,
    } as Patient);
    await round();
    expect(await world.sync.matches()).toEqual([]);
    expect(await world.sync.conflicts()).toEqual([]);
  });

  test('apart: the pair is remembered, and a patient who is nobody of ours stays out', async () => {
    await open();
    await world.write(patient('p1', MARIA));
    thereLike('r1');
    world.remote.put(task('x1', { for: { reference: 'Patient/r1' } }));
    await round();
    await world.sync.resolve(NURSE, (await only()).id, { take: 'ours' });
    await round();
    thereLike('r1', PHONE);
    await round();
    expect(await world.sync.matches()).toEqual([]);
    expect(await world.all('Patient')).toHaveLength(1);
    expect(await world.all('Task')).toEqual([]);
  });

  test('later: not shown until then, still open, and decided once', async () => {
    await open({ connection: PULLED });
    await world.write(patient('p1', MARIA));
    thereLike('r1');
    await round();
    const { id } = await only();
    const until = Temporal.Now.instant().add({ hours: 24 }).epochMilliseconds;
    await world.sync.decideMatch(NURSE, id, { decision: 'later', until });
    expect(await world.sync.matches()).toEqual([]);
    expect(await world.sync.matches('ehr', true)).toHaveLength(1);
    world.pass({ hours: 25 });
    await world.sync.decideMatch(NURSE, (await only()).id, { decision: 'link', to: 'p1' });
    await expect(world.sync.decideMatch(NURSE, id, { decision: 'new' })).rejects.toMatchObject({ kind: 'conflict' });
    await expect(world.sync.decideMatch(NURSE, 'no', { decision: 'new' })).rejects.toMatchObject({ kind: 'not-found' });
  });

  test('somebody who is not here cannot be linked to, and the question stays', async () => {
    await open({ connection: PULLED });
    await world.write(patient('p1', MARIA));
    thereLike('r1');
    await round();
    const decision = { decision: 'link', to: 'nobody' } as const;
    await expect(world.sync.decideMatch(NURSE, (await only()).id, decision)).rejects.toMatchObject({
      kind: 'unprocessable',
    });
    await only();
  });

  test('two of ours are candidates of one question; two of theirs are two questions about one of ours', async () => {
    await open({ connection: PULLED });
    await world.write(patient('p1', MARIA));
    await world.write(patient('p2', { ...MARIA, ...PHONE }));
    thereLike('r1', PHONE);
    await round();
    expect((await only()).candidates.map(({ localId }) => localId)).toEqual(['p2', 'p1']);
    thereLike('r2');
    await round();
    expect(await world.sync.matches()).toHaveLength(2);
  });

  test('twins are kept apart by a person once, and each gets the right tasks', async () => {
    await open({ connection: PULLED });
    const home = { ...PHONE, address: [{ line: ['1 Main St'], postalCode: '02139' }] };
    await world.write(patient('ana', { ...MARIA, ...home, name: [{ family: 'García', given: ['Ana'] }] }));
    thereLike('r1', { ...home, name: [{ family: 'García', given: ['Eva'] }] });
    world.remote.put(task('x1', { for: { reference: 'Patient/r1' } }));
    await round();
    await world.sync.decideMatch(NURSE, (await only()).id, { decision: 'new' });
    await round();
    const eva = (await world.all<Patient>('Patient')).find(({ id }) => id !== 'ana');
    expect(eva?.name).toMatchObject([{ given: ['Eva'] }]);
    expect(await world.all('Task')).toMatchObject([{ for: { reference: `Patient/${eva?.id}` } }]);
  });

  test('a server that only gives is never sent anything, whatever the merge would add there', async () => {
    await open({ connection: PULLED });
    await world.write(patient('p1', { ...MARIA, ...PHONE }));
    thereLike('r1', { active: true });
    await round();
    await world.sync.decideMatch(NURSE, (await only()).id, { decision: 'link', to: 'p1' });
    await round();
    await round();
    expect(await world.read('Patient', 'p1')).toMatchObject({ ...PHONE, active: true });
    expect(world.remote.writes()).toEqual([]);
  });

  test('whatever they say by now, it is a person who answers', async () => {
    await open({ connection: { types: { Patient: 'pull', Task: 'pull' } } });
    await world.write(patient('p1', MARIA));
    thereLike('r1');
    await round();
    thereLike('r1', { name: [{ family: 'Novak', given: ['Petra'] }], birthDate: '1988-12-30' });
    await round();
    expect(await world.all('Patient')).toHaveLength(1);
    await world.sync.decideMatch(NURSE, (await only()).id, { decision: 'new' });
    await round();
    const families = (await world.all<Patient>('Patient')).map(({ name }) => name?.[0]?.family);
    expect(families.sort()).toEqual(['García', 'Novak']);
  });

  test('a newer copy of what waits is the one that comes in', async () => {
    await open({ connection: PULLED });
    await world.write(patient('p1', MARIA));
    thereLike('r1');
    world.remote.put(task('x1', { for: { reference: 'Patient/r1' } }));
    await round();
    world.remote.put(task('x1', { for: { reference: 'Patient/r1' }, status: 'accepted' }));
    thereLike('r1', PHONE);
    await round();
    await world.sync.decideMatch(NURSE, (await only()).id, { decision: 'link', to: 'p1' });
    world.remote.put(task('x1', { for: { reference: 'Patient/r1' }, status: 'completed' }));
    await round();
    expect(await world.all('Task')).toMatchObject([{ status: 'completed' }]);
    expect(await world.read('Patient', 'p1')).toMatchObject(PHONE);
  });

  test('is nobody any more when they are deleted there: ours is made, and what was about them does not come in', async () => {
    await open({ knobs: { history: true }, connection: { strategies: { Patient: 'history' } } });
    await world.write(patient('p1', MARIA));
    thereLike('r1');
    world.remote.put(task('x1', { for: { reference: 'Patient/r1' } }));
    await round();
    await only();
    world.remote.remove('Patient', 'r1');
    await round();
    world.pass({ minutes: 5 });
    await round();
    expect(await world.sync.matches()).toEqual([]);
    expect(await world.temp.store.query('SELECT * FROM held_resource')).toEqual([]);
    expect(world.remote.all('Patient')).toHaveLength(1);
    expect(await world.all('Task')).toEqual([]);
  });

  test.each(['history', 'search'] as const)(
    'what is deleted there while it waits does not come in: %s',
    async (way) => {
      await open({ knobs: { history: way === 'history' }, connection: { strategies: { Task: way } } });
      await world.write(patient('p1', MARIA));
      thereLike('r1');
      for (const id of ['x1', 'x2']) world.remote.put(task(id, { for: { reference: 'Patient/r1' } }));
      await round();
      world.remote.remove('Task', 'x1');
      await round();
      await world.sync.sweep();
      const held = await world.temp.store.query("SELECT remote_id FROM held_resource WHERE type = 'Task'");
      expect(held).toEqual([{ remote_id: 'x2' }]);
      await world.sync.decideMatch(NURSE, (await only()).id, { decision: 'link', to: 'p1' });
      await round();
      expect(await world.all('Task')).toHaveLength(1);
    },
  );

  test('linked without a person where the site wants it, and only a match', async () => {
    await open({ connection: { ...PULLED, matching: { automatic: 'demographics' } } });
    await world.write(patient('p1', { ...MARIA, ...PHONE }));
    await world.write(patient('p2', { ...MARIA, birthDate: '1971-06-07' }));
    thereLike('r1', PHONE);
    thereLike('r2', { birthDate: '1972-06-07' });
    await round();
    expect(await links()).toContainEqual({ local_id: 'p1', remote_id: 'r1', how: 'matched-rules' });
    expect(await only()).toMatchObject({ remoteId: 'r2', candidates: [{ localId: 'p2' }] });
  });
});

describe('one of ours who was merged into another here', () => {
  const OTHER = { name: [{ family: 'Okafor', given: ['Ngozi'] }], gender: 'male', birthDate: '1999-09-09' };
  async function close(fields: object): Promise<void> {
    const link = [{ type: 'replaced-by', other: { reference: 'Patient/p2' } }];
    await world.write(patient('p1', { ...fields, active: false, link }));
  }

  test('only hints at who stands for them, also where a match links without a person', async () => {
    await open({ connection: { ...PULLED, matching: { automatic: 'demographics' } } });
    await world.write(patient('p2', OTHER));
    await close({ ...MARIA, ...PHONE, identifier: [SSN] });
    thereLike('r1', { ...PHONE, identifier: [SSN] });
    await round();
    expect(await only()).toMatchObject({ remoteId: 'r1', candidates: [{ localId: 'p2' }] });
    expect(await links()).toEqual([]);
  });

  test('between the question and the answer: the answer means who stands for them', async () => {
    await open({ connection: PULLED });
    await world.write(patient('p1', MARIA));
    await world.write(patient('p2', OTHER));
    thereLike('r1', PHONE);
    await round();
    await close(MARIA);
    await world.sync.decideMatch(NURSE, (await only()).id, { decision: 'link', to: 'p1' });
    await round();
    expect(await links()).toEqual([{ local_id: 'p2', remote_id: 'r1', how: 'matched-manual' }]);
    expect(await world.read('Patient', 'p1')).not.toMatchObject(PHONE);
    expect(await world.sync.matches()).toEqual([]);
  });

  test('is no more asked about when a person had said no of them', async () => {
    await open({ connection: { types: { Patient: 'both', Task: 'both' } } });
    await world.write(patient('p1', { ...MARIA, identifier: [MRN] }));
    await world.write(patient('p2', OTHER));
    const said = { birthDate: '1977-07-07', identifier: [MRN] };
    thereLike('r1', said);
    await world.sync.pullNow();
    await world.sync.decideMatch(NURSE, (await only()).id, { decision: 'apart' });
    await round();
    await close({ ...MARIA, identifier: [MRN] });
    await round();
    thereLike('r1', { ...said, maritalStatus: { text: 'Married' } });
    await round();
    expect(await world.sync.matches()).toEqual([]);
  });
});

describe('numbers', () => {
  test('a social security number never links by itself', async () => {
    await open({ connection: PULLED });
    await world.write(patient('p1', { identifier: [SSN] }));
    world.remote.put(patient('r1', { identifier: [SSN] }) as Patient);
    await round();
    expect(await only()).toMatchObject({ candidates: [{ localId: 'p1', why: 'rules' }] });
    expect(await links()).toEqual([]);
  });

  test('only systems that the connection trusts link', async () => {
    await open({ connection: { ...PULLED, matching: { trusted: ['urn:oid:9'] } } });
    await world.write(patient('p1', { identifier: [MRN] }));
    world.remote.put(patient('r1', { identifier: [MRN] }) as Patient);
    await round();
    expect(await only()).toMatchObject({ remoteId: 'r1', candidates: [{ localId: 'p1' }] });
  });

  test('a number that contradicts another one, or belongs to two of ours, is a question', async () => {
    await open({ connection: PULLED });
    await world.write(patient('p1', { identifier: [MRN, { system: 'urn:b', value: '1' }] }));
    world.remote.put(patient('r1', { identifier: [MRN, { system: 'urn:b', value: '2' }] }) as Patient);
    await round();
    expect(await only()).toMatchObject({ remoteId: 'r1' });
    await world.write(patient('p2', { identifier: [{ system: 'urn:c', value: '1' }] }));
    await world.write(patient('p3', { identifier: [{ system: 'urn:c', value: '1' }] }));
    world.remote.put(patient('r2', { identifier: [{ system: 'urn:c', value: '1' }] }) as Patient);
    await round();
    const asked = (await world.sync.matches()).find(({ remoteId }) => remoteId === 'r2');
    expect(asked?.candidates.map(({ localId }) => localId).sort()).toEqual(['p2', 'p3']);
  });

  test('a number that was given to somebody with other names is a question', async () => {
    await open({ connection: PULLED });
    await world.write(patient('p1', { ...MARIA, identifier: [MRN] }));
    thereLike('r1', { identifier: [MRN], name: [{ family: 'Novak', given: ['Petra'] }] });
    await round();
    expect(await only()).toMatchObject({ candidates: [{ why: 'identifier' }] });
  });
});

test('an organization whose number two of ours have waits as well, and is asked once', async () => {
  await open({ connection: { types: { Organization: 'pull' }, matching: { trusted: ['urn:oid:9'] } } });
  const npi = { identifier: [{ system: 'http://hl7.org/fhir/sid/us-npi', value: '1' }], name: 'Riverside' };
  await world.write({ resourceType: 'Organization', id: 'o1', ...npi });
  await world.write({ resourceType: 'Organization', id: 'o2', ...npi });
  world.remote.put({ resourceType: 'Organization', id: 'x1', ...npi });
  await round();
  await round();
  expect((await only()).candidates.map(({ localId }) => localId).sort()).toEqual(['o1', 'o2']);
  await world.sync.decideMatch(NURSE, (await only()).id, { decision: 'link', to: 'o2' });
  world.remote.put({ resourceType: 'Organization', id: 'x1', ...npi, active: true });
  await round();
  expect(await world.read('Organization', 'o2')).toMatchObject({ active: true });
});

test('an organization that a person took for a second record stays that, whatever it says by now', async () => {
  await open({ connection: { types: { Organization: 'pull' }, matching: { trusted: ['urn:oid:9'] } } });
  const npi = { identifier: [{ system: 'http://hl7.org/fhir/sid/us-npi', value: '1' }], name: 'Riverside' };
  world.remote.put({ resourceType: 'Organization', id: 'x1', ...npi });
  await round();
  world.remote.put({ resourceType: 'Organization', id: 'x2', ...npi });
  await round();
  const { id, candidates } = await only();
  await world.sync.decideMatch(NURSE, id, { decision: 'link', to: String(candidates[0]?.localId) });
  await round();
  world.remote.put({ resourceType: 'Organization', id: 'x2', name: 'Riverside Clinic' });
  await round();
  expect(await world.all('Organization')).toMatchObject([{ name: 'Riverside' }]);
});

describe('a patient of ours who may be there already', () => {
  const server = { demographics: true } as const;

  test('found by name and birth date: nothing is made until a person has said who it is', async () => {
    await open({ knobs: server, connection: { types: { Patient: 'push', Task: 'push' } } });
    thereLike('r1');
    await world.write(patient('p1', MARIA));
    await world.write(task('t1'));
    await world.write(patient('p2', { name: [{ family: 'Novak', given: ['Petra'] }], birthDate: '1988-12-30' }));
    await round();
    await round();
    expect(world.remote.writes()).toEqual(['POST /Patient']);
    await world.sync.decideMatch(NURSE, (await only()).id, { decision: 'link', to: 'p1' });
    world.pass({ minutes: 20 });
    await round();
    await round();
    expect(world.remote.all('Patient')).toHaveLength(2);
    expect(world.remote.all('Task')).toMatchObject([{ for: { reference: 'Patient/r1' } }]);
  });

  test('not the same: made there, and not asked again', async () => {
    await open({ knobs: server, connection: { types: { Patient: 'push' } } });
    thereLike('r1');
    await world.write(patient('p1', MARIA));
    await round();
    await world.sync.decideMatch(NURSE, (await only()).id, { decision: 'apart' });
    await round();
    await world.write(patient('p1', { ...MARIA, ...PHONE }));
    await round();
    expect(world.remote.all('Patient')).toHaveLength(2);
    expect(await world.sync.matches()).toEqual([]);
  });

  test('two of ours like one of theirs are one question, however they come to it', async () => {
    await open({ knobs: server, connection: { types: { Patient: 'push' } } });
    thereLike('r1');
    await world.write(patient('p1', MARIA));
    await round();
    await world.write(patient('p2', MARIA));
    await round();
    await round();
    expect((await only()).candidates.map(({ localId }) => localId).sort()).toEqual(['p1', 'p2']);
    expect(world.remote.writes()).toEqual([]);
    await world.sync.decideMatch(NURSE, (await only()).id, { decision: 'link', to: 'p2' });
    await round();
    await round();
    expect(await links()).toContainEqual({ local_id: 'p2', remote_id: 'r1', how: 'matched-manual' });
    expect(world.remote.all('Patient')).toHaveLength(2);
  });

  test('one of ours whose number another one of ours has there: the two are merged only in so many words', async () => {
    await open({ connection: { types: { Patient: 'push', Task: 'push' } } });
    thereLike('r1', { identifier: [MRN] });
    await world.write(patient('p1', { ...MARIA, identifier: [MRN] }));
    await round();
    await world.write(patient('p2', { ...MARIA, identifier: [MRN] }));
    await world.write(task('t2', { for: { reference: 'Patient/p2' } }));
    await round();
    const { id, kind } = await only();
    expect(kind).toBe('duplicate');
    await expect(world.sync.decideMatch(NURSE, id, { decision: 'link', to: 'p2' })).rejects.toMatchObject({
      kind: 'unprocessable',
    });
    await world.restart();
    await world.sync.decideMatch(NURSE, id, { decision: 'link', to: 'p2', merge: true });
    await round();
    world.pass({ minutes: 20 });
    await round();
    expect(await world.read('Task', 't2')).toMatchObject({ for: { reference: 'Patient/p1' } });
    expect(await world.read('Patient', 'p2')).toMatchObject({ active: false });
    expect(world.remote.all('Patient')).toHaveLength(1);
    expect(world.remote.all('Task')).toMatchObject([{ for: { reference: 'Patient/r1' } }]);
  });

  test('$match is asked where it is offered', async () => {
    await open({ knobs: { match: true }, connection: { types: { Patient: 'push' } } });
    thereLike('r1', { name: [{ family: 'Garcia', given: ['Maria', 'Elena'] }] });
    await world.write(patient('p1', MARIA));
    await round();
    expect(await only()).toMatchObject({ remoteId: 'r1', candidates: [{ localId: 'p1', why: 'rules' }] });
    expect(world.remote.writes()).toEqual(['POST /Patient/$match']);
    expect(world.remote.all('Patient')).toHaveLength(1);
  });

  test('a server that makes its patients itself is never sent one; ours is linked when it is there', async () => {
    await open({ connection: { types: { Patient: 'push', Task: 'push' }, matching: { owner: 'remote' } } });
    await world.write(patient('p1', { ...MARIA, identifier: [MRN] }));
    await world.write(task('t1'));
    await round();
    world.pass({ minutes: 20 });
    await round();
    expect(world.remote.writes()).toEqual([]);
    expect((await world.sync.status())[0]?.outbox).toMatchObject({ parked: 0, rejected: 0 });
    thereLike('r1', { identifier: [MRN] });
    for (let rounds = 0; rounds < 3; rounds += 1) {
      world.pass({ minutes: 20 });
      await round();
    }
    expect(world.remote.all('Patient')).toHaveLength(1);
    expect(world.remote.all('Task')).toMatchObject([{ for: { reference: 'Patient/r1' } }]);
  });
});

test('linked by a person to one of ours whom a push makes at that moment: it is a second record of theirs', async () => {
  await open();
  await world.write(patient('p1', MARIA));
  thereLike('r1');
  await world.sync.pullNow();
  const { id } = await only();
  // Nobody's candidate, but the nurse knows.
  await world.write(patient('p7', { name: [{ family: 'Adams' }], birthDate: '1960-06-06' }));
  let isMade = false;
  await world.restart((store) => ({
    store: {
      ...store,
      commit: async (actor, ...rest) => {
        if (actor.reference === NURSE.reference && !isMade) {
          isMade = true;
          const another = world.another();
          await another.pushNow();
          await another.stop();
        }
        return store.commit(actor, ...rest);
      },
    },
  }));
  await world.sync.decideMatch(NURSE, id, { decision: 'link', to: 'p7' });
  const made = world.remote.all('Patient').find((one) => one.id !== 'r1');
  const sql =
    "SELECT local_id, remote_id, replaced_by FROM identity WHERE type = 'Patient' ORDER BY replaced_by IS NULL DESC";
  expect(await world.temp.store.query(sql)).toEqual([
    { local_id: 'p7', remote_id: made?.id, replaced_by: null },
    { local_id: 'p7', remote_id: 'r1', replaced_by: made?.id },
  ]);
  expect(await world.sync.matches()).toEqual([]);
});

test('a crash between the question and the answer, and after it, loses nothing', async () => {
  await open({ connection: PULLED });
  await world.write(patient('p1', MARIA));
  thereLike('r1');
  world.remote.put(task('x1', { for: { reference: 'Patient/r1' } }));
  await world.sync.pullNow();
  await world.restart();
  await world.sync.decideMatch(NURSE, (await only()).id, { decision: 'link', to: 'p1' });
  await world.restart();
  await round();
  expect(await world.all('Task')).toMatchObject([{ for: { reference: 'Patient/p1' } }]);
});

// A server merges two of its patients, or takes that back: links and references follow, and a person is asked where a program
// cannot know. docs/sync-spec.md#I8
import type { CarePlan, Patient, Task } from '@medplum/fhirtypes';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { IDENTIFIER } from '../../src/care/systems.ts';
import { DEATH_TOLD, stampDeath } from '../../src/fhir/death-word.ts';
import type { Store } from '../../src/store/store.ts';
import { carePlan, NURSE, openWorld, patient, task, type World } from '../support/sync-world.ts';

let world: World;
beforeEach(async () => {
  world = await openWorld({ connection: { types: { Patient: 'pull', Task: 'both' } } });
});
afterEach(() => world.cleanup());

async function round(): Promise<void> {
  await world.sync.pullNow();
  await world.sync.pushNow();
}
const there = (id: string) => world.remote.all('Patient').find((one) => one.id === id) as Patient & { id: string };
const here = async (family: string) => {
  const found = (await world.all<Patient>('Patient')).find(({ name }) => name?.[0]?.family === family);
  if (!found) throw new Error(`no ${family}`);
  return found;
};
function merge(from: string, into: string): void {
  const link = [{ type: 'replaced-by' as const, other: { reference: `Patient/${into}` } }];
  world.remote.put({ ...there(from), active: false, link });
}
const links = () =>
  world.temp.store.query(
    "SELECT local_id, remote_id, state, replaced_by FROM identity WHERE type = 'Patient' ORDER BY remote_id",
  );
/** A patient there with a task, known here. */
async function known(id: string, family: string, fields: Partial<Patient> = {}): Promise<string> {
  world.remote.put(patient(id, { name: [{ family }], ...fields }) as Patient);
  world.remote.put(task(`task-${id}`, { for: { reference: `Patient/${id}` } }));
  await round();
  return (await here(family)).id;
}
const kinds = () => world.events.map(({ kind }) => kind);

describe('a merge', () => {
  test('into a record that nobody here has: ours stays who it is and has that record now', async () => {
    world = await reopened({ types: { Patient: 'both', Task: 'both' } });
    await world.write(patient('p1', { name: [{ family: 'One' }] }));
    await round();
    const [one] = world.remote.all('Patient') as (Patient & { id: string })[];
    world.remote.put(patient('r2', { name: [{ family: 'One' }], gender: 'female' }) as Patient);
    merge(String(one?.id), 'r2');
    world.remote.put(task('x2', { for: { reference: 'Patient/r2' } }));
    await round();
    expect(await world.read('Patient', 'p1')).toMatchObject({ gender: 'female' });
    expect((await world.read<Patient>('Patient', 'p1'))?.active).toBeUndefined();
    await world.write(task('t1'));
    await round();
    expect(world.remote.all('Task').map((found) => (found as Task).for?.reference)).toEqual([
      'Patient/r2',
      'Patient/r2',
    ]);
    expect(await links()).toMatchObject([
      { remote_id: one?.id, state: 'replaced', replaced_by: 'r2' },
      { remote_id: 'r2', state: 'linked', local_id: 'p1' },
    ]);
    expect(world.remote.all('Patient')).toHaveLength(2);
    expect(kinds()).toContain('merged');
  });

  test('into a record that says whom it replaces: ours does not say that it replaces itself, and theirs goes on saying it', async () => {
    world = await reopened({ types: { Patient: 'both', Task: 'both' } });
    await world.write(patient('p1', { name: [{ family: 'One' }] }));
    await round();
    const first = String((world.remote.all('Patient') as { id: string }[])[0]?.id);
    const link = [{ type: 'replaces' as const, other: { reference: `Patient/${first}` } }];
    world.remote.put(patient('r2', { name: [{ family: 'One' }], gender: 'female', link }) as Patient);
    merge(first, 'r2');
    await round();
    await round();
    const ours = (await world.read<Patient>('Patient', 'p1')) as Patient & { id: string };
    expect(ours.link).toEqual([{ type: 'replaces', other: { reference: `${world.remote.baseUrl}/Patient/${first}` } }]);
    await world.write({ ...ours, maritalStatus: { text: 'Here' } });
    world.remote.put({ ...there('r2'), maritalStatus: { text: 'There' } });
    await round();
    const [conflict] = await world.sync.conflicts();
    await world.sync.resolve(NURSE, String(conflict?.id), { take: 'ours' });
    await round();
    expect(there('r2')).toMatchObject({ link, maritalStatus: { text: 'Here' } });
    expect(await world.read('Patient', 'p1')).toMatchObject({ link: ours.link });
  });

  test('of two who are both here: what came from there moves, the empty record is closed, and nothing is sent', async () => {
    const [one, two] = [await known('r1', 'One'), await known('r2', 'Two')];
    const before = world.remote.writes().length;
    merge('r1', 'r2');
    await round();
    await round();
    const tasks = await world.all<Task>('Task');
    expect(tasks.map((found) => found.for?.reference)).toEqual([`Patient/${two}`, `Patient/${two}`]);
    expect(await world.read('Patient', one)).toMatchObject({
      active: false,
      link: [{ type: 'replaced-by', other: { reference: `Patient/${two}` } }],
    });
    expect(await world.sync.conflicts()).toEqual([]);
    expect(world.remote.writes()).toHaveLength(before);
    expect(kinds().filter((kind) => kind === 'merged')).toHaveLength(1);
    // New versions there, under either name, change nothing about whose they are.
    world.remote.put(task('task-r1', { for: { reference: 'Patient/r2' }, status: 'accepted' }));
    world.remote.put(task('late', { for: { reference: 'Patient/r1' } }));
    await round();
    const after = await world.all<Task>('Task');
    expect(after.map((found) => found.for?.reference)).toEqual(Array(3).fill(`Patient/${two}`));
    expect(await world.sync.conflicts()).toEqual([]);
  });

  test('where there is more here than came from there: a person says whether the two are one', async () => {
    const [one, two] = [await known('r1', 'One'), await known('r2', 'Two')];
    await world.write({
      resourceType: 'Observation',
      id: 'o1',
      status: 'final',
      code: { text: 'BP' },
      subject: { reference: `Patient/${one}` },
    } as never);
    merge('r1', 'r2');
    await round();
    const [asked] = await world.sync.matches();
    expect(asked).toMatchObject({ remoteId: 'r1', candidates: [{ localId: two, why: 'merged' }] });
    expect((await world.read<Patient>('Patient', one))?.active).toBeUndefined();
    expect(await world.read('Observation', 'o1')).toMatchObject({ subject: { reference: `Patient/${one}` } });
    await world.sync.decideMatch(NURSE, String(asked?.id), { decision: 'link', to: two });
    await round();
    expect(await world.read('Observation', 'o1')).toMatchObject({ subject: { reference: `Patient/${two}` } });
    expect(await world.read('Patient', one)).toMatchObject({ active: false });
    expect(await world.read('Patient', two)).toMatchObject({
      link: [{ type: 'replaces', other: { reference: `Patient/${one}` } }],
    });
  });

  test('that a person decides keeps the death that only one record tells of, also when the other has news', async () => {
    const [one, two] = [await known('r1', 'One'), await known('r2', 'Two')];
    const own = await world.read<Patient>('Patient', one);
    const died = { ...(own as Patient), deceasedDateTime: '2026-03-04' };
    await world.write({ ...stampDeath(died, Temporal.Instant.from('2026-03-05T10:00:00Z')), id: one });
    await world.write({
      ...{ resourceType: 'Observation', id: 'o1', status: 'final', code: { text: 'BP' } },
      subject: { reference: `Patient/${one}` },
    } as never);
    merge('r1', 'r2');
    await round();
    const [asked] = await world.sync.matches();
    await world.sync.decideMatch(NURSE, String(asked?.id), { decision: 'link', to: two });
    await round();
    const told = { url: DEATH_TOLD, valueInstant: '2026-03-05T10:00:00.000Z' };
    const merged = { deceasedDateTime: '2026-03-04', extension: expect.arrayContaining([told]) };
    expect(await world.read('Patient', two)).toMatchObject(merged);
    world.remote.put({ ...there('r2'), gender: 'female' });
    await round();
    expect(await world.read('Patient', two)).toMatchObject({ ...merged, gender: 'female' });
    expect(await world.sync.conflicts()).toEqual([]);
  });

  test('of two who are both here: a new record with the number of the closed one is asked about, for the other', async () => {
    const identifier = [{ system: 'urn:mrn', value: '77' }];
    const [one, two] = [await known('r1', 'One', { identifier }), await known('r2', 'Two')];
    merge('r1', 'r2');
    await round();
    await round();
    world.remote.put(patient('r3', { name: [{ family: 'One' }], identifier }) as Patient);
    world.remote.put(task('t3', { for: { reference: 'Patient/r3' } }));
    await round();
    const asked = await world.sync.matches();
    expect(asked.map(({ remoteId, candidates }) => [remoteId, candidates.map(({ localId }) => localId)])).toEqual([
      ['r3', [two]],
    ]);
    const named = (await world.all<Task>('Task')).map((found) => found.for?.reference);
    expect(named).not.toContain(`Patient/${one}`);
  });

  test('that a person decides is not asked about again by a push before it is done', async () => {
    world = await reopened({ types: { Patient: 'both', Task: 'both' } });
    const identifier = [{ system: 'urn:mrn', value: '77' }];
    await world.write(patient('p1', { identifier }));
    await world.sync.pushNow();
    await world.write(patient('p2', { identifier, birthDate: '1950-02-02' }));
    await world.sync.pushNow();
    const [asked] = await world.sync.matches();
    await world.sync.decideMatch(NURSE, String(asked?.id), { decision: 'link', to: 'p2', merge: true });
    await world.sync.pushNow();
    expect(await world.sync.matches()).toEqual([]);
    await round();
    expect(await world.read('Patient', 'p2')).toMatchObject({ active: false });
    expect(world.remote.all('Patient')).toHaveLength(1);
  });

  test('that a person decides goes to whoever stands for the one they named when it is done', async () => {
    world = await reopened({ types: { Patient: 'both', Task: 'both' } });
    const identifier = [{ system: 'urn:mrn', value: '77' }];
    await world.write(patient('p1', { identifier }));
    await world.write(patient('p3', { name: [{ family: 'Three' }], birthDate: '1933-03-03' }));
    await world.sync.pushNow();
    await world.write(patient('p2', { identifier, birthDate: '1950-02-02' }));
    await world.write(task('t2', { for: { reference: 'Patient/p2' } }));
    await world.sync.pushNow();
    const [asked] = await world.sync.matches();
    await world.sync.decideMatch(NURSE, String(asked?.id), { decision: 'link', to: 'p2', merge: true });
    const link = [{ type: 'replaced-by', other: { reference: 'Patient/p3' } }];
    await world.write(patient('p1', { identifier, active: false, link }));
    await world.sync.pullNow();
    expect(await world.read('Task', 't2')).toMatchObject({ for: { reference: 'Patient/p3' } });
    expect(await world.read('Patient', 'p2')).toMatchObject({ active: false, link });
    expect((await world.read<Patient>('Patient', 'p3'))?.active).toBeUndefined();
  });

  test('that a person decides means whoever stands for the one they named, also when another merge is faster', async () => {
    world = await reopened({ types: { Patient: 'both', Task: 'both' } });
    const identifier = [{ system: 'urn:mrn', value: '77' }];
    await world.write(patient('p1', { identifier }));
    await world.write(patient('p3', { name: [{ family: 'Three' }], birthDate: '1933-03-03' }));
    await world.sync.pushNow();
    const two = patient('p2', { identifier, birthDate: '1950-02-02' });
    await world.write(two);
    await world.write(task('t2', { for: { reference: 'Patient/p2' } }));
    await world.sync.pushNow();
    const [asked] = await world.sync.matches();
    await world.sync.decideMatch(NURSE, String(asked?.id), { decision: 'link', to: 'p2', merge: true });
    const into = (id: string) => [{ type: 'replaced-by', other: { reference: `Patient/${id}` } }];
    await world.write(task('t2', { for: { reference: 'Patient/p3' } }));
    await world.write({ ...two, active: false, link: into('p3') } as typeof two);
    await world.sync.pullNow();
    expect(await world.read('Task', 't2')).toMatchObject({ for: { reference: 'Patient/p1' } });
    expect(await world.read('Patient', 'p2')).toMatchObject({ active: false, link: into('p3') });
    expect(await world.read('Patient', 'p3')).toMatchObject({ active: false, link: into('p1') });
  });

  test('that a person decides and the store refuses waits until there is room, and holds up nothing else', async () => {
    world = await reopened({ types: { Patient: 'both', Task: 'both' } });
    const number = [{ system: 'urn:mrn', value: '77' }];
    const identifier = [{ system: IDENTIFIER.casePlan, value: 'e1' }];
    await world.write(patient('p1', { identifier: number }));
    await world.sync.pushNow();
    await world.write(patient('p2', { identifier: number, birthDate: '1950-02-02' }));
    await world.write(carePlan('c1', { identifier }));
    const second = carePlan('c2', { identifier, subject: { reference: 'Patient/p2' } });
    await world.write(second);
    await world.write(task('t2', { for: { reference: 'Patient/p2' } }));
    await world.sync.pushNow();
    const [asked] = await world.sync.matches();
    await world.sync.decideMatch(NURSE, String(asked?.id), { decision: 'link', to: 'p2', merge: true });
    const subject = { reference: `Patient/${world.remote.all('Patient')[0]?.id}` };
    world.remote.put(task('part', { for: subject, partOf: [{ reference: 'Task/whole' }] }));
    await world.sync.pullNow();
    world.remote.put(task('whole', { for: subject }));
    await world.sync.pullNow();
    // The end of the pull puts references right.
    const parts = (await world.all<Task>('Task')).flatMap(({ partOf = [] }) => partOf);
    expect(parts).toEqual([{ reference: expect.stringMatching(/^Task\//) }]);
    expect(await world.read('Task', 't2')).toMatchObject({ for: { reference: 'Patient/p1' } });
    const detail = expect.stringMatching(/^Patient\/p2 cannot be merged into Patient\/p1 yet\. .*CarePlan\/c1/);
    expect(world.events.filter(({ kind }) => kind === 'merge-refused')).toMatchObject([{ localId: 'p2' }]);
    const alerts = await world.temp.store.query("SELECT detail FROM alert WHERE event = 'merge.refused'");
    expect(alerts).toEqual([{ detail: 'Two patients cannot be merged yet.' }]);
    const told = await world.temp.store.query("SELECT detail FROM message WHERE outcome = 'merge-refused'");
    expect(told).toMatchObject([{ detail }]);
    await world.write({ ...second, status: 'completed' } as CarePlan & { id: string });
    await world.sync.pullNow();
    expect(await world.read('CarePlan', 'c2')).toMatchObject({ subject: { reference: 'Patient/p1' } });
    expect(await world.read('Patient', 'p2')).toMatchObject({ active: false });
  });

  test('kept apart by a person: our own data stays where it is, and the question does not come back', async () => {
    const [one, two] = [await known('r1', 'One'), await known('r2', 'Two')];
    await world.write(task('own', { for: { reference: `Patient/${one}` } }));
    world.sync.stop();
    await world.restart();
    await world.write({
      resourceType: 'Observation',
      id: 'o1',
      status: 'final',
      code: { text: 'BP' },
      subject: { reference: `Patient/${one}` },
    } as never);
    merge('r1', 'r2');
    await round();
    const [asked] = await world.sync.matches();
    await world.sync.decideMatch(NURSE, String(asked?.id), { decision: 'apart' });
    await round();
    await round();
    expect(await world.sync.matches()).toEqual([]);
    expect(await world.read('Observation', 'o1')).toMatchObject({ subject: { reference: `Patient/${one}` } });
    // What is about that patient still goes to the record which stands for theirs.
    expect(world.remote.all('Task').find((found) => JSON.stringify(found).includes('own'))).toMatchObject({
      for: { reference: 'Patient/r2' },
    });
    expect(two).not.toBe(one);
  });

  test('of chains in any order ends at the last; circles and seealso merge nothing', async () => {
    const [one, , three] = [await known('r1', 'One'), await known('r2', 'Two'), await known('r3', 'Three')];
    merge('r2', 'r3');
    merge('r1', 'r2');
    await round();
    await round();
    const tasks = await world.all<Task>('Task');
    expect(tasks.map((found) => found.for?.reference)).toEqual(Array(3).fill(`Patient/${three}`));
    expect(await world.read('Patient', one)).toMatchObject({ active: false });
    world.remote.put({ ...there('r3'), link: [{ type: 'replaced-by', other: { reference: 'Patient/r1' } }] });
    await round();
    expect((await links()).filter(({ state }) => state !== 'replaced')).toMatchObject([{ remote_id: 'r3' }]);
    const four = await known('r4', 'Four');
    world.remote.put({ ...there('r4'), link: [{ type: 'seealso', other: { reference: 'Patient/r3' } }] });
    await round();
    expect((await links()).find(({ remote_id }) => remote_id === 'r4')).toMatchObject({
      state: 'linked',
      local_id: four,
    });
  });

  test('of a chain that grows from its beginning moves nothing into a record that is closed', async () => {
    const [, , three] = [await known('r1', 'One'), await known('r2', 'Two'), await known('r3', 'Three')];
    merge('r1', 'r2');
    merge('r2', 'r3');
    await round();
    await round();
    const tasks = await world.all<Task>('Task');
    expect(tasks.map((found) => found.for?.reference)).toEqual(Array(3).fill(`Patient/${three}`));
    expect(await world.sync.matches()).toEqual([]);
  });

  test('survives a crash before any of its commits', { timeout: 180_000 }, async () => {
    for (let nth = 1; ; nth += 1) {
      world = await reopened({ types: { Patient: 'pull', Task: 'both' } });
      const [one, two] = [await known('r1', 'One'), await known('r2', 'Two')];
      merge('r1', 'r2');
      let left = nth;
      await world.restart((store) => ({
        store: withCommit(store, () => {
          left -= 1;
          if (left === 0) throw new Error('killed');
        }),
      }));
      await world.sync.pullNow();
      await world.restart();
      await round();
      expect((await world.all<Task>('Task')).map((found) => found.for?.reference)).toEqual(
        Array(2).fill(`Patient/${two}`),
      );
      expect(await world.read('Patient', one)).toMatchObject({ active: false });
      expect(await world.sync.conflicts()).toEqual([]);
      if (left > 0) return;
    }
  });
});

describe('a merge that only a read tells of, by leading to the other record, is followed', () => {
  /** As Epic does: no read shows the old record. */
  function mergeAway(from: string, into: string): void {
    world.remote.knobs.redirects[`Patient/${from}`] = `Patient/${into}`;
    world.remote.put(task(`task-${from}`, { for: { reference: `Patient/${into}` } }));
  }

  async function expectFollowed(one: string, two: string): Promise<void> {
    const tasks = await world.all<Task>('Task');
    expect(tasks.map((found) => found.for?.reference)).toEqual([`Patient/${two}`, `Patient/${two}`]);
    expect(await world.read('Patient', one)).toMatchObject({
      active: false,
      link: [{ type: 'replaced-by', other: { reference: `Patient/${two}` } }],
    });
    expect(await world.sync.conflicts()).toEqual([]);
    expect(await links()).toMatchObject([
      { remote_id: 'r1', state: 'replaced', replaced_by: 'r2' },
      { remote_id: 'r2', state: 'linked', local_id: two },
    ]);
    expect(kinds().filter((kind) => kind === 'merged')).toHaveLength(1);
  }

  test('where patients are read one by one', async () => {
    const scope = { kind: 'query', query: '_sort=_id' } as const;
    world = await reopened({
      vendor: 'epic',
      types: { Patient: 'pull', Task: 'both' },
      patients: scope,
      strategies: { Patient: 'roster', Task: 'roster' },
    });
    const [one, two] = [await known('r1', 'One'), await known('r2', 'Two')];
    mergeAway('r1', 'r2');
    for (let rounds = 0; rounds < 3; rounds += 1) await round();
    await expectFollowed(one, two);
  });

  const GROUP = { types: { Patient: 'pull', Task: 'both' }, patients: { kind: 'group', id: 'g1' } } as const;
  const members = (...ids: string[]) => {
    const member = ids.map((id) => ({ entity: { reference: `Patient/${id}` } }));
    world.remote.put({ resourceType: 'Group', id: 'g1', type: 'person', actual: true, member });
  };
  const readsOf = (id: string) =>
    world.remote.requests.filter(({ method, url }) => method === 'GET' && url === `/Patient/${id}`).length;

  test.each([
    ['patient by patient', { vendor: 'epic', strategies: { Patient: 'roster', Task: 'roster' } }],
    ['by what changed', {}],
  ])('where the old record left the Group whose patients are pulled %s', async (_, how) => {
    world = await reopened({ ...GROUP, ...how });
    members('r1', 'r2');
    const [one, two] = [await known('r1', 'One'), await known('r2', 'Two')];
    mergeAway('r1', 'r2');
    world.remote.remove('Patient', 'r1');
    members('r2');
    await round();
    const before = readsOf('r1');
    for (let rounds = 0; rounds < 2; rounds += 1) await round();
    await expectFollowed(one, two);
    expect(readsOf('r1')).toBe(before);
  });

  test('where the Group has the old record still, but no stream brings it: when what has moved comes', async () => {
    world = await reopened({ ...GROUP, strategies: { Patient: 'search' } });
    members('r1', 'r2');
    const [one, two] = [await known('r1', 'One'), await known('r2', 'Two')];
    mergeAway('r1', 'r2');
    for (let rounds = 0; rounds < 3; rounds += 1) await round();
    await expectFollowed(one, two);
  });

  test('and who only left the Group is read once and stays who they are', async () => {
    world = await reopened({ ...GROUP, strategies: { Patient: 'roster', Task: 'roster' } });
    members('r1', 'r2');
    const one = await known('r1', 'One');
    await known('r2', 'Two');
    members('r2');
    const [before, version] = [readsOf('r1'), await world.read('Patient', one)];
    for (let rounds = 0; rounds < 3; rounds += 1) await round();
    expect(readsOf('r1')).toBe(before + 1);
    expect(await world.read('Patient', one)).toEqual(version);
    expect(await links()).toMatchObject([{ state: 'linked' }, { state: 'linked' }]);
    expect(await world.sync.conflicts()).toEqual([]);
  });

  test('and who left the Group and may not be read any more is not asked about again', async () => {
    world = await reopened({ ...GROUP, strategies: { Patient: 'roster', Task: 'roster' } });
    members('r1', 'r2');
    await known('r1', 'One');
    await known('r2', 'Two');
    members('r2');
    world.remote.knobs.notGranted = ['Patient/r1'];
    const before = readsOf('r1');
    for (let days = 0; days < 3; days += 1) {
      await round();
      world.pass({ hours: 25 });
    }
    expect(readsOf('r1')).toBe(before + 1);
  });

  test('where a sweep misses the old record', async () => {
    const [one, two] = [await known('r1', 'One'), await known('r2', 'Two')];
    world.remote.remove('Patient', 'r1');
    world.remote.knobs.redirects['Patient/r1'] = 'Patient/r2';
    await world.sync.sweep();
    mergeAway('r1', 'r2');
    for (let rounds = 0; rounds < 3; rounds += 1) await round();
    await expectFollowed(one, two);
  });
});

describe('a merge that is noticed on the way out', () => {
  beforeEach(async () => {
    world = await reopened({ types: { Patient: 'push', Task: 'push' } });
    await world.write(patient('p1', { name: [{ family: 'One' }] }));
    await round();
    world.remote.put(patient('r2', { name: [{ family: 'One' }], gender: 'female' }) as Patient);
  });
  const first = () => String((world.remote.all('Patient') as Patient[]).find(({ id }) => id !== 'r2')?.id);

  test('by its link: our change goes to the record that stands for the old one', async () => {
    const old = first();
    merge(old, 'r2');
    await world.write(patient('p1', { name: [{ family: 'One' }], telecom: [{ system: 'phone', value: '555' }] }));
    await round();
    await round();
    expect(there('r2')).toMatchObject({ gender: 'female', telecom: [{ value: '555' }] });
    expect(there(old).telecom).toBeUndefined();
    expect((await links()).filter(({ state }) => state === 'linked')).toMatchObject([
      { remote_id: 'r2', local_id: 'p1' },
    ]);
  });

  test('by a redirect of the read', async () => {
    const old = first();
    world.remote.remove('Patient', old);
    world.remote.knobs.versioning = false;
    world.remote.knobs.redirects[`Patient/${old}`] = 'Patient/r2';
    await world.restart();
    await world.write(patient('p1', { name: [{ family: 'One' }], telecom: [{ system: 'phone', value: '555' }] }));
    await round();
    await round();
    expect(there('r2')).toMatchObject({ telecom: [{ value: '555' }] });
    expect(await world.sync.conflicts()).toEqual([]);
  });

  test('by the code that Epic has for it', async () => {
    const old = first();
    const issue = [{ severity: 'error', code: 'not-found', details: { coding: [{ code: '4107' }] } }];
    const body = JSON.stringify({ resourceType: 'OperationOutcome', issue });
    world.remote.knobs.refusals.push({ status: 400, body });
    world.remote.knobs.redirects[`Patient/${old}`] = 'Patient/r2';
    await world.write(patient('p1', { name: [{ family: 'One' }], telecom: [{ system: 'phone', value: '555' }] }));
    await world.sync.pushNow();
    await round();
    expect(there('r2')).toMatchObject({ telecom: [{ value: '555' }] });
    expect(there(old).telecom).toBeUndefined();
  });

  test('another resource in place of the one asked for is never merged into ours', async () => {
    await world.write(task('t1'));
    await round();
    const [made] = world.remote.all('Task') as (Task & { id: string })[];
    world.remote.put(task('x9', { description: 'of somebody else' }));
    world.remote.knobs.redirects[`Task/${made?.id}`] = 'Task/x9';
    const issue = [{ severity: 'error', code: 'conflict' }];
    world.remote.knobs.refusals.push({
      status: 412,
      body: JSON.stringify({ resourceType: 'OperationOutcome', issue }),
    });
    await world.write(task('t1', { priority: 'stat' }));
    await world.sync.pushNow();
    expect(await world.read('Task', 't1')).toMatchObject({ description: 'Call the patient', priority: 'stat' });
    expect(world.remote.all('Task').find(({ id }) => id === 'x9')).toMatchObject({ description: 'of somebody else' });
    expect((await world.sync.status())[0]?.outbox).toMatchObject({ rejected: 1 });
  });
});

describe('a merge that is taken back', () => {
  test('is an event and a question, and moves nothing by itself', async () => {
    const [one, two] = [await known('r1', 'One'), await known('r2', 'Two')];
    merge('r1', 'r2');
    await round();
    const { link: _none, ...whole } = there('r1');
    world.remote.put({ ...whole, active: true });
    world.remote.put(task('x3', { for: { reference: 'Patient/r1' } }));
    await round();
    expect(kinds()).toContain('unmerged');
    const [asked] = await world.sync.matches();
    expect(asked).toMatchObject({ remoteId: 'r1', candidates: [{ localId: one, why: 'unmerged' }] });
    expect((await world.all<Task>('Task')).map((found) => found.for?.reference)).toEqual(
      Array(2).fill(`Patient/${two}`),
    );
    await world.sync.decideMatch(NURSE, String(asked?.id), { decision: 'link', to: one });
    await round();
    expect((await links()).filter(({ state }) => state !== 'replaced')).toHaveLength(2);
    const tasks = await world.all<Task>('Task');
    expect(tasks.filter((found) => found.for?.reference === `Patient/${one}`)).toHaveLength(1);
    const again = await world.read<Patient>('Patient', one);
    expect([again?.active, again?.link]).toEqual([true, undefined]);
  });
});

/** The store with a look at each commit before it happens. */
function withCommit(store: Store, before: () => void): Store {
  return new Proxy(store, {
    get(target, key) {
      const value = Reflect.get(target, key, target);
      if (typeof value !== 'function') return value;
      if (key !== 'commit') return value.bind(target);
      return (...args: Parameters<Store['commit']>) => {
        before();
        return target.commit(...args);
      };
    },
  });
}

async function reopened(connection: object): Promise<World> {
  await world.cleanup();
  return openWorld({ connection });
}

// A server that was put back from a backup gives its ids out again: what has the id of one of ours by now is no edit of it, and
// nothing about a patient whose record it lost goes to, or comes from, whoever has their id. docs/sync-spec.md#I5
// docs/sync-spec.md#I8 docs/sync-spec.md#I12 docs/sync-spec.md#I21
import type { CarePlan, Goal, Patient, Task } from '@medplum/fhirtypes';
import { afterEach, describe, expect, test } from 'vitest';
import { backupOf } from '../support/remote-backup.ts';
import { NURSE, openWorld, patient, task, type World, type WorldOptions } from '../support/sync-world.ts';

let world: World;
afterEach(() => world.cleanup());

const TYPES = ['Patient', 'CarePlan', 'Goal', 'Task'] as const;
const NUMBER = { system: 'urn:mrn', value: '7' };

function goal(id: string, whose: string): Goal & { id: string } {
  const subject = { reference: `Patient/${whose}` };
  return { resourceType: 'Goal', id, lifecycleStatus: 'active', description: { text: id }, subject };
}

const backup = () => backupOf(world.remote, TYPES);

async function exchange(rounds = 3): Promise<void> {
  for (let round = 0; round < rounds; round += 1) {
    await world.sync.pullNow();
    await world.sync.pushNow();
    world.pass({ minutes: 2 });
  }
}

async function notice(): Promise<void> {
  world.pass({ hours: 2 });
  await exchange();
}

async function open(options: WorldOptions = {}): Promise<void> {
  world = await openWorld(options);
  await world.write(patient('p1'));
  await world.write(patient('p2', { name: [{ family: 'Quinn' }], birthDate: '1933-03-03' }));
  await world.write(goal('g0', 'p1'));
  await exchange(1);
}

async function makeGoals(whose: string, ids: readonly string[] = ['g1', 'g2', 'g3']): Promise<void> {
  for (const id of ids) await world.write(goal(id, whose));
  await exchange(1);
}

const idThere = (family: string) =>
  (world.remote.all('Patient') as Patient[]).find(({ name }) => name?.[0]?.family === family)?.id;
const there = () =>
  (world.remote.all('Goal') as Goal[]).map((one) => `${one.description?.text} ${one.subject.reference}`);
const here = async () => (await world.all<Goal>('Goal')).map((one) => `${one.id} ${one.description?.text}`).sort();
const epochs = () => world.events.filter(({ kind }) => kind === 'epoch').length;

async function expectQuiet(): Promise<void> {
  const before = [world.remote.writes().length, await world.temp.store.head(), epochs()];
  for (let days = 0; days < 3; days += 1) {
    world.pass({ hours: 25 });
    await exchange(1);
    await world.sync.sweep();
  }
  expect([world.remote.writes().length, await world.temp.store.head(), epochs()]).toEqual(before);
}

describe.each([
  ['conditional creates', {}],
  ['none', { conditionalCreate: false }],
] as const)('at a server with %s', (_name, knobs) => {
  test('what was written here before the restore is noticed gets its own record, and what it lost is made again', async () => {
    await open({ knobs });
    const restore = backup();
    await makeGoals('p1');
    restore();
    for (const id of ['n1', 'n2']) await world.write(goal(id, 'p1'));
    await world.sync.pushNow();
    await exchange(4);
    world.pass({ hours: 1 });
    await exchange(2);
    expect(epochs()).toBe(1);
    expect(await world.sync.conflicts()).toEqual([]);
    expect(await here()).toEqual(['g0 g0', 'g1 g1', 'g2 g2', 'g3 g3', 'n1 n1', 'n2 n2']);
    const own = `Patient/${idThere('Rivera')}`;
    expect(there().sort()).toEqual(['g0', 'g1', 'g2', 'g3', 'n1', 'n2'].map((id) => `${id} ${own}`));
    await expectQuiet();
  });
});

test('a newer backup after an older one mixes nothing up, though the ids are others’ in between', async () => {
  await open();
  const older = backup();
  world.remote.put(task('t9', { for: { reference: `Patient/${idThere('Rivera')}` } }));
  await makeGoals('p1');
  await exchange(1);
  const newer = backup();
  older();
  await notice();
  expect(await world.sync.conflicts()).toMatchObject([{ kind: 'deleted', type: 'Task', remoteId: 't9' }]);
  newer();
  await notice();
  expect(await here()).toEqual(['g0 g0', 'g1 g1', 'g2 g2', 'g3 g3']);
  expect(
    there()
      .map((one) => one.slice(0, 2))
      .sort(),
  ).toEqual(['g0', 'g1', 'g2', 'g3']);
  expect(await world.sync.conflicts()).toEqual([]);
  await expectQuiet();
});

test('so it is where the type only goes out', async () => {
  await open({ connection: { types: { Patient: 'both', Goal: 'push' } } });
  const older = backup();
  world.remote.put(patient('x', { name: [{ family: 'Okafor' }], birthDate: '1999-09-09' }));
  await makeGoals('p1');
  const newer = backup();
  older();
  await notice();
  newer();
  await notice();
  for (const id of ['g1', 'g2', 'g3']) await world.write({ ...goal(id, 'p1'), description: { text: `${id}, later` } });
  await exchange(4);
  expect(
    there()
      .map((one) => one.replace(/ Patient.*/, ''))
      .sort(),
  ).toEqual(['g0', 'g1, later', 'g2, later', 'g3, later']);
  expect(await world.sync.conflicts()).toEqual([]);
});

test('a patient of ours whose id another of ours has by now stays who they are', async () => {
  world = await openWorld();
  await world.write(patient('p0', { name: [{ family: 'Abel' }], birthDate: '1920-03-03' }));
  await exchange(1);
  const restore = backup();
  await world.write(patient('p1'));
  await exchange(1);
  await makeGoals('p1');
  restore();
  await world.write(patient('p2', { name: [{ family: 'Quinn' }], birthDate: '1933-03-03' }));
  await world.sync.pushNow();
  await exchange(4);
  world.pass({ hours: 1 });
  await exchange(2);
  const named = (await world.all<Patient>('Patient')).map(({ id, name }) => `${id} ${name?.[0]?.family}`);
  expect(named.sort()).toEqual(['p0 Abel', 'p1 Rivera', 'p2 Quinn']);
  expect(there().sort()).toEqual(['g1', 'g2', 'g3'].map((id) => `${id} Patient/${idThere('Rivera')}`));
  expect(world.remote.all('Patient')).toHaveLength(3);
  expect(await world.sync.conflicts()).toEqual([]);
  await expectQuiet();
});

describe('what is made in time gets the id of what was lost', () => {
  const tasksThere = () => (world.remote.all('Task') as Task[]).map((one) => `${one.id} ${one.description}`).sort();
  const tasksHere = async () => (await world.all<Task>('Task')).map(({ description }) => description).sort();

  /**
   * The restore loses a task of theirs, and not the plan that names it.
   * @param id which the server then gives to the next one of ours: it counts what it has
   * @param goals lost as well, so that it is noticed
   */
  async function loseTheirs(id: string, goals: readonly string[] = []): Promise<void> {
    await open();
    const restore = backup();
    const own = idThere('Rivera');
    world.remote.put(task(id, { description: 'Theirs', for: { reference: `Patient/${own}` } }));
    await exchange(1);
    const [theirs] = await world.all<Task>('Task');
    const activity = [{ reference: { reference: `Task/${theirs?.id}` } }];
    await world.write({
      resourceType: 'CarePlan',
      id: 'c1',
      status: 'active',
      intent: 'plan',
      activity,
      subject: { reference: 'Patient/p1' },
    } as CarePlan & { id: string });
    await exchange(1);
    const plan = structuredClone(world.remote.all('CarePlan')[0]) as CarePlan;
    await makeGoals('p1', goals);
    restore();
    world.remote.put(plan);
  }
  const named = () =>
    (world.remote.all('CarePlan') as CarePlan[]).flatMap(({ activity = [] }) =>
      activity.map(({ reference }) => reference),
    );

  test('which came from there: each has a record of its own, and nobody is asked whether they are one', async () => {
    await loseTheirs('5');
    await world.write(task('n1', { description: 'Ours' }));
    await world.sync.pushNow();
    await notice();
    expect(await world.sync.conflicts()).toMatchObject([{ kind: 'deleted', type: 'Task', remoteId: '5' }]);
    await world.sync.resolve(NURSE, String((await world.sync.conflicts())[0]?.id), { take: 'ours' });
    await exchange(5);
    expect(await tasksHere()).toEqual(['Ours', 'Theirs']);
    expect(tasksThere()).toEqual(['5 Ours', '6 Theirs']);
    expect(named()).toEqual([{ reference: 'Task/6' }]);
    await expectQuiet();
  });

  test('which is gone by a person’s word: what named it does not name the other', async () => {
    await loseTheirs('8', ['g1', 'g2', 'g3']);
    await notice();
    await world.sync.resolve(NURSE, String((await world.sync.conflicts())[0]?.id), { take: 'theirs' });
    await world.write(task('n1', { description: 'Ours' }));
    await exchange(5);
    expect(tasksThere()).toContain('8 Ours');
    expect(named()).not.toContainEqual({ reference: 'Task/8' });
    expect(await tasksHere()).toEqual(['Ours', 'Theirs']);
    expect(await world.sync.conflicts()).toEqual([]);
  });

  test('by theirs: it is no edit of ours, before and after ours is made again', async () => {
    await open();
    const restore = backup();
    await world.write(task('t1', { description: 'Ours' }));
    await makeGoals('p1');
    const [ours] = world.remote.all('Task');
    restore();
    world.remote.put(
      task(String(ours?.id), { description: 'Theirs', for: { reference: `Patient/${idThere('Rivera')}` } }),
    );
    await notice();
    await world.sync.sweep();
    await exchange();
    expect(await tasksHere()).toEqual(['Ours', 'Theirs']);
    expect(
      tasksThere()
        .map((one) => one.split(' ')[1])
        .sort(),
    ).toEqual(['Ours', 'Theirs']);
    expect(await world.sync.conflicts()).toEqual([]);
    await expectQuiet();
  });

  test('and what a backup shows without our identifier, because we had not written it then, is the same', async () => {
    await open();
    world.remote.put(task('x1', { description: 'Theirs', for: { reference: `Patient/${idThere('Rivera')}` } }));
    await exchange(1);
    const restore = backup();
    const [theirs] = await world.all<Task>('Task');
    await world.write({ ...theirs, description: 'By us' } as Task & { id: string });
    await makeGoals('p1');
    restore();
    const there = world.remote.all('Task')[0] as Task;
    world.remote.put({ ...there, priority: 'urgent' });
    await notice();
    expect(world.remote.all('Task')).toMatchObject([{ id: 'x1', priority: 'urgent' }]);
    expect(await tasksHere()).toEqual(['By us']);
    expect((await world.sync.conflicts()).map(({ kind }) => kind)).not.toContain('deleted');
  });

  test('which we edit before anybody has noticed: that goes to its own record', async () => {
    await open();
    await world.write(task('t1', { description: 'First' }));
    await exchange(1);
    const kept = backup();
    await world.write(task('t2', { description: 'Second' }));
    await exchange(1);
    kept();
    await world.write(task('t3', { description: 'Third' }));
    await world.sync.pushNow();
    expect(tasksThere()).toEqual(['4 First', '5 Third']);
    await world.write(task('t2', { description: 'Second, later' }));
    await world.sync.pushNow();
    expect(tasksThere()).toEqual(['4 First', '5 Third']);
    await notice();
    await exchange();
    expect(tasksThere()).toEqual(['4 First', '5 Third', '6 Second, later']);
    await expectQuiet();
  });
});

describe('of a patient who came from there and whom the server lost', () => {
  async function loseSeven(): Promise<void> {
    await open();
    await world.write(patient('p7', { name: [{ family: 'Seven' }], birthDate: '1970-07-07', identifier: [NUMBER] }));
    const restore = backup();
    world.remote.put(patient('7', { name: [{ family: 'Seven' }], birthDate: '1970-07-07', identifier: [NUMBER] }));
    await exchange(1);
    await makeGoals('p7');
    restore();
    await notice();
    expect(await world.sync.conflicts()).toMatchObject([{ kind: 'deleted', type: 'Patient', localId: 'p7' }]);
  }

  function stranger(): void {
    world.remote.put(patient('7', { name: [{ family: 'Okafor' }], birthDate: '1999-09-09' }));
  }
  async function answer(take: 'ours' | 'theirs'): Promise<void> {
    const [conflict] = await world.sync.conflicts();
    await world.sync.resolve(NURSE, String(conflict?.id), { take });
  }

  const waiting = async () => {
    const sql = "SELECT local_id FROM outbox WHERE type = 'Goal' AND state = 'queued' ORDER BY local_id";
    return (await world.temp.store.query(sql)).map((row) => row.local_id);
  };
  const goalsOfSeven = () => there().filter((one) => !one.startsWith('g0'));

  test.each([
    ['nobody', (): void => undefined],
    ['somebody else', stranger],
  ] as const)('nothing goes to their id, which %s has, until a person has said what to do', async (_who, give) => {
    await loseSeven();
    await makeGoals('p7', ['n1']);
    give();
    await exchange();
    await world.sync.sweep();
    await exchange();
    expect(goalsOfSeven()).toEqual([]);
    expect(await waiting()).toEqual(['g1', 'g2', 'g3', 'n1']);
    expect(await world.sync.conflicts()).toMatchObject([{ kind: 'deleted', type: 'Patient', localId: 'p7' }]);
    await answer('ours');
    await exchange();
    expect(goalsOfSeven().sort()).toEqual(['g1', 'g2', 'g3', 'n1'].map((id) => `${id} Patient/${idThere('Seven')}`));
    expect(idThere('Seven')).not.toBe('7');
    expect(await world.sync.conflicts()).toEqual([]);
    await expectQuiet();
  });

  test('what is written there about whoever has their id is not theirs', async () => {
    await loseSeven();
    stranger();
    world.remote.put(task('s1', { for: { reference: 'Patient/7' } }));
    await exchange();
    await world.sync.sweep();
    await exchange();
    expect(await world.all<Task>('Task')).toEqual([]);
    await answer('ours');
    await exchange();
    await world.sync.sweep();
    await exchange();
    expect(await world.all<Task>('Task')).toEqual([]);
    const families = (world.remote.all('Patient') as Patient[]).map(({ name }) => name?.[0]?.family);
    expect(families.sort()).toEqual(['Okafor', 'Quinn', 'Rivera', 'Seven']);
    expect(await world.read<Patient>('Patient', 'p7')).toMatchObject({ name: [{ family: 'Seven' }] });
  });

  test('who is gone by a person’s word stays so: nothing about them goes to their id, and what is written about whoever has it is not theirs', async () => {
    await loseSeven();
    await answer('theirs');
    await makeGoals('p7', ['n1']);
    const parked = "SELECT local_id FROM outbox WHERE type = 'Goal' AND state = 'parked' ORDER BY local_id";
    const rows = await world.temp.store.query(parked);
    expect(rows.map((row) => row.local_id)).toEqual(['g1', 'g2', 'g3', 'n1']);
    stranger();
    world.remote.put(task('s1', { for: { reference: 'Patient/7' } }));
    await exchange();
    await world.sync.sweep();
    await exchange();
    expect(goalsOfSeven()).toEqual([]);
    expect(await world.all<Task>('Task')).toEqual([]);
    expect(await world.read<Patient>('Patient', 'p7')).toMatchObject({ name: [{ family: 'Seven' }] });
    expect(await world.sync.conflicts()).toEqual([]);
    await expectQuiet();
    // Their id is somebody else's for certain, and free here: what goes there about them now makes them anew.
    await makeGoals('p7', ['n2']);
    await exchange();
    expect(goalsOfSeven()).toContain(`n2 Patient/${idThere('Seven')}`);
    expect(idThere('Seven')).not.toBe('7');
  });

  test('what moves to them, or names them as well, names nobody by their id', async () => {
    await loseSeven();
    stranger();
    await world.write(goal('g0', 'p7'));
    await world.write(task('t1', { focus: { reference: 'Patient/p7' } }));
    await exchange();
    expect(there()).toEqual([`g0 Patient/${idThere('Rivera')}`]);
    expect(world.remote.all('Task')).toEqual([]);
    await answer('ours');
    await exchange();
    const seven = `Patient/${idThere('Seven')}`;
    expect(there().sort()).toEqual(['g0', 'g1', 'g2', 'g3'].map((id) => `${id} ${seven}`));
    expect(world.remote.all('Task')).toMatchObject([{ focus: { reference: seven } }]);
    expect(await world.sync.conflicts()).toEqual([]);
    await expectQuiet();
  });

  test('nor does what moves to who is gone by a person’s word, before anybody knows who has the id', async () => {
    await loseSeven();
    await answer('theirs');
    stranger();
    await world.write(goal('g0', 'p7'));
    await world.sync.pushNow();
    await exchange();
    expect(there()).toEqual([`g0 Patient/${idThere('Rivera')}`]);
    await expectQuiet();
  });

  test('what the server moves to whoever has their id waits, and is asked about as that one’s', async () => {
    await loseSeven();
    stranger();
    const [g0] = world.remote.all('Goal') as Goal[];
    world.remote.put({ ...g0, subject: { reference: 'Patient/7' } } as Goal);
    await exchange();
    expect((await world.sync.conflicts()).map(({ type }) => type)).toEqual(['Patient']);
    await answer('ours');
    await exchange();
    const theirs = (await world.sync.conflicts()).map(({ paths }) => paths[0]?.theirs);
    expect(theirs).toHaveLength(1);
    expect(theirs).not.toContain('Patient/p7');
    expect(await world.read<Goal>('Goal', 'g0')).toMatchObject({ subject: { reference: 'Patient/p1' } });
  });

  test('who is gone by a person’s word and is back gets what was parked', async () => {
    await loseSeven();
    await answer('theirs');
    await makeGoals('p7', ['n1']);
    expect(goalsOfSeven()).toEqual([]);
    world.remote.put(patient('7', { name: [{ family: 'Seven' }], birthDate: '1970-07-07', identifier: [NUMBER] }));
    await exchange();
    await world.sync.sweep();
    await exchange();
    expect(goalsOfSeven().sort()).toEqual(['g1', 'g2', 'g3', 'n1'].map((id) => `${id} Patient/7`));
    expect(await world.sync.conflicts()).toEqual([]);
    await expectQuiet();
  });

  test('what names something of theirs goes without it', async () => {
    await loseSeven();
    await answer('theirs');
    const activity = [{ reference: { reference: 'Task/t7' } }];
    const plan = { resourceType: 'CarePlan', id: 'c1', status: 'active', intent: 'plan', activity } as const;
    await world.write(task('t7', { for: { reference: 'Patient/p7' } }));
    await world.write({ ...plan, subject: { reference: 'Patient/p1' } } as CarePlan & { id: string });
    await exchange();
    expect(world.remote.all('Task')).toEqual([]);
    const [there] = world.remote.all('CarePlan') as CarePlan[];
    expect(there?.activity?.[0]?.reference).toMatchObject({ identifier: { value: 't7' } });
  });

  test('who is back is theirs again without an answer', async () => {
    await loseSeven();
    world.remote.put(patient('7', { name: [{ family: 'Seven' }], birthDate: '1970-07-07', identifier: [NUMBER] }));
    world.remote.put(task('s1', { for: { reference: 'Patient/7' } }));
    await exchange();
    await exchange();
    expect(goalsOfSeven().sort()).toEqual(['g1', 'g2', 'g3'].map((id) => `${id} Patient/7`));
    expect(await world.all<Task>('Task')).toMatchObject([{ for: { reference: 'Patient/p7' } }]);
    expect(await world.sync.conflicts()).toEqual([]);
  });
});

describe('what waits here since before the restore to know whose it is', () => {
  const ana = { name: [{ family: 'Rivera', given: ['Ana'] }], birthDate: '1950-02-01', gender: 'female' };

  /** A task about somebody there who may be one of ours. */
  async function hold(): Promise<void> {
    world = await openWorld({ connection: { types: { Patient: 'pull', Goal: 'both', Task: 'both' } } });
    await world.write(patient('p1', ana));
    world.remote.put(patient('r1', ana));
    world.remote.put(patient('z', { name: [{ family: 'Zed' }], birthDate: '1930-02-01' }));
    await exchange(1);
    const zed = (await world.all<Patient>('Patient')).find(({ name }) => name?.[0]?.family === 'Zed')?.id;
    const restore = backup();
    await makeGoals(String(zed));
    world.remote.put(task('t9', { for: { reference: 'Patient/r1' } }));
    await exchange(1);
    restore();
    await notice();
    expect(await world.all<Task>('Task')).toEqual([]);
  }

  test.each([0, 60])('is not taken for deleted there: answered %i hours later', async (hours) => {
    await hold();
    for (let passed = 0; passed < hours; passed += 20) {
      world.pass({ hours: 20 });
      await world.sync.sweep();
      await exchange(1);
    }
    const [question] = await world.sync.matches();
    await world.sync.decideMatch(NURSE, String(question?.id), { decision: 'link', to: 'p1' });
    await exchange(1);
    for (let days = 0; days < 3; days += 1) {
      world.pass({ hours: 25 });
      await world.sync.sweep();
      await exchange(1);
    }
    expect(await world.all<Task>('Task')).toMatchObject([{ status: 'requested', for: { reference: 'Patient/p1' } }]);
    expect(await world.sync.conflicts()).toMatchObject([{ kind: 'deleted', type: 'Task', remoteId: 't9' }]);
  });
});

describe.each(['both', 'push'] as const)('what is deleted here, where deletes travel, in mode %s', (mode) => {
  test.each([
    ['versions', true],
    ['no versions', false],
  ])('is not what has its id by now: at a server with %s', async (_name, versioning) => {
    const sync = () => ({ policies: { Task: { delete: 'push' } } }) as const;
    await open({ connection: { mode }, knobs: { versioning }, sync });
    const restore = backup();
    await world.write(task('t1', { description: 'Ours' }));
    await makeGoals('p1');
    const [ours] = world.remote.all('Task');
    restore();
    await world.write(task('n1', { description: 'New' }));
    await world.sync.pushNow();
    await world.temp.store.commit(NURSE, [{ op: 'delete', type: 'Task', id: 't1' }]);
    await world.sync.pushNow();
    expect(world.remote.all('Task')).toMatchObject([{ id: ours?.id, description: 'New' }]);
    await notice();
    await notice();
    expect(world.remote.all('Task')).toMatchObject([{ id: ours?.id, description: 'New' }]);
    expect(await world.sync.conflicts()).toEqual([]);
    expect(await world.read('Task', 't1')).toBeUndefined();
    await world.write(task('n1', { description: 'New, later' }));
    await exchange(2);
    expect(world.remote.all('Task')).toMatchObject([{ id: ours?.id, description: 'New, later' }]);
    await expectQuiet();
  });
});

test('a server that answers a create with what it has already, as if it had made it, is no restored one: a person is asked, once', async () => {
  let shown: string | undefined;
  let creates = 0;
  const merging: typeof fetch = async (input, init) => {
    if (shown === undefined || init?.method !== 'POST' || !String(input).endsWith('/Task')) return fetch(input, init);
    creates += 1;
    const headers = {
      'content-type': 'application/fhir+json',
      location: `${world.remote.baseUrl}/Task/${shown}/_history/1`,
    };
    return new Response(JSON.stringify(world.remote.all('Task')[0]), { status: 201, headers });
  };
  await open({ sync: () => ({ fetch: merging }) });
  await world.write(task('t1', { description: 'Call' }));
  await exchange(1);
  shown = world.remote.all('Task')[0]?.id;
  await world.write(task('n1', { description: 'Call' }));
  await exchange(2);
  for (let hours = 0; hours < 5; hours += 1) await notice();
  expect(creates).toBe(1);
  expect(epochs()).toBe(0);
  expect(world.remote.all('Task')).toHaveLength(1);
  expect(await world.sync.matches()).toMatchObject([{ kind: 'duplicate', localId: 'n1' }]);
});

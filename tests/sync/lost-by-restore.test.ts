// What a server lost, because it was put back from a backup or wiped, was deleted by nobody: ours is made there again, once.
// docs/sync-spec.md#I5 docs/sync-spec.md#I12 docs/sync-spec.md#I14 docs/sync-spec.md#I21
import type { CarePlan, Goal, Resource, Task } from '@medplum/fhirtypes';
import { afterEach, describe, expect, test } from 'vitest';
import { backupOf } from '../support/remote-backup.ts';
import { carePlan, NURSE, openWorld, patient, task, type World, type WorldOptions } from '../support/sync-world.ts';

let world: World;
afterEach(() => world.cleanup());

const TYPES = ['Patient', 'CarePlan', 'Goal', 'Task'] as const;

function goal(id: string, fields: Partial<Goal> = {}): Goal & { id: string } {
  return {
    resourceType: 'Goal',
    id,
    lifecycleStatus: 'active',
    description: { text: id },
    subject: { reference: 'Patient/p1' },
    ...fields,
  };
}

async function open(options: WorldOptions = {}): Promise<void> {
  world = await openWorld(options);
  await world.write(patient('p1'));
  await world.write(carePlan('c1'));
  await world.sync.pushNow();
  await world.sync.pullNow();
}

const backup = () => backupOf(world.remote, TYPES);

async function exchange(rounds = 3): Promise<void> {
  for (let round = 0; round < rounds; round += 1) {
    await world.sync.pullNow();
    await world.sync.pushNow();
  }
}

/** The next look at whether the server still is the one it was. */
async function notice(): Promise<void> {
  world.pass({ hours: 2 });
  await exchange();
}

/** Three goals, so that none of the newest three of ours is left by a restore. */
async function makeGoals(ids: readonly string[] = ['g1', 'g2', 'g3']): Promise<void> {
  for (const id of ids) await world.write(goal(id));
  await exchange(1);
}

const goalsThere = () =>
  (world.remote.all('Goal') as Goal[]).map(({ description }) => String(description?.text)).sort();
const subjectsThere = () => new Set((world.remote.all('Goal') as Goal[]).map(({ subject }) => subject?.reference));
const patientThere = () => `Patient/${world.remote.all('Patient')[0]?.id}`;
const epochs = () => world.events.filter(({ kind }) => kind === 'epoch').length;
const stateOf = async (type: string, id: string) => {
  const sql = "SELECT state FROM identity WHERE type = ? AND local_id = ? AND state <> 'replaced'";
  return (await world.temp.store.query(sql, [type, id]))[0]?.state;
};

async function expectQuiet(): Promise<void> {
  const before = [world.remote.writes().length, await world.temp.store.head()];
  for (let rounds = 0; rounds < 10; rounds += 1) {
    world.pass({ minutes: 7 });
    await exchange(1);
  }
  await world.sync.sweep();
  await exchange(1);
  expect([world.remote.writes().length, await world.temp.store.head()]).toEqual(before);
  const rows = await world.temp.store.query("SELECT type FROM outbox WHERE state IN ('queued', 'sending', 'parked')");
  expect(rows).toEqual([]);
}

describe.each([
  ['a server with versions', {}],
  ['one without', { versioning: false, metaVersions: false }],
  ['one that lists whole resources and forgets what was deleted', { elements: false, forgetsDeleted: true }],
] as const)('%s', (_name, knobs) => {
  test('that was put back from a backup has again what we made since', async () => {
    await open({ knobs });
    const restore = backup();
    await makeGoals();
    restore();
    await notice();
    expect(epochs()).toBe(1);
    expect(goalsThere()).toEqual(['g1', 'g2', 'g3']);
    expect(subjectsThere()).toEqual(new Set([patientThere()]));
    expect(await world.sync.conflicts()).toEqual([]);
    await expectQuiet();
    expect(goalsThere()).toEqual(['g1', 'g2', 'g3']);
    await world.write(goal('g2', { description: { text: 'g2, later' } }));
    await exchange(1);
    expect(goalsThere()).toEqual(['g1', 'g2, later', 'g3']);
  });

  test('that was wiped has everything again once an operator says that it was, the patient first', async () => {
    await open({ knobs });
    await makeGoals();
    world.remote.wipe();
    await notice();
    // It could be another server, or one that shows us nothing.
    expect(TYPES.map((type) => world.remote.all(type).length)).toEqual([0, 0, 0, 0]);
    const told = world.events.filter(({ kind }) => kind === 'sweep').map(({ type }) => type);
    expect(told.sort()).toEqual(['CarePlan', 'Goal', 'Patient']);
    expect(await world.sync.conflicts()).toEqual([]);
    await world.sync.sweep('ehr', { lost: true });
    await exchange();
    expect(TYPES.map((type) => world.remote.all(type).length)).toEqual([1, 1, 3, 0]);
    expect(subjectsThere()).toEqual(new Set([patientThere()]));
    expect(await world.sync.conflicts()).toEqual([]);
    await expectQuiet();
  });

  test('deletes as ever what is deleted once it has shown what it has', async () => {
    await open({ knobs });
    await world.write(goal('g0'));
    await exchange();
    const restore = backup();
    await makeGoals();
    restore();
    await notice();
    world.remote.remove('Goal', String((world.remote.all('Goal')[0] as Goal).id));
    await world.sync.sweep();
    world.pass({ hours: 25 });
    await exchange();
    expect(goalsThere()).toEqual(['g1', 'g2', 'g3']);
    expect(await stateOf('Goal', 'g0')).toBe('tombstone');
    expect(await world.sync.conflicts()).toEqual([]);
  });
});

test('what only goes out is made again, too', async () => {
  const types = { Patient: 'push', CarePlan: 'push', Goal: 'push', Task: 'both' } as const;
  await open({ connection: { types } });
  const restore = backup();
  await makeGoals();
  restore();
  await notice();
  expect(goalsThere()).toEqual(['g1', 'g2', 'g3']);
  expect(await world.sync.conflicts()).toEqual([]);
  await expectQuiet();
});

test('what names it there names the new one', async () => {
  await open();
  await world.write(goal('g0'));
  await exchange();
  const restore = backup();
  for (const id of ['g1', 'g2']) await world.write(goal(id));
  await world.write(carePlan('c1', { goal: [{ reference: 'Goal/g0' }, { reference: 'Goal/g1' }] }));
  await exchange(1);
  restore();
  await notice();
  const plan = world.remote.all('CarePlan')[0] as CarePlan;
  const idOf = (text: string) =>
    (world.remote.all('Goal') as Goal[]).find(({ description }) => description?.text === text)?.id;
  expect(plan.goal?.map(({ reference }) => reference)).toEqual([`Goal/${idOf('g0')}`, `Goal/${idOf('g1')}`]);
  expect(goalsThere()).toEqual(['g0', 'g1', 'g2']);
  await expectQuiet();
});

test('it is noticed by an older copy, and what was missed before is not waited for', async () => {
  await open();
  const restore = backup();
  await world.write(goal('g1'));
  await world.write(carePlan('c1', { title: 'Transition home' }));
  await exchange(1);
  restore();
  // The first pull meets nothing of it; the canary that is gone could have been deleted.
  await world.sync.sweep();
  await notice();
  expect(goalsThere()).toEqual(['g1']);
  expect((world.remote.all('CarePlan')[0] as CarePlan).title).toBe('Transition home');
  await expectQuiet();
});

test('what was edited here meanwhile is no question, and goes with the edit', async () => {
  await open();
  const restore = backup();
  await makeGoals(['g1', 'g2', 'g3', 'g4']);
  restore();
  await world.write(goal('g1', { description: { text: 'g1, later' } }));
  await world.sync.pushNow();
  expect(await world.sync.conflicts()).toMatchObject([{ kind: 'deleted', localId: 'g1' }]);
  await notice();
  expect(goalsThere()).toEqual(['g1, later', 'g2', 'g3', 'g4']);
  expect(await world.sync.conflicts()).toEqual([]);
  await expectQuiet();
});

test('what the server tells that it was deleted was deleted', async () => {
  await open();
  const restore = backup();
  await makeGoals();
  const [first] = world.remote.all('Goal') as Goal[];
  restore();
  world.remote.put(first as Goal);
  world.remote.remove('Goal', String(first?.id));
  await notice();
  expect(goalsThere()).toEqual(['g2', 'g3']);
  expect(await stateOf('Goal', 'g1')).toBe('tombstone');
});

test.each(['ours', 'theirs', 'edited'] as const)(
  'what both had changed stays a question with both, whatever sweeps follow: %s',
  async (take) => {
    await open();
    const restore = backup();
    await makeGoals(['g1', 'g2', 'g3', 'g4']);
    const first = (world.remote.all('Goal') as Goal[]).find(({ description }) => description?.text === 'g1');
    world.remote.put({ ...(first as Goal), description: { text: 'Theirs' } });
    await world.write(goal('g1', { description: { text: 'Ours' } }));
    await exchange(1);
    expect(await world.sync.conflicts()).toMatchObject([{ kind: 'content', localId: 'g1' }]);
    restore();
    await notice();
    for (let days = 0; days < 3; days += 1) {
      world.pass({ hours: 25 });
      await world.sync.sweep();
      await exchange(1);
    }
    expect(epochs()).toBe(1);
    const [conflict, another] = await world.sync.conflicts();
    expect([conflict, another]).toMatchObject([{ kind: 'deleted', localId: 'g1' }, undefined]);
    expect(conflict).toMatchObject({
      local: { description: { text: 'Ours' } },
      remote: { description: { text: 'Theirs' } },
    });
    const body = { ...conflict?.local, resourceType: 'Goal', description: { text: 'Both' } };
    await world.sync.resolve(NURSE, String(conflict?.id), take === 'edited' ? { take, body } : { take });
    for (let rounds = 0; rounds < 4; rounds += 1) {
      world.pass({ minutes: 2 });
      await exchange(1);
    }
    expect(goalsThere()).toEqual([...{ ours: ['Ours'], theirs: [], edited: ['Both'] }[take], 'g2', 'g3', 'g4']);
    expect(await world.sync.conflicts()).toEqual([]);
    await expectQuiet();
  },
);

test('what was deleted here meanwhile is not made again', async () => {
  await open();
  const restore = backup();
  await makeGoals();
  restore();
  await world.temp.store.commit(NURSE, [{ op: 'delete', type: 'Goal', id: 'g2' }]);
  await notice();
  expect(goalsThere()).toEqual(['g1', 'g3']);
});

test.each(['ours', 'theirs'] as const)('what came from there is asked about: %s', async (take) => {
  await open();
  const restore = backup();
  world.remote.put(task('r1', { for: { reference: patientThere() } }));
  await makeGoals();
  const [ours] = await world.all<Task>('Task');
  restore();
  await notice();
  expect(goalsThere()).toEqual(['g1', 'g2', 'g3']);
  const [conflict, another] = await world.sync.conflicts();
  expect([conflict, another]).toMatchObject([{ kind: 'deleted', type: 'Task', localId: ours?.id }, undefined]);
  expect(await world.all<Task>('Task')).toEqual([ours]);
  expect(world.remote.all('Task')).toEqual([]);
  await world.sync.resolve(NURSE, String(conflict?.id), { take });
  await exchange();
  expect(world.remote.all('Task')).toHaveLength(take === 'ours' ? 1 : 0);
  expect(await world.all<Task>('Task')).toMatchObject([{ id: ours?.id, status: 'requested' }]);
  await expectQuiet();
});

test('a type that is looked at before another shows that the server is the same is looked at again', async () => {
  const types = { Goal: 'both', Patient: 'push', CarePlan: 'both' } as const;
  await open({ connection: { types } });
  const restore = backup();
  await makeGoals();
  restore();
  await notice();
  expect(goalsThere()).toEqual(['g1', 'g2', 'g3']);
  expect(world.events.filter(({ kind }) => kind === 'sweep')).toEqual([]);
});

test('a sweep that could not be finished is made up for', async () => {
  await open({ knobs: { elements: false } });
  const restore = backup();
  await makeGoals();
  restore();
  world.remote.knobs.warnings = { Goal: '4119' };
  await notice();
  expect([epochs(), goalsThere()]).toEqual([1, []]);
  world.remote.knobs.warnings = {};
  await world.restart();
  await exchange();
  expect(goalsThere()).toEqual([]);
  await notice();
  expect(goalsThere()).toEqual(['g1', 'g2', 'g3']);
  await expectQuiet();
});

describe('when more is missing than anybody believes', () => {
  const many = Array.from({ length: 24 }, (_, index) => `g${index}`);

  async function lostMany(types?: WorldOptions['connection']): Promise<void> {
    await open(types ? { connection: types } : {});
    const restore = backup();
    await makeGoals(many);
    restore();
    await notice();
  }

  const sweeps = () => world.events.filter(({ kind, type }) => kind === 'sweep' && type === 'Goal').length;

  test.each([
    ['of what flows both ways', undefined],
    ['of what only goes out', { types: { Patient: 'both', CarePlan: 'both', Goal: 'push', Task: 'both' } }],
  ] as const)('an operator is told, and says that it was lost: %s', async (_name, types) => {
    await lostMany(types);
    expect(sweeps()).toBe(1);
    expect(goalsThere()).toEqual([]);
    await world.sync.sweep();
    // Nothing is taken for deleted, however long it takes.
    for (let days = 0; days < 3; days += 1) {
      world.pass({ hours: 25 });
      await exchange(1);
    }
    expect(goalsThere()).toEqual([]);
    expect(await stateOf('Goal', 'g7')).toBe('linked');
    expect(await world.sync.conflicts()).toEqual([]);
    expect(epochs()).toBe(1);
    await world.write(goal('g7', { description: { text: 'g7, later' } }));
    await exchange(1);
    expect(await world.sync.conflicts()).toEqual([]);
    await world.sync.sweep('ehr', { lost: true });
    await exchange();
    expect(goalsThere()).toEqual(many.map((id) => (id === 'g7' ? 'g7, later' : id)).sort());
    expect(subjectsThere()).toEqual(new Set([patientThere()]));
    expect(await world.sync.conflicts()).toEqual([]);
    await expectQuiet();
  });

  test('rights that come back need no word', async () => {
    await open();
    await makeGoals(many);
    const restore = backup();
    world.remote.wipe();
    await notice();
    restore();
    await exchange();
    const ids = (world.remote.all('Goal') as Resource[]).length;
    expect(ids).toBe(many.length);
    await expectQuiet();
  });
});

test('an operator may say so of what nobody could tell from a delete', async () => {
  await open();
  const restore = backup();
  await world.write(goal('g1'));
  await exchange(1);
  restore();
  await notice();
  expect(epochs()).toBe(0);
  expect(goalsThere()).toEqual([]);
  await world.sync.sweep('ehr', { lost: true });
  await exchange(1);
  expect(goalsThere()).toEqual(['g1']);
  await expectQuiet();
});

test('an operator may say so of what a cleaning deleted there', async () => {
  await open();
  await makeGoals();
  for (const type of TYPES) for (const one of world.remote.all(type)) world.remote.remove(type, String(one.id));
  await world.sync.sweep('ehr', { lost: true });
  await exchange();
  expect(TYPES.map((type) => world.remote.all(type).length)).toEqual([1, 1, 3, 0]);
  await expectQuiet();
});

test('an operator’s word holds for a type that cannot be compared just then, also over a restart', async () => {
  await open({ knobs: { elements: false } });
  const restore = backup();
  await world.write(goal('g1'));
  await exchange(1);
  restore();
  world.remote.knobs.warnings = { Goal: '4119' };
  await world.sync.sweep('ehr', { lost: true });
  await exchange(1);
  expect(goalsThere()).toEqual([]);
  world.remote.knobs.warnings = {};
  await world.restart();
  await notice();
  expect(goalsThere()).toEqual(['g1']);
  await expectQuiet();
});

describe('of a type that nothing can be read of', () => {
  const types = { Patient: 'both', CarePlan: 'both', Goal: 'both', Task: 'push' } as const;

  async function restoredWithout(knobs: () => void): Promise<(pattern: RegExp) => number> {
    await open({ connection: { types } });
    for (const id of ['t1', 't2', 't3', 't4', 't5', 't6']) await world.write(task(id));
    await exchange(1);
    const restore = backup();
    await makeGoals();
    restore();
    knobs();
    await notice();
    expect(goalsThere()).toEqual(['g1', 'g2', 'g3']);
    const from = world.remote.requests.length;
    return (pattern) =>
      world.remote.requests.slice(from).filter(({ method, url }) => method === 'GET' && pattern.test(url)).length;
  }

  test('the others are not swept again for it, and it is made up for', async () => {
    const asked = await restoredWithout(() => {
      world.remote.remove('Task', String(world.remote.all('Task')[0]?.id));
      world.remote.knobs.notGranted = ['Task'];
      world.remote.knobs.forgetsDeleted = true;
    });
    for (let hours = 0; hours < 4; hours += 1) await notice();
    expect(asked(/^\/(Patient|CarePlan|Goal)\?_elements/)).toBe(0);
    expect(asked(/^\/Task\//)).toBeGreaterThan(0);
    expect(world.remote.all('Task')).toHaveLength(5);
    world.remote.knobs.notGranted = [];
    await notice();
    expect(world.remote.all('Task')).toHaveLength(6);
    await expectQuiet();
  });

  test('because the server has it no more, not all of it is asked for, and nobody is told that it is missing', async () => {
    const asked = await restoredWithout(() => {
      world.remote.knobs.lost = ['Task'];
    });
    world.pass({ hours: 25 });
    await world.sync.sweep();
    await world.sync.sweep('ehr', { lost: true });
    await exchange(1);
    // As many as are asked for at a time, in each of the three.
    expect(asked(/^\/Task\//)).toBeLessThan(18);
    expect(world.events.filter(({ kind, type }) => kind === 'sweep' && type === 'Task')).toEqual([]);
    const marks = await world.temp.store.query("SELECT DISTINCT unseen FROM identity WHERE type = 'Task'");
    expect(marks).toEqual([{ unseen: 'replaced' }]);
    world.remote.knobs.lost = [];
    world.pass({ hours: 25 });
    await exchange();
    await world.sync.sweep();
    expect(world.remote.all('Task')).toHaveLength(6);
    await expectQuiet();
  });
});

test('what was made here since a wipe says nothing about what is missing: the rest waits for an operator', async () => {
  await open();
  await makeGoals();
  world.remote.wipe();
  await notice();
  await world.write(patient('p9', { name: [{ family: 'Nine' }], birthDate: '1999-09-09' }));
  await world.write(goal('g9', { subject: { reference: 'Patient/p9' } }));
  // Whose record there it is about is not known.
  await makeGoals(['g8']);
  await exchange();
  await world.sync.sweep();
  await exchange();
  const before = TYPES.map((type) => world.remote.all(type).length);
  await world.sync.sweep('ehr', { lost: true });
  await exchange();
  // The new patient has got the id that the old one had, who is looked for before they are made again.
  world.pass({ minutes: 2 });
  await exchange();
  expect([before, TYPES.map((type) => world.remote.all(type).length)]).toEqual([
    [1, 0, 1, 0],
    [2, 1, 5, 0],
  ]);
});

describe('of patients in a Group', () => {
  const members = (...ids: string[]) => {
    const member = ids.map((id) => ({ entity: { reference: `Patient/${id}` } }));
    world.remote.put({ resourceType: 'Group', id: 'G', type: 'person', actual: true, member });
  };
  const idsThere = () => world.remote.all('Patient').map(({ id }) => String(id));

  test('who left it and is hidden is not made again after a restore, but by an operator’s word', async () => {
    const scoped = { types: { Patient: 'both', Goal: 'both' }, patients: { kind: 'group', id: 'G' } } as const;
    world = await openWorld({ connection: scoped, knobs: { forgetsDeleted: true } });
    members();
    await world.write(patient('p1'));
    await world.write(patient('p2', { name: [{ family: 'Two' }], birthDate: '1960-01-01' }));
    await exchange(1);
    const [left = '', stays = ''] = idsThere();
    members(left, stays);
    await exchange(2);
    members(stays);
    await exchange(1);
    const restore = backup();
    for (const id of ['g1', 'g2', 'g3']) await world.write(goal(id, { subject: { reference: 'Patient/p2' } }));
    await exchange(1);
    restore();
    members(stays);
    world.remote.remove('Patient', left);
    await notice();
    world.pass({ hours: 25 });
    await exchange();
    expect([idsThere(), epochs()]).toEqual([[stays], 1]);
    await world.sync.sweep('ehr', { lost: true });
    await exchange();
    expect([idsThere().length, world.remote.all('Goal').length]).toEqual([2, 3]);
  });

  test.each([{}, { vendor: 'epic', strategies: { Patient: 'roster', Task: 'roster' } }] as const)(
    'who left it and is hidden is not taken for deleted: %j',
    async (how) => {
      const types = { Patient: 'pull', Task: 'both' } as const;
      const scoped = { ...how, types, patients: { kind: 'group', id: 'G' } } as const;
      world = await openWorld({ connection: scoped, knobs: { forgetsDeleted: true } });
      members('r1', 'r2');
      world.remote.put(patient('r1', { name: [{ family: 'One' }] }));
      world.remote.put(patient('r2', { name: [{ family: 'Two' }], birthDate: '1960-01-01' }));
      await exchange(2);
      members('r2');
      world.remote.remove('Patient', 'r1');
      for (let day = 0; day < 3; day += 1) {
        await exchange(1);
        world.pass({ hours: 25 });
      }
      const states = await world.temp.store.query("SELECT state FROM identity WHERE remote_id = 'r1'");
      expect(states).toMatchObject([{ state: 'linked' }]);
    },
  );
});

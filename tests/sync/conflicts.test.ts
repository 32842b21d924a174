// Differences that no program may decide: kept, shown, decided by a person.
// docs/sync-spec.md#I10 docs/sync-spec.md#I13
import type { Account, Appointment, Patient, Task } from '@medplum/fhirtypes';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Fault } from '../../src/fault.ts';
import { NURSE, openWorld, patient, task, type World } from '../support/sync-world.ts';

let world: World;
beforeEach(async () => {
  world = await openWorld();
  await world.write(patient('p1'));
  await world.write(task('t1'));
  await world.write(task('t2'));
  await world.sync.pushNow();
});
afterEach(() => world.cleanup());

function there(localId: string): Task {
  const tasks = world.remote.all('Task') as Task[];
  const found = tasks.find(({ identifier }) => identifier?.some(({ value }) => value === localId));
  if (!found) throw new Error(`no remote copy of ${localId}`);
  return found;
}

/** Both sides give the task another owner, which no policy decides. */
async function disagree(): Promise<void> {
  world.remote.put({ ...there('t1'), owner: { display: 'Theirs' } });
  await world.write(task('t1', { owner: { display: 'Ours' } }));
  await world.sync.pullNow();
}

test('a pull keeps both sides, and only that resource stops', async () => {
  await disagree();
  await world.write(task('t2', { priority: 'stat' }));
  await world.sync.pushNow();
  await world.sync.pullNow();
  await world.sync.pullNow();
  const conflicts = await world.sync.conflicts();
  expect(conflicts).toHaveLength(1);
  expect(conflicts[0]).toMatchObject({
    kind: 'content',
    localId: 't1',
    base: { status: 'requested' },
    local: { owner: { display: 'Ours' } },
    remote: { owner: { display: 'Theirs' } },
    paths: [{ path: 'owner', ours: { display: 'Ours' }, theirs: { display: 'Theirs' } }],
  });
  expect((await world.read<Task>('Task', 't1'))?.owner).toEqual({ display: 'Ours' });
  expect(there('t1').owner).toEqual({ display: 'Theirs' });
  expect(there('t2').priority).toBe('stat');
  expect(world.events.filter(({ kind }) => kind === 'conflict')).toHaveLength(1);
});

test('work that ended here and went on there waits for a person, so that neither is lost', async () => {
  world.remote.put({ ...there('t1'), status: 'accepted' });
  await world.write(task('t1', { status: 'completed' }));
  await world.sync.pullNow();
  await world.sync.pushNow();
  const [conflict] = await world.sync.conflicts();
  expect(conflict?.paths).toMatchObject([{ path: 'status', ours: 'completed', theirs: 'accepted' }]);
  expect((await world.read<Task>('Task', 't1'))?.status).toBe('completed');
  expect(there('t1').status).toBe('accepted');
});

test('a push that meets a newer version merges it when it can', async () => {
  world.remote.put({ ...there('t1'), status: 'completed' });
  await world.write(task('t1', { priority: 'urgent' }));
  await world.sync.pushNow();
  expect(there('t1')).toMatchObject({ status: 'completed', priority: 'urgent' });
  expect(await world.read('Task', 't1')).toMatchObject({ status: 'completed', priority: 'urgent' });
});

test('a push that meets a contradicting version waits for a person', async () => {
  world.remote.put({ ...there('t1'), owner: { display: 'Theirs' } });
  await world.write(task('t1', { owner: { display: 'Ours' } }));
  await world.sync.pushNow();
  expect(await world.sync.conflicts('ehr')).toHaveLength(1);
  expect(there('t1').owner).toEqual({ display: 'Theirs' });
});

test('a server that demands If-Match and answers 409 gets the same treatment', async () => {
  world.remote.knobs.requireIfMatch = true;
  world.remote.put({ ...there('t1'), status: 'accepted' });
  await world.write(task('t1', { priority: 'urgent' }));
  await world.sync.pushNow();
  expect(there('t1')).toMatchObject({ status: 'accepted', priority: 'urgent' });
});

test('a server that changes before each of our updates is tried four times, then a person is asked', async () => {
  await world.cleanup();
  let edits = 0;
  world = await openWorld({
    sync: () => ({
      fetch: async (url, init) => {
        // Somebody there is always faster.
        if (init?.method === 'PUT') world.remote.put({ ...there('t1'), description: `Their edit ${++edits}` });
        return fetch(url, init);
      },
    }),
  });
  await world.write(patient('p1'));
  await world.write(task('t1'));
  await world.sync.pushNow();
  await world.write(task('t1', { priority: 'urgent' }));
  await world.sync.pushNow();
  await world.sync.pushNow();
  const [conflict] = await world.sync.conflicts();
  expect(conflict).toMatchObject({ kind: 'content', local: { priority: 'urgent' }, remoteVersion: '4' });
  expect(there('t1').priority).toBeUndefined();
});

test('a server without versions is read before it is written', async () => {
  await world.cleanup();
  world = await openWorld({ knobs: { versioning: false } });
  await world.write(patient('p1'));
  await world.write(task('t1'));
  await world.sync.pushNow();
  world.remote.put({ ...there('t1'), status: 'accepted' });
  await world.write(task('t1', { priority: 'urgent' }));
  await world.sync.pushNow();
  expect(there('t1')).toMatchObject({ status: 'accepted', priority: 'urgent' });
});

describe('decisions', () => {
  const decide = async (resolution: Parameters<World['sync']['resolve']>[2]) => {
    await disagree();
    const [conflict] = await world.sync.conflicts();
    await world.sync.resolve(NURSE, String(conflict?.id), resolution);
    await world.sync.pushNow();
    await world.sync.pullNow();
    expect(await world.sync.conflicts()).toEqual([]);
    return String(conflict?.id);
  };

  test('ours goes there', async () => {
    const id = await decide({ take: 'ours' });
    expect(there('t1').owner).toEqual({ display: 'Ours' });
    const [row] = await world.temp.store.query('SELECT state, resolution, resolved_by FROM conflict WHERE id = ?', [
      id,
    ]);
    expect(row).toEqual({ state: 'resolved', resolution: 'ours', resolved_by: NURSE.reference });
  });

  test('theirs comes here', async () => {
    await decide({ take: 'theirs' });
    expect((await world.read<Task>('Task', 't1'))?.owner).toEqual({ display: 'Theirs' });
    expect(there('t1').owner).toEqual({ display: 'Theirs' });
  });

  test('an edited body goes to both', async () => {
    const { id: _id, ...body } = { ...task('t1'), owner: { display: 'Both' } };
    await decide({ take: 'edited', body: JSON.parse(JSON.stringify(body)) });
    expect((await world.read<Task>('Task', 't1'))?.owner).toEqual({ display: 'Both' });
    expect(there('t1').owner).toEqual({ display: 'Both' });
  });

  test.each([
    ['type', { resourceType: 'ServiceRequest', id: 't1', status: 'active', intent: 'order' }],
    ['id', { ...task('t2') }],
  ])('an edited body of another %s is refused', async (_what, body) => {
    await disagree();
    const [conflict] = await world.sync.conflicts();
    const edited = { ...body, subject: { reference: 'Patient/p1' } };
    const decision = { take: 'edited', body: JSON.parse(JSON.stringify(edited)) } as const;
    await expect(world.sync.resolve(NURSE, String(conflict?.id), decision)).rejects.toMatchObject({
      kind: 'unprocessable',
    });
    expect(await world.sync.conflicts()).toHaveLength(1);
    expect(await world.read('ServiceRequest', 't1')).toBeUndefined();
  });

  test('a decision is made once, and not on a copy that was edited since', async () => {
    await disagree();
    const [conflict] = await world.sync.conflicts();
    await world.write(task('t1', { owner: { display: 'Ours, later' } }));
    const id = String(conflict?.id);
    await expect(world.sync.resolve(NURSE, id, { take: 'theirs' })).rejects.toBeInstanceOf(Fault);
    await world.sync.resolve(NURSE, id, { take: 'ours' });
    await expect(world.sync.resolve(NURSE, id, { take: 'ours' })).rejects.toMatchObject({ kind: 'conflict' });
  });
});

test('a newer remote version takes the place of the question, and agreement ends it', async () => {
  await disagree();
  world.remote.put({ ...there('t1'), owner: { display: 'Theirs, later' } });
  await world.sync.pullNow();
  expect((await world.sync.conflicts()).map(({ remote }) => remote?.owner)).toEqual([{ display: 'Theirs, later' }]);
  world.remote.put({ ...there('t1'), owner: { display: 'Ours' } });
  await world.sync.pullNow();
  expect(await world.sync.conflicts()).toEqual([]);
});

test('so does another content under the same version, as of a server that was restored or keeps none', async () => {
  await disagree();
  const known = there('t1');
  const others = [...world.remote.all('Patient'), there('t2')];
  world.remote.wipe();
  for (const one of others) world.remote.put(one);
  for (const display of ['Theirs', 'Theirs, otherwise']) world.remote.put({ ...known, owner: { display } });
  expect(there('t1').meta?.versionId).toBe(known.meta?.versionId);
  await world.sync.pullNow();
  expect((await world.sync.conflicts()).map(({ remote }) => remote?.owner)).toEqual([{ display: 'Theirs, otherwise' }]);
});

describe('a server that was restored to the very copy that both knew before the question', () => {
  async function restoredAfter(question: () => Promise<void>): Promise<void> {
    const kept = [...world.remote.all('Patient'), ...world.remote.all('Task')];
    await question();
    expect(await world.sync.conflicts()).toHaveLength(1);
    world.remote.wipe();
    for (const one of kept) world.remote.put(one, { lastUpdated: String(one.meta?.lastUpdated) });
  }

  test('ends it, so that no answer about what is not there any more leaves the copies apart', async () => {
    await restoredAfter(disagree);
    await world.sync.pullNow();
    expect(await world.sync.conflicts()).toEqual([]);
    await world.sync.pushNow();
    expect(there('t1').owner).toEqual({ display: 'Ours' });
  });

  test('ends it, too, when the copy was gone in between', async () => {
    await restoredAfter(async () => {
      world.remote.remove('Task', String(there('t1').id));
      await world.write(task('t1', { owner: { display: 'Ours' } }));
      await world.sync.pushNow();
    });
    await world.sync.pullNow();
    expect(await world.sync.conflicts()).toEqual([]);
    await world.sync.pushNow();
    expect(world.remote.all('Task')).toHaveLength(2);
    expect(there('t1').owner).toEqual({ display: 'Ours' });
  });
});

describe('after an update whose answer was lost', () => {
  const status = (text: string) => ({ businessStatus: { text } });
  const here = async () => (await world.read<Task>('Task', 't1'))?.businessStatus?.text;
  beforeEach(async () => {
    // So that it is not tried again at once.
    await world.restart(() => ({ random: () => 0.99 }));
    await world.write(task('t1', status('first')));
    world.remote.knobs.dropWrite = 'after';
    await world.sync.pushNow();
    expect(there('t1').businessStatus).toEqual({ text: 'first' });
  });

  test('what they made of it is asked about, although ours wins in general', async () => {
    world.remote.put({ ...there('t1'), ...status('theirs, in view of it') });
    await world.sync.pullNow();
    expect((await world.sync.conflicts()).flatMap(({ paths }) => paths.map(({ path }) => path))).toEqual([
      'businessStatus',
    ]);
  });

  test('the question stays open until it is answered', async () => {
    world.remote.put({ ...there('t1'), ...status('theirs, in view of it') });
    world.pass({ hours: 1 });
    await world.sync.pushNow();
    const [asked] = await world.sync.conflicts();
    await world.sync.pullNow();
    expect((await world.sync.conflicts()).map(({ id }) => id)).toEqual([asked?.id]);
    await world.write(task('t1', status('second')));
    await world.sync.pullNow();
    expect(await world.sync.conflict(String(asked?.id))).toMatchObject({ paths: [{ path: 'businessStatus' }] });
  });

  test('our own words that arrived are no change of theirs', async () => {
    await world.write(task('t1', status('second')));
    world.remote.put({ ...there('t1'), description: 'theirs' });
    await world.sync.pullNow();
    world.pass({ hours: 1 });
    await world.sync.pushNow();
    expect(await world.sync.conflicts()).toEqual([]);
    expect([await here(), there('t1').businessStatus?.text]).toEqual(['second', 'second']);
  });

  test('neither are they where a person decides in general', async () => {
    await world.write(task('t2', { description: 'first' }));
    world.remote.knobs.dropWrite = 'after';
    await world.sync.pushNow();
    await world.write(task('t2', { description: 'second' }));
    world.remote.put({ ...there('t2'), statusReason: { text: 'theirs' } });
    await world.sync.pullNow();
    world.pass({ hours: 1 });
    await world.sync.pushNow();
    expect(await world.sync.conflicts()).toEqual([]);
    expect(there('t2')).toMatchObject({ description: 'second', statusReason: { text: 'theirs' } });
  });
});

test('what refers to a counterpart that is gone there is told of the one that takes its place', async () => {
  const before = there('t1').for?.reference;
  world.remote.remove('Patient', String(before?.split('/')[1]));
  await world.write(patient('p1', { birthDate: '1950-02-03' }));
  await world.sync.pushNow();
  const [conflict] = await world.sync.conflicts();
  expect(conflict).toMatchObject({ kind: 'deleted', localId: 'p1' });
  await world.sync.resolve(NURSE, String(conflict?.id), { take: 'ours' });
  await world.sync.pushNow();
  const [reborn] = world.remote.all('Patient');
  expect(['t1', 't2'].map((id) => there(id).for?.reference)).toEqual(Array(2).fill(`Patient/${reborn?.id}`));
  const writes = world.remote.writes();
  await world.sync.pullNow();
  await world.sync.pushNow();
  expect(world.remote.writes()).toEqual(writes);
});

test('so is what was on its way to the server while the new one was made', async () => {
  const before = there('t1').for?.reference;
  world.remote.remove('Patient', String(before?.split('/')[1]));
  await world.write(patient('p1', { birthDate: '1950-02-03' }));
  await world.sync.pushNow();
  const [conflict] = await world.sync.conflicts();
  await world.write(task('t9'));
  await world.write(task('t2', { for: { reference: 'Patient/p1' }, priority: 'urgent' }));
  world.remote.knobs.beforeWrite = async () => {
    world.remote.knobs.beforeWrite = undefined;
    const other = world.another();
    await other.resolve(NURSE, String(conflict?.id), { take: 'ours' });
    await other.pushNow();
    await other.stop();
  };
  await world.sync.pushNow();
  world.pass({ minutes: 20 });
  await world.sync.pushNow();
  const [reborn] = world.remote.all('Patient');
  expect(['t1', 't2', 't9'].map((id) => there(id).for?.reference)).toEqual(Array(3).fill(`Patient/${reborn?.id}`));
  const writes = world.remote.writes();
  await world.sync.pullNow();
  await world.sync.pushNow();
  expect(world.remote.writes()).toEqual(writes);
});

test('what goes once more for that is no newer than it is: an edit made meanwhile goes, too', async () => {
  world.remote.remove('Patient', String(there('t1').for?.reference?.split('/')[1]));
  await world.write(patient('p1', { birthDate: '1950-02-03' }));
  await world.sync.pushNow();
  const [conflict] = await world.sync.conflicts();
  const other = world.another();
  const meanwhile = [
    () => other.resolve(NURSE, String(conflict?.id), { take: 'ours' }),
    () => world.write(task('t2', { priority: 'stat' })),
  ];
  await world.write(task('t2', { priority: 'urgent' }));
  world.remote.knobs.beforeWrite = async () => {
    // What the other one writes is not meant.
    const { beforeWrite } = world.remote.knobs;
    world.remote.knobs.beforeWrite = undefined;
    await meanwhile.shift()?.();
    await other.pushNow();
    world.remote.knobs.beforeWrite = beforeWrite;
  };
  await world.sync.pushNow();
  await other.stop();
  world.pass({ minutes: 20 });
  await world.sync.pushNow();
  expect(meanwhile).toEqual([]);
  expect(there('t2').priority).toBe('stat');
});

test('edited here and deleted there is a conflict; absence from a page is nothing', async () => {
  world.remote.remove('Task', String(there('t1').id));
  await world.sync.pullNow();
  expect(await world.read('Task', 't1')).toBeDefined();
  await world.write(task('t1', { priority: 'urgent' }));
  await world.sync.pushNow();
  const [conflict] = await world.sync.conflicts();
  expect(conflict).toMatchObject({ kind: 'deleted', localId: 't1' });
  await world.sync.resolve(NURSE, String(conflict?.id), { take: 'ours' });
  await world.sync.pushNow();
  expect(there('t1').priority).toBe('urgent');
});

test('a remote never moves a resource to another patient by itself', async () => {
  await world.write(patient('p2', { birthDate: '1960-01-01' }));
  await world.sync.pushNow();
  const other = world.remote.all('Patient').find((one) => one.id !== there('t1').for?.reference?.split('/')[1]);
  world.remote.put({ ...there('t1'), for: { reference: `Patient/${other?.id}` } });
  await world.sync.pullNow();
  expect(await world.read('Task', 't1')).toMatchObject({ for: { reference: 'Patient/p1' } });
  expect(await world.sync.conflicts()).toMatchObject([{ paths: [{ path: 'patient' }] }]);
});

describe('what names its patients in a list', () => {
  type Stored = (Appointment | Account) & { id: string };
  const door = { interactions: ['read', 'search-type', 'create', 'update'], search: ['identifier', '_lastUpdated'] };
  const there = () => world.remote.all(type)[0] as Stored;
  const ours = () => world.read<Stored>(type, 'l1');
  let type: 'Appointment' | 'Account';
  /** Two patients of ours, there. */
  let ids: string[];

  async function open(which: typeof type): Promise<void> {
    type = which;
    await world.cleanup();
    const doors = { Patient: door, [type]: door };
    world = await openWorld({ connection: { types: { Patient: 'both', [type]: 'both' } }, knobs: { doors } });
    await world.write(patient('p1'));
    await world.write(patient('p2', { name: [{ family: 'Quinn' }], birthDate: '1960-01-01' }));
    await world.write({ ...about(['p1']), id: 'l1' } as Stored);
    await world.sync.pushNow();
    const families = (world.remote.all('Patient') as Patient[]).map(({ id, name }) => [name?.[0]?.family, id] as const);
    ids = ['Rivera', 'Quinn'].map((family) => String(new Map(families).get(family)));
  }

  function about(patients: readonly string[]): object {
    const named = patients.map((id) => ({ reference: `Patient/${id}` }));
    return type === 'Account'
      ? { resourceType: type, status: 'active', description: 'Visit', subject: named }
      : {
          ...{ resourceType: type, status: 'proposed', description: 'Visit' },
          participant: named.map((actor) => ({ actor, status: 'accepted' })),
        };
  }

  test.each(['Appointment', 'Account'] as const)('is not moved to another by itself: %s', async (which) => {
    await open(which);
    world.remote.put({ ...there(), ...about([String(ids[1])]), description: 'About Quinn' } as Stored);
    await world.sync.pullNow();
    const [conflict] = await world.sync.conflicts();
    expect(conflict?.paths).toEqual([{ path: 'patient', ours: 'Patient/p1', theirs: 'Patient/p2', why: 'patient' }]);
    expect(await ours()).toMatchObject(about(['p1']));
    const { elements, proposed } = await world.sync.conflict(String(conflict?.id));
    expect(proposed).toMatchObject(about(['p1']));
    const marked = elements.filter(({ why }) => why !== undefined).map(({ path }) => path.split('[')[0]);
    expect(new Set(marked)).toEqual(new Set([type === 'Account' ? 'subject' : 'participant']));
    await world.sync.resolve(NURSE, String(conflict?.id), { take: 'theirs' });
    await world.sync.pushNow();
    expect(await ours()).toMatchObject({ ...about(['p2']), description: 'About Quinn' });
    expect(there()).toMatchObject({ ...about([String(ids[1])]), description: 'About Quinn' });
  });

  test.each(['Appointment', 'Account'] as const)('may get one more: %s', async (which) => {
    await open(which);
    world.remote.put({ ...there(), ...about([String(ids[1]), String(ids[0])]) } as Stored);
    await world.sync.pullNow();
    expect(await world.sync.conflicts()).toEqual([]);
    const body = JSON.stringify(await ours());
    expect([body.includes('"Patient/p1"'), body.includes('"Patient/p2"')]).toEqual([true, true]);
  });

  test.each(['Appointment', 'Account'] as const)('gets one more here while it is edited there: %s', async (which) => {
    await open(which);
    await world.write({ ...about(['p1', 'p2']), id: 'l1' } as Stored);
    world.remote.put({ ...there(), description: 'Later' } as Stored);
    await world.sync.pullNow();
    await world.sync.pushNow();
    expect(await world.sync.conflicts()).toEqual([]);
    expect(await ours()).toMatchObject({ ...about(['p1', 'p2']), description: 'Later' });
    expect(there()).toMatchObject({ ...about(ids), description: 'Later' });
  });

  test.each(['Appointment', 'Account'] as const)(
    'proposes both changes when something else is asked: %s',
    async (which) => {
      await open(which);
      await world.write({ ...about(['p1', 'p2']), id: 'l1', description: 'Sooner' } as Stored);
      world.remote.put({ ...there(), description: 'Later', language: 'nl' } as Stored);
      await world.sync.pullNow();
      const [conflict] = await world.sync.conflicts();
      expect(conflict?.paths.map(({ path }) => path)).toEqual(['description']);
      expect(conflict?.proposed).toMatchObject({ ...about(['p1', 'p2']), description: 'Sooner', language: 'nl' });
    },
  );

  test.each(['Appointment', 'Account'] as const)('may lose one of several: %s', async (which) => {
    await open(which);
    const left = async (id: string) => {
      world.remote.put({ ...there(), ...about([...ids, 'stranger'].filter((one) => one !== id)) } as Stored);
      await world.sync.pullNow();
      return JSON.stringify(await ours()).match(/Patient\/\w+/g);
    };
    expect(await left('nobody')).toEqual(['Patient/p1', 'Patient/p2', 'Patient/stranger']);
    expect(await left(String(ids[0]))).toEqual(['Patient/p2', 'Patient/stranger']);
    world.remote.put({ ...there(), ...about([String(ids[1])]) } as Stored);
    await world.sync.pullNow();
    expect(await ours()).toMatchObject(about(['p2']));
    expect(await world.sync.conflicts()).toEqual([]);
  });

  test.each(['Appointment', 'Account'] as const)(
    'is not moved to a stranger who was named beside ours: %s',
    async (which) => {
      await open(which);
      world.remote.put({ ...there(), ...about([String(ids[0]), 'stranger']) } as Stored);
      await world.sync.pullNow();
      expect(await world.sync.conflicts()).toEqual([]);
      world.remote.put({ ...there(), ...about(['stranger']) } as Stored);
      await world.sync.pullNow();
      const theirs = expect.stringMatching(/^http.*\/Patient\/stranger$/);
      expect(await world.sync.conflicts()).toMatchObject([
        { paths: [{ path: 'patient', ours: 'Patient/p1', theirs }] },
      ]);
    },
  );
});

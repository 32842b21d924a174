// A record that was gone there, so that a person let it go, and that comes back: undeleted, or with a backup.
// docs/sync-spec.md#I8 docs/sync-spec.md#I21
import type { CarePlan, Patient, Task } from '@medplum/fhirtypes';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { NURSE, openWorld, patient, task, type World } from '../support/sync-world.ts';
import { planOf, shareTask } from './shared-task.ts';

let world: World;
let plan: CarePlan & { id: string };
let first: Task & { id: string };

/** A task of theirs, with a plan of ours that refers to it; the task was deleted there and edited here. */
beforeEach(async () => {
  world = await openWorld();
  first = await shareTask(world);
  plan = await planOf(world, first);
});
afterEach(() => world.cleanup());

const theirs = () => world.remote.all('Task') as (Task & { id: string })[];
const theirPlan = () => world.remote.all('CarePlan')[0] as CarePlan & { id: string };
const named = ({ activity }: CarePlan) => activity?.map(({ reference }) => reference?.reference);

/** Resolves to what was there before. */
async function loseTheirs(edit: Partial<Task> = { priority: 'urgent' }): Promise<Task & { id: string }> {
  const [before] = theirs();
  world.remote.remove('Task', 'r1');
  await world.write({ ...first, ...edit });
  await world.sync.pushNow();
  return before as Task & { id: string };
}

async function answer(kind: string, take: 'ours' | 'theirs'): Promise<void> {
  const [conflict, another] = await world.sync.conflicts();
  expect([conflict?.kind, another]).toEqual([kind, undefined]);
  await world.sync.resolve(NURSE, String(conflict?.id), { take });
}

async function exchange(): Promise<void> {
  for (let rounds = 0; rounds < 2; rounds += 1) {
    await world.sync.pullNow();
    await world.sync.pushNow();
  }
}

test('before ours is made anew, it is ours again', async () => {
  const before = await loseTheirs();
  await answer('deleted', 'ours');
  world.remote.put({ ...before, description: 'Call the daughter' });
  await exchange();
  expect(await world.sync.conflicts()).toEqual([]);
  const both = { description: 'Call the daughter', priority: 'urgent' };
  expect(await world.all('Task')).toMatchObject([{ id: first.id, ...both }]);
  expect(theirs()).toMatchObject([{ id: 'r1', ...both }]);
  expect(named(theirPlan())).toEqual(['Task/r1']);
  const rows = await world.temp.store.query("SELECT type FROM outbox WHERE state IN ('queued', 'sending', 'parked')");
  expect(rows).toEqual([]);
});

test('what both changed meanwhile is asked of a person, and nothing else', async () => {
  const before = await loseTheirs({ description: 'Call today', priority: 'urgent' });
  await answer('deleted', 'ours');
  world.remote.put({ ...before, description: 'Call the daughter', statusReason: { text: 'No answer' } });
  await world.sync.pullNow();
  const [conflict] = await world.sync.conflicts();
  expect(conflict?.paths).toMatchObject([{ path: 'description', base: 'Call' }]);
  await answer('content', 'ours');
  await exchange();
  const both = { description: 'Call today', priority: 'urgent' };
  expect(await world.all('Task')).toMatchObject([{ id: first.id, ...both }]);
  expect(theirs()).toMatchObject([{ id: 'r1', ...both }]);
});

describe('with a backup from before the last common version', () => {
  /** What is there of the task afterwards, versions counted anew. */
  async function restoreOldest(...later: Partial<Task>[]): Promise<void> {
    const [oldest] = theirs();
    world.remote.put({ ...oldest, description: 'Call the son' } as Task);
    await world.sync.pullNow();
    first = (await world.all<Task>('Task'))[0] as Task & { id: string };
    // By an earlier version of what Baton made there it is noticed that versions are counted anew.
    await world.write({ ...plan, title: 'Transition' });
    await loseTheirs();
    await answer('deleted', 'ours');
    const rest = [...world.remote.all('Patient'), theirPlan(), oldest as Task];
    world.remote.wipe();
    for (const one of rest) world.remote.put(one, { lastUpdated: String(one.meta?.lastUpdated) });
    for (const edit of later) world.remote.put({ ...oldest, ...edit } as Task);
    world.pass({ hours: 2 });
    await exchange();
  }
  const ours = { description: 'Call the son', priority: 'urgent' };

  test('it brings nothing and gets what we have', async () => {
    await restoreOldest();
    expect(await world.sync.conflicts()).toEqual([]);
    expect(await world.all('Task')).toMatchObject([{ id: first.id, ...ours }]);
    expect(theirs()).toMatchObject([{ id: 'r1', ...ours }]);
  });

  test('what was edited there since is asked, whatever its number', async () => {
    await restoreOldest({ statusReason: { text: 'No answer' } });
    expect(world.events.filter(({ kind }) => kind === 'epoch')).toHaveLength(1);
    const [conflict] = await world.sync.conflicts();
    expect(conflict?.paths.map(({ path }) => path).sort()).toEqual(['description']);
    expect(await world.all('Task')).toMatchObject([{ id: first.id, ...ours }]);
  });
});

test.each(['ours', 'theirs'] as const)(
  'when ours was made anew, a person says whether it is the same: %s',
  async (take) => {
    const [before, planBefore] = [await loseTheirs(), theirPlan()];
    await answer('deleted', 'ours');
    await exchange();
    const [anew] = theirs();
    expect(named(theirPlan())).toEqual([`Task/${anew?.id}`]);
    // As a backup would, which does not have the new one yet.
    world.remote.put(before);
    world.remote.put(planBefore);
    await exchange();
    expect(await world.all('Task')).toHaveLength(1);
    await answer('duplicate', take);
    await exchange();
    await exchange();
    expect(await world.sync.conflicts()).toEqual([]);
    expect(await world.all('Task')).toHaveLength(take === 'ours' ? 2 : 1);
    expect(named((await world.read<CarePlan>('CarePlan', 'c1')) as CarePlan)).toEqual([`Task/${first.id}`]);
    // What is another one from now on is no longer what the plan means.
    expect(named(theirPlan())).toEqual([take === 'ours' ? `Task/${anew?.id}` : 'Task/r1']);
    const writes = world.remote.requests.filter(({ method }) => method !== 'GET').length;
    await exchange();
    expect(world.remote.requests.filter(({ method }) => method !== 'GET')).toHaveLength(writes);
  },
);

describe.each(['ours', 'theirs'] as const)(
  'what is newly written there and names it while it is asked about: %s',
  (take) => {
    const theirs9 = () => world.remote.all('CarePlan').find(({ id }) => id === 'c9') as CarePlan;
    const nine = async () =>
      (await world.all<CarePlan>('CarePlan')).find(({ title }) => title === 'Theirs') as CarePlan;

    test.each(['new', 'edited'])('%s', async (how) => {
      const before = await loseTheirs();
      const { resourceType, status, intent, subject } = theirPlan();
      const bare = { resourceType, id: 'c9', status, intent, subject, title: 'Theirs' };
      await answer('deleted', 'ours');
      if (how === 'edited') world.remote.put(bare);
      await exchange();
      world.remote.put(before);
      world.remote.put({ ...bare, activity: [{ reference: { reference: 'Task/r1' } }] });
      await exchange();
      await answer('duplicate', take);
      await exchange();
      await exchange();
      expect(await world.sync.conflicts()).toEqual([]);
      expect(named(theirs9())).toEqual(['Task/r1']);
      const second = (await world.all<Task>('Task')).find(({ id }) => id !== first.id);
      expect(named(await nine())).toEqual([`Task/${take === 'ours' ? second?.id : first.id}`]);
      const writes = world.remote.requests.filter(({ method }) => method !== 'GET').length;
      await exchange();
      expect(world.remote.requests.filter(({ method }) => method !== 'GET')).toHaveLength(writes);
    });
  },
);

test('a second copy that lives on when ours is gone there is ours, if a person says so', async () => {
  const before = await loseTheirs();
  await answer('deleted', 'ours');
  await exchange();
  const [anew] = theirs();
  world.remote.put(before);
  await exchange();
  await answer('duplicate', 'theirs');
  await exchange();
  world.remote.remove('Task', String(anew?.id));
  world.remote.put({ ...before, status: 'in-progress' });
  await world.sync.sweep();
  await exchange();
  await answer('duplicate', 'theirs');
  await exchange();
  expect(await world.all('Task')).toMatchObject([{ id: first.id, status: 'in-progress' }]);
  await world.write({ ...first, status: 'in-progress', priority: 'asap' });
  await exchange();
  expect(theirs()).toMatchObject([{ id: 'r1', status: 'in-progress', priority: 'asap' }]);
  expect(named(theirPlan())).toEqual(['Task/r1']);
  expect(await world.sync.conflicts()).toEqual([]);
});

/** Another process pushes what it can while the first write of this one is on its way. */
async function pushTwoAtOnce(): Promise<void> {
  const another = world.another();
  world.remote.knobs.beforeWrite = async () => {
    world.remote.knobs.beforeWrite = undefined;
    await another.pushNow();
  };
  await world.sync.pushNow();
  await another.stop();
}

/** Whose the plan and the task are there. */
function familiesThere(): (string | undefined)[] {
  const patients = world.remote.all('Patient') as (Patient & { id: string })[];
  const families = new Map(patients.map(({ id, name }) => [`Patient/${id}`, name?.[0]?.family]));
  return [theirPlan().subject, theirs()[0]?.for].map((subject) => families.get(String(subject?.reference)));
}

const identifier = [{ system: 'urn:mrn', value: '2' }];
const other = (id: string, fields: object = {}) => patient(id, { name: [{ family: 'Okafor' }], identifier, ...fields });

/** The patient is gone there and lives on here, and somebody else gets the id. */
async function giveIdToOther(): Promise<void> {
  const [before] = world.remote.all('Patient');
  world.remote.remove('Patient', String(before?.id));
  await world.write(patient('p1', { birthDate: '1950-02-03' }));
  await world.sync.pushNow();
  await answer('deleted', 'ours');
  world.remote.put(other(String(before?.id)));
}

test('when the id was given to somebody else, what was about ours is about ours there, too', async () => {
  await giveIdToOther();
  await world.write(other('p2'));
  await exchange();
  await exchange();
  expect(world.remote.all('Patient')).toHaveLength(2);
  expect(familiesThere()).toEqual(['Rivera', 'Rivera']);
});

test("so is what had been deleted there itself, and comes back when the id is somebody else's", async () => {
  const [called] = theirs();
  world.remote.remove('Task', 'r1');
  await world.sync.sweep();
  await world.sync.pullNow();
  await giveIdToOther();
  await exchange();
  world.remote.put(called as Task);
  await exchange();
  expect(await world.sync.conflicts()).toEqual([]);
  expect(await world.all<Task>('Task')).toMatchObject([{ for: { reference: 'Patient/p1' } }]);
  expect(familiesThere()).toEqual(['Rivera', 'Rivera']);
});

test('also when it was given to somebody whom Baton made there', async () => {
  const rest = [theirPlan(), ...theirs()];
  world.remote.wipe();
  await world.write(patient('p1', { birthDate: '1950-02-03' }));
  await world.sync.pushNow();
  await world.write(other('p2'));
  await answer('deleted', 'ours');
  // Theirs is made while ours is on its way.
  await pushTwoAtOnce();
  for (const one of rest) world.remote.put(one, { lastUpdated: String(one.meta?.lastUpdated) });
  expect(world.remote.all('Patient')).toMatchObject([{ id: '1', name: [{ family: 'Okafor' }] }, { id: '2' }]);
  await exchange();
  await exchange();
  expect(familiesThere()).toEqual(['Rivera', 'Rivera']);
});

/** Of ours, and of the server that loses them and gives their ids out again. */
async function loseBoth(): Promise<string> {
  const [before] = world.remote.all('Patient');
  await loseTheirs();
  world.remote.remove('Patient', String(before?.id));
  await world.write(patient('p1', { birthDate: '1950-02-03' }));
  await world.sync.pushNow();
  for (const { id } of await world.sync.conflicts()) await world.sync.resolve(NURSE, id, { take: 'ours' });
  return String(before?.id);
}

test('a task of somebody else that got the id is another one', async () => {
  const id = await loseBoth();
  world.remote.put(other(id));
  await world.write(other('p2'));
  world.remote.put(task('r1', { for: { reference: `Patient/${id}` }, description: 'Theirs' }));
  await exchange();
  await exchange();
  expect(await world.sync.conflicts()).toEqual([]);
  const here = (await world.all<Task>('Task')).map(({ description, ...one }) => [description, one.for?.reference]);
  expect(here.sort()).toEqual([
    ['Call', 'Patient/p1'],
    ['Theirs', 'Patient/p2'],
  ]);
  expect(theirs().find(({ id }) => id === 'r1')?.for?.reference).toBe(`Patient/${id}`);
});

test('what refers to it and comes on the same page means ours', async () => {
  const about = (id: string) => ({ for: { reference: `Patient/${id}` } });
  const partOf = [{ reference: 'Task/r1' }];
  world.remote.put(task('r2', { ...about(String(world.remote.all('Patient')[0]?.id)), partOf }));
  await world.sync.pullNow();
  await loseTheirs();
  await answer('deleted', 'ours');
  await world.write(other('p2'));
  world.remote.put(other('r3'));
  world.remote.put(task('r1', about('r3')));
  world.remote.put({ ...(theirs().find(({ id }) => id === 'r2') as Task), statusReason: { text: 'No answer' } });
  await exchange();
  await exchange();
  const part = theirs().find(({ id }) => id === 'r2');
  const whole = theirs().find(({ id }) => `Task/${id}` === part?.partOf?.[0]?.reference);
  expect(whole?.description).toBe('Call');
});

describe('when a patient was let go and the id was given to somebody else', () => {
  let id: string;
  beforeEach(async () => {
    id = String(world.remote.all('Patient')[0]?.id);
  });
  async function loseThem(): Promise<void> {
    world.remote.remove('Patient', id);
    await world.write(patient('p1', { birthDate: '1950-02-03' }));
    await world.sync.pushNow();
    await answer('deleted', 'ours');
  }

  test('a person says who that is', async () => {
    await loseThem();
    await world.write(other('p2'));
    world.remote.put(other(id, { birthDate: '1971-01-01' }));
    await world.sync.pullNow();
    const [asked] = await world.sync.matches();
    await world.sync.decideMatch(NURSE, String(asked?.id), { decision: 'link', to: 'p2' });
    await exchange();
    expect(familiesThere()).toEqual(['Rivera', 'Rivera']);
  });

  test('a push finds who that is', async () => {
    await loseThem();
    await world.write(other('p2'));
    world.remote.put(other(id));
    // Theirs is found while ours is on its way.
    await pushTwoAtOnce();
    await exchange();
    expect(familiesThere()).toEqual(['Rivera', 'Rivera']);
  });

  test.each(['ours', 'theirs'] as const)('a question about a task is older than that: %s', async (take) => {
    world.remote.put({ ...theirs()[0], description: 'Theirs' } as Task);
    await world.write({ ...first, description: 'Ours' });
    await world.sync.pullNow();
    world.remote.remove('Patient', id);
    await world.write(patient('p1', { birthDate: '1950-02-03' }));
    await world.sync.pushNow();
    const conflicts = await world.sync.conflicts();
    const about = (type: string) => String(conflicts.find((one) => one.type === type)?.id);
    await world.sync.resolve(NURSE, about('Patient'), { take: 'ours' });
    world.remote.put(other(id));
    await world.write(other('p2'));
    await exchange();
    await world.sync.resolve(NURSE, about('Task'), { take });
    await exchange();
    expect(familiesThere()).toEqual(['Rivera', 'Rivera']);
    expect((await world.all<Task>('Task')).map((one) => one.for?.reference)).toEqual(['Patient/p1']);
  });

  test('what is edited there as about them is asked', async () => {
    await loseThem();
    world.remote.put(other(id));
    await world.write(other('p2'));
    world.remote.put({ ...theirs()[0], description: 'Theirs' } as Task);
    await exchange();
    const [conflict, another] = await world.sync.conflicts();
    expect([conflict?.paths.map(({ path }) => path), another]).toEqual([['patient'], undefined]);
    expect((await world.all<Task>('Task')).map(({ description }) => description)).toEqual(['Call']);
  });

  test.each<[string, (patient: string) => Promise<unknown>]>([
    ['ours', async () => world.write({ ...first, for: { reference: 'Patient/p1/_history/1' } })],
    [
      'theirs',
      async (there) => void world.remote.put({ ...theirs()[0], for: { reference: `${there}/_history/1` } } as Task),
    ],
  ])('a reference to a version of the record is sent again, too: %s', async (_, refer) => {
    await refer(`Patient/${id}`);
    await exchange();
    await loseThem();
    world.remote.put(other(id));
    await world.write(other('p2'));
    await exchange();
    expect(familiesThere()).toEqual(['Rivera', 'Rivera']);
  });

  describe('who is not known here', () => {
    const asked = async () => (await world.sync.conflicts()).map(({ paths }) => paths.map(({ path }) => path));
    const described = async () => (await world.all<Task>('Task')).map(({ description }) => description);

    test('what is edited there as about them is asked, and nothing of ours goes there before', async () => {
      await loseThem();
      world.remote.put(other(id));
      world.remote.put({ ...theirs()[0], description: 'Theirs' } as Task);
      await world.sync.pullNow();
      expect(await asked()).toEqual([['patient']]);
      expect(await described()).toEqual(['Call']);
      await world.write({ ...first, priority: 'asap' });
      await exchange();
      expect(theirs()).toMatchObject([{ description: 'Theirs', for: { reference: `Patient/${id}` } }]);
      await answer('content', 'ours');
      await exchange();
      expect(theirs()).toMatchObject([{ description: 'Call', priority: 'asap' }]);
      expect(familiesThere()).toEqual(['Rivera', 'Rivera']);
    });

    test('a push that finds such an edit asks, too', async () => {
      await loseThem();
      world.remote.put(other(id));
      world.remote.put({ ...theirs()[0], description: 'Theirs' } as Task);
      await world.write({ ...first, priority: 'asap' });
      await world.sync.pushNow();
      expect(await asked()).toEqual([['patient']]);
      expect(theirs()).toMatchObject([{ description: 'Theirs', for: { reference: `Patient/${id}` } }]);
    });

    test('while nobody has the id, an edit there is one of ours', async () => {
      await loseThem();
      world.remote.put({ ...theirs()[0], description: 'Theirs' } as Task);
      await exchange();
      expect(await asked()).toEqual([]);
      expect(await described()).toEqual(['Theirs']);
    });

    test('nor is one of somebody who is back and says that it is ours', async () => {
      const [before] = world.remote.all('Patient');
      await loseThem();
      world.remote.put(before as Patient);
      world.remote.put({ ...theirs()[0], description: 'Theirs' } as Task);
      await world.sync.pullNow();
      expect(await described()).toEqual(['Theirs']);
    });
  });

  describe('whose record the server fails to show', () => {
    let answers: Map<string, () => Response>;
    const broken = () => new Response('', { status: 500 });
    const down = () => new Response('', { status: 503, headers: { 'retry-after': '60' } });
    const rows = (sql: string) => world.temp.store.query(sql);
    const held = () => rows('SELECT remote_id, waits_id FROM held_resource');
    const edited = async () => (await world.all<Task>('Task')).map(({ description }) => description).sort();
    beforeEach(async () => {
      const subject = { reference: 'Patient/quinn' };
      world.remote.put(other('quinn'));
      await world.write(other('p2'));
      await world.sync.pullNow();
      await loseThem();
      answers = new Map();
      await world.restart(() => ({
        fetch: async (url, init) =>
          answers.get(new URL(String(url)).pathname.split('/fhir')[1] ?? '')?.() ?? fetch(url, init),
      }));
      world.remote.put({ ...theirs()[0], description: 'Theirs' } as Task);
      world.remote.put(task('r5', { for: subject, description: 'Quinn' }));
    });

    test.each<[string, () => Response]>([
      ['an error', broken],
      [
        'no answer',
        () => {
          throw new TypeError('fetch failed');
        },
      ],
    ])('what names them waits, and nothing else: %s', async (_, answer) => {
      answers.set(`/Patient/${id}`, answer);
      for (const _day of [1, 2, 3]) {
        await world.sync.pullNow();
        world.pass({ hours: 24 });
      }
      expect(await edited()).toEqual(['Call', 'Quinn']);
      expect(await held()).toEqual([{ remote_id: 'r1', waits_id: id }]);
      answers.clear();
      await exchange();
      expect(await edited()).toEqual(['Quinn', 'Theirs']);
      expect(await held()).toEqual([]);
    });

    test('while it answers nothing else either, the page waits', async () => {
      for (const path of [`/Patient/${id}`, '/metadata']) answers.set(path, down);
      await world.sync.pullNow();
      expect([await edited(), await held()]).toEqual([['Call'], []]);
      answers.clear();
      world.pass({ minutes: 30 });
      await exchange();
      expect(await edited()).toEqual(['Quinn', 'Theirs']);
    });

    test('what we edited meanwhile says why it stays here, and goes afterwards', async () => {
      answers.set(`/Patient/${id}`, broken);
      await world.write({ ...first, priority: 'asap' });
      await world.sync.pushNow();
      const [row] = await rows("SELECT fault FROM outbox WHERE type = 'Task' AND state <> 'sent'");
      expect(row?.fault).toBe(`The server does not show who Patient/${id} is by now. The server answered 500.`);
      answers.clear();
      await exchange();
      expect(theirs()).toContainEqual(expect.objectContaining({ description: 'Theirs', priority: 'asap' }));
    });
  });
});

describe('a new patient who names an organization that was let go and that the server fails to show', () => {
  let isBroken: boolean;
  const rows = (sql: string) => world.temp.store.query(sql);
  const held = () => rows('SELECT type, remote_id, waits_id FROM held_resource ORDER BY type');
  const names = async () => {
    const [patients, plans, tasks] = [
      await world.all<Patient>('Patient'),
      await world.all('CarePlan'),
      await world.all('Task'),
    ];
    return [patients.map(({ name }) => name?.[0]?.family).sort(), plans.length, tasks.length];
  };

  beforeEach(async () => {
    await world.cleanup();
    isBroken = false;
    const organizations: string[] = [];
    world = await openWorld({
      connection: { types: { Organization: 'both', Patient: 'pull', CarePlan: 'both', Task: 'both' } },
      sync: () => ({
        fetch: async (url, init) => {
          const { pathname } = new URL(String(url));
          return isBroken && organizations.some((one) => pathname.endsWith(`/${one}`))
            ? new Response('', { status: 500 })
            : fetch(url, init);
        },
      }),
    });
    for (const id of ['o1', 'o2']) {
      const ours = { resourceType: 'Organization', id, name: `North ${id}` } as const;
      await world.write(ours);
      await world.sync.pushNow();
      const there = String(world.remote.all('Organization').find((one) => 'name' in one && one.name === ours.name)?.id);
      organizations.push(`Organization/${there}`);
      world.remote.remove('Organization', there);
      await world.write({ ...ours, name: `North Clinic ${id}` });
      await world.sync.pushNow();
      await answer('deleted', 'ours');
    }
    isBroken = true;
    const subject = { reference: 'Patient/r9' };
    world.remote.put(patient('r9', { managingOrganization: { reference: organizations[0] } }));
    world.remote.put(other('quinn', { managingOrganization: { reference: organizations[1] } }));
    world.remote.put(task('r5', { for: subject }));
    world.remote.put({ resourceType: 'CarePlan', id: 'c5', status: 'active', intent: 'plan', subject });
    await world.sync.pullNow();
  });

  test('is waited for by what is about them', async () => {
    expect(await names()).toEqual([[], 0, 0]);
    expect(await held()).toMatchObject([
      { type: 'CarePlan', waits_id: 'r9' },
      { type: 'Patient' },
      { type: 'Patient' },
      { type: 'Task', waits_id: 'r9' },
    ]);
    for (const _day of [1, 2]) {
      world.pass({ hours: 24 });
      await world.sync.pullNow();
    }
    isBroken = false;
    await world.sync.pullNow();
    expect(await names()).toEqual([['Okafor', 'Rivera'], 1, 1]);
    expect(await held()).toEqual([]);
    const [about] = await world.all<Task>('Task');
    const rivera = (await world.all<Patient>('Patient')).find(({ name }) => name?.[0]?.family === 'Rivera');
    expect(about?.for?.reference).toBe(`Patient/${rivera?.id}`);
  });

  test('is in the message log once, and told once, until they are in', async () => {
    const noted = async () => (await rows("SELECT 1 FROM message WHERE outcome = 'held'")).length;
    const told = () => world.events.flatMap(({ alert }) => (alert?.startsWith('unshown') ? [alert] : []));
    const tick = () => world.sync.tick(Temporal.Now.instant());
    expect(await noted()).toBe(4);
    await tick();
    for (const _pull of [1, 2, 3]) {
      world.pass({ hours: 1 });
      await world.sync.pullNow();
      await tick();
    }
    expect([await noted(), told()]).toEqual([4, ['unshown.first']]);
    expect((await world.sync.status())[0]).toMatchObject({ unshown: 2, alerts: ['unshown'] });
    world.remote.put(patient('r9', { ...world.remote.all('Patient').find(({ id }) => id === 'r9'), gender: 'female' }));
    await world.sync.pullNow();
    expect(await noted()).toBe(5);
    isBroken = false;
    await world.sync.pullNow();
    await tick();
    expect(told()).toEqual(['unshown.first', 'unshown.cleared']);
  });
});

// What is written here while a page is being taken in, by another door or by another page: nobody is made twice, nobody is linked
// by a number they no longer have, and nothing else holds the page up. docs/sync-spec.md#I8
import type { Encounter, Group, Patient, Resource, Task } from '@medplum/fhirtypes';
import { afterEach, describe, expect, test } from 'vitest';
import type { Change } from '../../src/fhir/change.ts';
import { unlessClosedMeanwhile } from '../../src/store/closed-meanwhile.ts';
import type { Alongside } from '../../src/store/store.ts';
import type { Connection } from '../../src/sync/connections/settings.ts';
import { NURSE, openWorld, patient, task, type World } from '../support/sync-world.ts';

const MRN = { system: 'urn:oid:1.2.3', value: '4711' };
const ANA = { name: [{ family: 'Rivera', given: ['Ana'] }], identifier: [MRN] };
const PULLED: Partial<Connection> = { types: { Patient: 'pull' } };

let world: World;
afterEach(() => world.cleanup());

type Tells = (changes: readonly Change[], alongside: Alongside) => boolean;

/** Before a pull tries for the nth time to commit what `tells` is true of, `write` is done. */
async function open(
  tells: Tells,
  write: (n: number) => Promise<unknown> | undefined,
  connection: Partial<Connection> = PULLED,
): Promise<{ tries: number; logRows: number }> {
  const seen = { tries: 0, logRows: 0 };
  world = await openWorld({
    connection,
    knobs: { pageSize: 100 },
    sync: (store) => ({
      store: {
        ...store,
        readLog: async (after, limit) => {
          const entries = await store.readLog(after, limit);
          seen.logRows += entries.length;
          return entries;
        },
        commit: async (actor, changes, alongside = [], options) => {
          if (actor.origin === 'ehr' && tells(changes, alongside)) {
            seen.tries += 1;
            await write(seen.tries);
          }
          return store.commit(actor, changes, alongside, options);
        },
      },
    }),
  });
  return seen;
}

const makes =
  (type: Resource['resourceType']): Tells =>
  (changes) =>
    changes.some((change) => change.op === 'create' && change.resource.resourceType === type);
const links: Tells = (_changes, alongside) =>
  Array.isArray(alongside) && alongside.some(({ sql }) => sql.startsWith('INSERT INTO identity'));
const here = (id: string, fields: object = {}) => world.write(patient(id, fields));
const there = (id: string, fields: object = {}) => world.remote.put(patient(id, fields));
const linked = () => world.temp.store.query("SELECT local_id, remote_id FROM identity WHERE state <> 'replaced'");
const kinds = async () => (await world.sync.conflicts()).map(({ kind }) => kind);

describe('while another door writes patients', () => {
  const first = (fields: object) => (n: number) => (n === 1 ? here('here', fields) : undefined);

  test('all the time, a pull brings its own', async () => {
    await open(makes('Patient'), (n) =>
      here(`here-${n}`, { name: [{ family: `Arrival${n}` }], birthDate: '1980-05-05' }),
    );
    there('there', ANA);
    await world.sync.pullNow();
    expect(await world.all('Patient')).toHaveLength(2);
    expect(await linked()).toHaveLength(1);
  });

  test('the one who is among them is not made twice', async () => {
    await open(makes('Patient'), first(ANA));
    there('there', ANA);
    await world.sync.pullNow();
    expect(await world.all('Patient')).toHaveLength(1);
    expect(await linked()).toEqual([{ local_id: 'here', remote_id: 'there' }]);
  });

  test('nor the one who has been here and is given the number meanwhile', async () => {
    await open(makes('Patient'), first(ANA));
    await here('here', { name: [{ family: 'Doe' }] });
    there('there', ANA);
    await world.sync.pullNow();
    expect(await world.all('Patient')).toHaveLength(1);
  });

  test('nor the one who comes beside a record that is refused', async () => {
    await open(makes('Patient'), (n) => (n === 2 ? here('here', ANA) : undefined));
    there('there', ANA);
    there('odd', { gender: 'unclear', name: [{ family: 'Odd' }] });
    await world.sync.pullNow();
    expect((await world.all('Patient')).map(({ id }) => id)).toEqual(['here']);
    expect(await linked()).toEqual([{ local_id: 'here', remote_id: 'there' }]);
  });

  test('nor the one who is known by the family name of one name and the given name of another', async () => {
    const rest = {
      birthDate: '1980',
      gender: 'female',
      telecom: [{ system: 'phone', value: '555-123-4567' }],
      address: [{ line: ['1 Main St'], postalCode: '12345' }],
    };
    const name = [
      { family: 'Smith', given: ['Ana'] },
      { use: 'maiden', family: 'Rivera' },
    ];
    await open(makes('Patient'), first({ ...rest, name }));
    there('there', { ...rest, name: [{ family: 'Rivera', given: ['Ana'] }] });
    await world.sync.pullNow();
    expect(await world.all('Patient')).toHaveLength(1);
    expect(await kinds()).toEqual(['identity']);
  });

  test('nor a stay, whose number is its visit', async () => {
    const connection: Partial<Connection> = { types: { Patient: 'pull', Encounter: 'pull' } };
    const stay = (id: string, of: string): Encounter & { id: string } => ({
      resourceType: 'Encounter',
      id,
      status: 'in-progress',
      class: { code: 'IMP' },
      identifier: [{ system: 'urn:visit', value: 'V1' }],
      subject: { reference: `Patient/${of}` },
    });
    await open(makes('Encounter'), (n) => (n === 1 ? world.write(stay('e-here', 'here')) : undefined), connection);
    await here('here', ANA);
    there('there', ANA);
    world.remote.put(stay('e-there', 'there'));
    await world.sync.pullNow();
    expect(await world.all('Encounter')).toHaveLength(1);
  });
});

describe('one of ours whom a record is linked with by a number', () => {
  test('and who is given another number meanwhile is not linked', async () => {
    const bob = { name: [{ family: 'Jones', given: ['Bob'] }], birthDate: '1990-10-10' };
    const corrected = { ...bob, identifier: [{ ...MRN, value: '9' }] };
    await open(links, (n) => (n === 1 ? here('here', corrected) : undefined), { types: { Patient: 'both' } });
    await here('here', { identifier: [MRN] });
    there('there', { identifier: [MRN] });
    await world.sync.pullNow();
    await world.sync.pushNow();
    expect(await linked()).not.toContainEqual({ local_id: 'here', remote_id: 'there' });
    const kept = world.remote.all('Patient').find(({ id }) => id === 'there') as Patient;
    expect(kept).toMatchObject({ identifier: [MRN], name: [{ family: 'Rivera' }] });
  });

  test('nor by a push that has found them there', async () => {
    const corrected = { name: [{ family: 'Jones', given: ['Bob'] }], identifier: [{ ...MRN, value: '9' }] };
    const connection: Partial<Connection> = { types: { Patient: 'push' } };
    const seen = await open(links, (n) => (n === 1 ? here('here', corrected) : undefined), connection);
    await here('here', { identifier: [MRN] });
    there('there', { identifier: [MRN] });
    await world.sync.pushNow();
    expect(seen.tries).toBeGreaterThan(0);
    expect(await linked()).not.toContainEqual({ local_id: 'here', remote_id: 'there' });
    await world.sync.pushNow();
    const kept = world.remote.all('Patient').find(({ id }) => id === 'there') as Patient;
    expect(kept).toMatchObject({ identifier: [MRN], name: [{ family: 'Rivera' }] });
  });

  test('nor where what they differ in would be asked about', async () => {
    const corrected = { identifier: [{ ...MRN, value: '9' }], gender: 'female', birthDate: '1990-10-10' };
    await open(links, (n) => (n === 1 ? here('here', { ...corrected, name: [{ family: 'Jones' }] }) : undefined));
    await here('here', { identifier: [MRN], gender: 'female' });
    there('there', { identifier: [MRN], gender: 'male' });
    await world.sync.pullNow();
    expect(await linked()).not.toContainEqual({ local_id: 'here', remote_id: 'there' });
    expect(await kinds()).toEqual([]);
    expect(await world.all('Patient')).toHaveLength(2);
  });

  test('and who is deleted meanwhile is not linked: the record comes in', async () => {
    const remove = () => world.temp.store.commit(NURSE, [{ op: 'delete', type: 'Patient', id: 'here' }]);
    await open(links, (n) => (n === 1 ? remove() : undefined));
    await here('here', { identifier: [MRN] });
    there('there', { identifier: [MRN] });
    await world.sync.pullNow();
    expect(await world.all<Patient>('Patient')).toMatchObject([{ identifier: [MRN] }]);
    expect(await linked()).toMatchObject([{ remote_id: 'there' }]);
    expect(await linked()).not.toMatchObject([{ local_id: 'here' }]);
  });

  test('is linked although somebody else is written all the time', async () => {
    await open(links, (n) => here('other', { name: [{ family: 'Other' }], active: n % 2 === 0 }));
    await here('here', { identifier: [MRN] });
    there('there', { identifier: [MRN] });
    await world.sync.pullNow();
    expect(await linked()).toEqual([{ local_id: 'here', remote_id: 'there' }]);
  });
});

describe('somebody of whom nothing would be made', () => {
  test('holds up no page: a person has said that they are another', async () => {
    let isBusy = false;
    const edit = (n: number) => here('here', { identifier: [MRN], active: n % 2 === 0 });
    const seen = await open(makes('Patient'), (n) => (isBusy ? edit(n) : undefined));
    await here('here', { identifier: [MRN] });
    there('there', { identifier: [MRN], birthDate: '1990-09-09' });
    await world.sync.pullNow();
    const [question] = await world.sync.matches();
    await world.sync.decideMatch(NURSE, String(question?.id), { decision: 'new' });
    isBusy = true;
    await world.sync.pullNow();
    expect(await world.all('Patient')).toHaveLength(2);
    expect(seen.tries).toBe(1);
  });

  test('holds up no page: they have another record there', async () => {
    // Alike enough to ask about somebody who has none.
    const alike = { name: [{ family: 'García', given: ['María'] }], gender: 'female', birthDate: '1950-03-04' };
    const edit = (n: number) => here('here', { ...alike, identifier: [MRN], active: n % 2 === 0 });
    let isBusy = false;
    const seen = await open(makes('Patient'), (n) => (isBusy ? edit(n) : undefined));
    await here('here', { ...alike, identifier: [MRN] });
    there('known', { ...alike, identifier: [MRN] });
    await world.sync.pullNow();
    isBusy = true;
    there('there', { ...alike, telecom: [{ system: 'phone', value: '555-010-2030' }] });
    await world.sync.pullNow();
    expect(await linked()).toHaveLength(2);
    expect(seen.tries).toBe(1);
  });
});

describe('two records there with one number', () => {
  const GROUP: Partial<Connection> = { strategies: { Patient: 'roster' }, patients: { kind: 'group', id: 'g' } };
  const WAYS: [string, Partial<Connection>, number][] = [
    ['answers of a roster one after the other', { ...GROUP, pacing: { concurrency: 1 } }, 100],
    ['answers of a roster at the same time', { ...GROUP, pacing: { concurrency: 4 } }, 100],
    ['pages of a search', {}, 1],
    ['one page', {}, 100],
  ];

  /** r1, r2 and somebody else. */
  async function bring(connection: Partial<Connection>, pageSize: number, fields: object): Promise<void> {
    await open(
      () => false,
      () => undefined,
      { types: { Patient: 'pull', Task: 'pull' }, ...connection },
    );
    world.remote.knobs.pageSize = pageSize;
    const member = ['r1', 'r2', 'r3'].map((id) => ({ entity: { reference: `Patient/${id}` } }));
    world.remote.put({ resourceType: 'Group', id: 'g', type: 'person', actual: true, member } as Group & {
      id: string;
    });
    for (const id of ['r1', 'r2']) there(id, fields);
    there('r3', { name: [{ family: 'Other' }], birthDate: '1977-07-07' });
    for (const id of ['r1', 'r2', 'r3']) world.remote.put(task(`t-${id}`, { for: { reference: `Patient/${id}` } }));
  }

  test.each(WAYS)('on %s are one person here, and a question', async (_way, connection, pageSize) => {
    await bring(connection, pageSize, ANA);
    await world.sync.pullNow();
    expect(await world.all('Patient')).toHaveLength(2);
    expect(await kinds()).toEqual(['duplicate']);
  });

  test.each(WAYS)('on %s, of one of ours: linked with one, and a question', async (_way, connection, pageSize) => {
    await bring(connection, pageSize, ANA);
    await here('here', ANA);
    await world.sync.pullNow();
    expect(await world.all('Patient')).toHaveLength(2);
    expect((await linked()).filter(({ local_id }) => local_id === 'here')).toHaveLength(1);
    expect(await kinds()).toEqual(['duplicate']);
    const [question] = await world.sync.matches();
    await world.sync.decideMatch(NURSE, String(question?.id), { decision: 'link', to: 'here' });
    world.pass({ minutes: 20 });
    await world.sync.pullNow();
    expect(await world.all('Task')).toHaveLength(3);
  });
});

describe('somebody who is merged away meanwhile', () => {
  const BOTH: Partial<Connection> = { types: { Patient: 'both', Task: 'both' } };
  const two = { name: [{ family: 'Two' }], birthDate: '1933-03-03', identifier: [{ ...MRN, value: '4712' }] };
  const link = (id: string) => [{ type: 'replaced-by' as const, other: { reference: `Patient/${id}` } }];
  const close = () => here('one', { ...ANA, active: false, link: link('two') });
  const subjects = async () => (await world.all<Task>('Task')).map((some) => some.for?.reference);
  const recordOf = async (id: string) => String((await linked()).find(({ local_id }) => local_id === id)?.remote_id);
  const found = (type: Resource['resourceType'], id: string) => world.remote.all(type).find((one) => one.id === id);
  const edits =
    (type: Resource['resourceType']): Tells =>
    (changes) =>
      changes.some((one) => one.op === 'update' && one.resource.resourceType === type);
  let next: (() => Promise<unknown>) | undefined;
  /** `next` is done before a commit that `tells` is true of, once. */
  const openOnce = (tells: Tells) => {
    const once = () => {
      const write = next;
      next = undefined;
      return write?.();
    };
    return open(tells, once, BOTH);
  };
  const mergeThere = async () => {
    const [from, into] = [await recordOf('one'), await recordOf('two')];
    const record = found('Patient', from) as Patient & { id: string };
    world.remote.put({ ...record, active: false, link: link(into) });
  };

  async function bothThere(): Promise<void> {
    await here('one', ANA);
    await here('two', two);
    await world.sync.pullNow();
    await world.sync.pushNow();
  }

  test('is not who a page is about that was looked at before', async () => {
    await open(makes('Task'), (n) => (n === 1 ? close() : undefined), BOTH);
    await bothThere();
    world.remote.put(task('t1', { for: { reference: `Patient/${await recordOf('one')}` } }));
    await world.sync.pullNow();
    expect(await subjects()).toEqual(['Patient/two']);
  });

  test('nor who is meant by a name that could not be followed before', async () => {
    const points: Tells = (changes) =>
      changes.some((one) => one.op === 'update' && one.resource.resourceType === 'Task');
    await open(points, (n) => (n === 1 ? close() : undefined), BOTH);
    await here('one', ANA);
    await here('two', two);
    there('r2', two);
    world.remote.put(task('t1', { for: { reference: 'Patient/r2' }, focus: { reference: 'Patient/r1' } }));
    await world.sync.pullNow();
    there('r1', ANA);
    for (let rounds = 0; rounds < 2; rounds += 1) await world.sync.pullNow();
    expect((await world.all<Task>('Task')).map(({ focus }) => focus?.reference)).toEqual(['Patient/two']);
  });

  test('keeps nothing that was written about them until then', async () => {
    const closes: Tells = (changes) =>
      changes.some((one) => one.op === 'update' && one.resource.resourceType === 'Patient');
    let isMerging = false;
    const write = () => world.write(task('late', { for: { reference: 'Patient/one' } }));
    await open(closes, (n) => (isMerging && n > 0 ? write() : undefined), BOTH);
    await bothThere();
    const [from, into] = [await recordOf('one'), await recordOf('two')];
    const record = world.remote.all('Patient').find(({ id }) => id === from) as Patient & { id: string };
    world.remote.put({ ...record, active: false, link: link(into) });
    isMerging = true;
    await world.sync.pullNow();
    expect(await subjects()).toEqual(['Patient/two']);
  });

  test('is not who something is about that was read there in order to send ours', async () => {
    await openOnce(edits('Task'));
    await bothThere();
    world.remote.put(task('t1', { for: { reference: `Patient/${await recordOf('two')}` } }));
    await world.sync.pullNow();
    const [ours] = await world.all<Task>('Task');
    world.remote.put({ ...found('Task', 't1'), focus: { reference: `Patient/${await recordOf('one')}` } } as Task);
    await world.write({ ...(ours as Task & { id: string }), priority: 'urgent' });
    next = close;
    for (let rounds = 0; rounds < 2; rounds += 1) {
      await world.sync.pushNow();
      world.pass({ minutes: 2 });
    }
    expect(next).toBeUndefined();
    expect((await world.all<Task>('Task')).map(({ focus }) => focus?.reference)).toEqual(['Patient/two']);
  });

  test('is not given what comes from somebody else who is merged into them', async () => {
    const closeTwo = () => here('two', { ...two, active: false, link: link('three') });
    await openOnce(edits('Task'));
    await here('three', { name: [{ family: 'Three' }], birthDate: '1922-02-02' });
    await bothThere();
    world.remote.put(task('t1', { for: { reference: `Patient/${await recordOf('one')}` } }));
    await world.sync.pullNow();
    await mergeThere();
    next = closeTwo;
    for (let rounds = 0; rounds < 2; rounds += 1) await world.sync.pullNow();
    expect(next).toBeUndefined();
    expect(await subjects()).toEqual(['Patient/three']);
  });

  test('is not closed in favour of somebody who is closed in favour of them at that moment', async () => {
    const closeTwo = () => here('two', { ...two, active: false, link: link('one') });
    await openOnce(edits('Patient'));
    await bothThere();
    await mergeThere();
    next = closeTwo;
    for (let rounds = 0; rounds < 2; rounds += 1) await world.sync.pullNow();
    expect(next).toBeUndefined();
    expect((await world.all<Patient>('Patient')).filter(({ active }) => active !== false)).toHaveLength(1);
  });

  test('is found among as many as a group may have', async () => {
    await open(
      () => false,
      () => undefined,
      BOTH,
    );
    const head = await world.temp.store.head();
    await close();
    const member = Array.from({ length: 40_000 }, (_, n) => ({ entity: { reference: `Patient/${n || 'one'}` } }));
    const group: Group = { resourceType: 'Group', id: 'all', type: 'person', actual: true, member };
    const statements = unlessClosedMeanwhile([{ op: 'update', resource: group as Group & { id: string } }], head);
    await expect(world.temp.store.commit(NURSE, [], statements)).rejects.toMatchObject({ kind: 'conflict' });
  });

  test('is asked about no more when it ends just after they were closed', async () => {
    await open(
      () => false,
      () => undefined,
      BOTH,
    );
    const write = () => world.write(task('late', { for: { reference: 'Patient/one' } }));
    await bothThere();
    await mergeThere();
    await world.restart((store) => ({
      store: {
        ...store,
        commit: async (actor, changes, alongside, options) => {
          const done = await store.commit(actor, changes, alongside, options);
          if (actor.origin === 'ehr' && edits('Patient')(changes, [])) {
            await write();
            throw new Error('The process ends here.');
          }
          return done;
        },
      },
    }));
    await world.sync.pullNow().catch(() => undefined);
    await world.restart();
    await world.sync.pullNow();
    expect(await subjects()).toEqual(['Patient/two']);
    expect(await kinds()).toEqual([]);
    expect((await world.read<Patient>('Patient', 'one'))?.active).toBe(false);
  });
});

test('a page with a refused record reads no more of the log than one without', async () => {
  const seen = await open(
    () => false,
    () => undefined,
  );
  for (let n = 10; n < 50; n += 1) {
    const name = [{ family: `Family${n}`, given: [`Given${n}`] }];
    there(`p${n}`, { name, birthDate: `19${n}-01-02`, identifier: [{ ...MRN, value: String(n) }] });
  }
  there('odd', { gender: 'unclear' });
  await world.sync.pullNow();
  expect(await world.all('Patient')).toHaveLength(40);
  expect(seen.logRows).toBeLessThan(40);
});

// A merge there that is turned round or taken back: nobody is closed by it, and a person's answer opens the record again.
// docs/sync-spec.md#I8
import type { CarePlan, CareTeam, Flag, Patient, Task } from '@medplum/fhirtypes';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { NURSE, openWorld, patient, task, type World } from '../support/sync-world.ts';

let world: World;
let isBroken: boolean;
/** What a read of r1 shows instead of what a search does. */
let shownByRead: Patient | undefined;

beforeEach(async () => {
  isBroken = false;
  shownByRead = undefined;
  world = await openWorld({
    connection: { types: { Patient: 'both', Task: 'both', CarePlan: 'both', CareTeam: 'both' } },
    sync: () => ({
      fetch: async (url, init) =>
        (isBroken || shownByRead) && new URL(String(url)).pathname.endsWith('/Patient/r1')
          ? shownOf(shownByRead)
          : fetch(url, init),
    }),
  });
  await share('p1', 'r1', 'One');
});
afterEach(() => world.cleanup());

const shownOf = (body: Patient | undefined) =>
  body
    ? Response.json(body, { headers: { 'content-type': 'application/fhir+json' } })
    : new Response('', { status: 500 });

async function exchange(): Promise<void> {
  for (let rounds = 0; rounds < 2; rounds += 1) {
    await world.sync.pullNow();
    await world.sync.pushNow();
  }
}

/** One of ours who is there, with a task of theirs. */
async function share(id: string, remoteId: string, family: string): Promise<void> {
  const identifier = [{ system: 'urn:mrn', value: remoteId }];
  world.remote.put(patient(remoteId, { name: [{ family }], identifier }));
  world.remote.put(task(`task-${remoteId}`, { for: { reference: `Patient/${remoteId}` } }));
  await world.write(patient(id, { name: [{ family }], identifier }));
  await exchange();
}

const flag = (id: string): Flag & { id: string } => ({
  ...{ resourceType: 'Flag', id: `flag-${id}`, status: 'active', code: { text: 'Falls' } },
  subject: { reference: `Patient/${id}` },
});
const there = (id: string) => world.remote.all('Patient').find((one) => one.id === id) as Patient & { id: string };

function merge(from: string, into: string): void {
  const link = [{ type: 'replaced-by' as const, other: { reference: `Patient/${into}` } }];
  world.remote.put({ ...there(from), active: false, link });
}

function takeBack(id: string): void {
  const { link: _link, active: _active, ...whole } = there(id);
  world.remote.put(whole as Patient);
}

const inUse = ({ active, link }: Patient) => active !== false && link === undefined;
const oursInUse = async () => (await world.all<Patient>('Patient')).filter(inUse).map(({ id }) => id);
const theirsInUse = () =>
  (world.remote.all('Patient') as (Patient & { id: string })[]).filter(inUse).map(({ id }) => id);
const whose = async () => new Set((await world.all<Task>('Task')).map((one) => one.for?.reference));
const links = async () => {
  const sql =
    "SELECT local_id, remote_id FROM identity WHERE type = 'Patient' AND state <> 'replaced' ORDER BY remote_id";
  return (await world.temp.store.query(sql)).map(({ local_id, remote_id }) => [local_id, remote_id]);
};

async function answer(remoteId: string, to: string): Promise<void> {
  const question = (await world.sync.matches()).find((one) => one.remoteId === remoteId);
  await world.sync.decideMatch(NURSE, String(question?.id), { decision: 'link', to });
}

describe('a merge that is turned round', () => {
  test.each(['at once', 'first the one that is closed by it'])(
    'into a record that nobody else has: ours stays who it is and has the first one again, %s',
    async (how) => {
      world.remote.put(patient('r2', { name: [{ family: 'One' }], gender: 'female' }));
      merge('r1', 'r2');
      await exchange();
      merge('r2', 'r1');
      if (how !== 'at once') await exchange();
      takeBack('r1');
      await exchange();
      await exchange();
      expect([await oursInUse(), theirsInUse()]).toEqual([['p1'], ['r1']]);
      expect(await links()).toEqual([['p1', 'r1']]);
      expect([await world.sync.matches(), await world.sync.conflicts()]).toEqual([[], []]);
    },
  );

  test('of two who are both here: the one in use stays it, and has the record that is in use', async () => {
    await share('p2', 'r2', 'Two');
    merge('r1', 'r2');
    await exchange();
    merge('r2', 'r1');
    takeBack('r1');
    await exchange();
    await exchange();
    expect([await oursInUse(), theirsInUse()]).toEqual([['p2'], ['r1']]);
    expect(await links()).toEqual([['p2', 'r1']]);
    expect([...(await whose())]).toEqual(['Patient/p2']);
    expect(await world.sync.matches()).toEqual([]);
  });

  test('is met by a push', async () => {
    world.remote.put(patient('r2', { name: [{ family: 'One' }] }));
    merge('r1', 'r2');
    await exchange();
    merge('r2', 'r1');
    takeBack('r1');
    await world.write({
      ...((await world.read<Patient>('Patient', 'p1')) as Patient & { id: string }),
      gender: 'female',
    });
    await world.sync.pushNow();
    await exchange();
    expect([there('r1').gender, there('r2').gender]).toEqual(['female', undefined]);
    expect([await oursInUse(), theirsInUse()]).toEqual([['p1'], ['r1']]);
  });

  test('waits while the server does not show the record that is in use again, and holds up nothing else', async () => {
    world.remote.put(patient('r2', { name: [{ family: 'One' }] }));
    merge('r1', 'r2');
    await exchange();
    merge('r2', 'r1');
    isBroken = true;
    world.remote.put(task('t9', { for: { reference: 'Patient/r2' }, description: 'Nine' }));
    await exchange();
    expect(await oursInUse()).toEqual(['p1']);
    expect((await world.all<Task>('Task')).map(({ description }) => description)).toContain('Nine');
    isBroken = false;
    takeBack('r1');
    await exchange();
    expect([await oursInUse(), await links()]).toEqual([['p1'], [['p1', 'r1']]]);
  });

  test('records that go round in circles close nobody', async () => {
    world.remote.put(patient('r2', { name: [{ family: 'One' }] }));
    merge('r1', 'r2');
    await exchange();
    merge('r2', 'r1');
    await world.write({
      ...((await world.read<Patient>('Patient', 'p1')) as Patient & { id: string }),
      gender: 'female',
    });
    await world.sync.pushNow();
    await exchange();
    expect(await oursInUse()).toEqual(['p1']);
    expect((await world.read<Patient>('Patient', 'p1'))?.link).toBeUndefined();
  });
});

describe('a merge of two who are both here that is taken back', () => {
  beforeEach(async () => {
    await share('p2', 'r2', 'Two');
    merge('r1', 'r2');
    await exchange();
    await exchange();
    expect(await oursInUse()).toEqual(['p2']);
    takeBack('r1');
  });

  test('waits for the answer, whatever else is edited there meanwhile', async () => {
    for (const gender of ['female', 'male'] as const) {
      world.remote.put({ ...there('r1'), gender });
      await exchange();
    }
    expect(theirsInUse()).toEqual(['r1', 'r2']);
    expect(await links()).toEqual([['p2', 'r2']]);
    expect((await world.sync.matches()).map(({ remoteId }) => remoteId)).toEqual(['r1']);
    expect(await oursInUse()).toEqual(['p2']);
  });

  test('opens ours again with the answer that it is the one whose record it was', async () => {
    await exchange();
    world.remote.put({ ...there('r1'), gender: 'female' });
    await answer('r1', 'p1');
    await exchange();
    await exchange();
    expect([(await oursInUse()).sort(), theirsInUse()]).toEqual([
      ['p1', 'p2'],
      ['r1', 'r2'],
    ]);
    expect(await world.read('Patient', 'p1')).toMatchObject({ gender: 'female' });
    expect(await links()).toEqual([
      ['p1', 'r1'],
      ['p2', 'r2'],
    ]);
    expect(await world.sync.conflicts()).toEqual([]);
  });
});

describe.each(['new', 'apart', 'link'] as const)(
  'a merge that is taken back by a record of somebody else: %s',
  (decision) => {
    const theirs = () => world.remote.all('Task').find(({ id }) => id === 'task-r1') as Task & { id: string };
    const ours = async () => (await world.all<Task>('Task')).filter(({ description }) => description === 'Of one');
    const say = async () => {
      const [question, another] = await world.sync.matches();
      expect([question?.remoteId, question?.candidates.map(({ why }) => why), another]).toEqual([
        'r1',
        ['unmerged'],
        undefined,
      ]);
      const answered = decision === 'link' ? { decision, to: 'p3' } : { decision };
      await world.sync.decideMatch(NURSE, String(question?.id), answered);
    };

    beforeEach(async () => {
      await share('p2', 'r2', 'Two');
      await share('p3', 'r3', 'Three');
      world.remote.put({ ...theirs(), description: 'Of one' });
      await exchange();
      merge('r1', 'r2');
      await exchange();
      await exchange();
      world.remote.put(patient('r1', { name: [{ family: 'Else' }], birthDate: '1911-11-11' }) as Patient);
      await exchange();
    });

    test('what was theirs and went to who stood for them names that one there', async () => {
      await say();
      await exchange();
      await exchange();
      expect((await ours()).map((one) => one.for?.reference)).toEqual(['Patient/p2']);
      expect(theirs().for?.reference).toBe('Patient/r2');
      expect(await world.sync.conflicts()).toEqual([]);
    });

    test('what is edited of it there before that is asked about', async () => {
      await say();
      await world.sync.pullNow();
      world.remote.put({ ...theirs(), description: 'About somebody else' });
      await world.sync.pullNow();
      expect((await ours()).map((one) => one.for?.reference)).toEqual(['Patient/p2']);
      expect((await world.sync.conflicts()).map(({ paths }) => paths.map(({ path }) => path))).toEqual([['patient']]);
    });

    test('who is named by the URL of another server’s record with that id, or is somebody there under a like one, is not meant', async () => {
      await share('p8', 'R1', 'Eight');
      await share('p9', 'R9', 'Nine');
      merge('R1', 'R9');
      const requester = { reference: 'https://elsewhere.example/fhir/Patient/r1' };
      world.remote.put({ ...(world.remote.all('Task').find(({ id }) => id === 'task-r2') as Task), requester } as Task);
      await exchange();
      await say();
      const sql =
        "SELECT DISTINCT local_id FROM identity WHERE type = 'Patient' AND remote_id = 'r1' AND state = 'replaced'";
      const meant = (await world.temp.store.query(sql)).map(({ local_id }) => local_id);
      expect(meant.filter((id) => id !== 'p3')).toEqual(['p2']);
    });
  },
);

describe.each(['new', 'link'] as const)(
  'the same when all that names it also names the heir, or somebody who is not here: %s',
  (decision) => {
    test.each([
      'Patient/r2',
      'Patient/r99',
      'https://elsewhere.example/fhir/Patient/r99',
      'https://elsewhere.example/fhir/Patient/r1',
    ])('%s', async (reference) => {
      await share('p2', 'r2', 'Two');
      await share('p3', 'r3', 'Three');
      const about = { for: { reference: 'Patient/r1' }, requester: { reference } };
      world.remote.put(task('task-r1', { ...about, description: 'Of one' }));
      await exchange();
      merge('r1', 'r2');
      await exchange();
      await exchange();
      world.remote.put(patient('r1', { name: [{ family: 'Else' }], birthDate: '1911-11-11' }));
      await exchange();
      const id = String((await world.sync.matches())[0]?.id);
      await world.sync.decideMatch(NURSE, id, decision === 'link' ? { decision, to: 'p3' } : { decision });
      await world.sync.pullNow();
      world.remote.put(task('task-r1', { ...about, description: 'About somebody else' }));
      await world.sync.pullNow();
      const descriptions = (await world.all<Task>('Task')).map(({ description }) => description);
      expect(descriptions).toContain('Of one');
      expect(descriptions).not.toContain('About somebody else');
      expect((await world.sync.conflicts()).map(({ paths }) => paths.map(({ path }) => path))).toEqual([['patient']]);
    });
  },
);

describe.each(['new', 'link'] as const)('the same in one list with the heir: %s', (decision) => {
  async function answerElse(): Promise<void> {
    world.remote.put(patient('r1', { name: [{ family: 'Else' }], birthDate: '1911-11-11' }));
    await exchange();
    const id = String((await world.sync.matches())[0]?.id);
    await world.sync.decideMatch(NURSE, id, decision === 'link' ? { decision, to: 'p3' } : { decision });
    await exchange();
    await exchange();
  }

  test.each([[['r2', 'r1']], [['r1', 'r2']]])('%s', async (ids) => {
    await share('p2', 'r2', 'Two');
    await share('p3', 'r3', 'Three');
    const participant = ids.map((id) => ({ member: { reference: `Patient/${id}` } }));
    const subject = { reference: 'Patient/r2' };
    const team: CareTeam & { id: string } = {
      resourceType: 'CareTeam',
      id: 'a1',
      status: 'active',
      subject,
      participant,
    };
    merge('r1', 'r2');
    world.remote.put(team);
    await exchange();
    await answerElse();
    const members = (teams: readonly unknown[]) =>
      teams.map((one) => [...new Set((one as CareTeam).participant?.map(({ member }) => member?.reference))]);
    expect(members(await world.all<CareTeam>('CareTeam'))).toEqual([['Patient/p2']]);
    expect(members(world.remote.all('CareTeam'))).toEqual([['Patient/r2']]);
    expect(await world.sync.conflicts()).toEqual([]);
  });

  test('a list within an entry of another', async () => {
    await share('p2', 'r2', 'Two');
    await share('p3', 'r3', 'Three');
    const performer = ['r2', 'r1'].map((id) => ({ reference: `Patient/${id}` }));
    const plan: CarePlan & { id: string } = {
      resourceType: 'CarePlan',
      id: 'a1',
      status: 'active',
      intent: 'plan',
      subject: { reference: 'Patient/r2' },
      activity: [{ detail: { status: 'scheduled', performer } }],
    };
    merge('r1', 'r2');
    world.remote.put(plan);
    await exchange();
    await answerElse();
    const performers = (plans: readonly unknown[]) =>
      plans.map((one) => [
        ...new Set((one as CarePlan).activity?.[0]?.detail?.performer?.map(({ reference }) => reference)),
      ]);
    expect(performers(await world.all<CarePlan>('CarePlan'))).toEqual([['Patient/p2']]);
    expect(performers(world.remote.all('CarePlan'))).toEqual([['Patient/r2']]);
    expect(await world.sync.conflicts()).toEqual([]);
  });
});

test('a merge of strangers that is taken back: who the record is, is told by what the server has of it when that is found out', async () => {
  const about = { name: [{ family: 'Eight' }], identifier: [{ system: 'urn:mrn', value: 'x8' }] };
  world.remote.put(patient('r8', about));
  world.remote.put(patient('r9', { name: [{ family: 'Nine' }] }));
  merge('r8', 'r9');
  await world.sync.pullNow();
  takeBack('r8');
  await world.sync.pullNow();
  await world.write(patient('p8', about));
  world.remote.put(patient('r8', { name: [{ family: 'Else' }], birthDate: '1911-11-11' }));
  const messages = async () =>
    (await world.temp.store.query("SELECT id FROM message WHERE url LIKE '%/Patient/r8'")).length;
  const before = await messages();
  await world.sync.pullNow();
  expect(await messages()).toBe(before + 1);
  expect(await links()).toEqual([['p1', 'r1']]);
  expect(await world.sync.conflicts()).toEqual([]);
});

test('a merge that is taken back and made again before the answer is followed as it was the first time', async () => {
  await share('p2', 'r2', 'Two');
  const about = { status: 'final' as const, code: { text: 'Weight' }, subject: { reference: 'Patient/p1' } };
  await world.write({ resourceType: 'Observation', id: 'o1', ...about });
  merge('r1', 'r2');
  await exchange();
  const asked = async () =>
    (await world.sync.matches()).map(({ remoteId, candidates }) => [
      remoteId,
      candidates.map(({ localId }) => localId),
    ]);
  expect(await asked()).toEqual([['r1', ['p2']]]);
  takeBack('r1');
  await exchange();
  expect(await asked()).toEqual([['r1', ['p1']]]);
  merge('r1', 'r2');
  await exchange();
  expect(await asked()).toEqual([['r1', ['p2']]]);
  await world.write({ ...task('t9'), for: { reference: 'Patient/p1' } } as Task & { id: string });
  await exchange();
  expect(world.remote.all('Task').find(({ id }) => !id?.startsWith('task-'))).toMatchObject({
    for: { reference: 'Patient/r2' },
  });
});

test('a merge into an id that was merged itself, and that somebody else has by now, goes to whoever has it', async () => {
  await share('p2', 'r2', 'Two');
  world.remote.put(patient('r3', { name: [{ family: 'Three' }] }));
  await exchange();
  merge('r3', 'r2');
  await exchange();
  world.remote.put(patient('r3', { name: [{ family: 'One' }] }));
  merge('r1', 'r3');
  const about = { description: 'After', for: { reference: 'Patient/r2' } };
  world.remote.put(task('task-after', about));
  await exchange();
  expect(await links()).toEqual([
    ['p2', 'r2'],
    ['p1', 'r3'],
  ]);
  const tasks = (await world.all<Task>('Task')).filter(({ description }) => description === about.description);
  expect(tasks.map((one) => one.for?.reference)).toEqual(['Patient/p2']);
  expect((await oursInUse()).toSorted()).toEqual(['p1', 'p2']);
});

describe('a merge into an id that was merged itself, that somebody else has had since, and that was merged once more', () => {
  beforeEach(async () => {
    await share('p2', 'r2', 'Two');
    world.remote.put(patient('r3', { name: [{ family: 'Three' }] }));
    await exchange();
    merge('r3', 'r2');
    await exchange();
    world.remote.put(patient('r3', { name: [{ family: 'One' }] }));
    world.remote.put(patient('r4', { name: [{ family: 'One' }] }));
    merge('r1', 'r3');
    merge('r3', 'r4');
  });

  test('goes where the record says by now', async () => {
    await exchange();
    expect(await links()).toEqual([
      ['p2', 'r2'],
      ['p1', 'r4'],
    ]);
    expect((await oursInUse()).toSorted()).toEqual(['p1', 'p2']);
  });

  test('goes where a read of it leads by now', async () => {
    world.remote.knobs.redirects['Patient/r3'] = 'Patient/r4';
    world.remote.remove('Patient', 'r3');
    await exchange();
    expect(await links()).toEqual([
      ['p2', 'r2'],
      ['p1', 'r4'],
    ]);
    expect((await oursInUse()).toSorted()).toEqual(['p1', 'p2']);
  });

  test('is followed so by a push', async () => {
    const one = (await world.read<Patient>('Patient', 'p1')) as Patient & { id: string };
    await world.write({ ...one, gender: 'female' });
    await world.sync.pushNow();
    expect(await links()).toEqual([
      ['p2', 'r2'],
      ['p1', 'r4'],
    ]);
  });
});

test.each(['p1', 'p3'])(
  'a merge into a record of which it is asked whether it is ours again is asked about with it, and is whose a person says: %s',
  async (to) => {
    await share('p2', 'r2', 'Two');
    await share('p3', 'r3', 'Three');
    merge('r1', 'r2');
    await exchange();
    takeBack('r1');
    await exchange();
    merge('r3', 'r1');
    await exchange();
    const [question, another] = await world.sync.matches();
    const asked = question?.candidates.map(({ localId, why }) => [localId, why]);
    expect([question?.remoteId, asked?.sort(), another]).toEqual([
      'r1',
      [
        ['p1', 'unmerged'],
        ['p3', 'merged'],
      ],
      undefined,
    ]);
    expect(await links()).toEqual([['p2', 'r2']]);
    await answer('r1', to);
    await exchange();
    expect((await links()).filter(([, remoteId]) => remoteId === 'r1')).toEqual([[to, 'r1']]);
  },
);

describe('whose record was merged into another’s, but is somebody else by a person’s word', () => {
  beforeEach(async () => {
    await share('p2', 'r2', 'Two');
    // There is more of p1 than came from there.
    await world.write(flag('p1'));
    merge('r1', 'r2');
    await exchange();
    const [asked] = await world.sync.matches();
    await world.sync.decideMatch(NURSE, String(asked?.id), { decision: 'apart' });
    await exchange();
    expect(await links()).toEqual([['p2', 'r2']]);
  });

  test('has a record there again once that one was let go', async () => {
    world.remote.remove('Patient', 'r2');
    await world.write({ ...(await world.read<Patient>('Patient', 'p2')), gender: 'male' } as Patient & { id: string });
    await world.sync.pushNow();
    for (const { id } of await world.sync.conflicts()) await world.sync.resolve(NURSE, id, { take: 'ours' });
    await exchange();
    expect((await links()).map(([localId]) => localId).toSorted()).toEqual(['p1', 'p2']);
  });

  test('is asked about again when it was a second one of theirs and is a third one’s by now', async () => {
    const number = (value: string) => ({ system: 'urn:mrn', value });
    world.remote.put(patient('r5', { name: [{ family: 'Two' }], identifier: [number('r2'), number('5')] }));
    await exchange();
    await answer('r5', 'p2');
    await share('p4', 'r4', 'Four');
    await world.write(flag('p4'));
    merge('r4', 'r5');
    await exchange();
    const [asked] = await world.sync.matches();
    await world.sync.decideMatch(NURSE, String(asked?.id), { decision: 'apart' });
    await world.write(patient('p3', { name: [{ family: 'Three' }], identifier: [number('5')] }));
    await exchange();
    await answer('r5', 'p3');
    await exchange();
    const asks = (await world.sync.matches()).map(({ remoteId, candidates }) => [remoteId, candidates[0]?.localId]);
    expect(asks).toEqual([['r4', 'p3']]);
  });
});

test('whose record is in use again by a person’s word is not closed by what the server had merged the other one into before', async () => {
  await share('p2', 'r2', 'Two');
  world.remote.put(patient('r3', { name: [{ family: 'Two' }] }));
  merge('r2', 'r3');
  await exchange();
  expect(await links()).toContainEqual(['p2', 'r3']);
  takeBack('r2');
  await exchange();
  isBroken = true;
  merge('r3', 'r1');
  await world.sync.pullNow();
  expect(await links()).toEqual([['p1', 'r1']]);
  await answer('r2', 'p2');
  isBroken = false;
  await exchange();
  await exchange();
  expect((await oursInUse()).sort()).toEqual(['p1', 'p2']);
  expect(await links()).toEqual([
    ['p1', 'r1'],
    ['p2', 'r2'],
  ]);
  const asked = (await world.sync.matches()).flatMap(({ candidates }) =>
    candidates.map(({ localId, why }) => [localId, why]),
  );
  expect(asked).toEqual([['p1', 'merged']]);
});

describe('a merge into another’s record instead, while the first one is in use as before', () => {
  beforeEach(async () => {
    await share('p2', 'r2', 'Two');
    await share('p3', 'r3', 'Three');
    merge('r1', 'r2');
    await exchange();
    takeBack('r1');
    merge('r1', 'r3');
    await exchange();
  });
  const asked = async () =>
    (await world.sync.matches()).map(({ remoteId, candidates }) => [
      remoteId,
      candidates.map(({ localId }) => localId),
    ]);

  test('is asked about, until a person has said whose record it is', async () => {
    expect(await asked()).toEqual([['r1', ['p1']]]);
    world.remote.put({ ...there('r1'), gender: 'female' });
    await exchange();
    await world.sync.sweep();
    await exchange();
    expect(await asked()).toEqual([['r1', ['p1']]]);
  });

  test('is followed once a person has said that it is whose it was', async () => {
    await answer('r1', 'p1');
    world.remote.put(task('task-new', { description: 'New', for: { reference: 'Patient/r1' } }));
    await exchange();
    await exchange();
    expect([await oursInUse(), await asked()]).toEqual([['p2', 'p3'], []]);
    expect((await world.read<Patient>('Patient', 'p1'))?.link).toMatchObject([{ other: { reference: 'Patient/p3' } }]);
    const made = (await world.all<Task>('Task')).find(({ description }) => description === 'New');
    expect(made?.for?.reference).toBe('Patient/p3');
  });

  test('names the first one there as soon as a person has said that it is somebody else’s', async () => {
    await answer('r1', 'p3');
    await exchange();
    await exchange();
    expect(await asked()).toEqual([]);
    const theirs = world.remote.all('Task').find(({ id }) => id === 'task-r1') as Task;
    expect(theirs.for?.reference).toBe('Patient/r2');
  });
});

test('a search that shows late where a record was merged into before says nothing new', async () => {
  await share('p2', 'r2', 'Two');
  await share('p3', 'r3', 'Three');
  merge('r1', 'r3');
  await exchange();
  const now = there('r1');
  shownByRead = now;
  merge('r1', 'r2');
  await exchange();
  expect([await world.sync.matches(), await oursInUse()]).toEqual([[], ['p2', 'p3']]);
});

test('a merge that only goes on to the end of a chain is not asked about', async () => {
  await share('p2', 'r2', 'Two');
  await share('p3', 'r3', 'Three');
  merge('r1', 'r2');
  await exchange();
  merge('r1', 'r3');
  merge('r2', 'r3');
  await exchange();
  expect([await world.sync.matches(), await oursInUse()]).toEqual([[], ['p3']]);
});

// A search that lags behind shows a patient record as it was before the server merged it into another, or took that back: what the
// record says by now is followed, not taken for an edit. docs/sync-spec.md#I8
import type { Bundle, Patient, Task } from '@medplum/fhirtypes';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { NURSE, openWorld, patient, task, type World } from '../support/sync-world.ts';

type Kept = Patient & { id: string };

let world: World;
/** What searches for patients show instead of what is there. */
let shown: Kept[] | undefined;
/** How reads of r1, and of ids that begin with it, are answered instead. */
let refusal: (() => Response) | undefined;
/** Nothing else is answered either. */
let isAway: boolean;

async function open(patients: 'both' | 'pull'): Promise<void> {
  world = await openWorld({
    connection: { types: { Patient: patients, Task: 'both' } },
    sync: () => ({
      fetch: async (url, init) => {
        const { pathname } = new URL(String(url));
        const isShown = shown !== undefined && pathname.endsWith('/Patient');
        if (refusal && (isAway ? !isShown : pathname.includes('/Patient/r1'))) return refusal();
        if (!shown || !isShown) return fetch(url, init);
        const entry = shown.map((resource) => ({ resource }));
        const page: Bundle = { resourceType: 'Bundle', type: 'searchset', entry };
        return Response.json(page, { headers: { 'content-type': 'application/fhir+json' } });
      },
    }),
  });
}

beforeEach(async () => {
  shown = undefined;
  refusal = undefined;
  isAway = false;
  await open('both');
  await share('p1', 'r1', 'One');
});
afterEach(() => world.cleanup());

async function exchange(): Promise<void> {
  for (let rounds = 0; rounds < 2; rounds += 1) {
    await world.sync.pullNow();
    await world.sync.pushNow();
  }
}

async function share(id: string, remoteId: string, family: string): Promise<void> {
  const about = { name: [{ family }], identifier: [{ system: 'urn:mrn', value: remoteId }] };
  world.remote.put(patient(remoteId, about));
  await world.write(patient(id, about));
  await exchange();
}

const there = (id: string) => structuredClone(world.remote.all('Patient').find((one) => one.id === id)) as Kept;

function merge(from: string, into: string): void {
  const link = [{ type: 'replaced-by' as const, other: { reference: `Patient/${into}` } }];
  world.remote.put({ ...there(from), active: false, link });
}

async function pullShowing(...copies: Kept[]): Promise<void> {
  shown = copies;
  await world.sync.pullNow();
  shown = undefined;
}

async function answer(remoteId: string, to: string): Promise<void> {
  const question = (await world.sync.matches()).find((one) => one.remoteId === remoteId);
  await world.sync.decideMatch(NURSE, String(question?.id), { decision: 'link', to });
}

const inUse = ({ active, link }: Patient) => active !== false && link === undefined;
const oursInUse = async () =>
  (await world.all<Patient>('Patient'))
    .filter(inUse)
    .map(({ id }) => id)
    .toSorted();
const links = async () => {
  const sql =
    "SELECT local_id, remote_id FROM identity WHERE type = 'Patient' AND state <> 'replaced' ORDER BY remote_id";
  return (await world.temp.store.query(sql)).map(({ local_id, remote_id }) => [local_id, remote_id]);
};

/** A copy that is not shown any more once the next one is known here. */
async function editedThere(): Promise<Kept> {
  const before = there('r1');
  world.remote.put({ ...before, gender: 'female' });
  await exchange();
  return before;
}

test('into a record that nobody has: ours stays in use and has that one', async () => {
  const before = await editedThere();
  world.remote.put(patient('r2', { name: [{ family: 'One' }] }));
  merge('r1', 'r2');
  await pullShowing(before);
  expect(await oursInUse()).toEqual(['p1']);
  await exchange();
  expect([await oursInUse(), await links()]).toEqual([['p1'], [['p1', 'r2']]]);
});

test('into a record that the same page brings: ours has that one, and nobody is made', async () => {
  await world.cleanup();
  await open('pull');
  world.remote.put(patient('r1', { name: [{ family: 'One' }] }));
  await exchange();
  const [one] = await oursInUse();
  const before = await editedThere();
  world.remote.put(patient('r2', { name: [{ family: 'Married' }], birthDate: '1951-03-02' }));
  merge('r1', 'r2');
  await pullShowing(before, there('r2'));
  expect([await oursInUse(), await links()]).toEqual([[one], [[one, 'r2']]]);
  await exchange();
  expect([await oursInUse(), await links()]).toEqual([[one], [[one, 'r2']]]);
});

test('that is taken back, while what was merged into that record before says nothing new, is asked about', async () => {
  const put = (id: string) => world.remote.put(patient(id, { name: [{ family: 'One' }] }));
  put('r2');
  merge('r1', 'r2');
  await exchange();
  put('r3');
  merge('r2', 'r3');
  const merged = there('r2');
  await pullShowing(merged);
  expect(await links()).toEqual([['p1', 'r3']]);
  world.remote.put(patient('r2', { name: [{ family: 'Else' }], birthDate: '1911-11-11' }));
  await pullShowing(there('r1'));
  await pullShowing(merged);
  await world.sync.pullNow();
  const asked = (await world.sync.matches()).map(({ remoteId, candidates: [one] }) => [
    remoteId,
    one?.localId,
    one?.why,
  ]);
  expect(asked).toEqual([['r2', 'p1', 'unmerged']]);
  expect([await oursInUse(), await links()]).toEqual([['p1'], [['p1', 'r3']]]);
});

test.each([1, 2])(
  'that was taken back before another into that record: shown so for %s pulls, it closes nobody',
  async (pulls) => {
    await share('p2', 'r2', 'Two');
    await share('p3', 'r3', 'Three');
    world.remote.put(task('t1', { for: { reference: 'Patient/r1' } }));
    await exchange();
    const before = there('r2');
    merge('r2', 'r3');
    const merged = there('r2');
    await exchange();
    world.remote.put(before);
    merge('r1', 'r2');
    for (let count = 0; count < pulls; count += 1) {
      await pullShowing(there('r1'), merged);
      await world.sync.pushNow();
    }
    await exchange();
    expect(await oursInUse()).toEqual(['p1', 'p3']);
    expect(await links()).toEqual([
      ['p1', 'r2'],
      ['p3', 'r3'],
    ]);
    expect(await world.all('Task')).toMatchObject([{ for: { reference: 'Patient/p1' } }]);
  },
);

test('that is known is not taken for taken back', async () => {
  await share('p2', 'r2', 'Two');
  const before = await editedThere();
  merge('r1', 'r2');
  await exchange();
  await pullShowing(before);
  expect(await world.sync.matches()).toEqual([]);
  await exchange();
  expect([await oursInUse(), await links()]).toEqual([['p2'], [['p2', 'r2']]]);
});

describe('that is known, while a read of the record fails', () => {
  const REFUSALS: Record<string, () => Response> = {
    500: () => new Response('', { status: 500 }),
    429: () => new Response('', { status: 429 }),
    'a time-out': () => {
      throw new DOMException('The operation was aborted due to timeout', 'TimeoutError');
    },
  };
  let before: Kept;
  beforeEach(async () => {
    await share('p2', 'r2', 'Two');
    before = await editedThere();
    merge('r1', 'r2');
    await exchange();
  });
  const held = async () => (await world.temp.store.query('SELECT remote_id FROM held_resource')).length;
  const asked = async () => (await world.sync.matches()).map(({ remoteId }) => remoteId);

  test.each(Object.keys(REFUSALS))('%s: it is not taken for taken back, and the next pull asks again', async (how) => {
    refusal = REFUSALS[how];
    world.remote.put(task('t9', { for: { reference: 'Patient/r2' }, description: 'Nine' }));
    await pullShowing(before);
    expect([await asked(), await links(), await held()]).toEqual([[], [['p2', 'r2']], 1]);
    expect((await world.all<Task>('Task')).map(({ description }) => description)).toContain('Nine');
    refusal = undefined;
    await exchange();
    expect([await asked(), await oursInUse(), await links(), await held()]).toEqual([[], ['p2'], [['p2', 'r2']], 0]);
  });

  test('nor while nothing is answered but the search', async () => {
    refusal = REFUSALS[500];
    shown = [before];
    isAway = true;
    await world.sync.pullNow();
    isAway = false;
    refusal = undefined;
    expect([await asked(), await links(), await held()]).toEqual([[], [['p2', 'r2']], 0]);
    world.pass({ minutes: 20 });
    await exchange();
    expect([await asked(), await oursInUse(), await links()]).toEqual([[], ['p2'], [['p2', 'r2']]]);
  });

  test('several such records hold up nobody else', async () => {
    await share('p1a', 'r1a', 'Another');
    const both = [before, there('r1a')];
    merge('r1a', 'r2');
    await exchange();
    refusal = REFUSALS[500];
    await pullShowing(...both);
    expect(await held()).toBe(2);
    world.remote.put(task('t9', { for: { reference: 'Patient/r2' }, description: 'Nine' }));
    world.pass({ minutes: 20 });
    await pullShowing(...both);
    expect((await world.all<Task>('Task')).map(({ description }) => description)).toEqual(['Nine']);
    expect((await world.sync.status())[0]).toMatchObject({ breaker: { state: 'closed' } });
    refusal = undefined;
    await exchange();
    expect([await asked(), await oursInUse(), await links(), await held()]).toEqual([[], ['p2'], [['p2', 'r2']], 0]);
  });

  test('what was taken back indeed is asked about once it can be read', async () => {
    const { link: _link, active: _active, ...whole } = there('r1');
    world.remote.put(whole);
    refusal = REFUSALS[500];
    await exchange();
    expect(await asked()).toEqual([]);
    refusal = undefined;
    await exchange();
    expect([await asked(), await links()]).toEqual([['r1'], [['p2', 'r2']]]);
  });

  test.each([
    ['taken back', 'p1'],
    ['merged as before', 'p2'],
  ])('what names the record waits until it can be read: %s', async (what, whose) => {
    const tasks = async () =>
      (await world.all<Task>('Task')).map((one) => [one.description, one.for?.reference]).toSorted();
    if (what === 'taken back') {
      const { link: _link, active: _active, ...whole } = there('r1');
      world.remote.put(whole);
    } else shown = [before];
    refusal = REFUSALS[500];
    world.remote.put(task('t9', { for: { reference: 'Patient/r1' }, description: 'Nine' }));
    await world.sync.pullNow();
    expect([await tasks(), await asked()]).toEqual([[], []]);
    refusal = undefined;
    shown = undefined;
    await exchange();
    if (whose === 'p1') {
      expect([await tasks(), await asked()]).toEqual([[], ['r1']]);
      await answer('r1', 'p1');
      await exchange();
    }
    expect([await tasks(), await held()]).toEqual([[['Nine', `Patient/${whose}`]], 0]);
  });

  test('one that is gone there is asked about', async () => {
    world.remote.remove('Patient', 'r1');
    await pullShowing(before);
    expect(await asked()).toEqual(['r1']);
  });
});

test('into the patient’s second record: ours is not closed in favour of itself', async () => {
  world.remote.put(patient('r2', { name: [{ family: 'One' }], identifier: [{ system: 'urn:mrn', value: 'r1' }] }));
  await exchange();
  await answer('r2', 'p1');
  const before = await editedThere();
  merge('r1', 'r2');
  await pullShowing(before);
  await exchange();
  expect([await oursInUse(), await links()]).toEqual([['p1'], [['p1', 'r2']]]);
  expect(there('r2')).not.toHaveProperty('link');
});

test('into another patient’s: theirs stands for ours', async () => {
  await share('p2', 'r2', 'Two');
  const before = await editedThere();
  merge('r1', 'r2');
  await pullShowing(before);
  await exchange();
  expect([await oursInUse(), await links()]).toEqual([['p2'], [['p2', 'r2']]]);
  expect((await world.read<Patient>('Patient', 'p1'))?.link).toMatchObject([{ other: { reference: 'Patient/p2' } }]);
});

test('that was taken back: the answer that it is ours holds', async () => {
  await share('p2', 'r2', 'Two');
  merge('r1', 'r2');
  const closed = there('r1');
  await exchange();
  const { link: _link, active: _active, ...open } = closed;
  world.remote.put(open);
  await exchange();
  await answer('r1', 'p1');
  await exchange();
  await pullShowing(closed);
  await world.sync.pushNow();
  expect(await oursInUse()).toEqual(['p1', 'p2']);
  expect(await links()).toEqual([
    ['p1', 'r1'],
    ['p2', 'r2'],
  ]);
});

test('of one about whom a question is open: the copy from before the question does not hide it', async () => {
  const before = there('r1');
  const one = (await world.read<Patient>('Patient', 'p1')) as Kept;
  await world.write({ ...one, maritalStatus: { text: 'ours' } });
  world.remote.put({ ...before, maritalStatus: { text: 'theirs' } });
  await world.sync.pullNow();
  expect(await world.sync.conflicts()).toHaveLength(1);
  world.remote.put(patient('r2', { name: [{ family: 'One' }] }));
  merge('r1', 'r2');
  await pullShowing(before);
  expect([await oursInUse(), await world.sync.conflicts()]).toEqual([['p1'], []]);
  await world.sync.pullNow();
  expect([await oursInUse(), await links()]).toEqual([['p1'], [['p1', 'r2']]]);
});

test('that we made there ourselves is known, and stays as it is', async () => {
  await share('p2', 'r2', 'Two');
  const before = await editedThere();
  const link = [{ type: 'replaced-by' as const, other: { reference: 'Patient/p2' } }];
  await world.write({ ...((await world.read<Patient>('Patient', 'p1')) as Kept), active: false, link });
  await exchange();
  const known = await links();
  expect(there('r1').link).toMatchObject([{ other: { reference: 'Patient/r2' } }]);
  await pullShowing(before);
  expect([await oursInUse(), await links()]).toEqual([['p2'], known]);
});

test('of strangers, taken back and made again while it waits: a read that leads to the other one makes nobody of it', async () => {
  await world.cleanup();
  await open('pull');
  for (const id of ['r1', 'r9']) world.remote.put(patient(id, { name: [{ family: id }] }));
  merge('r1', 'r9');
  await world.sync.pullNow();
  const { link: _link, active: _active, ...before } = there('r1');
  world.remote.put(before);
  await pullShowing(before, there('r9'));
  refusal = () => new Response(null, { status: 302, headers: { location: `${world.remote.baseUrl}/Patient/r9` } });
  await pullShowing(there('r9'));
  await pullShowing(there('r9'));
  expect((await links()).map(([, remoteId]) => remoteId)).toEqual(['r9']);
  expect(await world.all('Patient')).toHaveLength(1);
});

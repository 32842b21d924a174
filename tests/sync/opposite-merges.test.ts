// Patients who are merged here, one into the next, while the server merges their records in the opposite direction: what is sent
// of it closes nobody in a circle, and the record that is in use there stays in use. docs/sync-spec.md#I8
import type { Patient } from '@medplum/fhirtypes';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { NURSE, openWorld, patient, type World } from '../support/sync-world.ts';

const NAMES = { p0: 'Zero', p1: 'One', p2: 'Two', p3: 'Three' } as const;

let world: World;
afterEach(() => world.cleanup());

async function round(): Promise<void> {
  await world.sync.pullNow();
  await world.sync.pushNow();
}

const ours = (id: keyof typeof NAMES) =>
  patient(id, { name: [{ family: NAMES[id] }], identifier: [{ system: 'urn:mrn', value: id }] });

/** As a message or a person merges, without any server. */
async function closeHere(id: string, into: string): Promise<void> {
  const link = [{ type: 'replaced-by', other: { reference: `Patient/${into}` } }];
  await world.write({ ...(await world.read<Patient>('Patient', id)), active: false, link } as Patient & { id: string });
}

/** Each record there by the family name of whose it is: those whom it says that it was replaced by, and whether it is in use. */
function there(): Record<string, string> {
  const records = world.remote.all('Patient') as (Patient & { id: string })[];
  const nameOf = (id: string | undefined) => records.find((one) => one.id === id)?.name?.[0]?.family ?? '';
  const into = ({ link, active }: Patient) => {
    const next = link?.find(({ type }) => type === 'replaced-by')?.other.reference;
    return next === undefined ? (active === false ? 'nobody' : 'in use') : nameOf(next.replace('Patient/', ''));
  };
  return Object.fromEntries(records.map((one) => [nameOf(one.id), into(one)]));
}

function mergeThere(from: string, into: string): void {
  const records = world.remote.all('Patient') as (Patient & { id: string })[];
  const [closed, open] = [from, into].map((family) => records.find(({ name }) => name?.[0]?.family === family));
  const link = [{ type: 'replaced-by' as const, other: { reference: `Patient/${open?.id}` } }];
  world.remote.put({ ...(closed as Patient & { id: string }), active: false, link });
}

async function holders(): Promise<unknown[]> {
  const sql = `SELECT local_id FROM identity WHERE connection = 'ehr' AND type = 'Patient' AND state <> 'replaced'
    ORDER BY local_id`;
  return (await world.temp.store.query(sql)).map(({ local_id }) => local_id);
}

describe('of three, where each has a record there', () => {
  beforeEach(async () => {
    world = await openWorld({ others: { lab: {} } });
    for (const id of ['p1', 'p2', 'p3'] as const) await world.write(ours(id));
    await round();
    mergeThere('Two', 'One');
  });

  test('the first one’s is closed in favour of the last one’s: the second one’s says that it was replaced by it', async () => {
    await world.sync.pullNow();
    await closeHere('p1', 'p2');
    await closeHere('p2', 'p3');
    await world.sync.pushNow();
    expect(there()).toEqual({ One: 'Three', Two: 'One', Three: 'in use' });
    for (let rounds = 0; rounds < 3; rounds += 1) await round();
    expect(there()).toEqual({ One: 'Three', Two: 'One', Three: 'in use' });
    expect((await world.read<Patient>('Patient', 'p3'))?.active).toBeUndefined();
  });

  test('the same when nobody here has heard of it', async () => {
    await closeHere('p1', 'p2');
    await closeHere('p2', 'p3');
    await world.sync.pushNow();
    for (let rounds = 0; rounds < 3; rounds += 1) await round();
    expect(there()).toEqual({ One: 'Three', Two: 'One', Three: 'in use' });
  });

  test('it stays in use when whoever stands for them was deleted here', async () => {
    await world.sync.pullNow();
    await closeHere('p1', 'p2');
    await world.temp.store.commit(NURSE, [{ op: 'delete', type: 'Patient', id: 'p2' }]);
    await world.sync.pushNow();
    for (let rounds = 0; rounds < 3; rounds += 1) await round();
    expect(there()).toEqual({ One: 'in use', Two: 'One', Three: 'in use' });
  });

  test('it is in use again there when it is so here', async () => {
    await world.write(ours('p0'));
    await round();
    const seealso = [{ type: 'seealso', other: { reference: 'Patient/p0' } }];
    await world.write({ ...ours('p1'), link: seealso } as Patient & { id: string });
    await round();
    const replaced = [...seealso, { type: 'replaced-by', other: { reference: 'Patient/p2' } }];
    await world.write({ ...ours('p1'), active: false, link: replaced } as Patient & { id: string });
    await closeHere('p2', 'p3');
    await world.sync.pushNow();
    expect(there().One).toBe('Three');
    await world.write({ ...ours('p1'), link: seealso } as Patient & { id: string });
    await world.sync.pushNow();
    expect(there()).toEqual({ Zero: 'in use', One: 'in use', Two: 'One', Three: 'in use' });
  });
});

describe('of three, where the last one has no record there', () => {
  beforeEach(async () => {
    world = await openWorld({ connection: { matching: { owner: 'remote' } }, others: { lab: {} } });
    for (const id of ['p1', 'p2'] as const) {
      world.remote.put({ ...ours(id), id: `r-${id}` });
      await world.write(ours(id));
    }
    await round();
    await world.write(ours('p3'));
    mergeThere('Two', 'One');
  });

  test.each([
    ['', true],
    [', when nobody here has heard of it', false],
  ])('they have the one that is in use there%s', async (_when, isHeard) => {
    if (isHeard) await world.sync.pullNow();
    await closeHere('p1', 'p2');
    await closeHere('p2', 'p3');
    await world.sync.pushNow();
    // A server that owns its patients is asked for one of ours from time to time.
    world.pass({ minutes: 20 });
    for (let rounds = 0; rounds < 3; rounds += 1) await round();
    expect(there()).toEqual({ One: 'in use', Two: 'One' });
    expect(await holders()).toEqual(['p3']);
    const [asked] = await world.sync.conflicts();
    const { tag } = await world.sync.conflict(String(asked?.id));
    await world.sync.resolve(NURSE, String(asked?.id), { take: 'ours' }, tag);
    await round();
    expect(there()).toEqual({ Three: 'in use', Two: 'Three' });
  });
});

test('while it is not known whether the last one has a record there, the one in use stays the first one’s', async () => {
  world = await openWorld({ others: { lab: {} }, sync: () => ({ random: () => 0.99 }) });
  for (const id of ['p1', 'p2'] as const) await world.write(ours(id));
  await round();
  mergeThere('Two', 'One');
  await world.sync.pullNow();
  await world.write(ours('p3'));
  world.remote.knobs.dropWrite = 'after';
  await world.sync.pushNow();
  await closeHere('p1', 'p2');
  await closeHere('p2', 'p3');
  await world.sync.pushNow();
  expect(there()).toEqual({ One: 'in use', Two: 'One', Three: 'in use' });
  expect(await holders()).toEqual(['p1']);
  world.pass({ minutes: 20 });
  for (let rounds = 0; rounds < 3; rounds += 1) await round();
  expect(there()).toEqual({ One: 'Three', Two: 'One', Three: 'in use' });
  expect(await holders()).toEqual(['p1', 'p3']);
});

test('while the server does not show the record of whoever stands for the first one, that one’s stays in use', async () => {
  let isBroken = false;
  const failing: typeof fetch = async (url, init) =>
    isBroken && (init?.method ?? 'GET') === 'GET' && new URL(String(url)).pathname.endsWith('/Patient/r-p2')
      ? new Response('', { status: 500 })
      : fetch(url, init);
  world = await openWorld({ sync: () => ({ fetch: failing }) });
  for (const id of ['p1', 'p2'] as const) {
    world.remote.put({ ...ours(id), id: `r-${id}` });
    await world.write(ours(id));
  }
  await round();
  mergeThere('Two', 'One');
  await closeHere('p1', 'p2');
  isBroken = true;
  await world.sync.pushNow();
  expect(there()).toEqual({ One: 'in use', Two: 'One' });
  isBroken = false;
  world.pass({ minutes: 20 });
  await round();
  await round();
  expect(there()).toEqual({ One: 'in use', Two: 'One' });
  expect(await holders()).toEqual(['p2']);
});

describe('a record of which a person says that it is also that of the one who has none there', () => {
  const maria = (id: string) => patient(id, { identifier: [{ system: 'urn:mrn', value: '1' }] });

  beforeEach(async () => {
    world = await openWorld();
    await world.write(maria('p1'));
    await round();
    await world.write(maria('p2'));
    await world.sync.pushNow();
  });

  test('is theirs when the other one was merged into them meanwhile', async () => {
    await closeHere('p1', 'p2');
    const [asked] = await world.sync.matches();
    await world.sync.decideMatch(NURSE, String(asked?.id), { decision: 'link', to: 'p2', merge: true });
    await world.sync.pushNow();
    for (let rounds = 0; rounds < 3; rounds += 1) await round();
    const records = world.remote.all('Patient') as Patient[];
    expect(records.map(({ active, link }) => [active, link])).toEqual([[undefined, undefined]]);
    expect(await holders()).toEqual(['p2']);
    expect([await world.sync.matches(), await world.sync.conflicts()]).toEqual([[], []]);
  });
});

test('the record of one who was merged into another is that one’s where the server lets nobody be made', async () => {
  const doors = {
    Patient: { interactions: ['read', 'search-type', 'update'], search: ['identifier', '_lastUpdated'] },
  };
  world = await openWorld({ connection: { types: { Patient: 'both' } }, knobs: { doors } });
  world.remote.put({ ...ours('p1'), id: 'r-p1' });
  await world.write(ours('p1'));
  await round();
  await world.write(patient('p2', { name: [{ family: 'One' }] }));
  await closeHere('p1', 'p2');
  for (let rounds = 0; rounds < 3; rounds += 1) await round();
  expect(there()).toEqual({ One: 'in use' });
  expect(await holders()).toEqual(['p2']);
});

describe('a record there that says, by our identifier, that it was replaced by the one whose it is', () => {
  beforeEach(async () => {
    world = await openWorld();
    for (const id of ['p1', 'p2'] as const) await world.write(ours(id));
    await round();
  });

  /** Of p1. */
  function closeForOurs(value: string): void {
    const system = 'https://baton.test/id';
    const other = { type: 'Patient' as const, identifier: { system, value } };
    const records = world.remote.all('Patient') as (Patient & { id: string })[];
    const record = records.find(({ name }) => name?.[0]?.family === 'One') as Patient & { id: string };
    world.remote.put({ ...record, active: false, link: [{ type: 'replaced-by', other }] });
  }
  const oursInUse = async () =>
    (await world.all<Patient>('Patient')).filter(({ active }) => active !== false).map(({ id }) => id);
  const refusals = () =>
    world.temp.store.query("SELECT outcome, detail FROM message WHERE detail LIKE '%in favour of themselves%'");

  test.each(['p1', 'p2'])('closes nobody when it is pulled: %s', async (named) => {
    if (named === 'p2') await closeHere('p2', 'p1');
    closeForOurs(named);
    await world.sync.pullNow();
    expect(await oursInUse()).toContain('p1');
    expect(await refusals()).toMatchObject([{ outcome: 'quarantined' }]);
  });

  test('nor when a push reads it', async () => {
    closeForOurs('p1');
    await world.write({ ...ours('p1'), gender: 'female' } as Patient & { id: string });
    await world.sync.pushNow();
    expect(await oursInUse()).toContain('p1');
    expect((await world.sync.status())[0]).toMatchObject({ rejected: 1 });
  });
});

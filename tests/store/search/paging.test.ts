// Order, pages, cursors and totals. https://hl7.org/fhir/R4/search.html#sort
import type { Patient, Task } from '@medplum/fhirtypes';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseSearch } from '../../../src/fhir/search/parse.ts';
import { faultOf } from '../../support/store-fixtures.ts';
import { TEST_BASE_URL, testParameters } from '../../support/store-rules.ts';
import { openSearchWorld, readAllPages, type SearchWorld } from './search-world.ts';

let world: SearchWorld;
const MANY = 50;

const patient = (id: string, more: Partial<Patient> = {}): Patient => ({ resourceType: 'Patient', id, ...more });
const task = (id: string, more: Partial<Task> = {}): Task => ({
  resourceType: 'Task',
  id,
  status: 'requested',
  intent: 'order',
  owner: { reference: 'Practitioner/nurse' },
  ...more,
});
const due = (end: string): Partial<Task> => ({ restriction: { period: { end } } });

beforeAll(async () => {
  world = await openSearchWorld();
  await world.put(
    patient('b', { birthDate: '2000-01-01', name: [{ family: 'Berg' }, { family: 'Zorn' }] }),
    patient('a', { birthDate: '1990-01-01', name: [{ family: 'Abel' }] }),
    patient('n'),
    patient('c', { birthDate: '2010-01-01', name: [{ family: 'Carl' }, { family: 'Aal' }] }),
  );
  const tied = Array.from({ length: MANY }, (_, i) => task(`tied-${i}`, { priority: 'urgent', ...due('2026-01-01') }));
  await world.put(
    ...tied,
    task('none'),
    task('late', { priority: 'asap', ...due('2027-01-01') }),
    task('early', { priority: 'asap', ...due('2025-01-01'), status: 'in-progress' }),
    task('done', { status: 'completed' }),
  );
});
afterAll(() => world.cleanup());

test.each([
  ['', ['b', 'a', 'n', 'c']],
  ['_sort=birthdate', ['a', 'b', 'c', 'n']],
  ['_sort=-birthdate', ['c', 'b', 'a', 'n']],
  ['_sort=family', ['c', 'a', 'b', 'n']],
  ['_sort=-family', ['b', 'c', 'a', 'n']],
  ['_sort=_id', ['a', 'b', 'c', 'n']],
  ['_sort=-_id', ['n', 'c', 'b', 'a']],
  ['_sort=gender,-birthdate', ['c', 'b', 'a', 'n']],
])('Patient?%s: a missing value filters nothing and comes last', async (query, expected) => {
  expect(await world.ids(`Patient?${query}`)).toEqual(expected);
});

const WORKLIST = 'Task?owner=Practitioner/nurse&status=requested,in-progress&_sort=priority,due&_include=Task:patient';

test('the worklist is in order of priority, then due time; pages hold every tie once', async () => {
  const all = await world.ids(`${WORKLIST}&_count=1000`);
  expect(all.slice(0, 2)).toEqual(['early', 'late']);
  expect(all.at(-1)).toBe('none');
  expect(all).toHaveLength(MANY + 3);
  for (const count of [1, 7, 50, 53]) {
    expect(await readAllPages(world, `${WORKLIST}&_count=${count}`)).toEqual(all);
  }
});

test.each([
  'Task?',
  'Task?status=requested',
  'Task?_sort=-_lastUpdated',
  'Task?_sort=-due,_id',
  'Task?status:not=failed',
])('%s pages through everything once, in the order of one large page', async (url) => {
  const all = await world.ids(`${url}&_count=1000`);
  expect(new Set(all).size).toBe(all.length);
  expect(await readAllPages(world, `${url}&_count=4`)).toEqual(all);
});

test('what is written and deleted between pages moves no other resource', async () => {
  const before = await world.found('Task?_count=1000');
  const seen = await readAllPages(world, 'Task?_sort=due&_count=5', async (page) => {
    await world.put(task(`new-${page}`, due(page % 2 ? '2020-01-01' : '2030-01-01')));
    if (page > 1) await world.remove('Task', `new-${page - 1}`);
  });
  const untouched = seen.filter((id) => !id.startsWith('new-'));
  expect(untouched.sort()).toEqual(before);
  for (const { id } of (await world.search('Task?_count=1000')).items) {
    if (id.startsWith('new-')) await world.remove('Task', id);
  }
});

test('totals: exact when asked for, known when one page holds all, and never with none', async () => {
  const total = async (query: string) => (await world.search(`Task?status=requested&${query}`)).total;
  expect(await total('_count=5&_total=accurate')).toBe(MANY + 2);
  expect(await total('_count=5')).toBeUndefined();
  expect(await total('_count=100')).toBe(MANY + 2);
  expect(await total('_count=100&_total=none')).toBeUndefined();
  expect(await world.search('Task?status=requested&_count=0')).toEqual({ items: [], included: [], total: MANY + 2 });
  expect((await world.search('Task?status=requested,requested&_count=0')).total).toBe(MANY + 2);
});

test('a cursor belongs to its query, survives a restart, and is refused when it is malformed', async () => {
  const url = 'Patient?_sort=birthdate&_count=2';
  const { next = '' } = await world.search(url);
  expect((await world.search(url, { cursor: next })).items.map((item) => item.id)).toEqual(['c', 'n']);
  expect((await world.search('Patient?_sort=birthdate&_count=1', { cursor: next })).items).toHaveLength(1);
  for (const other of ['Patient?_sort=-birthdate', 'Patient?_sort=birthdate&gender=male']) {
    expect((await faultOf(world.search(other, { cursor: next }))).status).toBe(400);
  }
  const forged = [
    '',
    'x',
    'bnVsbA',
    next.slice(2),
    Buffer.from('["a",1.5,2]').toString('base64url'),
    Buffer.from('["a",1]').toString('base64url'),
    Buffer.from('["a",1,{}]').toString('base64url'),
  ];
  for (const cursor of forged) {
    expect((await faultOf(world.search(url, { cursor }))).status, cursor).toBe(400);
  }
});

test('a search over all types is narrowed by what all types share', async () => {
  const search = async (query: string) => {
    const pairs = [...new URLSearchParams(query)];
    const parsed = parseSearch(testParameters, undefined, pairs, { handling: 'strict', baseUrl: TEST_BASE_URL });
    return (await world.temp.store.search(parsed)).items.map((item) => `${item.type}/${item.id}`);
  };
  expect(await search('_id=a,none')).toEqual(['Patient/a', 'Task/none']);
  expect(await search('_id=a,none&_type=Task')).toEqual(['Task/none']);
  expect(await search('_type=Task&status=completed')).toEqual(['Task/done']);
  expect(await search('_type=Task,ServiceRequest&status=completed')).toEqual(['Task/done']);
  expect(await search('_type=Patient,Group&_sort=-_id')).toEqual(['Patient/n', 'Patient/c', 'Patient/b', 'Patient/a']);
});

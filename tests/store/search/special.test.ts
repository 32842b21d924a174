// Full text, lists, positions and hierarchies. https://hl7.org/fhir/R4/search.html
import type { Condition, List, Location, Resource } from '@medplum/fhirtypes';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Fault } from '../../../src/fault.ts';
import { NURSE } from '../../support/store-fixtures.ts';
import { openSearchWorld, readAllPages, type SearchWorld } from './search-world.ts';

let world: SearchWorld;

const narrated = (id: string, div: string, note = ''): Condition => ({
  resourceType: 'Condition',
  id,
  subject: { reference: 'Patient/p' },
  text: { status: 'generated', div: `<div xmlns="http://www.w3.org/1999/xhtml">${div}</div>` },
  ...(note === '' ? {} : { note: [{ text: note }] }),
});

const place = (id: string, partOf?: string, more: Partial<Location> = {}): Location => ({
  resourceType: 'Location',
  id,
  ...(partOf === undefined ? {} : { partOf: { reference: `Location/${partOf}` } }),
  ...more,
});
const at = (latitude: number, longitude: number): Partial<Location> => ({ position: { latitude, longitude } });

const happened = (id: string, location: string): Resource => ({
  resourceType: 'Procedure',
  id,
  status: 'completed',
  subject: { reference: 'Patient/p' },
  location: { reference: `Location/${location}` },
});

const list: List = {
  resourceType: 'List',
  id: 'watch',
  status: 'current',
  mode: 'working',
  entry: [
    { item: { reference: 'Condition/bone' } },
    { item: { reference: 'Condition/liver' }, deleted: true },
    { item: { reference: 'Patient/p' } },
  ],
};

beforeAll(async () => {
  world = await openSearchWorld();
  await world.put(
    { resourceType: 'Patient', id: 'p' },
    narrated('bone', '<p>Metastases of the <b>bone</b>&#160;marrow</p>'),
    narrated('liver', 'Métastases,\n liver'),
    narrated('heart', 'A heart', 'No metastases of the bone'),
    list,
    place('campus', undefined, at(52.52, 13.405)),
    place('building', 'campus', at(52.5, 13.45)),
    place('room', 'building', at(48.137, 11.575)),
    place('ring-a', 'ring-b'),
    place('ring-b', 'ring-a'),
    place('fiji', undefined, at(-17.7, 179.9)),
    place('beyond', undefined, at(-17.7, -179.9)),
    place('pole', undefined, at(90, 0)),
    happened('in-campus', 'campus'),
    happened('in-building', 'building'),
    happened('in-room', 'room'),
    happened('elsewhere', 'fiji'),
  );
});
afterAll(() => world.cleanup());

test.each([
  ['_text=metastases', ['bone', 'liver']],
  ['_text=METASTASES bone', ['bone']],
  ['_text=(bone OR liver) and metastases', ['bone', 'liver']],
  ['_text="bone marrow"', ['bone']],
  ['_text="marrow bone"', []],
  ['_text=metastases not liver', ['bone']],
  ['_text=not metastases', ['heart']],
  ['_text=met', []],
  ['_content=metastases', ['bone', 'heart', 'liver']],
  ['_content="metastases of the bone"', ['bone', 'heart']],
  ['_content=completed', []],
  ['_content=metastases&_text=heart', ['heart']],
  ['_text=metastases&_text=bone', ['bone']],
  ['_list=watch', ['bone']],
  ['_list=List/watch&_text=metastases', ['bone']],
  ['_list=unknown', []],
])('Condition?%s finds %j', async (query, expected) => {
  expect(await world.found(`Condition?${query}`)).toEqual(expected);
});

test('text follows changes and deletions', async () => {
  await world.put(narrated('changing', 'zebra'));
  expect(await world.found('Condition?_text=zebra')).toEqual(['changing']);
  await world.put(narrated('changing', 'giraffe'));
  expect(await world.found('Condition?_content=zebra')).toEqual([]);
  expect(await world.found('Condition?_text=giraffe')).toEqual(['changing']);
  await world.remove('Condition', 'changing');
  expect(await world.found('Condition?_text=giraffe')).toEqual([]);
});

test('of commits that share a transaction, one that fails leaves no words and takes none along', async () => {
  const { store } = world.temp;
  const fenced = { sql: 'UPDATE setting SET value = value WHERE key = ?', params: ['no such key'], rows: 1 };
  const results = await Promise.allSettled([
    store.commit(NURSE, [{ op: 'create', resource: narrated('first', 'okapi one') }]),
    store.commit(NURSE, [{ op: 'create', resource: narrated('failing', 'okapi two') }], [fenced]),
    store.commit(NURSE, [{ op: 'create', resource: narrated('last', 'okapi three') }]),
  ]);
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  expect(await world.found('Condition?_text=okapi')).toHaveLength(2);
  expect(await world.found('Condition?_text=two')).toEqual([]);
});

test('a conditional create may ask for words that the same transaction has written', async () => {
  const query = '_text=quagga';
  const make = () => ({ op: 'create', resource: narrated('x', 'quagga'), ifNoneExist: query }) as const;
  await Promise.all([1, 2, 3].map(() => world.temp.store.commit(NURSE, [make()])));
  expect(await world.found('Condition?_text=quagga')).toHaveLength(1);
});

test('a search by text pages', async () => {
  expect((await readAllPages(world, 'Condition?_content=metastases&_count=1')).sort()).toEqual([
    'bone',
    'heart',
    'liver',
  ]);
  expect(await world.ids('Condition?_content=metastases&_sort=-_id')).toEqual(['liver', 'heart', 'bone']);
});

test.each([
  ['near=52.52|13.405|10|km', ['building', 'campus']],
  ['near=52.52|13.405|1', ['campus']],
  ['near=52.52|13.405|0', ['campus']],
  ['near=52.52|13.405|1000|m', ['campus']],
  ['near=52.52|13.405|400|[mi_i]', ['building', 'campus', 'room']],
  ['near=52.52|13.405', ['building', 'campus']],
  ['near=-17.7|180|15|km', ['beyond', 'fiji']],
  ['near=89.99|100|5|km', ['pole']],
  ['near=48.137|11.575|1,90|0|1', ['pole', 'room']],
])('Location?%s finds %j', async (query, expected) => {
  expect(await world.found(`Location?${query}`)).toEqual(expected);
});

test('a chain can end in a position', async () => {
  expect(await world.found('Procedure?location.near=52.52|13.405|10|km')).toEqual(['in-building', 'in-campus']);
});

test.each([
  ['location:below=campus', ['in-building', 'in-campus', 'in-room']],
  ['location:below=Location/building', ['in-building', 'in-room']],
  ['location:above=Location/building', ['in-building', 'in-campus']],
  ['location:above=campus', ['in-campus']],
  ['location:below=unknown', []],
  ['location:below=room,fiji', ['elsewhere', 'in-room']],
])('Procedure?%s finds %j', async (query, expected) => {
  expect(await world.found(`Procedure?${query}`)).toEqual(expected);
});

test('hierarchies may be circular', async () => {
  expect(await world.found('Location?partof:below=ring-a')).toEqual(['ring-a', 'ring-b']);
  expect(await world.found('Location?partof:above=ring-a')).toEqual(['ring-a', 'ring-b']);
});

test.each([
  'Condition?_text=',
  'Condition?_text="open',
  'Condition?_text=(bone',
  'Condition?_text=bone)',
  'Condition?_text=and bone',
  'Condition?_text=bone or',
  'Condition?_text=not',
  'Condition?_text=***',
  'Condition?_text:contains=bone',
  'Condition?_list=$current-problems',
  'Condition?_list=a b',
  'Location?near=91|0|1',
  'Location?near=1',
  'Location?near=1|1|1|parsec',
  'Location?near=1|1|-1',
  'Condition?near=1|1|1',
  'Condition?subject:below=p',
  'Condition?_contained=true',
  'Condition?_query=mine',
  `Condition?_text=${'word '.repeat(51)}`,
  `Condition?_text=${'('.repeat(30)}bone${')'.repeat(30)}`,
])('what is malformed or not offered is refused (%#)', async (url) => {
  await expect(async () => world.search(url)).rejects.toSatisfy(
    (error) => error instanceof Fault && error.status === 400,
  );
});

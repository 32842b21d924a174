// Every version says who made it, once, whatever is killed and however many processes write it.
import type { Provenance } from '@medplum/fhirtypes';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createProvenanceWriter } from '../../src/audit/provenance-writer.ts';
import type { Actor } from '../../src/store/store.ts';
import { create, observation, patient, update } from '../support/store-fixtures.ts';
import { testRules, testValidate } from '../support/store-rules.ts';
import { openTempStore, type TempStore } from '../support/temp-store.ts';

const BASE = 'https://baton.test';
const NURSE: Actor = { reference: 'Practitioner/nina', kind: 'user', client: 'ward-app' };
const SERVICE: Actor = { reference: 'etl', kind: 'client' };
const SYNC: Actor = { reference: 'Device/baton-sync', kind: 'connection', origin: 'epic' };
const log = pino({ level: 'silent' });

let temp: TempStore;
beforeEach(async () => {
  temp = await openTempStore();
});
afterEach(() => temp.cleanup());

const writer = () => createProvenanceWriter({ store: temp.store, baseUrl: BASE, log });
const all = async () => (await temp.store.find('Provenance')).map(({ content }) => JSON.parse(content) as Provenance);
const targets = async () => (await all()).flatMap(({ target }) => target.map(({ reference }) => reference)).toSorted();

it('says author, application, activity and time of each version', async () => {
  await temp.store.commit(NURSE, [update(patient('1', { id: 'p' }))]);
  await temp.store.commit(SERVICE, [update(patient('2', { id: 'p' }))]);
  await temp.store.commit(SYNC, [create(observation('Patient/p'), { id: 'o' })]);
  await temp.store.commit(NURSE, [{ op: 'delete', type: 'Observation', id: 'o' }]);
  expect(await writer().run()).toBe(4);
  const [first, second, third, fourth] = await all();
  const [version] = await temp.store.readLog(0, 1);
  expect(first).toMatchObject({
    target: [{ reference: 'Patient/p/_history/1' }],
    recorded: version?.lastUpdated,
    occurredDateTime: version?.lastUpdated,
    activity: { coding: [{ code: 'CREATE' }] },
    agent: [
      { type: { coding: [{ code: 'author' }] }, who: { reference: 'Practitioner/nina' } },
      { type: { coding: [{ code: 'transmitter' }] }, who: { identifier: { value: 'ward-app' } } },
    ],
  });
  expect(second).toMatchObject({
    activity: { coding: [{ code: 'UPDATE' }] },
    agent: [{ who: { identifier: { value: 'etl' } } }],
  });
  expect(second?.agent).toHaveLength(1);
  expect(third?.agent.map(({ who }) => who?.identifier?.value)).toEqual(['baton-sync', 'connection epic']);
  expect(fourth).toMatchObject({
    activity: { coding: [{ code: 'DELETE' }] },
    target: [{ reference: 'Observation/o/_history/2' }],
  });
  expect((await all()).flatMap((each) => testValidate(each).filter(({ severity }) => severity === 'error'))).toEqual(
    [],
  );
});

it('comes along with _revinclude=Provenance:target', async () => {
  await temp.store.commit(NURSE, [update(patient('1', { id: 'p' }))]);
  await writer().run();
  expect(await temp.store.find('Provenance?target=Patient/p')).toHaveLength(1);
  await temp.store.commit(
    NURSE,
    ['a', 'b', 'c'].map((id) => create(observation('Patient/p'), { id })),
  );
  await writer().run();
  for (const id of ['a', 'b', 'c'])
    expect(await temp.store.find(`Provenance?target=Observation/${id}`)).toHaveLength(1);
  const found = await temp.store.search(
    testRules().searchEngine.parse('Observation?_id=a,b&_revinclude=Provenance:target'),
  );
  expect([found.items.length, found.included.map(({ type }) => type)]).toEqual([2, ['Provenance']]);
});

it('is not written about itself, nor twice', async () => {
  await temp.store.commit(NURSE, [create(patient('1'))]);
  expect(await writer().run()).toBe(1);
  expect(await writer().run()).toBe(0);
  expect(await temp.store.head()).toBe(2);
});

it('is not written where a commit has brought its own', async () => {
  const own: Provenance = {
    resourceType: 'Provenance',
    target: [{ reference: 'Patient/p' }],
    recorded: '2026-01-01T00:00:00Z',
    agent: [{ who: { display: 'Baton' } }],
  };
  await temp.store.commit(SYNC, [update(patient('1', { id: 'p' })), create(patient('2'), { id: 'q' }), create(own)]);
  expect(await writer().run()).toBe(1);
  expect(await targets()).toEqual(['Patient/p', 'Patient/q/_history/1']);
});

it('leaves versions alone of which nobody kept who made them', async () => {
  await temp.store.commit(NURSE, [create(patient('1')), create(patient('2'))]);
  await temp.store.commit(NURSE, [], [{ sql: 'UPDATE version SET kind = NULL WHERE sequence = 1', params: [] }]);
  expect(await writer().run()).toBe(1);
});

it('is written once by several processes, over many batches, and again from the beginning changes nothing', async () => {
  const people = Array.from({ length: 450 }, (_, n) => update(patient(String(n), { id: `p${n}` })));
  await temp.store.commit(NURSE, people);
  for (let n = 0; n < 20; n += 1) await temp.store.commit(SERVICE, [update(patient(`x${n}`, { id: `p${n}` }))]);
  const written = await Promise.all([writer(), writer(), writer()].map((each) => each.run()));
  expect(written.reduce((sum, each) => sum + each, 0)).toBe(470);
  const found = await targets();
  expect([found.length, new Set(found).size]).toEqual([470, 470]);
  await temp.store.commit(NURSE, [], [{ sql: "DELETE FROM cursor WHERE name = 'provenance'", params: [] }]);
  await writer().run();
  expect(await targets()).toEqual(found);
});

it('does not wait for one that a required profile refuses', async () => {
  await temp.store.commit(NURSE, [create(patient('1')), create(patient('2'))]);
  const [entry] = await temp.store.readLog(0, 1);
  const { store } = temp;
  const refusing = {
    ...store,
    commit: ((actor, changes, ...more) =>
      changes.length > 1 || JSON.stringify(changes).includes(`${entry?.id}`)
        ? store.commit(actor, [{ op: 'create', resource: { resourceType: 'Provenance' } as never }])
        : store.commit(actor, changes, ...more)) as typeof store.commit,
  };
  expect(await createProvenanceWriter({ store: refusing, baseUrl: BASE, log }).run()).toBe(1);
  expect(await writer().run()).toBe(0);
});

it('is one for what a commit did to the record of one patient, but for the Patient', async () => {
  await temp.store.commit(NURSE, [
    create(patient('1'), { id: 'p' }),
    create(patient('2'), { id: 'q' }),
    ...['a', 'b', 'c'].map((id) => create(observation('Patient/p'), { id })),
    create(observation('Patient/q'), { id: 'd' }),
  ]);
  await temp.store.commit(NURSE, [
    update(patient('3', { id: 'p' })),
    create(observation('Patient/p'), { id: 'e' }),
    { op: 'delete', type: 'Observation', id: 'a' },
    { op: 'delete', type: 'Observation', id: 'b' },
  ]);
  expect(await writer().run()).toBe(8);
  const of = (await all()).map(({ target }) => target.map(({ reference }) => reference?.replace('/_history', '')));
  expect(of.toSorted()).toEqual([
    ['Observation/a/1', 'Observation/b/1', 'Observation/c/1'],
    ['Observation/a/2'],
    ['Observation/b/2'],
    ['Observation/d/1'],
    ['Observation/e/1'],
    ['Patient/p/1'],
    ['Patient/p/2'],
    ['Patient/q/1'],
  ]);
});

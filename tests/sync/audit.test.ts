// Each exchange with an external server is in the audit trail: which connection, what, about whom, and what came of it.
import { afterEach, expect, it } from 'vitest';
import { openWorld, type World } from '../support/sync-world.ts';

let world: World;
afterEach(() => world.cleanup());

it('has a record for every exchange, with the patient it is about', async () => {
  world = await openWorld();
  await world.write({ resourceType: 'Patient', id: 'p1', identifier: [{ system: 'urn:mrn', value: '1' }] });
  await world.sync.pushNow();
  await world.sync.pullNow();
  const { store } = world.temp;
  await store.commit(
    { reference: 'test', kind: 'service' },
    [],
    [{ sql: 'UPDATE setting SET value = value', params: [] }],
  );
  const rows = await store.query("SELECT * FROM audit WHERE interaction LIKE 'sync-%' ORDER BY sequence");
  const messages = await store.query('SELECT method FROM message WHERE method IS NOT NULL');
  expect(rows.length).toBe(messages.length);
  expect(new Set(rows.map(({ interaction }) => interaction))).toEqual(
    new Set(['sync-capabilities', 'sync-search-type', 'sync-create']),
  );
  expect(rows.every(({ kind, origin, address }) => kind === 'connection' && origin === 'ehr' && address !== null)).toBe(
    true,
  );
  const [created] = rows.filter(({ interaction }) => interaction === 'sync-create');
  expect(created).toMatchObject({ action: 'C', status: 201, type: 'Patient', id: 'p1', patient: 'p1' });
  const search = rows.find(({ interaction, type }) => interaction === 'sync-search-type' && type === 'Task');
  expect(String(search?.query)).toMatch(/^_/);
});

it('has one, too, when the server does not answer', async () => {
  world = await openWorld({ connection: { baseUrl: 'http://127.0.0.1:9/fhir' } });
  await world.write({ resourceType: 'Patient', id: 'p1' });
  await world.sync.pushNow();
  const { store } = world.temp;
  await store.commit(
    { reference: 'test', kind: 'service' },
    [],
    [{ sql: 'UPDATE setting SET value = value', params: [] }],
  );
  const rows = await store.query("SELECT interaction, status FROM audit WHERE interaction LIKE 'sync-%'");
  expect(rows.length).toBeGreaterThan(0);
  expect(rows.every(({ status }) => status === 0)).toBe(true);
});

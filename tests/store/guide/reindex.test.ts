// Resources that were stored before a parameter existed: until they are indexed by it, nobody may search by it.
import type { CareTeam, Goal } from '@medplum/fhirtypes';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parametersOfRoles } from '../../../src/access/parameters-of-roles.ts';
import { loadRoles } from '../../../src/access/role.ts';
import { loadTypeGroups } from '../../../src/access/type-groups.ts';
import { indexFirst } from '../../../src/store/search/index-first.ts';
import { readIndexProgress } from '../../../src/store/search/index-progress.ts';
import { keepIndexed } from '../../../src/store/search/keep-indexed.ts';
import { searchParameter } from '../../support/guide-artefacts.ts';
import { type Baton, type GuideWorld, openGuideWorld } from './guide-world.ts';

const PROFILES = new URL('../../../profiles', import.meta.url).pathname;
const COUNT = 250;
const never = new AbortController().signal;

const goal = (id: string, text = 'walk'): Goal => ({
  resourceType: 'Goal',
  id,
  lifecycleStatus: 'active',
  description: { coding: [{ system: 'http://g', code: text }], text },
  subject: { reference: 'Patient/p' },
});
const goals = Array.from({ length: COUNT }, (_, i) => goal(`g${String(i).padStart(3, '0')}`));
const ids = goals.map(({ id }) => id as string);
const all = (baton: Baton, url: string) => baton.found(`${url}&_count=1000`);

let world: GuideWorld;
beforeEach(async () => {
  world = await openGuideWorld();
  await world.put(...goals);
});
afterEach(() => world.cleanup());

describe('a new parameter', () => {
  test('is refused until every stored resource is indexed by it, in every place of a query', async () => {
    await world.add({ resources: [searchParameter()] });
    for (const url of [
      'Goal?description=walk',
      'Goal?description:missing=true',
      'Goal?_sort=description',
      'Patient?_has:Goal:patient:description=walk',
      'CarePlan?goal:Goal.description=walk',
    ]) {
      await expect(world.found(url), url).rejects.toMatchObject({ kind: 'unavailable', status: 503 });
    }
    expect(await all(world, 'Goal?lifecycle-status=active')).toHaveLength(COUNT);
    expect(await readIndexProgress(world.store)).toEqual([
      { type: 'Goal', parameters: ['description'], remaining: COUNT },
    ]);
    await world.store.reindex(never);
    expect(await all(world, 'Goal?description=walk')).toEqual(ids);
    expect(await world.found('Goal?description:missing=true')).toEqual([]);
    expect(world.store.isIndexing).toBe(false);
    expect(await readIndexProgress(world.store)).toEqual([]);
  });

  test('of a type with no resources can be searched by at once', async () => {
    const parameter = searchParameter({ base: ['CareTeam'], code: 'role', expression: 'CareTeam.participant.role' });
    await world.add({ resources: [parameter] });
    expect(await world.found('CareTeam?role=nurse')).toEqual([]);
  });

  test('finds what was changed, created and deleted while the index was being built', async () => {
    await world.add({ resources: [searchParameter()] });
    await reindexOneBatch(world);
    await world.put(goal('g000', 'run'), goal('g249', 'run'), goal('new', 'run'));
    await world.store.commit({ reference: 'Device/t', kind: 'service' }, [{ op: 'delete', type: 'Goal', id: 'g200' }]);
    await world.store.reindex(never);
    expect(await all(world, 'Goal?description=run')).toEqual(['g000', 'g249', 'new']);
    expect(await all(world, 'Goal?description=walk')).toEqual(
      ids.filter((id) => !['g000', 'g200', 'g249'].includes(id)),
    );
  });

  test('goes on after a restart where it stopped', async () => {
    await world.add({ resources: [searchParameter()] });
    await reindexOneBatch(world);
    const again = await world.restart();
    expect(again.store.isIndexing).toBe(true);
    expect(await readIndexProgress(again.store)).toMatchObject([{ remaining: COUNT - 100 }]);
    await expect(again.found('Goal?description=walk')).rejects.toMatchObject({ kind: 'unavailable' });
    await again.store.reindex(never);
    expect(await all(again, 'Goal?description=walk')).toEqual(ids);
  });

  test('that goes away and comes back is indexed anew', async () => {
    await world.add({ resources: [searchParameter()] });
    await world.store.reindex(never);
    await world.remove('org.example.guide', '1.0.0');
    await world.put(goal('g000', 'run'));
    await expect(world.found('Goal?description=walk')).rejects.toMatchObject({ kind: 'invalid' });
    await world.add({ resources: [searchParameter()] });
    await expect(world.found('Goal?description=walk')).rejects.toMatchObject({ kind: 'unavailable' });
    await world.store.reindex(never);
    expect(await all(world, 'Goal?description=walk')).toEqual(ids.slice(1));
  });

  test('whose expression changes is indexed anew, and forgets what it found before', async () => {
    await world.add({ resources: [searchParameter()] });
    await world.store.reindex(never);
    const changed = searchParameter({ version: '2.0.0', expression: 'Goal.lifecycleStatus' });
    await world.add({ version: '2.0.0', resources: [changed] });
    await expect(world.found('Goal?description=active')).rejects.toMatchObject({ kind: 'unavailable' });
    await world.store.reindex(never);
    expect(await all(world, 'Goal?description=active')).toEqual(ids);
    expect(await all(world, 'Goal?description=walk')).toEqual([]);
  });
});

test('what decides who reaches which record is indexed before anybody is served, the rest afterwards', async () => {
  const team: CareTeam = { resourceType: 'CareTeam', id: 'team', subject: { reference: 'Patient/p' } };
  await world.put({ ...team, status: 'active', participant: [{ member: { reference: 'Practitioner/n' } }] });
  const forget = { sql: 'DELETE FROM search_index', params: [] };
  await world.store.commit({ reference: 'Device/t', kind: 'service' }, [], [forget]);
  const { store, found, conformance } = await world.restart();
  const groups = loadTypeGroups(`${PROFILES}/type-groups.json`, conformance.parameters);
  const needed = parametersOfRoles(loadRoles(`${PROFILES}/roles`, groups, conformance.parameters));
  const reach = 'CareTeam?status=active&lasting-member=Practitioner/n';
  await expect(found(reach)).rejects.toMatchObject({ kind: 'unavailable' });
  await indexFirst(store, needed, pino({ level: 'silent' }));
  expect(await found(reach)).toEqual(['team']);
  await expect(found('Goal?lifecycle-status=active')).rejects.toMatchObject({ kind: 'unavailable' });
  await store.reindex(never);
  expect(await found('Goal?lifecycle-status=active&_count=1')).toHaveLength(1);
});

test('resources from before an index was introduced are indexed, words and all, after the upgrade', async () => {
  // What a database looks like that an older Baton filled: nothing says what its rows are worth.
  const forget = ['search_index', 'search_token', 'search_text'].map((table) => ({
    sql: `DELETE FROM ${table}`,
    params: [],
  }));
  await world.store.commit({ reference: 'Device/t', kind: 'service' }, [], forget);
  const upgraded = await world.restart();
  for (const url of [
    'Goal?_content=walk',
    'Goal?lifecycle-status=active',
    'Goal?_tag=x',
    'Patient?_has:Goal:patient:_id=g001',
    'Goal?_include=Goal:patient',
    'Goal?_include=*',
    'Patient?_revinclude=Goal:patient',
    'Patient?_revinclude=Goal:*',
    'Patient?_id=p&_has:Goal:patient:_lastUpdated=gt2020',
  ]) {
    await expect(upgraded.found(url), url).rejects.toMatchObject({ kind: 'unavailable' });
  }
  await upgraded.store.reindex(never);
  expect(await all(upgraded, 'Goal?_content=walk')).toEqual(ids);
  expect(await all(upgraded, 'Goal?lifecycle-status=active')).toEqual(ids);
});

describe('in the background', () => {
  test('one process of two does the work, and both then answer', async () => {
    const other = await world.another();
    await world.add({ resources: [searchParameter()] });
    const keepers = [world, other].map(({ store }) => keepIndexed(store, world.temp.clock, pino({ level: 'silent' })));
    await Promise.all(keepers.map((keeper) => keeper.look()));
    // Whoever did not get the lease sees at its next look that the work is done.
    await Promise.all(keepers.map((keeper) => keeper.look()));
    for (const baton of [world, other]) expect(await all(baton, 'Goal?description=walk')).toEqual(ids);
    await Promise.all(keepers.map((keeper) => keeper.stop()));
  });

  test('commits go in between', async () => {
    await world.add({ resources: [searchParameter()] });
    const order: string[] = [];
    const indexing = world.store.reindex(never).then(() => order.push('indexed'));
    await world.put(goal('meanwhile')).then(() => order.push('committed'));
    await indexing;
    expect(order).toEqual(['committed', 'indexed']);
  });
});

/** Stops after the first of three batches: the signal is looked at between them. */
async function reindexOneBatch({ store }: Baton): Promise<void> {
  const stop = new AbortController();
  const indexing = store.reindex(stop.signal);
  stop.abort();
  await indexing;
}

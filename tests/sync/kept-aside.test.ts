// What is kept aside is told when it comes, and again only when it is something else by then. docs/sync-spec.md#I7
import { afterEach, expect, test } from 'vitest';
import { openWorld, patient, task, type World } from '../support/sync-world.ts';

let world: World;
afterEach(() => world.cleanup());

const kept = async () =>
  Number((await world.temp.store.query("SELECT COUNT(*) AS n FROM message WHERE outcome = 'quarantined'"))[0]?.n);
const told = () => world.events.filter(({ kind }) => kind === 'quarantined').length;

async function read(): Promise<[number, number]> {
  world.pass({ minutes: 2 });
  await world.sync.pullNow();
  return [await kept(), told()];
}

test.each([
  ['history', { history: true }],
  ['search', {}],
  ['roster', { lastUpdated: false }],
] as const)('by %s', async (_strategy, knobs) => {
  world = await openWorld({ knobs, connection: { types: { Patient: 'push', Task: 'pull' } } });
  await world.write(patient('p'));
  await world.sync.pushNow();
  const about = { for: { reference: `Patient/${world.remote.all('Patient')[0]?.id}` } };
  const bad = () => world.remote.put(task('bad', { ...about, status: 'none of these' }));
  bad();
  expect(await read()).toEqual([1, 1]);
  for (let times = 0; times < 3; times += 1) expect(await read()).toEqual([1, 1]);
  world.remote.put(task('bad', { ...about, status: 'none of those' }));
  expect(await read()).toEqual([2, 2]);
  world.remote.put(task('bad', about));
  expect(await read()).toEqual([2, 2]);
  expect(await world.all('Task')).toHaveLength(1);
  expect((await world.sync.status())[0]).toMatchObject({ quarantined: 1 });
  world.remote.put(task('bad', { ...about, priority: 'none of these' }));
  expect(await read()).toEqual([3, 3]);
  expect(await read()).toEqual([3, 3]);
});

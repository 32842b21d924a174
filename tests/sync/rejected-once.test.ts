// What the server refused counts once, however often it was repeated, and no longer once it went.
import { afterEach, beforeEach, expect, test } from 'vitest';
import { NURSE, openWorld, patient, task, type World } from '../support/sync-world.ts';

let world: World;
beforeEach(async () => {
  world = await openWorld();
  await world.write(patient('p1'));
  await world.sync.pushNow();
});
afterEach(() => world.cleanup());

const refuse = () => {
  world.remote.knobs.refusals = [{ status: 422 }];
};
const rejected = async () => (await world.sync.status())[0]?.rejected;
const replay = () => world.sync.replay(NURSE, { class: 'permanent' }, { dryRun: false, from: 'remote', limit: 10 });

test('a refused resource that is repeated counts once, and not at all once it is there', async () => {
  refuse();
  await world.write(task('t1'));
  await world.sync.pushNow();
  expect(await rejected()).toBe(1);
  // Its copy is looked for before it is sent: one refusal for each.
  world.remote.knobs.refusals = [{ status: 422 }, { status: 422 }];
  await replay();
  expect(await rejected()).toBe(1);
  world.remote.knobs.refusals = [];
  await replay();
  expect(world.remote.all('Task')).toHaveLength(1);
  expect(await rejected()).toBe(0);
});

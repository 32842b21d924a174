// Every exchange and every commit of a first load and of a hint fails once, before or after its effect, followed by a
// restart: afterwards everything is here once, and what was accepted was read. docs/sync-spec.md#I32 docs/sync-spec.md#I33
import { expect, test } from 'vitest';
import type { Store } from '../../src/store/store.ts';
import type { SyncOptions } from '../../src/sync/sync.ts';
import { type Bomb, bombAt, type Effect, fragile } from '../support/bomb.ts';
import { fakeExport } from '../support/fake-export.ts';
import { openWorld, patient, task, type World } from '../support/sync-world.ts';

async function isLoaded(world: World): Promise<boolean> {
  const [job] = await world.temp.store.query('SELECT state FROM bulk_job');
  return job?.state === 'done' || job?.state === 'failed';
}

async function load(world: World): Promise<void> {
  for (let round = 0; round < 10 && !(await isLoaded(world)); round += 1) {
    await world.sync.pullNow();
    world.pass({ minutes: 20 });
  }
}

/** True when the remote was told that its hint is written. */
async function hint(world: World): Promise<boolean> {
  return world.sync.hints.accept('ehr', { path: 'Task/late', body: undefined }).then(
    () => true,
    () => false,
  );
}

async function everyCall(effect: Effect, rig: (bomb: Bomb, store: Store) => Partial<SyncOptions>): Promise<number> {
  for (let nth = 1; ; nth += 1) {
    const bomb = bombAt(nth, effect);
    const bulk = fakeExport();
    bulk.working = 0;
    const world = await openWorld({
      knobs: { exports: ['Patient'] },
      extend: bulk.mount,
      connection: { types: { Patient: 'pull', Task: 'pull' }, bulk: {}, hints: {} },
      sync: (store) => rig(bomb, store),
    });
    try {
      world.remote.put(patient('p'));
      for (let id = 0; id < 7; id += 1) world.remote.put(task(`t${id}`, { for: { reference: 'Patient/p' } }));
      await load(world);
      world.remote.put(task('late', { for: { reference: 'Patient/p' } }));
      const wasAccepted = await hint(world);
      await world.sync.hints.take();
      await world.restart();
      world.pass({ minutes: 20 });
      if (!wasAccepted) expect(await hint(world)).toBe(true);
      await world.sync.hints.take();
      // The hint alone brings it in; a first load that is still under way brings the rest.
      if (await isLoaded(world)) expect(await world.all('Task')).toHaveLength(8);
      await load(world);
      await world.sync.pullNow();
      expect(await world.all('Task')).toHaveLength(8);
      expect(await world.all('Patient')).toHaveLength(1);
      expect(await world.temp.store.query('SELECT * FROM hint')).toEqual([]);
      expect(await world.temp.store.query('SELECT state FROM bulk_job')).toEqual([{ state: 'done' }]);
      if (!bomb.exploded) return nth - 1;
    } catch (error) {
      throw new Error(`call ${nth}, ${effect} its effect`, { cause: error });
    } finally {
      await world.cleanup();
    }
  }
}

test.each(['before', 'after'] as const)('an exchange that fails, %s its effect', async (effect) => {
  expect(await everyCall(effect, (bomb) => ({ fetch: (...args) => bomb.run(() => fetch(...args)) }))).toBeGreaterThan(
    6,
  );
});

test.each(['before', 'after'] as const)('a commit that fails, %s its effect', async (effect) => {
  expect(await everyCall(effect, (bomb, store) => ({ store: fragile(store, bomb) }))).toBeGreaterThan(10);
});

// A server that takes for ever holds up itself: the beats of the others go on.
import { afterEach, expect, test, vi } from 'vitest';
import { openWorld, patient, task, type World } from '../support/sync-world.ts';

let world: World;
afterEach(() => world.cleanup());

test('while one connection is still at its pull, the others have their beats', async () => {
  const answers = Promise.withResolvers<void>();
  let slow: string | undefined;
  let asked = 0;
  world = await openWorld({
    others: { other: {} },
    sync: () => ({
      async fetch(input, init) {
        if (slow !== undefined && String(input).startsWith(`${slow}/Task`)) {
          asked += 1;
          await answers.promise;
        }
        return fetch(input, init);
      },
    }),
  });
  await world.write(patient('p1'));
  await world.sync.pushNow();
  slow = world.remote.baseUrl;
  const start = Temporal.Now.instant();
  let hasEnded = false;
  const first = world.sync.tick(start).then(() => {
    hasEnded = true;
  });
  const other = world.remotes.other;
  const [there] = other?.all('Patient') ?? [];
  for (const minute of [1, 2]) {
    other?.put(task(`t${minute}`, { for: { reference: `Patient/${there?.id}` } }));
    // A beat of its own that has not quite ended is left alone, too.
    await vi.waitFor(async () => {
      await world.sync.tick(start.add({ minutes: minute }));
      expect(await world.all('Task')).toHaveLength(minute);
    });
  }
  expect([asked, hasEnded]).toEqual([1, false]);
  answers.resolve();
  await first;
  await world.sync.tick(start.add({ minutes: 3 }));
  expect(asked).toBeGreaterThan(1);
});

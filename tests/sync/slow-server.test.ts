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
    }, 20_000);
  }
  expect([asked, hasEnded]).toEqual([1, false]);
  answers.resolve();
  await first;
  await world.sync.tick(start.add({ minutes: 3 }));
  expect(asked).toBeGreaterThan(1);
});

test('a long backlog keeps nothing from coming in, nor what is written here meanwhile from its place in the queue', async () => {
  const sent: string[] = [];
  let [writes, isQueued] = [0, false];
  world = await openWorld({
    sync: () => ({
      async fetch(input, init) {
        const path = new URL(String(input)).pathname.replace('/fhir/', '');
        sent.push(`${init?.method ?? 'GET'} ${path}`);
        if (init?.method === 'POST' && path === 'Task') {
          writes += 1;
          world.pass({ seconds: 25 });
          if (writes === 4) {
            world.remote.put(task('theirs', { for: { reference: `Patient/${world.remote.all('Patient')[0]?.id}` } }));
            await world.write(patient('p1', { gender: 'female' }));
          }
          const sql = "SELECT 1 FROM outbox WHERE type = 'Patient' AND state = 'queued'";
          isQueued ||= (await world.temp.store.query(sql)).length > 0;
        }
        return fetch(input, init);
      },
    }),
    connection: { pacing: { requestsPerSecond: 1_000, concurrency: 1 } },
  });
  await world.write(patient('p1'));
  await world.sync.tick(Temporal.Now.instant());
  for (let nth = 0; nth < 20; nth += 1) await world.write(task(`t${nth}`));
  const begun = sent.length;
  await world.sync.tick(Temporal.Now.instant());
  const order = sent.slice(begun);
  const last = order.lastIndexOf('POST Task');
  expect(order.filter((line) => line === 'POST Task')).toHaveLength(20);
  expect(order.lastIndexOf('GET Task')).toBeLessThan(last);
  expect(isQueued).toBe(true);
  expect(await world.all('Task')).toHaveLength(21);
});

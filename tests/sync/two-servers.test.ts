// Random days between two servers, a small part of what npm run soak:sync does: each pair is equal or was asked about,
// nothing is there twice, no edit is lost, and ten quiet rounds write nothing.
// docs/sync-spec.md#I4 docs/sync-spec.md#I8 docs/sync-spec.md#I9 docs/sync-spec.md#I12 docs/sync-spec.md#I14
import { expect, test } from 'vitest';
import { PLAIN } from '../support/model/every-call.ts';
import { randomDays } from '../support/model/random-days.ts';
import { openTwoServers } from '../support/model/two-servers.ts';
import { patient, task } from '../support/sync-world.ts';

test.each([3, 8, 18, 103, 115, 160])('random days, seed %i', async (seed) => {
  const { damage } = await randomDays(seed, 120);
  expect(damage).toEqual([]);
});

test('ten quiet rounds write nothing, on either side', async () => {
  const normalising = { ...PLAIN, normalise: true };
  const world = await openTwoServers({ knobs: { a: normalising, b: PLAIN }, random: () => 0 });
  try {
    await world.write(patient('p1'));
    await world.write(task('t1', { language: 'en', description: ' Call  ' }));
    for (let rounds = 0; rounds < 3; rounds += 1) {
      await world.sync.pullNow();
      await world.sync.pushNow();
    }
    const { a, b } = world.remotes;
    const before = [a.writes, b.writes, await world.store.head()];
    for (let rounds = 0; rounds < 10; rounds += 1) {
      world.pass(60_000);
      await world.sync.pullNow();
      await world.sync.pushNow();
    }
    expect([a.writes, b.writes, await world.store.head()]).toEqual(before);
  } finally {
    await world.cleanup();
  }
});

test('an edit from one server reaches the other once and its own never', async () => {
  const world = await openTwoServers({ knobs: { a: PLAIN, b: PLAIN }, random: () => 0 });
  try {
    await world.write(patient('p1'));
    await world.sync.pushNow();
    const { a, b } = world.remotes;
    a.put(task('theirs', { for: { reference: `Patient/${a.all('Patient')[0]?.id}` } }));
    const before = [a.writes, b.writes];
    for (let rounds = 0; rounds < 4; rounds += 1) {
      await world.sync.pullNow();
      await world.sync.pushNow();
    }
    expect([a.writes, b.writes]).toEqual([before[0], (before[1] ?? 0) + 1]);
    expect(b.all('Task')).toHaveLength(1);
  } finally {
    await world.cleanup();
  }
});

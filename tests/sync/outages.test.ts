// 48 simulated hours in which a server is away again and again: lag recovers, nothing is parked, and operators hear once of
// each change of state. docs/sync-spec.md#I18 docs/sync-spec.md#I19 docs/sync-spec.md#I23
import type { Task } from '@medplum/fhirtypes';
import { expect, test } from 'vitest';
import { PLAIN } from '../support/model/every-call.ts';
import { openTwoServers } from '../support/model/two-servers.ts';
import { randomFrom } from '../support/seeded-random.ts';
import { patient, task } from '../support/sync-world.ts';

const MINUTES = 60_000;
const HOURS = 48;

test('48 hours of outages', async () => {
  const random = randomFrom(48);
  const world = await openTwoServers({ knobs: { a: PLAIN, b: PLAIN }, random });
  const { a, b } = world.remotes;
  let upAt = 0;
  let outages = 0;
  try {
    await world.write(patient('p1'));
    // The heartbeat, five minutes apart.
    for (let minute = 0; minute < HOURS * 60; minute += 5) {
      if (!a.down && random() < 0.01) {
        outages += 1;
        a.down = true;
        upAt = minute + 5 + Math.floor(random() * 240);
      } else if (minute >= upAt) a.down = false;
      if (minute % 30 === 0) await world.write(task(`t${(minute / 30) % 20}`, { description: `at minute ${minute}` }));
      world.pass(5 * MINUTES);
      await world.sync.tick(Temporal.Instant.fromEpochMilliseconds(world.now));
    }
    a.down = false;
    for (let beats = 0; beats < 12; beats += 1) {
      world.pass(5 * MINUTES);
      await world.sync.tick(Temporal.Instant.fromEpochMilliseconds(world.now));
    }
    const texts = (tasks: readonly Task[]) => tasks.map(({ description }) => description).sort();
    const here = texts(await world.all<Task>('Task'));
    expect(texts(a.all('Task') as Task[])).toEqual(here);
    expect(texts(b.all('Task') as Task[])).toEqual(here);
    for (const status of await world.sync.status()) {
      expect(status).toMatchObject({ feedLag: 0, alerts: [], outbox: { queued: 0, parked: 0, rejected: 0 } });
    }
    expect(outages).toBeGreaterThan(3);
    const told = world.events.filter(({ kind }) => kind === 'alert');
    expect(told.filter(({ connection }) => connection === 'b')).toEqual([]);
    const alerts = told.map(({ alert }) => alert);
    for (const [begins, ends] of [
      ['breaker.opened', 'breaker.closed'],
      ['lag.exceeded', 'lag.recovered'],
      ['pull.stalled', 'pull.resumed'],
    ]) {
      const changes = alerts.filter((alert) => alert === begins || alert === ends);
      expect(changes).toEqual(changes.map((_, index) => (index % 2 === 0 ? begins : ends)));
      expect(changes.length % 2).toBe(0);
      expect(changes.length).toBeLessThanOrEqual(2 * outages);
    }
    expect(alerts).toContain('breaker.opened');
  } finally {
    await world.cleanup();
  }
});

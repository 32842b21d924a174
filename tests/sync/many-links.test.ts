// What a quiet pull costs must not depend on how much is linked, so none of its queries may walk through all of that.
import { afterEach, describe, expect, test } from 'vitest';
import type { SqlValue, Store } from '../../src/store/store.ts';
import { IdSet } from '../../src/sync/pull/id-set.ts';
import { openWorld, patient, task, type World, type WorldOptions } from '../support/sync-world.ts';
import { testEngine } from '../support/temp-store.ts';

let world: World;
afterEach(() => world.cleanup());

/** Opens it with a few links, and one reference that waits for its target. */
async function open(options: WorldOptions): Promise<(work: () => Promise<unknown>) => Promise<[string, SqlValue[]][]>> {
  const asked: [string, SqlValue[]][] = [];
  const sync = (store: Store) => {
    const query: Store['query'] = (sql, params = []) => {
      asked.push([sql, [...params]]);
      return store.query(sql, params);
    };
    const spied = new Proxy(store, { get: (of, name) => (name === 'query' ? query : Reflect.get(of, name).bind(of)) });
    return { store: spied };
  };
  world = await openWorld({ ...options, sync });
  await world.write(patient('p1'));
  await world.sync.pushNow();
  const subject = { reference: `Patient/${world.remote.all('Patient')[0]?.id}` };
  const owner = { reference: 'Practitioner/unknown' };
  for (let id = 0; id < 3; id += 1) world.remote.put(task(`r${id}`, { for: subject, owner }));
  await world.sync.pullNow();
  return async (work) => {
    asked.length = 0;
    await work();
    return asked.filter(([sql]) => sql.startsWith('SELECT'));
  };
}

/** Steps of SQLite's plan that go through a whole table, or all there is of a connection in it. */
async function walks([sql, params]: [string, SqlValue[]]): Promise<string[]> {
  const plan = await world.temp.store.query(`EXPLAIN QUERY PLAN ${sql}`, params);
  const large = /\b(i|r|u|identity|outbox|roster|resource|version|message)\b/;
  return (
    plan
      .map(({ detail }) => String(detail))
      .filter((step) => /^SCAN /.test(step) || / USING [A-Z ]*INDEX \S+ \(connection=\?\)/.test(step))
      .filter((step) => large.test(step.split(' ')[1] ?? ''))
      .filter((step) => !/^SEARCH (u|message) .*(unresolved_reference|message_quarantined)/.test(step))
      // Three of them, in the order of the index.
      .filter((step) => !step.includes(' identity_canary '))
      .map((step) => `${step}: ${sql}`)
  );
}

describe.skipIf(testEngine === 'postgres')('no query goes through all links', () => {
  for (const strategy of ['search', 'roster'] as const) {
    test(`of a quiet pull, a heartbeat and a sweep, by ${strategy}`, async () => {
      const types = { Patient: 'both', Task: 'both' } as const;
      const during = await open({ connection: { types, strategies: { Task: strategy } } });
      const asked = await during(async () => {
        await world.sync.pullNow();
        world.pass({ hours: 30 });
        await world.sync.tick(Temporal.Now.instant().add({ hours: 30 }));
        await world.sync.sweep();
      });
      expect(asked.length).toBeGreaterThan(20);
      expect((await Promise.all(asked.map(walks))).flat()).toEqual([]);
    });
  }
});

test('a roster asks all who are due, however many, each once', async () => {
  const types = { Patient: 'both', Task: 'both' } as const;
  await open({ connection: { types, strategies: { Task: 'roster' }, pacing: { requestsPerSecond: 100_000 } } });
  const others = Array.from({ length: 520 }, (_, at) => at);
  const rows = others.map((at) => ({
    sql: `INSERT INTO identity (connection, type, local_id, remote_id, state, how, at)
      VALUES ('ehr', 'Patient', ?, ?, 'linked', 'matched-manual', 0)`,
    params: [`many${at}`, `many${at}`],
  }));
  await world.temp.store.commit({ reference: 'Device/test', kind: 'service' }, [], rows);
  world.pass({ hours: 1 });
  const before = world.remote.requests.length;
  await world.sync.tick(Temporal.Now.instant().add({ hours: 1 }));
  const asked = world.remote.requests.slice(before).filter(({ url }) => url.startsWith('/Task?patient='));
  expect(asked).toHaveLength(521);
  expect(new Set(asked.map(({ url }) => url)).size).toBe(521);
});

test('a set of ids knows what was put into it', () => {
  const set = new IdSet();
  const ids = Array.from({ length: 5_000 }, (_, at) => `id-${at}`);
  for (const id of [...ids, ...ids]) set.add(id);
  expect(set.size).toBe(5_000);
  expect(ids.every((id) => set.has(id))).toBe(true);
  expect(ids.some((id) => set.has(`${id}x`))).toBe(false);
});

// What a quiet pull costs must not depend on how much is linked, so none of its queries may walk through all of that.
import type { Task } from '@medplum/fhirtypes';
import { afterEach, describe, expect, test } from 'vitest';
import type { SqlValue, Store } from '../../src/store/store.ts';
import type { RunContext } from '../../src/sync/context.ts';
import { IdSet } from '../../src/sync/pull/id-set.ts';
import { subjects } from '../../src/sync/pull/roster-rows.ts';
import { NURSE, openWorld, patient, task, type World, type WorldOptions } from '../support/sync-world.ts';
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
    const commit: Store['commit'] = (actor, changes, alongside = [], ...rest) => {
      for (const { sql, params } of typeof alongside === 'function' ? [] : alongside) asked.push([sql, [...params]]);
      return store.commit(actor, changes, alongside, ...rest);
    };
    const seen: Partial<Store> = { query, commit };
    const get = (of: Store, name: keyof Store) => seen[name] ?? Reflect.get(of, name).bind(of);
    return { store: new Proxy(store, { get: (of, name) => get(of, name as keyof Store) }) };
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
    return asked.filter(([sql]) => /^(SELECT|UPDATE|DELETE)/.test(sql));
  };
}

/** Steps of SQLite's plan that go through a whole table, or all there is of a connection in it. */
async function walks([sql, params]: [string, SqlValue[]]): Promise<string[]> {
  const plan = await world.temp.store.query(`EXPLAIN QUERY PLAN ${sql}`, params);
  const large =
    /\b(i|r|u|identity|outbox|roster|resource|version|message|conflict|question|not_the_same|held_resource)\b/;
  return (
    plan
      .map(({ detail }) => String(detail))
      .filter(
        (step) => / USING [A-Z ]*INDEX \S+ \(connection=\?\)/.test(step) || /^(SCAN|SEARCH not_the_same) /.test(step),
      )
      .filter((step) => !/ not_the_same .*(local_id|remote_id)=/.test(step))
      .filter((step) => large.test(step.split(' ')[1] ?? ''))
      .filter((step) => !/^SEARCH (u|message) .*(unresolved_reference|message_quarantined)/.test(step))
      // Those that are open, and what is held for them.
      .filter((step) => !/ (conflict_local|held_for) /.test(step))
      // All of them, once the server's versions say nothing any more; how many it has not shown since; and what refers to a patient
      // whom it lost.
      .filter(() => !/SET earlier = .* remote_version = NULL|SET unseen = 'replaced'/s.test(sql))
      .filter(() => !/^SELECT COUNT\(\*\) AS links FROM identity|base_local LIKE/.test(sql))
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

  test('of a pull of what strangers have, and of a push of somebody new', async () => {
    const during = await open({});
    for (const id of ['s1', 's2']) world.remote.put(task(id, { for: { reference: 'Patient/stranger' } }));
    await world.write(patient('p2', { birthDate: '1971-01-01' }));
    const asked = await during(async () => {
      await world.sync.pullNow();
      await world.sync.pushNow();
    });
    for (const table of ['conflict', 'not_the_same']) {
      expect(asked.some(([sql]) => sql.includes(`FROM ${table}`))).toBe(true);
    }
    expect((await Promise.all(asked.map(walks))).flat()).toEqual([]);
  });

  test('of a pull that brings copies from a backup', async () => {
    const during = await open({});
    const older = world.remote.all('Task');
    for (const one of older) world.remote.put({ ...one, description: 'Later' } as Task);
    await world.sync.pullNow();
    world.remote.wipe();
    for (const one of older) world.remote.put(one, { lastUpdated: String(one.meta?.lastUpdated) });
    world.pass({ hours: 2 });
    const asked = await during(() => world.sync.pullNow());
    expect(asked.filter(([sql]) => sql.startsWith('SELECT earlier'))).toHaveLength(older.length);
    expect((await Promise.all(asked.map(walks))).flat()).toEqual([]);
  });

  test('of a pull that brings a patient who is not here: nor through all records that others stand for', async () => {
    const during = await open({});
    world.remote.put(patient('new'));
    const asked = await during(() => world.sync.pullNow());
    const [standing] = asked.filter(([sql]) => sql.includes('replaced_by IN'));
    const plan = await world.temp.store.query(`EXPLAIN QUERY PLAN ${standing?.[0]}`, standing?.[1]);
    expect(plan.map(({ detail }) => detail)).toEqual([expect.stringMatching(/ identity_standing .*replaced_by=\?/)]);
    expect((await Promise.all(asked.map(walks))).flat()).toEqual([]);
  });
});

test('a roster finds all who are due, in chunks, each once, and no more than it may ask', async () => {
  await open({});
  const rows = Array.from({ length: 1_100 }, (_, at) => ({
    sql: `INSERT INTO identity (connection, type, local_id, remote_id, state, how, at)
      VALUES ('ehr', 'Patient', ?, ?, 'linked', 'matched-manual', 0)`,
    params: [`many${at}`, `many${at}`],
  }));
  await world.temp.store.commit(NURSE, [], rows);
  const clock = { now: Temporal.Now.instant, real: Temporal.Now.instant };
  const context = { store: world.temp.store, connection: world.connection, clock } as unknown as RunContext;
  const due = async (most: number) => {
    const found: string[][] = [];
    for await (const chunk of subjects(context, 'Task', { strategy: 'roster', why: '' }, 'key', most)) {
      found.push(chunk.map(({ subject }) => subject));
    }
    return found;
  };
  const all = await due(5_000);
  expect(all.map((chunk) => chunk.length)).toEqual([500, 500, 101]);
  expect(new Set(all.flat()).size).toBe(1_101);
  expect((await due(700)).map((chunk) => chunk.length)).toEqual([500, 200]);
});

test('a set of ids knows what was put into it', () => {
  const set = new IdSet();
  const ids = Array.from({ length: 5_000 }, (_, at) => `id-${at}`);
  for (const id of [...ids, ...ids]) set.add(id);
  expect(set.size).toBe(5_000);
  expect(ids.every((id) => set.has(id))).toBe(true);
  expect(ids.some((id) => set.has(`${id}x`))).toBe(false);
});

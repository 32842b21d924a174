// A type that flows out only since later: what is here already goes, too, once, whatever crashes in between and whoever else
// reads the log. docs/sync-spec.md#I2 docs/sync-spec.md#I14
import { readFileSync } from 'node:fs';
import type { Goal, Task } from '@medplum/fhirtypes';
import { afterEach, describe, expect, test } from 'vitest';
import type { Connection, Direction } from '../../src/sync/connections/settings.ts';
import { feedOutbox, readUnfed } from '../../src/sync/push/feed.ts';
import type { Sync, SyncOptions } from '../../src/sync/sync.ts';
import { EPIC_DOORS, type Knobs } from '../support/fake-remote-knobs.ts';
import { carePlan, NURSE, openWorld, patient, task, type World } from '../support/sync-world.ts';

let world: World;
const processes: Sync[] = [];
afterEach(async () => {
  for (const one of processes.splice(0)) await one.stop();
  await world.cleanup();
});

type Types = Readonly<Record<string, Direction>>;

async function open(types: Types, knobs: Partial<Knobs> = {}, more: Partial<Connection> = {}): Promise<void> {
  world = await openWorld({ knobs, connection: { types, ...more } });
  await world.write(patient('p1'));
}

const goal = (id: string, fields: object = {}) =>
  ({
    resourceType: 'Goal',
    id,
    lifecycleStatus: 'active',
    description: { text: 'Walk without help' },
    subject: { reference: 'Patient/p1' },
    ...fields,
  }) as Goal & { id: string };

/** A start with another configuration file. */
const restartWith = (more: Partial<Connection>) =>
  world.restart(() => ({ connections: [{ ...world.connection, ...more }] }));
const there = (type: string) => world.remote.all(type).length;
/** Marks what is to be marked, as a process with these settings does. */
const feed = (more: Partial<Connection> = {}, store: SyncOptions['store'] = world.temp.store) =>
  feedOutbox({
    ...{ store, connection: { ...world.connection, ...more }, clock: world.temp.clock },
    signal: new AbortController().signal,
  });
async function outbox(type: string): Promise<Record<string, string>> {
  const sql = 'SELECT local_id, state, fault FROM outbox WHERE type = ? ORDER BY at, upto_sequence';
  const rows = await world.temp.store.query(sql, [type]);
  return Object.fromEntries(
    rows.map(({ local_id, state, fault }) => [String(local_id), fault ? `${state} ${fault}` : String(state)]),
  );
}

describe('a type that is named later', () => {
  test('sends what is here already, once, and what comes afterwards', async () => {
    await open({ Patient: 'push' });
    await world.write(goal('g1'));
    await world.write(carePlan('c1'));
    await world.sync.pushNow();
    expect([there('Patient'), there('Goal'), there('CarePlan')]).toEqual([1, 0, 0]);
    await restartWith({ types: { Patient: 'push', Goal: 'push', CarePlan: 'both' } });
    await world.sync.pushNow();
    expect([there('Patient'), there('Goal'), there('CarePlan')]).toEqual([1, 1, 1]);
    const writes = world.remote.writes().length;
    for (let rounds = 0; rounds < 3; rounds += 1) await world.sync.pushNow();
    await restartWith({ types: { Patient: 'push', Goal: 'push', CarePlan: 'both' } });
    await world.sync.pushNow();
    expect(world.remote.writes()).toHaveLength(writes);
    await world.write(goal('g2'));
    await world.sync.pushNow();
    expect(there('Goal')).toBe(2);
  });

  test('or that came in only: our edits go, and what came from there does not', async () => {
    await open({ Patient: 'both', Task: 'pull' });
    await world.sync.pushNow();
    const subject = { for: { reference: `Patient/${world.remote.all('Patient')[0]?.id}` } };
    for (const id of ['r1', 'r2']) world.remote.put(task(id, subject));
    await world.sync.pullNow();
    await world.write(task('t1'));
    const [first] = await world.temp.store.query("SELECT local_id FROM identity WHERE remote_id = 'r1'");
    const edited = await world.read<Task>('Task', String(first?.local_id));
    await world.write({ ...edited, id: String(first?.local_id), description: 'Ours' } as Task & { id: string });
    await world.sync.pushNow();
    const before = world.remote.writes().length;
    await restartWith({ types: { Patient: 'both', Task: 'both' } });
    await world.sync.pushNow();
    expect(world.remote.writes().slice(before)).toHaveLength(2);
    expect((world.remote.all('Task') as Task[]).map(({ description }) => description).sort()).toEqual(
      ['Call the patient', 'Call the patient', 'Ours'].sort(),
    );
    expect(await outbox('Task')).toEqual({ t1: 'sent', [String(first?.local_id)]: 'sent' });
  });

  test('is shown by a dry run, too', async () => {
    await open({ Patient: 'push' });
    await world.write(goal('g1'));
    await world.sync.pushNow();
    const connection = { ...world.connection, types: { Patient: 'push', Goal: 'push' } as const };
    const { changed } = await readUnfed(world.temp.store, connection);
    expect(changed.map(({ type, id }) => `${type}/${id}`)).toEqual(['Goal/g1']);
  });

  test('is marked to the end when a process dies between two batches', async () => {
    await open({ Patient: 'push' });
    const goals = Array.from({ length: 1_100 }, (_, n) => goal(`g${n}`));
    await world.temp.store.commit(
      NURSE,
      goals.map((resource) => ({ op: 'update', resource })),
    );
    await feed();
    const types = { Patient: 'push', Goal: 'push' } as const;
    let commits = 0;
    const { store } = world.temp;
    const dying: SyncOptions['store'] = {
      ...store,
      async commit(...given) {
        const marks = typeof given[2] === 'function' ? [] : (given[2] ?? []);
        if (marks.length > 100) commits += 1;
        if (commits === 2) throw new Error('killed');
        return store.commit(...given);
      },
    };
    await expect(feed({ types }, dying)).rejects.toThrow('killed');
    expect(Object.keys(await outbox('Goal'))).toHaveLength(500);
    await world.temp.reopen();
    expect(await feed({ types })).toBe(600);
    expect(Object.keys(await outbox('Goal'))).toHaveLength(1_100);
    expect(await feed({ types })).toBe(0);
  });

  test('misses nothing while another process still has the settings of before', async () => {
    await open({ Patient: 'push' });
    await world.write(goal('g1'));
    await feed();
    const types = { Patient: 'push', Goal: 'push' } as const;
    await feed({ types });
    await world.write(goal('g2'));
    await feed();
    await world.write(goal('g3'));
    await Promise.all([feed({ types }), feed(), feed({ types })]);
    await feed({ types });
    expect(await outbox('Goal')).toEqual({ g1: 'queued', g2: 'queued', g3: 'queued' });
  });

  test('goes although a process with the settings of before has given it up meanwhile', async () => {
    await open({ Patient: 'push' });
    await world.write(goal('g1'));
    const stale = world.another();
    processes.push(stale);
    await stale.pushNow();
    const types = { Patient: 'push', Goal: 'push' } as const;
    await feed({ types });
    await stale.pushNow();
    expect(await outbox('Goal')).toEqual({ g1: 'superseded comes-in-only' });
    await restartWith({ types });
    await world.sync.pushNow();
    expect(there('Goal')).toBe(1);
  });
});

test('a type that was taken away and is back sends what changed meanwhile, and what was still on its way', async () => {
  const types = { Patient: 'push', Goal: 'push' } as const;
  await open(types);
  for (const id of ['g1', 'g2']) await world.write(goal(id));
  await world.sync.pushNow();
  await world.write(goal('g3'));
  await feed({ types });
  await restartWith({ types: { Patient: 'push' } });
  await world.write(goal('g2', { lifecycleStatus: 'completed' }));
  await world.write(goal('g4'));
  await world.sync.pushNow();
  expect(there('Goal')).toBe(2);
  await restartWith({ types });
  const before = world.remote.writes().length;
  await world.sync.pushNow();
  expect(there('Goal')).toBe(4);
  expect(world.remote.writes().slice(before)).toHaveLength(3);
});

test('a database of before: what was sent is not marked anew, what never was is', async () => {
  await open({ Patient: 'push', Goal: 'push' });
  await world.write(goal('g1'));
  const { store } = world.temp;
  await feed({ types: { Patient: 'push' } });
  const file = new URL('../../src/store/migrations/0037_fed_types.sql', import.meta.url);
  const [, insert = ''] = /(INSERT INTO[^;]+);/.exec(readFileSync(file, 'utf8')) ?? [];
  const again = ['DELETE FROM fed_type', insert].map((sql) => ({ sql, params: [] }));
  await store.commit(NURSE, [], again);
  expect(await store.query('SELECT connection, type FROM fed_type')).toEqual([{ connection: 'ehr', type: 'Patient' }]);
  expect(await feed({ types: { Patient: 'push', Goal: 'push' } })).toBe(1);
  expect(await outbox('Goal')).toEqual({ g1: 'queued' });
});

describe('what had no way out', () => {
  const EPIC: Partial<Knobs> = { doors: EPIC_DOORS, conditionalCreate: false, transactions: false, versioning: false };
  const types = { Patient: 'pull', Goal: 'push' } as const;

  /** The patient is known there, so that documents have a subject. */
  async function known(more: Partial<Connection> = {}): Promise<void> {
    const identifier = [{ system: 'urn:hospital', value: '4711', type: { text: 'MRN' } }];
    await open(types, EPIC, { vendor: 'generic', ...more });
    await world.write(patient('p1', { identifier }));
    world.remote.put(patient('there', { identifier }));
    await world.sync.pullNow();
    await world.write(goal('g1'));
    await world.sync.pushNow();
    expect(await outbox('Goal')).toEqual({ g1: 'superseded no-capability' });
  }

  test('goes as something else once the connection names that', async () => {
    await known();
    const projections = { Goal: 'DocumentReference' } as const;
    await restartWith({ vendor: 'generic', projections });
    await world.sync.pushNow();
    expect(there('DocumentReference')).toBe(1);
    const writes = world.remote.writes().length;
    await restartWith({ vendor: 'generic', projections });
    await world.sync.pushNow();
    expect(world.remote.writes()).toHaveLength(writes);
  });

  test('stays given up by a person who said so', async () => {
    await known();
    await world.temp.store.commit(
      NURSE,
      [],
      [
        {
          sql: "UPDATE outbox SET state = 'rejected', fault = 'Given up by a person.' WHERE type = 'Goal'",
          params: [],
        },
      ],
    );
    await restartWith({ vendor: 'generic', projections: { Goal: 'DocumentReference' } });
    await world.sync.pushNow();
    expect(there('DocumentReference')).toBe(0);
  });
});

// Every commit and every exchange of a pull by roster or history, and of a sweep, fails once: afterwards nothing is missing,
// nothing is there twice, and nothing that is alive was taken for deleted. docs/sync-spec.md#I3 docs/sync-spec.md#I21
import type { Task } from '@medplum/fhirtypes';
import { expect, test } from 'vitest';
import type { Store } from '../../src/store/store.ts';
import type { Connection } from '../../src/sync/connections/settings.ts';
import type { SyncOptions } from '../../src/sync/sync.ts';
import type { Knobs } from '../support/fake-remote-knobs.ts';
import { openWorld, patient, task, type World } from '../support/sync-world.ts';

interface Fuse {
  left: number;
  burnt: boolean;
}

function burn(fuse: Fuse): void {
  fuse.left -= 1;
  if (fuse.left !== 0) return;
  fuse.burnt = true;
  throw new Error('The process died here.');
}

function failingCommits(store: Store, fuse: Fuse): Partial<SyncOptions> {
  const commit: Store['commit'] = async (...given) => {
    burn(fuse);
    return store.commit(...given);
  };
  return { store: Object.assign(Object.create(store), { commit }) };
}

function failingExchanges(fuse: Fuse): Partial<SyncOptions> {
  return {
    fetch: async (input, init) => {
      burn(fuse);
      return globalThis.fetch(input, init);
    },
  };
}

const KINDS: readonly [string, Partial<Knobs>, Partial<Connection>][] = [
  ['roster', { lastUpdated: false }, { vendor: 'epic', types: { Patient: 'both', Task: 'both' } }],
  ['history', { history: true, pageSize: 3 }, { types: { Patient: 'push', Task: 'both' } }],
];

async function afterFailureOf(
  kind: (typeof KINDS)[number],
  what: 'commits' | 'exchanges',
  left: number,
): Promise<boolean> {
  const [, knobs, connection] = kind;
  const world = await openWorld({ knobs, connection });
  try {
    for (const id of ['p1', 'p2']) await world.write(patient(id));
    await world.sync.pushNow();
    const patients = world.remote.all('Patient').map(({ id }) => ({ reference: `Patient/${id}` }));
    const put = (id: string, of: number, fields: object = {}) =>
      world.remote.put(task(id, { for: patients[of], ...fields }));
    for (let number = 0; number < 4; number += 1) put(`r${number}`, number % 2);
    const fuse = { left, burnt: false };
    await world.restart((store) => (what === 'commits' ? failingCommits(store, fuse) : failingExchanges(fuse)));
    await world.sync.pullNow();
    world.remote.now += 3_600_000;
    put('r1', 1, { status: 'accepted' });
    put('r4', 0);
    world.remote.remove('Task', 'r0');
    await world.sync.pullNow();
    await world.sync.sweep();
    await world.restart();
    await settles(world);
    return fuse.burnt;
  } finally {
    await world.cleanup();
  }
}

async function settles(world: World): Promise<void> {
  for (let rounds = 0; rounds < 2; rounds += 1) {
    world.pass({ minutes: 20 });
    await world.sync.pullNow();
  }
  await world.sync.sweep();
  const here = await world.temp.store.query(
    "SELECT remote_id, state FROM identity WHERE type = 'Task' ORDER BY remote_id",
  );
  const alive = here.filter(({ state }) => state === 'linked').map(({ remote_id }) => remote_id);
  expect(alive).toEqual(['r1', 'r2', 'r3', 'r4']);
  // What was deleted before it was ever read is nowhere; otherwise its link has ended.
  expect(
    here
      .filter(({ state }) => state !== 'linked')
      .every(({ remote_id, state }) => remote_id === 'r0' && state === 'tombstone'),
  ).toBe(true);
  const tasks = await world.all<Task>('Task');
  expect(tasks).toHaveLength(here.length);
  expect(tasks.filter(({ status }) => status === 'accepted')).toHaveLength(1);
  expect(world.remote.writes()).toEqual(['POST /Patient', 'POST /Patient']);
}

for (const kind of KINDS) {
  for (const what of ['commits', 'exchanges'] as const) {
    test(`a ${kind[0]} of whose ${what} one fails`, { timeout: 120_000 }, async () => {
      let left = 1;
      while (await afterFailureOf(kind, what, left)) left += 1;
      expect(left).toBeGreaterThan(8);
    });
  }
}

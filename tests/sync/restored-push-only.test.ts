// Where nothing is pulled, a server that was restored or wiped is noticed as well: what it lost is made there again, and nothing
// comes in. docs/sync-spec.md#I5 docs/sync-spec.md#I20 docs/sync-spec.md#I21
import type { Goal } from '@medplum/fhirtypes';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { backupOf } from '../support/remote-backup.ts';
import { openWorld, patient, type World } from '../support/sync-world.ts';

let world: World;
afterEach(() => world.cleanup());

const TYPES = ['Patient', 'Goal'] as const;
function goal(id: string, text = id): Goal & { id: string } {
  const subject = { reference: 'Patient/p1' };
  return { resourceType: 'Goal', id, lifecycleStatus: 'active', description: { text }, subject };
}

const backup = () => backupOf(world.remote, TYPES);

async function pushing(rounds: number, minutes: number): Promise<void> {
  for (let round = 0; round < rounds; round += 1) {
    world.pass({ minutes });
    await world.sync.pushNow();
  }
}
const there = () => (world.remote.all('Goal') as Goal[]).map(({ description }) => description?.text).sort();
const goals = ['g1', 'g2', 'g3', 'g4'];

describe.each([
  ['only go out', { Patient: 'push', Goal: 'push' }],
  ['would go both ways', { Patient: 'both', Goal: 'both' }],
] as const)('types that %s', (_ways, types) => {
  beforeEach(async () => {
    world = await openWorld({ connection: { mode: 'push', types } });
    await world.write(patient('p1'));
    await world.write(goal('g0'));
    await world.sync.pushNow();
  });

  test('are made again after a restore, also where their ids are others’ by now', async () => {
    const restore = backup();
    for (const id of goals) await world.write(goal(id));
    await world.sync.pushNow();
    restore();
    await world.write(goal('n1'));
    await world.sync.pushNow();
    const before = await world.temp.store.head();
    await pushing(4, 40);
    expect(there()).toEqual(['g0', ...goals, 'n1']);
    expect(world.events.filter(({ kind }) => kind === 'epoch')).toHaveLength(1);
    expect([await world.sync.conflicts(), await world.temp.store.head()]).toEqual([[], before]);
    const writes = world.remote.writes().length;
    await pushing(40, 40);
    expect(world.remote.writes()).toHaveLength(writes);
  });

  test('are made again after a wipe once an operator has said that they are lost', async () => {
    for (const id of goals) await world.write(goal(id));
    await world.sync.pushNow();
    world.remote.wipe();
    await pushing(4, 40);
    expect(there()).toEqual([]);
    await world.sync.sweep('ehr', { lost: true });
    await pushing(4, 2);
    expect(there()).toEqual(['g0', ...goals]);
    expect(world.remote.all('Patient')).toHaveLength(1);
  });

  test('are looked for, and what was edited there stays there', async () => {
    const restore = backup();
    for (const id of goals) await world.write(goal(id));
    await world.sync.pushNow();
    restore();
    const [first] = world.remote.all('Goal');
    world.remote.put({ ...(first as Goal), description: { text: 'theirs' } });
    const before = await world.temp.store.head();
    await pushing(4, 40);
    expect(there()).toEqual([...goals, 'theirs']);
    expect(await world.temp.store.head()).toBe(before);
  });
});

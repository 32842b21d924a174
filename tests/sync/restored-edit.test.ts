// A server that was put back from a backup while its clock went back, too: number and time of an edit there are those of a
// copy from before. docs/sync-spec.md#I5
import type { Patient, Task } from '@medplum/fhirtypes';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { NURSE, openWorld, patient, task, type World } from '../support/sync-world.ts';

let world: World;
let kept: (Patient | Task)[];
beforeEach(async () => {
  world = await openWorld();
  await world.write(patient('p1'));
  await world.write(task('t1'));
  await world.sync.pushNow();
  kept = [...world.remote.all('Patient'), ...world.remote.all('Task')] as (Patient | Task)[];
  for (const description of ['Call the daughter', 'Call the son', 'Call the neighbour']) {
    world.remote.now += 60_000;
    await world.write(task('t1', { description }));
    await world.sync.pushNow();
    await world.sync.pullNow();
  }
});
afterEach(() => world.cleanup());

const there = () => world.remote.all('Task')[0] as Task;

/** @returns how many seconds it is after the backup on the server's clock */
function restore(): (seconds: number) => string {
  world.remote.wipe();
  for (const one of kept) world.remote.put(one, { lastUpdated: String(one.meta?.lastUpdated) });
  const backup = Temporal.Instant.from(String(there().meta?.lastUpdated));
  return (seconds) => backup.add({ seconds }).toString({ smallestUnit: 'millisecond' });
}

async function exchange(): Promise<void> {
  for (let rounds = 0; rounds < 3; rounds += 1) {
    await world.sync.pullNow();
    await world.sync.pushNow();
  }
}

test('what was edited since is asked about and not overwritten', async () => {
  const after = restore();
  world.remote.put({ ...there(), description: 'Call the lawyer' } as Task, { lastUpdated: after(30) });
  await exchange();
  expect(there().description).toBe('Call the lawyer');
  expect((await world.all<Task>('Task'))[0]?.description).toBe('Call the neighbour');
  const [conflict] = await world.sync.conflicts();
  expect(conflict?.paths).toMatchObject([{ path: 'description' }]);
});

test('a copy that we knew gets ours, and nobody is asked', async () => {
  restore();
  await exchange();
  expect(there().description).toBe('Call the neighbour');
  expect(await world.sync.conflicts()).toEqual([]);
});

test('so does one that we knew before a restart and another restore', async () => {
  restore();
  await exchange();
  await world.restart();
  restore();
  await exchange();
  expect(there().description).toBe('Call the neighbour');
  expect(await world.sync.conflicts()).toEqual([]);
});

test('who takes theirs, whose patient the server lost and ours lives on, keeps the patient', async () => {
  const after = restore();
  world.remote.remove('Patient', String(world.remote.all('Patient')[0]?.id));
  world.remote.put({ ...there(), description: 'Call the lawyer' } as Task, { lastUpdated: after(30) });
  const answer = async (kind: string, take: 'ours' | 'theirs') => {
    const conflict = (await world.sync.conflicts()).find((one) => one.kind === kind);
    await world.sync.resolve(NURSE, String(conflict?.id), { take });
  };
  await world.write(patient('p1', { birthDate: '1950-02-03' }));
  await world.sync.pushNow();
  await answer('deleted', 'ours');
  // Before the patient is made anew there.
  await world.sync.pullNow();
  await answer('content', 'theirs');
  await exchange();
  expect(await world.read<Task>('Task', 't1')).toMatchObject({
    description: 'Call the lawyer',
    for: { reference: 'Patient/p1' },
  });
  expect(there()).toMatchObject({
    description: 'Call the lawyer',
    for: { reference: `Patient/${world.remote.all('Patient')[0]?.id}` },
  });
  expect(await world.sync.conflicts()).toEqual([]);
});

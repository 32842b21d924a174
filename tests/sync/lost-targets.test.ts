// What a server refers to may be gone here, and what it has may be refused here: only that stops, and nothing else.
// docs/sync-spec.md#I7 docs/sync-spec.md#I10
import type { CarePlan, Task } from '@medplum/fhirtypes';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { carePlan, NURSE, openWorld, patient, task, type World } from '../support/sync-world.ts';

let world: World;
beforeEach(async () => {
  world = await openWorld();
  await world.write(patient('p1'));
  await world.write(task('t1'));
  await world.write(task('t2'));
  await world.write(carePlan('c1'));
  await world.sync.pushNow();
});
afterEach(() => world.cleanup());

function there<T extends CarePlan | Task>(type: T['resourceType'], localId: string): T & { id: string } {
  const found = (world.remote.all(type) as (T & { id: string })[]).find(({ identifier }) =>
    identifier?.some(({ value }) => value === localId),
  );
  if (!found) throw new Error(`no remote copy of ${localId}`);
  return found;
}

/** Somebody there has the plan do a task that was deleted here. */
async function referToLost(): Promise<string> {
  await world.temp.store.commit(NURSE, [{ op: 'delete', type: 'Task', id: 't1' }]);
  const { id } = there<Task>('Task', 't1');
  const activity = [{ reference: { reference: `Task/${id}` } }];
  world.remote.put({ ...there<CarePlan>('CarePlan', 'c1'), activity });
  return `${world.remote.baseUrl}/Task/${id}`;
}

const named = async () => (await world.read<CarePlan>('CarePlan', 'c1'))?.activity?.[0]?.reference?.reference;

test.each(['pull', 'push'] as const)('what is gone here is named by its URL there: %s', async (way) => {
  const url = await referToLost();
  if (way === 'push') await world.write(carePlan('c1', { title: 'Ours' }));
  await (way === 'pull' ? world.sync.pullNow() : world.sync.pushNow());
  expect(await named()).toBe(url);
  expect(await world.sync.conflicts()).toEqual([]);
  const writes = world.remote.writes().length;
  for (let rounds = 0; rounds < 3; rounds += 1) {
    await world.sync.pullNow();
    await world.sync.pushNow();
  }
  expect(world.remote.writes().length - writes).toBe(0);
  await world.write(task('t1'));
  await world.sync.pullNow();
  expect(await named()).toBe('Task/t1');
});

test('what a push would have to merge and cannot write here is parked, and the others go on', async () => {
  world.remote.put({ ...there<Task>('Task', 't1'), intent: 'nonsense' } as unknown as Task);
  await world.write(task('t1', { priority: 'urgent' }));
  await world.write(task('t2', { priority: 'urgent' }));
  await world.sync.pushNow();
  expect(there<Task>('Task', 't2').priority).toBe('urgent');
  const [row] = await world.temp.store.query("SELECT local_id, fault FROM outbox WHERE state = 'parked'");
  expect(row).toMatchObject({ local_id: 't1', fault: expect.stringContaining('cannot be written here') });
});

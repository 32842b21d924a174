// A server that has patients of its own, who only come in from it, gets nothing about anybody whom it does not know.
// docs/sync-spec.md#I8
import type { Task } from '@medplum/fhirtypes';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openWorld, patient, task, type World } from '../support/sync-world.ts';

let world: World;
beforeEach(async () => {
  world = await openWorld({ connection: { types: { Patient: 'pull', Task: 'both' } } });
  await world.write(patient('p1', { identifier: [NUMBER] }));
  await world.write(task('t1'));
});
afterEach(() => world.cleanup());

const NUMBER = { system: 'urn:mrn', value: '7' };
const register = () => world.remote.put(patient('r1', { identifier: [NUMBER] }));
async function exchange(rounds = 2): Promise<void> {
  for (let round = 0; round < rounds; round += 1) {
    await world.sync.pullNow();
    await world.sync.pushNow();
    world.pass({ minutes: 2 });
  }
}

test('it waits, raises no alert, and goes as soon as they are known there', async () => {
  await exchange();
  expect(world.remote.writes()).toEqual([]);
  const [row] = await world.temp.store.query('SELECT state, waits_for, fault FROM outbox');
  expect(row).toMatchObject({ state: 'queued', waits_for: 'Patient/p1', fault: 'The patient is not known there.' });
  world.pass({ hours: 5 });
  await exchange();
  expect(world.events.map(({ alert }) => alert)).not.toContain('lag.exceeded');
  register();
  await exchange();
  expect(world.remote.all('Task')).toMatchObject([{ for: { reference: 'Patient/r1' } }]);
});

test('so a preview says', async () => {
  expect(await world.sync.preview('ehr', 'Task', 't1')).toMatchObject({
    outcome: 'would-wait',
    detail: 'The patient is not known there.',
  });
});

test('what is there already, and what the server is meant to get without patients, goes on', async () => {
  register();
  await exchange();
  await world.write(task('t1', { status: 'accepted' }));
  await exchange();
  expect((world.remote.all('Task') as Task[])[0]?.status).toBe('accepted');
  await world.cleanup();
  world = await openWorld({ connection: { types: { Task: 'push' } } });
  await world.write(patient('p1'));
  await world.write(task('t1'));
  await exchange();
  expect(world.remote.all('Task')).toHaveLength(1);
});

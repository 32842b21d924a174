// A stream that is read patient by patient is read again as a whole when a person rewinds it. docs/sync-spec.md#I3
import { afterEach, expect, test } from 'vitest';
import { NURSE, openWorld, patient, task, type World } from '../support/sync-world.ts';

let world: World;
afterEach(() => world.cleanup());

test('rewinding the stream of a roster forgets which answers were known, and those of other types stay', async () => {
  world = await openWorld({
    knobs: { lastUpdated: false },
    connection: { vendor: 'epic', types: { Patient: 'both', Task: 'both', Goal: 'pull' } },
  });
  await world.write(patient('p1'));
  await world.sync.pushNow();
  const [there] = world.remote.all('Patient');
  world.remote.put(task('t1', { for: { reference: `Patient/${there?.id}` } }));
  await world.sync.pullNow();
  const known = (type: string) =>
    world.temp.store.query('SELECT subject FROM roster WHERE connection = ? AND type = ?', ['ehr', type]);
  expect(await known('Task')).toHaveLength(1);
  const goals = (await known('Goal')).length;
  const [stream] = await world.temp.store.query("SELECT stream_key FROM checkpoint WHERE type = 'Task'");
  await world.sync.rewind(NURSE, String(stream?.stream_key), null);
  expect(await known('Task')).toEqual([]);
  expect(await known('Goal')).toHaveLength(goals);
  await world.sync.pullNow();
  expect(await known('Task')).toHaveLength(1);
  expect(await world.all('Task')).toHaveLength(1);
});

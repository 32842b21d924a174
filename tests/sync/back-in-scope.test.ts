// A patient who leaves the Group whose records flow, and comes back: what was written meanwhile is not lost, on either side.
// docs/sync-spec.md#I8
import type { Task } from '@medplum/fhirtypes';
import { afterEach, expect, test } from 'vitest';
import { openWorld, patient, task, type World } from '../support/sync-world.ts';

let world: World;
afterEach(async () => world.cleanup());

const members = (...ids: string[]) => {
  const member = ids.map((id) => ({ entity: { reference: `Patient/${id}` } }));
  world.remote.put({ resourceType: 'Group', id: 'g1', type: 'person', actual: true, member });
};
/** Here and there. */
function pass(duration: Temporal.DurationLike): void {
  world.pass(duration);
  world.remote.now += Temporal.Duration.from(duration).total('milliseconds');
}
async function round(): Promise<void> {
  pass({ minutes: 10 });
  await world.sync.pullNow();
  await world.sync.pushNow();
}
const there = (id: string) => (world.remote.all('Task') as Task[]).find((one) => one.id === id);
const here = async () => (await world.all<Task>('Task')).map(({ description }) => description).sort();
const about = (id: string, description: string) => task(id, { description, for: { reference: 'Patient/r1' } });
const noted = (text: string) => [{ text }];

test.each([
  ['searched by time', { strategies: { Patient: 'search', Task: 'search' } }],
  ['by its history', { strategies: { Patient: 'history', Task: 'history' } }],
  ['patient by patient', { strategies: { Patient: 'roster', Task: 'roster' } }],
] as const)('%s', async (_, how) => {
  world = await openWorld({
    knobs: { history: true },
    connection: { types: { Patient: 'pull', Task: 'both' }, patients: { kind: 'group', id: 'g1' }, ...how },
  });
  members('r1', 'r2');
  for (const id of ['r1', 'r2'])
    world.remote.put(patient(id, { name: [{ family: id }], birthDate: `19${id.length}0-01-0${id.at(-1)}` }));
  world.remote.put(about('t1', 'Old'));
  await round();
  expect(await here()).toEqual(['Old']);
  members('r2');
  await round();
  const [known] = await world.all<Task>('Task');
  world.remote.put({ ...about('t1', 'Old'), note: noted('theirs') } as Task & { id: string });
  world.remote.put(about('t2', 'Made there meanwhile'));
  await round();
  pass({ hours: 1 });
  const now = await world.read<Task>('Task', String(known?.id));
  await world.write({ ...now, id: String(known?.id), note: [...(now?.note ?? []), { text: 'ours' }] } as Task & {
    id: string;
  });
  await world.write(task('ours', { description: 'Made here meanwhile', for: known?.for }));
  await round();
  pass({ hours: 2 });
  await round();
  members('r1', 'r2');
  for (let rounds = 0; rounds < 3; rounds += 1) await round();
  expect(await here()).toEqual(['Made here meanwhile', 'Made there meanwhile', 'Old']);
  expect(
    there('t1')
      ?.note?.map(({ text }) => text)
      .sort(),
  ).toEqual(['ours', 'theirs']);
  const both = await world.read<Task>('Task', String(known?.id));
  expect(both?.note?.map(({ text }) => text).sort()).toEqual(['ours', 'theirs']);
  expect(world.remote.all('Task')).toHaveLength(3);
  expect(await world.sync.conflicts()).toEqual([]);
});

test.each([
  ['searched by time', 'search'],
  ['by its history', 'history'],
  ['patient by patient', 'roster'],
] as const)('who joins later comes in with what they have had since before, %s', async (_, how) => {
  world = await openWorld({
    knobs: { history: true },
    connection: {
      types: { Patient: 'pull', Task: 'pull' },
      patients: { kind: 'group', id: 'g1' },
      strategies: { Patient: how, Task: how },
    },
  });
  members('r2');
  world.remote.put(patient('r1'));
  world.remote.put(about('t1', 'Theirs'));
  await round();
  pass({ hours: 2 });
  // The streams go on, past what was a stranger's.
  world.remote.put(patient('r2', { name: [{ family: 'Okafor' }], birthDate: '1971-07-01' }));
  world.remote.put(task('t2', { description: 'Of another', for: { reference: 'Patient/r2' } }));
  await round();
  pass({ hours: 2 });
  members('r1', 'r2');
  for (let rounds = 0; rounds < 3; rounds += 1) await round();
  expect(await here()).toEqual(['Of another', 'Theirs']);
});

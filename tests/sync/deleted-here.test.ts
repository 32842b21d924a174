// A delete that travels meets an edit there that nobody here has seen: a person decides, also where nothing is pulled.
// docs/sync-spec.md#I21
import type { Goal } from '@medplum/fhirtypes';
import { afterEach, expect, test } from 'vitest';
import { NURSE, openWorld, patient, type World } from '../support/sync-world.ts';

let world: World;
afterEach(async () => world.cleanup());

const goals = () => world.remote.all('Goal') as (Goal & { id: string })[];

async function deletedHere(
  versioning: boolean,
  meanwhile: (goal: Goal & { id: string }) => unknown,
  fetch: typeof globalThis.fetch = globalThis.fetch,
): Promise<void> {
  world = await openWorld({
    connection: { types: { Patient: 'push', Goal: 'push' }, mode: 'push' },
    knobs: { versioning },
    sync: () => ({ policies: { Goal: { delete: 'push' } }, fetch }),
  });
  await world.write(patient('p1'));
  const subject = { reference: 'Patient/p1' };
  await world.write({
    ...{ resourceType: 'Goal', id: 'g1', lifecycleStatus: 'active', description: { text: 'Walk' }, subject },
  } as Goal & { id: string });
  await world.sync.pushNow();
  for (const goal of goals()) meanwhile(goal);
  await world.temp.store.commit(NURSE, [{ op: 'delete', type: 'Goal', id: 'g1' }]);
  // Before it is asked again whether the server is the one it was.
  for (let n = 0; n < 3; n += 1) {
    world.pass({ minutes: 18 });
    await world.sync.pushNow();
  }
}

const editedThereDeletedHere = (versioning = true) =>
  deletedHere(versioning, (goal) => world.remote.put({ ...goal, statusReason: 'Theirs' } as unknown as Goal));
const rows = async () =>
  (await world.temp.store.query("SELECT state FROM outbox WHERE type = 'Goal'")).map(({ state }) => state);

test.each([
  ['keeps versions', true],
  ['keeps none', false],
])('is asked once at a server that %s, and theirs stays until then', async (_, versioning) => {
  await editedThereDeletedHere(versioning);
  expect(goals()).toHaveLength(1);
  expect(await world.sync.conflicts()).toMatchObject([{ kind: 'deleted', localId: 'g1' }]);
  expect(world.events.filter(({ kind }) => kind === 'conflict')).toHaveLength(1);
});

test('and theirs is here again once a person takes it', async () => {
  await editedThereDeletedHere();
  const [conflict] = await world.sync.conflicts();
  await world.sync.resolve(NURSE, String(conflict?.id), { take: 'theirs' });
  world.pass({ hours: 1 });
  await world.sync.pushNow();
  expect(goals()).toHaveLength(1);
  expect(await world.read('Goal', 'g1')).toMatchObject({
    statusReason: 'Theirs',
    subject: { reference: 'Patient/p1' },
  });
  expect(await world.sync.conflicts()).toEqual([]);
});

test.each([true, false])(
  'and is deleted there once a person takes ours, unless it was edited again: versions %s',
  async (versioning) => {
    await editedThereDeletedHere(versioning);
    const [conflict] = await world.sync.conflicts();
    const tried = await world.sync.forecast(NURSE, String(conflict?.id), { take: 'ours' });
    expect(tried.there.outcome).toBe('would-delete');
    await world.sync.resolve(NURSE, String(conflict?.id), { take: 'ours' });
    world.remote.put({ ...(goals()[0] as Goal), statusReason: 'Again' } as unknown as Goal);
    await world.sync.pushNow();
    expect(goals()).toHaveLength(1);
    const [another] = await world.sync.conflicts();
    expect(another).toMatchObject({ kind: 'deleted', localId: 'g1' });
    await world.sync.resolve(NURSE, String(another?.id), { take: 'ours' });
    await world.sync.pushNow();
    expect(goals()).toHaveLength(0);
    expect(await world.sync.conflicts()).toEqual([]);
  },
);

test.each([
  ['what nobody has touched', (): void => undefined],
  ['what has another version with the same words', (goal: Goal): unknown => world.remote.put(goal)],
])('%s is deleted there', async (_, meanwhile) => {
  for (const versioning of [true, false]) {
    await deletedHere(versioning, meanwhile);
    expect(goals()).toHaveLength(0);
    expect(await world.sync.conflicts()).toEqual([]);
    if (versioning) await world.cleanup();
  }
});

test('what a server does not have any more, but refuses by its version, has been deleted', async () => {
  const strict: typeof fetch = async (input, init) =>
    init?.method === 'DELETE' ? new Response(null, { status: 412 }) : fetch(input, init);
  await deletedHere(true, ({ id }) => world.remote.remove('Goal', id), strict);
  expect(await rows()).toEqual(['sent', 'sent']);
});

// Every exchange and every commit fails once, before or after its effect, followed by a restart: afterwards both sides are
// equal, nothing is there twice and no edit is lost. docs/sync-spec.md#I3 docs/sync-spec.md#I12
import type { CarePlan, Resource, Task } from '@medplum/fhirtypes';
import { expect, test } from 'vitest';
import type { Store } from '../../src/store/store.ts';
import type { SyncOptions } from '../../src/sync/sync.ts';
import { carePlan, openWorld, patient, task, type World, type WorldOptions } from '../support/sync-world.ts';

type Effect = 'before' | 'after';

/** Counts calls down and fails one of them. */
class Bomb {
  #left: number;
  readonly #effect: Effect;
  exploded = false;

  constructor(left: number, effect: Effect) {
    this.#left = left;
    this.#effect = effect;
  }

  async run<T>(work: () => Promise<T>): Promise<T> {
    this.#left -= 1;
    if (this.#left !== 0) return work();
    this.exploded = true;
    if (this.#effect === 'after') await work();
    throw new Error('The process died here.');
  }
}

/** The day both sides have: creates, a circle, edits here, edits there, a new task there. */
async function seed(world: World): Promise<void> {
  await world.write(patient('p1'));
  await world.write(task('t1', { basedOn: [{ reference: 'CarePlan/c1' }] }));
  await world.write(carePlan('c1', { activity: [{ reference: { reference: 'Task/t1' } }] }));
  await world.write(task('t2'));
}

async function editThere(world: World): Promise<void> {
  const found = (world.remote.all('Task') as Task[]).find(({ description }) => description === 'Call the patient');
  const subject = found?.for;
  if (found) world.remote.put({ ...found, status: 'accepted' });
  if (subject) world.remote.put(task('new', { for: subject, description: 'Made there' }));
}

async function editHere(world: World): Promise<void> {
  const plan = await world.read<CarePlan>('CarePlan', 'c1');
  if (plan) await world.write({ ...plan, title: 'Edited here' } as CarePlan & { id: string });
}

async function round(world: World): Promise<void> {
  await world.sync.pullNow();
  await world.sync.pushNow();
}

async function day(world: World): Promise<void> {
  await round(world);
  await editThere(world);
  await editHere(world);
  await round(world);
}

async function convergesAfter(world: World): Promise<void> {
  for (let rounds = 0; rounds < 2; rounds += 1) {
    world.pass({ minutes: 20 });
    await round(world);
  }
  await editThere(world);
  await editHere(world);
  for (let rounds = 0; rounds < 2; rounds += 1) {
    world.pass({ minutes: 20 });
    await round(world);
  }
  const count = (type: string) => world.remote.all(type).length;
  expect({ patients: count('Patient'), plans: count('CarePlan'), tasks: count('Task') }).toEqual({
    patients: 1,
    plans: 1,
    tasks: 3,
  });
  expect(await world.all('Task')).toHaveLength(3);
  expect((await world.read<CarePlan>('CarePlan', 'c1'))?.title).toBe('Edited here');
  expect((world.remote.all('CarePlan') as CarePlan[])[0]?.title).toBe('Edited here');
  const statuses = (resources: Resource[]) => (resources as Task[]).map(({ status }) => status).sort();
  expect(statuses(await world.all('Task'))).toEqual(statuses(world.remote.all('Task')));
  const [status] = await world.sync.status();
  expect(status).toMatchObject({
    openConflicts: 0,
    links: 5,
    outbox: { queued: 0, sending: 0, parked: 0, rejected: 0 },
  });
}

/** The same store, with commits that can fail. */
function fragile(store: Store, bomb: Bomb): Store {
  return new Proxy(store, {
    get(target, property, receiver) {
      if (property === 'commit')
        return (...args: Parameters<Store['commit']>) => bomb.run(() => target.commit(...args));
      const value: unknown = Reflect.get(target, property, receiver);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

/** Fails call after call until a whole day passes without reaching the bomb; resolves to how many calls a day has. */
async function everyCall(
  knobs: NonNullable<WorldOptions['knobs']>,
  effect: Effect,
  rig: (bomb: Bomb, store: Store) => Partial<SyncOptions>,
): Promise<number> {
  for (let nth = 1; ; nth += 1) {
    const bomb = new Bomb(nth, effect);
    const types = { Patient: 'both', CarePlan: 'both', Task: 'both' } as const;
    const world = await openWorld({ knobs, connection: { types }, sync: (store) => rig(bomb, store) });
    try {
      await seed(world);
      await day(world);
      await world.restart();
      await convergesAfter(world);
      if (!bomb.exploded) return nth - 1;
    } catch (error) {
      throw new Error(`call ${nth}, ${effect} its effect`, { cause: error });
    } finally {
      await world.cleanup();
    }
  }
}

const PLAIN = {};
const BARE = { conditionalCreate: false, transactions: false };

test.each([
  ['plain', 'before', PLAIN],
  ['plain', 'after', PLAIN],
  ['bare', 'before', BARE],
  ['bare', 'after', BARE],
] as const)('an exchange that fails, %s server, %s its effect', async (_server, effect, knobs) => {
  const calls = await everyCall(knobs, effect, (bomb) => ({ fetch: (...args) => bomb.run(() => fetch(...args)) }));
  expect(calls).toBeGreaterThan(10);
});

test.each([
  ['plain', 'before', PLAIN],
  ['bare', 'after', BARE],
] as const)('a commit that fails, %s server, %s its effect', async (_server, effect, knobs) => {
  const calls = await everyCall(knobs, effect, (bomb, store) => ({ store: fragile(store, bomb) }));
  expect(calls).toBeGreaterThan(20);
});

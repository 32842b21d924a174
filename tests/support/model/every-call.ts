// A day of Baton between two servers in which one call fails, and another process afterwards that must put all right.

import { deepStrictEqual } from 'node:assert/strict';
import type { CarePlan, Task } from '@medplum/fhirtypes';
import { carePlan, patient, task } from '../sync-world.ts';
import { Bomb, type Failing } from './fragile.ts';
import type { ModelKnobs } from './model-remote.ts';
import { openTwoServers, type Reach, SERVERS, type TwoServers } from './two-servers.ts';

export const PLAIN: ModelKnobs = {
  conditionalCreate: true,
  versioning: true,
  transactions: true,
  secondPrecision: false,
  pageSize: 50,
  normalise: false,
  repeatAcrossPages: false,
};
export const BARE: ModelKnobs = {
  ...PLAIN,
  conditionalCreate: false,
  versioning: false,
  transactions: false,
  normalise: true,
};
const MINUTES = 60_000;

/** Creates, and a circle of two. */
async function seed(world: TwoServers): Promise<void> {
  await world.write(patient('p1'));
  await world.write(task('t1', { basedOn: [{ reference: 'CarePlan/c1' }] }));
  await world.write(carePlan('c1', { activity: [{ reference: { reference: 'Task/t1' } }] }));
}

async function editEverywhere({ remotes, write, all }: TwoServers, number: number): Promise<void> {
  const found = (remotes.a.all('Task') as Task[]).find(({ id }) => id !== 'new');
  if (found) remotes.a.put({ ...found, statusReason: { text: `edited there ${number}` } });
  const patientThere = remotes.a.all('Patient')[0];
  const isMade = remotes.a.all('Task').some(({ id }) => id === 'new');
  if (patientThere && !isMade) {
    remotes.a.put(task('new', { for: { reference: `Patient/${patientThere.id}` }, description: 'Made there' }));
  }
  const [plan] = await all<CarePlan>('CarePlan');
  if (plan) await write({ ...plan, title: `Edited here ${number}` });
}

async function round(world: TwoServers): Promise<void> {
  await world.sync.pullNow();
  await world.sync.pushNow();
}

async function convergesAfter(world: TwoServers): Promise<void> {
  for (const number of [2, 3]) {
    for (let rounds = 0; rounds < 4; rounds += 1) {
      world.pass(20 * MINUTES);
      await round(world);
    }
    if (number === 2) await editEverywhere(world, number);
  }
  const here = await world.all<Task>('Task');
  const shown = (tasks: readonly Task[]) =>
    tasks.map(({ status, statusReason }) => `${status} ${statusReason?.text}`).sort();
  deepStrictEqual(shown(here), ['requested edited there 2', 'requested undefined']);
  for (const name of SERVERS) {
    const { all } = world.remotes[name];
    deepStrictEqual(shown(all('Task') as Task[]), shown(here));
    deepStrictEqual(
      (all('CarePlan') as CarePlan[]).map(({ title }) => title),
      ['Edited here 2'],
    );
    deepStrictEqual(all('Patient').length, 1);
  }
  for (const { openConflicts, links, outbox } of await world.sync.status()) {
    const { queued, sending, parked, rejected } = outbox;
    deepStrictEqual(
      { openConflicts, links, left: queued + sending + parked + rejected },
      { openConflicts: 0, links: 4, left: 0 },
    );
  }
}

export interface Plan {
  readonly knobs: ModelKnobs;
  readonly failing: Failing;
  readonly deadly: boolean;
  readonly reach: Reach;
  /** Every call, or one in so many. */
  readonly stride: number;
}

/** Fails call after call until a whole day passes without reaching the bomb; resolves to how many calls a day has. */
export async function everyCall({ knobs, failing, deadly, reach, stride }: Plan): Promise<number> {
  for (let nth = 1; ; nth += stride) {
    const bomb = new Bomb(nth, failing, deadly);
    const timeout = Temporal.Duration.from({ milliseconds: 2 });
    const world = await openTwoServers({ knobs: { a: knobs, b: knobs }, random: () => 0, timeout });
    try {
      await seed(world);
      world.start(bomb, reach);
      await round(world);
      await editEverywhere(world, 1);
      await round(world);
      world.start();
      await convergesAfter(world);
      if (!bomb.exploded) return nth - stride;
    } catch (error) {
      throw new Error(`call ${nth}`, { cause: error });
    } finally {
      await world.cleanup();
    }
  }
}

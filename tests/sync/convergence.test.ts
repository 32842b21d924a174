// Whatever happens in whatever order: at the end each pair is equal or waits for a person, and nothing is there twice.
// docs/sync-spec.md#I12 docs/sync-spec.md#I14
import type { Resource, Task } from '@medplum/fhirtypes';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Fault } from '../../src/fault.ts';
import { sameJson } from '../../src/fhir/canonical-json.ts';
import { comparable, jsonOf } from '../../src/sync/body.ts';
import { readLinkMap } from '../../src/sync/link-map.ts';
import { toLocalTerms } from '../../src/sync/mapping.ts';
import { openWorld, patient, task, type World } from '../support/sync-world.ts';

type Step =
  | { readonly do: 'pull' | 'push' | 'restart' | 'drop-before' | 'drop-after' | 'throttle' | 'hide' | 'reveal' }
  | { readonly do: 'make-here' | 'make-there' }
  | { readonly do: 'edit-here' | 'edit-there'; readonly which: number; readonly edit: object };

const edit = fc.constantFrom<object>(
  { priority: 'urgent' },
  { priority: 'stat' },
  { status: 'accepted' },
  { status: 'completed' },
  { description: 'one' },
  { description: 'two' },
  { note: [{ text: 'seen', time: '2026-01-01T00:00:00Z' }] },
);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom<Step>({ do: 'pull' }, { do: 'push' }) },
  {
    weight: 2,
    arbitrary: fc.constantFrom<Step>(
      { do: 'restart' },
      { do: 'drop-before' },
      { do: 'drop-after' },
      { do: 'throttle' },
      { do: 'hide' },
      { do: 'reveal' },
    ),
  },
  { weight: 2, arbitrary: fc.constantFrom<Step>({ do: 'make-here' }, { do: 'make-there' }) },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constantFrom('edit-here', 'edit-there'), which: fc.nat(5), edit }),
  },
);

/** Enough to meet each pair of steps; the long run is the soak's. */
const RUNS = 15;

let made = 0;

async function take(world: World, one: Step): Promise<void> {
  const { remote, sync } = world;
  switch (one.do) {
    case 'pull':
      return sync.pullNow();
    case 'push':
      return sync.pushNow();
    case 'restart':
      return world.restart();
    case 'drop-before':
    case 'drop-after':
      remote.knobs.dropWrite = one.do === 'drop-after' ? 'after' : 'before';
      return;
    case 'throttle':
      remote.knobs.refusals.push({ status: 429, headers: { 'retry-after': '3' } });
      return;
    case 'hide':
      remote.knobs.hideNew = true;
      return;
    case 'reveal':
      remote.knobs.hideNew = false;
      return remote.reveal();
    case 'make-here':
      made += 1;
      await world.write(task(`here-${made}`, { description: `made here ${made}` }));
      return;
    case 'make-there': {
      made += 1;
      const subject = `Patient/${remote.all('Patient')[0]?.id}`;
      remote.put(task(`there-${made}`, { for: { reference: subject }, description: `made there ${made}` }));
      return;
    }
    case 'edit-here': {
      const tasks = await world.all<Task>('Task');
      const chosen = tasks[one.which % Math.max(1, tasks.length)];
      if (chosen) await tryToWrite(world, { ...chosen, ...one.edit } as Task & { id: string });
      return;
    }
    case 'edit-there': {
      const tasks = remote.all('Task');
      const chosen = tasks[one.which % Math.max(1, tasks.length)];
      if (chosen) remote.put({ ...chosen, ...one.edit } as Resource);
    }
  }
}

/** Nobody gets past the status machine here, as nobody does through the API: what is completed stays so. */
async function tryToWrite(world: World, edited: Task & { id: string }): Promise<void> {
  await world.write(edited).catch((error: unknown) => {
    if (!(error instanceof Fault && error.kind === 'unprocessable')) throw error;
  });
}

async function settle(world: World): Promise<void> {
  Object.assign(world.remote.knobs, { dropWrite: undefined, hideNew: false, refusals: [] });
  world.remote.reveal();
  for (let rounds = 0; rounds < 6; rounds += 1) {
    world.pass({ minutes: 20 });
    await world.sync.pullNow();
    await world.sync.pushNow();
  }
}

async function expectEqual(world: World): Promise<void> {
  const local = await world.all<Task>('Task');
  const remote = world.remote.all('Task') as (Task & { id: string })[];
  expect(remote.length).toBe(local.length);
  const targets = remote.map(({ id }) => ({ type: 'Task', id }));
  const patients = world.remote.all('Patient').map(({ id }) => ({ type: 'Patient', id }));
  const map = await readLinkMap(world.temp.store, 'ehr', [], [...targets, ...patients]);
  const context = { remoteBase: world.remote.baseUrl, ownSystem: 'https://baton.test/id' };
  const disputed = new Set((await world.sync.conflicts()).map(({ localId }) => localId));
  for (const there of remote) {
    const id = map.localOf('Task', there.id);
    const here = local.find((one) => one.id === id);
    if (!here || disputed.has(here.id)) continue;
    const mapped = toLocalTerms(context, map, jsonOf(there)).body;
    if (!sameJson(mapped, comparable(jsonOf(here)))) expect(mapped).toEqual(comparable(jsonOf(here)));
  }
  const [status] = await world.sync.status();
  expect(status?.links).toBe(local.length + 1);
  expect(status?.outbox).toMatchObject({ sending: 0, parked: 0, rejected: 0 });
  expect(status?.outbox.queued).toBeLessThanOrEqual(disputed.size);
}

test('random days converge', async () => {
  const server = fc.record({
    conditionalCreate: fc.boolean(),
    versioning: fc.boolean(),
    secondPrecision: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(server, fc.array(step, { minLength: 8, maxLength: 25 }), async (knobs, steps) => {
      const world = await openWorld({ knobs, connection: { types: { Patient: 'both', Task: 'both' } } });
      try {
        await world.write(patient('p1'));
        await world.sync.pushNow();
        for (const one of steps) {
          world.pass({ seconds: 5 });
          world.remote.now += 5_000;
          // Hidden for less than the time the vendor file allows for; beyond it no client could know.
          world.remote.reveal();
          await take(world, one);
        }
        await settle(world);
        await expectEqual(world);
      } finally {
        await world.cleanup();
      }
    }),
    { numRuns: RUNS },
  );
});

// Patients that are alike, merged, taken apart and decided about in any order, with crashes in between: nobody's data ends
// with somebody else, nothing stays held without a question, and then it is quiet. docs/sync-spec.md#I8
import type { Patient, Task } from '@medplum/fhirtypes';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readLinkMap } from '../../src/sync/link-map.ts';
import { NURSE, openWorld, patient, task, type World } from '../support/sync-world.ts';

const which = fc.nat(3);
type Step =
  | { readonly do: 'pull' | 'push' | 'restart' }
  | { readonly do: 'patient' | 'alike-here' | 'task' | 'task-here' | 'unmerge'; readonly which: number }
  | { readonly do: 'merge'; readonly which: number; readonly into: number }
  | { readonly do: 'decide'; readonly how: 'link' | 'new' | 'apart' };
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom('pull', 'push') }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('restart') }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom('patient', 'alike-here', 'task', 'task-here'), which }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('merge'), which, into: which }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('unmerge'), which }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('decide'), how: fc.constantFrom('link', 'new', 'apart') }) },
) as fc.Arbitrary<Step>;

/** Two pairs that are alike enough to ask. */
const LOOKS = ['Ana', 'Ana', 'Eva', 'Eva'].map((given, index) => ({
  name: [{ family: index < 2 ? 'García' : 'Novak', given: [given] }],
  birthDate: index < 2 ? '1950-03-04' : '1961-07-08',
  gender: 'female',
}));

let made = 0;

function there(world: World, id: string): (Patient & { id: string }) | undefined {
  return world.remote.all('Patient').find((one) => one.id === id) as Patient & { id: string };
}

function survivorThere(world: World, id: string): string {
  const next = there(world, id)?.link?.[0]?.other.reference?.replace('Patient/', '');
  return next === undefined ? id : survivorThere(world, next);
}

async function take(world: World, one: Step): Promise<void> {
  const { remote, sync } = world;
  made += 1;
  switch (one.do) {
    case 'pull':
      return sync.pullNow();
    case 'push':
      return sync.pushNow();
    case 'restart':
      return world.restart();
    case 'patient':
      remote.put({ ...patient(`r${one.which}`, LOOKS[one.which]), ...linkOf(world, `r${one.which}`) } as Patient);
      return;
    case 'alike-here':
      await world.write(patient(`p${one.which}`, LOOKS[one.which]));
      return;
    case 'task':
      if (there(world, `r${one.which}`)) remote.put(task(`x${made}`, { for: { reference: `Patient/r${one.which}` } }));
      return;
    case 'task-here':
      if (await world.read('Patient', `p${one.which}`)) {
        await world.write(task(`t${made}`, { for: { reference: `Patient/p${one.which}` } }));
      }
      return;
    case 'merge': {
      const [from, into] = [there(world, `r${one.which}`), there(world, `r${one.into}`)];
      // No server makes a circle of its own records.
      if (!from || !into || from.link || survivorThere(world, into.id) === from.id) return;
      const link = [{ type: 'replaced-by' as const, other: { reference: `Patient/${into.id}` } }];
      remote.put({ ...from, active: false, link });
      return;
    }
    case 'unmerge': {
      const from = there(world, `r${one.which}`);
      if (!from?.link) return;
      const { link: _none, active: _inactive, ...rest } = from;
      remote.put(rest as Patient);
      return;
    }
    case 'decide':
      return decide(world, one.how);
  }
}

const linkOf = (world: World, id: string) => {
  const known = there(world, id);
  return known?.link ? { link: known.link, active: false } : {};
};

async function decide(world: World, how: 'link' | 'new' | 'apart'): Promise<void> {
  const [question] = await world.sync.matches();
  const [candidate] = question?.candidates ?? [];
  if (!question || !candidate) return;
  const decision = how === 'link' ? ({ decision: 'link', to: candidate.localId } as const) : { decision: how };
  // Refused where two of ours would become one by it.
  await world.sync.decideMatch(NURSE, question.id, decision).catch(async (error) => {
    if (error.kind !== 'unprocessable') throw error;
    await world.sync.decideMatch(NURSE, question.id, { decision: 'apart' });
  });
}

async function settle(world: World): Promise<void> {
  for (let rounds = 0; rounds < 12; rounds += 1) {
    world.pass({ minutes: 20 });
    await world.sync.pullNow();
    await world.sync.pushNow();
    for (let n = 0; n < 8; n += 1) await decide(world, rounds % 2 === 0 ? 'link' : 'new');
    for (const conflict of await world.sync.conflicts()) {
      await world.sync.resolve(NURSE, conflict.id, { take: 'theirs' }).catch(() => undefined);
    }
  }
}

async function check(world: World, wasUnmerged: boolean): Promise<void> {
  const { temp, remote } = world;
  expect(await world.sync.matches('ehr', true)).toEqual([]);
  expect(await temp.store.query('SELECT type, remote_id FROM held_resource')).toEqual([]);
  expect(await temp.store.query("SELECT state FROM patient_merge WHERE state IN ('reported', 'decided')")).toEqual([]);
  remote.requests.length = 0;
  for (let rounds = 0; rounds < 3; rounds += 1) {
    world.pass({ minutes: 20 });
    await world.sync.pullNow();
    await world.sync.pushNow();
  }
  expect(world.remote.writes()).toEqual([]);
  const tasks = remote.all('Task') as (Task & { id: string })[];
  const people = remote.all('Patient').map(({ id }) => ({ type: 'Patient', id }));
  const map = await readLinkMap(temp.store, 'ehr', [], [...people, ...tasks.map(({ id }) => ({ type: 'Task', id }))]);
  for (const one of tasks) {
    const here = await world.read<Task>('Task', String(map.localOf('Task', one.id)));
    // One that went out before anybody had its patient there names that patient by number.
    if (!here || wasUnmerged || one.for?.reference === undefined) continue;
    const whose = String(one.for.reference).replace('Patient/', '');
    expect(here.for?.reference).toBe(`Patient/${map.localOf('Patient', whose)}`);
    expect(map.localOf('Patient', whose)).toBe(map.localOf('Patient', survivorThere(world, whose)));
    expect(await world.read('Patient', String(map.localOf('Patient', whose)))).toBeDefined();
  }
}

test('whatever is alike, merged, taken apart and decided in whatever order', { timeout: 600_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom('pull' as const, 'both' as const),
      fc.array(step, { minLength: 8, maxLength: 24 }),
      async (direction, steps) => {
        const world = await openWorld({ connection: { types: { Patient: direction, Task: 'both' } } });
        try {
          for (const one of steps) {
            world.remote.now += 2_000;
            world.pass({ seconds: 2 });
            await take(world, one);
          }
          await settle(world);
          await check(
            world,
            steps.some((one) => one.do === 'unmerge'),
          );
        } finally {
          await world.cleanup();
        }
      },
    ),
    { numRuns: Number(process.env.RUNS ?? 8) },
  );
});

// Paging never loses or repeats a match, whatever the page size, the order and the writes between pages.
import type { Task } from '@medplum/fhirtypes';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openSearchWorld, readAllPages, type SearchWorld } from '../store/search/search-world.ts';

let world: SearchWorld;
beforeAll(async () => {
  world = await openSearchWorld();
});
afterAll(() => world.cleanup());

const PRIORITIES = ['routine', 'urgent', undefined] as const;
let run = 0;

const task = (tag: string, id: string, seed: number): Task => {
  const priority = PRIORITIES[seed % 3];
  const start = seed % 4 === 0 ? undefined : `2026-01-0${1 + (seed % 5)}`;
  return {
    resourceType: 'Task',
    id,
    meta: { tag: [{ code: tag }] },
    status: seed % 2 ? 'requested' : 'ready',
    intent: 'order',
    ...(priority ? { priority } : {}),
    ...(start ? { restriction: { period: { start } } } : {}),
  };
};

const sorts = ['', '&_sort=due', '&_sort=-due', '&_sort=priority,due', '&_sort=-priority,_id', '&_sort=-_lastUpdated'];

test('every task that nobody touches is seen exactly once', async () => {
  const plan = fc.record({
    seeds: fc.array(fc.nat(20), { minLength: 1, maxLength: 25 }),
    count: fc.integer({ min: 1, max: 7 }),
    sort: fc.constantFrom(...sorts),
    filter: fc.constantFrom('', '&status=requested,ready', '&status:not=failed', '&due:missing=false'),
    writes: fc.array(fc.record({ seed: fc.nat(20), removes: fc.boolean() }), { maxLength: 5 }),
  });
  await fc.assert(
    fc.asyncProperty(plan, async ({ seeds, count, sort, filter, writes }) => {
      const tag = `page-${run++}`;
      const tasks = seeds.map((seed, i) => task(tag, `${tag}-${i}`, seed));
      await world.put(...tasks, ...writes.map(({ seed }, i) => task(tag, `${tag}-old-${i}`, seed)));
      const url = `Task?_tag=${tag}${filter}${sort}`;
      const expected = (await world.ids(`${url}&_count=1000`)).filter((id) => !/-(old|new)-/.test(id));
      const seen = await readAllPages(world, `${url}&_count=${count}`, async (page) => {
        const write = writes[page - 1];
        if (write?.removes) await world.remove('Task', `${tag}-old-${page - 1}`);
        else if (write) await world.put(task(tag, `${tag}-new-${page}`, write.seed));
      });
      expect(new Set(seen).size).toBe(seen.length);
      expect(seen.filter((id) => !/-(old|new)-/.test(id))).toEqual(expected);
    }),
    { numRuns: 60 },
  );
});

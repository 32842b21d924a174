// A server tells a chain of merges in two ways: searches show one, reads another. What was found out about it holds until one of
// them says something else. docs/sync-spec.md#I8
import type { Patient } from '@medplum/fhirtypes';
import { afterEach, expect, test } from 'vitest';
import { openWorld, patient, type World } from '../support/sync-world.ts';

type Kept = Patient & { id: string };

let world: World;
let commits: number;
let queries: number;
/** What a read of r2 says instead of what a search shows. */
let said: object | undefined;
afterEach(() => world.cleanup());

const into = (id: string) => ({
  active: false,
  link: [{ type: 'replaced-by' as const, other: { reference: `Patient/${id}` } }],
});

const fetchOf: typeof fetch = async (url, init) => {
  const response = await fetch(url, init);
  if (!said || !new URL(String(url)).pathname.endsWith('/Patient/r2')) return response;
  const { link: _link, active: _active, ...whole } = (await response.json()) as Kept;
  return Response.json({ ...whole, ...said }, { headers: { 'content-type': 'application/fhir+json' } });
};

/** Searches show r1 as merged into r2, and that into r4. @param others patients on the same page */
async function open(others: number): Promise<void> {
  said = undefined;
  world = await openWorld({
    connection: { types: { Patient: 'pull' } },
    sync: (store) => ({
      fetch: fetchOf,
      store: Object.assign(Object.create(store), {
        query: (...given: Parameters<typeof store.query>) => {
          queries += 1;
          return store.query(...given);
        },
        commit: (...given: Parameters<typeof store.commit>) => {
          commits += 1;
          return store.commit(...given);
        },
      }),
    }),
  });
  const ids = ['r1', 'r2', 'r3', 'r4', ...Array.from({ length: others }, (_, at) => `other-${at}`)];
  for (const id of ids) world.remote.put(patient(id, { name: [{ family: id }] }));
  await world.sync.pullNow();
}

function merge(from: string, to: string): void {
  const record = world.remote.all('Patient').find(({ id }) => id === from) as Kept;
  world.remote.put({ ...record, ...into(to) });
}

async function costOfPull(): Promise<{ commits: number; queries: number; merges: number }> {
  [commits, queries] = [0, 0];
  const before = world.events.length;
  await world.sync.pullNow();
  return { commits, queries, merges: world.events.slice(before).filter(({ kind }) => kind === 'merged').length };
}

const standingFor = async (remoteId: string) => {
  const sql = "SELECT replaced_by FROM identity WHERE remote_id = ? AND state = 'replaced' AND replaced_by IS NOT NULL";
  return (await world.temp.store.query(sql, [remoteId])).map(({ replaced_by }) => replaced_by);
};

const asked = async () => (await world.sync.matches()).map(({ remoteId }) => remoteId);

test('what a read led to is followed once, and asked about when it leads elsewhere', async () => {
  await open(0);
  const quiet = await costOfPull();
  merge('r2', 'r4');
  merge('r1', 'r2');
  said = into('r3');
  await world.sync.pullNow();
  for (let pulls = 0; pulls < 3; pulls += 1) {
    expect(await costOfPull()).toMatchObject({ commits: quiet.commits, merges: 0 });
    expect([await standingFor('r1'), await standingFor('r2')]).toEqual([['r3'], ['r4']]);
  }
  said = undefined;
  await world.sync.pullNow();
  expect(await asked()).toEqual(['r1']);
  expect(await standingFor('r2')).toEqual(['r4']);
});

test('so is what a search shows instead', async () => {
  await open(0);
  merge('r2', 'r4');
  merge('r1', 'r2');
  said = into('r3');
  await world.sync.pullNow();
  merge('r2', 'r3');
  await world.sync.pullNow();
  expect(await standingFor('r1')).toEqual(['r3']);
  expect(await asked()).toEqual(['r2']);
});

test.each([
  ['that it was merged into another', into('r3')],
  ['that it is in use', {}],
])('others on the page are not taken in one at a time while a read says of one %s', async (_what, says) => {
  const costs: number[] = [];
  for (const others of [5, 25]) {
    if (others > 5) await world.cleanup();
    await open(others);
    merge('r2', 'r4');
    merge('r1', 'r2');
    said = says;
    for (let pulls = 0; pulls < 3; pulls += 1) await world.sync.pullNow();
    costs.push((await costOfPull()).queries);
  }
  expect(costs[1]).toBe(costs[0]);
});

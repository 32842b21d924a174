// What is known of a door for a type, and of what was tried through it, holds whatever opens and closes meanwhile.
// docs/sync-spec.md#I12 docs/sync-spec.md#I29
import type { Goal } from '@medplum/fhirtypes';
import { afterEach, expect, test } from 'vitest';
import type { Connection } from '../../src/sync/connections/settings.ts';
import { NURSE, openWorld, patient, task, type World } from '../support/sync-world.ts';

let world: World;
afterEach(async () => world.cleanup());
const goal = (id: string, fields: object = {}) =>
  ({
    resourceType: 'Goal',
    id,
    lifecycleStatus: 'active',
    description: { text: 'Walk' },
    subject: { reference: 'Patient/p1' },
    ...fields,
  }) as Goal & { id: string };
const restartWith = (more: Partial<Connection>) =>
  world.restart(() => ({ connections: [{ ...world.connection, ...more }] }));
const rows = (type: string) =>
  world.temp.store.query(
    'SELECT local_id, state, fault, fault_class, waits_for FROM outbox WHERE type = ? ORDER BY at',
    [type],
  );

test('a create whose answer was lost is looked for, though its type did not flow out for a while', async () => {
  const types = { Patient: 'push', Goal: 'push' } as const;
  world = await openWorld({
    connection: { types, mode: 'push' },
    knobs: { conditionalCreate: false, transactions: false },
    sync: () => ({ random: () => 1 }),
  });
  await world.write(patient('p1'));
  await world.sync.pushNow();
  world.remote.knobs.dropWrite = 'after';
  await world.write(goal('g1'));
  await world.sync.pushNow();
  await restartWith({ types: { Patient: 'push', Goal: 'pull' } });
  world.pass({ minutes: 20 });
  await world.sync.pushNow();
  await restartWith({ types });
  for (let n = 0; n < 4; n += 1) {
    world.pass({ hours: 25 });
    await world.sync.pushNow();
  }
  expect(world.remote.all('Goal')).toHaveLength(1);
});

test('a refusal is over once something is taken, although who waited has gone, and the next one is told', async () => {
  const types = { Patient: 'push', Task: 'push' } as const;
  world = await openWorld({ connection: { types, mode: 'push' } });
  await world.write(patient('p1'));
  await world.sync.pushNow();
  world.remote.knobs.denied = ['Task'];
  await world.write(task('t1'));
  await world.sync.pushNow();
  await world.temp.store.commit(NURSE, [{ op: 'delete', type: 'Task', id: 't1' }]);
  world.remote.knobs.denied = [];
  world.pass({ hours: 25 });
  await world.sync.pushNow();
  await world.write(task('t2'));
  await world.sync.pushNow();
  expect(world.remote.all('Task')).toHaveLength(1);
  world.remote.knobs.denied = ['Task'];
  await world.write(task('t3'));
  await world.sync.pushNow();
  expect(world.events.filter(({ kind }) => kind === 'refused-type').map(({ isOver }) => isOver === true)).toEqual([
    false,
    true,
    false,
  ]);
});

test('metadata that fails during a run is not asked for each row', async () => {
  let fails = false;
  let asked = 0;
  const failing: typeof fetch = async (input, init) => {
    if (String(input instanceof Request ? input.url : input).includes('/metadata')) {
      asked += 1;
      if (fails) return new Response('{}', { status: 404, headers: { 'content-type': 'application/fhir+json' } });
    }
    return fetch(input, init);
  };
  world = await openWorld({
    connection: { types: { Patient: 'push', Task: 'push', Goal: 'push' }, mode: 'push' },
    sync: () => ({ fetch: failing }),
  });
  await world.write(patient('p1'));
  await world.sync.pushNow();
  await world.write(goal('g0'));
  for (let n = 0; n < 40; n += 1) await world.write(task(`t${n}`));
  world.remote.knobs.denied = ['Goal'];
  fails = true;
  asked = 0;
  await world.sync.pushNow();
  expect(asked).toBeLessThan(5);
});

test('what refers to a resource that waits for a door asks nothing, and goes after it', async () => {
  const types = { Patient: 'push', Task: 'push' } as const;
  world = await openWorld({ connection: { types, mode: 'push' } });
  world.remote.knobs.denied = ['Patient'];
  await world.write(patient('p1'));
  for (let n = 0; n < 3; n += 1) await world.write(task(`t${n}`));
  await world.sync.pushNow();
  const requests = world.remote.requests.length;
  for (let n = 0; n < 10; n += 1) {
    world.pass({ minutes: 2 });
    await world.sync.pushNow();
  }
  expect(world.remote.requests).toHaveLength(requests);
  world.remote.knobs.denied = [];
  for (let n = 0; n < 3; n += 1) {
    world.pass({ hours: 25 });
    await world.sync.pushNow();
  }
  world.pass({ minutes: 2 });
  await world.sync.pushNow();
  expect([world.remote.all('Patient').length, world.remote.all('Task').length]).toEqual([1, 3]);
});

test('a backlog of many turns is sent once, whoever asks for it at the same time', async () => {
  const types = { Patient: 'push', Task: 'push' } as const;
  world = await openWorld({
    connection: { types, mode: 'push' },
    knobs: { conditionalCreate: false, transactions: false },
  });
  await world.write(patient('p1'));
  for (let n = 0; n < 20; n += 1) await world.write(task(`t${n}`));
  world.remote.knobs.beforeWrite = async () => {
    world.pass({ seconds: 70 });
  };
  await Promise.all([world.sync.pushNow(), world.sync.pushNow(), world.sync.pushNow()]);
  expect(world.remote.all('Task')).toHaveLength(20);
});

test('what would not go all the same is not taken up at each start', async () => {
  const projections = { Task: 'ServiceRequest' } as const;
  const doors = {
    Patient: { interactions: ['read', 'search-type', 'create', 'update'], search: ['identifier'] },
    ServiceRequest: { interactions: ['read', 'search-type', 'create', 'update'], search: ['identifier', 'patient'] },
  };
  const more = { types: { Patient: 'push', Task: 'push' }, projections, mode: 'push' } as const;
  world = await openWorld({ connection: more, knobs: { doors } });
  await world.write(patient('p1'));
  await world.write(task('t1'));
  await world.sync.pushNow();
  for (let n = 0; n < 5; n += 1) {
    await restartWith(more);
    await world.sync.pushNow();
  }
  expect((await rows('Task')).length).toBeLessThan(3);
});

test('or though something stood in for it for a while', async () => {
  const types = { Patient: 'push', Goal: 'push' } as const;
  const projections = { Goal: 'DocumentReference' } as const;
  const all = { interactions: ['read', 'search-type', 'create', 'update'], search: ['identifier', 'patient'] };
  const doors = { Patient: all, Goal: all, DocumentReference: all };
  world = await openWorld({
    connection: { types, mode: 'push', projections },
    knobs: { conditionalCreate: false, transactions: false, doors },
    sync: () => ({ random: () => 1 }),
  });
  await world.write(patient('p1'));
  await world.sync.pushNow();
  world.remote.knobs.dropWrite = 'after';
  await world.write(goal('g1'));
  await world.sync.pushNow();
  world.remote.knobs.doors = { Patient: all, DocumentReference: all };
  world.pass({ hours: 25 });
  await world.sync.pushNow();
  world.remote.knobs.doors = doors;
  world.pass({ hours: 25 });
  await world.write(goal('g1', { lifecycleStatus: 'completed' }));
  for (let n = 0; n < 4; n += 1) {
    world.pass({ hours: 25 });
    await world.sync.pushNow();
  }
  expect(world.remote.all('Goal')).toHaveLength(1);
});

test('resources that refer to each other go one by one where the transaction is refused', async () => {
  const types = { Patient: 'push', Goal: 'push', Task: 'push' } as const;
  const refusing: typeof fetch = async (input, init) => {
    const body = init?.body ?? '';
    if (String(body).includes('"transaction"'))
      return new Response(
        JSON.stringify({ resourceType: 'OperationOutcome', issue: [{ severity: 'error', code: 'not-supported' }] }),
        { status: 405, headers: { 'content-type': 'application/fhir+json' } },
      );
    return fetch(input, init);
  };
  world = await openWorld({ connection: { types, mode: 'push' }, sync: () => ({ fetch: refusing }) });
  await world.write(patient('p1'));
  await world.write(task('t1', { focus: { reference: 'Task/t2' } }));
  await world.write(task('t2', { focus: { reference: 'Task/t1' } }));
  await world.sync.pushNow();
  for (let n = 0; n < 4; n += 1) {
    world.pass({ hours: 25 });
    await world.sync.pushNow();
  }
  expect(world.remote.all('Task')).toHaveLength(2);
});

test('two processes that hear of a door at different times send once', async () => {
  const types = { Patient: 'push', Task: 'push' } as const;
  world = await openWorld({
    connection: { types, mode: 'push' },
    knobs: { conditionalCreate: false, transactions: false },
  });
  await world.write(patient('p1'));
  const other = world.another();
  await world.sync.pushNow();
  await other.pushNow();
  world.remote.knobs.lost = ['Task'];
  for (let n = 0; n < 10; n += 1) await world.write(task(`t${n}`));
  world.pass({ hours: 25 });
  await Promise.all([world.sync.pushNow(), other.pushNow()]);
  world.remote.knobs.lost = [];
  world.pass({ hours: 25 });
  await Promise.all([world.sync.pushNow(), other.pushNow()]);
  await Promise.all([other.pushNow(), world.sync.pushNow()]);
  await other.stop();
  const all = await rows('Task');
  expect(world.remote.all('Task')).toHaveLength(10);
  expect(all.length).toBeLessThanOrEqual(20);
});

test('a dry run after a type was named, a door was lost and came back writes messages only', async () => {
  const types = { Patient: 'push', Task: 'push', Goal: 'push' } as const;
  world = await openWorld({ connection: { types: { Patient: 'push', Task: 'push' }, mode: 'push' } });
  await world.write(patient('p1'));
  await world.write(goal('g1'));
  world.remote.knobs.lost = ['Task'];
  await world.write(task('t1'));
  await world.sync.pushNow();
  await restartWith({ types, mode: 'dry-run' });
  world.remote.knobs.lost = [];
  world.pass({ hours: 25 });
  const kept = async () =>
    Promise.all(
      ['outbox', 'remote_fact', 'fed_type', 'cursor', 'identity', 'checkpoint'].map((table) =>
        world.temp.store.query(`SELECT * FROM ${table} ORDER BY 1, 2`),
      ),
    );
  const before = await kept();
  await world.sync.pushNow();
  await world.sync.pullNow();
  await world.sync.tick(Temporal.Now.instant().add({ hours: 26 }));
  expect(await kept()).toEqual(before);
  const shown = await world.temp.store.query(
    "SELECT type, outcome FROM message WHERE outcome LIKE 'would-%' ORDER BY type",
  );
  expect(shown.map(({ type, outcome }) => `${type} ${outcome}`)).toEqual(['Goal would-create', 'Task would-create']);
});

test('ten quiet beats after everything write nothing there and no row here', async () => {
  const types = { Patient: 'both', Task: 'both', Goal: 'both' } as const;
  world = await openWorld({ connection: { types }, knobs: { history: true } });
  await world.write(patient('p1'));
  await world.write(goal('g1'));
  world.remote.knobs.denied = ['Task'];
  await world.write(task('t1'));
  await world.sync.tick(Temporal.Now.instant());
  world.remote.knobs.denied = [];
  for (let n = 1; n < 4; n += 1) {
    world.pass({ hours: 25 });
    await world.sync.tick(Temporal.Now.instant().add({ hours: 25 * n }));
  }
  expect(world.remote.all('Task')).toHaveLength(1);
  const count = async () => [
    world.remote.writes().length,
    (await world.temp.store.query('SELECT 1 FROM outbox')).length,
    await world.temp.store.head(),
  ];
  const before = await count();
  for (let n = 4; n < 14; n += 1) {
    world.pass({ hours: 1 });
    await world.sync.tick(Temporal.Now.instant().add({ hours: 25 * n }));
  }
  expect(await count()).toEqual(before);
});

test('a commit that fails while what had no way is taken up loses and doubles nothing', async () => {
  const types = { Patient: 'push', Task: 'push' } as const;
  for (let nth = 1; nth < 12; nth += 1) {
    world = await openWorld({
      connection: { types, mode: 'push' },
      knobs: { conditionalCreate: false, transactions: false },
    });
    await world.write(patient('p1'));
    world.remote.knobs.lost = ['Task'];
    for (const id of ['t1', 't2']) await world.write(task(id));
    await world.sync.pushNow();
    world.remote.knobs.lost = [];
    let commits = 0;
    await world.restart((store) => ({
      store: {
        ...store,
        async commit(...given) {
          commits += 1;
          if (commits === nth) throw new Error('killed');
          return store.commit(...given);
        },
      },
    }));
    await world.sync.pushNow();
    await world.restart();
    for (let n = 0; n < 3; n += 1) {
      world.pass({ hours: 25 });
      await world.sync.pushNow();
    }
    expect(world.remote.all('Task'), `commit ${nth}`).toHaveLength(2);
    if (nth < 11) await world.cleanup();
  }
});

test('two processes with several workers each tell once of a refusal, and once that it is over', async () => {
  const types = { Patient: 'push', Task: 'push' } as const;
  world = await openWorld({
    connection: { types, mode: 'push' },
    knobs: { conditionalCreate: false, transactions: false },
    sync: () => ({ workers: 4 }),
  });
  await world.write(patient('p1'));
  await world.sync.pushNow();
  for (let n = 0; n < 40; n += 1) await world.write(task(`t${n}`));
  let n = 0;
  const other = world.another();
  world.remote.knobs.beforeWrite = async () => {
    n += 1;
    world.pass({ seconds: 15 });
    if (n === 10) world.remote.knobs.denied = ['Task'];
  };
  await Promise.all([world.sync.pushNow(), other.pushNow()]);
  world.remote.knobs.denied = [];
  for (let k = 0; k < 4; k += 1) {
    world.pass({ hours: 25 });
    await Promise.all([world.sync.pushNow(), other.pushNow()]);
  }
  await other.stop();
  expect(world.remote.all('Task')).toHaveLength(40);
  const told = world.events.filter(({ kind }) => kind === 'refused-type');
  expect(told.map(({ isOver }) => isOver === true)).toEqual([false, true]);
});

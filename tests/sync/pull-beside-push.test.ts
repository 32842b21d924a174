// One process pulls what another has just made there and is about to link: nobody is asked who that is.
// docs/sync-spec.md#I8
import type { Task } from '@medplum/fhirtypes';
import { afterEach, expect, test } from 'vitest';
import type { Statement } from '../../src/store/store.ts';
import { saveLink } from '../../src/sync/identity.ts';
import type { SyncOptions } from '../../src/sync/sync.ts';
import { NURSE, openWorld, patient, task, type World } from '../support/sync-world.ts';
import { shareTask } from './shared-task.ts';

const OURS = { identifier: [{ system: 'https://baton.test/id', value: 'p1' }] };
/** As by a push; without a common version, so that the next pull compares. */
const LINK: Statement = saveLink(
  {
    ...{ connection: 'ehr', type: 'Patient', localId: 'p1', remoteId: 'r1', state: 'linked', how: 'created-by-us' },
    ...{ remoteVersion: undefined, remoteHash: undefined, baseVersion: undefined },
    ...{ baseLocal: undefined, baseRemote: undefined },
  },
  0,
);

let world: World;
afterEach(() => world.cleanup());

/** A world whose pull finds p1 there, linked at the moment that `hook` chooses. */
async function pullWhile(hook: (store: SyncOptions['store'], link: () => Promise<unknown>) => SyncOptions['store']) {
  world = await openWorld();
  await world.write(patient('p1'));
  world.remote.put(patient('r1', OURS));
  let isLinked = false;
  await world.restart((store) => ({
    store: hook(store, async () => {
      if (isLinked) return;
      isLinked = true;
      await store.commit(NURSE, [], [LINK]);
    }),
  }));
  await world.sync.pullNow();
  expect(isLinked).toBe(true);
}

async function expectOne() {
  expect(await world.sync.matches()).toEqual([]);
  await world.sync.pullNow();
  await world.sync.pushNow();
  expect(await world.sync.conflicts()).toEqual([]);
  expect(await world.all('Patient')).toHaveLength(1);
  expect(world.remote.all('Patient')).toHaveLength(1);
  expect(await world.temp.store.query('SELECT 1 FROM held_resource')).toEqual([]);
}

test('linked after the links of the page were read', async () => {
  await pullWhile((store, link) => ({
    ...store,
    async query(sql, params) {
      const rows = await store.query(sql, params);
      if (sql.includes('FROM identity') && sql.includes('remote_id IN')) await link();
      return rows;
    },
  }));
  await expectOne();
  expect(world.events.filter(({ kind }) => kind === 'conflict')).toEqual([]);
});

test('linked after it was looked whether it is linked, before the question is committed', async () => {
  await pullWhile((store, link) => ({
    ...store,
    // The link hides from every look before the commit but the one that finds a second copy.
    async query(sql, params) {
      const isLook = sql.includes('FROM identity') && sql.includes('AND local_id = ?');
      if (isLook) await link();
      const rows = await store.query(sql, params);
      return isLook || !sql.includes('FROM identity') ? rows : [];
    },
  }));
  world.sync = world.another();
  await expectOne();
});

test('asked about between the answer to the create and the link', async () => {
  let isPulled = false;
  world = await openWorld({
    // Nothing but what the records say is left to know it by.
    knobs: { forgets: ['identifier'] },
    sync: () => ({
      fetch: async (input, init) => {
        const response = await fetch(input, init);
        if (init?.method !== 'POST' || isPulled) return response;
        isPulled = true;
        await world.another().pullNow();
        expect(await world.sync.matches()).toHaveLength(1);
        return response;
      },
    }),
  });
  await world.write(patient('p1', { name: [{ family: 'García', given: ['María'] }], gender: 'female' }));
  await world.sync.pushNow();
  expect(isPulled).toBe(true);
  await expectOne();
});

test('a reference is put right while its resource is sent: what was sent stays the common version', async () => {
  world = await openWorld();
  const first = await shareTask(world);
  world.remote.put({ ...world.remote.all('Task')[0], partOf: [{ reference: 'Task/whole' }] } as Task);
  await world.sync.pullNow();
  const described = async (description: string) =>
    world.write({ ...((await world.read<Task>('Task', first.id)) as Task & { id: string }), description });
  await described('Call the daughter');
  let isSent = false;
  await world.restart((store) => ({
    store: {
      ...store,
      commit: async (actor, changes, alongside = [], options) => {
        const isPutRight =
          typeof alongside !== 'function' &&
          alongside.some(({ sql }) => sql.startsWith('DELETE FROM unresolved_reference'));
        if (isPutRight && !isSent) {
          isSent = true;
          const another = world.another();
          await another.pushNow();
          await another.stop();
        }
        return store.commit(actor, changes, alongside, options);
      },
    },
  }));
  world.remote.put(task('whole', { for: (world.remote.all('Task')[0] as Task).for }));
  await world.sync.pullNow();
  expect(isSent).toBe(true);
  // Back to what it said before: still an edit of ours.
  await described('Call');
  await world.sync.pushNow();
  await world.sync.pullNow();
  const partOf = [{ reference: expect.stringMatching(/^Task\//) }];
  expect(await world.read('Task', first.id)).toMatchObject({ description: 'Call', partOf });
  expect(world.remote.all('Task').find(({ id }) => id === 'r1')).toMatchObject({ description: 'Call' });
});

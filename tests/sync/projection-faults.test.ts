// Every exchange and every commit of a projected day fails once, before or after its effect, followed by a restart:
// afterwards there is one document that is up to date and one message for each thing said. docs/sync-spec.md#I31
import type { DocumentReference } from '@medplum/fhirtypes';
import { expect, test } from 'vitest';
import type { Store } from '../../src/store/store.ts';
import { jsonOf } from '../../src/sync/body.ts';
import { saveLink } from '../../src/sync/identity.ts';
import type { SyncOptions } from '../../src/sync/sync.ts';
import { type Bomb, bombAt, type Effect, fragile } from '../support/bomb.ts';
import { EPIC_DOORS, type Knobs, ORACLE_DOORS } from '../support/fake-remote-knobs.ts';
import { carePlan, NURSE, openWorld, patient, task, type World } from '../support/sync-world.ts';

async function day(world: World): Promise<void> {
  const there = world.remote.put(patient('there'));
  const link = { connection: 'ehr', type: 'Patient', localId: 'p1', remoteId: 'there', remoteVersion: undefined };
  const known = { remoteHash: undefined, baseVersion: '1', baseLocal: undefined, baseRemote: jsonOf(there) };
  await world.temp.store.commit(
    NURSE,
    [{ op: 'update', resource: patient('p1') }],
    [saveLink({ ...link, ...known, state: 'linked', how: 'matched-manual' }, 0)],
  );
  await world.write(task('t1'));
  await world.write(carePlan('c1', { activity: [{ reference: { reference: 'Task/t1' } }] }));
  await world.sync.pushNow();
  await world.write(carePlan('c1', { title: 'Edited', activity: [{ reference: { reference: 'Task/t1' } }] }));
  await world.sync.pushNow();
  await world.sync.pullNow();
}

async function endsWell(world: World): Promise<void> {
  for (let rounds = 0; rounds < 4; rounds += 1) {
    world.pass({ minutes: 20 });
    await world.sync.pullNow();
    await world.sync.pushNow();
  }
  const documents = world.remote.all('DocumentReference') as DocumentReference[];
  expect(documents.map(({ type, status }) => [type?.text, status])).toEqual([['Care plan: Edited', 'current']]);
  expect(world.remote.all('Communication')).toHaveLength(1);
  expect(await world.all('DocumentReference')).toEqual([]);
  const [status] = await world.sync.status();
  expect(status?.outbox).toMatchObject({ queued: 0, sending: 0, parked: 0, rejected: 0 });
  const rows = await world.temp.store.query("SELECT state FROM projection WHERE state = 'sending'");
  expect(rows).toEqual([]);
}

async function everyCall(
  vendor: 'epic' | 'oracle',
  knobs: Partial<Knobs>,
  effect: Effect,
  rig: (bomb: Bomb, store: Store) => Partial<SyncOptions>,
): Promise<number> {
  const types = { CarePlan: 'both', Task: 'both', DocumentReference: 'pull' } as const;
  for (let nth = 1; ; nth += 1) {
    const bomb = bombAt(nth, effect);
    const world = await openWorld({ knobs, connection: { vendor, types }, sync: (store) => rig(bomb, store) });
    try {
      await day(world);
      await world.restart();
      await endsWell(world);
      if (!bomb.exploded) return nth - 1;
    } catch (error) {
      throw new Error(`call ${nth}, ${effect} its effect`, { cause: error });
    } finally {
      await world.cleanup();
    }
  }
}

const BARE = { conditionalCreate: false, transactions: false };
const EPIC = { ...BARE, doors: EPIC_DOORS, versioning: false };
/** Messages cannot be looked for at Oracle Health, so a lost one waits for a person; here they can. */
const ORACLE = {
  ...{ ...BARE, requireIfMatch: true, forgets: ['identifier', 'masterIdentifier', 'relatesTo'] },
  doors: { ...ORACLE_DOORS, Communication: { interactions: ['read', 'search-type', 'create'], search: ['patient'] } },
};

test.each([
  ['epic', 'before', EPIC],
  ['epic', 'after', EPIC],
  ['oracle', 'before', ORACLE],
  ['oracle', 'after', ORACLE],
] as const)('an exchange that fails, %s, %s its effect', async (vendor, effect, knobs) => {
  const calls = await everyCall(vendor, knobs, effect, (bomb) => ({
    fetch: (...args) => bomb.run(() => fetch(...args)),
  }));
  expect(calls).toBeGreaterThan(5);
});

test.each([
  ['epic', 'before', EPIC],
  ['oracle', 'after', ORACLE],
] as const)('a commit that fails, %s, %s its effect', async (vendor, effect, knobs) => {
  const calls = await everyCall(vendor, knobs, effect, (bomb, store) => ({ store: fragile(store, bomb) }));
  expect(calls).toBeGreaterThan(8);
});

// What a person sees before a change goes to a server that takes something else instead. docs/sync-spec.md#I22
import type { Goal, Resource } from '@medplum/fhirtypes';
import { afterEach, expect, test } from 'vitest';
import { jsonOf } from '../../src/sync/body.ts';
import { type Link, saveLink } from '../../src/sync/identity.ts';
import { EPIC_DOORS } from '../support/fake-remote-knobs.ts';
import { carePlan, NURSE, openWorld, patient, task, type World } from '../support/sync-world.ts';

const MRN = { system: 'urn:hospital', value: '4711', type: { text: 'MRN' } };

/** As a pull leaves it that has found them to be one. */
const linkTo = (there: Resource & { id: string }): Link => ({
  ...{ connection: 'ehr', type: 'Patient', localId: 'p1', remoteId: there.id, remoteVersion: undefined },
  ...{ remoteHash: undefined, baseVersion: '1', baseLocal: undefined, baseRemote: jsonOf(there) },
  ...{ state: 'linked', how: 'matched-identifier' },
});

const goal = (id: string): Goal & { id: string } => ({
  ...{ resourceType: 'Goal', id, lifecycleStatus: 'active' },
  ...{ description: { text: 'Walk without help' }, subject: { reference: 'Patient/p1' } },
});

let world: World;
afterEach(() => world.cleanup());

test('a preview shows the document or message that would go, and where a part of a plan is told', async () => {
  world = await openWorld({
    knobs: { doors: EPIC_DOORS, conditionalCreate: false, transactions: false, versioning: false },
    connection: { vendor: 'epic', types: { Patient: 'both', CarePlan: 'both', Goal: 'both', Task: 'both' } },
  });
  await world.write(patient('p1', { identifier: [MRN] }));
  const preview = (type: string, id: string) => world.sync.preview('ehr', type, id);
  await world.write(carePlan('c1', { goal: [{ reference: 'Goal/g1' }] }));
  await world.write(goal('g1'));
  expect(await preview('CarePlan', 'c1')).toMatchObject({
    outcome: 'would-project',
    detail: expect.stringContaining('patient is not known there'),
  });
  const there = world.remote.put(patient('there', { identifier: [MRN] }));
  await world.temp.store.commit(NURSE, [], [saveLink(linkTo(there), 0)]);
  const writes = world.remote.writes().length;
  expect(await preview('CarePlan', 'c1')).toMatchObject({
    outcome: 'would-project',
    detail: 'The server takes no CarePlan; it goes as DocumentReference.',
    body: { resourceType: 'DocumentReference', subject: { reference: 'Patient/there' } },
  });
  await world.write(task('t2'));
  expect((await preview('Task', 't2')).body).toMatchObject({ resourceType: 'Communication' });
  expect((await preview('Goal', 'g1')).detail).toBe('It is told in the document of CarePlan/c1.');
  expect(world.remote.writes()).toHaveLength(writes);
});

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
  const fresh = await preview('CarePlan', 'c1');
  expect(fresh.comparedWith).toBe('nothing');
  expect(fresh.differences).toContainEqual(expect.objectContaining({ path: 'subject' }));
  await world.write(task('t2'));
  expect((await preview('Task', 't2')).body).toMatchObject({ resourceType: 'Communication' });
  expect((await preview('Goal', 'g1')).detail).toBe('It is told in the document of CarePlan/c1.');
  expect(world.remote.writes()).toHaveLength(writes);
});

test('what was sent already is compared with what is there, or, where it is replaced, with what was sent', async () => {
  world = await openWorld({
    knobs: { doors: EPIC_DOORS, conditionalCreate: false, transactions: false, versioning: false },
    connection: { vendor: 'epic', types: { Patient: 'pull', CarePlan: 'both', Task: 'both' } },
  });
  await world.write(patient('p1', { identifier: [MRN] }));
  const there = world.remote.put(patient('there', { identifier: [MRN] }));
  await world.temp.store.commit(NURSE, [], [saveLink(linkTo(there), 0)]);
  await world.write(carePlan('c1'));
  await world.write(task('t2'));
  await world.sync.pushNow();
  const preview = (type: string, id: string) => world.sync.preview('ehr', type, id);
  const [document] = world.remote.all('DocumentReference');
  const [message] = world.remote.all('Communication');
  const [plan, told] = [`DocumentReference/${document?.id}`, `Communication/${message?.id}`];
  expect(await preview('CarePlan', 'c1')).toMatchObject({ outcome: 'unchanged', remote: plan, differences: [] });

  // Somebody there adds a word of their own, which stays; ours moves on.
  world.remote.put({ ...document, custodian: { display: 'Records' } } as Resource & { id: string });
  await world.write(carePlan('c1', { title: 'Going home' }));
  const over = await preview('CarePlan', 'c1');
  expect(over).toMatchObject({ outcome: 'would-project', remote: plan, comparedWith: 'remote' });
  expect(over.body).toMatchObject({ id: document?.id, custodian: { display: 'Records' } });
  const paths = over.differences.map(({ path }) => path);
  expect(paths).toContain('content');
  expect(paths).not.toContain('subject');
  expect(paths).not.toContain('custodian');

  await world.write(task('t2', { description: 'Call the daughter instead' }));
  const anew = await preview('Task', 't2');
  expect(anew).toMatchObject({ outcome: 'would-project', remote: told, comparedWith: 'last-known' });
  expect(anew.detail).toContain(`takes the place of ${told}`);
  expect(anew.body).toMatchObject({ inResponseTo: [{ reference: told }] });
  expect(anew.differences.map(({ path }) => path)).toEqual(
    expect.arrayContaining(['payload', `inResponseTo[${told}]`]),
  );

  // What the preview showed is what is sent.
  await world.sync.pushNow();
  expect(world.remote.all('Communication').at(-1)).toMatchObject({ payload: anew.body?.payload });
  expect(await preview('Task', 't2')).toMatchObject({ outcome: 'unchanged' });
});

test('a preview of what is deleted, a mistake or carried by a plan says that it is withdrawn, as the push does', async () => {
  world = await openWorld({
    knobs: { doors: EPIC_DOORS, conditionalCreate: false, transactions: false, versioning: false },
    connection: { vendor: 'epic', types: { Patient: 'pull', CarePlan: 'both', Goal: 'both', Task: 'both' } },
  });
  await world.write(patient('p1', { identifier: [MRN] }));
  const there = world.remote.put(patient('there', { identifier: [MRN] }));
  await world.temp.store.commit(NURSE, [], [saveLink(linkTo(there), 0)]);
  await world.write(carePlan('c1'));
  await world.write(carePlan('c2'));
  await world.write(goal('g1'));
  await world.sync.pushNow();
  const preview = (type: string, id: string) => world.sync.preview('ehr', type, id);
  const statuses = () =>
    Object.fromEntries(
      world.remote
        .all('DocumentReference')
        .map((one) => [`DocumentReference/${one.id}`, (one as { status?: string }).status]),
    );
  const [c1, c2, g1] = await Promise.all(
    ['c1', 'c2'].map((id) => preview('CarePlan', id)).concat(preview('Goal', 'g1')),
  );
  expect([c1, c2, g1].map((one) => one?.outcome)).toEqual(['unchanged', 'unchanged', 'unchanged']);

  await world.write(carePlan('c1', { status: 'entered-in-error' }));
  await world.temp.store.commit(NURSE, [{ op: 'delete', type: 'CarePlan', id: 'c2' }]);
  await world.write(carePlan('c3', { goal: [{ reference: 'Goal/g1' }] }));
  await world.write(carePlan('c4', { status: 'entered-in-error' }));
  expect(await preview('CarePlan', 'c1')).toMatchObject({ outcome: 'would-withdraw', remote: c1?.remote });
  expect(await preview('CarePlan', 'c2')).toMatchObject({ outcome: 'would-withdraw', remote: c2?.remote });
  const carried = await preview('Goal', 'g1');
  expect(carried).toMatchObject({ outcome: 'would-withdraw', remote: g1?.remote });
  expect(carried.detail).toContain('document of CarePlan/c3');
  expect(await preview('CarePlan', 'c4')).toMatchObject({ outcome: 'unchanged' });
  await world.write(goal('g1'));
  await world.sync.pushNow();
  expect(statuses()).toMatchObject({
    [`${c1?.remote}`]: 'entered-in-error',
    [`${c2?.remote}`]: 'entered-in-error',
    [`${g1?.remote}`]: 'superseded',
  });
});

test('a preview of a document that somebody there removed says so, and without an answer shows the one that is known', async () => {
  world = await openWorld({
    knobs: { doors: EPIC_DOORS, conditionalCreate: false, transactions: false, versioning: false },
    connection: { vendor: 'epic', types: { Patient: 'pull', CarePlan: 'both' } },
  });
  await world.write(patient('p1', { identifier: [MRN] }));
  const there = world.remote.put(patient('there', { identifier: [MRN] }));
  await world.temp.store.commit(NURSE, [], [saveLink(linkTo(there), 0)]);
  await world.write(carePlan('c1'));
  await world.sync.pushNow();
  await world.write(carePlan('c1', { title: 'Going home' }));
  const [document] = world.remote.all('DocumentReference');
  world.remote.remove('DocumentReference', `${document?.id}`);
  const preview = await world.sync.preview('ehr', 'CarePlan', 'c1');
  expect(preview).toMatchObject({ outcome: 'would-project', remote: `DocumentReference/${document?.id}` });
  expect(preview.detail).toContain('not there any more');
});

// What went as something else is taken back as what it went, whatever the connection says by then; and what is shown before
// is what happens. docs/sync-spec.md#I31 docs/sync-spec.md#I22
import type { Communication, DocumentReference, Resource, ServiceRequest } from '@medplum/fhirtypes';
import { afterEach, expect, test } from 'vitest';
import { jsonOf } from '../../src/sync/body.ts';
import type { Connection } from '../../src/sync/connections/settings.ts';
import { type Link, saveLink } from '../../src/sync/identity.ts';
import { type Door, EPIC_DOORS } from '../support/fake-remote-knobs.ts';
import { carePlan, NURSE, openWorld, patient, task, type World } from '../support/sync-world.ts';

let world: World;
afterEach(() => world.cleanup());

const MRN = { system: 'urn:hospital', value: '4711' };
const FLOWS = { Patient: 'pull', CarePlan: 'both', Goal: 'both', Task: 'both' } as const;
const VISIT = { code: { text: 'Home visit' }, description: 'See the patient' };

async function open(more: Partial<Connection> = {}, doors: Readonly<Record<string, Door>> = EPIC_DOORS): Promise<void> {
  world = await openWorld({
    knobs: { doors, conditionalCreate: false, transactions: false, versioning: false },
    connection: { vendor: 'epic', types: FLOWS, ...more },
  });
  await world.write(patient('p1', { identifier: [MRN] }));
  await link('Patient', 'p1', world.remote.put(patient('there', { identifier: [MRN] })));
}

/** As a pull leaves it that has found them to be one. */
async function link(type: string, localId: string, there: Resource & { id: string }, state: Link['state'] = 'linked') {
  const row: Link = {
    ...{ connection: 'ehr', type, localId, remoteId: there.id, remoteVersion: undefined, remoteHash: undefined },
    ...{ baseVersion: '1', baseLocal: undefined, baseRemote: jsonOf(there), state, how: 'matched-identifier' },
  };
  await world.temp.store.commit(NURSE, [], [saveLink(row, 0)]);
}

/** The connection as somebody has changed it. */
const change = (fields: Partial<Connection>) =>
  world.restart(() => ({ connections: [{ ...world.connection, ...fields }] }));

const messages = () => world.remote.all('Communication') as (Communication & { id: string })[];
const statuses = (type: 'DocumentReference' | 'ServiceRequest') =>
  (world.remote.all(type) as (DocumentReference | ServiceRequest)[]).map(({ status }) => status);
const preview = (type: string, id: string) => world.sync.preview('ehr', type, id);
const plan = (fields: object) => carePlan('c1', { goal: [{ reference: 'Goal/g1' }], ...fields });
const goal = (text: string): Resource & { id: string } => ({
  ...{ resourceType: 'Goal', id: 'g1', lifecycleStatus: 'active', subject: { reference: 'Patient/p1' } },
  description: { text },
});

test('a request is taken back when its task was a mistake and has lost its code', async () => {
  await open({ projections: { Task: 'ServiceRequest' } });
  await world.write(task('t1', VISIT));
  await world.sync.pushNow();
  await world.write(task('t1', { status: 'entered-in-error' }));
  expect(await preview('Task', 't1')).toMatchObject({ outcome: 'would-withdraw' });
  await world.sync.pushNow();
  expect(statuses('ServiceRequest')).toEqual(['entered-in-error']);
});

test('a mistake is taken back as what it went, when the connection says something else by now', async () => {
  await open();
  await world.write(task('t1'));
  await world.sync.pushNow();
  await change({ projections: { Task: 'DocumentReference' } });
  await world.write(task('t1', { status: 'entered-in-error' }));
  expect(await preview('Task', 't1')).toMatchObject({ outcome: 'would-withdraw' });
  await world.sync.pushNow();
  const [first, notice] = messages();
  expect(notice).toMatchObject({ inResponseTo: [{ reference: `Communication/${first?.id}` }] });
  expect(notice?.payload?.[0]?.contentString).toContain('Withdrawn');
});

test('what went as two things is taken back as both', async () => {
  await open();
  await world.write(task('t1'));
  await world.sync.pushNow();
  await change({ projections: { Task: 'DocumentReference' } });
  await world.write(task('t1', { description: 'Call the daughter' }));
  await world.sync.pushNow();
  await world.temp.store.commit(NURSE, [{ op: 'delete', type: 'Task', id: 't1' }]);
  await world.sync.pushNow();
  expect(statuses('DocumentReference')).toEqual(['entered-in-error']);
  expect(messages()).toHaveLength(2);
  await world.sync.pushNow();
  expect(messages()).toHaveLength(2);
});

test('a request is revoked when the document of a plan carries its task from now on', async () => {
  await open({ projections: { Task: 'ServiceRequest' } });
  await world.write(task('t1', VISIT));
  await world.write(carePlan('c1', { activity: [{ reference: { reference: 'Task/t1' } }] }));
  await world.sync.pushNow();
  await change({ projections: { Task: 'DocumentReference' } });
  await world.write(task('t1', { ...VISIT, priority: 'urgent' }));
  expect((await preview('Task', 't1')).detail).toContain('document of CarePlan/c1; ServiceRequest/');
  await world.sync.pushNow();
  expect(statuses('ServiceRequest')).toEqual(['revoked']);
  expect(statuses('DocumentReference')).toEqual(['current']);
});

test('a revoked plan that turns out to be a mistake says so there, and its goal is looked at again', async () => {
  await open();
  await world.write(goal('Walk'));
  await world.write(plan({}));
  await world.sync.pushNow();
  await world.write(plan({ status: 'revoked' }));
  await world.sync.pushNow();
  expect(statuses('DocumentReference')).toEqual(['superseded']);
  await world.write(plan({ status: 'entered-in-error' }));
  expect(await preview('CarePlan', 'c1')).toMatchObject({ outcome: 'would-withdraw' });
  await world.sync.pushNow();
  expect(statuses('DocumentReference')).toEqual(['entered-in-error', 'current']);
});

test('a request follows what the text does not say, and lets go of what the task has no longer', async () => {
  await open({ projections: { Task: 'ServiceRequest' } });
  const request = () => world.remote.all('ServiceRequest')[0];
  await world.write(task('t1', { ...VISIT, priority: 'stat' }));
  await world.sync.pushNow();
  await world.write(task('t1', { ...VISIT, code: { text: 'Phone call' }, reasonCode: { text: 'Pain' } }));
  await world.sync.pushNow();
  expect(request()).toMatchObject({ code: { text: 'Phone call' }, reasonCode: [{ text: 'Pain' }] });
  expect(request()).not.toHaveProperty('priority');
  const writes = world.remote.writes().length;
  await world.write(task('t1', { ...VISIT, code: { text: 'Phone call' }, reasonCode: { text: 'Pain' } }));
  await world.sync.pushNow();
  expect(world.remote.writes()).toHaveLength(writes);
});

test('a preview of a task whose copy there is gone shows the message that a push sends', async () => {
  await open();
  await link('Task', 't1', { ...task('gone'), id: 'gone' }, 'tombstone');
  await world.write(task('t1', { description: 'Call the daughter' }));
  const shown = await preview('Task', 't1');
  expect(shown).toMatchObject({ outcome: 'would-project', body: { resourceType: 'Communication' } });
  await world.sync.pushNow();
  expect(messages()).toHaveLength(1);
});

test('a preview of a revoked plan whose document is gone there makes none, as the push does', async () => {
  await open();
  await world.write(plan({}));
  await world.sync.pushNow();
  for (const { id } of world.remote.all('DocumentReference')) world.remote.remove('DocumentReference', `${id}`);
  await world.write(plan({ status: 'revoked' }));
  expect(await preview('CarePlan', 'c1')).toMatchObject({ outcome: 'unchanged' });
  await world.sync.pushNow();
  expect(world.remote.all('DocumentReference')).toEqual([]);
});

const rehearsed = async () => {
  const sql = "SELECT type, local_id, outcome FROM message WHERE outcome LIKE 'would%' ORDER BY at, type";
  return (await world.temp.store.query(sql)).map(({ type, local_id, outcome }) => `${type}/${local_id} ${outcome}`);
};

test('a dry run shows that a document changes because of its parts', async () => {
  await open();
  await world.write(goal('Walk'));
  await world.write(plan({}));
  await world.sync.pushNow();
  await change({ mode: 'dry-run' });
  await world.write(goal('Run'));
  await world.sync.pushNow();
  expect(await rehearsed()).toContain('CarePlan/c1 would-project');
});

test('a preview and a dry run make nobody of a patient who was merged into another', async () => {
  world = await openWorld({ connection: { mode: 'dry-run' } });
  await world.write(patient('p2'));
  const merged = { active: false, link: [{ other: { reference: 'Patient/p2' }, type: 'replaced-by' }] };
  await world.write(patient('p3', merged));
  expect(await preview('Patient', 'p3')).toMatchObject({ outcome: 'unchanged' });
  await world.sync.pushNow();
  expect(await rehearsed()).toEqual(['Patient/p2 would-create']);
});

// Exchange with a FHIR server that is not of our making: Medplum's router and repository, behind HTTP.
// docs/sync-spec.md#I9 docs/sync-spec.md#I13 docs/sync-spec.md#I14
import type { Task } from '@medplum/fhirtypes';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startEhr, temporaryFolder } from '../sandbox/ehr-server.ts';
import { openWorld, patient, task, type World } from '../support/sync-world.ts';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let ehr: Awaited<ReturnType<typeof startEhr>>;
let world: World;

beforeEach(async () => {
  folder = await temporaryFolder();
  ehr = await startEhr(folder.path);
  const authorized: typeof globalThis.fetch = (input, init) =>
    fetch(input, { ...init, headers: { ...(init?.headers as object), authorization: 'Bearer from-baton' } });
  world = await openWorld({
    connection: { baseUrl: `${ehr.root()}/R4`, vendor: 'hapi', types: { Patient: 'both', Task: 'both' } },
    sync: () => ({ fetch: authorized }),
  });
});
afterEach(async () => {
  await world.cleanup();
  await ehr.stop();
  await folder.remove();
});

async function round(): Promise<void> {
  await world.sync.pullNow();
  await world.sync.pushNow();
}

async function thereOf(id: string): Promise<Task & { id: string }> {
  const [row] = await world.temp.store.query("SELECT remote_id FROM identity WHERE type = 'Task' AND local_id = ?", [
    id,
  ]);
  return (await ehr.call<Task & { id: string }>('GET', `/Task/${row?.remote_id}`)).body;
}

test('there and back, and ten quiet rounds write nothing', async () => {
  await world.write(patient('p1'));
  await world.write(task('t1'));
  await round();
  const made = await thereOf('t1');
  expect(made).toMatchObject({ description: 'Call the patient', identifier: [{ value: 't1' }] });
  await ehr.call('PUT', `/Task/${made.id}`, { ...made, status: 'accepted' });
  await round();
  expect((await world.read<Task>('Task', 't1'))?.status).toBe('accepted');
  const before = [(await thereOf('t1')).meta?.versionId, await world.temp.store.head()];
  for (let rounds = 0; rounds < 10; rounds += 1) await round();
  expect([(await thereOf('t1')).meta?.versionId, await world.temp.store.head()]).toEqual(before);
});

test('an edit on both sides is merged, or asked about', async () => {
  await world.write(patient('p1'));
  await world.write(task('t1'));
  await round();
  const made = await thereOf('t1');
  await ehr.call('PUT', `/Task/${made.id}`, { ...made, statusReason: { text: 'there' } });
  await world.write(task('t1', { businessStatus: { text: 'here' } }));
  await world.sync.pushNow();
  await round();
  const both = { statusReason: { text: 'there' }, businessStatus: { text: 'here' } };
  expect(await thereOf('t1')).toMatchObject(both);
  expect(await world.read<Task>('Task', 't1')).toMatchObject(both);
  const now = await thereOf('t1');
  await ehr.call('PUT', `/Task/${now.id}`, { ...now, description: 'there' });
  const here = await world.read<Task>('Task', 't1');
  await world.write({ ...here, description: 'here' } as Task & { id: string });
  await round();
  expect(await world.sync.conflicts()).toMatchObject([{ kind: 'content', localId: 't1' }]);
});

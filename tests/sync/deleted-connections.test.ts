// What is left of a connection that was deleted: its questions are asked no more, and come back with it.
// docs/sync-spec.md#I10
import type { Patient, Task } from '@medplum/fhirtypes';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readPolicies } from '../../src/sync/conflicts/policies.ts';
import type { SyncEvent } from '../../src/sync/context.ts';
import { createSync, type Sync } from '../../src/sync/sync.ts';
import { LABELS, PARAMETERS, serve, type TestServer } from '../server/serve.ts';
import { type FakeRemote, startFakeRemote } from '../support/fake-remote.ts';
import { NURSE, patient, task } from '../support/sync-world.ts';

const POLICIES = readPolicies(new URL('../../profiles/policies', import.meta.url).pathname);

let remote: FakeRemote;
let baton: TestServer;
let sync: Sync;
/** A second process on the same database. */
let other: Sync;
let told: SyncEvent[];

beforeEach(async () => {
  told = [];
  remote = await startFakeRemote();
  baton = await serve(({ store, clock }) => {
    const make = () =>
      createSync({
        ...{ store, clock, log: pino({ level: 'silent' }), connections: [], baseUrl: 'https://baton.test' },
        ...{ fetch, policies: POLICIES, consent: { parameters: PARAMETERS, labels: LABELS } },
        emit: (event) => told.push(event),
        ...{ workers: 1, random: () => 0, wait: async () => undefined },
      });
    sync = make();
    other = make();
    return { sync };
  });
  await put();
  await write(patient('p1'));
  await write(task('t1'));
  await sync.pushNow('ehr');
});
afterEach(async () => {
  await sync.stop();
  await other.stop();
  await baton.close();
  await remote.close();
});

const send = (method: 'GET' | 'PUT' | 'DELETE' | 'POST', path: string, body?: object) =>
  baton.send(method, `/ops/${path}`, body ? { body, headers: { 'content-type': 'application/json' } } : {});
const put = () => send('PUT', 'connections/ehr', { baseUrl: remote.baseUrl, types: { Patient: 'both', Task: 'both' } });
const write = (resource: ReturnType<typeof patient>) => baton.temp.store.commit(NURSE, [{ op: 'update', resource }]);
// biome-ignore lint/suspicious/noExplicitAny: tests look into answers freely
const items = async (path: string): Promise<any[]> => ((await send('GET', path)).json as { items: any[] }).items;

/** Both sides give the task another owner. */
async function disagree(): Promise<void> {
  remote.put({ ...(remote.all('Task')[0] as Task & { id: string }), owner: { display: 'Theirs' } });
  await write(task('t1', { owner: { display: 'Ours' } }));
  await sync.pullNow('ehr');
}

test('a conflict is listed, and decided, while there is its connection; it stays on record', async () => {
  await disagree();
  const [{ id }] = await items('conflicts');
  expect((await send('GET', `conflicts/${id}`)).json).toMatchObject({ state: 'open', elements: [{ path: 'owner' }] });
  await send('DELETE', 'connections/ehr');
  expect(await items('conflicts')).toEqual([]);
  expect(await items('conflicts?connection=ehr')).toEqual([]);
  expect(await sync.conflicts()).toEqual([]);
  expect(await items('conflicts?state=all')).toMatchObject([{ id, state: 'open' }]);
  expect((await send('GET', `conflicts/${id}`)).json).toMatchObject({
    ...{ id, state: 'open', local: { owner: { display: 'Ours' } }, remote: { owner: { display: 'Theirs' } } },
    elements: [],
  });
  for (const dryRun of [true, false]) {
    const refused = await send('POST', `conflicts/${id}/resolve`, { take: 'ours', dryRun });
    expect([refused.status, refused.json.issue?.[0]?.details?.text]).toEqual([
      409,
      expect.stringContaining('comes back'),
    ]);
  }
  await put();
  expect(await items('conflicts')).toMatchObject([{ id }]);
  expect((await send('POST', `conflicts/${id}/resolve`, { take: 'ours' })).status).toBe(200);
  await sync.pushNow('ehr');
  expect(remote.all('Task')).toMatchObject([{ owner: { display: 'Ours' } }]);
});

test('a possible match is asked while there is its connection', async () => {
  const number = { identifier: [{ system: 'urn:hospital', value: '7' }] };
  for (const id of ['twin-1', 'twin-2']) await write(patient(id, number));
  remote.put(patient('stranger', { ...number, birthDate: '1999-01-01' }) as Patient & { id: string });
  await sync.pullNow('ehr');
  const asked = await items('matches');
  expect(asked).toHaveLength(1);
  await send('DELETE', 'connections/ehr');
  expect(await items('matches')).toEqual([]);
  expect(await items('matches?all=true')).toEqual([]);
  await put();
  expect(await items('matches')).toEqual(asked);
});

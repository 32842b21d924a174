// What is left of a connection that was deleted: its questions are asked no more and come back with it, and its alerts end.
// docs/sync-spec.md#I10 docs/sync-spec.md#I23
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
const active = async () =>
  (await baton.temp.store.query('SELECT condition FROM alert_state')).map((row) => row.condition);

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

test('alerts end with the connection, once, and begin anew when it is back', async () => {
  await disagree();
  await sync.tick(Temporal.Now.instant());
  expect(await active()).toEqual(['conflict']);
  await other.tick(Temporal.Now.instant());
  await send('DELETE', 'connections/ehr');
  const ended = async () => (await items('alerts?event=conflict.cleared')).map(({ detail }) => detail);
  expect(await active()).toEqual([]);
  expect(await ended()).toEqual([expect.stringContaining('deleted')]);
  for (const one of [sync, other, sync]) await one.tick(Temporal.Now.instant());
  expect(await ended()).toHaveLength(1);
  expect(told.filter(({ alert }) => alert === 'conflict.cleared')).toHaveLength(1);
  await put();
  await sync.tick(Temporal.Now.instant());
  expect(await active()).toEqual(['conflict']);
  expect(await items('alerts?event=conflict.first')).toHaveLength(2);
});

test('an alert that another process raises before it knows of the end does not stay', async () => {
  await disagree();
  expect(await other.status()).toHaveLength(1);
  await send('DELETE', 'connections/ehr');
  // It has not read the table again yet.
  await other.pushNow('ehr');
  await sync.tick(Temporal.Now.instant());
  expect(await active()).toEqual([]);
});

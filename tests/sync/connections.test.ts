// Connections made and changed while Baton runs, through HTTP, against a server that is there. docs/sync-spec.md#I20
import type { Patient, Task } from '@medplum/fhirtypes';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Fault } from '../../src/fault.ts';
import { readPolicies } from '../../src/sync/conflicts/policies.ts';
import type { Connection } from '../../src/sync/connections/settings.ts';
import type { SyncEvent } from '../../src/sync/context.ts';
import { createSync, type Sync } from '../../src/sync/sync.ts';
import { LABELS, PARAMETERS, serve, type TestServer } from '../server/serve.ts';
import { type FakeRemote, startFakeRemote } from '../support/fake-remote.ts';
import { NURSE, patient, task } from '../support/sync-world.ts';

const POLICIES = readPolicies(new URL('../../profiles/policies', import.meta.url).pathname);
const JSON_TYPE = { 'content-type': 'application/json' };

let remote: FakeRemote;
let baton: TestServer;
let sync: Sync;
/** A second process on the same database. */
let other: Sync;
/** Runs before each request to a server, with its URL. */
let beforeRequest: ((url: string) => Promise<unknown>) | undefined;
let told: SyncEvent[];
/** A sync whose file has these settings, on the same database. */
let syncWith: (settings: Partial<Connection>) => Sync;

const configured = (): Connection => ({
  name: 'filed',
  baseUrl: remote.baseUrl,
  vendor: 'generic',
  mode: 'off',
  auth: { type: 'none' },
  types: { Patient: 'both', Task: 'both' },
  overlapSeconds: 300,
  pullEverySeconds: 60,
});

beforeEach(async () => {
  beforeRequest = undefined;
  told = [];
  remote = await startFakeRemote();
  baton = await serve(({ store, clock }) => {
    const make = (settings: Partial<Connection> = {}) =>
      createSync({
        ...{ store, clock, log: pino({ level: 'silent' }), policies: POLICIES },
        connections: [{ ...configured(), ...settings }],
        baseUrl: 'https://baton.test',
        async fetch(...given) {
          await beforeRequest?.(String(given[0]));
          return globalThis.fetch(...given);
        },
        emit: (event) => told.push(event),
        consent: { parameters: PARAMETERS, labels: LABELS },
        readSecret(secret, source) {
          if (source === 'ops' && 'file' in secret) throw new Fault('forbidden', 'Not that file.');
          throw new Fault('unavailable', 'It is not set.');
        },
        workers: 1,
        random: () => 0,
        wait: async () => undefined,
      });
    sync = make();
    other = make();
    syncWith = make;
    return { sync };
  });
});
afterEach(async () => {
  await sync.stop();
  await other.stop();
  await baton.close();
  await remote.close();
});

const at = (name: string) => `/ops/connections/${name}`;
const send = (method: 'GET' | 'PUT' | 'PATCH' | 'DELETE' | 'POST', path: string, body?: object) =>
  baton.send(method, path, body ? { body, headers: JSON_TYPE } : {});
const write = (resource: Parameters<typeof patient>[1] & { id: string; resourceType: 'Patient' | 'Task' }) =>
  baton.temp.store.commit(NURSE, [{ op: 'update', resource: resource as Task }]);
const ehr = (more: object = {}) => ({ baseUrl: remote.baseUrl, types: { Patient: 'both', Task: 'both' }, ...more });

describe('a connection made through /ops', () => {
  test('works at once, in other processes at their next heartbeat, and is gone when it is deleted', async () => {
    const made = await send('PUT', at('ehr'), ehr());
    expect([made.status, made.headers.location]).toEqual([201, '/ops/connections/ehr']);
    expect(made.json).toMatchObject({
      source: 'ops',
      connection: { name: 'ehr', mode: 'both', vendor: 'generic', overlapSeconds: 300, auth: { type: 'none' } },
      status: { name: 'ehr', links: 0 },
    });
    await write({ ...patient('p1'), resourceType: 'Patient' });
    expect((await send('POST', `${at('ehr')}/push`)).json.links).toBe(1);
    expect(remote.all('Patient')).toHaveLength(1);
    expect(await other.status()).toHaveLength(2);
    expect((await send('DELETE', at('ehr'))).status).toBe(204);
    expect((await send('GET', at('ehr'))).status).toBe(404);
    expect((await send('POST', `${at('ehr')}/push`)).status).toBe(404);
    await other.tick(Temporal.Now.instant());
    expect((await other.status()).map(({ name }) => name)).toEqual(['filed']);
    const [, again] = [await send('PUT', at('ehr'), ehr()), await send('GET', at('ehr'))];
    expect(again.json).toMatchObject({ status: { links: 1 } });
  });

  test.each([
    ['matching rules that are not there', { matching: { rules: 'nosuch' } }, 'Connection.matching.rules'],
    ['rules that only look as if they were there', { matching: { rules: 'toString' } }, 'Connection.matching.rules'],
    ['a base URL that is none', { baseUrl: 'https://[' }, 'Connection.baseUrl'],
    ['a former base URL that is none', { formerBaseUrls: ['https://host:99999'] }, 'Connection.formerBaseUrls'],
  ])('with %s is refused, and nothing of it is kept', async (_, wrong, element) => {
    const refused = await send('PUT', at('ehr'), ehr(wrong));
    expect([refused.status, refused.json.issue?.[0]?.expression]).toEqual([400, [element]]);
    expect((await send('GET', at('ehr'))).status).toBe(404);
    expect((await send('GET', '/ops/connections')).json.items).toHaveLength(1);
  });

  test('whose matching rules are gone since it was made holds up no other, and can be deleted', async () => {
    await send('PUT', at('ehr'), ehr());
    await baton.temp.store.commit(
      NURSE,
      [],
      [
        {
          sql: 'UPDATE connection_setting SET settings = REPLACE(settings, \'"purpose"\', \'"matching":{"rules":"gone"},"purpose"\')',
          params: [],
        },
      ],
    );
    await sync.tick(Temporal.Now.instant());
    expect((await sync.status()).map(({ name }) => name)).toEqual(['filed']);
    expect((await send('PUT', at('second'), ehr({ mode: 'off' }))).status).toBe(201);
    expect((await send('GET', at('ehr'))).status).toBe(404);
    expect((await send('DELETE', at('ehr'))).status).toBe(204);
    expect((await send('DELETE', at('ehr'))).status).toBe(404);
  });

  test('is replaced by another PUT, and takes its new settings at once', async () => {
    await send('PUT', at('ehr'), ehr({ types: {} }));
    await write({ ...patient('p1'), resourceType: 'Patient' });
    await sync.pushNow('ehr');
    expect(remote.writes()).toEqual([]);
    expect((await send('PUT', at('ehr'), ehr({ name: 'ehr', overlapSeconds: 5 }))).status).toBe(200);
    await write({ ...patient('p2'), resourceType: 'Patient' });
    await sync.pushNow('ehr');
    // What was here before its type was named goes, too.
    expect(remote.all('Patient')).toHaveLength(2);
  });

  test('never moves to another server under its old links', async () => {
    await send('PUT', at('ehr'), ehr());
    await write({ ...patient('p1'), resourceType: 'Patient' });
    await sync.pushNow('ehr');
    for (const again of [false, true]) {
      if (again) await send('DELETE', at('ehr'));
      const moved = await send('PUT', at('ehr'), ehr({ baseUrl: 'https://elsewhere.example/R4' }));
      expect([moved.status, moved.json.issue?.[0]?.expression]).toEqual([409, ['Connection.baseUrl']]);
    }
  });

  test.each(['push', 'pull'] as const)(
    'moves while nothing is linked, and a %s under way at the old server links nothing',
    async (way) => {
      const second = await startFakeRemote();
      const types = { Patient: way, Task: way };
      await send('PUT', at('ehr'), ehr({ types }));
      if (way === 'push') await write({ ...patient('p1'), resourceType: 'Patient' });
      else remote.put(patient('theirs'));
      const statuses: number[] = [];
      beforeRequest = async (url) => {
        if (!url.startsWith(`${remote.baseUrl}/Patient`)) return;
        beforeRequest = undefined;
        statuses.push((await send('PUT', at('ehr'), { baseUrl: second.baseUrl, types })).status);
      };
      await (way === 'push' ? sync.pushNow('ehr') : sync.pullNow('ehr'));
      expect(statuses).toEqual([200]);
      expect(await baton.temp.store.query('SELECT local_id FROM identity')).toEqual([]);
      await sync.pushNow('ehr');
      await sync.pullNow('ehr');
      expect(second.all('Patient')).toHaveLength(way === 'push' ? 1 : 0);
      expect(await baton.temp.store.query('SELECT local_id FROM identity')).toHaveLength(way === 'push' ? 1 : 0);
      await second.close();
    },
  );

  test.each(['__proto__', 'constructor'])('cannot be called %s', async (name) => {
    const { status, json } = await send('PUT', at(name), ehr({ name }));
    expect([status, json.issue?.[0]?.expression]).toEqual([400, ['Connection.name']]);
  });

  test.each([
    [{ baseUrl: 'ftp://x' }, 'Connection.baseUrl'],
    [{ types: { Patient: 'sideways' } }, 'Connection.types.Patient'],
    [{ types: { 'a b': 'push' } }, 'Connection.types'],
    [{ types: { AuditEvent: 'pull' } }, 'Connection.types.AuditEvent'],
    [{ types: { Pateint: 'pull' } }, 'Connection.types.Pateint'],
    [{ types: { DomainResource: 'pull' } }, 'Connection.types.DomainResource'],
    [{ strategies: { Task: 'guess' } }, 'Connection.strategies.Task'],
    [{ nonsense: 1 }, 'Connection.nonsense'],
    [{ name: 'other' }, 'Connection.name'],
    [{ schedule: { pull: '99 * * * *' } }, 'Connection.schedule.pull'],
    [{ schedule: { pull: '* * * * * *' } }, 'Connection.schedule.pull'],
    [{ pacing: { concurrency: 0 } }, 'Connection.pacing.concurrency'],
    [{ patients: { kind: 'group' } }, 'Connection.patients.id'],
    [{ auth: { type: 'magic' } }, 'Connection.auth.type'],
    [{ auth: { type: 'smart-backend', scope: 'x' } }, 'Connection.auth.clientId'],
    [{ auth: { type: 'token', token: 's3cret' } }, 'Connection.auth.token'],
    [{ auth: { type: 'token', token: { file: '/etc/shadow' } } }, 'Connection.auth.token'],
    [{ auth: { type: 'token', token: { env: 'T' } }, baseUrl: 'http://ehr.example/R4' }, 'Connection.baseUrl'],
    [{ hints: { secret: { file: '/etc/shadow' } } }, 'Connection.hints.secret'],
    [{ tls: { cert: { env: 'C' } } }, 'Connection.tls'],
    [{ tls: { ca: { env: 'C' } } }, 'Connection.tls'],
  ])('%j is refused, at its element', async (more, expression) => {
    const { status, json, text } = await send('PUT', at('ehr'), ehr(more));
    expect([status, json.resourceType]).toEqual([400, 'OperationOutcome']);
    expect(json.issue?.flatMap((issue) => issue.expression ?? [])).toContain(expression);
    expect(text).not.toContain('s3cret');
    expect((await send('GET', at('ehr'))).status).toBe(404);
  });

  test('shows its secrets by name only, and is there before they are', async () => {
    const auth = { type: 'token', token: { env: 'BATON_SECRET_EHR' } };
    const made = await send('PUT', at('ehr'), ehr({ auth }));
    expect(made.json.connection).toMatchObject({ auth });
    const checked = await send('GET', `${at('ehr')}/check`);
    expect(checked.json).toMatchObject({ usable: false, steps: [{ finding: 'bad', sentence: 'It is not set.' }] });
  });
});

describe('a connection of the configuration file', () => {
  test('is not replaced, changed or deleted, but for its mode', async () => {
    const refusals = [
      await send('PUT', at('filed'), ehr()),
      await send('PATCH', at('filed'), { mode: 'push', overlapSeconds: 1 }),
      await send('DELETE', at('filed')),
    ];
    expect(refusals.map(({ status }) => status)).toEqual([405, 405, 405]);
    expect(refusals[0]?.json.issue?.[0]?.details?.text).toContain('only its mode can');
    const patched = await send('PATCH', at('filed'), { mode: 'push' });
    expect(patched.json).toMatchObject({ source: 'file', configuredMode: 'off', connection: { mode: 'push' } });
    expect((await send('PATCH', at('filed'), { mode: 'sideways' })).status).toBe(400);
    expect((await send('PATCH', at('filed'), { mode: null })).json.connection).toMatchObject({ mode: 'off' });
    expect((await send('PATCH', at('none'), { mode: 'off' })).status).toBe(404);
  });
});

describe('a file that names another server than the links lead to', () => {
  const there = (all: FakeRemote) => all.requests.length;

  test('as after an edit, or in a second process: that one asks nobody, and says so once', async () => {
    const second = await startFakeRemote();
    await write({ ...patient('p1'), resourceType: 'Patient' });
    await send('PATCH', at('filed'), { mode: 'both' });
    await sync.pushNow('filed');
    const wrong = syncWith({ baseUrl: second.baseUrl, mode: 'both' });
    for (const run of ['pushNow', 'pullNow', 'sweep'] as const) await wrong[run]('filed');
    await wrong.stop();
    expect(there(second)).toBe(0);
    expect(told.filter(({ kind }) => kind === 'address')).toMatchObject([
      { detail: expect.stringContaining('formerBaseUrls') },
    ]);
    expect(await baton.temp.store.query('SELECT event FROM alert')).toEqual([{ event: 'address.changed' }]);
    // The first goes on.
    remote.put({ ...(remote.all('Patient')[0] as Patient), gender: 'female' });
    await sync.pullNow('filed');
    expect(JSON.parse((await baton.temp.store.read('Patient', 'p1'))?.content ?? '')).toMatchObject({
      gender: 'female',
    });
    await second.close();
  });

  test('is the same server when the file says so', async () => {
    await write({ ...patient('p1'), resourceType: 'Patient' });
    await send('PATCH', at('filed'), { mode: 'both' });
    await sync.pushNow('filed');
    const baseUrl = remote.baseUrl.replace('127.0.0.1', 'localhost');
    const moved = syncWith({ baseUrl, formerBaseUrls: [`${remote.baseUrl}/`], mode: 'both' });
    const before = there(remote);
    await moved.pullNow('filed');
    await moved.stop();
    expect(there(remote)).toBeGreaterThan(before);
    expect(told.filter(({ kind }) => kind === 'address')).toEqual([]);
  });
});

describe('mode', () => {
  test('some settings change by themselves, others only with the whole', async () => {
    await send('PUT', at('ehr'), ehr());
    const patched = await send('PATCH', at('ehr'), { pacing: { concurrency: 1 }, schedule: { pull: '0 3 * * *' } });
    expect(patched.json.connection).toMatchObject({ pacing: { concurrency: 1 }, schedule: { pull: '0 3 * * *' } });
    expect((await send('PATCH', at('ehr'), { schedule: null })).json.connection).not.toHaveProperty('schedule');
    const refused = await send('PATCH', at('ehr'), { baseUrl: 'https://x.example' });
    expect([refused.status, refused.json.issue?.[0]?.expression]).toEqual([400, ['Connection.baseUrl']]);
  });

  for (const who of ['this process', 'another process']) {
    test(`off, set by ${who}, stops the next claim of the push that is under way`, async () => {
      await send('PUT', at('ehr'), ehr());
      for (const id of ['p1', 'p2', 'p3']) await write({ ...patient(id), resourceType: 'Patient' });
      remote.knobs.beforeWrite = async () => {
        const patch = (who === 'this process' ? sync : other).connections.patch;
        await patch(NURSE, 'ehr', { mode: 'off' });
      };
      await sync.pushNow('ehr');
      expect(remote.all('Patient')).toHaveLength(1);
      remote.knobs.beforeWrite = undefined;
      const [{ outbox } = {}] = (await sync.status()).filter(({ name }) => name === 'ehr');
      expect(outbox).toMatchObject({ sent: 1, queued: 2, sending: 0, parked: 0 });
      await sync.tick(Temporal.Now.instant());
      await sync.pushNow('ehr');
      expect(remote.all('Patient')).toHaveLength(1);
      await send('PATCH', at('ehr'), { mode: 'both' });
      await sync.tick(Temporal.Now.instant().add({ minutes: 2 }));
      expect(remote.all('Patient')).toHaveLength(3);
    });
  }

  test('off, set while the server is asked what it can, is in time for the pull', async () => {
    remote.put(task('r1'));
    await send('PUT', at('ehr'), ehr({ types: { Task: 'pull' } }));
    remote.knobs.beforeMetadata = () => sync.connections.patch(NURSE, 'ehr', { mode: 'off' });
    await sync.pullNow('ehr');
    expect(remote.requests).toEqual([]);
  });

  test('off outlives a restart, and what changed meanwhile goes when it is on again', async () => {
    await send('PATCH', at('filed'), { mode: 'both' });
    await send('PATCH', at('filed'), { mode: 'off' });
    await write({ ...patient('p1'), resourceType: 'Patient' });
    await other.pushNow();
    expect(remote.requests).toEqual([]);
    await send('PATCH', at('filed'), { mode: 'push' });
    await other.tick(Temporal.Now.instant());
    expect(remote.all('Patient')).toHaveLength(1);
  });

  test('dry-run reads every page, writes nothing but messages, and says each thing once', async () => {
    remote.knobs.pageSize = 2;
    for (let n = 0; n < 5; n += 1) remote.put(task(`r${n}`));
    await send('PUT', at('ehr'), ehr({ mode: 'dry-run', types: { Patient: 'push', Task: 'pull' } }));
    await write({ ...patient('p1'), resourceType: 'Patient' });
    const before = await rowsOfEverything();
    for (let minutes = 0; minutes < 3; minutes += 1) await sync.tick(Temporal.Now.instant().add({ minutes }));
    expect(await rowsOfEverything()).toEqual(before);
    const notes = await baton.temp.store.query(
      "SELECT outcome, COUNT(*) AS n FROM message WHERE outcome LIKE 'would%' GROUP BY outcome ORDER BY outcome",
    );
    expect(notes.map(({ outcome, n }) => [outcome, Number(n)])).toEqual([
      ['would-be-created', 5],
      ['would-create', 1],
    ]);
    expect(remote.writes()).toEqual([]);
  });
});

/** Rows of every table that an exchange could touch. */
async function rowsOfEverything(): Promise<unknown[]> {
  const tables = ['version', 'outbox', 'identity', 'checkpoint', 'conflict', 'cursor', 'connection_run'];
  const counts = tables.map((table) => baton.temp.store.query(`SELECT COUNT(*) AS n FROM ${table}`));
  return (await Promise.all(counts)).map(([row]) => Number(row?.n));
}

test('changes need their scope, and are in the trail under the name of who made them', async () => {
  const as = await baton.token('system/*.rs baton/metrics');
  expect((await baton.send('PUT', at('ehr'), { as, body: ehr(), headers: JSON_TYPE })).status).toBe(403);
  await send('PUT', at('ehr'), ehr());
  await send('PATCH', at('ehr'), { mode: 'off' });
  await send('DELETE', at('ehr'));
  const rows = (await baton.audited()).filter(({ interaction }) => String(interaction).startsWith('ops-connection-'));
  expect(rows.map(({ interaction, action, status, id, actor }) => [interaction, action, status, id, actor])).toEqual([
    ['ops-connection-put', 'U', 403, 'ehr', 'tester'],
    ['ops-connection-put', 'U', 201, 'ehr', 'tester'],
    ['ops-connection-patch', 'U', 200, 'ehr', 'tester'],
    ['ops-connection-delete', 'D', 204, 'ehr', 'tester'],
  ]);
  const [stored] = await baton.temp.store.query('SELECT changed_by, removed FROM connection_setting');
  expect(stored).toMatchObject({ changed_by: 'tester', removed: 1 });
});

test('of two operators at once, one is told', async () => {
  await send('PUT', at('ehr'), ehr());
  const answers = await Promise.all([
    send('PATCH', at('ehr'), { mode: 'push' }),
    send('PATCH', at('ehr'), { mode: 'pull' }),
    send('PATCH', at('ehr'), { overlapSeconds: 7 }),
  ]);
  for (const { status } of answers) expect([200, 409]).toContain(status);
  expect(answers.some(({ status }) => status === 200)).toBe(true);
});

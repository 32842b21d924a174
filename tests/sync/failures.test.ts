// Requests that fail, answers that get lost, processes that die: no duplicate, no hole.
// docs/sync-spec.md#I4 docs/sync-spec.md#I6 docs/sync-spec.md#I16 docs/sync-spec.md#I18
import type { Task } from '@medplum/fhirtypes';
import { exportJWK, generateKeyPair, type JSONWebKeySet } from 'jose';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { SigningKey } from '../../src/remote/authorization.ts';
import { claim, nextDue, settle } from '../../src/sync/push/outbox.ts';
import { carePlan, NURSE, openWorld, patient, task, type World, type WorldOptions } from '../support/sync-world.ts';

let world: World;
beforeEach(async () => {
  world = await openWorld();
});
afterEach(() => world.cleanup());

async function reopen(options: WorldOptions): Promise<void> {
  await world.cleanup();
  world = await openWorld(options);
}

describe('creates with unknown effect', () => {
  for (const conditionalCreate of [true, false]) {
    for (const dropWrite of ['before', 'after'] as const) {
      test(`connection lost ${dropWrite} the effect, ${conditionalCreate ? 'with' : 'without'} If-None-Exist`, async () => {
        await reopen({ knobs: { conditionalCreate, dropWrite } });
        await world.write(patient('p1'));
        await world.sync.pushNow();
        const posts = () => world.remote.writes().filter((write) => write === 'POST /Patient').length;
        expect(posts()).toBe(1);
        for (let minutes = 0; minutes < 3; minutes += 1) {
          world.pass({ minutes: 1 });
          await world.sync.pushNow();
        }
        expect(world.remote.all('Patient')).toHaveLength(1);
        expect(posts()).toBe(dropWrite === 'after' ? 1 : 2);
        expect((await world.sync.status())[0]?.outbox).toMatchObject({ sent: 1, queued: 0, parked: 0 });
      });
    }
  }

  test('one that is not visible yet is waited for', async () => {
    await reopen({ knobs: { conditionalCreate: false, dropWrite: 'after', hideNew: true } });
    await world.write(patient('p1'));
    await world.sync.pushNow();
    world.pass({ seconds: 5 });
    await world.sync.pushNow();
    world.remote.reveal();
    world.pass({ minutes: 1 });
    await world.sync.pushNow();
    expect(world.remote.all('Patient')).toHaveLength(1);
    expect((await world.sync.status())[0]?.outbox.sent).toBe(1);
  });

  test('each lost attempt is looked for anew', async () => {
    await reopen({ knobs: { conditionalCreate: false, dropWrite: 'before' } });
    await world.write(patient('p1'));
    await world.sync.pushNow();
    await world.sync.pushNow();
    Object.assign(world.remote.knobs, { dropWrite: 'after', hideNew: true });
    world.pass({ minutes: 1 });
    await world.sync.pushNow();
    world.pass({ seconds: 5 });
    await world.sync.pushNow();
    world.remote.reveal();
    world.pass({ minutes: 1 });
    await world.sync.pushNow();
    expect(world.remote.all('Patient')).toHaveLength(1);
  });

  test('where nothing can be looked for, a person decides', async () => {
    await reopen({ knobs: { conditionalCreate: false, searchableIdentifier: false, dropWrite: 'after' } });
    await world.write(patient('p1'));
    await world.sync.pushNow();
    world.pass({ minutes: 5 });
    await world.sync.pushNow();
    expect(world.remote.all('Patient')).toHaveLength(1);
    expect(world.events).toContainEqual(expect.objectContaining({ kind: 'parked', localId: 'p1' }));
  });

  test('two with our identifier are a question, not a choice', async () => {
    await reopen({ knobs: { dropWrite: 'before' } });
    await world.write(patient('p1'));
    await world.sync.pushNow();
    const identifier = [{ system: 'https://baton.test/id', value: 'p1' }];
    world.remote.put({ ...patient('a'), identifier } as Task);
    world.remote.put({ ...patient('b'), identifier } as Task);
    world.pass({ minutes: 1 });
    await world.sync.pushNow();
    expect(await world.sync.conflicts()).toMatchObject([{ kind: 'duplicate', localId: 'p1' }]);
    expect(world.remote.all('Patient')).toHaveLength(2);
  });

  test('a circle whose transaction got lost is not created twice', async () => {
    await world.write(patient('p1'));
    await world.sync.pushNow();
    world.remote.knobs.dropWrite = 'after';
    await world.write(task('t1', { basedOn: [{ reference: 'CarePlan/c1' }] }));
    await world.write(carePlan('c1', { activity: [{ reference: { reference: 'Task/t1' } }] }));
    for (let minutes = 0; minutes < 4; minutes += 1) {
      await world.sync.pushNow();
      world.pass({ minutes: 2 });
    }
    expect(world.remote.all('Task')).toHaveLength(1);
    expect(world.remote.all('CarePlan')).toHaveLength(1);
    expect((await world.sync.status())[0]?.outbox).toMatchObject({ queued: 0, sending: 0, parked: 0 });
  });
});

test('an update with unknown effect is looked at before it is sent again', async () => {
  await world.write(patient('p1'));
  await world.sync.pushNow();
  world.remote.knobs.dropWrite = 'after';
  await world.write(patient('p1', { gender: 'female' }));
  await world.sync.pushNow();
  world.pass({ minutes: 1 });
  await world.sync.pushNow();
  expect(world.remote.writes().filter((write) => write.startsWith('PUT'))).toHaveLength(1);
  expect((await world.sync.status())[0]).toMatchObject({ openConflicts: 0, outbox: { queued: 0 } });
});

test('a worker whose lease ran out cannot finish over the one that took over', async () => {
  await world.write(patient('p1'));
  world.remote.knobs.refusals.push({ status: 503, headers: { 'retry-after': '30' } });
  await world.sync.pushNow();
  world.pass({ minutes: 1 });
  const now = () => Temporal.Now.instant().epochMilliseconds + 60_000;
  const [row] = await nextDue(world.temp.store, 'ehr', now(), 1);
  if (!row) throw new Error('nothing is due');
  const slow = claim(row, now());
  await world.temp.store.commit(NURSE, [], [slow.statement]);
  await expect(world.temp.store.commit(NURSE, [], [claim(row, now()).statement])).rejects.toMatchObject({
    kind: 'conflict',
  });
  world.pass({ minutes: 5 });
  await world.sync.pushNow();
  world.pass({ minutes: 1 });
  await world.sync.pushNow();
  expect(world.remote.all('Patient')).toHaveLength(1);
  const late = settle(slow.claim, { event: 'done' });
  await expect(world.temp.store.commit(NURSE, [], [late])).rejects.toMatchObject({ kind: 'conflict' });
});

test('a create that waited for its turn until its lease ran out is left to whoever took over', async () => {
  await world.cleanup();
  world = await openWorld({ connection: { pacing: { concurrency: 1 } }, knobs: { conditionalCreate: false } });
  const { promise: isFree, resolve: free } = Promise.withResolvers<void>();
  const { promise: isBusy, resolve: busy } = Promise.withResolvers<void>();
  let creates = 0;
  const fetch: typeof globalThis.fetch = async (url, init) => {
    const answer = await globalThis.fetch(url, init);
    if (init?.method === 'POST') creates += 1;
    if (init?.method === 'POST' && creates === 1) {
      busy();
      await isFree;
    }
    return answer;
  };
  await world.restart(() => ({ fetch, workers: 2 }));
  const claimed = async () => {
    const [row] = await world.temp.store.query("SELECT COUNT(*) AS claimed FROM outbox WHERE state = 'sending'");
    return Number(row?.claimed);
  };
  for (const id of ['p1', 'p2']) await world.write(patient(id));
  const pushing = world.sync.pushNow();
  await isBusy;
  await vi.waitFor(async () => expect(await claimed()).toBe(2));
  const other = world.another();
  for (let rounds = 0; rounds < 3; rounds += 1) {
    world.pass({ minutes: 2 });
    await other.pushNow();
  }
  await other.stop();
  free();
  await pushing;
  expect(world.remote.all('Patient')).toHaveLength(2);
});

describe('pauses', () => {
  test('429 with seconds pauses the whole server, and nothing is lost', async () => {
    world.remote.knobs.refusals.push({ status: 429, headers: { 'retry-after': '120' } });
    await world.write(patient('p1'));
    await world.write(patient('p2'));
    await world.sync.pushNow();
    expect(world.remote.requests).toHaveLength(0);
    world.pass({ seconds: 60 });
    await world.sync.pushNow();
    expect(world.remote.requests).toHaveLength(0);
    world.pass({ seconds: 61 });
    await world.sync.pushNow();
    expect(world.remote.all('Patient')).toHaveLength(2);
  });

  test('five failures in a row open the breaker once; a probe closes it', async () => {
    for (let failures = 0; failures < 5; failures += 1) world.remote.knobs.refusals.push({ status: 503 });
    for (let id = 0; id < 6; id += 1) await world.write(patient(`p${id}`));
    await world.sync.pushNow();
    await world.sync.pushNow();
    const changes = () => world.events.filter(({ kind }) => kind === 'breaker').map(({ state }) => state);
    expect(changes()).toEqual(['open']);
    expect(world.remote.knobs.refusals).toHaveLength(0);
    expect(world.remote.all('Patient')).toHaveLength(0);
    world.pass({ minutes: 1 });
    await world.sync.pushNow();
    expect(changes()).toEqual(['open', 'half-open', 'closed']);
    expect(world.remote.all('Patient')).toHaveLength(6);
  });
});

describe('authorization', () => {
  async function key(): Promise<SigningKey> {
    const { privateKey } = await generateKeyPair('ES384', { extractable: true });
    return { ...(await exportJWK(privateKey)), kid: 'k1', alg: 'ES384' };
  }
  const auth = { type: 'smart-backend', clientId: 'baton', scope: 'system/*.cruds' } as const;
  const publicPart = ({ d: _private, ...key }: SigningKey & { d?: unknown }): JSONWebKeySet => ({
    keys: [{ ...key, kty: 'EC' }],
  });

  test('one token serves many requests, and is asked for again when it is refused', async () => {
    const signing = await key();
    await reopen({
      knobs: { requireToken: publicPart(signing) },
      connection: { auth },
      sync: () => ({ keys: { ES384: signing } }),
    });
    for (let id = 0; id < 5; id += 1) await world.write(patient(`p${id}`));
    await world.sync.pushNow();
    expect(world.remote.all('Patient')).toHaveLength(5);
    expect(world.remote.tokens).toMatchObject({ issued: 1, asked: 1 });
    world.remote.knobs.refusals.push({ status: 401 });
    await world.write(patient('p9'));
    await world.sync.pushNow();
    expect(world.remote.all('Patient')).toHaveLength(6);
    expect(world.remote.tokens.asked).toBe(2);
    const messages = await world.temp.store.query('SELECT * FROM message');
    expect(JSON.stringify(messages)).not.toMatch(/bearer|assertion/i);
    // Asking for a token is an exchange like any other, but what was said stays out.
    const tokens = messages.filter(({ outcome }) => outcome === 'token');
    expect(tokens.filter(({ url }) => String(url).endsWith('/token'))).toHaveLength(2);
    expect(tokens.every(({ request, response, type }) => request === null && response === null && type === null)).toBe(
      true,
    );
    const asked = await world.temp.store.query(
      "SELECT DISTINCT interaction FROM audit WHERE interaction = 'sync-token'",
    );
    expect(asked).toHaveLength(1);
  });

  test('a wrong key opens the breaker after one attempt, and rows keep their place', async () => {
    const wrong = await key();
    const right = await key();
    await reopen({
      knobs: { requireToken: publicPart(right) },
      connection: { auth },
      sync: () => ({ keys: { ES384: wrong } }),
    });
    await world.write(patient('p1'));
    await world.write(patient('p2'));
    await world.sync.pushNow();
    await world.sync.pushNow();
    expect(world.remote.tokens.asked).toBe(1);
    expect(world.events).toEqual([
      { kind: 'breaker', connection: 'ehr', state: 'open' },
      { kind: 'alert', connection: 'ehr', alert: 'breaker.opened' },
    ]);
    const [message] = await world.temp.store.query("SELECT detail FROM message WHERE outcome = 'auth'");
    expect(message?.detail).toBe('The token endpoint answered 400 (invalid_client).');
    // The pause is over; the token endpoint goes by true time, so the clock cannot be turned for that.
    await world.temp.store.commit(NURSE, [], [{ sql: 'UPDATE breaker_state SET until = 0', params: [] }]);
    await world.restart(() => ({ keys: { ES384: right } }));
    await world.sync.pushNow();
    expect(world.remote.all('Patient')).toHaveLength(2);
  });
});

describe('pages', () => {
  async function shared(count: number): Promise<void> {
    await world.write(patient('p1'));
    await world.sync.pushNow();
    const subject = { reference: `Patient/${world.remote.all('Patient')[0]?.id}` };
    for (let id = 0; id < count; id += 1) world.remote.put(task(`r${id}`, { for: subject }));
  }

  test('all pages are read, duplicates across them counted once', async () => {
    await reopen({ knobs: { pageSize: 4, repeatAcrossPages: true } });
    await shared(10);
    await world.sync.pullNow();
    expect(await world.all('Task')).toHaveLength(10);
    expect(world.events.filter(({ kind, type }) => kind === 'pulled' && type === 'Task')).toHaveLength(10);
  });

  test('a next link to another origin is refused and never gets a request', async () => {
    await reopen({ knobs: { pageSize: 4, nextOrigin: 'http://127.0.0.1:9' } });
    await shared(10);
    await world.sync.pullNow();
    expect(await world.all('Task')).toHaveLength(4);
    const [message] = await world.temp.store.query("SELECT detail FROM message WHERE outcome = 'stopped'");
    expect(message?.detail).toContain('another origin');
  });

  test('a next link that leads back ends the run', async () => {
    await reopen({ knobs: { pageSize: 4, sameNext: true } });
    await shared(10);
    await world.sync.pullNow();
    const searches = world.remote.requests.filter(({ url }) => url.startsWith('/Task?'));
    expect(searches.length).toBeLessThan(4);
  });

  test('a page that expired starts the window again', async () => {
    await reopen({ knobs: { pageSize: 4, nextOrigin: 'http://127.0.0.1:9' } });
    await shared(10);
    await world.sync.pullNow();
    world.remote.knobs.nextOrigin = '';
    await world.temp.store.commit(
      { reference: 'Device/test', kind: 'service' },
      [],
      [{ sql: "UPDATE checkpoint SET cursor = ? WHERE type = 'Task'", params: [`${world.remote.baseUrl}/Task/gone`] }],
    );
    await world.sync.pullNow();
    expect(await world.all('Task')).toHaveLength(10);
  });

  for (const secondPrecision of [true, false]) {
    test(`what becomes visible late is found by the overlap (${secondPrecision ? 'seconds' : 'milliseconds'})`, async () => {
      await reopen({ knobs: { secondPrecision } });
      await shared(1);
      const subject = { reference: `Patient/${world.remote.all('Patient')[0]?.id}` };
      world.remote.knobs.hideNew = true;
      world.remote.put(task('late', { for: subject }));
      world.remote.knobs.hideNew = false;
      world.remote.now += 60_000;
      world.remote.put(task('later', { for: subject }));
      await world.sync.pullNow();
      expect(await world.all('Task')).toHaveLength(2);
      world.remote.reveal();
      await world.sync.pullNow();
      expect(await world.all('Task')).toHaveLength(3);
      const watermark = (await world.sync.status())[0]?.streams.find(({ type }) => type === 'Task')?.highWater;
      expect(Temporal.Instant.from(String(watermark)).epochMilliseconds).toBeLessThanOrEqual(world.remote.now);
    });
  }
});

describe('modes', () => {
  test('off does nothing at all', async () => {
    await reopen({ connection: { mode: 'off' } });
    await world.write(patient('p1'));
    await world.sync.tick(Temporal.Now.instant());
    expect(world.remote.requests).toHaveLength(0);
    expect((await world.sync.status())[0]).toMatchObject({ outbox: { queued: 0 } });
  });

  test('a dry run says what it does not do: who is new here is looked for there before anybody is made', async () => {
    await reopen({ connection: { mode: 'dry-run', types: { Patient: 'both', Task: 'both' } } });
    await world.write(patient('p1'));
    await world.write(task('t1'));
    await world.sync.pushNow();
    const told = () =>
      world.temp.store.query(
        "SELECT type, outcome, detail FROM message WHERE direction = 'push' AND method IS NULL ORDER BY type",
      );
    expect(await told()).toEqual([
      { type: 'Patient', outcome: 'would-create', detail: expect.stringMatching('looked for there first') },
      { type: 'Task', outcome: 'would-create', detail: null },
    ]);
    expect(await world.sync.preview('ehr', 'Patient', 'p1')).toMatchObject({
      outcome: 'would-create',
      detail: expect.stringMatching('looked for there first'),
    });
    await reopen({ connection: { mode: 'dry-run', types: { Patient: 'both' }, matching: { owner: 'remote' } } });
    await world.write(patient('p1'));
    await world.sync.pushNow();
    const waits = { outcome: 'would-wait', detail: expect.stringMatching('makes its patients itself') };
    expect(await told()).toEqual([{ type: 'Patient', ...waits }]);
    expect(await world.sync.preview('ehr', 'Patient', 'p1')).toMatchObject(waits);
  });

  test('a dry run writes messages and nothing else', async () => {
    await reopen({ connection: { mode: 'dry-run', types: { Patient: 'push', Task: 'pull' } } });
    await world.write(patient('p1'));
    world.remote.put(task('r1'));
    const head = await world.temp.store.head();
    await world.sync.pushNow();
    await world.sync.pullNow();
    expect(world.remote.writes()).toEqual([]);
    expect(await world.temp.store.head()).toBe(head);
    const outcomes = await world.temp.store.query(
      "SELECT outcome FROM message WHERE outcome LIKE 'would%' ORDER BY outcome",
    );
    expect(outcomes.map(({ outcome }) => outcome)).toEqual(['would-be-created', 'would-create']);
    for (const table of ['outbox', 'identity', 'checkpoint', 'conflict']) {
      expect(await world.temp.store.query(`SELECT * FROM ${table}`)).toEqual([]);
    }
  });
});

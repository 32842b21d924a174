// Notifications of a remote: they say where to look, never what is there; what was accepted is read, whatever happens in
// between. docs/sync-spec.md#I32
import { setImmediate } from 'node:timers/promises';
import type { Parameters, Resource, Subscription, Task } from '@medplum/fhirtypes';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Json } from '../../src/fhir/canonical-json.ts';
import type { Connection } from '../../src/sync/connections/settings.ts';
import { readNotice } from '../../src/sync/hints/read-notice.ts';
import { openWorld, patient, task, type World, type WorldOptions } from '../support/sync-world.ts';

const SECRET = 'a-secret-of-the-hook-0123456789';
let world: World;

async function open(connection: Partial<Connection> = {}, options: Partial<WorldOptions> = {}): Promise<void> {
  world = await openWorld({
    connection: { types: { Patient: 'pull', Task: 'pull' }, hints: { secret: { env: 'HOOK' } }, ...connection },
    sync: () => ({ readSecret: () => SECRET }),
    ...options,
  });
  world.remote.put(patient('p'));
  await world.sync.pullNow();
}

beforeEach(() => open());
afterEach(() => world.cleanup());

const rows = (table: string) => world.temp.store.query(`SELECT * FROM ${table}`);
const notify = (path: string, body?: unknown) =>
  world.sync.hints.accept('ehr', { path, body: body as Json | undefined });
/** What was asked for since the last call. */
function asked(): string[] {
  return world.remote.requests.splice(0).map(({ method, url }) => `${method} ${url}`);
}

/** All hints that are due are taken: the one who woke up, and this one after it. */
async function settle(): Promise<void> {
  await setImmediate();
  await world.sync.hints.take();
}

function remoteTask(id: string, fields: object = {}): void {
  world.remote.put(task(id, { for: { reference: 'Patient/p' }, ...fields }));
}

const event = (number: number, focus: string) => ({
  name: 'notification-event',
  part: [
    { name: 'event-number', valueString: String(number) },
    { name: 'focus', valueReference: { reference: focus } },
  ],
});

function notification(total: number, events: object[], status = 'active'): object {
  const parameters = {
    resourceType: 'Parameters',
    parameter: [
      { name: 'subscription', valueReference: { reference: `${world.remote.baseUrl}/Subscription/s1` } },
      { name: 'status', valueCode: status },
      { name: 'type', valueCode: events.length > 0 ? 'event-notification' : 'heartbeat' },
      { name: 'events-since-subscription-start', valueString: String(total) },
      ...events,
    ],
  } as Parameters;
  return { resourceType: 'Bundle', type: 'history', entry: [{ resource: parameters }] };
}

describe('what is hinted at', () => {
  const base = 'https://ehr.example/fhir';
  test.each([
    ['', undefined, { targets: [], streams: 'all' }],
    ['Task', undefined, { targets: [], streams: ['Task'] }],
    ['Task/12', undefined, { targets: [{ type: 'Task', id: '12' }], streams: [] }],
    ['Task/Task/12', undefined, { targets: [{ type: 'Task', id: '12' }], streams: [] }],
    ['../../etc', undefined, { targets: [], streams: 'all' }],
    ['Task/..', undefined, { targets: [], streams: ['Task'] }],
    ['Task/a%2fb', undefined, { targets: [], streams: ['Task'] }],
    [
      '',
      { resourceType: 'Task', id: '12', status: 'anything' },
      { targets: [{ type: 'Task', id: '12' }], streams: [] },
    ],
    ['', { resourceType: 'Task', id: '../12' }, { targets: [], streams: ['Task'] }],
    ['', [1, 2], { targets: [], streams: 'all' }],
    ['', { resourceType: 'Bundle', entry: 'x' }, { targets: [], streams: 'all' }],
    [
      '',
      { resourceType: 'Bundle', entry: [{ resource: { resourceType: 'Task', id: '1' } }, null, 5] },
      { targets: [{ type: 'Task', id: '1' }], streams: [] },
    ],
  ])('%s with %j', (path, body, expected) => {
    expect(readNotice({ path, body: body as Json }, base)).toEqual(expected);
  });

  test('R4B says it in a resource of its own; references elsewhere are none', () => {
    const status = {
      resourceType: 'SubscriptionStatus',
      subscription: { reference: 'Subscription/s1' },
      status: 'active',
      eventsSinceSubscriptionStart: '12',
      notificationEvent: [
        { eventNumber: '12', focus: { reference: `${base}/Task/1` } },
        { eventNumber: 11, focus: { reference: 'https://evil.example/fhir/Task/2' } },
      ],
    };
    expect(readNotice({ path: '', body: { resourceType: 'Bundle', entry: [{ resource: status }] } }, base)).toEqual({
      targets: [{ type: 'Task', id: '1' }],
      streams: [],
      source: { subscription: 's1', events: [11, 12], total: 12, status: 'active' },
    });
  });
});

describe('a hint', () => {
  test('of a resource has it read at once, and its content is never believed', async () => {
    remoteTask('r1', { description: 'as it is there' });
    asked();
    const receipt = await notify('', { resourceType: 'Task', id: 'r1', status: 'completed', description: 'forged' });
    expect(receipt).toEqual({ accepted: 1 });
    await settle();
    expect(asked()).toEqual(['GET /Task/r1']);
    expect(await world.all<Task>('Task')).toMatchObject([{ status: 'requested', description: 'as it is there' }]);
    expect(await rows('hint')).toEqual([]);
  });

  test('without anything has the stream of its type read', async () => {
    remoteTask('r1');
    asked();
    await notify('Task');
    await settle();
    expect(asked()).toEqual([expect.stringMatching(/^GET \/Task\?/)]);
    expect(await world.all('Task')).toHaveLength(1);
  });

  test('that was accepted survives a restart', async () => {
    await world.sync.stop();
    remoteTask('r1');
    await notify('Task/r1');
    await world.restart();
    asked();
    await settle();
    expect(asked()).toEqual(['GET /Task/r1']);
    expect(await world.all('Task')).toHaveLength(1);
  });

  test('given many times is one read', async () => {
    remoteTask('r1');
    await world.sync.stop();
    for (let times = 0; times < 20; times += 1) await notify('Task/r1');
    await world.restart();
    asked();
    await settle();
    expect(asked()).toEqual(['GET /Task/r1']);
  });

  test('of a type that does not flow is not followed', async () => {
    expect(await notify('', { resourceType: 'Binary', id: '1' })).toEqual({ accepted: 0 });
    expect(await notify('AuditEvent')).toEqual({ accepted: 0 });
    expect(await rows('hint')).toEqual([]);
  });

  test('is not taken by a connection that does not pull', async () => {
    await world.cleanup();
    await open({ mode: 'push' });
    expect(await notify('Task')).toEqual({ accepted: 0 });
  });

  test('of something that is not there ends, and deletes nothing', async () => {
    remoteTask('r1');
    await world.sync.pullNow();
    world.remote.remove('Task', 'r1');
    await notify('Task/r1');
    await settle();
    expect(await rows('hint')).toEqual([]);
    expect(await world.all('Task')).toHaveLength(1);
    const [row] = await world.temp.store.query("SELECT detail FROM message WHERE outcome = 'absent'");
    expect(row?.detail).toContain('sweep');
  });

  test('waits when the server is away, and is taken when it is back', async () => {
    await world.sync.stop();
    remoteTask('r1');
    await notify('Task/r1');
    await world.restart(() => ({ random: () => 0.5 }));
    for (let tries = 0; tries < 3; tries += 1) world.remote.knobs.refusals.push({ status: 502 });
    await settle();
    expect(await rows('hint')).toMatchObject([{ remote_id: 'r1', attempts: 1 }]);
    world.pass({ minutes: 20 });
    await settle();
    expect(await rows('hint')).toEqual([]);
    expect(await world.all('Task')).toHaveLength(1);
  });

  test('is taken by a pull, too', async () => {
    await world.sync.stop();
    remoteTask('r1');
    await notify('Task/r1');
    await world.restart();
    await world.sync.pullNow();
    expect(await rows('hint')).toEqual([]);
  });

  test('more of them than are worth reading one by one are one for the stream', async () => {
    await world.sync.stop();
    const entry = Array.from({ length: 501 }, (_, id) => ({ resource: { resourceType: 'Task', id: `r${id}` } }));
    expect(await notify('', { resourceType: 'Bundle', entry })).toEqual({ accepted: 1 });
    expect(await rows('hint')).toMatchObject([{ type: 'Task', remote_id: '' }]);
    await notify('Task/r1');
    expect(await rows('hint')).toHaveLength(2);
    await notify('Task');
    expect(await rows('hint')).toHaveLength(1);
  });

  test('that another resource is answered to is refused', async () => {
    remoteTask('r1');
    world.remote.knobs.refusals.push({ status: 200, body: JSON.stringify(task('r2', { id: 'r2' })) });
    await notify('Task/r1');
    await settle();
    expect(await world.all('Task')).toHaveLength(0);
    const [row] = await world.temp.store.query("SELECT detail FROM message WHERE outcome = 'permanent'");
    expect(row?.detail).toContain('another Task');
  });
});

describe('events', () => {
  test('in order are read one by one', async () => {
    for (const id of ['r1', 'r2']) remoteTask(id);
    await notify('', notification(1, [event(1, 'Task/r1')]));
    await notify('', notification(2, [event(2, 'Task/r2')]));
    asked();
    await settle();
    expect(await world.all('Task')).toHaveLength(2);
    expect(await rows('hint_source')).toMatchObject([{ remote_id: 's1', event_number: 2, status: 'active' }]);
  });

  test.each([
    ['a gap between notifications', () => notification(5, [event(5, 'Task/r2')])],
    ['a gap within one', () => notification(4, [event(2, 'Task/r2'), event(4, 'Task/r2')])],
    ['a heartbeat that knows of more', () => notification(3, [])],
  ])('%s has the streams read', async (_name, make) => {
    await world.sync.stop();
    await notify('', notification(1, [event(1, 'Task/r1')]));
    await notify('', make());
    const streams = await world.temp.store.query("SELECT type FROM hint WHERE remote_id = '' ORDER BY type");
    expect(streams).toEqual([{ type: 'Patient' }, { type: 'Task' }]);
  });

  test('that overtake each other, or come twice, are no gap afterwards', async () => {
    await world.sync.stop();
    await notify('', notification(1, [event(1, 'Task/r1')]));
    await notify('', notification(2, [event(2, 'Task/r1')]));
    await notify('', notification(1, [event(1, 'Task/r1')]));
    await notify('', notification(3, [event(3, 'Task/r1')]));
    expect(await world.temp.store.query("SELECT type FROM hint WHERE remote_id = ''")).toEqual([]);
    expect(await rows('hint_source')).toMatchObject([{ event_number: 3 }]);
  });

  test('a Subscription that stops is told about once', async () => {
    await notify('', notification(1, [event(1, 'Task/r1')]));
    for (let times = 0; times < 3; times += 1) await notify('', notification(1, [], 'error'));
    expect(world.events.filter(({ kind }) => kind === 'subscription')).toEqual([
      { kind: 'subscription', connection: 'ehr' },
    ]);
  });

  test('a Subscription that is first heard of when it has stopped is told about, too', async () => {
    for (let times = 0; times < 2; times += 1) await notify('', notification(1, [], 'error'));
    expect(world.events.filter(({ kind }) => kind === 'subscription')).toHaveLength(1);
  });

  test('of Subscriptions without end are not all remembered', async () => {
    await world.sync.stop();
    for (let id = 0; id < 120; id += 1) {
      const text = JSON.stringify(notification(1, [event(1, 'Task/r1')])).replace(
        'Subscription/s1',
        `Subscription/x${id}`,
      );
      await notify('', JSON.parse(text));
    }
    expect((await rows('hint_source')).length).toBe(100);
  });
});

describe('the hook', () => {
  test('opens with its secret only', () => {
    const { hints } = world.sync;
    expect(hints.opens('ehr', SECRET)).toBe(true);
    for (const wrong of ['', 'x', SECRET.slice(1), `${SECRET} `]) expect(hints.opens('ehr', wrong)).toBe(false);
    expect(hints.opens('other', SECRET)).toBe(false);
  });

  test('without a secret opens with none', async () => {
    await world.cleanup();
    await open({ hints: {} });
    expect(world.sync.hints.opens('ehr', '')).toBe(false);
    expect(world.sync.hints.opens('ehr', SECRET)).toBe(false);
  });

  test('of a connection that does not exist takes nothing', async () => {
    await expect(world.sync.hints.accept('other', { path: '', body: undefined })).rejects.toMatchObject({
      kind: 'not-found',
    });
  });
});

describe('Subscriptions at the remote', () => {
  const subscribing = { hints: { secret: { env: 'HOOK' }, subscribe: true } } as const;
  const subscriptions = () => world.remote.all('Subscription') as (Subscription & { id: string })[];
  const change = (fields: Partial<Subscription>) => world.remote.put({ ...subscriptions()[0], ...fields } as Resource);

  beforeEach(async () => {
    await world.cleanup();
    await open({ ...subscribing, types: { Task: 'pull' } }, { knobs: { subscriptions: true } });
  });

  test('are made for each type that is read, and notify without content', async () => {
    expect(subscriptions()).toMatchObject([
      {
        status: 'requested',
        criteria: 'Task?',
        channel: {
          type: 'rest-hook',
          endpoint: 'https://baton.test/hooks/ehr/Task',
          header: [`X-Baton-Hook: ${SECRET}`],
        },
      },
    ]);
    expect(subscriptions()[0]?.channel).not.toHaveProperty('payload');
    for (let pulls = 0; pulls < 3; pulls += 1) await world.sync.pullNow();
    expect(world.remote.writes()).toEqual(['POST /Subscription']);
  });

  test('carry the secret, and no message does', async () => {
    world.pass({ days: 6 });
    await world.sync.pullNow();
    expect(JSON.stringify(await rows('message'))).not.toContain(SECRET);
    expect(JSON.stringify(await rows('hint_source'))).not.toContain(SECRET);
  });

  test('are renewed before they end', async () => {
    const end = String(subscriptions()[0]?.end);
    change({ status: 'active' });
    world.pass({ days: 1 });
    await world.sync.pullNow();
    expect(subscriptions()[0]?.end).toBe(end);
    world.pass({ days: 5 });
    await world.sync.pullNow();
    expect(Temporal.Instant.compare(String(subscriptions()[0]?.end), end)).toBe(1);
    expect(subscriptions()).toHaveLength(1);
  });

  test.each(['error', 'off'] as const)('in %s are told about once and asked for again', async (status) => {
    change({ status });
    world.pass({ minutes: 11 });
    await world.sync.pullNow();
    expect(subscriptions()).toMatchObject([{ status: 'requested' }]);
    change({ status: 'active' });
    world.pass({ minutes: 11 });
    await world.sync.pullNow();
    const told = world.events.filter(({ kind }) => kind === 'subscription');
    expect(told).toEqual([{ kind: 'subscription', connection: 'ehr', type: 'Task' }]);
    expect(await rows('hint_source')).toMatchObject([{ status: 'active' }]);
  });

  test('that are gone are made anew', async () => {
    world.remote.remove('Subscription', String(subscriptions()[0]?.id));
    world.pass({ minutes: 11 });
    await world.sync.pullNow();
    await world.sync.pullNow();
    expect(subscriptions()).toHaveLength(1);
  });

  test('that are refused are not asked for with every pull', async () => {
    await world.cleanup();
    world = await openWorld({
      connection: { types: { Task: 'pull' }, ...subscribing },
      sync: () => ({ readSecret: () => SECRET }),
      knobs: { subscriptions: true },
    });
    await world.sync.pullNow();
    const before = world.remote.writes().length;
    world.remote.remove('Subscription', String(subscriptions()[0]?.id));
    world.pass({ minutes: 11 });
    await world.sync.pullNow();
    world.remote.knobs.refusals.push(
      { status: 200, body: '{"resourceType":"Bundle","type":"searchset"}' },
      { status: 403 },
    );
    for (let pulls = 0; pulls < 4; pulls += 1) {
      await world.sync.pullNow();
      world.pass({ hours: 1 });
    }
    expect(world.remote.writes()).toHaveLength(before);
    world.pass({ hours: 24 });
    await world.sync.pullNow();
    expect(world.remote.writes()).toHaveLength(before + 1);
  });

  test('a missed heartbeat has the stream read', async () => {
    const [one] = subscriptions();
    await world.temp.store.commit(
      { reference: 'Device/test', kind: 'service' },
      [],
      [{ sql: 'UPDATE hint_source SET heartbeat_seconds = 60 WHERE remote_id = ?', params: [one?.id ?? ''] }],
    );
    world.pass({ minutes: 1 });
    await world.sync.pullNow();
    expect(await rows('hint')).toEqual([]);
    world.pass({ minutes: 2 });
    await world.sync.pullNow();
    expect(await rows('hint')).toMatchObject([{ type: 'Task', remote_id: '' }]);
  });

  test('are not made where the server does not take them', async () => {
    await world.cleanup();
    await open(subscribing);
    expect(subscriptions()).toEqual([]);
  });
});

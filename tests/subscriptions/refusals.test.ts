// What is refused of a Subscription and where it says so; and what operators and /metadata see.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BACKPORT } from '../../src/subscriptions/backport.ts';
import { refusedEndpoint } from '../../src/subscriptions/endpoint.ts';
import { GRAVITY, task, type Wish, wish } from './notified.ts';
import { openWorld, type World } from './world.ts';

let world: World;

beforeAll(async () => {
  world = await openWorld({ hosts: ['app.example'] });
});
afterAll(() => world.close());

const post = (body: object) => world.fhir('POST', '/Subscription', { body });
const issueOf = async (body: object) => {
  const { status, json } = await post(body);
  return [status, json.issue?.[0]?.code, json.issue?.[0]?.expression?.[0]];
};
const asked = (more: Partial<Wish> = {}) => wish({ url: 'https://app.example/hook', criteria: GRAVITY, ...more });
const channel = (more: object) => ({ ...asked(), channel: { ...asked().channel, ...more } });
const FILTER = `Subscription.criteria.extension('${BACKPORT.filter}')`;

describe('a Subscription is refused', () => {
  it.each([
    ['by e-mail', channel({ type: 'email' }), 'not-supported', 'Subscription.channel.type'],
    ['by websocket', channel({ type: 'websocket' }), 'not-supported', 'Subscription.channel.type'],
    ['without endpoint', channel({ endpoint: undefined }), 'value', 'Subscription.channel.endpoint'],
    ['to another host', channel({ endpoint: 'https://elsewhere.example/' }), 'value', 'Subscription.channel.endpoint'],
    ['without TLS', channel({ endpoint: 'http://app.example/' }), 'value', 'Subscription.channel.endpoint'],
    [
      'with a password in its URL',
      channel({ endpoint: 'https://a:b@app.example/' }),
      'value',
      'Subscription.channel.endpoint',
    ],
    ['in XML', channel({ payload: 'application/fhir+xml' }), 'not-supported', 'Subscription.channel.payload'],
    ['with a topic and no payload', channel({ payload: undefined }), 'required', 'Subscription.channel.payload'],
    ['with a header of ours', channel({ header: ['Host: other'] }), 'value', 'Subscription.channel.header[0]'],
    ['with a broken header', channel({ header: ['A: b', 'A: b\r\nC: d'] }), 'value', 'Subscription.channel.header[1]'],
    ['to an unknown topic', asked({ criteria: 'http://example.org/topic' }), 'not-supported', 'Subscription.criteria'],
    ['with a filter that is not offered', asked({ filters: ['Task?patient=Patient/1'] }), 'not-supported', FILTER],
    ['with a filter on another type', asked({ filters: ['Patient?_id=1'] }), 'value', FILTER],
    ['with a modifier that is not offered', asked({ filters: ['Task?code:text=x'] }), 'not-supported', FILTER],
    ['with an unknown parameter', asked({ criteria: 'Task?colour=red' }), 'not-supported', 'Subscription.criteria'],
    ['with a chain', asked({ criteria: 'Task?patient.name=Ann' }), 'not-supported', 'Subscription.criteria'],
    ['with full text', asked({ criteria: 'Task?_content=pain' }), 'not-supported', 'Subscription.criteria'],
    [
      'with an include',
      asked({ criteria: 'Task?status=ready&_include=Task:patient' }),
      'not-supported',
      'Subscription.criteria',
    ],
    [
      'with less payload than plain R4 knows',
      { ...asked(), criteria: 'Task?status=ready' },
      'not-supported',
      `Subscription.channel.payload.extension('${BACKPORT.content}')`,
    ],
    [
      'with a filter where no topic is',
      asked({ criteria: 'Task?status=ready', filters: ['Task?owner=Practitioner/nurse'] }),
      'not-supported',
      FILTER,
    ],
    ['with a header twice', channel({ header: ['A: b', 'a: c'] }), 'value', 'Subscription.channel.header[1]'],
    ['to Subscriptions', asked({ criteria: 'Subscription?status=error' }), 'not-supported', 'Subscription.criteria'],
    ['of no type', asked({ criteria: 'status=ready' }), 'value', 'Subscription.criteria'],
    ['that has ended', { ...asked(), end: '2020-01-01T00:00:00Z' }, 'value', 'Subscription.end'],
    ['that is no Subscription', channel({ payload: 5, extension: 'x' }), 'structure', 'Subscription'],
    ['with criteria that are no text', { ...asked(), criteria: 5 }, 'structure', 'Subscription'],
    ['without a channel', { ...asked(), channel: null }, 'structure', 'Subscription'],
    [
      'with too quick a heartbeat',
      asked({ pace: { [BACKPORT.heartbeat]: 5 } }),
      'value',
      `Subscription.channel.extension('${BACKPORT.heartbeat}')`,
    ],
  ])('%s', async (_, body, code, expression) => {
    expect(await issueOf(body)).toEqual([422, code, expression]);
  });

  it('by a conditional update', async () => {
    const { status, json } = await world.fhir('PUT', '/Subscription?url=https://app.example/hook', { body: asked() });
    expect([status, json.issue?.[0]?.expression]).toEqual([422, ['Subscription']]);
  });

  it('and nothing of it is kept', async () => {
    const before = (await world.fhir('GET', '/Subscription?_summary=count')).json.total;
    await post(channel({ type: 'email' }));
    expect((await world.fhir('GET', '/Subscription?_summary=count')).json.total).toBe(before);
    expect(await world.temp.store.query('SELECT * FROM subscription')).toEqual([]);
  });
});

it('hosts are those of the configuration, and this machine only in the sandbox', () => {
  const rule = { hosts: ['app.example', '*.clinic.example', 'odd.example:8443'], loopback: false };
  const allowed = (url: string, loopback = false) => refusedEndpoint(url, { ...rule, loopback }) === undefined;
  for (const url of ['https://app.example/x', 'https://a.b.clinic.example/', 'https://odd.example:8443/']) {
    expect([url, allowed(url)]).toEqual([url, true]);
  }
  const wrong = [
    'https://app.example:444/',
    'https://clinic.example/',
    'https://notapp.example/',
    'https://127.0.0.1/',
  ];
  for (const url of [
    ...wrong,
    'https://app.example.evil/',
    'http://localhost/',
    'https://169.254.169.254/',
    'file:///etc',
  ]) {
    expect([url, allowed(url)]).toEqual([url, false]);
  }
  expect(['http://127.0.0.1:9/', 'http://localhost/'].map((url) => allowed(url, true))).toEqual([true, true]);
  expect(allowed('http://10.0.0.1/', true)).toBe(false);
});

describe('what can be seen of it', () => {
  it('by clients: topics and operations in /metadata, and its own search parameters', async () => {
    const { json } = await world.fhir('GET', '/metadata');
    const { resource } =
      (json.rest as { resource: { type: string; extension?: object[]; operation?: { name: string }[] }[] }[])[0] ?? {};
    const stated = resource?.find(({ type }) => type === 'Subscription');
    expect(JSON.stringify(stated?.extension)).toContain(GRAVITY);
    expect(stated?.extension).toHaveLength(world.subscriptions.topics.length);
    expect(stated?.operation?.map(({ name }) => name)).toEqual(expect.arrayContaining(['status', 'events']));
    const { json: made } = await post(wish({ url: world.receiver.url, criteria: 'Task?status=ready' }));
    await world.subscriptions.settle();
    for (const query of [
      'status=active',
      'type=rest-hook',
      'criteria=Task?status=ready',
      `url=${world.receiver.url}`,
    ]) {
      const found = await world.fhir('GET', `/Subscription?${query}&payload=application/fhir%2Bjson`);
      expect([query, found.json.entry?.map((entry) => entry.resource?.id)]).toEqual([query, [made.id]]);
    }
  });

  it('by operators: where each stands and what went wrong, to pause and to try again', async () => {
    const { json } = await post(
      wish({ url: world.receiver.url, criteria: GRAVITY, header: ['Authorization: Bearer abc'] }),
    );
    await world.subscriptions.settle();
    world.receiver.answer(500);
    await world.fhir('PUT', '/Task/ops', { body: task('ops') });
    await world.subscriptions.settle();
    const list = async () =>
      (await world.send('GET', '/ops/subscriptions?state=active')).json.items as Record<string, unknown>[];
    const mine = async () => (await list()).find(({ id }) => id === json.id);
    expect(await mine()).toMatchObject({
      owner: 'tester',
      events: 1,
      behind: 1,
      failures: 1,
      detail: 'The endpoint answered 500.',
    });
    expect(JSON.stringify(await list())).not.toMatch(/abc|scope/);
    const metrics = await world.send('GET', '/metrics');
    expect(metrics.text).toMatch(/baton_subscriptions\{state="active"\} 2/);
    expect(metrics.text).toMatch(/baton_subscription_events_behind 1/);
    world.receiver.take();
    expect((await world.send('POST', `/ops/subscriptions/${json.id}/pause`)).status).toBe(200);
    world.later(5);
    await world.subscriptions.settle();
    expect(world.receiver.take()).toEqual([]);
    expect((await world.send('POST', `/ops/subscriptions/${json.id}/retry`)).json).toEqual({
      id: json.id,
      paused: false,
    });
    await world.subscriptions.settle();
    expect(world.receiver.take()).toHaveLength(1);
    expect(await mine()).toMatchObject({ behind: 0, failures: 0, detail: null });
    expect((await world.send('POST', '/ops/subscriptions/none/retry')).status).toBe(404);
  });
});

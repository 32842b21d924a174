// Topic-based Subscriptions over HTTP: handshake, numbered events, heartbeats, failures, and questions about what was missed.
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { BACKPORT } from '../../src/subscriptions/backport.ts';
import { GRAVITY, read, task, type Wish, wish } from './notified.ts';
import { openWorld, type World } from './world.ts';

let world: World;

beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.close());
afterEach(async () => {
  // Nobody is told of the next test's changes.
  const { json } = await world.fhir('GET', '/Subscription?_count=100');
  for (const { resource } of json.entry ?? []) await world.fhir('DELETE', `/Subscription/${resource?.id}`);
  await world.subscriptions.settle();
  world.receiver.answer();
  world.receiver.take();
});

const created = async (more: Partial<Wish> = {}) => {
  const answer = await world.fhir('POST', '/Subscription', {
    body: wish({ url: world.receiver.url, criteria: GRAVITY, ...more }),
  });
  expect(answer.text).toContain('"resourceType":"Subscription"');
  return answer.json.id ?? '';
};
const put = (id: string, more: object = {}) => world.fhir('PUT', `/Task/${id}`, { body: task(id, more) });
const statusOf = async (id: string) => (await world.fhir('GET', `/Subscription/${id}`)).json;
const told = async () => {
  await world.subscriptions.settle();
  return world.receiver.take().map(read);
};

describe('a Subscription to a topic', () => {
  it('begins with a handshake, and tells each event once, numbered', async () => {
    await put('before');
    const id = await created();
    expect((await statusOf(id)).status).toBe('requested');
    expect(await told()).toMatchObject([{ type: 'handshake', status: 'requested', total: 0, numbers: [] }]);
    expect((await statusOf(id)).status).toBe('active');
    await put('one');
    await put('one', { status: 'accepted' });
    await world.fhir('DELETE', '/Task/one');
    await put('draft', { status: 'draft' });
    const [notification, ...more] = await told();
    expect(more).toEqual([]);
    expect(notification).toMatchObject({
      ...{ type: 'event-notification', status: 'active', total: 3, numbers: [1, 2, 3] },
      focus: ['Task/one', 'Task/one', 'Task/one'],
    });
    const [status, focus, ...others] = notification?.bundle.entry ?? [];
    expect(status?.request).toEqual({ method: 'GET', url: `Subscription/${id}/$status` });
    expect(focus).toEqual({
      fullUrl: 'http://127.0.0.1:8080/fhir/R4/Task/one',
      request: { method: 'DELETE', url: 'Task/one' },
      response: { status: '204' },
    });
    expect(others).toEqual([]);
    expect(await told()).toEqual([]);
  });

  it('is narrowed by filters, all of which must hold', async () => {
    await created({ filters: ['Task?owner=Practitioner/nurse', 'Task?status:not=cancelled'] });
    await told();
    await put('mine', { owner: { reference: 'Practitioner/nurse' } });
    await put('hers', { owner: { reference: 'Practitioner/other' } });
    await put('mine', { owner: { reference: 'Practitioner/nurse' }, status: 'cancelled' });
    expect(await told()).toMatchObject([{ numbers: [1], focus: ['Task/mine'] }]);
  });

  it('tells as much of resources as it was asked to', async () => {
    await created({ content: 'empty' });
    await created({ content: 'full-resource' });
    await told();
    await put('content', { description: 'secret words' });
    await world.subscriptions.settle();
    const bodies = world.receiver.take().map(({ body }) => body);
    const [empty, full] = bodies.sort((a, b) => a.length - b.length) as [string, string];
    expect(empty).not.toMatch(/Task|secret|sdoh/);
    expect(read({ body: empty })).toMatchObject({ total: 1, numbers: [1], focus: [undefined] });
    expect(read({ body: full }).bundle.entry?.[1]?.resource).toMatchObject({
      id: 'content',
      description: 'secret words',
    });
  });

  it('puts no more events into a notification than the subscriber takes', async () => {
    await created({ pace: { [BACKPORT.maxCount]: 2 } });
    await told();
    for (const id of ['a', 'b', 'c', 'd', 'e']) await put(id);
    expect((await told()).map(({ numbers }) => numbers)).toEqual([[1, 2], [3, 4], [5]]);
  });

  it('gives signs of life when nothing else is to be told', async () => {
    await created({ pace: { [BACKPORT.heartbeat]: 120 } });
    await told();
    world.later(1);
    expect(await told()).toEqual([]);
    world.later(2);
    expect(await told()).toMatchObject([{ type: 'heartbeat', status: 'active', total: 0, numbers: [] }]);
    expect(await told()).toEqual([]);
  });

  it('sends its headers, which nobody sees again, and keeps them where they are not sent anew', async () => {
    const id = await created({ header: ['Authorization: Bearer abc', 'X-Place: 4 West'] });
    await told();
    const stored = await statusOf(id);
    expect(JSON.stringify(stored)).not.toMatch(/abc|4 West/);
    expect((stored.channel as { header: string[] }).header).toEqual(['Authorization: ****', 'X-Place: ****']);
    expect(JSON.stringify(await world.temp.store.query('SELECT * FROM subscription'))).not.toMatch(/abc|4 West/);
    const again = await world.fhir('PUT', `/Subscription/${id}`, { body: { ...stored, status: 'requested' } });
    expect(again.status).toBe(200);
    await world.subscriptions.settle();
    const [handshake] = world.receiver.take();
    expect(handshake?.headers).toMatchObject({ authorization: 'Bearer abc', 'x-place': '4 West' });
    expect(handshake?.headers['content-type']).toContain('application/fhir+json');
    const channel = { ...(stored.channel as object), endpoint: `${world.receiver.url}/elsewhere` };
    const moved = await world.fhir('PUT', `/Subscription/${id}`, { body: { ...stored, channel } });
    expect(moved.status).toBe(422);
    expect(moved.json.issue?.[0]?.expression).toEqual(['Subscription.channel.header[0]']);
  });

  it('is told again what failed, in order, and says what is wrong', async () => {
    const id = await created();
    await told();
    world.receiver.answer(500, 500, 302);
    for (const one of ['x', 'y']) await put(one);
    expect(await told()).toEqual([]);
    await put('z');
    // Its pause is not over.
    expect(await told()).toEqual([]);
    for (const minutes of [1, 2]) {
      world.later(minutes);
      expect(await told()).toEqual([]);
    }
    expect(await statusOf(id)).toMatchObject({ status: 'error', error: 'The endpoint answered 302.' });
    const alerts = await world.temp.store.query("SELECT detail FROM alert WHERE event = 'subscriber.failing'");
    expect(alerts.at(-1)?.detail).toContain(`Subscription/${id}`);
    world.later(4);
    expect(await told()).toMatchObject([{ status: 'error', total: 3, numbers: [1, 2, 3] }]);
    expect(await statusOf(id)).toMatchObject({ status: 'active' });
    expect((await statusOf(id)).error).toBeUndefined();
  });

  it('is turned off when that goes on, and begins with a handshake when its client wants it again', async () => {
    const id = await created();
    await told();
    world.receiver.answer(...Array(30).fill(503));
    await put('lost');
    for (let hours = 0; hours < 26; hours++) {
      world.later(61);
      await world.subscriptions.settle();
    }
    expect(await statusOf(id)).toMatchObject({
      status: 'off',
      error: 'The endpoint answered 503. It has failed for too long.',
    });
    await put('while-off');
    world.receiver.answer();
    expect(await told()).toEqual([]);
    const body = { ...(await statusOf(id)), status: 'requested' };
    expect((await world.fhir('PUT', `/Subscription/${id}`, { body })).status).toBe(200);
    // What it has not taken comes first; what happened while it was off it was not subscribed to.
    expect(await told()).toMatchObject([
      { type: 'handshake', total: 1 },
      { numbers: [1], focus: ['Task/lost'] },
    ]);
    await put('after');
    expect(await told()).toMatchObject([{ numbers: [2], focus: ['Task/after'] }]);
  });

  it('loses nothing while its client changes it', async () => {
    const id = await created();
    await told();
    const { channel, ...rest } = await statusOf(id);
    const body = { ...rest, channel: { ...(channel as object), endpoint: `${world.receiver.url}/moved` } };
    expect((await world.fhir('PUT', `/Subscription/${id}`, { body })).json.status).toBe('requested');
    await put('meanwhile');
    expect(await told()).toMatchObject([
      { type: 'handshake', total: 1 },
      { numbers: [1], focus: ['Task/meanwhile'] },
    ]);
  });

  it('leaves nothing behind that is not kept any more', async () => {
    const id = await created();
    await told();
    world.receiver.answer(503);
    await put('forgotten');
    await told();
    const body = await statusOf(id);
    await world.fhir('PUT', `/Subscription/${id}`, { body: { ...body, status: 'off' } });
    world.later(15 * 24 * 60);
    await told();
    await world.fhir('PUT', `/Subscription/${id}`, { body: { ...body, status: 'requested' } });
    expect(await told()).toMatchObject([{ type: 'handshake', total: 1 }]);
    const [row] = await world.temp.store.query('SELECT events, delivered FROM subscription WHERE id = ?', [id]);
    expect(row).toMatchObject({ events: 1, delivered: 1 });
  });

  it('ends by itself', async () => {
    const end = world.now().add({ hours: 300 }).toString();
    const body = { ...wish({ url: world.receiver.url, criteria: GRAVITY }), end };
    const id = (await world.fhir('POST', '/Subscription', { body })).json.id ?? '';
    await told();
    world.later(300 * 60);
    await told();
    expect(await statusOf(id)).toMatchObject({ status: 'off', error: 'It has ended.' });
  });

  it('never answers: it is off before it began', async () => {
    const id = await created();
    world.receiver.answer(404, 404, 404);
    for (const minutes of [0, 1, 2]) {
      world.later(minutes);
      await told();
    }
    expect((await statusOf(id)).status).toBe('off');
  });
});

describe('what a subscriber asks', () => {
  it('is how it stands, and which events it may have missed', async () => {
    const id = await created({ content: 'full-resource' });
    await told();
    for (const one of ['q1', 'q2', 'q3']) await put(one, { description: one });
    await told();
    const status = await world.fhir('GET', `/Subscription/${id}/$status`);
    expect(status.json).toMatchObject({ type: 'searchset', total: 1 });
    const asBundle = (body: string) => read({ body });
    expect(asBundle(status.text)).toMatchObject({ type: 'query-status', status: 'active', total: 3 });
    const all = await world.fhir('GET', '/Subscription/$status?status=active,error');
    expect(all.json.total).toBe(1);
    expect((await world.fhir('GET', '/Subscription/$status?status=off')).json.total).toBe(0);
    const missed = await world.fhir('GET', `/Subscription/${id}/$events?eventsSinceNumber=2&eventsUntilNumber=3`);
    expect(asBundle(missed.text)).toMatchObject({ type: 'query-event', total: 3, numbers: [2, 3] });
    expect(missed.text).toContain('"description":"q2"');
    const rows = (await world.audited()).filter(({ interaction }) => interaction === 'subscription-notification');
    expect(rows.slice(-2).map((row) => row.id)).toEqual(['q2', 'q3']);
    const ids = await world.fhir('GET', `/Subscription/${id}/$events?content=id-only`);
    expect(asBundle(ids.text).numbers).toEqual([1, 2, 3]);
    expect(ids.text).not.toContain('"description"');
    const wrong = await world.fhir('GET', `/Subscription/${id}/$events?content=much`);
    expect(wrong.json.issue?.[0]?.expression).toEqual(['content']);
  });

  it('is not answered to another client', async () => {
    const id = await created();
    const as = await world.access.issue({ clientId: 'other', scope: 'system/*.rs', lifetimeSeconds: 300 });
    expect((await world.fhir('GET', `/Subscription/${id}/$events`, { as })).status).toBe(403);
    expect((await world.fhir('GET', `/Subscription/${id}/$status`, { as })).status).toBe(200);
  });
});

describe('plain R4', () => {
  it('tells of what matches the search: the resource as an update at the endpoint', async () => {
    const id = await created({ criteria: 'Task?code=http://example.org|call&status=ready' });
    await world.subscriptions.settle();
    // No handshake.
    expect(world.receiver.take()).toEqual([]);
    expect((await statusOf(id)).status).toBe('active');
    const code = { coding: [{ system: 'http://example.org', code: 'call' }] };
    await put('r4', { code, status: 'ready' });
    await put('r4', { code, status: 'in-progress' });
    await put('other', { status: 'ready' });
    await world.subscriptions.settle();
    const [only, ...more] = world.receiver.take();
    expect(more).toEqual([]);
    expect(only).toMatchObject({ method: 'PUT', url: '/hook/Task/r4' });
    // As a read would show it now.
    expect(JSON.parse(only?.body ?? '')).toMatchObject({ id: 'r4', status: 'in-progress' });
  });

  it('without a payload says that something happened, and nothing else', async () => {
    const { channel, ...rest } = wish({ url: world.receiver.url, criteria: 'Task?status=ready' });
    const { payload: _, ...bare } = channel;
    await world.fhir('POST', '/Subscription', { body: { ...rest, channel: bare } });
    await world.subscriptions.settle();
    await put('bare', { status: 'ready' });
    await world.subscriptions.settle();
    expect(world.receiver.take()).toMatchObject([{ method: 'POST', url: '/hook', body: '' }]);
  });
});

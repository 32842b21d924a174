// What goes wrong with one subscriber is no reason to tell others less, or later.
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import type { Store } from '../../src/store/store.ts';
import { GRAVITY, read, task, type Wish, wish } from './notified.ts';
import { openWorld, subscriptionsOn, type World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.close());
beforeEach(async () => {
  const { json } = await world.fhir('GET', '/Subscription?_count=100');
  for (const { resource } of json.entry ?? []) await world.fhir('DELETE', `/Subscription/${resource?.id}`);
  await world.subscriptions.settle();
  world.receiver.answer();
  world.receiver.take();
});

const created = async (path: string, more: Partial<Wish> = {}) => {
  const body = wish({ url: `${world.receiver.url}${path}`, criteria: GRAVITY, ...more });
  const { json } = await world.fhir('POST', '/Subscription', { body });
  await world.subscriptions.settle();
  world.receiver.take();
  return json.id ?? '';
};
const put = (id: string, more: object = {}) => world.fhir('PUT', `/Task/${id}`, { body: task(id, more) });
const change = (sql: string, id: string) =>
  world.temp.store.commit({ reference: 'test', kind: 'service' }, [], [{ sql, params: [id] }]);
const row = async (id: string) =>
  (await world.temp.store.query('SELECT events, delivered, detail FROM subscription WHERE id = ?', [id]))[0];

it('one that an error of ours stops does not stop the others', async () => {
  const [broken, well] = [await created('/broken'), await created('/well')];
  await change("UPDATE subscription SET content = '{' WHERE id = ?", broken);
  await put('apart');
  for (let beats = 0; beats < 2; beats++) await world.subscriptions.settle();
  expect(world.receiver.take().map((one) => [one.url, read(one).numbers])).toEqual([['/hook/well', [1]]]);
  expect(await row(well)).toMatchObject({ events: 1, delivered: 1 });
  expect(await row(broken)).toMatchObject({ detail: expect.stringMatching(/internal error/) });
});

it('what is due is told also while the log cannot be read on', async () => {
  await created('/due');
  world.receiver.answer(500);
  await put('due');
  await world.subscriptions.settle();
  world.later(2);
  const { store } = world.temp;
  const readLog = () => Promise.reject(new Error('not now'));
  const stuck = new Proxy(store, {
    get: (target, name: keyof Store) => (name === 'readLog' ? readLog : (target[name] as () => void).bind(target)),
  });
  const other = subscriptionsOn({ temp: { ...world.temp, store: stuck }, access: world.access }, world.now);
  await expect(other.settle()).rejects.toThrow('not now');
  await other.stop();
  expect(world.receiver.take().map((one) => read(one).numbers)).toEqual([[1]]);
});

it('nobody waits for one that is slow', async () => {
  const slow = await created('/slow');
  await created('/quick');
  const release = world.receiver.hold('/hook/slow');
  for (const id of ['first', 'second']) {
    await put(id);
    const answered = world.receiver.next();
    await world.subscriptions.tick();
    await answered;
    expect(world.receiver.take().map((one) => [one.url, read(one).focus])).toEqual([['/hook/quick', [`Task/${id}`]]]);
  }
  expect((await world.send('POST', `/ops/subscriptions/${slow}/retry`)).status).toBe(200);
  release();
  await world.subscriptions.settle();
  expect(world.receiver.take().map((one) => [one.url, read(one).numbers])).toEqual([
    ['/hook/slow', [1]],
    ['/hook/slow', [2]],
  ]);
});

it('one that is paused ends all the same', async () => {
  const id = await created('/paused');
  const { json } = await world.fhir('GET', `/Subscription/${id}`);
  const body = { ...json, end: world.now().add({ hours: 1 }).toString() };
  await world.fhir('PUT', `/Subscription/${id}`, { body });
  await world.subscriptions.settle();
  await world.send('POST', `/ops/subscriptions/${id}/pause`);
  world.later(61);
  await world.subscriptions.settle();
  expect((await world.fhir('GET', `/Subscription/${id}`)).json).toMatchObject({
    status: 'off',
    error: 'It has ended.',
  });
});

it('one that a changed guide has made invalid is off, told to operators once, and its client can turn it on', async () => {
  const id = await created('/invalid');
  const { json } = await world.fhir('GET', `/Subscription/${id}`);
  // As after a change of guides: its search parameter is no more, and a version like this would be refused.
  const invalid = { ...json, criteria: 'Task?gone=1', reason: undefined };
  for (const table of ['resource', 'version', 'subscription']) {
    await change(`UPDATE ${table} SET content = '${JSON.stringify(invalid)}' WHERE id = ?`, id);
  }
  const alerts = () => world.temp.store.query("SELECT detail FROM alert WHERE event = 'subscriber.off'");
  const before = (await alerts()).length;
  await put('invalid');
  for (let beats = 0; beats < 3; beats++) {
    await world.subscriptions.settle();
    world.later(2);
  }
  expect(await alerts()).toHaveLength(before + 1);
  const status = await world.fhir('GET', `/Subscription/${id}/$status`);
  expect(status.text).toMatch(/"name":"status","valueCode":"off"/);
  expect(status.text).toContain('not valid any more');
  expect(world.receiver.take()).toEqual([]);
  const again = wish({ url: `${world.receiver.url}/invalid`, criteria: GRAVITY });
  expect((await world.fhir('PUT', `/Subscription/${id}`, { body: { ...again, id } })).status).toBe(200);
  await world.subscriptions.settle();
  expect((await world.fhir('GET', `/Subscription/${id}`)).json).toMatchObject({ status: 'active' });
});

it('stopping waits for nobody long, and who was not waited for is told after the restart', async () => {
  await created('/hanging');
  const release = world.receiver.hold('/hook/hanging');
  await put('hanging');
  const other = subscriptionsOn({ temp: world.temp, access: world.access }, world.now);
  const asked = world.receiver.asked();
  await other.tick();
  await asked;
  // The subscriber does not answer before this has ended.
  await other.stop();
  release();
  const [id] = (await world.temp.store.query('SELECT id FROM subscription')).map((one) => String(one.id));
  expect(await row(id ?? '')).toMatchObject({ events: 1, delivered: 0, detail: null });
  await world.subscriptions.settle();
  expect(read(world.receiver.take().at(-1) as never).numbers).toEqual([1]);
});

// Pulling by the history of a type: deletes are believed, older versions are not. docs/sync-spec.md#I21
import type { Bundle, Task } from '@medplum/fhirtypes';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { LatestVersions } from '../../src/sync/pull/latest-versions.ts';
import { NURSE, openWorld, patient, task, type World } from '../support/sync-world.ts';

let world: World;
beforeEach(async () => {
  world = await openWorld({ knobs: { history: true, pageSize: 4 } });
  await world.write(patient('p1'));
  await world.sync.pushNow();
});
afterEach(() => world.cleanup());

const subject = () => ({ reference: `Patient/${world.remote.all('Patient')[0]?.id}` });
const put = (id: string, fields: object = {}) => world.remote.put(task(id, { for: subject(), ...fields }));
const one = async () => (await world.all<Task>('Task'))[0];
const linkState = async () =>
  (await world.temp.store.query("SELECT state FROM identity WHERE type = 'Task'"))[0]?.state;

/** Far enough from the watermark that the overlap does not show everything again. */
function later(): void {
  world.remote.now += 3_600_000;
}

describe('a history', () => {
  test('is preceded by a list of what is there, and then brings what changed', async () => {
    for (let id = 0; id < 6; id += 1) put(`r${id}`);
    await world.sync.pullNow();
    expect(await world.all('Task')).toHaveLength(6);
    const urls = () => world.remote.requests.map(({ url }) => url).filter((url) => url.startsWith('/Task'));
    expect(urls().some((url) => url.includes('_history'))).toBe(false);
    later();
    put('r1', { status: 'accepted' });
    await world.sync.pullNow();
    expect(urls().at(-1)).toContain('/Task/_history?_since=');
    expect((await world.all<Task>('Task')).filter(({ status }) => status === 'accepted')).toHaveLength(1);
  });

  test('counts only the newest version of each, over all pages', async () => {
    put('r1');
    await world.sync.pullNow();
    later();
    for (const status of ['received', 'accepted', 'in-progress', 'completed']) put('r1', { status });
    for (let id = 2; id < 6; id += 1) put(`r${id}`);
    put('r1', { status: 'failed' });
    const head = await world.temp.store.head();
    await world.sync.pullNow();
    const versions = await world.temp.store.history({
      type: 'Task',
      id: (await oneWith('failed'))?.id ?? '',
      count: 10,
    });
    expect(versions.items).toHaveLength(2);
    expect(await world.temp.store.head()).toBeGreaterThan(head);
  });

  async function oneWith(status: string): Promise<(Task & { id: string }) | undefined> {
    return (await world.all<Task>('Task')).find((each) => each.status === status);
  }

  test('tells of deletes: an untouched copy stays, its link ends', async () => {
    put('r1');
    await world.sync.pullNow();
    later();
    world.remote.remove('Task', 'r1');
    await world.sync.pullNow();
    expect(await linkState()).toBe('tombstone');
    expect((await one())?.status).toBe('requested');
    expect(world.events).toContainEqual(expect.objectContaining({ kind: 'pulled', operation: 'delete', type: 'Task' }));
    expect(world.remote.requests.some(({ url }) => url === '/Task/r1')).toBe(false);
  });

  test('an untouched copy gets the status that the policy names; a person gives it its own back when the resource returns', async () => {
    await world.restart(() => ({ policies: { Task: { default: 'theirs', gone: { status: 'entered-in-error' } } } }));
    put('r1', { status: 'accepted' });
    await world.sync.pullNow();
    later();
    world.remote.remove('Task', 'r1');
    await world.sync.pullNow();
    expect((await one())?.status).toBe('entered-in-error');
    later();
    put('r1', { status: 'accepted' });
    await world.sync.pullNow();
    expect(await world.all('Task')).toHaveLength(1);
    // Nothing follows entered-in-error by itself.
    expect((await one())?.status).toBe('entered-in-error');
    const [asked] = await world.sync.conflicts();
    expect(asked).toMatchObject({ kind: 'content', remoteId: 'r1' });
    await world.sync.resolve(NURSE, String(asked?.id), { take: 'theirs' });
    expect((await one())?.status).toBe('accepted');
    expect(await linkState()).toBe('linked');
    await world.sync.pushNow();
    expect(world.remote.all('Task')).toEqual([expect.objectContaining({ status: 'accepted' })]);
  });

  test('a delete there against an edit here is a conflict', async () => {
    put('r1');
    await world.sync.pullNow();
    const here = await one();
    await world.temp.store.commit(NURSE, [
      { op: 'update', resource: { ...(here as Task & { id: string }), priority: 'urgent' } },
    ]);
    later();
    world.remote.remove('Task', 'r1');
    for (let rounds = 0; rounds < 3; rounds += 1) await world.sync.pullNow();
    const conflicts = await world.sync.conflicts();
    expect(conflicts).toHaveLength(1);
    expect(conflicts[0]).toMatchObject({ kind: 'deleted', type: 'Task', remoteId: 'r1' });
    await world.sync.resolve(NURSE, String(conflicts[0]?.id), { take: 'ours' });
    await world.sync.pushNow();
    expect(world.remote.all('Task')).toEqual([expect.objectContaining({ priority: 'urgent' })]);
  });

  test('deleted and made again between two pulls is an edit', async () => {
    put('r1');
    await world.sync.pullNow();
    later();
    world.remote.remove('Task', 'r1');
    put('r1', { status: 'accepted' });
    await world.sync.pullNow();
    expect(await one()).toMatchObject({ status: 'accepted' });
    expect(await linkState()).toBe('linked');
  });

  test('the watermark moves after the last page only', async () => {
    put('r0');
    await world.sync.pullNow();
    const mark = async () =>
      (await world.temp.store.query("SELECT high_water, cursor FROM checkpoint WHERE type = 'Task'"))[0];
    const before = await mark();
    later();
    for (let id = 1; id < 9; id += 1) put(`r${id}`);
    let pages = 0;
    await world.restart(() => ({
      fetch: async (input, init) => {
        if (String(input).includes('Task/_history')) pages += 1;
        if (pages > 1) throw new TypeError('cut off');
        return globalThis.fetch(input, init);
      },
    }));
    await world.sync.pullNow();
    expect(await mark()).toEqual(before);
    await world.restart();
    await world.sync.pullNow();
    expect(await world.all('Task')).toHaveLength(9);
    expect((await mark())?.high_water).not.toBe(before?.high_water);
  });
});

test('pages that repeat versions, or give them in another order, leave the newest', () => {
  const at = (id: string, time: string) => ({
    resource: { resourceType: 'Task', id, meta: { lastUpdated: time } },
    request: { method: 'PUT', url: `Task/${id}` },
  });
  const gone = (id: string, time: string) => ({
    request: { method: 'DELETE', url: `Task/${id}` },
    response: { status: '204', lastModified: time },
  });
  const page = (...entry: object[]) => ({ resourceType: 'Bundle', type: 'history', entry }) as Bundle;
  const latest = new LatestVersions('Task');
  const first = latest.take(
    page(at('a', '2026-01-01T00:00:01Z'), at('a', '2026-01-01T00:00:02Z'), gone('b', '2026-01-01T00:00:02Z')),
  );
  expect(first.current.entry?.map(({ resource }) => resource?.meta?.lastUpdated)).toEqual(['2026-01-01T00:00:02Z']);
  expect(first.gone).toEqual(['b']);
  const second = latest.take(page(at('b', '2026-01-01T00:00:01Z'), at('c', '2026-01-01T00:00:00Z')));
  expect(second.current.entry?.map(({ resource }) => resource?.id)).toEqual(['c']);
  expect(second.gone).toEqual([]);
});

// Many clients at once, over real connections: one wins where one must, nothing is made twice, and whoever pages sees
// each thing that nobody touches exactly once. https://hl7.org/fhir/R4/http.html#concurrency
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { FULL_SCOPE } from '../../src/access/scopes.ts';
import { type Json, serve, type TestServer } from './serve.ts';

let baton: TestServer;
let base: string;
let token: string;

beforeAll(async () => {
  baton = await serve();
  await baton.server.listen({ port: 0, host: '127.0.0.1' });
  base = `http://127.0.0.1:${(baton.server.server.address() as AddressInfo).port}/fhir/R4`;
  token = await baton.token(FULL_SCOPE);
});
afterAll(() => baton.close());

interface Reply {
  readonly status: number;
  readonly body: Json;
}

async function send(method: string, path: string, body?: object, headers: Record<string, string> = {}): Promise<Reply> {
  const response = await fetch(`${base}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      ...(body ? { 'content-type': 'application/fhir+json' } : {}),
      ...headers,
    },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  const text = await response.text();
  return { status: response.status, body: text === '' ? {} : JSON.parse(text) };
}

const times = <T>(count: number, one: (n: number) => T): T[] => Array.from({ length: count }, (_, n) => one(n));
const patient = (id: string, value = id) => ({ resourceType: 'Patient', id, identifier: [{ system: 'urn:c', value }] });
const statuses = async (replies: Promise<Reply>[]) => (await Promise.all(replies)).map(({ status }) => status).sort();

describe('writers of one resource', () => {
  test('of 50 PUTs with one If-Match one succeeds and 49 get 412', async () => {
    await send('PUT', '/Patient/put', patient('put'));
    const replies = times(50, (n) => send('PUT', '/Patient/put', patient('put', String(n)), { 'if-match': 'W/"1"' }));
    expect(await statuses(replies)).toEqual([200, ...times(49, () => 412)]);
    expect((await send('GET', '/Patient/put')).body.meta?.versionId).toBe('2');
  });

  test('of 50 PATCHes with one If-Match one succeeds and 49 get 412', async () => {
    await send('PUT', '/Patient/patch', patient('patch'));
    const headers = { 'if-match': 'W/"1"', 'content-type': 'application/json-patch+json' };
    const change = (n: number) => [{ op: 'replace', path: '/identifier/0/value', value: String(n) }];
    const replies = times(50, (n) => send('PATCH', '/Patient/patch', change(n), headers));
    expect(await statuses(replies)).toEqual([200, ...times(49, () => 412)]);
    expect((await send('GET', '/Patient/patch')).body.meta?.versionId).toBe('2');
  });

  test('of 50 DELETEs with one If-Match one succeeds and 49 get 412', async () => {
    await send('PUT', '/Patient/delete', patient('delete'));
    const replies = times(50, () => send('DELETE', '/Patient/delete', undefined, { 'if-match': 'W/"1"' }));
    expect(await statuses(replies)).toEqual([204, ...times(49, () => 412)]);
    expect((await send('GET', '/Patient/delete/_history')).body.total).toBe(2);
  });

  test('of PUT, PATCH and DELETE with one If-Match one succeeds', async () => {
    await send('PUT', '/Patient/mixed', patient('mixed'));
    const ifMatch = { 'if-match': 'W/"1"' };
    const patched = { ...ifMatch, 'content-type': 'application/json-patch+json' };
    const replies = times(10, (n) => [
      send('PUT', '/Patient/mixed', patient('mixed', String(n)), ifMatch),
      send('PATCH', '/Patient/mixed', [{ op: 'add', path: '/active', value: true }], patched),
      send('DELETE', '/Patient/mixed', undefined, ifMatch),
    ]).flat();
    const found = await statuses(replies);
    expect(found.filter((status) => status < 300)).toHaveLength(1);
    // When the DELETE is first, there is nothing left to patch.
    expect(found.every((status) => status < 300 || status === 412 || status === 410)).toBe(true);
  });

  test('50 PUTs without If-Match make 50 versions, one after the other', async () => {
    const replies = await Promise.all(times(50, (n) => send('PUT', '/Patient/all', patient('all', String(n)))));
    const versions = replies.map(({ body }) => Number(body.meta?.versionId)).sort((a, b) => a - b);
    expect(versions).toEqual(times(50, (n) => n + 1));
    expect(replies.filter(({ status }) => status === 201)).toHaveLength(1);
  });
});

describe('writers of what is not there yet', () => {
  const criteria = (value: string) => ({ 'if-none-exist': `identifier=urn:c|${value}` });

  test('20 equal conditional creates make one resource', async () => {
    const { id: _, ...one } = patient('', 'created-once');
    const replies = await Promise.all(times(20, () => send('POST', '/Patient', one, criteria('created-once'))));
    expect(replies.map(({ status }) => status).sort()).toEqual([...times(19, () => 200), 201]);
    expect((await send('GET', '/Patient?identifier=urn:c|created-once&_summary=count')).body.total).toBe(1);
  });

  test('20 equal conditional updates make one resource with 20 versions', async () => {
    const { id: _, ...one } = patient('', 'updated-once');
    const replies = await Promise.all(times(20, () => send('PUT', '/Patient?identifier=urn:c|updated-once', one)));
    expect(replies.map(({ status }) => status).sort()).toEqual([...times(19, () => 200), 201]);
    const { entry = [] } = (await send('GET', '/Patient?identifier=urn:c|updated-once')).body;
    expect(entry.map(({ resource }) => resource?.meta?.versionId)).toEqual(['20']);
  });

  test('20 transactions with the same conditional create share one patient', async () => {
    const { id: _, ...one } = patient('', 'shared');
    const bundle = (n: number) => ({
      resourceType: 'Bundle',
      type: 'transaction',
      entry: [
        {
          fullUrl: 'urn:uuid:00000000-0000-4000-8000-000000000001',
          resource: one,
          request: { method: 'POST', url: 'Patient', ifNoneExist: 'identifier=urn:c|shared' },
        },
        {
          resource: {
            resourceType: 'Task',
            id: `shared-${n}`,
            status: 'requested',
            intent: 'order',
            for: { reference: 'urn:uuid:00000000-0000-4000-8000-000000000001' },
          },
          request: { method: 'PUT', url: `Task/shared-${n}` },
        },
      ],
    });
    expect(await statuses(times(20, (n) => send('POST', '', bundle(n))))).toEqual(times(20, () => 200));
    const { entry = [] } = (await send('GET', '/Patient?identifier=urn:c|shared')).body;
    expect(entry).toHaveLength(1);
    const tasks = await send('GET', `/Task?patient=${entry[0]?.resource?.id}&_summary=count`);
    expect(tasks.body.total).toBe(20);
  });
});

// ---- paging while others write

const STAYS = 40;
const PRIORITIES = ['routine', 'urgent', 'stat', undefined] as const;

const task = (id: string, n: number) => ({
  resourceType: 'Task',
  id,
  meta: { tag: [{ system: 'urn:c', code: 'paged' }] },
  status: n % 2 ? 'requested' : 'ready',
  intent: 'order',
  ...(PRIORITIES[n % 4] ? { priority: PRIORITIES[n % 4] } : {}),
  ...(n % 3 ? { authoredOn: `2026-01-0${1 + (n % 5)}` } : {}),
  for: { reference: `Patient/${n % 2 ? 'odd' : 'even'}` },
});

/** Follows `next`; gives what it finds in each page. Between pages others write. */
async function pages(path: string, written: () => Promise<void>): Promise<Json[]> {
  const found: Json[] = [];
  for (let next: string | undefined = path; next !== undefined; ) {
    const { status, body } = await send('GET', next);
    if (status !== 200) throw new Error(JSON.stringify(body));
    found.push(body);
    await written();
    next = body.link?.find(({ relation }) => relation === 'next')?.url.replace(/^.*\/fhir\/R4/, '');
    if (found.length > 1_000) throw new Error('The pages do not end.');
  }
  return found;
}

/**
 * Creates, changes and deletes tasks without pause until `work` is done; resolves to what it gives.
 * @param work is given a way to wait until a few more writes were answered
 */
async function underWrites<T>(work: (written: () => Promise<void>) => Promise<T>): Promise<T> {
  let isDone = false;
  let n = 0;
  let waiting: (() => void)[] = [];
  const write = async () => {
    while (!isDone) {
      const id = `comes-${n++ % 60}`;
      await send('PUT', `/Task/${id}`, task(id, n));
      if (n % 3 === 0) await send('DELETE', `/Task/comes-${(n * 7) % 60}`);
      const woken = waiting;
      waiting = [];
      for (const wake of woken) wake();
    }
  };
  const writers = times(3, write);
  const once = () => new Promise<void>((resolve) => waiting.push(resolve));
  const written = async () => {
    for (let more = 0; more < 5; more++) await once();
  };
  const result = await work(written).finally(() => {
    isDone = true;
  });
  await Promise.all(writers);
  return result;
}

const matchesIn = (found: readonly Json[]) =>
  found.flatMap(({ entry = [] }) =>
    entry.filter(({ search }) => search?.mode === 'match').map((each) => each.resource),
  );

describe('a client that pages while others write', () => {
  beforeAll(async () => {
    await send('PUT', '/Patient/odd', patient('odd'));
    await send('PUT', '/Patient/even', patient('even'));
    for (let n = 0; n < STAYS; n++) await send('PUT', `/Task/stays-${n}`, task(`stays-${n}`, n));
  });

  const SEARCHES = [
    '',
    '&status=requested,ready',
    '&status:not=completed',
    '&_sort=priority',
    '&_sort=-priority,authored-on',
    '&_sort=authored-on',
    '&_sort=-authored-on',
    '&_sort=_id',
    '&_sort=status',
    '&patient.identifier=urn:c|odd,urn:c|even',
    '&_include=Task:patient&_sort=priority',
  ];
  test.each(SEARCHES)('sees every task that nobody touches once: %s', async (search) => {
    const found = await underWrites((written) => pages(`/Task?_tag=urn:c|paged&_count=7${search}`, written));
    const stayed = matchesIn(found).flatMap((each) => (each?.id?.startsWith('stays-') ? each.id : []));
    expect(stayed.sort()).toEqual(times(STAYS, (n) => `stays-${n}`).sort());
    if (!search.includes('_include')) return;
    for (const { entry = [] } of found) {
      const included = entry.filter((each) => each.search?.mode === 'include').map(({ fullUrl }) => fullUrl);
      expect(included).toHaveLength(new Set(included).size);
      expect(included.length).toBeGreaterThan(0);
    }
  });

  test.each(['', '&_sort=identifier', '&_revinclude=Task:patient'])(
    'finds each patient by _has once%s',
    async (more) => {
      const found = await underWrites((written) =>
        pages(`/Patient?_has:Task:patient:_tag=urn:c|paged&_count=1${more}`, written),
      );
      expect(
        matchesIn(found)
          .map((each) => each?.id)
          .sort(),
      ).toEqual(['even', 'odd']);
      if (!more.includes('_revinclude')) return;
      const brought = found.flatMap(({ entry = [] }) => entry.map(({ resource }) => resource?.id ?? ''));
      expect(new Set(brought.filter((id) => id.startsWith('stays-'))).size).toBe(STAYS);
    },
  );

  test.each(['/Task/_history', '/_history'])('finds each version that was there once in %s', async (path) => {
    const found = await underWrites((written) => pages(`${path}?_count=50`, written));
    const versions = found
      .flatMap(({ entry = [] }) => entry)
      .flatMap(({ resource }) =>
        resource?.id?.startsWith('stays-') ? `${resource.id} ${resource.meta?.versionId}` : [],
      );
    expect(versions.sort()).toEqual(times(STAYS, (n) => `stays-${n} 1`).sort());
  });

  test('finds each version of one resource once, while it gets more', async () => {
    const changes = (n: number) => ({ ...task('changes', n), status: 'requested' });
    for (let n = 1; n <= 12; n++) await send('PUT', '/Task/changes', changes(n));
    let version = 12;
    const found: string[] = [];
    for (let next: string | undefined = '/Task/changes/_history?_count=3'; next !== undefined; ) {
      const { body }: Reply = await send('GET', next);
      found.push(...(body.entry ?? []).map(({ resource }) => resource?.meta?.versionId ?? ''));
      next = body.link?.find(({ relation }) => relation === 'next')?.url.replace(/^.*\/fhir\/R4/, '');
      await send('PUT', '/Task/changes', changes(++version));
    }
    expect(found).toEqual(times(12, (n) => String(12 - n)));
  });
});

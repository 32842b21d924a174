// A remote that means harm, or is merely broken, seen from here: what it sends is refused or kept aside, a message says
// why, and the other types and resources go on. docs/sync.md#what-a-hostile-server-gets
import type { RequestListener } from 'node:http';
import { gzipSync } from 'node:zlib';
import type { Bundle, Goal, Resource } from '@medplum/fhirtypes';
import { afterEach, expect, test } from 'vitest';
import { createSend } from '../../src/remote/client.ts';
import type { Connection } from '../../src/sync/connections/settings.ts';
import { PageGuard } from '../../src/sync/pull/page-guard.ts';
import { readPage } from '../../src/sync/pull/pull-page.ts';
import { refuseStrangers } from '../../src/sync/push/expected.ts';
import { DEFAULTS, statementOf } from '../support/fake-remote-knobs.ts';
import { type RawServer, serveHttp } from '../support/raw-server.ts';
import { openWorld, task, type World } from '../support/sync-world.ts';

let world: World;
let server: RawServer | undefined;
afterEach(async () => {
  await world?.cleanup();
  await server?.close();
  server = undefined;
});

/** A world whose remote answers `/Task…` as told and has one good Goal. */
async function facing(
  answer: RequestListener,
  connection: Partial<Connection> = {},
  onRequest: (line: string) => void = () => undefined,
): Promise<void> {
  server = await serveHttp((request, response) => {
    onRequest(`${request.method} ${request.url}`);
    response.setHeader('date', 'Tue, 24 Nov 2026 12:00:00 GMT');
    if (request.url?.endsWith('/metadata')) response.end(JSON.stringify(statementOf(DEFAULTS)));
    else if (request.url?.includes('/Goal')) response.end(JSON.stringify(page(goal('g1'))));
    else answer(request, response);
  });
  const types = { Task: 'pull', Goal: 'pull' } as const;
  world = await openWorld({ connection: { baseUrl: `${server.url}/fhir`, types, ...connection } });
}

const goal = (id: string): object => ({
  resourceType: 'Goal',
  id,
  lifecycleStatus: 'active',
  description: { text: 'Walks' },
  subject: { display: 'somebody' },
  meta: { versionId: '1', lastUpdated: '2026-11-24T11:00:00Z' },
});

const person = (id: string): object => ({
  resourceType: 'Patient',
  id,
  name: [{ family: id }],
  meta: { versionId: '1', lastUpdated: '2026-11-24T11:00:00Z' },
});

const received = (id: string, fields: object = {}): object =>
  task(id, {
    for: { display: 'somebody' },
    meta: { versionId: '1', lastUpdated: '2026-11-24T11:00:00Z' },
    ...fields,
  });

function page(...resources: unknown[]): object {
  return { resourceType: 'Bundle', type: 'searchset', entry: resources.map((resource) => ({ resource })) };
}

async function rows(outcome: string): Promise<Record<string, unknown>[]> {
  return world.temp.store.query('SELECT detail, response, remote_id FROM message WHERE outcome = ?', [outcome]);
}

/** What went wrong stopped nothing else. */
async function expectTheRest(tasks: number): Promise<void> {
  expect(await world.all('Task')).toHaveLength(tasks);
  expect(await world.all('Goal')).toHaveLength(1);
}

test.each([
  ['another type', { ...(received('x') as object), resourceType: 'Patient' }, 'It is a Patient, not a Task.'],
  ['an id that is a path', received('../x'), 'no valid id'],
  ['an encoded path', received('%2e%2e'), 'no valid id'],
  ['an id with a query', received('x?a=b'), 'no valid id'],
  ['a very long id', received('x'.repeat(5_000)), 'no valid id'],
  ['an id that is no text', received(7 as never), 'no valid id'],
  ['what is not valid FHIR', received('x', { status: 'no-such-status' }), 'status'],
  ['elements of the wrong kind', received('x', { note: 'text' }), 'note'],
])('%s is kept aside with its body; the page goes on', async (_name, bad, detail) => {
  await facing((_request, response) => response.end(JSON.stringify(page(received('a'), bad, received('b')))));
  await world.sync.pullNow();
  await expectTheRest(2);
  const [row] = await rows('quarantined');
  expect(row?.detail).toContain(detail);
  expect(JSON.parse(String(row?.response))).toMatchObject({ resourceType: (bad as Resource).resourceType });
  expect(world.events).toContainEqual(expect.objectContaining({ kind: 'quarantined' }));
});

test.each([
  ['a name twice', '{"resourceType":"Task","id":"x","status":"requested","status":"completed","intent":"order"}'],
  ['a prototype', '{"resourceType":"Task","id":"x","status":"requested","intent":"order","__proto__":{"a":1}}'],
  ['nesting without end', `{"resourceType":"Task","id":"x","input":${'['.repeat(20_000)}${']'.repeat(20_000)}}`],
  [
    'half a character',
    '{"resourceType":"Task","id":"x","status":"requested","intent":"order","description":"\\udc00"}',
  ],
  ['the character 0', '{"resourceType":"Task","id":"x","status":"requested","intent":"order","description":"\\u0000"}'],
  ['an endless number', '{"resourceType":"Task","id":"x","status":"requested","intent":"order","x":1e999}'],
])('JSON with %s is kept aside as it was received', async (_name, bad) => {
  const good = JSON.stringify({ resource: received('a') });
  const text = `{"resourceType":"Bundle","type":"searchset","entry":[${good},{"resource":${bad}}]}`;
  await facing((_request, response) => response.end(text));
  await world.sync.pullNow();
  await expectTheRest(1);
  const [row] = await rows('quarantined');
  expect(row).toMatchObject({ remote_id: 'x', response: `{"resource":${bad}}` });
  expect(Object.getPrototypeOf({})).toBe(Object.prototype);
});

test('a quarantined body is bounded', async () => {
  const big = received('../x', { description: 'x'.repeat(6_000_000) });
  await facing((_request, response) => response.end(JSON.stringify(page(big))));
  await world.sync.pullNow();
  const [row] = await rows('quarantined');
  expect(String(row?.response).length).toBe(1024 * 1024);
});

test('elements nobody knows are kept', async () => {
  const extension = [{ url: 'https://ehr.example/x', valueString: 'kept' }];
  await facing((_request, response) => response.end(JSON.stringify(page(received('a', { extension })))));
  await world.sync.pullNow();
  expect(await world.all('Task')).toMatchObject([{ extension }]);
});

test('a partial Bundle: what is there comes in, and what the server says of the rest is recorded', async () => {
  const outcome = { resourceType: 'OperationOutcome', issue: [{ severity: 'error', code: 'exception' }] };
  await facing((_request, response) => response.end(JSON.stringify(page(received('a'), outcome))));
  await world.sync.pullNow();
  await expectTheRest(1);
  expect(await rows('warning')).toMatchObject([{ response: JSON.stringify(outcome) }]);
});

test.each([
  ['a web page', '<html>Sign in</html>', 'web page'],
  ['half a Bundle', '{"resourceType":"Bundle","entry":[{"resou', 'not a FHIR resource'],
  ['another resource', '{"resourceType":"Task","id":"1"}', 'something else than a Bundle'],
  ['an OperationOutcome', '{"resourceType":"OperationOutcome","issue":[]}', 'something else than a Bundle'],
  ['entries that are none', '{"resourceType":"Bundle","entry":"all"}', 'not what R4 says'],
])('%s instead of a page ends that stream with a sentence', async (_name, text, sentence) => {
  await facing((_request, response) => response.end(text));
  await world.sync.pullNow();
  await expectTheRest(0);
  expect((await rows('stopped'))[0]?.detail).toContain(sentence);
});

test('raw bytes that a database cannot hold do not stop the record of them', async () => {
  await facing((_request, response) => response.end('{"resourceType":"Bundle",\0\0'));
  await world.sync.pullNow();
  await expectTheRest(0);
  const kept = await rows('transient');
  expect(kept.map(({ response }) => response)).toContain('{"resourceType":"Bundle",\uFFFD\uFFFD');
});

test('a gzip bomb ends its stream only', async () => {
  const bomb = gzipSync(Buffer.alloc(40 * 1024 * 1024, 32));
  await facing((_request, response) => response.setHeader('content-encoding', 'gzip').end(bomb));
  await world.sync.pullNow();
  await expectTheRest(0);
  expect((await rows('stopped'))[0]?.detail).toContain('larger than');
});

test('pages that never end are left, however new their links are', async () => {
  let asked = 0;
  await facing((request, response) => {
    asked += 1;
    const link = [{ relation: 'next', url: `http://${request.headers.host}/fhir/Task?page=${asked}` }];
    response.end(JSON.stringify({ ...page(received('a')), link }));
  });
  await world.sync.pullNow();
  await expectTheRest(1);
  expect(asked).toBe(2);
  expect((await rows('stopped'))[0]?.detail).toContain('circles');
});

test('so are pages without anything', async () => {
  let asked = 0;
  await facing((request, response) => {
    asked += 1;
    const link = [{ relation: 'next', url: `http://${request.headers.host}/fhir/Task?page=${asked}` }];
    response.end(JSON.stringify({ ...page(), link }));
  });
  await world.sync.pullNow();
  expect(asked).toBe(20);
  expect((await rows('stopped'))[0]?.detail).toContain('without entries');
});

test('pages without end and ever new hold up no other type, and what is due there goes out', async () => {
  const asked: string[] = [];
  let pages = 0;
  await facing(
    (request, response) => {
      if (request.method !== 'GET') return response.writeHead(405).end();
      pages += 1;
      world.pass({ seconds: 25 });
      const next = pages < 12 && { relation: 'next', url: `http://${request.headers.host}/fhir/Task?page=${pages}` };
      response.end(JSON.stringify({ ...page(received(`t${pages}`)), link: next ? [next] : [] }));
    },
    { types: { Task: 'pull', Goal: 'both' } },
    (line) => asked.push(line),
  );
  await world.write({ ...(goal('ours') as Goal), id: 'ours', meta: undefined });
  await world.sync.tick(Temporal.Now.instant());
  expect(await world.all('Task')).toHaveLength(12);
  const reads = asked.filter((line) => line.startsWith('GET'));
  expect(new Set(reads.filter((line) => line.includes('/Task'))).size).toBe(12);
  const before = (line: string) =>
    asked.slice(
      0,
      asked.findIndex((each) => each.startsWith(line)),
    );
  const taskPages = (lines: string[]) => lines.filter((line) => line.startsWith('GET /fhir/Task')).length;
  // A minute, at 25 seconds a page.
  expect(taskPages(before('GET /fhir/Goal'))).toBe(3);
  expect(taskPages(before('POST /fhir/Goal'))).toBe(3);
});

test('who the records are about is read to its end before them, however long that takes', async () => {
  const asked: string[] = [];
  let pages = 0;
  await facing(
    (request, response) => {
      if (!request.url?.startsWith('/fhir/Patient')) return response.end(JSON.stringify(page(received('a'))));
      pages += 1;
      world.pass({ seconds: 60 });
      const next = { relation: 'next', url: `http://${request.headers.host}/fhir/Patient?page=${pages}` };
      response.end(JSON.stringify({ ...page(person(`p${pages}`)), link: pages < 5 ? [next] : [] }));
    },
    { types: { Task: 'pull', Patient: 'pull', Goal: 'pull' } },
    (line) => asked.push(line.replace(/\?.*/, '')),
  );
  await world.sync.pullNow();
  await expectTheRest(1);
  expect(await world.all('Patient')).toHaveLength(5);
  expect(asked.filter((line) => !line.endsWith('/metadata'))).toEqual([
    ...Array(5).fill('GET /fhir/Patient'),
    'GET /fhir/Task',
    'GET /fhir/Goal',
  ]);
});

test('a run has a last page', () => {
  const guard = new PageGuard();
  const content = (id: number): Bundle => ({
    resourceType: 'Bundle',
    type: 'searchset',
    entry: [{ resource: { resourceType: 'Patient', id: String(id) } }],
  });
  for (let id = 1; id < 10_000; id += 1) expect(guard.check(content(id), `p${id}`)).toBeUndefined();
  expect(guard.check(content(0), 'last')?.message).toContain('more than 10000 pages');
  expect(guard.startsOver).toBe(false);
});

test.each([
  'https://evil.example/fhir/Task?page=2',
  'javascript:alert(1)',
  'http://me:pw@HOST/fhir/Task?page=2',
  'http://HOST/other/Task?page=2',
  'http://HOST/fhir/%2e%2e/other',
  'ftp://HOST/fhir/Task',
])('a next link to %s is not followed, and the next run begins the window anew', async (next) => {
  const asked: string[] = [];
  let hostile = true;
  await facing((request, response) => {
    asked.push(String(request.url));
    const link = hostile ? [{ relation: 'next', url: next.replace('HOST', String(request.headers.host)) }] : [];
    response.end(JSON.stringify({ ...page(received('a')), link }));
  });
  await world.sync.pullNow();
  await expectTheRest(1);
  expect((await rows('stopped'))[0]?.detail).toContain('not asked for');
  expect(asked).toHaveLength(1);
  hostile = false;
  await world.sync.pullNow();
  expect(asked[1]).toBe(asked[0]);
  expect((await world.sync.status())[0]?.streams.find(({ type }) => type === 'Task')?.highWater).not.toBeNull();
});

test('a next link that is no text is none', async () => {
  await facing((_request, response) =>
    response.end(JSON.stringify({ ...page(received('a')), link: [{ relation: 'next', url: { a: 1 } }] })),
  );
  await world.sync.pullNow();
  await expectTheRest(1);
  expect(await rows('stopped')).toEqual([]);
});

test("another patient's resource is kept aside where those of one were asked for", () => {
  const base = 'https://ehr.example/fhir';
  const of = (id: string, reference?: string) => ({ ...received(id), for: reference && { reference } });
  const sent = page(
    of('right', 'Patient/1'),
    of('whole', `${base}/Patient/1`),
    of('other', 'Patient/2'),
    of('elsewhere', 'https://evil.example/Patient/1'),
    of('nobody'),
  ) as Bundle;
  const { entries, refused } = readPage('Task', refuseStrangers(sent, 'Task', '1', base));
  expect(entries.map(({ remoteId }) => remoteId)).toEqual(['right', 'whole']);
  expect(refused.map(({ remoteId, detail }) => [remoteId, detail])).toEqual([
    ['other', 'It is about another patient than was asked for.'],
    ['elsewhere', 'It is about another patient than was asked for.'],
    ['nobody', 'It says of no patient that it is about them, although those of one were asked for.'],
  ]);
  expect(JSON.parse(refused[0]?.body ?? '')).toMatchObject({ for: { reference: 'Patient/2' } });
});

test('the limits hold for the whole of an exchange by default', async () => {
  server = await serveHttp((_request, response) => response.end(Buffer.alloc(33 * 1024 * 1024, 32)));
  const reply = await createSend({ fetch })({ method: 'GET', url: server.url, headers: {} });
  expect(reply).toMatchObject({ ok: false, failure: { message: expect.stringContaining('larger than') } });
});

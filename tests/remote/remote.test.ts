// What one exchange with a remote means, and what it may cost. docs/sync-spec.md#I17
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import type { CapabilityStatement } from '@medplum/fhirtypes';
import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { parseHttpDate } from '../../src/fhir/http-date.ts';
import { BREAKER, type BreakerEvent, type BreakerState, CLOSED, createBreaker } from '../../src/remote/breaker.ts';
import { readCapability } from '../../src/remote/capability.ts';
import { classifyError, classifyStatus } from '../../src/remote/classify.ts';
import { createSend } from '../../src/remote/client.ts';
import type { Exchange } from '../../src/remote/fhir-client.ts';
import { createPacing } from '../../src/remote/pacing.ts';
import { createRemote } from '../../src/remote/remote.ts';
import { parseRetryAfter } from '../../src/remote/retry-after.ts';
import { VENDORS } from '../../src/remote/vendors/vendors.ts';

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A client whose waits take no time, with what went over the wire. */
function connect(baseUrl: string, timeout = Temporal.Duration.from({ seconds: 5 })) {
  const exchanges: Exchange[] = [];
  const waits: number[] = [];
  const remote = createRemote({
    settings: { baseUrl, vendor: 'generic', auth: { type: 'none' } },
    clock: systemClock(),
    fetch,
    timeout,
    onBreaker: () => undefined,
    random: () => 0.5,
    wait: async (milliseconds) => waits.push(milliseconds),
  });
  return { client: remote.session((exchange) => exchanges.push(exchange)), exchanges, waits, remote };
}

const PATIENT = { resourceType: 'Patient', id: 'p1', meta: { versionId: '7' } } as const;

describe('classes', () => {
  test('every status has one class, and reads are never ambiguous', () => {
    fc.assert(
      fc.property(fc.integer({ min: 300, max: 599 }), (status) => {
        expect(classifyStatus(status, true)).not.toBe('ambiguous');
        expect(['transient', 'ambiguous', 'conflict', 'permanent', 'auth']).toContain(classifyStatus(status, false));
      }),
    );
  });

  test.each([
    [400, 'permanent'],
    [401, 'auth'],
    [404, 'permanent'],
    [409, 'conflict'],
    [412, 'conflict'],
    [422, 'permanent'],
    [423, 'transient'],
    [424, 'transient'],
    [429, 'transient'],
    [500, 'ambiguous'],
    [502, 'ambiguous'],
    [503, 'transient'],
    [504, 'ambiguous'],
  ] as const)('a write answered with %i is %s', (status, expected) => {
    expect(classifyStatus(status, false)).toBe(expected);
  });

  test('a request that never left is only transient', () => {
    const refused = new TypeError('fetch failed', { cause: Object.assign(new Error(), { code: 'ECONNREFUSED' }) });
    expect(classifyError(refused, false)).toBe('transient');
    const reset = new TypeError('fetch failed', { cause: Object.assign(new Error(), { code: 'ECONNRESET' }) });
    expect(classifyError(reset, false)).toBe('ambiguous');
    expect(classifyError(reset, true)).toBe('transient');
  });
});

describe('headers', () => {
  const now = Temporal.Instant.from('2026-11-24T12:00:00Z');

  test.each(['Tue, 24 Nov 2026 12:02:00 GMT', 'Tuesday, 24-Nov-26 12:02:00 GMT', 'Tue Nov 24 12:02:00 2026'])(
    'date %s',
    (text) => {
      expect(parseHttpDate(text)?.toString()).toBe('2026-11-24T12:02:00Z');
      expect(parseRetryAfter(text, now)?.total('seconds')).toBe(120);
    },
  );

  test('Retry-After in seconds, absurd, past and unreadable', () => {
    expect(parseRetryAfter('17', now)?.total('seconds')).toBe(17);
    expect(parseRetryAfter('999999', now)?.total('hours')).toBe(1);
    expect(parseRetryAfter('Mon, 23 Nov 2026 12:00:00 GMT', now)?.total('seconds')).toBe(0);
    for (const text of ['soon', '-5', '', 'Tue, 99 Nov 2026 12:00:00 GMT'])
      expect(parseRetryAfter(text, now)).toBeUndefined();
  });
});

describe('exchanges', () => {
  test('ETag, weak or strong, is the version; without one the body says it', async () => {
    const tags = ['W/"3"', '"4"', undefined];
    const base = await serve((_request, response) => {
      const etag = tags.shift();
      if (etag) response.setHeader('etag', etag);
      response.end(JSON.stringify(PATIENT));
    });
    const { client } = connect(base);
    const versions: unknown[] = [];
    for (let reads = 0; reads < 3; reads += 1) {
      const reply = await client.read('Patient', 'p1');
      versions.push(reply.ok && reply.value.versionId);
    }
    expect(versions).toEqual(['3', '4', '7']);
  });

  test('a read is repeated, a write never', async () => {
    let requests = 0;
    const base = await serve((_request, response) => {
      requests += 1;
      response.statusCode = 500;
      response.end();
    });
    const { client, waits } = connect(base);
    expect(await client.read('Patient', 'p1')).toMatchObject({
      ok: false,
      failure: { class: 'transient', status: 500 },
    });
    expect(requests).toBe(3);
    expect(waits).toEqual([200, 400]);
    expect(await client.create(PATIENT)).toMatchObject({ ok: false, failure: { class: 'ambiguous' } });
    expect(requests).toBe(4);
  });

  test('no answer in time: nothing happened for a read, anything may have for a write', async () => {
    const base = await serve(() => undefined);
    const { client } = connect(base, Temporal.Duration.from({ milliseconds: 50 }));
    expect(await client.create(PATIENT)).toMatchObject({
      failure: { class: 'ambiguous', message: expect.stringContaining('(time-out)') },
    });
    expect(await client.read('Patient', 'p1')).toMatchObject({ failure: { class: 'transient' } });
  });

  test('HTML, another type and another origin are refused', async () => {
    const base = await serve((request, response) => {
      if (request.url === '/Patient/html') response.end('<html>Sign in</html>');
      else response.end(JSON.stringify({ resourceType: 'Task', id: 'x' }));
    });
    const { client } = connect(base);
    expect(await client.read('Patient', 'html')).toMatchObject({ ok: false, failure: { status: 200 } });
    expect(await client.read('Patient', 'x')).toMatchObject({ ok: false, failure: { class: 'permanent' } });
    expect(await client.page('https://elsewhere.test/next')).toMatchObject({
      ok: false,
      failure: { class: 'permanent' },
    });
  });

  test('a redirect within the server is followed, one to another host is not, and nothing is sent there', async () => {
    let strangers = 0;
    const stranger = await serve((_request, response) => {
      strangers += 1;
      response.end(JSON.stringify(PATIENT));
    });
    const base = await serve((request, response) => {
      if (request.url === '/Patient/p1') response.writeHead(302, { location: '/moved/Patient/p1' }).end();
      else if (request.url === '/Patient/away') response.writeHead(302, { location: `${stranger}/Patient/p1` }).end();
      else response.end(JSON.stringify(PATIENT));
    });
    const { client } = connect(base);
    expect(await client.read('Patient', 'p1')).toMatchObject({ ok: true });
    expect(await client.read('Patient', 'away')).toMatchObject({ ok: false, failure: { class: 'permanent' } });
    expect(strangers).toBe(0);
  });

  test('another resource than the one asked for counts only where the server led there and the caller wants to know', async () => {
    const base = await serve((request, response) => {
      if (request.url === '/Patient/merged') response.writeHead(301, { location: '/Patient/p1' }).end();
      else response.end(JSON.stringify(PATIENT));
    });
    const { client } = connect(base);
    const refused = { ok: false, failure: { class: 'permanent' } };
    expect(await client.read('Patient', 'merged')).toMatchObject(refused);
    expect(await client.read('Patient', 'other', { mayLead: true })).toMatchObject(refused);
    expect(await client.read('Patient', 'merged', { mayLead: true })).toMatchObject({
      ok: true,
      value: { body: { id: 'p1' } },
    });
  });

  test('an endless or exploding body is cut off', async () => {
    const bomb = gzipSync(Buffer.alloc(4_000_000, 32));
    const base = await serve((_request, response) => response.setHeader('content-encoding', 'gzip').end(bomb));
    const send = createSend({ fetch, maxBytes: 1_000_000 });
    expect(await send({ method: 'GET', url: base, headers: {} })).toMatchObject({
      ok: false,
      failure: { message: 'The answer is larger than 1000000 bytes and was not read.' },
    });
  });

  test('what is recorded has bodies and outcome', async () => {
    const base = await serve((_request, response) =>
      response.writeHead(422).end('{"resourceType":"OperationOutcome","issue":[]}'),
    );
    const { client, exchanges } = connect(base);
    await client.update({ ...PATIENT }, { ifMatch: '3' });
    expect(exchanges).toMatchObject([
      {
        method: 'PUT',
        url: `${base}/Patient/p1`,
        status: 422,
        request: JSON.stringify(PATIENT),
        failure: { class: 'permanent' },
      },
    ]);
  });

  test('a pause that was asked for stops those that wait for their turn, too', async () => {
    let asked = 0;
    const url = await serve((_request, response) => {
      asked += 1;
      response.writeHead(429, { 'retry-after': '60' }).end();
    });
    const { client, remote } = connect(url);
    const replies = await Promise.all(Array.from({ length: 10 }, () => client.create({ resourceType: 'Patient' })));
    expect(asked).toBe(remote.concurrency);
    expect(replies.map((reply) => !reply.ok && reply.failure.class)).toEqual(replies.map(() => 'transient'));
  });

  test('nor are those sent that wait when the server refuses our credential', async () => {
    let asked = 0;
    const url = await serve((_request, response) => {
      asked += 1;
      response.writeHead(401).end();
    });
    const { client, remote } = connect(url);
    await Promise.all(Array.from({ length: 10 }, () => client.create({ resourceType: 'Patient' })));
    expect(asked).toBe(remote.concurrency);
    expect(remote.breaker.status).toMatchObject({ state: 'open', openings: 1 });
  });

  test('a pause that was asked for stops every request until it is over', async () => {
    let requests = 0;
    const base = await serve((_request, response) => {
      requests += 1;
      response.writeHead(429, { 'retry-after': '60' }).end();
    });
    const { client, remote } = connect(base);
    await client.read('Patient', 'p1');
    await client.read('Patient', 'p1');
    await client.create(PATIENT);
    expect(requests).toBe(1);
    expect(remote.breaker.status.failures).toBe(1);
  });
});

describe('breaker', () => {
  test('opens after five failures in a row, waits twice as long each time, closes after a probe', () => {
    let now = 0;
    const seen: string[] = [];
    const breaker = createBreaker(
      () => now,
      ({ state }) => seen.push(state),
    );
    for (let failures = 0; failures < 4; failures += 1) breaker.record('failure');
    breaker.record('success');
    for (let failures = 0; failures < 5; failures += 1) breaker.record('failure');
    expect(breaker.admit()).toBe('no');
    now = 30_000;
    expect(breaker.admit()).toBe('probe');
    breaker.record('failure');
    now += 59_999;
    expect(breaker.admit()).toBe('no');
    now += 1;
    expect(breaker.admit()).toBe('probe');
    breaker.record('success');
    expect(breaker.admit()).toBe('yes');
    expect(seen).toEqual(['open', 'half-open', 'open', 'half-open', 'closed']);
  });

  test('a refused credential opens it at once', () => {
    const breaker = createBreaker(
      () => 0,
      () => undefined,
    );
    breaker.record('refused');
    expect(breaker.status.state).toBe('open');
  });

  test('from every state, some events lead back to closed', () => {
    const events: BreakerEvent[] = ['due', 'success'];
    for (const state of Object.keys(BREAKER) as BreakerState[]) {
      const end = events.reduce((status, event) => BREAKER[status.state][event](status, 0), { ...CLOSED, state });
      expect(end.state).toBe('closed');
    }
  });
});

test('pacing: halves when told to slow down, grows by one per quiet minute, never lets in more than the limit', async () => {
  let now = 0;
  const pacing = createPacing({ requestsPerSecond: 1000, concurrency: 8, now: () => now, wait: async () => undefined });
  pacing.slowDown(undefined);
  pacing.slowDown(undefined);
  expect(pacing.limit).toBe(2);
  const leave = [await pacing.enter(), await pacing.enter()];
  let third = false;
  const waiting = pacing.enter().then((done) => {
    third = true;
    return done;
  });
  await Promise.resolve();
  expect(third).toBe(false);
  leave[0]?.();
  (await waiting)();
  now = 60_000;
  leave[1]?.();
  expect(pacing.limit).toBe(3);
});

test('capability: asked as questions, with what the vendor leaves unsaid', () => {
  const statement: CapabilityStatement = {
    resourceType: 'CapabilityStatement',
    status: 'active',
    date: '2026-01-01',
    kind: 'instance',
    fhirVersion: '4.0.1',
    format: ['json'],
    rest: [
      {
        mode: 'server',
        interaction: [{ code: 'transaction' }],
        resource: [
          {
            type: 'Task',
            versioning: 'versioned',
            conditionalCreate: true,
            interaction: [{ code: 'read' }, { code: 'update' }, { code: 'search-type' }],
            searchParam: [{ name: 'identifier', type: 'token' }],
          },
        ],
      },
    ],
  };
  const generic = readCapability(statement, VENDORS.generic);
  expect(generic.supports('Task', 'update')).toBe(true);
  expect(generic.supports('Task', 'create')).toBe(false);
  expect(generic.searchable('Task', '_lastUpdated')).toBe(true);
  expect(generic.searchable('Goal', '_lastUpdated')).toBe(false);
  expect(generic.guardsUpdates('Task')).toBe(true);
  expect(generic.guardsUpdates('Goal')).toBe(false);
  expect(generic.transaction).toBe(true);
  const epic = readCapability(statement, VENDORS.epic);
  expect(epic.searchable('Task', '_lastUpdated')).toBe(false);
  expect(epic.hash).toBe(generic.hash);
});

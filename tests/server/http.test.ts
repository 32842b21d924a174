// HTTP itself: formats, encodings, methods, and everything that is malformed (44). Nothing may end in a 500, in HTML, or
// in a stack trace.
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { brotliDecompressSync, gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, serve, type TestServer } from './serve.ts';

let baton: TestServer;

beforeAll(async () => {
  baton = await serve({ limits: { bodyBytes: 100_000, bundleEntries: 100, requestTimeout: 5_000 } });
  for (let i = 0; i < 20; i += 1) await baton.fhir('POST', '/Patient', { body: { resourceType: 'Patient' } });
});

afterAll(() => baton.close());

function expectOutcome(answer: Answer, status: number): void {
  expect(answer.status).toBe(status);
  expect(answer.headers['content-type']).toBe('application/fhir+json; charset=utf-8');
  expect(answer.json.resourceType).toBe('OperationOutcome');
  expect(answer.json.issue?.[0]?.details?.text).toMatch(/\w/);
  expect(answer.text).not.toMatch(/ at .*\.(ts|js):/);
}

describe('formats', () => {
  it.each([
    ['application/fhir+json'],
    ['application/json'],
    ['*/*'],
    ['text/html,application/xhtml+xml,*/*;q=0.8'],
    ['application/fhir+json; fhirVersion=4.0'],
  ])('Accept: %s is answered in JSON', async (accept) => {
    expect((await baton.fhir('GET', '/Patient', { headers: { accept } })).status).toBe(200);
  });

  it.each([
    ['application/fhir+xml'],
    ['text/html'],
    ['application/json;q=0'],
    ['application/fhir+json; fhirVersion=3.0'],
  ])('Accept: %s is 406', async (accept) => {
    expectOutcome(await baton.fhir('GET', '/Patient', { headers: { accept } }), 406);
  });

  it('_format wins over Accept', async () => {
    const headers = { accept: 'application/fhir+xml' };
    for (const format of ['json', 'application/fhir%2Bjson', 'application/fhir+json', 'application/json']) {
      expect((await baton.fhir('GET', `/Patient?_format=${format}`, { headers })).status).toBe(200);
    }
    expectOutcome(await baton.fhir('GET', '/Patient?_format=xml'), 406);
  });

  it.each([
    ['application/fhir+xml', '<Patient/>'],
    ['text/plain', '{}'],
    ['application/x-www-form-urlencoded', 'a=b'],
    ['application/fhir+json; charset=latin1', '{"resourceType":"Patient"}'],
    ['application/fhir+json; fhirVersion=5.0', '{"resourceType":"Patient"}'],
    ['nonsense', '{}'],
  ])('a body of type %s is 415', async (type, body) => {
    expectOutcome(await baton.fhir('POST', '/Patient', { body, headers: { 'content-type': type } }), 415);
  });

  it.each(['application/json', 'application/fhir+json;charset=UTF-8', 'application/fhir+json; fhirVersion=4.0'])(
    'a body of type %s is read',
    async (type) => {
      const body = { resourceType: 'Patient' };
      expect((await baton.fhir('POST', '/Patient', { body, headers: { 'content-type': type } })).status).toBe(201);
    },
  );
});

describe('a malformed body', () => {
  it.each<[string, string | Buffer]>([
    ['broken JSON', '{"resourceType":"Patient"'],
    ['nothing', ''],
    ['a string', '"Patient"'],
    ['null', 'null'],
    ['an array', '[]'],
    ['a number', '1e999'],
    ['HTML', '<html></html>'],
    ['a prototype key', '{"resourceType":"Patient","__proto__":{"active":true}}'],
    ['an escaped prototype key', '{"resourceType":"Patient","\\u005f_proto__":{"active":true}}'],
    ['a constructor key', '{"resourceType":"Patient","constructor":{"prototype":{"x":1}}}'],
    ['a member twice', '{"resourceType":"Patient","gender":"male","gender":"female"}'],
    ['a member twice inside', '{"resourceType":"Patient","name":[{"family":"a","f\\u0061mily":"b"}]}'],
    ['broken UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d])],
    ['UTF-16', Buffer.from('{"resourceType":"Patient"}', 'utf16le')],
    ['deep arrays', `{"resourceType":"Patient","name":${'['.repeat(40_000)}${']'.repeat(40_000)}}`],
    ['deep objects', `${'{"a":'.repeat(15_000)}1${'}'.repeat(15_000)}`],
  ])('%s is 400', async (_, body) => {
    expectOutcome(await baton.fhir('POST', '/Patient', { body }), 400);
  });

  it('that is too large is 413, compressed or not', async () => {
    const body = JSON.stringify({ resourceType: 'Patient', name: [{ family: 'x'.repeat(200_000) }] });
    expectOutcome(await baton.fhir('POST', '/Patient', { body }), 413);
    const headers = { 'content-encoding': 'gzip' };
    expectOutcome(await baton.fhir('POST', '/Patient', { body: gzipSync(body), headers }), 413);
  });

  it('with brackets and colons inside strings is not taken for deep or double', async () => {
    const body = { resourceType: 'Patient', name: [{ family: '[{"\\:'.repeat(300) }] };
    expect((await baton.fhir('POST', '/Patient', { body })).status).toBe(201);
  });
});

describe('compression', () => {
  it('of large answers follows Accept-Encoding and says Vary', async () => {
    const plain = await baton.server.inject({ url: '/fhir/R4/metadata', headers: { 'accept-encoding': 'identity' } });
    const gzip = await baton.server.inject({ url: '/fhir/R4/metadata', headers: { 'accept-encoding': 'gzip' } });
    const br = await baton.server.inject({ url: '/fhir/R4/metadata', headers: { 'accept-encoding': 'br' } });
    expect([gzip.headers['content-encoding'], br.headers['content-encoding']]).toEqual(['gzip', 'br']);
    expect(gzip.headers.vary).toContain('accept-encoding');
    expect(gunzipSync(gzip.rawPayload).toString()).toBe(plain.body);
    expect(brotliDecompressSync(br.rawPayload).toString()).toBe(plain.body);
  });

  it('of small answers is left out', async () => {
    const answer = await baton.fhir('GET', '/Patient/none', { headers: { 'accept-encoding': 'gzip' } });
    expect(answer.headers['content-encoding']).toBeUndefined();
  });

  it('of requests is understood, refused when unknown, 400 when damaged', async () => {
    const body = gzipSync('{"resourceType":"Patient"}');
    const send = (encoding: string, payload: Buffer) =>
      baton.fhir('POST', '/Patient', { body: payload, headers: { 'content-encoding': encoding } });
    expect((await send('gzip', body)).status).toBe(201);
    expectOutcome(await send('rot13', body), 415);
    expectOutcome(await send('gzip', Buffer.from('not gzip at all')), 400);
  });
});

describe('methods and paths', () => {
  it.each([
    ['PATCH', '/Patient/1/_history', 'GET, HEAD, OPTIONS'],
    ['PUT', '/metadata', 'GET, HEAD, OPTIONS'],
    ['DELETE', '/_history', 'GET, HEAD, OPTIONS'],
    ['POST', '/Patient/1', 'GET, HEAD, PUT, PATCH, DELETE, OPTIONS'],
    ['GET', '/Patient/_search', 'POST, OPTIONS'],
  ] as const)('%s %s is 405 with Allow', async (method, path, allow) => {
    const answer = await baton.fhir(method, path, { body: '{}' });
    expectOutcome(answer, 405);
    expect(answer.headers.allow).toBe(allow);
  });

  it.each([
    '/Nonsense',
    '/Patient/1/$everything',
    '/$export',
    '/Patient/$nonsense',
    '/Patient/1/2/3/4',
    '/Task/1/Patient',
    '/Patient/1/Nonsense',
    '/__proto__',
    '/constructor/1',
  ])('GET %s is 404', async (path) => {
    expectOutcome(await baton.fhir('GET', path), 404);
  });

  it('a path with an endless part is 404', async () => {
    expectOutcome(await baton.fhir('GET', `/Patient/${'a'.repeat(300)}`), 404);
  });

  it('a URL with a broken escape is 400', async () => {
    expectOutcome(await baton.fhir('GET', '/Patient/%zz'), 400);
  });

  it('nothing is found outside of what is served', async () => {
    expectOutcome(await baton.send('GET', '/nothing'), 404);
  });

  it('Prefer: handling=foo is 400 (33)', async () => {
    expectOutcome(await baton.fhir('GET', '/Patient', { headers: { prefer: 'handling=foo' } }), 400);
  });
});

describe('what is not a request', () => {
  it.each([
    ['GARBAGE\r\n\r\n', 400],
    [`GET / HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${'a'.repeat(20_000)}\r\n\r\n`, 431],
  ])('gets an OperationOutcome too', async (bytes, status) => {
    const other = await serve();
    const { port } = new URL(await other.server.listen({ host: '127.0.0.1', port: 0 }));
    const socket = connect(Number(port), '127.0.0.1');
    socket.end(bytes);
    const answer = (await text(socket)).split('\r\n\r\n');
    expect(answer[0]).toContain(`HTTP/1.1 ${status} `);
    expect(JSON.parse(answer[1] ?? '')).toMatchObject({ resourceType: 'OperationOutcome' });
    await other.close();
  });
});

describe('every answer', () => {
  it('carries a request id, the one given when it is sane', async () => {
    const given = await baton.fhir('GET', '/Patient', { headers: { 'x-request-id': 'abc-1' } });
    expect(given.headers['x-request-id']).toBe('abc-1');
    const odd = await baton.fhir('GET', '/Patient', { headers: { 'x-request-id': 'a b' } });
    expect(odd.headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('carries the headers that keep browsers out of it', async () => {
    const { headers } = await baton.fhir('GET', '/Patient/none');
    expect(headers).toMatchObject({
      'x-content-type-options': 'nosniff',
      'content-security-policy': "default-src 'none';frame-ancestors 'none'",
      'x-frame-options': 'DENY',
      'referrer-policy': 'no-referrer',
      'cache-control': 'no-store',
    });
    expect(headers['x-powered-by']).toBeUndefined();
  });

  it('hides what went wrong inside', async () => {
    const { store } = baton.temp;
    const broken = await serve({
      store: { ...store, read: () => Promise.reject(new Error('secret of Mrs. Nightingale')) },
    });
    const answer = await broken.fhir('GET', '/Patient/1');
    expectOutcome(answer, 500);
    expect(answer.text).not.toContain('Nightingale');
    await broken.close();
  });
});

// 44. HTTP: formats, methods, encodings, conditions. https://hl7.org/fhir/R4/http.html
import { connect } from 'node:net';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, FHIR, type Method, serve, type TestServer } from '../server/serve.ts';

let baton: TestServer;

beforeAll(async () => {
  baton = await serve({ limits: { bodyBytes: 200_000, bundleEntries: 100, requestTimeout: 5_000 } });
  await baton.fhir('PUT', '/Patient/http', { body: { resourceType: 'Patient', id: 'http', name: [{ family: 'H' }] } });
});

afterAll(() => baton.close());

function expectOutcome(answer: Answer, status: number): void {
  expect([answer.status, answer.json.resourceType]).toEqual([status, 'OperationOutcome']);
}

describe('the format', () => {
  const accept = (value: string) => baton.fhir('GET', '/Patient/http', { headers: { accept: value } });

  it.each([
    'application/fhir+json',
    'application/json',
    'text/json',
    '*/*',
    'application/*',
    '',
    'application/fhir+xml;q=0.9, application/fhir+json;q=0.1',
    'APPLICATION/FHIR+JSON',
    'application/fhir+json; fhirVersion=4.0',
    'application/fhir+json;fhirVersion="4.0"',
    'application/fhir+json; fhirVersion=3.0, application/fhir+json; fhirVersion=4.0',
    'application/fhir+json;charset=utf-8',
    'application/fhir+json;q=0, application/json',
  ])('Accept: %s is answered', async (value) => {
    expect((await accept(value)).status).toBe(200);
  });

  it.each([
    'application/fhir+xml',
    'text/html',
    'application/fhir+json;q=0, application/json;q=0.0, text/json;q=0',
    'application/json;q=0, application/fhir+json;q=0, text/json; q=0, */*;q=0.5',
    '*/*;q=0',
    'application/fhir+json; fhirVersion=3.0',
    'application/fhir+json; fhirVersion=5.0',
    'nonsense',
  ])('Accept: %s is 406', async (value) => {
    expectOutcome(await accept(value), 406);
  });

  it('_format says it, too, in a URL or a form', async () => {
    for (const value of ['json', 'application/json', 'application/fhir%2Bjson', 'application/fhir+json', 'text/json']) {
      expect((await baton.fhir('GET', `/Patient/http?_format=${value}`)).status).toBe(200);
    }
    for (const value of [
      'xml',
      'ttl',
      'application/fhir%2Bxml',
      'text/html',
      '',
      'application/fhir%2Bjson;fhirVersion=3.0',
    ]) {
      expectOutcome(await baton.fhir('GET', `/Patient/http?_format=${value}`), 406);
    }
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    expectOutcome(await baton.fhir('POST', '/Patient/_search', { body: '_format=xml', headers }), 406);
    expect((await baton.fhir('POST', '/Patient/_search', { body: '_format=json', headers })).status).toBe(200);
  });

  it('_pretty is for people', async () => {
    expect((await baton.fhir('GET', '/Patient?_pretty=true&_id=http')).text).toContain('\n  "resourceType": "Bundle"');
    expect((await baton.fhir('GET', '/Patient/http?_pretty=false')).text).not.toContain('\n');
  });
});

describe('HEAD', () => {
  it.each([
    '/Patient/http',
    '/Patient/http/_history/1',
    '/Patient/http/_history',
    '/Patient/_history',
    '/_history',
    '/Patient?_id=http',
    '/?_type=Patient&_id=http',
    '/Patient/http/Observation',
    '/metadata',
    '/Patient/http/$meta',
    '/Patient/none',
    '/Nonsense',
  ])('%s is GET without a body', async (path) => {
    const [get, head] = [await baton.fhir('GET', path), await baton.fhir('HEAD', path)];
    expect([head.status, head.text]).toEqual([get.status, '']);
    expect(head.headers['content-type']).toBe(get.headers['content-type']);
    for (const name of ['etag', 'last-modified']) expect(head.headers[name]).toBe(get.headers[name]);
  });

  it('is conditional as well', async () => {
    const headers = { 'if-none-match': 'W/"1"' };
    expect((await baton.fhir('HEAD', '/Patient/http', { headers })).status).toBe(304);
  });
});

describe('OPTIONS', () => {
  it('names the methods, without a token', async () => {
    const answer = await baton.server.inject({ method: 'OPTIONS', url: '/fhir/R4/Patient/http' });
    expect([answer.statusCode, answer.headers.allow]).toEqual([204, 'GET, HEAD, PUT, PATCH, DELETE, OPTIONS']);
    expect(answer.headers['accept-patch']).toBe('application/json-patch+json, application/fhir+json');
    const created = await baton.fhir('PUT', '/Patient/_search', { body: {} });
    expect(created.headers.allow).toBe('POST, OPTIONS');
  });
});

describe('an encoded body', () => {
  const body = '{"resourceType":"Patient"}';
  const send = (encoding: string, bytes: Buffer) =>
    baton.fhir('POST', '/Patient', { body: bytes, headers: { 'content-encoding': encoding } });

  it.each([
    ['gzip', gzipSync(body)],
    ['br', brotliCompressSync(body)],
    ['deflate', deflateSync(body)],
    ['identity', Buffer.from(body)],
  ])('in %s is read', async (encoding, bytes) => {
    expect((await send(encoding, bytes)).status).toBe(201);
  });

  it('that would be too large is 413 before it is unpacked', async () => {
    const bomb = Buffer.alloc(300_000_000, 0x20);
    for (const [encoding, bytes] of [
      ['gzip', gzipSync(bomb)],
      ['br', brotliCompressSync(bomb, { params: { 1: 1 } })],
    ] as const) {
      const before = process.memoryUsage().rss;
      expectOutcome(await send(encoding, bytes), 413);
      expect(process.memoryUsage().rss - before).toBeLessThan(150_000_000);
    }
    expect((await send('identity', Buffer.from(body))).status).toBe(201);
  });
});

describe('conditions', () => {
  it('If-None-Match: * on a PUT creates and does not replace', async () => {
    const put = (tag: string) =>
      baton.fhir('PUT', '/Patient/new', {
        body: { resourceType: 'Patient', id: 'new' },
        headers: { 'if-none-match': tag },
      });
    expect((await put('*')).status).toBe(201);
    expectOutcome(await put('*'), 412);
    expectOutcome(await put('W/"1"'), 400);
    await baton.fhir('DELETE', '/Patient/new');
    expect((await put('*')).status).toBe(201);
    const answers = await Promise.all(
      Array.from({ length: 10 }, () =>
        baton.fhir('PUT', '/Patient/race', {
          body: { resourceType: 'Patient', id: 'race' },
          headers: { 'if-none-match': '*' },
        }),
      ),
    );
    expect(answers.map(({ status }) => status).toSorted()).toEqual([201, ...Array.from({ length: 9 }, () => 412)]);
  });

  it('a preference to be answered later is not followed, and nothing says that it is', async () => {
    const answer = await baton.fhir('GET', '/Patient/http', { headers: { prefer: 'respond-async, wait=10' } });
    expect([answer.status, answer.headers['preference-applied'], answer.headers['content-location']]).toEqual([
      200,
      undefined,
      undefined,
    ]);
  });

  it('a part of a resource cannot replace the whole', async () => {
    const part = await baton.fhir('GET', '/Patient/http?_elements=gender');
    expectOutcome(await baton.fhir('PUT', '/Patient/http', { body: part.text }), 422);
    const entry = [{ resource: part.json, request: { method: 'PUT', url: 'Patient/http' } }];
    const body = { resourceType: 'Bundle', type: 'transaction', entry };
    expectOutcome(await baton.fhir('POST', '', { body }), 422);
    expect((await baton.fhir('GET', '/Patient/http')).headers.etag).toBe('W/"1"');
  });
});

describe('what no text of FHIR has', () => {
  it.each<[Method, string]>([
    ['GET', '/Patient?family=a%00b'],
    ['GET', '/Patient?family%00=a'],
    ['DELETE', '/Patient?identifier=%00'],
  ])('%s %s is 400', async (method, path) => {
    expectOutcome(await baton.fhir(method, path), 400);
  });

  it.each(['/Patient/a%00b', '/Patient/http/_history/%00', '/%00'])('GET %s is 404', async (path) => {
    expectOutcome(await baton.fhir('GET', path), 404);
  });

  it('in a form or a header is 400', async () => {
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    for (const body of ['family=a%00', Buffer.from([0x61, 0x3d, 0xff])]) {
      expectOutcome(await baton.fhir('POST', '/Patient/_search', { body, headers }), 400);
    }
    const body = { resourceType: 'Patient' };
    const create = await baton.fhir('POST', '/Patient', { body, headers: { 'if-none-exist': 'identifier=%00' } });
    expectOutcome(create, 400);
  });
});

describe('on a connection that has been used', () => {
  async function talk(second: string): Promise<string> {
    const other = await serve();
    const { port } = new URL(await other.server.listen({ host: '127.0.0.1', port: 0 }));
    const socket = connect(Number(port), '127.0.0.1');
    socket.setEncoding('latin1');
    let text = '';
    let sent = false;
    socket.write('GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n');
    for await (const chunk of socket) {
      text += chunk;
      if (!sent && text.includes('\r\n\r\n')) {
        sent = true;
        socket.write(second);
      }
    }
    await other.close();
    return text.slice(text.indexOf('HTTP/1.1', 1));
  }

  it('headers that are too large are 431, a URL that is too long 414, what is no HTTP 400', async () => {
    const headers = await talk(`GET / HTTP/1.1\r\nHost: x\r\nAuthorization: ${'a'.repeat(20_000)}\r\n\r\n`);
    expect(headers).toMatch(/^HTTP\/1\.1 431 [\s\S]*OperationOutcome/);
    const url = await talk(`GET /${'a'.repeat(40_000)} HTTP/1.1\r\nHost: x\r\n\r\n`);
    expect(url).toMatch(/^HTTP\/1\.1 414 [\s\S]*OperationOutcome/);
    expect(await talk('GARBAGE\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 [\s\S]*OperationOutcome/);
  });
});

it('Location and ETag of a write lead to what was written', async () => {
  const answer = await baton.fhir('POST', '/Patient', { body: { resourceType: 'Patient' } });
  const read = await baton.fhir('GET', String(answer.headers.location).slice(FHIR.length));
  expect([read.status, read.headers.etag, read.text]).toEqual([200, answer.headers.etag, answer.text]);
});

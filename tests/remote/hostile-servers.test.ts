// What one exchange with a server that means harm, or is merely broken, comes to: a failure with a class and a sentence,
// in bounded time and memory, and no credential where it does not belong. docs/sync.md#what-a-hostile-server-gets
import { once } from 'node:events';
import type { RequestListener } from 'node:http';
import type { Socket } from 'node:net';
import { brotliCompressSync, createGzip, deflateSync, gzipSync } from 'node:zlib';
import { Agent, fetch as fetchWith } from 'undici';
import { afterEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { parseExact } from '../../src/fhir/exact-json.ts';
import { damageOf, parseReceived } from '../../src/fhir/received-json.ts';
import { createSend, type SendOptions } from '../../src/remote/client.ts';
import { createRemote } from '../../src/remote/remote.ts';
import { urlWithin } from '../../src/remote/within.ts';
import { type Certificate, makeCertificate } from '../support/certificate.ts';
import { type RawServer, serveBytes, serveHttp, serveHttps } from '../support/raw-server.ts';

const open: RawServer[] = [];
afterEach(async () => {
  for (const server of open.splice(0)) await server.close();
});

async function http(listener: RequestListener): Promise<string> {
  const server = await serveHttp(listener);
  open.push(server);
  return server.url;
}

async function bytes(answer: (socket: Socket) => void): Promise<string> {
  const server = await serveBytes(answer);
  open.push(server);
  return server.url;
}

const head = (...lines: string[]) => `HTTP/1.1 200 OK\r\n${lines.join('\r\n')}\r\n\r\n`;

function get(url: string, options: Partial<SendOptions> = {}) {
  const send = createSend({ fetch, timeout: Temporal.Duration.from({ seconds: 5 }), ...options });
  return send({ method: 'GET', url, headers: { authorization: 'Bearer secret' } });
}

function client(baseUrl: string) {
  const remote = createRemote({
    settings: { baseUrl, vendor: 'generic', auth: { type: 'none' } },
    clock: systemClock(),
    fetch,
    timeout: Temporal.Duration.from({ seconds: 5 }),
    onBreaker: () => undefined,
    random: () => 0,
    wait: async () => undefined,
  });
  return remote.session(() => undefined);
}

const refused = (message: string, type = 'permanent') => ({
  ok: false,
  failure: { class: type, message: expect.stringContaining(message) },
});

describe('size and time', () => {
  test('300 MB of Bundle are cut off at the limit, the connection with them, and memory stays flat', async () => {
    const chunk = Buffer.alloc(1024 * 1024, 'x');
    let sent = 0;
    let closed: Promise<unknown> | undefined;
    const url = await http(async (_request, response) => {
      closed = once(response, 'close');
      response.write('{"resourceType":"Bundle","entry":["');
      while (sent < 300 && !response.destroyed) {
        sent += 1;
        if (!response.write(chunk)) await Promise.race([once(response, 'drain'), closed]);
      }
    });
    const before = process.memoryUsage.rss();
    expect(await get(url)).toMatchObject(refused('larger than 33554432 bytes'));
    await closed;
    expect(sent).toBeLessThan(100);
    expect(process.memoryUsage.rss() - before).toBeLessThan(300 * 1024 * 1024);
  });

  test('a gzip bomb is counted unpacked', async () => {
    let written = 0;
    const url = await http((_request, response) => {
      response.setHeader('content-encoding', 'gzip');
      const gzip = createGzip();
      gzip.pipe(response);
      response.on('close', () => gzip.destroy());
      const zeros = Buffer.alloc(1024 * 1024);
      const more = () => {
        while (written < 1000 && !gzip.destroyed) {
          written += 1;
          if (!gzip.write(zeros)) return gzip.once('drain', more);
        }
        return gzip.end();
      };
      gzip.on('error', () => undefined);
      more();
    });
    expect(await get(url)).toMatchObject(refused('larger than'));
    // What the server may have packed ahead is bounded by the sockets' buffers, not by what it wanted to send.
    const send = createSend({ fetch, maxBytes: 1_000_000 });
    const small = await http((_request, response) =>
      response.setHeader('content-encoding', 'gzip').end(gzipSync(Buffer.alloc(50_000_000, 32))),
    );
    expect(await send({ method: 'GET', url: small, headers: {} })).toMatchObject(refused('1000000'));
  });

  test.each([
    ['gzip', gzipSync],
    ['deflate', deflateSync],
    ['br', brotliCompressSync],
  ] as const)('%s is read, and bounded', async (encoding, pack) => {
    const good = await http((_request, response) =>
      response.setHeader('content-encoding', encoding).end(pack(Buffer.from('{"a":1}'))),
    );
    expect(await get(good)).toMatchObject({ ok: true, value: { text: '{"a":1}' } });
    const bomb = await http((_request, response) =>
      response.setHeader('content-encoding', encoding).end(pack(Buffer.alloc(3_000_000))),
    );
    expect(await get(bomb, { maxBytes: 1_000_000 })).toMatchObject(refused('larger than'));
  });

  test('what claims to be compressed and is not, has a sentence', async () => {
    const url = await http((_request, response) => response.setHeader('content-encoding', 'gzip').end('{"a":1}'));
    expect(await get(url)).toMatchObject(refused('No answer', 'transient'));
  });

  test('a body that drips is given up when the time for the whole is over', async () => {
    const url = await http((_request, response) => {
      const drip = setInterval(() => response.write(' '), 20);
      response.on('close', () => clearInterval(drip));
    });
    const timeout = Temporal.Duration.from({ milliseconds: 300 });
    expect(await get(url, { timeout })).toMatchObject(refused('(time-out)', 'transient'));
  });
});

describe('broken HTTP', () => {
  test('a flood of headers', async () => {
    const url = await bytes((socket) => {
      const flood = setInterval(() => socket.write(`X-Flood: ${'x'.repeat(8_000)}\r\n`), 1);
      socket.on('close', () => clearInterval(flood));
      socket.write('HTTP/1.1 200 OK\r\n');
    });
    expect(await get(url)).toMatchObject(refused('more headers than are read', 'transient'));
  });

  test.each([
    ['a body that ends early', `${head('Content-Length: 500')}{"resourceType":`],
    ['a chunk that ends early', `${head('Transfer-Encoding: chunked')}ff\r\n{"resourceType":`],
    ['a length that is no number', `${head('Content-Length: many')}{}`],
    ['two lengths', `${head('Content-Length: 2', 'Content-Length: 3')}{}`],
    ['no HTTP at all', 'SSH-2.0-OpenSSH_9.9\r\n'],
    ['nothing', ''],
  ])('%s', async (_name, text) => {
    const url = await bytes((socket) => socket.end(text));
    expect(await get(url)).toMatchObject(refused('No answer', 'transient'));
  });

  test('more than the stated length is not read', async () => {
    const url = await bytes((socket) => socket.end(`${head('Content-Length: 2')}{}{"resourceType":"Patient"}`));
    const reply = await get(url);
    if (reply.ok) expect(reply.value.text).toBe('{}');
    else expect(reply).toMatchObject(refused('No answer', 'transient'));
  });

  test('after a write the same is ambiguous, so that it is looked for before it is sent again', async () => {
    const url = await bytes((socket) => socket.end(`${head('Content-Length: 500')}{"resour`));
    const create = client(url).create({ resourceType: 'Patient' });
    expect(await create).toMatchObject(refused('No answer', 'ambiguous'));
  });
});

describe('certificates', () => {
  const authority = makeCertificate('authority');
  const trusting: typeof fetch = (url, init) =>
    fetchWith(url as string, {
      ...(init as object),
      dispatcher: new Agent({ connect: { ca: authority.cert } }),
    }) as unknown as ReturnType<typeof fetch>;

  async function answerOf(certificate: Certificate, how: typeof fetch) {
    let asked = 0;
    const server = await serveHttps(certificate, (_request, response) => {
      asked += 1;
      response.end('{}');
    });
    open.push(server);
    return { reply: await get(server.url, { fetch: how }), asked };
  }

  test.each([
    ['signed by itself', makeCertificate('self'), fetch, 'signed its certificate itself; name it as tls.ca'],
    ['expired', makeCertificate('old', authority, { until: '20210101000000' }), trusting, 'has expired'],
    ['of another host', makeCertificate('other', authority, { address: [10, 0, 0, 1] }), trusting, 'another host name'],
  ] as const)('one that is %s: no request, a clear sentence', async (_name, certificate, how, sentence) => {
    const { reply, asked } = await answerOf(certificate, how);
    expect(reply).toMatchObject(refused(sentence, 'transient'));
    expect(asked).toBe(0);
  });

  test('a good one is taken', async () => {
    expect(await answerOf(makeCertificate('good', authority), trusting)).toMatchObject({
      reply: { ok: true },
      asked: 1,
    });
  });
});

describe('redirects', () => {
  test('the token never goes to another host, scheme or port', async () => {
    const strangers: unknown[] = [];
    const stranger = await http((request, response) => {
      strangers.push(request.headers);
      response.end('{}');
    });
    for (const [location, sentence] of [
      [stranger, 'to another server'],
      ['https://127.0.0.1:1/', 'from http to https'],
      ['javascript:alert(1)', 'from http to javascript'],
      ['file:///etc/passwd', 'from http to file'],
      ['', 'without saying where'],
    ] as const) {
      for (const status of [301, 302, 303, 307, 308]) {
        const url = await http((_request, response) => response.writeHead(status, location ? { location } : {}).end());
        expect(await get(url)).toMatchObject(refused(sentence));
      }
    }
    expect(strangers).toEqual([]);
  });

  test('nor from https to http on the same host', async () => {
    const certificate = makeCertificate('good');
    const server = await serveHttps(certificate, (request, response) =>
      response.writeHead(302, { location: `http://${request.headers.host}/` }).end(),
    );
    open.push(server);
    const trusting: typeof fetch = (url, init) =>
      fetchWith(url as string, {
        ...(init as object),
        dispatcher: new Agent({ connect: { ca: certificate.cert } }),
      }) as unknown as ReturnType<typeof fetch>;
    expect(await get(server.url, { fetch: trusting })).toMatchObject(refused('from https to http'));
  });

  test('with a password in it, or in circles, it is not followed', async () => {
    let asked = 0;
    const circles = await http((_request, response) => {
      asked += 1;
      response.writeHead(302, { location: '/again' }).end();
    });
    expect(await get(circles)).toMatchObject(refused('more than 3 times'));
    expect(asked).toBe(4);
    const user = await http((request, response) =>
      response.writeHead(302, { location: `http://me:pw@${request.headers.host}/x` }).end(),
    );
    expect(await get(user)).toMatchObject(refused('to another address'));
  });

  test('a write follows none, not even within the server', async () => {
    const seen: string[] = [];
    const url = await http((request, response) => {
      seen.push(String(request.url));
      response.writeHead(307, { location: '/elsewhere' }).end();
    });
    expect(await client(url).create({ resourceType: 'Patient' })).toMatchObject(refused('redirects'));
    expect(seen).toEqual(['/Patient']);
  });
});

describe('where links may lead', () => {
  const base = 'https://ehr.example/tenant/fhir';
  test.each([
    'https://ehr.example/tenant/fhir?_getpages=1',
    'https://ehr.example/tenant/fhir/Task?x=..',
    'Task?_page=2',
    '?_page=2',
  ])('%s', (link) => expect(urlWithin(link, `${base}/`, base)).toBeDefined());

  test.each([
    'https://evil.example/tenant/fhir/Task',
    'http://ehr.example/tenant/fhir/Task',
    'https://ehr.example:444/tenant/fhir/Task',
    'https://me:pw@ehr.example/tenant/fhir/Task',
    'https://ehr.example/other/fhir/Task',
    'https://ehr.example/tenant/fhirx/Task',
    'https://ehr.example/tenant/fhir/../../other',
    'https://ehr.example/tenant/fhir/%2e%2e/other',
    'https://ehr.example/tenant/fhir/..%2fother',
    'https://ehr.example/tenant/fhir/a%5c..%5cb',
    '//evil.example/tenant/fhir',
    'javascript:alert(1)',
    'data:text/plain,x',
    'file:///etc/passwd',
    'http://[',
  ])('not %s', (link) => expect(urlWithin(link, `${base}/`, base)).toBeUndefined());
});

describe('what is no FHIR', () => {
  const answering = (text: string, status = 200) => http((_request, response) => response.writeHead(status).end(text));

  test('a web page is called one', async () => {
    const url = await answering('<!DOCTYPE html><html><body>Sign in</body></html>');
    expect(await client(url).read('Patient', 'p1')).toMatchObject(refused('web page', 'transient'));
  });

  test.each([
    ['{"resourceType":"Patient"', 'not a FHIR resource', 'transient'],
    ['[]', 'not a FHIR resource', 'transient'],
    ['{"resourceType":7}', 'not a FHIR resource', 'transient'],
    ['', 'nothing instead of', 'permanent'],
    ['{"resourceType":"Task","id":"p1"}', 'something else than', 'permanent'],
    ['{"resourceType":"Patient","id":"p2"}', 'another Patient', 'permanent'],
    ['{"resourceType":"Patient"}', 'another Patient', 'permanent'],
    ['{"resourceType":"Patient","id":"p1","id":"p1"}', 'two members of the same name', 'permanent'],
    ['{"resourceType":"Patient","id":"p1","__proto__":{"admin":true}}', 'not safe to keep', 'permanent'],
    [
      `{"resourceType":"Patient","id":"p1","x":${'['.repeat(100_000)}${']'.repeat(100_000)}}`,
      'nested deeper',
      'permanent',
    ],
    ['{"resourceType":"Patient","id":"p1","name":[{"family":"\\ud800"}]}', 'surrogate', 'permanent'],
    ['{"resourceType":"Patient","id":"p1","multipleBirthInteger":1e999}', 'larger than any quantity', 'permanent'],
  ])('a read answered with %.60s', async (text, sentence, type) => {
    expect(await client(await answering(text)).read('Patient', 'p1')).toMatchObject(refused(sentence, type));
  });

  test.each([
    ['', 'nothing instead of'],
    ['{"resourceType":"Patient","id":"p1"}', 'something else than'],
    ['{"resourceType":"Bundle","entry":{}}', 'not what R4 says'],
    ['{"resourceType":"Bundle","entry":[null]}', 'not what R4 says'],
    ['{"resourceType":"Bundle","link":[null]}', 'not what R4 says'],
  ])('a search answered with %s', async (text, sentence) => {
    const status = text === '' ? 204 : 200;
    expect(await client(await answering(text, status)).search('Task?')).toMatchObject(refused(sentence));
  });

  test('bytes that are not UTF-8 are not guessed at', async () => {
    const latin = Buffer.from('{"resourceType":"Patient","id":"p1","name":[{"family":"Müller"}]}', 'latin1');
    const url = await http((_request, response) =>
      response.setHeader('content-type', 'application/fhir+json; charset=iso-8859-1').end(latin),
    );
    expect(await client(url).read('Patient', 'p1')).toMatchObject(refused('not UTF-8'));
  });

  test('ids that are paths are never asked for', async () => {
    let asked = 0;
    const url = await http((_request, response) => {
      asked += 1;
      response.end('{}');
    });
    for (const id of ['../x', '..', '.', '%2e%2e', 'a/b', 'a?b', 'a#b', 'x'.repeat(65), '', 'ü', 'a\nb']) {
      expect(await client(url).read('Patient', id)).toMatchObject(refused('none of FHIR'));
    }
    expect(asked).toBe(0);
  });
});

describe('what a write is answered with', () => {
  async function created(headers: Record<string, string>, body = '') {
    const url = await http((_request, response) => response.writeHead(201, headers).end(body));
    return client(url).create({ resourceType: 'Task', status: 'requested', intent: 'order' });
  }

  test('only the id of a Location counts, wherever it points', async () => {
    expect(await created({ location: 'http://inside:8080/fhir/Task/7/_history/1' })).toMatchObject({
      value: { id: '7' },
    });
    for (const location of [
      'https://evil.example/Patient/7',
      'http://x/fhir/Task/..',
      'http://x/fhir/Task/%2e%2e',
      'http://x/fhir/Task/a?b=c',
      `http://x/fhir/Task/${'7'.repeat(65)}`,
      'javascript:alert(1)',
      'Task',
    ]) {
      const reply = await created({ location });
      expect(reply).toMatchObject({ ok: true });
      expect(reply).not.toHaveProperty('value.id');
    }
  });

  test('another resource is no answer', async () => {
    expect(await created({}, '{"resourceType":"Patient","id":"1"}')).toMatchObject(refused('another', 'ambiguous'));
    expect(await created({}, '{"resourceType":"Task","id":"../1"}')).toMatchObject(refused('another', 'ambiguous'));
    const url = await http((_request, response) => response.end('{"resourceType":"Patient","id":"p2"}'));
    expect(await client(url).update({ resourceType: 'Patient', id: 'p1' })).toMatchObject(
      refused('another', 'ambiguous'),
    );
  });

  test('a version that could not be a header is not kept', async () => {
    const body = '{"resourceType":"Task","id":"1","meta":{"versionId":"1\\r\\nX-Evil: 1"}}';
    const reply = await created({}, body);
    expect(reply).toMatchObject({ ok: true, value: { id: '1' } });
    expect(reply).not.toHaveProperty('value.versionId');
  });
});

describe('damage is found entry by entry', () => {
  const bundle = (...entries: string[]) =>
    parseReceived(`{"resourceType":"Bundle","note":"\\"entry\\":[1]","entry":[${entries.join(' , ')}]}`) as {
      entry: { resource: { id: string } }[];
    };
  const good = '{"resource":{"resourceType":"Task","id":"good","x":"}],\\"","n":1.00}}';

  test.each([
    ['a name twice', '{"resource":{"resourceType":"Task","id":"bad","status":"a","status":"b"}}'],
    ['a prototype', '{"resource":{"resourceType":"Task","id":"bad","\\u005f_proto__":{"a":1}}}'],
    ['depth', `{"resource":{"resourceType":"Task","id":"bad","x":${'{"x":'.repeat(50_000)}1${'}'.repeat(50_000)}}}`],
    ['a control character', '{"resource":{"resourceType":"Task","id":"bad","d":"\\u0000"}}'],
    ['a number', '{"resource":{"resourceType":"Task","id":"bad","n":1e400}}'],
  ])('%s', (_name, bad) => {
    const { entry } = bundle(good, bad, good.replace('good', 'also'));
    expect(entry.map(({ resource }) => resource.id)).toEqual(['good', 'bad', 'also']);
    expect(entry.map(({ resource }) => damageOf(resource) !== undefined)).toEqual([false, true, false]);
    expect(damageOf(entry[1]?.resource ?? {})?.raw).toBe(bad);
  });

  test('what is whole is as JSON.parse has it', () => {
    const text = `{"resourceType":"Bundle","entry":[${good},${good}]}`;
    expect(parseReceived(text)).toEqual(parseExact(text));
  });

  test('a whole Bundle that is damaged outside of its entries is damaged', () => {
    const value = parseReceived('{"resourceType":"Bundle","type":"a","type":"b"}') as object;
    expect(damageOf(value)?.why).toContain('same name');
  });
});

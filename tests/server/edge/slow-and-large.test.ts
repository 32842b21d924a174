// Clients that are slow on purpose, and bodies and headers that are large on purpose, over raw sockets.
import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { brotliCompressSync, createGzip, deflateSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { serve, type TestServer } from '../serve.ts';

const LIMITS = { bodyBytes: 100_000, bundleEntries: 100, requestTimeout: 400 };

let baton: TestServer;
let port: number;
let token: string;

beforeAll(async () => {
  baton = await serve({ limits: LIMITS });
  port = Number(new URL(await baton.server.listen({ host: '127.0.0.1', port: 0 })).port);
  token = await baton.token('system/*.cruds');
});
afterAll(() => baton.close());

/** A connection on which each of the pieces is sent some time after the one before, until it is closed. */
async function drip(pieces: Iterable<string>, every: number): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  const source = pieces[Symbol.iterator]();
  const send = () => {
    const { done, value } = source.next();
    if (!done && socket.writable) socket.write(value);
  };
  send();
  const timer = setInterval(send, every);
  socket.on('error', () => {});
  const answer = await text(socket).catch(() => '');
  clearInterval(timer);
  return answer;
}

function* endless(first: string, then: string): Generator<string> {
  yield first;
  for (;;) yield then;
}

const head = (...lines: string[]) =>
  `POST /fhir/R4/Patient HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\n${lines.map((line) => `${line}\r\n`).join('')}`;

function expectOutcome(answer: string, status: number): void {
  expect(answer.split('\r\n')[0]).toContain(`HTTP/1.1 ${status} `);
  expect(JSON.parse(answer.split('\r\n\r\n')[1] ?? '')).toMatchObject({ resourceType: 'OperationOutcome' });
}

describe('a connection does not stay open for', () => {
  it('headers that never end', async () => {
    expectOutcome(await drip(endless(head(), 'X-A: b\r\n'), 50), 408);
  });

  it('a body that never ends', async () => {
    const answer = await drip(
      endless(`${head('Content-Type: application/fhir+json', 'Content-Length: 9999')}\r\n`, ' '),
      50,
    );
    expectOutcome(answer, 408);
  });

  it('a chunked body that never ends', async () => {
    const start = `${head('Content-Type: application/fhir+json', 'Transfer-Encoding: chunked')}\r\n`;
    expectOutcome(await drip(endless(start, '1\r\n \r\n'), 50), 408);
  });

  it('a client that says nothing', async () => {
    expect(await drip([], 50)).toMatch(/^$|^HTTP\/1.1 408 /);
  });
});

describe('a body that expands', () => {
  const send = (encoding: string, body: Buffer) =>
    baton.fhir('POST', '/Patient', { body, headers: { 'content-encoding': encoding } });

  it('is refused at the limit, whatever the encoding', async () => {
    const zeros = Buffer.alloc(50_000_000);
    for (const [encoding, body] of [
      ['gzip', gzipSync(zeros)],
      ['br', brotliCompressSync(zeros)],
      ['deflate', deflateSync(zeros)],
      ['gzip', gzipSync(gzipSync(zeros))],
    ] as const) {
      expect(body.length).toBeLessThan(LIMITS.bodyBytes);
      const { status, json } = await send(encoding, body);
      expect([encoding, [400, 413].includes(status), json.resourceType]).toEqual([encoding, true, 'OperationOutcome']);
    }
    expect((await send('gzip', gzipSync(zeros))).status).toBe(413);
  });

  it('does not fill the memory', async () => {
    const gzip = createGzip();
    const chunks: Buffer[] = [];
    gzip.on('data', (chunk: Buffer) => chunks.push(chunk));
    const part = Buffer.alloc(10_000_000);
    for (let i = 0; i < 9; i += 1) if (!gzip.write(part)) await once(gzip, 'drain');
    gzip.end();
    await once(gzip, 'end');
    const bomb = Buffer.concat(chunks);
    const before = process.memoryUsage.rss();
    for (let i = 0; i < 10; i += 1) expect((await send('gzip', bomb)).status).toBe(413);
    expect(process.memoryUsage.rss() - before).toBeLessThan(100_000_000);
  });

  it('in two encodings at once is not taken', async () => {
    expect((await send('gzip, gzip', gzipSync(gzipSync('{}')))).status).toBe(415);
  });
});

describe('headers', () => {
  it('more than a hundred are 431', async () => {
    const many = Array.from({ length: 200 }, (_, i) => `X-${i}: a`);
    expectOutcome(await drip([`${head(...many, 'Connection: close')}\r\n`], 50), 431);
  });

  it('thousands of them too, although Node would drop some', async () => {
    const many = Array.from({ length: 3_000 }, () => 'a:');
    expectOutcome(await drip([`${head(...many)}\r\n`], 50), 431);
  });

  it.each([
    ['a header', `X: ${'a'.repeat(20_000)}`],
    ['a cookie', `Cookie: ${'a=b; '.repeat(5_000)}`],
  ])('%s that is too large is 431', async (_, line) => {
    expectOutcome(await drip([`${head(line)}\r\n`], 50), 431);
  });
});

describe('requests that two parsers could read differently', () => {
  const body = '{"resourceType":"Patient"}';
  it.each([
    ['two lengths', ['Content-Length: 26', 'Content-Length: 5']],
    ['a length and chunks', ['Content-Length: 26', 'Transfer-Encoding: chunked']],
    ['an odd length', ['Content-Length: +26']],
    ['an odd encoding', ['Transfer-Encoding: xchunked']],
    ['a space before the colon', ['Content-Length : 26']],
    ['a folded header', ['X: a', ' b']],
  ])('%s: refused', async (_, lines) => {
    const answer = await drip([`${head('Content-Type: application/fhir+json', ...lines)}\r\n${body}`], 50);
    expect(answer.split('\r\n')[0]).toMatch(/ 4\d\d /);
    expect(answer.match(/HTTP\/1\.1/g)).toHaveLength(1);
  });
});

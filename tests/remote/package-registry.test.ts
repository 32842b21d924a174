// Fetching packages from a registry that really answers over HTTP, well and badly.
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { fetchPackage } from '../../src/remote/package-registry.ts';
import { packGuide } from '../support/guide-package.ts';

const ARCHIVE = packGuide();
let server: Server | undefined;
afterEach(() => new Promise<void>((resolve) => (server ? server.close(() => resolve()) : resolve())));

async function registry(answer: RequestListener) {
  server = createServer(answer);
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { url, fetch: globalThis.fetch };
}

const get = async (answer: RequestListener) => fetchPackage(await registry(answer), 'hl7.fhir.us.core', '7.0.0');

test('gets name and version, through redirects', async () => {
  const asked: string[] = [];
  const bytes = await get((request, response) => {
    asked.push(request.url ?? '');
    if (request.url === '/blob') return response.end(ARCHIVE);
    return response.writeHead(302, { location: '/blob' }).end();
  });
  expect(asked).toEqual(['/hl7.fhir.us.core/7.0.0', '/blob']);
  expect(Buffer.from(bytes)).toEqual(ARCHIVE);
});

test.each<[string, RequestListener, string, string]>([
  ['is not there', (_, response) => response.writeHead(404).end(), 'not-found', 'has no package'],
  ['fails', (_, response) => response.writeHead(500).end(), 'upstream', 'answered 500'],
  ['goes in circles', (q, response) => response.writeHead(302, { location: q.url }).end(), 'upstream', 'leads on'],
  [
    'leads to another protocol',
    (_, response) => response.writeHead(302, { location: 'ftp://elsewhere/x' }).end(),
    'upstream',
    'not followed',
  ],
  ['breaks off', (_, response) => response.destroy(), 'unavailable', 'cannot be reached'],
])('a package that %s is a fault with a sentence', async (_, answer, kind, sentence) => {
  await expect(get(answer)).rejects.toMatchObject({ kind, message: expect.stringContaining(sentence) });
});

test('a download without end is cut off', async () => {
  const chunk = Buffer.alloc(8 * 1024 * 1024);
  const endless: RequestListener = (_, response) => {
    const more = () => {
      while (response.writable && response.write(chunk));
    };
    response.on('drain', more);
    more();
  };
  await expect(get(endless)).rejects.toMatchObject({ kind: 'too-large' });
});

test('without a network the sentence says what to do', async () => {
  const offline = { url: 'http://127.0.0.1:9', fetch: globalThis.fetch };
  await expect(fetchPackage(offline, 'a.b', '1')).rejects.toThrow('get the .tgz by other means');
});

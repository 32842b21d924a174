// Pages of other origins: nothing unless configured, exactly those that are, and never with cookies.
import { afterEach, describe, expect, it } from 'vitest';
import { serve, type TestServer } from '../serve.ts';

const APP = 'https://app.example';

let baton: TestServer;
afterEach(() => baton.close());

const preflight = (url: string, origin = APP, method = 'PATCH') =>
  baton.server.inject({
    method: 'OPTIONS',
    url,
    headers: { origin, 'access-control-request-method': method, 'access-control-request-headers': 'authorization' },
  });

describe('with an origin', () => {
  it.each([
    '/fhir/R4',
    '/fhir/R4/Patient/1',
    '/fhir/R4/metadata',
    '/fhir/R4/.well-known/smart-configuration',
    '/.well-known/jwks.json',
    '/oauth/token',
    '/oauth/revoke',
    '/oauth/introspect',
  ])('a preflight for %s needs no token', async (url) => {
    baton = await serve({ corsOrigins: [APP] });
    const { statusCode, headers } = await preflight(url);
    expect(statusCode).toBe(204);
    expect(headers['access-control-allow-origin']).toBe(APP);
    expect(headers['access-control-allow-methods']).toContain('PATCH');
    expect(headers['access-control-allow-headers']).toContain('If-None-Exist');
    expect(headers['access-control-allow-credentials']).toBeUndefined();
    expect(headers.vary).toContain('Origin');
  });

  it.each(['/ops/outbox', '/metrics', '/intake/hl7v2', '/sandbox/clock', '/fhir/R4evil', '/'])(
    'nothing is said for %s',
    async (url) => {
      baton = await serve({ corsOrigins: [APP] });
      expect((await preflight(url)).headers['access-control-allow-origin']).toBeUndefined();
    },
  );

  it.each([
    'https://evil.example',
    'https://app.example.evil.example',
    'http://app.example',
    'null',
    'https://APP.example',
  ])('%s is told nothing', async (origin) => {
    baton = await serve({ corsOrigins: [APP] });
    const asked = await preflight('/fhir/R4/Patient/1', origin);
    expect(asked.headers['access-control-allow-origin']).toBeUndefined();
    expect(asked.headers['access-control-allow-methods']).toBeUndefined();
    const answer = await baton.fhir('GET', '/Patient/1', { headers: { origin } });
    expect(answer.headers['access-control-allow-origin']).toBeUndefined();
  });

  it('answers and refusals can be read by the page, with the headers that FHIR needs', async () => {
    baton = await serve({ corsOrigins: [APP], requestLimits: { perClient: 1, clients: {}, perAddress: 9 } });
    const headers = { origin: APP };
    for (const [as, status] of [
      [undefined, 404],
      [undefined, 429],
      ['', 401],
    ] as const) {
      const answer = await baton.fhir('GET', '/Patient/1', { headers, ...(as === undefined ? {} : { as }) });
      expect([answer.status, answer.headers['access-control-allow-origin']]).toEqual([status, APP]);
      for (const name of ['ETag', 'Location', 'Content-Location', 'Last-Modified', 'Retry-After', 'WWW-Authenticate']) {
        expect(answer.headers['access-control-expose-headers']).toContain(name);
      }
      expect(answer.headers['access-control-allow-credentials']).toBeUndefined();
    }
  });

  it('OPTIONS that is no preflight still tells what the URL allows', async () => {
    baton = await serve({ corsOrigins: [APP] });
    const asked = await baton.server.inject({ method: 'OPTIONS', url: '/fhir/R4/Patient/1', headers: { origin: APP } });
    expect([asked.statusCode, asked.headers.allow]).toEqual([204, 'GET, HEAD, PUT, PATCH, DELETE, OPTIONS']);
    expect(asked.headers['access-control-allow-origin']).toBe(APP);
  });
});

it('* opens what is open anyway, and nothing that takes a token', async () => {
  baton = await serve({ corsOrigins: ['*'] });
  const origin = 'https://anybody.example';
  for (const url of ['/fhir/R4/metadata', '/fhir/R4/.well-known/smart-configuration', '/.well-known/jwks.json']) {
    expect((await baton.send('GET', url, { headers: { origin } })).headers['access-control-allow-origin']).toBe('*');
  }
  for (const url of ['/fhir/R4/Patient/1', '/oauth/token', '/ops/outbox']) {
    expect((await preflight(url, origin)).headers['access-control-allow-origin']).toBeUndefined();
    expect((await preflight(url, '*')).headers['access-control-allow-origin']).toBeUndefined();
  }
});

it('without configuration nothing is said, and OPTIONS is as it was', async () => {
  baton = await serve();
  const asked = await preflight('/fhir/R4/Patient/1');
  expect([asked.statusCode, asked.headers.allow]).toEqual([204, 'GET, HEAD, PUT, PATCH, DELETE, OPTIONS']);
  expect(asked.headers['access-control-allow-origin']).toBeUndefined();
});

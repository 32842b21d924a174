// HTTPS and certificates of clients, over real sockets.
import { request } from 'node:https';
import { text } from 'node:stream/consumers';
import type { ConnectionOptions, connect } from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import { type Certificates, renewCertificates, type Tls } from '../../../src/server/tls.ts';
import { makeCertificate } from '../../support/certificate.ts';
import { serve, type TestServer } from '../serve.ts';

const CA = makeCertificate('clinic');
const SERVER = makeCertificate('baton', CA);
const CLIENT = makeCertificate('ehr', CA);
const STRANGER = makeCertificate('stranger', makeCertificate('elsewhere'));

let baton: TestServer;
afterEach(() => baton.close());

async function listen(tls: Partial<Tls> = {}): Promise<number> {
  const read = (): Certificates => ({ cert: SERVER.cert, key: SERVER.key });
  baton = await serve({ tls: { read, clientAuth: 'require', ...tls }, baseUrl: () => 'https://127.0.0.1' });
  return Number(new URL(await baton.server.listen({ host: '127.0.0.1', port: 0 })).port);
}

interface Reply {
  readonly status: number | undefined;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly body: string;
  /** Common name of the server's certificate. */
  readonly by: string | undefined;
}

/** @throws the error of the connection */
function get(port: number, more: ConnectionOptions = {}): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port, path: '/healthz', ca: CA.cert, agent: false, ...more } as const;
    const asked = request(options, async (response) => {
      const by = connectionName(response.socket);
      const body = await text(response);
      resolve({ status: response.statusCode, headers: response.headers, body, by });
    });
    asked.on('error', reject).end();
  });
}

const connectionName = (socket: unknown) =>
  /CN=(\w+)/.exec((socket as ReturnType<typeof connect>).getPeerX509Certificate()?.subject ?? '')?.[1];

describe('a server with a certificate', () => {
  it('answers over TLS 1.2 and 1.3 and tells browsers to stay with it', async () => {
    const port = await listen();
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
      const answer = await get(port, { minVersion: version, maxVersion: version });
      expect(answer).toMatchObject({ status: 200, by: 'baton', body: '{"status":"ok"}' });
      expect(answer.headers['strict-transport-security']).toBe('max-age=31536000');
    }
  });

  it('does not speak older versions, nor HTTP without TLS', async () => {
    const port = await listen();
    const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;
    await expect(get(port, old)).rejects.toThrow();
    await expect(fetch(`http://127.0.0.1:${port}/healthz`)).rejects.toThrow();
    expect((await get(port)).status).toBe(200);
  });

  it('takes a renewed certificate for new connections, and keeps the old one when the new one is broken', async () => {
    let current: Certificates = SERVER;
    const tls = { read: () => ({ cert: current.cert, key: current.key }), clientAuth: 'require' } as const;
    const port = await listen(tls);
    const server = baton.server.server as Parameters<typeof renewCertificates>[0];
    expect((await get(port)).by).toBe('baton');
    current = makeCertificate('renewed', CA);
    renewCertificates(server, tls);
    expect((await get(port)).by).toBe('renewed');
    current = { cert: SERVER.cert, key: CLIENT.key };
    expect(() => renewCertificates(server, tls)).toThrow();
    expect((await get(port)).by).toBe('renewed');
    await expect(get(port, { minVersion: 'TLSv1', maxVersion: 'TLSv1.1' })).rejects.toThrow();
  });
});

describe('certificates of clients', () => {
  const read = (): Certificates => ({ cert: SERVER.cert, key: SERVER.key, ca: CA.cert });

  it('that are required must be there and signed by the authority', async () => {
    const port = await listen({ read });
    expect((await get(port, { cert: CLIENT.cert, key: CLIENT.key })).status).toBe(200);
    await expect(get(port)).rejects.toThrow();
    await expect(get(port, { cert: STRANGER.cert, key: STRANGER.key })).rejects.toThrow();
  });

  it('that are requested may be missing, but not wrong', async () => {
    const port = await listen({ read, clientAuth: 'request' });
    expect((await get(port, { cert: CLIENT.cert, key: CLIENT.key })).status).toBe(200);
    expect((await get(port)).status).toBe(200);
    await expect(get(port, { cert: STRANGER.cert, key: STRANGER.key })).rejects.toThrow();
  });

  it('do not replace the token', async () => {
    const port = await listen({ read });
    const answer = await get(port, {
      cert: CLIENT.cert,
      key: CLIENT.key,
      path: '/fhir/R4/Patient',
    } as ConnectionOptions);
    expect(answer.status).toBe(401);
  });
});

it('a server without a certificate says nothing of TLS', async () => {
  baton = await serve();
  expect((await baton.send('GET', '/healthz')).headers['strict-transport-security']).toBeUndefined();
});

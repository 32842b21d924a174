import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { setImmediate } from 'node:timers/promises';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createIntake } from '../../src/intake/receive.ts';
import { testParameters } from '../support/store-rules.ts';
import { BASE, serve, type TestServer } from './serve.ts';

let baton: TestServer;
beforeAll(async () => {
  baton = await serve();
});

afterAll(() => baton.close());

describe('health', () => {
  it('says that the process lives and can write', async () => {
    expect((await baton.send('GET', '/healthz', { as: '' })).json).toEqual({ status: 'ok' });
    expect((await baton.send('GET', '/readyz', { as: '' })).json).toEqual({ status: 'ready' });
  });

  it('is 503 with Retry-After semantics when the store cannot write', async () => {
    const store = { ...baton.temp.store, ready: async () => false };
    const stuck = await serve({ store });
    expect((await stuck.send('GET', '/readyz', { as: '' })).status).toBe(503);
    expect((await stuck.send('GET', '/healthz', { as: '' })).status).toBe(200);
    await stuck.close();
  });
});

describe('metrics', () => {
  it('count requests by route, and what the store holds', async () => {
    await baton.fhir('GET', '/Patient/some-id');
    const { status, text } = await baton.send('GET', '/metrics', { as: await baton.token('baton/metrics') });
    expect(status).toBe(200);
    expect(text).toMatch(/baton_http_requests_total\{route="\/fhir\/R4\/:type\/:id",method="GET",status="404"\} \d/);
    expect(text).toMatch(/^baton_log_head \d+$/m);
    expect(text).toContain('baton_follow_ups{status="requested"} 0');
    expect(text).not.toContain('some-id');
  });
});

describe('discovery', () => {
  it('publishes public keys and what of SMART works', async () => {
    const jwks = await baton.send('GET', '/.well-known/jwks.json', { as: '' });
    expect(jwks.json.keys).toHaveLength(4);
    const smart = await baton.send('GET', '/fhir/R4/.well-known/smart-configuration', { as: '' });
    const endpoints = { token: 'token', authorization: 'authorize', introspection: 'introspect', revocation: 'revoke' };
    for (const [name, path] of Object.entries(endpoints)) {
      expect(smart.json[`${name}_endpoint`]).toBe(`${BASE}/oauth/${path}`);
      expect((await baton.send('POST', `/oauth/${path}`, { as: '' })).status).not.toBe(404);
    }
    expect(smart.json).toMatchObject({
      grant_types_supported: ['authorization_code', 'refresh_token', 'client_credentials'],
      code_challenge_methods_supported: ['S256'],
      capabilities: expect.arrayContaining(['launch-ehr', 'launch-standalone', 'authorize-post', 'client-public']),
    });
    const { json: openid } = await baton.send('GET', '/.well-known/openid-configuration', { as: '' });
    for (const [name, value] of Object.entries(openid)) if (name in smart.json) expect(smart.json[name]).toEqual(value);
    const { json: metadata } = await baton.fhir('GET', '/metadata', { as: '' });
    expect(JSON.stringify(metadata)).toContain(`{"url":"authorize","valueUri":"${BASE}/oauth/authorize"}`);
  });
});

describe('HL7 v2 intake', () => {
  const type = { 'content-type': 'x-application/hl7-v2+er7' };
  const message = (id: string, event: string) =>
    [
      `MSH|^~\\&|ADT|MERCY|BATON|BATON|20261124080000||ADT^${event}^ADT_A01|${id}|P|2.5.1`,
      `EVN|${event}|20261124080000`,
      'PID|1||4711^^^MERCY^MR||Nightingale^Florence||19500512|F',
      'PV1|1|I|4W^401^1^MERCY||||||||||||||||V1^^^MERCY^VN|||||||||||||||||||||||||20261124080000',
      '',
    ].join('\r');
  let other: TestServer;

  beforeAll(async () => {
    const facilities = [{ code: '*', name: 'Mercy', zone: 'America/New_York', calendar: 'us-federal' }];
    const log = pino({ level: 'silent' });
    other = await serve(({ store, clock }) => ({
      intake: createIntake({ store, clock, facilities, parameters: testParameters, log }),
    }));
  });

  afterAll(() => other.close());

  it('answers AA with 200, AR with 400, in ER7', async () => {
    const accepted = await other.send('POST', '/intake/hl7v2', { body: message('1', 'A01'), headers: type });
    expect([accepted.status, accepted.headers['content-type']]).toEqual([200, type['content-type']]);
    expect(accepted.text).toContain('MSA|AA|1');
    const plain = { 'content-type': 'text/plain; charset=utf-8' };
    expect((await other.send('POST', '/intake/hl7v2', { body: message('2', 'A01'), headers: plain })).status).toBe(200);
    const rejected = await other.send('POST', '/intake/hl7v2', { body: message('3', 'Z99'), headers: type });
    expect([rejected.status, rejected.text.includes('MSA|AR|3')]).toEqual([400, true]);
    expect((await other.send('POST', '/intake/hl7v2', { body: 'no MSH', headers: type })).status).toBe(400);
    const long = `${message('4', 'A01')}ZZZ|${'x'.repeat(5_000_000)}\r`;
    const refused = await other.send('POST', '/intake/hl7v2', { body: long, headers: type });
    expect([refused.status, refused.text.includes('MSA|AR|4')]).toEqual([400, true]);
  });

  it('refuses other media types, empty bodies and tokens without the scope', async () => {
    expect(
      (await other.send('POST', '/intake/hl7v2', { body: {}, headers: { 'content-type': 'application/json' } })).status,
    ).toBe(415);
    expect((await other.send('POST', '/intake/hl7v2', { body: '', headers: type })).status).toBe(400);
    const as = await other.token('system/*.rs');
    expect((await other.send('POST', '/intake/hl7v2', { body: message('4', 'A01'), headers: type, as })).status).toBe(
      403,
    );
    const only = await other.token('baton/intake');
    expect(
      (await other.send('POST', '/intake/hl7v2', { body: message('5', 'A01'), headers: type, as: only })).status,
    ).toBe(200);
    expect((await other.fhir('GET', '/Patient', { as: only })).status).toBe(403);
  });
});

describe('stopping', () => {
  it('finishes what is in flight and takes nothing new', async () => {
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    let entered: () => void = () => undefined;
    const reading = new Promise<void>((resolve) => {
      entered = resolve;
    });
    const { store } = baton.temp;
    const slow = await serve({
      store: {
        ...store,
        async read(type, id) {
          entered();
          await held;
          return store.read(type, id);
        },
      },
    });
    const url = await slow.server.listen({ host: '127.0.0.1', port: 0 });
    const headers = { authorization: `Bearer ${await slow.token('system/*.rs')}` };
    const inFlight = fetch(`${url}/fhir/R4/Patient/none`, { headers });
    await reading;
    const closing = slow.server.close();
    release();
    expect((await inFlight).status).toBe(404);
    await closing;
    await expect(fetch(`${url}/healthz`)).rejects.toThrow();
    await slow.temp.cleanup();
  });

  it('does not wait for kept-alive connections that had a request in flight', async () => {
    const held = Promise.withResolvers<void>();
    const reading = Promise.withResolvers<void>();
    const { store } = baton.temp;
    const slow = await serve({
      store: {
        ...store,
        async read(type, id) {
          reading.resolve();
          await held.promise;
          return store.read(type, id);
        },
      },
    });
    const url = new URL(await slow.server.listen({ host: '127.0.0.1', port: 0 }));
    const socket = connect(Number(url.port), url.hostname);
    const head = [`GET /fhir/R4/Patient/none HTTP/1.1`, `Host: ${url.host}`, 'Connection: keep-alive'];
    socket.write(`${[...head, `Authorization: Bearer ${await slow.token('system/*.rs')}`].join('\r\n')}\r\n\r\n`);
    await reading.promise;
    const closing = slow.server.close();
    while (slow.server.server.listening) await setImmediate();
    held.resolve();
    // Ends only when the server lets the connection go: this client never would.
    const answer = await text(socket);
    expect(answer).toContain('HTTP/1.1 404 ');
    expect(answer.toLowerCase()).toContain('\r\nconnection: close\r\n');
    await closing;
    await slow.temp.cleanup();
  });
});

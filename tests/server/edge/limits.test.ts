// How much one client may ask for, how often it may fail, and that nobody else pays for it.
import { afterEach, describe, expect, it } from 'vitest';
import { createFailedAttempts } from '../../../src/access/failed-attempts.ts';
import { type Answer, serve, type TestServer } from '../serve.ts';

let baton: TestServer;
afterEach(() => baton.close());

const LIMITS = { perClient: 5, clients: { busy: 8 }, perAddress: 4 };

function expectThrottled(answer: Answer): void {
  expect(answer.status).toBe(429);
  expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
  expect(answer.json).toMatchObject({ resourceType: 'OperationOutcome', issue: [{ code: 'throttled' }] });
}

async function repeat(times: number, ask: () => Promise<Answer>): Promise<number[]> {
  const statuses: number[] = [];
  for (let i = 0; i < times; i += 1) statuses.push((await ask()).status);
  return statuses;
}

describe('requests', () => {
  it('of a client are counted over all its tokens; other clients go on', async () => {
    baton = await serve({ requestLimits: LIMITS });
    const issue = (clientId: string) => baton.access.issue({ clientId, scope: 'system/*.rs', lifetimeSeconds: 60 });
    const [first, second, busy] = await Promise.all([issue('app'), issue('app'), issue('busy')]);
    expect(await repeat(4, () => baton.fhir('GET', '/Patient', { as: first }))).toEqual([200, 200, 200, 200]);
    expect(await repeat(2, () => baton.fhir('GET', '/Patient', { as: second }))).toEqual([200, 429]);
    const refused = await baton.fhir('GET', '/Patient', { as: first });
    expectThrottled(refused);
    expect(refused.headers).toMatchObject({ 'ratelimit-limit': '5', 'ratelimit-remaining': '0' });
    expect(await repeat(9, () => baton.fhir('GET', '/Patient', { as: busy }))).toEqual([...Array(8).fill(200), 429]);
  });

  it('without a good token are counted by address, health checks never', async () => {
    baton = await serve({ requestLimits: LIMITS });
    expect(await repeat(10, () => baton.send('GET', '/healthz', { as: '' }))).toEqual(Array(10).fill(200));
    expect(await repeat(2, () => baton.fhir('GET', '/metadata', { as: '' }))).toEqual([200, 200]);
    expect(await repeat(3, () => baton.fhir('GET', '/Patient', { as: '' }))).toEqual([401, 401, 429]);
    expectThrottled(await baton.fhir('GET', '/metadata', { as: '' }));
    expect((await baton.fhir('GET', '/Patient')).status).toBe(200);
  });

  it('that are refused are audited and counted', async () => {
    baton = await serve({ requestLimits: LIMITS });
    await repeat(6, () => baton.fhir('GET', '/metadata', { as: '' }));
    expect((await baton.audited()).map(({ status }) => status)).toEqual([200, 200, 200, 200, 429, 429]);
    expect((await baton.send('GET', '/metrics')).text).toMatch(
      /baton_http_requests_total\{route="\/fhir\/R4\/metadata",method="GET",status="429"\} 2/,
    );
  });
});

describe('bad tokens', () => {
  it('close the door to their address for a while, but not to a token that has been good', async () => {
    baton = await serve(({ clock }) => ({ attempts: createFailedAttempts(clock) }));
    const good = await baton.token('system/*.rs');
    const bad = () => baton.fhir('GET', '/Patient', { as: `${good.slice(0, -4)}AAAA` });
    expect(new Set(await repeat(200, bad))).toEqual(new Set([401]));
    expect((await baton.fhir('GET', '/Patient', { as: good })).status).toBe(200);
    expect(await repeat(2, bad)).toEqual([401, 429]);
    expectThrottled(await bad());
    expect((await baton.fhir('GET', '/Patient', { as: good })).status).toBe(200);
    expect((await baton.fhir('GET', '/Patient', { as: '' })).status).toBe(401);
  });
});

describe('bad assertions', () => {
  it('are answered with 429 in the form of OAuth', async () => {
    baton = await serve(({ clock }) => ({ attempts: createFailedAttempts(clock) }));
    const form = new URLSearchParams({
      grant_type: 'client_credentials',
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: 'e30.e30.e30',
      scope: 'system/*.rs',
    });
    const ask = () =>
      baton.send('POST', '/oauth/token', {
        as: '',
        body: form.toString(),
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
      });
    expect((await repeat(102, ask)).slice(-3)).toEqual([401, 401, 429]);
    const answer = await ask();
    expect(answer.json).toMatchObject({ error: 'temporarily_unavailable' });
    expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
    expect((await baton.audited()).at(-1)).toMatchObject({ status: 429 });
  });
});

describe('where a request comes from', () => {
  const from = (ip: string) => baton.fhir('GET', '/metadata', { as: '', headers: { 'x-forwarded-for': ip } });

  it('is what a trusted proxy says', async () => {
    baton = await serve({ requestLimits: LIMITS, trustProxy: ['127.0.0.0/8'] });
    expect(await repeat(5, () => from('203.0.113.7'))).toEqual([200, 200, 200, 200, 429]);
    expect((await from('203.0.113.8')).status).toBe(200);
    // Only what the trusted proxy added counts, not what the client had written before it.
    expect((await from('198.51.100.1, 203.0.113.7')).status).toBe(429);
    expect(await repeat(5, () => from('nonsense'))).toEqual([200, 200, 200, 200, 429]);
  });

  it('is the first half of an IPv6 address', async () => {
    baton = await serve({ requestLimits: LIMITS, trustProxy: ['127.0.0.0/8'] });
    let host = 0;
    expect(await repeat(5, () => from(`2001:db8:1:2::${++host}`))).toEqual([200, 200, 200, 200, 429]);
    expect((await from('2001:db8:1:3::1')).status).toBe(200);
  });

  it('is the connection when no proxy is trusted', async () => {
    baton = await serve({ requestLimits: LIMITS });
    let host = 0;
    expect(await repeat(5, () => from(`203.0.113.${++host}`))).toEqual([200, 200, 200, 200, 429]);
  });
});

describe('what is refused for being too often', () => {
  it('leaves nothing in the trail of what was sent to a sign-in or to the authorization server', async () => {
    baton = await serve({ requestLimits: { ...LIMITS, perAddress: 0 } });
    const form = { 'content-type': 'application/x-www-form-urlencoded' };
    const body = 'username=grey&password=my%20secret';
    const paths = [
      '/oauth/interaction/x/login',
      '/oauth/authorize',
      '/oauth/token?password=secret',
      '/nowhere?code=secret',
    ];
    for (const path of paths) await baton.send('POST', path, { as: '', headers: form, body });
    await baton.send('GET', '/oauth/callback?code=my-secret&state=secret', { as: '' });
    const rows = await baton.audited();
    expect(rows.length).toBeGreaterThan(3);
    expect(new Set(rows.map(({ query }) => query))).toEqual(new Set([null]));
  });
});

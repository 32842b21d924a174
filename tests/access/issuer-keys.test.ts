// Keys of other issuers: found, rotated, cached within bounds, and never a reason to say that a good token is bad.
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { AccessOptions } from '../../src/access/access.ts';
import type { Issuer } from '../../src/access/issuer.ts';
import { type AccessWorld, accessWorld, IMPATIENT } from '../support/access-world.ts';
import { startIssuer, type TestIssuer } from '../support/test-issuer.ts';

let issuer: TestIssuer;
let world: AccessWorld;

beforeAll(async () => {
  issuer = await startIssuer('/tenant');
});
afterAll(() => issuer.stop());

beforeEach(async () => {
  issuer.misbehave = undefined;
  issuer.document = {};
  issuer.speaks = 'openid';
  issuer.asked.length = 0;
  await issuer.rotate();
  world = await withIssuer();
});

const withIssuer = (more: Partial<Issuer> = {}, options: Partial<AccessOptions> = {}) =>
  accessWorld([{ issuer: issuer.url, audience: 'baton', ...more }], options);
const BOMB = gzipSync(Buffer.alloc(50_000_000, 32));
const claims = () => ({
  iss: issuer.url,
  aud: 'baton',
  client_id: 'app',
  scope: 'system/*.rs',
  exp: world.now() + 9_000,
});
const asked = (path: string) => issuer.asked.filter((each) => each === path).length;
const token = () => issuer.sign({ ...claims(), jti: String(Math.random()) });

describe('finding the keys', () => {
  it('works by OpenID Connect discovery, once', async () => {
    await world.enter(await token());
    await world.enter(await token());
    expect(issuer.asked).toEqual(['/tenant/.well-known/openid-configuration', '/jwks']);
  });

  it('works by RFC 8414 when there is no OpenID document', async () => {
    issuer.speaks = 'oauth';
    await world.enter(await token());
    expect(issuer.asked.slice(1)).toEqual(['/.well-known/oauth-authorization-server/tenant', '/jwks']);
  });

  it('needs no discovery when the address is configured', async () => {
    world = await withIssuer({ jwksUrl: new URL('/jwks', issuer.url).href });
    await world.enter(await token());
    expect(issuer.asked).toEqual(['/jwks']);
  });

  it.each<[string, Record<string, unknown>, string]>([
    ['describes another issuer', { issuer: 'https://evil.example' }, 'its document describes another issuer'],
    ['differs by a slash', { issuer: 'SLASH' }, 'its document describes another issuer'],
    ['names no keys', { jwks_uri: undefined }, 'its document names no jwks_uri'],
    ['names keys off this machine without TLS', { jwks_uri: 'http://keys.example/jwks' }, 'its address is not https'],
  ])('is refused with 503 when the document %s', async (_, document, reason) => {
    issuer.document = document.issuer === 'SLASH' ? { issuer: `${issuer.url}/` } : document;
    const fault = await world.refusal(await token());
    expect(fault.kind).toBe('unavailable');
    expect(fault.context?.reason).toContain(reason);
    expect(fault.message).not.toContain(issuer.url);
  });
});

describe('rotation', () => {
  it('finds a new key soon, and asks no more than every 30 seconds', async () => {
    await world.enter(await token());
    await issuer.rotate('and keep the old');
    const fresh = await token();
    expect((await world.refusal(fresh)).kind).toBe('unauthenticated');
    expect(asked('/jwks')).toBe(1);
    world.pass(30);
    await world.enter(fresh);
    expect(asked('/jwks')).toBe(2);
  });

  it('forgets a key that is gone from the set, also for tokens that it has let in', async () => {
    const old = await token();
    await world.enter(old);
    await issuer.rotate();
    world.pass(31);
    await world.enter(old);
    await world.enter(await token());
    expect((await world.refusal(old)).message).toContain('signature');
  });

  it('looks after five minutes even when no new key was named', async () => {
    const old = await token();
    await world.enter(old);
    await issuer.rotate();
    world.pass(301);
    expect((await world.refusal(old)).kind).toBe('unauthenticated');
  });

  it('fetches once for requests that come together', async () => {
    const tokens = await Promise.all(Array.from({ length: 20 }, token));
    await Promise.all(tokens.map(world.enter));
    expect(asked('/jwks')).toBe(1);
  });

  it('does not let made-up key ids through to the issuer', async () => {
    await world.enter(await token());
    for (const kid of ['../../etc/passwd', "' OR 1=1 --", 'a', 'b']) {
      expect((await world.refusal(await issuer.sign(claims(), { kid }))).kind).toBe('unauthenticated');
    }
    expect(asked('/jwks')).toBe(1);
  });

  it('tries the keys of the set for a token that names none', async () => {
    await issuer.rotate('and keep the old');
    await issuer.rotate('and keep the old');
    await world.enter(await issuer.sign(claims(), { kid: undefined }));
  });
});

describe('an issuer that is down', () => {
  it('is answered for with known keys for an hour, then with 503 and when to come back', async () => {
    await world.enter(await token());
    await issuer.stop();
    world.pass(3_500);
    await world.enter(await token());
    world.pass(101);
    const fault = await world.refusal(await token());
    expect([fault.kind, fault.context?.retryAfterSeconds]).toEqual(['unavailable', 10]);
    await issuer.resume();
    world.pass(10);
    await world.enter(await token());
  });

  it('is not waited for again while its keys are known', async () => {
    world = await withIssuer({}, { issuerTimeout: Temporal.Duration.from({ minutes: 10 }) });
    await world.enter(await token());
    issuer.misbehave = (_, response) => Boolean(response.writeHead(500).end());
    world.pass(300);
    await world.enter(await token());
    issuer.misbehave = () => true;
    world.pass(10);
    await world.enter(await token());
  });

  it('is left alone for ten seconds after it failed', async () => {
    issuer.misbehave = (_, response) => Boolean(response.writeHead(500).end('secret detail'));
    await world.refusal(await token());
    const { length } = issuer.asked;
    world.pass(4);
    expect((await world.refusal(await token())).context?.retryAfterSeconds).toBe(6);
    expect(issuer.asked).toHaveLength(length);
  });

  it('does not make an unknown key a wrong one', async () => {
    await world.enter(await token());
    await issuer.rotate();
    const fresh = await token();
    await issuer.stop();
    world.pass(60);
    expect((await world.refusal(fresh)).kind).toBe('unavailable');
    await issuer.resume();
  });

  it.each<[string, NonNullable<TestIssuer['misbehave']>, string]>([
    ['answers 500', (_, response) => Boolean(response.writeHead(500).end()), 'it answers 500'],
    ['answers 401', (_, response) => Boolean(response.writeHead(401).end()), 'it answers 401'],
    ['never answers', () => true, 'it does not answer in time'],
    ['stops in the middle', (_, response) => response.writeHead(200).write('{"keys":'), 'it does not answer in time'],
    ['hangs up', (_, response) => Boolean(response.destroy()), 'it cannot be reached'],
    ['answers too much', (_, response) => Boolean(response.end(`{"a":"${'x'.repeat(300_000)}"}`)), 'too large'],
    [
      'answers with a gzip bomb',
      (_, response) => Boolean(response.writeHead(200, { 'content-encoding': 'gzip' }).end(BOMB)),
      'too large',
    ],
    ['answers no JSON', (_, response) => Boolean(response.end('<html>')), 'not a JSON object'],
    ['answers with a list', (_, response) => Boolean(response.end('[]')), 'not a JSON object'],
    ['answers without keys', (_, response) => Boolean(response.end('{}')), 'not a key set'],
    ['has keys that are none', (_, response) => Boolean(response.end('{"keys":[1]}')), 'not a key set'],
  ])('because it %s, is 503', async (_, misbehave, reason) => {
    const more = reason.endsWith('in time') ? IMPATIENT : {};
    world = await withIssuer({ jwksUrl: new URL('/jwks', issuer.url).href }, more);
    issuer.misbehave = misbehave;
    const fault = await world.refusal(await token());
    expect(fault.kind).toBe('unavailable');
    expect(fault.context?.reason).toContain(reason);
  });

  it('is not followed to where it redirects', async () => {
    world = await withIssuer({ jwksUrl: new URL('/jwks', issuer.url).href });
    issuer.misbehave = (path, response) =>
      path === '/jwks' &&
      Boolean(response.writeHead(302, { location: `${new URL(issuer.url).origin}/elsewhere` }).end());
    expect((await world.refusal(await token())).context?.reason).toBe('it answers 302');
    expect(issuer.asked).toEqual(['/jwks']);
  });

  it('has a key that fits but cannot be used', async () => {
    issuer.keys[0] = { ...issuer.keys[0], x: 'AAAA' } as never;
    expect((await world.refusal(await token())).kind).toBe('unavailable');
  });
});

describe('several issuers', () => {
  it('are kept apart: keys, audiences and names', async () => {
    const other = await startIssuer();
    world = await accessWorld([
      { issuer: issuer.url, audience: 'baton' },
      { issuer: other.url, audience: 'other', leewaySeconds: 300 },
    ]);
    const mine = { ...claims(), iss: other.url, aud: 'other' };
    expect(await world.enter(await other.sign(mine))).toMatchObject({ issuer: other.url, client: 'app' });
    expect(await world.enter(await token())).toMatchObject({ issuer: issuer.url });
    expect((await world.refusal(await other.sign(claims()))).message).toContain('signature');
    expect((await world.refusal(await other.sign({ ...mine, aud: 'baton' }))).message).toContain('another server');
    await world.enter(await other.sign({ ...mine, exp: world.now() - 299 }));
    expect((await world.refusal(await issuer.sign({ ...claims(), exp: world.now() - 31 }))).message).toContain(
      'expired',
    );
    await other.stop();
    await world.enter(await token());
  });

  it('say how they are to `baton doctor`', async () => {
    const down = await startIssuer();
    world = await accessWorld([
      { issuer: issuer.url, audience: 'baton' },
      { issuer: down.url, audience: 'baton' },
    ]);
    await down.stop();
    expect(await world.access.checkIssuers()).toEqual([
      { issuer: issuer.url, good: true, sentence: '1 key' },
      { issuer: down.url, good: false, sentence: 'keys: discovery fails: it cannot be reached' },
    ]);
  });
});

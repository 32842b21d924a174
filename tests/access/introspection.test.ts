// Opaque tokens: asked about at Baton's own authorization server and at issuers, remembered for seconds, and checked like
// any other token.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { AccessOptions } from '../../src/access/access.ts';
import type { Claims } from '../../src/access/claims.ts';
import type { Issuer } from '../../src/access/issuer.ts';
import { type AccessWorld, accessWorld, BASE, IMPATIENT } from '../support/access-world.ts';
import { CLIENT, startIssuer, type TestIssuer } from '../support/test-issuer.ts';

let issuer: TestIssuer;
let world: AccessWorld;
let own: Map<string, Claims>;
let ownAsked: number;

beforeAll(async () => {
  issuer = await startIssuer();
});
afterAll(() => issuer.stop());

beforeEach(async () => {
  issuer.misbehave = undefined;
  issuer.document = {};
  issuer.asked.length = 0;
  issuer.active.clear();
  own = new Map();
  ownAsked = 0;
  world = await withIssuer();
  issuer.active.set('opaque', claims());
});

const resolveOwn = async (token: string) => {
  ownAsked += 1;
  return own.get(token);
};
const withIssuer = (more: Partial<Issuer> = {}, options: Partial<AccessOptions> = {}) =>
  accessWorld([{ issuer: issuer.url, audience: 'baton', introspection: CLIENT, ...more }], { resolveOwn, ...options });
const claims = () => ({ aud: 'baton', client_id: 'app', scope: 'system/*.rs', exp: world.now() + 300 });
const questions = () => issuer.asked.filter((path) => path === '/introspect').length;

describe('a token that only its issuer can read', () => {
  it('becomes a grant by what the issuer says, at an address found by discovery', async () => {
    expect(await world.enter('opaque')).toMatchObject({
      actor: { reference: 'app', kind: 'client' },
      client: 'app',
      issuer: issuer.url,
    });
    expect(issuer.asked).toEqual(['/.well-known/openid-configuration', '/introspect']);
  });

  it('is asked about at the configured address without discovery', async () => {
    world = await withIssuer({ introspection: { ...CLIENT, url: `${issuer.url}/introspect` } });
    await world.enter('opaque');
    expect(issuer.asked).toEqual(['/introspect']);
  });

  it('is asked about again after 30 seconds, so that a revoked one stops', async () => {
    await world.enter('opaque');
    issuer.active.clear();
    world.pass(29);
    await world.enter('opaque');
    expect(questions()).toBe(1);
    world.pass(1);
    expect((await world.refusal('opaque')).kind).toBe('unauthenticated');
  });

  it('is not remembered beyond its expiry', async () => {
    issuer.active.set('short', { ...claims(), exp: world.now() + 5 });
    await world.enter('short');
    issuer.active.clear();
    world.pass(5);
    expect((await world.refusal('short')).message).toContain('unknown, expired or revoked');
  });

  it('is asked about once by requests that come together', async () => {
    await Promise.all(Array.from({ length: 50 }, () => world.enter('opaque')));
    expect(questions()).toBe(1);
  });

  it('is asked about once in five seconds when the issuer does not know it', async () => {
    for (let guess = 0; guess < 20; guess += 1) await world.refusal('guess');
    expect(questions()).toBe(1);
    issuer.active.set('guess', claims());
    world.pass(5);
    await world.enter('guess');
  });

  it('cannot push others out or be asked about a thousand times at once', async () => {
    world = await withIssuer({}, IMPATIENT);
    issuer.misbehave = (path) => path === '/introspect';
    const faults = await Promise.all(Array.from({ length: 100 }, (_, guess) => world.refusal(`guess-${guess}`)));
    expect(new Set(faults.map(({ kind }) => kind))).toEqual(new Set(['unavailable']));
    expect(questions()).toBeLessThanOrEqual(32);
  });

  it.each<[string, () => object, string]>([
    ['for another server', () => ({ aud: 'other' }), 'another server'],
    ['without audience', () => ({ aud: undefined }), 'another server'],
    ['without expiry', () => ({ exp: undefined }), 'no expiry'],
    ['expired, whatever `active` says', () => ({ exp: world.now() - 31 }), 'expired'],
    ['not valid yet', () => ({ nbf: world.now() + 31 }), 'not valid yet'],
    ['of another issuer', () => ({ iss: 'https://evil.example' }), 'unknown'],
    ['that is a refresh token', () => ({ token_type: 'refresh_token' }), 'not an access token'],
    ['that is a refresh token of Keycloak', () => ({ typ: 'Refresh' }), 'not an access token'],
    ['that is bound to a key', () => ({ cnf: { jkt: 'x' } }), 'bound'],
  ])('is refused %s', async (_, more, sentence) => {
    issuer.active.set('opaque', { ...claims(), ...more() });
    const fault = await world.refusal('opaque');
    expect([fault.kind, fault.message]).toEqual(['unauthenticated', expect.stringContaining(sentence)]);
  });

  it('may be a JWT, which is then asked about too', async () => {
    const token = await issuer.sign({ ...claims(), iss: issuer.url });
    expect((await world.refusal(token)).message).toContain('unknown, expired or revoked');
    world.pass(6);
    issuer.active.set(token, claims());
    await world.enter(token);
  });

  it.each<[string, NonNullable<TestIssuer['misbehave']>, string]>([
    ['is down', (_, response) => Boolean(response.destroy()), 'it cannot be reached'],
    ['is slow', () => true, 'it does not answer in time'],
    ['does not know Baton', (_, response) => Boolean(response.writeHead(401).end()), 'it answers 401'],
    ['does not say `active`', (_, response) => Boolean(response.end('{"active":"true"}')), 'does not say'],
    [
      'says everything twice',
      (_, response) => Boolean(response.end('{"active":false,"active":true}')),
      'not a JSON object',
    ],
    [
      'redirects',
      (_, response) => Boolean(response.writeHead(307, { location: '/introspect' }).end()),
      'it answers 307',
    ],
  ])('is 503 when the issuer %s', async (_, misbehave, reason) => {
    const more = reason.endsWith('in time') ? IMPATIENT : {};
    world = await withIssuer({ introspection: { ...CLIENT, url: `${issuer.url}/introspect` } }, more);
    issuer.misbehave = misbehave;
    const fault = await world.refusal('opaque');
    expect([fault.kind, fault.context?.reason]).toEqual(['unavailable', expect.stringContaining(reason)]);
  });

  it('says to `baton doctor` whether it can be asked', async () => {
    expect(await world.access.checkIssuers()).toEqual([
      { issuer: issuer.url, good: true, sentence: 'introspection answers' },
    ]);
    world = await withIssuer({ introspection: { ...CLIENT, clientSecret: 'wrong' } });
    expect(await world.access.checkIssuers()).toMatchObject([
      { good: false, sentence: 'introspection: it answers 404' },
    ]);
  });
});

describe('a token of two issuers with introspection', () => {
  it('is taken from the one that knows it, also while the other is down', async () => {
    const other = await startIssuer();
    const both = [other, issuer].map(({ url }) => ({ issuer: url, audience: 'baton', introspection: CLIENT }));
    world = await accessWorld(both);
    expect((await world.enter('opaque')).issuer).toBe(issuer.url);
    await other.stop();
    world.pass(31);
    expect((await world.enter('opaque')).issuer).toBe(issuer.url);
    expect((await world.refusal('nobodys')).kind).toBe('unavailable');
  });
});

describe('an opaque token of our own', () => {
  const mine = () => ({
    iss: BASE,
    aud: `${BASE}/fhir/R4`,
    client_id: 'app',
    scope: 'user/*.rs',
    exp: world.now() + 60,
  });

  it('is asked for at our own authorization server only', async () => {
    own.set('mine', { ...mine(), fhirUser: 'Practitioner/12' });
    expect((await world.enter('mine')).actor).toEqual({ reference: 'Practitioner/12', kind: 'user', client: 'app' });
    expect(issuer.asked).toEqual([]);
  });

  it('stops within a second of being revoked', async () => {
    own.set('mine', mine());
    await world.enter('mine');
    await world.enter('mine');
    expect(ownAsked).toBe(1);
    own.delete('mine');
    world.pass(1);
    expect((await world.refusal('mine')).kind).toBe('unauthenticated');
  });

  it('stops at once when this process hears of it', async () => {
    own.set('mine', mine());
    await world.enter('mine');
    own.delete('mine');
    world.access.revoked();
    expect((await world.refusal('mine')).kind).toBe('unauthenticated');
  });

  it.each<[string, () => object]>([
    ['another audience', () => ({ aud: 'other' })],
    ['an expiry in the past', () => ({ exp: world.now() - 31 })],
    ['no expiry', () => ({ exp: undefined })],
    ['another issuer', () => ({ iss: issuer.url })],
  ])('is refused with %s', async (_, more) => {
    own.set('mine', { ...mine(), ...more() });
    expect((await world.refusal('mine')).kind).toBe('unauthenticated');
  });
});

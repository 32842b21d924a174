// Which tokens get in: every way a token can be wrong is tried against one that is right.
import { CompactSign, exportJWK, generateKeyPair, type JWK } from 'jose';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Access, createAccess } from '../../src/access/access.ts';
import type { Keys } from '../../src/access/keys.ts';
import { movableClock } from '../../src/clock.ts';
import { Fault } from '../../src/fault.ts';
import { testKeys } from '../support/test-keys.ts';

const BASE = 'http://127.0.0.1:8080';
const OTHER = 'https://idp.example';
const JWKS_URL = `${OTHER}/jwks`;

type Signer = (claims: object, header?: object) => Promise<string>;

let keys: Keys;
let access: Access;
let signAsOther: Signer;
let jwksRequests: number;
let real: Temporal.Instant;
let jwksAnswer: () => Response;

beforeAll(async () => {
  keys = await testKeys();
  const pair = await generateKeyPair('RS256', { extractable: true });
  const published: JWK = { ...(await exportJWK(pair.publicKey)), kid: 'other-1', alg: 'RS256' };
  signAsOther = signer(pair.privateKey, { alg: 'RS256', kid: 'other-1' });
  jwksRequests = 0;
  jwksAnswer = () => Response.json({ keys: [published] });
  real = Temporal.Instant.from('2026-11-24T10:00:00Z');
  access = createAccess({
    mode: 'smart',
    keys,
    issuers: [{ issuer: OTHER, jwksUrl: JWKS_URL, audience: 'baton' }],
    baseUrl: () => BASE,
    clock: { now: () => real, real: () => real },
    fetch: async () => {
      jwksRequests += 1;
      return jwksAnswer();
    },
  });
});

function signer(key: CryptoKey, header: { alg: string; kid?: string; typ?: string }): Signer {
  return (claims, more = {}) =>
    new CompactSign(new TextEncoder().encode(JSON.stringify(claims)))
      .setProtectedHeader({ ...header, ...more })
      .sign(key);
}

const seconds = () => Math.floor(real.epochMilliseconds / 1000);
const own = (): Signer => signer(keys.token.privateKey, { alg: 'ES384', kid: keys.token.keyId, typ: 'at+jwt' });
const good = () => ({
  iss: BASE,
  aud: `${BASE}/fhir/R4`,
  client_id: 'app',
  scope: 'system/*.rs',
  exp: seconds() + 300,
});
const enter = (token: string) => access.authenticate(`Bearer ${token}`);

async function refusal(token: string): Promise<string> {
  try {
    await enter(token);
  } catch (error) {
    expect(error).toBeInstanceOf(Fault);
    expect((error as Fault).kind).toBe('unauthenticated');
    expect((error as Fault).message).not.toContain(token);
    return (error as Fault).message;
  }
  throw new Error('The token was let in.');
}

describe('a token of our own', () => {
  it('becomes a grant with its client and scopes', async () => {
    const grant = await enter(
      await access.issue({ clientId: 'cli', scope: 'system/Task.rs baton/ops', lifetimeSeconds: 60 }),
    );
    expect(grant.actor).toEqual({ reference: 'cli', kind: 'client' });
    expect(grant.scopes.doors.has('baton/ops')).toBe(true);
  });

  it('names the user when a person asks', async () => {
    const token = await own()({ ...good(), fhirUser: `${BASE}/fhir/R4/Practitioner/12`, patient: 'p1' });
    expect(await enter(token)).toMatchObject({ actor: { reference: 'Practitioner/12', kind: 'user' }, patient: 'p1' });
  });

  it('may name the base URL as its audience, also with others', async () => {
    await expect(enter(await own()({ ...good(), aud: ['https://x.example', BASE] }))).resolves.toBeDefined();
  });

  it('is refused once it has expired, also after it was accepted, with 30 seconds of leeway', async () => {
    const start = real;
    const token = await own()({ ...good(), exp: seconds() + 20 });
    await enter(token);
    real = start.add({ seconds: 49 });
    await expect(enter(token)).resolves.toBeDefined();
    real = start.add({ seconds: 50 });
    expect(await refusal(token)).toContain('expired');
    real = start;
  });

  it.each<[string, () => object, string]>([
    ['expired', () => ({ ...good(), exp: seconds() - 31 }), 'expired'],
    ['without expiry', () => ({ ...good(), exp: undefined }), 'no expiry'],
    ['with an expiry that is text', () => ({ ...good(), exp: '9999999999' }), 'no expiry'],
    ['not valid yet', () => ({ ...good(), nbf: seconds() + 31 }), 'not valid yet'],
    ['for another audience', () => ({ ...good(), aud: 'https://other.example/fhir' }), 'another server'],
    ['without audience', () => ({ ...good(), aud: undefined }), 'another server'],
    ['from an unknown issuer', () => ({ ...good(), iss: 'https://evil.example' }), 'does not trust'],
    ['without issuer', () => ({ ...good(), iss: undefined }), 'does not trust'],
    ['without anybody in it', () => ({ ...good(), client_id: undefined }), 'neither a user nor a client'],
  ])('is refused %s', async (_, claims, sentence) => {
    expect(await refusal(await own()(claims()))).toContain(sentence);
  });

  it('is refused when another key signed it, whatever key id it names', async () => {
    const { privateKey } = await generateKeyPair('ES384');
    const forged = signer(privateKey, { alg: 'ES384', kid: keys.token.keyId, typ: 'at+jwt' });
    expect(await refusal(await forged(good()))).toContain('signature');
  });

  it('is refused when it is not an access token', async () => {
    expect(await refusal(await own()(good(), { typ: 'JWT' }))).toContain('not an access token');
  });

  it('is refused with alg none', async () => {
    const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
    await refusal(`${encode({ alg: 'none', typ: 'at+jwt' })}.${encode(good())}.`);
  });

  it('is refused when the public key was used as a shared secret', async () => {
    const secret = new TextEncoder().encode(JSON.stringify(keys.jwks.keys[0]));
    const token = await new CompactSign(new TextEncoder().encode(JSON.stringify(good())))
      .setProtectedHeader({ alg: 'HS256', kid: keys.token.keyId, typ: 'at+jwt' })
      .sign(secret);
    await refusal(token);
  });

  it('is refused when a byte of it was changed', async () => {
    const [header, , signature] = (await own()(good())).split('.');
    const widened = Buffer.from(JSON.stringify({ ...good(), scope: 'system/*.cruds' })).toString('base64url');
    await refusal(`${header}.${widened}.${signature}`);
  });

  it('is refused when it is too long to be looked at', async () => {
    expect(await refusal(`${'a'.repeat(20_000)}.b.c`)).toContain('too long');
  });
});

describe('a token of a configured issuer', () => {
  const claims = () => ({ ...good(), iss: OTHER, aud: 'baton', sub: 'nurse', client_id: undefined });

  it('gets in with a key from the key set, which is fetched once', async () => {
    const grant = await enter(await signAsOther(claims()));
    expect(grant.actor.reference).toBe('nurse');
    await enter(await signAsOther({ ...claims(), sub: 'another' }));
    expect(jwksRequests).toBe(1);
  });

  it('is refused with an audience that only our own tokens may have', async () => {
    expect(await refusal(await signAsOther({ ...claims(), aud: `${BASE}/fhir/R4` }))).toContain('another server');
  });

  it('cannot pose as a token of our own', async () => {
    await refusal(await signAsOther(good(), { typ: 'at+jwt' }));
  });

  it('is answered with 503 while the key set cannot be fetched', async () => {
    const cut = createAccess({
      mode: 'smart',
      keys,
      issuers: [{ issuer: OTHER, jwksUrl: JWKS_URL, audience: 'baton' }],
      baseUrl: () => BASE,
      clock: { now: () => real, real: () => real },
      fetch: async () => new Response('down', { status: 500 }),
    });
    const token = await signAsOther(claims());
    await expect(cut.authenticate(`Bearer ${token}`)).rejects.toMatchObject({ kind: 'unavailable' });
  });
});

describe('an issuer without a key URL', () => {
  const discovering = (document: object, status = 200) =>
    createAccess({
      mode: 'smart',
      keys,
      issuers: [{ issuer: OTHER, audience: 'baton' }],
      baseUrl: () => BASE,
      clock: { now: () => real, real: () => real },
      fetch: async (url) => {
        if (url === `${OTHER}/.well-known/openid-configuration`) return Response.json(document, { status });
        return url === JWKS_URL ? jwksAnswer() : new Response('', { status: 404 });
      },
    });
  const claims = () => ({ ...good(), iss: OTHER, aud: 'baton' });

  it('is asked by OpenID Connect discovery', async () => {
    const found = discovering({ issuer: OTHER, jwks_uri: JWKS_URL });
    const grant = await found.authenticate(`Bearer ${await signAsOther(claims())}`);
    expect(grant.actor.reference).toBe('app');
  });

  it.each([
    [{ issuer: 'https://evil.example', jwks_uri: JWKS_URL }, 200],
    [{ issuer: OTHER }, 200],
    [{ issuer: OTHER, jwks_uri: JWKS_URL }, 500],
  ])('is not believed when it answers %j with %i', async (document, status) => {
    const token = await signAsOther(claims());
    const answer = discovering(document, status).authenticate(`Bearer ${token}`);
    await expect(answer).rejects.toMatchObject({ kind: 'unavailable' });
  });
});

describe('the Authorization header', () => {
  it.each([undefined, '', 'Basic dXNlcjpwYXNz', 'Bearer', 'Bearer a b', 'Bearer not-a-jwt', 'Bearer a.b.c\u0000'])(
    '%s is refused',
    async (header) => {
      await expect(access.authenticate(header)).rejects.toMatchObject({ kind: 'unauthenticated' });
    },
  );

  it('does not matter when authentication is off', async () => {
    const clock = movableClock();
    const open = createAccess({ mode: 'off', keys, issuers: [], baseUrl: () => BASE, clock });
    expect((await open.authenticate(undefined)).actor.reference).toBe('anonymous');
  });
});

// The token endpoint of SMART Backend Services, refusing every assertion that is not exactly right.
import { randomUUID } from 'node:crypto';
import { CompactSign, exportJWK, generateKeyPair } from 'jose';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Access, createAccess } from '../../src/access/access.ts';
import { OAuthError } from '../../src/access/client-assertion.ts';
import { openKeys } from '../../src/access/keys.ts';

const BASE = 'http://127.0.0.1:8080';
const now = Temporal.Instant.from('2026-11-24T10:00:00Z');
const seconds = Math.floor(now.epochMilliseconds / 1000);
const clock = { now: () => now, real: () => now };

let access: Access;
const privateKeys: Record<string, CryptoKey> = {};

beforeAll(async () => {
  const published = [];
  for (const alg of ['ES384', 'RS384', 'ES256']) {
    const pair = await generateKeyPair(alg, { extractable: true });
    privateKeys[alg] = pair.privateKey;
    published.push({ ...(await exportJWK(pair.publicKey)), kid: alg, alg });
  }
  const clients = [{ clientId: 'ehr', scope: 'system/Task.cruds system/Patient.rs', jwks: { keys: published } }];
  access = createAccess({ mode: 'smart', keys: await openKeys(), issuers: [], clients, baseUrl: () => BASE, clock });
});

const claims = () => ({
  iss: 'ehr',
  sub: 'ehr',
  aud: `${BASE}/oauth/token`,
  exp: seconds + 300,
  jti: randomUUID(),
});

async function assertion(payload: object = claims(), alg = 'ES384'): Promise<string> {
  const key = privateKeys[alg];
  if (!key) throw new Error(`no ${alg} key`);
  return new CompactSign(new TextEncoder().encode(JSON.stringify(payload)))
    .setProtectedHeader({ alg, kid: alg, typ: 'JWT' })
    .sign(key);
}

async function form(more: Record<string, unknown> = {}) {
  return {
    grant_type: 'client_credentials',
    scope: 'system/Task.rs',
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: await assertion(),
    ...more,
  };
}

async function refusal(request: Record<string, unknown>): Promise<string> {
  const outcome = await access.tokenEndpoint(request).catch((error: unknown) => error);
  expect(outcome).toBeInstanceOf(OAuthError);
  return (outcome as OAuthError).code;
}

describe('a backend client', () => {
  it.each(['ES384', 'RS384'])('signs with %s and gets a token that works', async (alg) => {
    const { response } = await access.tokenEndpoint(await form({ client_assertion: await assertion(claims(), alg) }));
    expect(response).toMatchObject({ token_type: 'bearer', expires_in: 300, scope: 'system/Task.rs' });
    const grant = await access.authenticate(`Bearer ${response.access_token}`);
    expect(grant.actor).toEqual({ reference: 'ehr', kind: 'client' });
  });

  it('may use an assertion once', async () => {
    const request = await form();
    await access.tokenEndpoint(request);
    expect(await refusal(request)).toBe('invalid_client');
  });

  it('may not ask for more than it is registered for', async () => {
    expect(await refusal(await form({ scope: 'system/*.rs' }))).toBe('invalid_scope');
    expect(await refusal(await form({ scope: 'system/Task.rs baton/ops' }))).toBe('invalid_scope');
    expect(await refusal(await form({ scope: 'nonsense' }))).toBe('invalid_scope');
    expect(await refusal(await form({ scope: undefined }))).toBe('invalid_scope');
  });

  it('must use this grant type and this assertion type', async () => {
    expect(await refusal(await form({ grant_type: 'password' }))).toBe('unsupported_grant_type');
    expect(await refusal(await form({ client_assertion_type: 'x' }))).toBe('invalid_request');
    expect(await refusal({})).toBe('unsupported_grant_type');
  });

  it.each<[string, () => object]>([
    ['an unknown client', () => ({ ...claims(), iss: 'other', sub: 'other' })],
    ['sub that differs from iss', () => ({ ...claims(), sub: 'other' })],
    ['another audience', () => ({ ...claims(), aud: `${BASE}/fhir/R4` })],
    ['an expiry in the past', () => ({ ...claims(), exp: seconds - 31 })],
    ['an expiry too far ahead', () => ({ ...claims(), exp: seconds + 331 })],
    ['no expiry', () => ({ ...claims(), exp: undefined })],
    ['no jti', () => ({ ...claims(), jti: undefined })],
  ])('is refused with %s', async (_, payload) => {
    expect(await refusal(await form({ client_assertion: await assertion(payload()) }))).toBe('invalid_client');
  });

  it('is refused with an algorithm that SMART does not name', async () => {
    expect(await refusal(await form({ client_assertion: await assertion(claims(), 'ES256') }))).toBe('invalid_client');
  });

  it('is refused when somebody else signed', async () => {
    const { privateKey } = await generateKeyPair('ES384');
    const forged = await new CompactSign(new TextEncoder().encode(JSON.stringify(claims())))
      .setProtectedHeader({ alg: 'ES384', kid: 'ES384' })
      .sign(privateKey);
    expect(await refusal(await form({ client_assertion: forged }))).toBe('invalid_client');
    expect(await refusal(await form({ client_assertion: 'garbage' }))).toBe('invalid_client');
  });
});

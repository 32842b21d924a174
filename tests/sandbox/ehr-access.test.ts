// Who gets into the simulated EHR, and what its knobs do to those who did.
import type { Bundle } from '@medplum/fhirtypes';
import { generateKeyPair } from 'jose';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { assertion, type EhrServer, startEhr, temporaryFolder } from './ehr-server.ts';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let ehr: EhrServer;

beforeEach(async () => {
  folder = await temporaryFolder();
  ehr = await startEhr(folder.path);
});
afterEach(async () => {
  await ehr.stop();
  await folder.remove();
});

async function askToken(clientAssertion: string, changes: Record<string, string> = {}) {
  const form = new URLSearchParams({
    grant_type: 'client_credentials',
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: clientAssertion,
    scope: 'system/*.cruds',
    ...changes,
  });
  const response = await fetch(`${ehr.root()}/oauth/token`, { method: 'POST', body: form });
  return { status: response.status, body: (await response.json()) as Record<string, string> };
}

describe('tokens', () => {
  const tokenUrl = () => `${ehr.root()}/oauth/token`;
  const withToken = (token: string) => ({ authorization: `Bearer ${token}` });

  it('leads a client from the smart-configuration to a working token', async () => {
    const open = await fetch(`${ehr.root()}/R4/.well-known/smart-configuration`);
    const { token_endpoint } = (await open.json()) as { token_endpoint: string };
    expect(token_endpoint).toBe(tokenUrl());
    const { status, body } = await askToken(await assertion(token_endpoint));
    expect([status, body.token_type, body.expires_in]).toEqual([200, 'bearer', 300]);
    expect((await ehr.call('GET', '/Task', undefined, withToken(body.access_token ?? ''))).status).toBe(200);
  });

  it('refuses a wrong key, a replay, an expired or too long assertion, another audience or client', async () => {
    const stranger = await generateKeyPair('ES384');
    const used = await assertion(tokenUrl());
    expect((await askToken(used)).status).toBe(200);
    const bad = [
      used,
      await assertion(tokenUrl(), { key: stranger.privateKey }),
      await assertion(tokenUrl(), { lifeSeconds: -10 }),
      await assertion(tokenUrl(), { lifeSeconds: 3600 }),
      await assertion('https://elsewhere.example/token'),
      await assertion(tokenUrl(), { clientId: 'mallory' }),
      'not.a.jwt',
    ];
    for (const each of bad) {
      const { status, body } = await askToken(each);
      expect([status, body.error]).toEqual([401, 'invalid_client']);
    }
    const good = await assertion(tokenUrl());
    expect((await askToken(good, { grant_type: 'password' })).body.error).toBe('unsupported_grant_type');
    expect((await askToken(good, { scope: 'patient/*.rs' })).body.error).toBe('invalid_scope');
  });

  it('needs a token for everything but metadata and the smart-configuration', async () => {
    const statusOf = async (path: string, token: string) =>
      (await ehr.call('GET', path, undefined, withToken(token))).status;
    for (const path of ['/Task', '/Task/1', '/_history', `${ehr.root()}/knobs`]) {
      expect(await statusOf(path, 'made-up')).toBe(401);
      expect((await fetch(path.startsWith('http') ? path : `${ehr.root()}/R4${path}`)).status).toBe(401);
    }
    expect(await statusOf('/metadata', 'made-up')).toBe(200);
    expect(await statusOf('/Task', 'from-baton')).toBe(200);
  });
});

describe('knobs', () => {
  const turn = (knobs: object) => ehr.call('PUT', `${ehr.root()}/knobs`, knobs);
  const person = { resourceType: 'Patient' };
  const count = async () => (await ehr.call<Bundle>('GET', '/Patient')).body.total;

  it('fails the next requests without writing', async () => {
    await turn({ failNext: { count: 2, status: 500 } });
    const statuses = [];
    for (let index = 0; index < 3; index++) statuses.push((await ehr.call('POST', '/Patient', person)).status);
    expect(statuses).toEqual([500, 500, 201]);
    expect(await count()).toBe(1);
  });

  it('throttles until it is told to stop', async () => {
    await turn({ throttle: { status: 429, retryAfter: 7 } });
    const { status, headers } = await ehr.call('GET', '/Patient');
    expect([status, headers.get('retry-after')]).toEqual([429, '7']);
    await turn({ throttle: null });
    expect((await ehr.call('GET', '/Patient')).status).toBe(200);
  });

  it('carries out a request whose answer it drops', async () => {
    await turn({ dropNext: 1 });
    await expect(ehr.call('POST', '/Patient', person)).rejects.toThrow();
    expect(await count()).toBe(1);
  });

  it('says which setting is wrong and leaves the rest', async () => {
    for (const wrong of [{ colour: 1 }, { latencyMs: -1 }, { failNext: { count: 'two' } }, []]) {
      expect((await turn(wrong)).status).toBe(400);
    }
    expect((await ehr.call<unknown>('GET', `${ehr.root()}/knobs`)).body).toEqual({
      latencyMs: 0,
      failNext: { count: 0, status: 503 },
      dropNext: 0,
      throttle: null,
    });
  });
});

// `baton sandbox ehr`: what it prints works, who gets in, and that a Baton can be connected with what it says.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CapabilityStatement } from '@medplum/fhirtypes';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { loadConfig } from '../../src/config.ts';
import { createRemote } from '../../src/remote/remote.ts';
import { configurationFor, introduction, startRehearsal } from '../../src/sandbox/ehr/simulator/rehearsal.ts';
import type { SimulatedEhr } from '../../src/sandbox/ehr/simulator/server.ts';
import { simulate } from './simulated-ehr.ts';

const [rs, es] = await Promise.all([generateKeyPair('RS384'), generateKeyPair('ES384')]);
const jwks = {
  keys: [
    { ...(await exportJWK(rs.publicKey)), kid: 'rs', alg: 'RS384' },
    { ...(await exportJWK(es.publicKey)), kid: 'es', alg: 'ES384' },
  ],
};

const folder = mkdtempSync(join(tmpdir(), 'baton-rehearsal-'));
const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
  rmSync(folder, { recursive: true, force: true });
});

/** Where a client publishes its keys. */
async function publish(): Promise<string> {
  const site = createServer((_request, response) => response.end(JSON.stringify(jwks)));
  await new Promise<void>((resolve) => site.listen(0, '127.0.0.1', resolve));
  ends.push(() => site.close());
  return `http://127.0.0.1:${(site.address() as AddressInfo).port}/jwks.json`;
}

async function ask(
  server: Pick<SimulatedEhr, 'tokenUrl'>,
  alg: 'RS384' | 'ES384',
  scope: string,
  headers: Record<string, string> = {},
) {
  const assertion = await new SignJWT({})
    .setProtectedHeader({ alg, kid: alg === 'RS384' ? 'rs' : 'es' })
    .setIssuer('baton')
    .setSubject('baton')
    .setAudience(server.tokenUrl)
    .setJti(crypto.randomUUID())
    .setExpirationTime('4m')
    .sign(alg === 'RS384' ? rs.privateKey : es.privateKey);
  const form = {
    grant_type: 'client_credentials',
    scope,
    ...('authorization' in headers
      ? {}
      : {
          client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
          client_assertion: assertion,
        }),
  };
  const response = await fetch(server.tokenUrl, { method: 'POST', body: new URLSearchParams(form), headers });
  return { status: response.status, body: (await response.json()) as Record<string, string> };
}

const bearer = (token: string | undefined) => ({ authorization: `Bearer ${token}` });

describe('tokens', () => {
  it('Epic: RS384 with published keys and scopes of the first generation', async () => {
    const epic = await simulate('epic', { client: { clientId: 'baton', keys: await publish() } });
    ends.push(() => epic.close());
    const scope = 'system/Task.read system/Patient.read';
    const { status, body } = await ask(epic, 'RS384', scope);
    expect([status, body.expires_in]).toEqual([200, 3600]);
    expect((await ask(epic, 'ES384', scope)).body.error).toBe('invalid_client');
    expect((await ask(epic, 'RS384', 'system/*.cruds')).body.error).toBe('invalid_scope');
    const token = bearer(body.access_token);
    const read = await epic.call('GET', '/Task/task-1', undefined, token);
    expect(read.status).toBe(200);
    expect((await epic.call('PUT', '/Task/task-1', read.body, token)).status).toBe(403);
    expect((await epic.call('GET', '/Goal/goal-1', undefined, token)).status).toBe(403);
    expect((await epic.call('GET', '/Task/task-1')).status).toBe(401);
    expect((await epic.call('GET', '/metadata')).status).toBe(200);
  });

  it('Oracle Health: 570 seconds, also for a client secret', async () => {
    const oracle = await simulate('oracle', { client: { clientId: 'baton', keys: jwks } });
    ends.push(() => oracle.close());
    const basic = (secret: string) => ({ authorization: `Basic ${Buffer.from(`baton:${secret}`).toString('base64')}` });
    const { body } = await ask(oracle, 'RS384', 'system/Goal.read', basic(oracle.clientSecret));
    expect(body.expires_in).toBe(570);
    expect((await ask(oracle, 'RS384', 'system/Goal.read', basic('guessed'))).status).toBe(401);
    const token = bearer((await ask(oracle, 'ES384', 'system/Goal.read')).body.access_token);
    expect((await oracle.call('GET', '/Goal/goal-1', undefined, token)).status).toBe(200);
    oracle.advance({ seconds: 571 });
    expect((await oracle.call('GET', '/Goal/goal-1', undefined, token)).status).toBe(401);
  });

  it('knobs: invalid_client, short lives, and the end of all tokens', async () => {
    const hapi = await simulate('hapi', { client: { clientId: 'baton', keys: jwks } });
    ends.push(() => hapi.close());
    hapi.turn({ invalidClient: true });
    const refused = await ask(hapi, 'ES384', 'system/*.rs');
    expect([refused.status, refused.body.error, refused.body.error_description]).toEqual([400, 'invalid_client', null]);
    hapi.turn({ invalidClient: false, tokenSeconds: 5 });
    const { body } = await ask(hapi, 'ES384', 'system/*.rs');
    expect(body.expires_in).toBe(5);
    const read = async () => (await hapi.call('GET', '/Task/task-1', undefined, bearer(body.access_token))).status;
    expect(await read()).toBe(200);
    await hapi.control('POST', '/expire-tokens');
    expect(await read()).toBe(401);
    hapi.turn({ mishaps: [{ do: 'status', status: 503, on: 'token' }] });
    expect((await ask(hapi, 'ES384', 'system/*.rs')).status).toBe(503);
  });
});

describe('the command', () => {
  const start = async (options: Parameters<typeof startRehearsal>[0]) => {
    const server = await startRehearsal({ port: '0', ...options });
    ends.push(() => server.close());
    return server;
  };

  it.each(['epic', 'oracle', 'hapi'])(
    '%s: prints a configuration that Baton takes, and is found with it',
    async (vendor) => {
      const server = await start({ vendor, tenant: 'north', open: true });
      const file = join(mkdtempSync(join(tmpdir(), 'baton-rehearsal-')), 'baton.json');
      writeFileSync(file, JSON.stringify(configurationFor(server, { open: true })));
      ends.push(() => rmSync(file));
      const [connection] = loadConfig({ BATON_CONFIG: file }).connections;
      expect(connection?.baseUrl).toContain('/north');
      const remote = createRemote({
        settings: connection as NonNullable<typeof connection>,
        clock: systemClock(),
        fetch: globalThis.fetch,
        onBreaker: () => {},
      });
      const capability = await remote.capability(remote.session(() => {}));
      expect(capability.ok && capability.value.supports('CarePlan', 'read')).toBe(true);
      expect(introduction(server, {}).join('\n')).toContain(`FHIR base     ${server.baseUrl}`);
      expect(JSON.stringify(configurationFor(server, {}))).toContain('"type":"smart-backend","clientId":"baton"');
    },
  );

  it('reads its records from a folder, the types that the vendor keeps', async () => {
    const data = mkdtempSync(join(tmpdir(), 'baton-rehearsal-'));
    ends.push(() => rmSync(data, { recursive: true }));
    const patient = { resourceType: 'Patient', id: 'ann' };
    const entry = [{ resource: { resourceType: 'Task', id: 't' } }, { resource: { resourceType: 'Goal', id: 'g' } }];
    writeFileSync(join(data, 'patient.json'), JSON.stringify(patient));
    writeFileSync(join(data, 'more.json'), JSON.stringify({ resourceType: 'Bundle', type: 'collection', entry }));
    const server = await start({ vendor: 'oracle', data, open: true });
    expect(server.ehr.records.counts()).toEqual({ Goal: 1, Patient: 1 });
    const response = await fetch(`${server.baseUrl}/Patient/ann`);
    expect(response.status).toBe(200);
  });

  it('says in a sentence what is wrong', async () => {
    await expect(start({ vendor: 'nextgen' })).rejects.toThrow('There is no vendor "nextgen"');
    await expect(start({ patients: 'many' })).rejects.toThrow('--patients must be a whole number');
    await expect(start({ data: join(folder, 'nowhere') })).rejects.toThrow('cannot be read');
    const { baseUrl } = await start({ open: true });
    await expect(start({ port: new URL(baseUrl).port })).rejects.toThrow('is in use');
  });

  it('takes latency, seed and a number of patients', async () => {
    const server = await start({ vendor: 'epic', latency: '1', seed: '9', patients: '12', open: true });
    expect([server.ehr.knobs.latency, server.ehr.records.counts().Patient]).toEqual([1, 12]);
    const statement = (await (await fetch(`${server.baseUrl}/metadata`)).json()) as CapabilityStatement;
    expect(statement.software).toEqual({ name: 'Epic', version: 'May 2026' });
  });
});

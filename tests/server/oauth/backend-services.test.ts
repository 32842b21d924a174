// SMART Backend Services, refusing every assertion that is not exactly right.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { generateKeyPair } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, post, read } from './app.ts';
import { inSeconds, signAssertion } from './client-assertions.ts';
import { makeClientKeys, openWorld, registered, type World } from './world.ts';

let world: World;
let keyServer: Server;
let keysAsked = 0;
const keys = await makeClientKeys('ES384', 'RS384', 'ES256');

beforeAll(async () => {
  keyServer = createServer((request, response) => {
    keysAsked += 1;
    response.end(request.url === '/large' ? ' '.repeat(100_000) : JSON.stringify(keys.jwks));
  });
  await new Promise<void>((resolve) => keyServer.listen(0, '127.0.0.1', resolve));
  const at = `http://127.0.0.1:${(keyServer.address() as AddressInfo).port}`;
  const service = { scope: 'system/Task.cruds system/Patient.rs baton/intake', redirectUris: [] };
  world = await openWorld({
    clients: [
      registered('ehr', { ...service, jwks: keys.jwks }),
      registered('by-url', { ...service, jwksUrl: `${at}/jwks.json` }),
      registered('large', { ...service, jwksUrl: `${at}/large` }),
      registered('away', { ...service, jwksUrl: 'http://127.0.0.1:9/jwks.json' }),
      registered('person', { jwks: keys.jwks }),
    ],
  });
});
afterAll(async () => {
  await world.close();
  keyServer.close();
});

interface Request {
  readonly client?: string;
  readonly alg?: string;
  readonly claims?: Readonly<Record<string, unknown>>;
  readonly fields?: Readonly<Record<string, string | undefined>>;
}

async function form({ client = 'ehr', alg = 'ES384', claims, fields }: Request = {}) {
  const proof = await signAssertion(world, client, keys.privateKeys[alg], alg, claims);
  return { grant_type: 'client_credentials', scope: 'system/Task.rs', ...proof, ...fields };
}

const ask = async (request?: Request): Promise<Answer> => post(`${world.base}/oauth/token`, await form(request));
const outcome = ({ status, json }: Answer) => [status, json.error];
const INVALID_CLIENT = [401, 'invalid_client'];

describe('a backend client', () => {
  it.each([
    ['ehr', 'ES384'],
    ['ehr', 'RS384'],
    ['by-url', 'ES384'],
    ['by-url', 'RS384'],
  ])('%s signs with %s and gets a token that works', async (client, alg) => {
    const answer = await ask({ client, alg });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(answer.json).toMatchObject({ token_type: 'Bearer', expires_in: 300, scope: 'system/Task.rs' });
    expect(answer.json).not.toHaveProperty('refresh_token');
    expect(await read(world, answer.json.access_token, '/Task')).toBe(200);
    expect(await read(world, answer.json.access_token, '/Patient')).toBe(403);
    const { actor } = await world.access.authenticate(`Bearer ${answer.json.access_token}`);
    expect(actor).toEqual({ reference: client, kind: 'client' });
  });

  it('is asked for its keys once a minute at most', async () => {
    await ask({ client: 'by-url' });
    const before = keysAsked;
    await ask({ client: 'by-url' });
    expect(keysAsked).toBe(before);
  });

  it('gets doors of Baton that it is registered for', async () => {
    expect((await ask({ fields: { scope: 'baton/intake system/Patient.r' } })).json.scope).toBe(
      'baton/intake system/Patient.r',
    );
  });

  it('may use an assertion once, also at another process on the same database', async () => {
    const request = await form();
    const beside = await openWorld({
      clients: [registered('ehr', { scope: 'system/Task.rs', jwks: keys.jwks })],
      beside: world,
    });
    expect((await post(`${world.base}/oauth/token`, request)).status).toBe(200);
    expect(outcome(await post(`${world.base}/oauth/token`, request))).toEqual(INVALID_CLIENT);
    const { port } = new URL(beside.listeningAt);
    expect(outcome(await post(`http://127.0.0.1:${port}/oauth/token`, request))).toEqual(INVALID_CLIENT);
    await beside.close();
  });

  it('may use an assertion once, also when it is sent many times at once', async () => {
    const request = await form();
    const answers = await Promise.all([1, 2, 3, 4].map(() => post(`${world.base}/oauth/token`, request)));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 401, 401, 401]);
  });

  it.each([
    'system/*.rs',
    'system/Task.rs baton/ops',
    'nonsense',
    'patient/Task.rs',
    'openid',
    undefined,
    Array.from({ length: 201 }, (_, i) => `system/Task.rs?code=${i}`).join(' '),
  ])('may not ask for %s', async (scope) => {
    expect(outcome(await ask({ fields: { scope } }))).toEqual([400, 'invalid_scope']);
  });

  it('must use a grant type and an assertion type that are there', async () => {
    expect(outcome(await ask({ fields: { grant_type: 'password' } }))).toEqual([400, 'unsupported_grant_type']);
    expect(outcome(await ask({ fields: { client_assertion_type: 'x' } }))).toEqual([400, 'invalid_request']);
    expect(outcome(await post(`${world.base}/oauth/token`, {}))).toEqual([400, 'invalid_request']);
    expect(outcome(await ask({ client: 'person' }))).toEqual([400, 'unauthorized_client']);
  });

  it.each<[string, Readonly<Record<string, unknown>>]>([
    ['sub that differs from iss', { sub: 'by-url' }],
    ['iss that differs from sub', { iss: 'by-url' }],
    ['the FHIR server as audience', { aud: 'FHIR' }],
    ['the issuer as audience', { aud: 'ISSUER' }],
    ['no audience', { aud: undefined }],
    ['an expiry in the past', { exp: inSeconds(-31) }],
    ['an expiry of ten minutes', { exp: inSeconds(600) }],
    ['no expiry', { exp: undefined }],
    ['an expiry that is a text', { exp: 'tomorrow' }],
    ['no jti', { jti: undefined }],
    ['a jti that is a list', { jti: ['a'] }],
  ])('is refused with %s', async (_, wrong) => {
    const { aud } = wrong;
    const audience = aud === 'FHIR' ? { aud: world.fhirBase } : aud === 'ISSUER' ? { aud: world.base } : {};
    expect(outcome(await ask({ claims: { ...wrong, ...audience } }))).toEqual(INVALID_CLIENT);
  });

  it('is refused with an algorithm that SMART does not name', async () => {
    expect(outcome(await ask({ alg: 'ES256' }))).toEqual(INVALID_CLIENT);
  });

  it('is refused when somebody else signed, or nobody did', async () => {
    const { privateKey } = await generateKeyPair('ES384');
    const forged = await signAssertion(world, 'ehr', privateKey, 'ES384');
    expect(outcome(await ask({ fields: forged }))).toEqual(INVALID_CLIENT);
    expect(outcome(await ask({ fields: { client_assertion: 'garbage' } }))).toEqual(INVALID_CLIENT);
    const [, payload] = forged.client_assertion.split('.');
    const none = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${payload}.`;
    expect(outcome(await ask({ fields: { client_assertion: none } }))).toEqual(INVALID_CLIENT);
  });

  it('is told the same whether it is unknown, signs wrongly, or its keys cannot be had', async () => {
    const answers = [
      await ask({ client: 'unknown' }),
      await ask({ client: 'large' }),
      await ask({ client: 'away' }),
      await ask({ alg: 'ES256' }),
    ];
    expect(new Set(answers.map(({ json }) => JSON.stringify(json))).size).toBe(1);
    expect(answers.map(outcome)).toEqual(answers.map(() => INVALID_CLIENT));
  });

  it('leaves lines in the audit trail, without the token', async () => {
    const { json } = await ask();
    const rows = await world.audited('token');
    expect(rows.at(-1)).toMatchObject({ actor: 'ehr', status: 200 });
    await ask({ alg: 'ES256' });
    expect((await world.audited('token')).at(-1)).toMatchObject({ actor: 'unknown', status: 401 });
    const everything = await world.temp.store.query('SELECT * FROM audit');
    expect(JSON.stringify(everything, (_, value) => (typeof value === 'bigint' ? String(value) : value))).not.toContain(
      json.access_token,
    );
  });
});

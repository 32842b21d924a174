// Signing in at the site's own identity provider: a small but real one, with a signed id token.
import { createHash, randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { authorizeUrl, exchange, read } from './app.ts';
import { Browser } from './browser.ts';
import { openWorld, pkce, type World } from './world.ts';

let world: World;
let provider: Server;
let issuer: string;
let key: { privateKey: CryptoKey; jwk: JWK };
/** What the provider says about whoever signs in next. */
let claims: Record<string, unknown>;
const codes = new Map<string, URLSearchParams>();

beforeAll(async () => {
  const { privateKey, publicKey } = await generateKeyPair('RS256');
  key = { privateKey, jwk: { ...(await exportJWK(publicKey)), kid: 'k', alg: 'RS256' } };
  provider = createServer(async (request, response) => {
    const answer = await answerTo(request);
    if (answer instanceof URL) response.writeHead(302, { location: answer.href }).end();
    else
      response.writeHead(answer ? 200 : 400, { 'content-type': 'application/json' }).end(JSON.stringify(answer ?? {}));
  });
  await new Promise<void>((resolve) => provider.listen(0, '127.0.0.1', resolve));
  issuer = `http://127.0.0.1:${(provider.address() as AddressInfo).port}`;
  const login = { issuer, clientId: 'baton', clientSecret: 'shared', claim: 'fhir' };
  world = await openWorld({ login });
});
beforeEach(() => {
  claims = { sub: 'u1', fhir: 'Practitioner/dr1' };
});
afterAll(async () => {
  await world.close();
  provider.close();
});

async function answerTo(request: IncomingMessage): Promise<unknown> {
  const url = new URL(request.url ?? '', issuer);
  switch (url.pathname) {
    case '/.well-known/openid-configuration':
      return {
        issuer,
        authorization_endpoint: `${issuer}/authorize`,
        token_endpoint: `${issuer}/token`,
        jwks_uri: `${issuer}/keys`,
        response_types_supported: ['code'],
        id_token_signing_alg_values_supported: ['RS256'],
      };
    case '/keys':
      return { keys: [key.jwk] };
    case '/authorize': {
      const code = randomUUID();
      codes.set(code, url.searchParams);
      const back = new URL(url.searchParams.get('redirect_uri') ?? '');
      back.searchParams.set('code', code);
      back.searchParams.set('state', url.searchParams.get('state') ?? '');
      return back;
    }
    case '/token': {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk);
      const form = new URLSearchParams(Buffer.concat(chunks).toString());
      const asked = codes.get(form.get('code') ?? '');
      const challenge = createHash('sha256')
        .update(form.get('code_verifier') ?? '')
        .digest('base64url');
      if (asked?.get('code_challenge') !== challenge) return undefined;
      const id_token = await new SignJWT({ nonce: asked.get('nonce'), ...claims })
        .setProtectedHeader({ alg: 'RS256', kid: 'k' })
        .setIssuer(issuer)
        .setAudience('baton')
        .setIssuedAt()
        .setExpirationTime('1m')
        .sign(key.privateKey);
      return { access_token: 'x', token_type: 'Bearer', id_token };
    }
    default:
      return undefined;
  }
}

/** Signs in at the provider; ends on Baton's next page. */
async function signInOutside(browser = new Browser(), change = (url: URL) => url) {
  const proof = pkce();
  await browser.open(authorizeUrl(world, proof, { scope: 'openid fhirUser user/*.rs' }));
  const there = await fetch(browser.page.url, { redirect: 'manual' });
  const back = change(new URL(there.headers.get('location') ?? ''));
  await browser.open(back.href);
  return { browser, proof };
}

it('leads to the same consent and the same token', async () => {
  const { browser, proof } = await signInOutside();
  expect(browser.page.text).toContain('You are signed in as Practitioner/dr1');
  await browser.submit({ decision: 'allow' });
  const code = new URL(browser.page.url).searchParams.get('code') ?? '';
  const { json } = await exchange(world, { code, proof });
  expect(await read(world, json.access_token)).toBe(200);
  expect((await world.audited('login')).at(-1)).toMatchObject({ actor: 'Practitioner/dr1', status: 200 });
});

it('takes the reference as an absolute URL, too, and keeps one account per person', async () => {
  claims = { sub: 'u2', fhir: `${world.fhirBase}/Patient/p1` };
  expect((await signInOutside()).browser.page.text).toContain('Patient/p1');
  claims = { sub: 'u2', fhir: 'Patient/p2' };
  expect((await signInOutside()).browser.page.text).toContain('Patient/p2');
  const accounts = await world.authorization.accounts.list();
  expect(accounts.filter(({ username }) => username === undefined).length).toBeLessThanOrEqual(2);
});

it('is over for somebody whose account is disabled by its id', async () => {
  const { accounts } = world.authorization;
  claims = { sub: 'leaver', fhir: 'Practitioner/dr2' };
  const { browser } = await signInOutside();
  expect(browser.page.text).toContain('You are signed in as Practitioner/dr2');
  const leaver = (await accounts.list()).find(({ username, fhirUser }) => !username && fhirUser === 'Practitioner/dr2');
  await accounts.disable({ reference: 'test', kind: 'service' }, leaver?.id ?? '');
  expect((await signInOutside()).browser.page.status).toBe(403);
  claims = { sub: 'u1', fhir: 'Practitioner/dr1' };
});

it.each([
  ['says nothing of who it is', { fhir: undefined }],
  ['names somebody who cannot sign in', { fhir: 'Organization/o1' }],
  ['answers for another request', { nonce: 'another' }],
])('is refused when the provider %s', async (_, wrong) => {
  claims = { ...claims, ...wrong };
  const { browser } = await signInOutside();
  expect(browser.page.status).toBe(403);
  expect((await world.audited('login')).at(-1)).toMatchObject({ actor: 'unknown', status: 403 });
});

it('is refused with another state, and the second time', async () => {
  const other = await signInOutside(new Browser(), (url) => {
    url.searchParams.set('state', 'made-up');
    return url;
  });
  expect(other.browser.page.status).toBe(400);
  let back = '';
  const { browser } = await signInOutside(new Browser(), (url) => {
    back = url.href;
    return url;
  });
  expect(browser.page.text).toContain('Do you allow');
  expect((await browser.open(back)).status).toBe(400);
});

it('is refused in another browser than the one that began', async () => {
  let back = '';
  await signInOutside(new Browser(), (url) => {
    back = url.href;
    return new URL(`${world.base}/healthz`);
  });
  expect((await new Browser().open(back)).status).toBe(400);
});

it('leaves no door for passwords', async () => {
  const browser = new Browser();
  const answer = await fetch(authorizeUrl(world, pkce()), { redirect: 'manual' });
  const location = answer.headers.get('location') ?? '';
  for (const line of answer.headers.getSetCookie()) {
    const [pair = ''] = line.split(';');
    const [name = '', value = ''] = pair.split(/=(.*)/s);
    browser.cookies.set(name, { value, path: '/' });
  }
  expect((await browser.post(`${location}/login`, { username: 'grey', password: 'x' })).status).toBe(405);
});

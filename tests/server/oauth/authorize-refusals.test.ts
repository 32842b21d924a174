// What the authorization endpoint refuses: to the application when its address is certain, else to the person.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { authorizeUrl, SCOPE, STATE } from './app.ts';
import { Browser } from './browser.ts';
import { APP, openWorld, pkce, type World } from './world.ts';

let world: World;

beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.close());

type Parameters = Readonly<Record<string, string | undefined>>;

async function refusal(parameters: Parameters): Promise<(string | null)[]> {
  const browser = new Browser();
  await browser.open(authorizeUrl(world, pkce(), parameters));
  const { origin, pathname, search, hash } = new URL(browser.page.url);
  // Of a response type or mode that answers in the fragment, the refusal does, too.
  const answer = new URLSearchParams(search === '' ? hash.slice(1) : search);
  return [`${origin}${pathname}`, answer.get('error'), answer.get('state')];
}

describe('the application learns of', () => {
  it.each<[string, Parameters, string]>([
    ['a missing challenge', { code_challenge: undefined, code_challenge_method: undefined }, 'invalid_request'],
    ['a challenge without a method', { code_challenge_method: undefined }, 'invalid_request'],
    ['the method plain', { code_challenge_method: 'plain' }, 'invalid_request'],
    ['a challenge that is none', { code_challenge: 'short' }, 'invalid_request'],
    ['a missing aud', { aud: undefined }, 'invalid_request'],
    ['another aud', { aud: 'https://elsewhere.example/fhir' }, 'invalid_request'],
    ['a resource that is not this server', { resource: 'https://elsewhere.example/fhir' }, 'invalid_target'],
    ['a missing scope', { scope: undefined }, 'invalid_scope'],
    ['an unknown scope', { scope: `${SCOPE} everything` }, 'invalid_scope'],
    ['a scope with its letters in the wrong order', { scope: 'patient/*.sr' }, 'invalid_scope'],
    ['a scope for services', { scope: 'system/*.rs' }, 'invalid_scope'],
    ['a door of Baton', { scope: 'baton/ops' }, 'invalid_scope'],
    ['writing, being registered for reading', { scope: 'patient/*.cruds' }, 'invalid_scope'],
    ['an implicit response type', { response_type: 'token' }, 'invalid_request'],
    ['a response mode that is not there', { response_mode: 'fragment' }, 'invalid_request'],
    ['prompt=none without a session', { prompt: 'none' }, 'login_required'],
    ['a request object', { request: 'x.y.z' }, 'request_not_supported'],
  ])('%s', async (_, parameters, error) => {
    expect(await refusal(parameters)).toEqual([APP, error, STATE]);
  });

  it('scopes beyond its registration', async () => {
    const narrow = { client_id: 'narrow' };
    const ask = (scope: string) => refusal({ ...narrow, scope });
    expect(await ask('launch/patient patient/Observation.rs')).toEqual([APP, 'invalid_scope', STATE]);
    expect(await ask('patient/Observation.rs?category=vital-signs')).toEqual([APP, 'invalid_scope', STATE]);
    expect(await ask('openid patient/Observation.rs?category=laboratory')).toEqual([APP, 'invalid_scope', STATE]);
    const [where] = await ask('launch/patient patient/Observation.s?category=laboratory');
    expect(where).toContain('/oauth/interaction/');
  });
});

describe('the person sees a page, and nobody is sent anywhere, for', () => {
  it.each<[string, Parameters]>([
    ['an unknown application', { client_id: 'unknown' }],
    ['no application', { client_id: undefined }],
    ['another address', { redirect_uri: 'https://evil.example/app' }],
    ['an address that only begins like the registered one', { redirect_uri: `${APP}/more` }],
    ['an address with something added', { redirect_uri: `${APP}?x=1` }],
    ['the registered address on another port', { redirect_uri: APP.replace(':9', ':10') }],
    ['no address', { redirect_uri: undefined }],
  ])('%s', async (_, parameters) => {
    const browser = new Browser();
    const page = await browser.open(authorizeUrl(world, pkce(), parameters));
    expect(page.status).toBe(400);
    expect(new URL(page.url).origin).toBe(world.base);
    expect(page.headers.get('content-type')).toContain('text/html');
    expect(page.headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(page.text).toContain('This cannot go on');
    expect(page.text).not.toMatch(/<script|node_modules| at /);
  });

  it('a parameter that is there twice', async () => {
    const browser = new Browser();
    const page = await browser.open(`${authorizeUrl(world, pkce())}&client_id=other`);
    expect([page.status, new URL(page.url).origin]).toEqual([400, world.base]);
  });

  it.each([
    ['a form that is too large', 'application/x-www-form-urlencoded', 'x'.repeat(20_000), 413],
    ['a body that is no form', 'application/json', '{}', 400],
  ])('%s', async (_, type, body, status) => {
    const headers = { 'content-type': type };
    const answer = await fetch(`${world.base}/oauth/authorize`, { method: 'POST', headers, body });
    expect([answer.status, answer.headers.get('content-type')]).toEqual([status, 'text/html; charset=utf-8']);
  });

  it('markup in a parameter, which stays text', async () => {
    const browser = new Browser();
    const page = await browser.open(authorizeUrl(world, pkce(), { client_id: '<script>alert(1)</script>' }));
    expect(page.text).not.toContain('<script');
  });
});

it('every refusal is in the audit trail', async () => {
  await refusal({ aud: undefined });
  await refusal({ client_id: 'unknown' });
  const rows = (await world.audited('authorize')).slice(-2);
  expect(rows.map(({ actor, status }) => [actor, Number(status)])).toEqual([
    ['public', 400],
    ['unknown', 400],
  ]);
});

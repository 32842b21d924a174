// Standalone launch: the application begins, a person signs in, picks a patient and allows it.
import { createRemoteJWKSet, jwtVerify } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { authorizeUrl, exchange, launch, read, refresh, SCOPE, STATE, signIn } from './app.ts';
import { Browser } from './browser.ts';
import { signAssertion } from './client-assertions.ts';
import { APP, makeClientKeys, openWorld, pkce, registered, SECRET, standardClients, type World } from './world.ts';

let world: World;
const keys = await makeClientKeys('ES384', 'RS384');

beforeAll(async () => {
  const signing = registered('signing', { jwks: keys.jwks });
  world = await openWorld({ clients: [...standardClients(), signing] });
});
afterAll(() => world.close());

describe('a standalone launch', () => {
  it('of a public application ends with a token for the chosen patient', async () => {
    const launched = await launch(world);
    expect(launched.url.searchParams.get('state')).toBe(STATE);
    expect(launched.url.searchParams.get('iss')).toBe(world.base);
    const answer = await exchange(world, launched);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    const members = { token_type: 'Bearer', expires_in: 3600, patient: 'p1', need_patient_banner: true };
    expect(answer.json).toMatchObject(members);
    expect(answer.json.scope.split(' ').sort()).toEqual(SCOPE.split(' ').sort());
    expect(await read(world, answer.json.access_token)).toBe(200);
    expect(await read(world, answer.json.access_token, '/Patient/p2')).toBe(404);
  });

  it('gives an id token that says who signed in, signed with a published key', async () => {
    const { json } = await exchange(world, await launch(world));
    const published = createRemoteJWKSet(new URL(`${world.base}/.well-known/jwks.json`));
    const expected = { issuer: world.base, audience: 'public', algorithms: ['RS256'] };
    const { payload } = await jwtVerify(String(json.id_token), published, expected);
    expect(payload).toMatchObject({ fhirUser: `${world.fhirBase}/Practitioner/dr1` });
  });

  it.each([
    ['in the header', {}, 'secret'],
    ['in the form', { client_id: 'secret', client_secret: SECRET }, undefined],
  ])('of a confidential application proves itself with its secret %s', async (_, fields, basic) => {
    const launched = await launch(world, { parameters: { client_id: 'secret' } });
    const answer = await exchange(world, launched, { client_id: undefined, ...fields }, basic);
    expect([answer.status, answer.json.patient]).toEqual([200, 'p1']);
  });

  it.each(['ES384', 'RS384'])('of a confidential application proves itself with a %s key', async (alg) => {
    const launched = await launch(world, { parameters: { client_id: 'signing' } });
    const proof = await signAssertion(world, 'signing', keys.privateKeys[alg], alg);
    const answer = await exchange(world, launched, { client_id: undefined, ...proof });
    expect([answer.status, answer.json.patient]).toEqual([200, 'p1']);
  });

  it('takes v1 scopes and scopes with a constraint as they were asked for', async () => {
    const scope = 'launch/patient patient/Observation.rs?category=laboratory patient/Condition.read';
    const { json } = await exchange(world, await launch(world, { parameters: { scope } }));
    expect(json.scope.split(' ').sort()).toEqual(scope.split(' ').sort());
    expect(json).not.toHaveProperty('id_token');
    expect(json).not.toHaveProperty('refresh_token');
  });

  it('begins with POST as well', async () => {
    const browser = new Browser();
    const proof = pkce();
    const url = new URL(authorizeUrl(world, proof));
    await browser.post(`${world.base}${url.pathname}`, Object.fromEntries(url.searchParams));
    expect(browser.page.text).toContain('Sign in to go on to The public app');
  });

  it('of a trusted application asks for no consent', async () => {
    const browser = new Browser();
    await browser.open(authorizeUrl(world, pkce(), { client_id: 'trusted' }));
    await signIn(browser);
    await browser.submit({ text: 'MRN-p2' });
    await browser.submit({ patient: 'p2' });
    expect(new URL(browser.page.url).searchParams.has('code')).toBe(true);
  });

  it('asks who somebody is once, but which patient every time', async () => {
    const browser = new Browser();
    const first = await exchange(world, await launch(world, { browser }));
    await browser.open(authorizeUrl(world, pkce()));
    expect(browser.page.text).toContain('Choose a patient');
    const second = await exchange(world, await launch(world, { browser }));
    expect(second.status).toBe(200);
    // Both are open side by side.
    expect(await read(world, first.json.access_token)).toBe(200);
    expect((await refresh(world, first.json.refresh_token)).status).toBe(200);
  });

  it('offers the encounters of the patient when the application asks for one', async () => {
    const browser = new Browser();
    const proof = pkce();
    const scope = 'launch/patient launch/encounter patient/*.rs';
    await browser.open(authorizeUrl(world, proof, { scope }));
    await signIn(browser);
    await browser.submit({ text: 'Eleanor Oka' });
    await browser.submit({ patient: 'p1' });
    expect(browser.page.text).toContain('2026-11-01, inpatient encounter, finished');
    const foreign = await browser.submit({ encounter: 'e2' });
    expect(foreign.status).toBe(400);
    await browser.open(foreign.url.replace('/context', ''));
    await browser.submit({ text: 'eleanor' });
    await browser.submit({ patient: 'p1' });
    await browser.submit({ encounter: 'e1' });
    await browser.submit({ decision: 'allow' });
    const code = new URL(browser.page.url).searchParams.get('code') ?? '';
    const { json } = await exchange(world, { code, proof });
    expect(json).toMatchObject({ patient: 'p1', encounter: 'e1' });
  });

  it.each([
    ['eleanor', 'p1'],
    ['daughter', 'p2'],
  ])('of %s is about %s, without a choice', async (username, patient) => {
    const { json } = await exchange(world, await launch(world, { username }));
    expect(json.patient).toBe(patient);
  });

  it('leaves no way for a patient to open somebody else', async () => {
    const browser = new Browser();
    await browser.open(authorizeUrl(world, pkce(), { scope: 'launch/patient launch/encounter patient/*.rs' }));
    await signIn(browser, 'eleanor');
    expect(browser.page.text).toContain('encounter of Eleanor Okafor');
    const { action } = /action="(?<action>[^"]+)\/context"/.exec(browser.page.text)?.groups ?? {};
    const refused = await browser.post(`${action}/context`, { patient: 'p2', encounter: '' });
    expect([refused.status, refused.text]).toEqual([403, expect.stringContaining('may not open this patient')]);
    const searched = await browser.post(`${action}/context`, { text: 'samuel' });
    expect(searched.text).not.toContain('Samuel Okafor');
  });
});

describe('somebody who does not want to', () => {
  it.each([
    ['denies on the consent page', async (browser: Browser) => void (await browser.submit({ decision: 'deny' }))],
    ['sends anything but yes', async (browser: Browser) => void (await browser.submit({ decision: 'x' }))],
  ])('%s: the application learns access_denied', async (_, deny) => {
    const browser = new Browser();
    await browser.open(authorizeUrl(world, pkce(), { scope: 'user/*.rs' }));
    await signIn(browser);
    await deny(browser);
    const { origin, pathname, searchParams } = new URL(browser.page.url);
    expect(`${origin}${pathname}`).toBe(APP);
    expect([searchParams.get('error'), searchParams.get('state')]).toEqual(['access_denied', STATE]);
  });

  it('cancels on any page', async () => {
    const browser = new Browser();
    await browser.open(authorizeUrl(world, pkce()));
    const { action } = /action="(?<action>[^"]+)\/cancel"/.exec(browser.page.text)?.groups ?? {};
    await browser.post(`${action}/cancel`, {});
    expect(new URL(browser.page.url).searchParams.get('error')).toBe('access_denied');
  });
});

it('the consent page says in words what is asked for', async () => {
  const browser = new Browser();
  const scope =
    'launch/patient patient/Observation.rs?category=laboratory patient/MedicationRequest.read offline_access';
  await browser.open(authorizeUrl(world, pkce(), { scope }));
  await signIn(browser);
  await browser.submit({ text: 'eleanor' });
  await browser.submit({ patient: 'p1' });
  expect(browser.page.text).toContain('Do you allow The public app to do this?');
  expect(browser.page.text).toContain('Read and search: observations of Eleanor Okafor, only with category laboratory');
  expect(browser.page.text).toContain('Read and search: medication requests of Eleanor Okafor');
  expect(browser.page.text).toContain('Keep this access when you are not there');
});

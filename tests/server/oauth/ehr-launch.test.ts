// EHR launch: whoever has a patient open starts an application on that patient.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { authorizeUrl, exchange, launch, read, STATE, signIn } from './app.ts';
import { Browser } from './browser.ts';
import { APP, openWorld, pkce, type World } from './world.ts';

let world: World;
let userToken: string;
let ehrToken: string;

beforeAll(async () => {
  world = await openWorld();
  const { json } = await exchange(world, await launch(world, { parameters: { scope: 'user/*.rs' } }));
  userToken = json.access_token;
  ehrToken = await world.access.issue({ clientId: 'ehr', scope: 'baton/launch', lifetimeSeconds: 300 });
});
afterAll(() => world.close());

interface Made {
  readonly status: number;
  readonly json: { readonly launch: string; readonly url: string };
}

async function make(body: object, token = ehrToken): Promise<Made> {
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` };
  const answer = await fetch(`${world.base}/oauth/launch`, { method: 'POST', headers, body: JSON.stringify(body) });
  return { status: answer.status, json: (await answer.json()) as Made['json'] };
}

const SCOPE = 'openid fhirUser launch patient/*.rs';

/** The error that the application learns. */
function errorOf({ page }: Browser): (string | null)[] {
  const { origin, pathname, searchParams } = new URL(page.url);
  return [`${origin}${pathname}`, searchParams.get('error'), searchParams.get('state')];
}

const REFUSED = [APP, 'invalid_request', STATE];

describe('an EHR launch', () => {
  it.each([
    ['a service', () => ehrToken],
    ['the user', () => userToken],
  ])('that %s makes gives the application its context', async (_, token) => {
    const context = { patient: 'p1', encounter: 'e1', intent: 'reconcile', needPatientBanner: false };
    const fhirContext = [{ reference: 'Task/t1' }];
    const made = await make({ client: 'public', ...context, fhirContext }, token());
    expect(made.status).toBe(201);
    const url = new URL(made.json.url);
    expect(`${url.origin}${url.pathname}`).toBe(`${APP}/launch`);
    expect(url.searchParams.get('iss')).toBe(world.fhirBase);
    const launched = await launch(world, {
      parameters: { scope: SCOPE, launch: url.searchParams.get('launch') ?? '' },
    });
    const { json } = await exchange(world, launched);
    expect(json).toMatchObject({
      patient: 'p1',
      encounter: 'e1',
      intent: 'reconcile',
      need_patient_banner: false,
      fhirContext,
    });
    expect(await read(world, json.access_token)).toBe(200);
    expect((await world.audited('launch')).at(-1)).toMatchObject({ status: 201 });
  });

  it('of a confidential and trusted application needs a sign-in only', async () => {
    const { json: made } = await make({ client: 'trusted', patient: 'p2' });
    const browser = new Browser();
    const proof = pkce();
    await browser.open(authorizeUrl(world, proof, { client_id: 'trusted', scope: SCOPE, launch: made.launch }));
    await signIn(browser);
    const code = new URL(browser.page.url).searchParams.get('code') ?? '';
    const { json } = await exchange(world, { code, proof }, { client_id: undefined }, 'trusted');
    expect(json.patient).toBe('p2');
  });

  it('is refused when it is unknown, spent, of another application, or too old', async () => {
    const begin = async (ticket: string) => {
      const browser = new Browser();
      await browser.open(authorizeUrl(world, pkce(), { scope: SCOPE, launch: ticket }));
      return browser;
    };
    expect(errorOf(await begin('unknown'))).toEqual(REFUSED);

    const { json: spent } = await make({ client: 'public', patient: 'p1' });
    expect((await begin(spent.launch)).page.text).toContain('Sign in');
    expect(errorOf(await begin(spent.launch))).toEqual(REFUSED);

    const { json: foreign } = await make({ client: 'other', patient: 'p1' });
    expect(errorOf(await begin(foreign.launch))).toEqual(REFUSED);

    const { json: old } = await make({ client: 'public', patient: 'p1' });
    const past = [
      {
        sql: "UPDATE oauth_state SET payload = REPLACE(payload, 'expires\":', 'expires\":0.') WHERE model = 'Launch' AND consumed IS NULL",
        params: [],
      },
    ];
    await world.temp.store.commit({ reference: 'test', kind: 'service' }, [], past);
    expect(errorOf(await begin(old.launch))).toEqual(REFUSED);
  });

  it('is taken once when it is used twice at the same moment', async () => {
    const { json: made } = await make({ client: 'public', patient: 'p1' });
    const url = () => authorizeUrl(world, pkce(), { scope: SCOPE, launch: made.launch });
    const browsers = [new Browser(), new Browser(), new Browser()];
    const pages = await Promise.all(browsers.map((browser) => browser.open(url())));
    expect(pages.filter(({ text }) => text.includes('Sign in'))).toHaveLength(1);
  });

  it('that a user made is for that user', async () => {
    const { json: made } = await make({ client: 'public', patient: 'p1' }, userToken);
    const browser = new Browser();
    await browser.open(authorizeUrl(world, pkce(), { scope: SCOPE, launch: made.launch }));
    await signIn(browser, 'shaw');
    expect(errorOf(browser)).toEqual(REFUSED);
  });

  it('does not open a patient to somebody who may not', async () => {
    const { json: made } = await make({ client: 'public', patient: 'p2' });
    const browser = new Browser();
    await browser.open(authorizeUrl(world, pkce(), { scope: SCOPE, launch: made.launch }));
    await signIn(browser, 'eleanor');
    expect(errorOf(browser)).toEqual([APP, 'access_denied', STATE]);
  });
});

describe('POST /oauth/launch', () => {
  it('needs a user, or the scope for it', async () => {
    const service = await world.access.issue({ clientId: 'x', scope: 'system/Patient.rs', lifetimeSeconds: 60 });
    expect((await make({ client: 'public', patient: 'p1' }, service)).status).toBe(403);
    expect((await make({ client: 'public', patient: 'p1' }, 'nothing')).status).toBe(401);
  });

  it('tells an application nothing of patients that its user did not give it', async () => {
    const { json } = await exchange(world, await launch(world));
    const ask = async (patient: string) => (await make({ client: 'public', patient }, json.access_token)).status;
    expect([await ask('p1'), await ask('p2'), await ask('p3'), await ask('nobody')]).toEqual([201, 403, 403, 403]);
  });

  it.each([
    [404, { client: 'unknown', patient: 'p1' }],
    [400, { client: 'no-launch', patient: 'p1' }],
    [400, { patient: 'p1' }],
    [400, { client: 'public', patient: 'nobody' }],
    [400, { client: 'public', patient: 'p1', encounter: 'e2' }],
    [400, { client: 'public', encounter: 'e1' }],
    [400, { client: 'public', patient: ['p1'] }],
    [400, { client: 'public', needPatientBanner: 'yes' }],
    [400, { client: 'public', fhirContext: [{ reference: 'nonsense' }] }],
    [400, { client: 'public', patients: 'p1' }],
    [400, []],
  ])('answers %s to %j', async (status, body) => {
    expect((await make(body)).status).toBe(status);
  });

  it('lets a patient launch on nobody else', async () => {
    const launched = await launch(world, { username: 'eleanor', parameters: { scope: 'user/*.rs' } });
    const { json } = await exchange(world, launched);
    expect((await make({ client: 'public', patient: 'p2' }, json.access_token)).status).toBe(403);
    expect((await make({ client: 'public', patient: 'p1' }, json.access_token)).status).toBe(201);
  });
});

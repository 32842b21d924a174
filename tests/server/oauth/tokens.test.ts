// Codes and refresh tokens: once, by whom they were given to, and dead with their grant. Introspection and revocation.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, exchange, launch, post, read, refresh, type Tokens } from './app.ts';
import { Browser } from './browser.ts';
import { APP, openWorld, pkce, registered, SECRET, type World } from './world.ts';

let world: World;

beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.close());

const outcome = ({ status, json }: Answer) => [status, json.error];
const INVALID_GRANT = [400, 'invalid_grant'];

async function tokens(parameters: Readonly<Record<string, string>> = {}): Promise<Tokens> {
  return (await exchange(world, await launch(world, { parameters }))).json;
}

describe('a code', () => {
  it('is refused with another verifier, without one, and with another address', async () => {
    const launched = await launch(world);
    expect(outcome(await exchange(world, launched, { code_verifier: pkce().verifier }))).toEqual(INVALID_GRANT);
    expect(outcome(await exchange(world, launched, { code_verifier: undefined }))).toEqual(INVALID_GRANT);
    expect(outcome(await exchange(world, launched, { redirect_uri: `${APP}/x` }))).toEqual(INVALID_GRANT);
    expect(outcome(await exchange(world, launched, { redirect_uri: undefined }))).toEqual([400, 'invalid_request']);
    expect(outcome(await exchange(world, launched, { client_id: 'other' }))).toEqual(INVALID_GRANT);
    // None of that used it up.
    expect((await exchange(world, launched)).status).toBe(200);
  });

  it('that is used twice takes back what it gave', async () => {
    const launched = await launch(world);
    const { json } = await exchange(world, launched);
    expect(await read(world, json.access_token)).toBe(200);
    expect(outcome(await exchange(world, launched))).toEqual(INVALID_GRANT);
    expect(await read(world, json.access_token)).toBe(401);
    expect(outcome(await refresh(world, json.refresh_token))).toEqual(INVALID_GRANT);
  });

  it('that is used many times at once gives tokens once', async () => {
    const launched = await launch(world);
    const answers = await Promise.all([1, 2, 3, 4, 5].map(() => exchange(world, launched)));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 400, 400, 400, 400]);
  });

  it('of a confidential application needs its secret', async () => {
    const launched = await launch(world, { parameters: { client_id: 'secret' } });
    const wrong = { client_id: 'secret', client_secret: `${SECRET}!` };
    expect(outcome(await exchange(world, launched, wrong))).toEqual([401, 'invalid_client']);
    expect(outcome(await exchange(world, launched, { client_id: 'secret' }))).toEqual([401, 'invalid_client']);
    const both = { client_id: 'secret', client_secret: SECRET };
    expect(outcome(await exchange(world, launched, both, 'secret'))).toEqual([400, 'invalid_request']);
    expect((await exchange(world, launched, both)).status).toBe(200);
  });
});

describe('a refresh token', () => {
  it('is replaced at each use, and its second use ends everything', async () => {
    const first = await tokens();
    const second = await refresh(world, first.refresh_token);
    expect(second.status).toBe(200);
    expect(second.json.patient).toBe('p1');
    expect(second.json.refresh_token).not.toBe(first.refresh_token);
    expect(await read(world, second.json.access_token)).toBe(200);
    expect(outcome(await refresh(world, first.refresh_token))).toEqual(INVALID_GRANT);
    expect(outcome(await refresh(world, second.json.refresh_token))).toEqual(INVALID_GRANT);
    expect(await read(world, second.json.access_token)).toBe(401);
    expect(await read(world, first.access_token)).toBe(401);
  });

  it('may ask for less, never for more', async () => {
    const { refresh_token } = await tokens();
    const less = await refresh(world, refresh_token, { scope: 'patient/*.rs' });
    expect(less.json.scope).toBe('patient/*.rs');
    const more = await refresh(world, less.json.refresh_token, { scope: 'user/*.cruds' });
    expect(outcome(more)).toEqual([400, 'invalid_scope']);
  });

  it('of a public application says by itself whose it is, of a confidential one not', async () => {
    const url = `${world.base}/oauth/token`;
    const grant_type = 'refresh_token';
    const { refresh_token } = await tokens();
    const answer = await post(url, { grant_type, refresh_token });
    expect([answer.status, answer.json.patient]).toEqual([200, 'p1']);
    const launched = await launch(world, { parameters: { client_id: 'secret' } });
    const { json } = await exchange(world, launched, { client_id: undefined }, 'secret');
    const nameless = await post(url, { grant_type, refresh_token: json.refresh_token });
    expect(outcome(nameless)).toEqual([400, 'invalid_request']);
    const signed = await post(url, { grant_type, refresh_token: json.refresh_token }, 'secret');
    expect(signed.status).toBe(200);
  });

  it('belongs to one application', async () => {
    const { refresh_token } = await tokens();
    expect(outcome(await refresh(world, refresh_token, { client_id: 'other' }))).toEqual(INVALID_GRANT);
  });

  it('outlives a restart', async () => {
    const { refresh_token, access_token } = await tokens();
    await world.restart();
    expect(await read(world, access_token)).toBe(200);
    expect((await refresh(world, refresh_token)).status).toBe(200);
  });

  it('for online access ends with the session', async () => {
    const browser = new Browser();
    const parameters = { scope: 'launch/patient online_access patient/*.rs' };
    const { json } = await exchange(world, await launch(world, { browser, parameters }));
    const second = await refresh(world, json.refresh_token);
    expect(second.status).toBe(200);
    await browser.open(`${world.base}/oauth/logout`);
    expect(browser.page.text).toContain('Do you want to sign out?');
    const xsrf = /name="xsrf" value="([^"]+)"/.exec(browser.page.text)?.[1] ?? '';
    await browser.post(`${world.base}/oauth/logout/confirm`, { xsrf, logout: 'yes' });
    expect(browser.page.text).toContain('You are signed out');
    expect(outcome(await refresh(world, second.json.refresh_token))).toEqual(INVALID_GRANT);
    expect((await world.audited('logout')).length).toBe(1);
  });
});

describe('the token endpoint', () => {
  it('lets no page of another origin read its answers', async () => {
    const headers = { origin: 'https://elsewhere.example' };
    for (const path of ['token', 'introspect', 'revoke']) {
      const answer = await fetch(`${world.base}/oauth/${path}`, { method: 'POST', headers });
      expect(answer.headers.get('access-control-allow-origin')).toBeNull();
    }
  });

  it.each([
    ['JSON', 'application/json', '{"grant_type":"refresh_token"}', 400],
    ['a form that is too large', 'application/x-www-form-urlencoded', `grant_type=${'x'.repeat(60_000)}`, 413],
    ['a form with a parameter twice', 'application/x-www-form-urlencoded', 'client_id=public&client_id=other', 400],
    ['nothing', 'application/x-www-form-urlencoded', '', 400],
  ])('answers %s with an OAuth error', async (_, type, body, status) => {
    const headers = { 'content-type': type };
    const answer = await fetch(`${world.base}/oauth/token`, { method: 'POST', headers, body });
    expect([answer.status, answer.headers.get('cache-control')]).toEqual([status, 'no-store']);
    expect(await answer.json()).toMatchObject({ error: 'invalid_request' });
  });
});

describe('introspection', () => {
  const introspect = (token: string, basic?: string, fields = {}) =>
    post(`${world.base}/oauth/introspect`, { token, ...fields }, basic);

  it('tells a confidential application what a token is good for', async () => {
    const { access_token } = await tokens();
    const { json } = await introspect(access_token, 'secret');
    expect(json).toMatchObject({
      active: true,
      client_id: 'public',
      iss: world.base,
      aud: world.fhirBase,
      patient: 'p1',
      fhirUser: `${world.fhirBase}/Practitioner/dr1`,
      sub: expect.any(String),
      exp: expect.any(Number),
      scope: expect.stringContaining('patient/*.rs'),
    });
  });

  it('says nothing of what is not a token any more', async () => {
    const { access_token } = await tokens();
    await post(`${world.base}/oauth/revoke`, { token: access_token, client_id: 'public' });
    expect((await introspect(access_token, 'secret')).json).toEqual({ active: false });
    expect((await introspect('nonsense', 'secret')).json).toEqual({ active: false });
  });

  it('is not for the public', async () => {
    const { access_token } = await tokens();
    expect((await introspect(access_token, undefined, { client_id: 'other' })).json).toEqual({ active: false });
    expect(outcome(await introspect(access_token, 'unknown'))).toEqual([401, 'invalid_client']);
    expect(outcome(await introspect(access_token))).toEqual([400, 'invalid_request']);
  });
});

describe('revocation', () => {
  const revoke = (token: string | undefined, client = 'public') =>
    post(`${world.base}/oauth/revoke`, { token, client_id: client });

  it('of a refresh token ends its access tokens at once', async () => {
    const { access_token, refresh_token } = await tokens();
    expect((await revoke(refresh_token)).status).toBe(200);
    expect(await read(world, access_token)).toBe(401);
    expect(outcome(await refresh(world, refresh_token))).toEqual(INVALID_GRANT);
  });

  it('of an access token ends it at once', async () => {
    const { access_token } = await tokens();
    expect((await revoke(access_token)).status).toBe(200);
    expect(await read(world, access_token)).toBe(401);
    expect((await world.audited('revoke')).at(-1)).toMatchObject({ status: 200 });
  });

  it('leaves what belongs to others alone, and does not say whether it is there', async () => {
    const { access_token } = await tokens();
    expect((await revoke(access_token, 'other')).status).toBe(200);
    expect((await revoke('nonsense', 'other')).status).toBe(200);
    expect(await read(world, access_token)).toBe(200);
  });
});

describe('what goes on without its token', () => {
  const kept = async (parameters: Readonly<Record<string, string>> & { username?: string } = {}) => {
    const { username, ...rest } = parameters;
    const launched = await launch(world, { parameters: rest, ...(username ? { username } : {}) });
    const { json } = await exchange(world, launched);
    return { ...json, grant: await world.access.keep(await world.access.authenticate(`Bearer ${json.access_token}`)) };
  };

  it('goes by what the person may now, until it is taken back', async () => {
    const { grant, refresh_token } = await kept();
    const renewed = await world.access.renew(grant);
    expect(renewed).toMatchObject({ actor: { reference: 'Practitioner/dr1', client: 'public' }, patient: 'p1' });
    expect(renewed?.standing?.roles.length).toBeGreaterThan(0);
    expect(JSON.stringify(grant)).not.toContain(refresh_token);
    await post(`${world.base}/oauth/revoke`, { token: refresh_token, client_id: 'public' });
    expect(await world.access.renew(grant)).toBeUndefined();
  });

  it('ends with the client, with its scopes, and with the account', async () => {
    const { grant } = await kept();
    const fewer = registered('public', { scope: 'launch/patient patient/Task.rs' });
    for (const clients of [[], [fewer]]) {
      const other = await openWorld({ beside: world, clients });
      expect(await other.access.renew(grant)).toBeUndefined();
      await other.close();
    }
    const shaw = await kept({ username: 'shaw' });
    expect(await world.access.renew(shaw.grant)).toBeDefined();
    const sql = "UPDATE oauth_account SET disabled = ? WHERE username = 'shaw'";
    const set = (disabled: number) =>
      world.temp.store.commit({ reference: 'test', kind: 'service' }, [], [{ sql, params: [disabled] }]);
    await set(1);
    expect(await world.access.renew(shaw.grant)).toBeUndefined();
    await set(0);
    expect(await world.access.renew(shaw.grant)).toBeDefined();
  });
});

describe('at rest', () => {
  it('no code, token, session or secret can be read from the database', async () => {
    const browser = new Browser();
    const launched = await launch(world, { browser });
    const { json } = await exchange(world, launched);
    const rows = await world.temp.store.query('SELECT * FROM oauth_state');
    const text = JSON.stringify(rows, (_, value) => (typeof value === 'bigint' ? String(value) : value));
    const session = [...browser.cookies].find(([name]) => name.startsWith('baton_session '))?.[1].value ?? '';
    expect(session.length).toBeGreaterThan(10);
    for (const secret of [launched.code, json.access_token, String(json.refresh_token), session]) {
      expect(text).not.toContain(secret);
    }
  });

  it('what has expired is removed', async () => {
    await tokens();
    const count = async () => Number((await world.temp.store.query('SELECT COUNT(*) AS n FROM oauth_state'))[0]?.n);
    const before = await count();
    await world.authorization.sweep();
    expect(await count()).toBe(before);
    const sql = "UPDATE oauth_state SET expires = 1 WHERE model = 'AccessToken'";
    await world.temp.store.commit({ reference: 'test', kind: 'service' }, [], [{ sql, params: [] }]);
    await world.authorization.sweep();
    expect(await count()).toBeLessThan(before);
  });
});

describe('a living token', () => {
  const at = async ({ listeningAt }: World, token: string) => {
    const headers = { authorization: `Bearer ${token}` };
    return (await fetch(`${listeningAt}/fhir/R4/Patient/p1`, { headers })).status;
  };

  it('is dead where its client is not registered any more', async () => {
    const { access_token } = await tokens();
    const without = await openWorld({ beside: world, clients: [] });
    expect([await at(world, access_token), await at(without, access_token)]).toEqual([200, 401]);
    await without.close();
  });

  it('is dead when its account is disabled, also one that was made at that moment', async () => {
    const account = 'shaw';
    const { json } = await exchange(world, await launch(world, { username: account }));
    const sql = 'UPDATE oauth_account SET disabled = ? WHERE username = ?';
    const set = (disabled: number) =>
      world.temp.store.commit({ reference: 'test', kind: 'service' }, [], [{ sql, params: [disabled, account] }]);
    await set(1);
    expect(await at(world, json.access_token)).toBe(401);
    await set(0);
    expect(await at(world, json.access_token)).toBe(200);
  });
});

// The sign-in pages: who gets in, and what another browser, another site or a scripted page cannot do.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { authorizeUrl, exchange, launch, read, refresh, signIn } from './app.ts';
import { Browser } from './browser.ts';
import { APP, openWorld, PASSWORD, pkce, registered, standardClients, type World } from './world.ts';

let world: World;
const ACTOR = { reference: 'test', kind: 'service' } as const;

beforeAll(async () => {
  const rude = registered('rude', { name: '<b>"Rude" & Co</b>' });
  world = await openWorld({ clients: [...standardClients(), rude] });
});
afterAll(() => world.close());

async function begin(parameters: Readonly<Record<string, string>> = {}): Promise<Browser> {
  const browser = new Browser();
  await browser.open(authorizeUrl(world, pkce(), parameters));
  return browser;
}

describe('signing in', () => {
  it.each([
    ['a wrong password', 'grey', 'wrong'],
    ['no password', 'grey', ''],
    ['a very long password', 'grey', 'x'.repeat(5_000)],
    ['a name that nobody has', 'nobody', PASSWORD],
    ['no name', '', PASSWORD],
  ])('fails with %s, and may be tried again', async (_, username, password) => {
    const browser = await begin();
    const page = await browser.submit({ username, password });
    expect(page.status).toBe(401);
    expect(page.text).toContain('role="alert"');
    expect(page.text).not.toContain(PASSWORD);
    await signIn(browser);
    expect(browser.page.text).toContain('Choose a patient');
  });

  it('is in the audit trail, also when it fails, without the password', async () => {
    const browser = await begin();
    await browser.submit({ username: 'grey', password: 'my other password' });
    await signIn(browser);
    const rows = (await world.audited('login')).slice(-2);
    expect(rows.map(({ actor, status, client }) => [actor, Number(status), client ?? null])).toEqual([
      ['unknown', 401, null],
      ['Practitioner/dr1', 200, null],
    ]);
    const everything = await world.temp.store.query('SELECT * FROM audit');
    const text = JSON.stringify(everything, (_, value) => (typeof value === 'bigint' ? String(value) : value));
    expect(text).not.toMatch(/my other password|correct horse/);
  });

  it('ends at once for a disabled account', async () => {
    const { accounts } = world.authorization;
    await accounts.add(ACTOR, 'leaver', 'Practitioner/dr1', PASSWORD);
    const browser = new Browser();
    const { json } = await exchange(world, await launch(world, { browser, username: 'leaver' }));
    expect(await read(world, json.access_token)).toBe(200);
    await accounts.disable(ACTOR, 'leaver');
    expect(await read(world, json.access_token)).toBe(401);
    expect((await refresh(world, json.refresh_token)).json.error).toBe('invalid_grant');
    await browser.open(authorizeUrl(world, pkce()));
    const page = await browser.submit({ username: 'leaver', password: PASSWORD });
    expect(page.status).toBe(401);
  });

  it('as somebody else ends the session of the first', async () => {
    const browser = new Browser();
    const first = await launch(world, { browser });
    expect(first.code).toBeTruthy();
    await browser.open(authorizeUrl(world, pkce(), { prompt: 'login', scope: 'openid fhirUser user/*.rs' }));
    await signIn(browser, 'eleanor');
    expect(browser.page.text).toContain('You are signed in as eleanor');
  });
});

describe('a sign-in belongs to the browser that began it', () => {
  const refusal = 'This sign-in has ended, or it belongs to another browser.';

  it('so that its address alone opens nothing', async () => {
    const browser = await begin();
    const other = new Browser();
    const page = await other.open(browser.page.url);
    expect([page.status, page.text]).toEqual([400, expect.stringContaining(refusal)]);
    const posted = await other.post(`${browser.page.url}/login`, { username: 'grey', password: PASSWORD });
    expect(posted.status).toBe(400);
  });

  it('so that a changed cookie, or one without its signature, is none', async () => {
    for (const tamper of [
      (value: string, name: string) => (name.includes('.sig') ? `${value.slice(0, -2)}xx` : value),
      (value: string, name: string) => (name.startsWith('baton_interaction ') ? `${value.slice(0, -2)}xx` : value),
      (value: string, name: string) => (name.includes('.sig') ? undefined : value),
    ]) {
      const browser = await begin();
      for (const [name, { value, path }] of browser.cookies) {
        const changed = tamper(value, name);
        if (changed === undefined) browser.cookies.delete(name);
        else browser.cookies.set(name, { value: changed, path });
      }
      const { url } = browser.page;
      expect((await browser.open(url)).status).toBe(400);
      expect((await browser.post(`${url}/login`, { username: 'grey', password: PASSWORD })).status).toBe(400);
    }
  });

  it('so that one sign-in cannot be answered with the cookie of another', async () => {
    const browser = await begin();
    const { url } = browser.page;
    const other = await begin();
    browser.cookies.clear();
    const path = new URL(url).pathname;
    for (const [name, { value }] of other.cookies) {
      if (name.startsWith('baton_interaction')) browser.cookies.set(`${name.split(' ')[0]} ${path}`, { value, path });
    }
    expect(browser.cookies.size).toBe(2);
    expect((await browser.open(url)).status).toBe(400);
    expect((await world.audited('authorize')).at(-1)).toMatchObject({ actor: 'unknown', status: 400 });
  });

  it('and its steps come in order', async () => {
    const browser = await begin({ scope: 'user/*.rs' });
    const { url } = browser.page;
    expect((await browser.post(`${url}/consent`, { decision: 'allow' })).status).toBe(400);
    expect((await browser.post(`${url}/context`, { patient: 'p1' })).status).toBe(400);
  });

  it('and its cookies are for the server only', async () => {
    const answer = await fetch(authorizeUrl(world, pkce()), { redirect: 'manual' });
    for (const line of answer.headers.getSetCookie()) expect(line).toMatch(/httponly/i);
    for (const line of answer.headers.getSetCookie()) expect(line).toMatch(/samesite=lax/i);
  });
});

describe('the pages', () => {
  it('run no script, load nothing, and send forms to Baton and the application only', async () => {
    const { page } = await begin();
    expect(page.headers.get('content-security-policy')?.replace(/'sha256-[^']+'/, 'HASH')).toBe(
      `default-src 'none'; style-src HASH; form-action 'self' ${world.base} ${new URL(APP).origin}; base-uri 'none'; frame-ancestors 'none'`,
    );
    expect(page.headers.get('cache-control')).toBe('no-store');
    expect(page.headers.get('x-content-type-options')).toBe('nosniff');
    expect(page.text).toMatch(/<html lang="en">/);
    expect(page.text).toMatch(/<label for="username">.*<label for="password">/s);
    expect(page.text).not.toMatch(/<script|style=|onclick/);
  });

  it('show names as text', async () => {
    const browser = await begin({ client_id: 'rude' });
    expect(browser.page.text).toContain('&#60;b&#62;&#34;Rude&#34; &#38; Co&#60;/b&#62;');
    await signIn(browser);
    await browser.submit({ text: '"><script>' });
    expect(browser.page.text).toContain('No patient was found for "&#34;&#62;&#60;script&#62;"');
    expect(browser.page.text).not.toContain('<script');
  });
});

describe('addresses and cookies are those of the public URL', () => {
  it('whatever a client says about the host', async () => {
    const headers = { 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'https' };
    const begun = await fetch(authorizeUrl(world, pkce()), { headers, redirect: 'manual' });
    expect(begun.headers.get('location')).toMatch(new RegExp(`^${world.base}/oauth/interaction/`));
  });

  it('also behind a proxy that adds TLS and a path', async () => {
    const behind = await openWorld({ publicBase: 'https://hospital.example/baton' });
    const url = authorizeUrl(behind, pkce()).replace(behind.base, behind.listeningAt);
    const begun = await fetch(url, { redirect: 'manual' });
    const location = begun.headers.get('location') ?? '';
    expect(location).toMatch(/^https:\/\/hospital\.example\/baton\/oauth\/interaction\/[\w-]+$/);
    const cookies = begun.headers.getSetCookie().filter((line) => line.startsWith('baton_'));
    expect(cookies.length).toBeGreaterThan(3);
    for (const line of cookies) expect(line).toMatch(/path=\/baton\/oauth\/(interaction|authorize)\/[\w-]+;.*secure/);
    const cookie = cookies.map((line) => line.split(';')[0]).join('; ');
    const page = await fetch(location.replace(behind.base, behind.listeningAt), { headers: { cookie } });
    expect(await page.text()).toContain(`action="${location}/login"`);
    await behind.close();
  });
});

describe('guessing a password', () => {
  it('is slowed, and what was guessed is nowhere in the trail', async () => {
    const guessed = await openWorld({ attempts: true });
    const browser = new Browser();
    await browser.open(authorizeUrl(guessed, pkce()));
    const { url } = browser.page;
    const statuses: number[] = [];
    for (let i = 0; i < 8; i += 1) {
      const { status } = await browser.post(`${url}/login`, { username: 'grey', password: `my guess ${i}` });
      statuses.push(status);
    }
    expect(statuses.slice(-2)).toEqual([429, 429]);
    await guessed.audited('login');
    const queries = await guessed.temp.store.query('SELECT DISTINCT query FROM audit');
    expect(queries.map(({ query }) => query)).toEqual([null]);
    await guessed.close();
  });
});

// An application that launches: makes the authorization request, exchanges the code, and looks at what it gets.
import { Browser } from './browser.ts';
import { APP, PASSWORD, type Pkce, pkce, SECRET, type World } from './world.ts';

export interface Tokens {
  readonly access_token: string;
  readonly refresh_token?: string;
  readonly id_token?: string;
  readonly scope: string;
  readonly [member: string]: unknown;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly json: Tokens & { readonly error?: string; readonly error_description?: string };
}

export const SCOPE = 'openid fhirUser launch/patient offline_access patient/*.rs';
export const STATE = 'a state & "more"';

export function authorizeUrl(
  world: World,
  proof: Pkce,
  more: Readonly<Record<string, string | undefined>> = {},
): string {
  const parameters = {
    response_type: 'code',
    client_id: 'public',
    redirect_uri: APP,
    scope: SCOPE,
    state: STATE,
    aud: world.fhirBase,
    code_challenge: proof.challenge,
    code_challenge_method: 'S256',
    ...more,
  };
  const given = Object.entries(parameters).filter((pair): pair is [string, string] => pair[1] !== undefined);
  return `${world.base}/oauth/authorize?${new URLSearchParams(given)}`;
}

export async function signIn(browser: Browser, username = 'grey', password = PASSWORD): Promise<void> {
  await browser.submit({ username, password });
}

export interface LaunchOptions {
  readonly parameters?: Readonly<Record<string, string | undefined>>;
  readonly username?: string;
  readonly browser?: Browser;
}

/** Standalone launch up to the redirect to the application: signs in, picks Patient/p1, allows. */
export async function launch(
  world: World,
  options: LaunchOptions = {},
): Promise<{ code: string; proof: Pkce; url: URL }> {
  const { browser = new Browser(), parameters = {}, username } = options;
  const proof = pkce();
  await browser.open(authorizeUrl(world, proof, parameters));
  if (browser.page.text.includes('name="password"')) await signIn(browser, username);
  if (browser.page.text.includes('name="text"')) {
    await browser.submit({ text: 'okafor' });
    await browser.submit({ patient: 'p1' });
  }
  if (browser.page.text.includes('name="decision"')) await browser.submit({ decision: 'allow' });
  const url = new URL(browser.page.url);
  const code = url.searchParams.get('code');
  if (code === null) throw new Error(`no code: ${browser.page.status} ${url.href} ${browser.page.text}`);
  return { code, proof, url };
}

export async function post(
  url: string,
  fields: Readonly<Record<string, string | undefined>>,
  basic?: string,
): Promise<Answer> {
  const given = Object.entries(fields).filter((pair): pair is [string, string] => pair[1] !== undefined);
  const headers =
    basic === undefined ? {} : { authorization: `Basic ${btoa(`${basic}:${encodeURIComponent(SECRET)}`)}` };
  const answer = await fetch(url, { method: 'POST', headers, body: new URLSearchParams(given) });
  const text = await answer.text();
  return { status: answer.status, headers: answer.headers, json: text === '' ? {} : JSON.parse(text) };
}

/** Exchanges a code; `more` overrides fields. */
export function exchange(
  world: World,
  { code, proof }: { code: string; proof: Pkce },
  more: Readonly<Record<string, string | undefined>> = {},
  basic?: string,
): Promise<Answer> {
  const client = basic === undefined ? { client_id: 'public' } : {};
  const fields = {
    grant_type: 'authorization_code',
    code,
    redirect_uri: APP,
    code_verifier: proof.verifier,
    ...client,
  };
  return post(`${world.base}/oauth/token`, { ...fields, ...more }, basic);
}

export function refresh(
  world: World,
  token: string | undefined,
  more: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  const fields = { grant_type: 'refresh_token', refresh_token: token, client_id: 'public', ...more };
  return post(`${world.base}/oauth/token`, fields);
}

export async function read(world: World, token: string, path = '/Patient/p1'): Promise<number> {
  const answer = await fetch(`${world.fhirBase}${path}`, { headers: { authorization: `Bearer ${token}` } });
  await answer.body?.cancel();
  return answer.status;
}

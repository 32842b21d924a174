// Both launches with a client library that others wrote, in a browser that others wrote: Chromium clicks through sign-in,
// choice of the patient and consent, and fhirclient reads the patient.
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { openWorld, PASSWORD, registered, type World } from '../server/oauth/world.ts';
import { type InFront, openInFront } from './in-front.ts';
import { openSmartApp, type SmartApp } from './smart-app.ts';

const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';

let world: World;
let inFront: InFront;
let app: SmartApp;
let browser: Browser;
let page: Page;
/** What the pages complained about: a policy that blocks a form, a missing style. */
let complaints: string[];

beforeAll(async () => {
  inFront = await openInFront(
    () => world.listeningAt,
    () => app.base,
  );
  app = await openSmartApp(() => `${inFront.base}/fhir/R4`);
  const client = registered('smart-app', { redirectUris: [`${app.base}/callback`], launchUrl: `${app.base}/launch` });
  world = await openWorld({ clients: [client], publicBase: inFront.base });
  browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
});
beforeEach(async () => {
  complaints = [];
  page = await (await browser.newContext()).newPage();
  page.on('console', (message) => {
    const isIcon = message.location().url.endsWith('/favicon.ico');
    if (message.type() === 'error' && !isIcon) complaints.push(message.text());
  });
});
afterEach(async () => {
  await page.context().close();
});
afterAll(async () => {
  await browser?.close();
  await world?.close();
  await app?.close();
  await inFront?.close();
});

async function signIn(): Promise<void> {
  await page.getByLabel('User name').fill('grey');
  await page.getByLabel('Password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

async function allow(): Promise<void> {
  await page.getByRole('button', { name: 'Allow', exact: true }).click();
}

/** What the application shows in the end. */
async function shown(): Promise<string> {
  const output = page.locator('output:not(:empty)');
  await output.waitFor();
  return output.innerText();
}

async function ticket(context: object): Promise<string> {
  const token = await world.access.issue({ clientId: 'ehr', scope: 'baton/launch', lifetimeSeconds: 60 });
  const answer = await fetch(`${inFront.base}/oauth/launch`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ client: 'smart-app', ...context }),
  });
  return ((await answer.json()) as { url: string }).url;
}

it('a standalone launch reads the patient that was chosen, and renews its access', async () => {
  await page.goto(`${app.base}/standalone`);
  await signIn();
  await page.getByLabel('Name or identifier').fill('okafor');
  await page.getByRole('button', { name: 'Search' }).click();
  await page.getByRole('button', { name: 'Eleanor Okafor' }).click();
  await page.getByText('Read and search: all records of Eleanor Okafor').waitFor();
  await allow();
  const result = JSON.parse(await shown());
  expect(result).toMatchObject({ patient: 'Eleanor', user: 'Practitioner/dr1', refreshed: 'p1' });
  expect(complaints).toEqual([]);
});

it('an EHR launch reads the patient and knows the encounter that were open', async () => {
  await page.goto(await ticket({ patient: 'p2', encounter: 'e2' }));
  await signIn();
  await allow();
  const result = JSON.parse(await shown());
  expect(result).toMatchObject({ patient: 'Samuel', user: 'Practitioner/dr1', encounter: 'e2', refreshed: null });
  expect(complaints).toEqual([]);
});

it('what a person denies the application learns', async () => {
  await page.goto(await ticket({ patient: 'p2' }));
  await signIn();
  await page.getByRole('button', { name: 'Do not allow' }).click();
  expect(await shown()).toMatch(/^FAILED .*the user did not allow it/);
});

it('a state that was changed on the way is refused by the client library', async () => {
  await page.route(/oauth\/authorize\?/, (route) => {
    const url = new URL(route.request().url());
    url.searchParams.set('state', 'tampered');
    return route.continue({ url: url.href });
  });
  await page.goto(await ticket({ patient: 'p1' }));
  await signIn();
  await allow();
  expect(await shown()).toMatch(/^FAILED /);
});

it('the pages work without scripts, and fit a phone', async () => {
  const context = await browser.newContext({ javaScriptEnabled: false, viewport: { width: 320, height: 568 } });
  const begun = await page.context().newPage();
  const [request] = await Promise.all([
    begun.waitForRequest(/oauth\/authorize\?/),
    begun.goto(`${app.base}/standalone`),
  ]);
  await page.close();
  page = await context.newPage();
  await page.goto(request.url());
  const widest = () => page.locator('main').evaluate((main) => main.scrollWidth <= 320);
  expect(await widest()).toBe(true);
  await signIn();
  await page.getByLabel('Name or identifier').fill('MRN-p2');
  await page.getByRole('button', { name: 'Search' }).click();
  expect(await widest()).toBe(true);
  await page.getByRole('button', { name: 'Samuel Okafor' }).click();
  await page.getByRole('heading', { name: 'Do you allow' }).waitFor();
});

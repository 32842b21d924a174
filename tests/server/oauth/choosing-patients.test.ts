// Whom the sign-in pages name: nobody whose record the person may not read now.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { authorizeUrl, signIn } from './app.ts';
import { Browser } from './browser.ts';
import { openWorld, pkce, type World } from './world.ts';

let world: World;
const ACTOR = { reference: 'test', kind: 'service' } as const;

beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.close());

async function put(resource: {
  readonly resourceType: string;
  readonly id: string;
  readonly [member: string]: unknown;
}) {
  await world.temp.store.commit(ACTOR, [{ op: 'update', resource: resource as never }]);
}

const consent = (id: string, patient: string, provision: object) => ({
  resourceType: 'Consent',
  id,
  status: 'active',
  scope: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/consentscope', code: 'patient-privacy' }] },
  category: [{ coding: [{ system: 'http://loinc.org', code: '59284-0' }] }],
  patient: { reference: patient },
  policy: [{ uri: 'http://example.org/policy' }],
  provision,
});

async function begin(username: string, scope: string): Promise<Browser> {
  const browser = new Browser();
  await browser.open(authorizeUrl(world, pkce(), { scope }));
  await signIn(browser, username);
  return browser;
}

it('a patient whose consent keeps the record from the person is neither found nor opened nor launched', async () => {
  const before = await begin('grey', 'launch/patient patient/*.rs');
  expect((await before.submit({ text: 'okafor' })).text).toContain('Samuel');
  await put(consent('no', 'Patient/p2', { type: 'deny' }));
  const browser = await begin('grey', 'launch/patient patient/*.rs');
  const found = await browser.submit({ text: 'okafor' });
  expect(found.text).toContain('Eleanor');
  expect(found.text).not.toMatch(/Samuel|MRN-p2/);
  const { url } = browser.page;
  expect((await browser.post(url, { patient: 'p2' })).status).toBe(403);
  const token = await world.access.issue({
    clientId: 'ehr',
    fhirUser: 'Practitioner/dr1',
    scope: 'user/*.rs',
    lifetimeSeconds: 60,
  });
  const launched = await fetch(`${world.base}/oauth/launch`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ client: 'public', patient: 'p2' }),
  });
  expect(launched.status).toBe(403);
  await world.temp.store.commit(ACTOR, [{ op: 'delete', type: 'Consent', id: 'no' }]);
});

it('an encounter that is withheld by its label is not offered', async () => {
  const label = { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'PSY' };
  const encounter = (id: string, kind: string, meta: object = {}) => ({
    resourceType: 'Encounter',
    id,
    ...meta,
    status: 'finished',
    class: { code: 'AMB' },
    type: [{ text: kind }],
    subject: { reference: 'Patient/p1' },
  });
  await put(encounter('psy', 'Psychiatry visit', { meta: { security: [label] } }));
  await put(encounter('plain', 'Follow-up visit'));
  await put(consent('no-psy', 'Patient/p1', { type: 'deny', securityLabel: [label] }));
  const browser = await begin('grey', 'launch/patient launch/encounter patient/*.rs');
  await browser.submit({ text: 'eleanor' });
  const page = await browser.submit({ patient: 'p1' });
  expect(page.text).toContain('Follow-up visit');
  expect(page.text).not.toContain('Psychiatry');
});

it('somebody who is no longer related to a patient is told nothing, not even the name', async () => {
  const related = (active: boolean) => ({
    resourceType: 'RelatedPerson',
    id: 'rp1',
    active,
    patient: { reference: 'Patient/p2' },
  });
  const scopes = ['launch/patient patient/*.rs', 'launch/patient launch/encounter patient/*.rs'];
  for (const scope of scopes) expect((await begin('daughter', scope)).page.text).toContain('Samuel');
  await put(related(false));
  for (const scope of scopes) {
    const { page } = await begin('daughter', scope);
    expect([page.url.includes('code='), page.text.includes('Samuel')]).toEqual([false, false]);
  }
});

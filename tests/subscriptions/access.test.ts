// Whose eyes a Subscription has: those of the client that made it, as they are when something is sent.
import { exportJWK, generateKeyPair } from 'jose';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ownerOf } from '../../src/subscriptions/hold.ts';
import { GRAVITY, read, task, type Wish, wish } from './notified.ts';
import { openWorld, type World } from './world.ts';

let world: World;
const ref = (reference: string) => ({ reference });

beforeAll(async () => {
  world = await openWorld({ perClient: 3 });
  for (const id of ['shy', 'open']) {
    await world.fhir('PUT', `/Patient/${id}`, { body: { resourceType: 'Patient', id } });
  }
});
afterAll(() => world.close());
afterEach(async () => {
  const { json } = await world.fhir('GET', '/Subscription?_count=100');
  for (const { resource } of json.entry ?? []) await world.fhir('DELETE', `/Subscription/${resource?.id}`);
  await world.fhir('DELETE', '/Consent/no');
  await world.subscriptions.settle();
  world.receiver.answer();
  world.receiver.take();
});

const tokenFor = (clientId: string, scope: string) => world.access.issue({ clientId, scope, lifetimeSeconds: 300 });
const ask = (as: string, more: Partial<Wish> = {}) =>
  world.fhir('POST', '/Subscription', { as, body: wish({ url: world.receiver.url, criteria: GRAVITY, ...more }) });
const put = (id: string, more: object = {}) => world.fhir('PUT', `/Task/${id}`, { body: task(id, more) });
const told = async () => {
  await world.subscriptions.settle();
  return world.receiver.take().map(read);
};
const statusOf = async (id = '') => (await world.fhir('GET', `/Subscription/${id}`)).json;

async function optOut(patient: string) {
  const body = {
    resourceType: 'Consent',
    id: 'no',
    status: 'active',
    scope: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/consentscope', code: 'patient-privacy' }] },
    category: [{ coding: [{ system: 'http://loinc.org', code: '59284-0' }] }],
    patient: ref(`Patient/${patient}`),
    policy: [{ uri: 'http://example.org/policy' }],
    provision: { type: 'deny' },
  };
  const { status, text } = await world.fhir('PUT', '/Consent/no', { body });
  if (status >= 300) throw new Error(text);
}

describe('making one', () => {
  it('needs the right to make Subscriptions, and to read what it is about', async () => {
    const blind = await ask(await tokenFor('app', 'system/Subscription.cruds system/Patient.rs'));
    expect([blind.status, blind.json.issue?.[0]?.code]).toEqual([403, 'forbidden']);
    expect((await ask(await tokenFor('app', 'system/*.rs'))).status).toBe(403);
    expect((await ask(await tokenFor('app', 'system/Subscription.cruds system/Task.r'))).status).toBe(201);
  });

  it('is possible a number of times', async () => {
    const as = await tokenFor('many', 'system/*.cruds');
    for (let n = 0; n < 3; n++) expect((await ask(as)).status).toBe(201);
    const fourth = await ask(as);
    expect(fourth.status).toBe(422);
    expect(fourth.json.issue?.[0]).toMatchObject({ code: 'business-rule', expression: ['Subscription'] });
    // Others are not concerned.
    expect((await ask(await tokenFor('few', 'system/*.cruds'))).status).toBe(201);
    const entry = [1, 2].map(() => ({
      request: { method: 'POST', url: 'Subscription' },
      resource: wish({ url: world.receiver.url, criteria: GRAVITY }),
    }));
    const two = { resourceType: 'Bundle', type: 'transaction', entry: [...entry, ...entry] };
    expect((await world.fhir('POST', '/', { as: await tokenFor('batch', 'system/*.cruds'), body: two })).status).toBe(
      422,
    );
  });
});

describe('what it sees', () => {
  it('is what the scopes reach; of the rest there are not even numbers', async () => {
    await ask(await tokenFor('app', 'system/Subscription.cruds system/Task.rs?owner=Practitioner/nurse'));
    await told();
    await put('hers', { owner: ref('Practitioner/nurse') });
    await put('theirs', { owner: ref('Practitioner/other') });
    await put('hers', { owner: ref('Practitioner/nurse'), status: 'accepted' });
    expect(await told()).toMatchObject([{ total: 2, numbers: [1, 2], focus: ['Task/hers', 'Task/hers'] }]);
  });

  it('is told of the deletion of what it was told of', async () => {
    await ask(await tokenFor('app', 'system/Subscription.cruds system/Task.rs?owner=Practitioner/nurse'));
    await told();
    await put('mine', { owner: ref('Practitioner/nurse') });
    await put('other');
    expect(await told()).toMatchObject([{ numbers: [1], focus: ['Task/mine'] }]);
    for (const id of ['other', 'mine']) await world.fhir('DELETE', `/Task/${id}`);
    expect(await told()).toMatchObject([{ numbers: [2], focus: ['Task/mine'] }]);
  });

  it('is told of that deletion also when the event before is long forgotten', async () => {
    const { json } = await ask(
      await tokenFor('app', 'system/Subscription.cruds system/Task.rs?owner=Practitioner/nurse'),
    );
    await told();
    for (const status of ['requested', 'accepted']) await put('old', { owner: ref('Practitioner/nurse'), status });
    expect(await told()).toMatchObject([{ numbers: [1, 2] }]);
    const kept = async () => {
      world.later(15 * 24 * 60);
      await world.subscriptions.settle();
      const sql = 'SELECT number FROM subscription_event WHERE subscription = ?';
      return (await world.temp.store.query(sql, [json.id ?? ''])).map(({ number }) => Number(number));
    };
    expect(await kept()).toEqual([2]);
    await world.fhir('DELETE', '/Task/old');
    expect(await told()).toMatchObject([{ numbers: [3], focus: ['Task/old'] }]);
    expect(await kept()).toEqual([]);
  });

  it('is not told which one was deleted of what it was never told of', async () => {
    await ask(await tokenFor('app', 'system/*.cruds'));
    await told();
    world.receiver.answer(503);
    await put('unnamed', { for: ref('Patient/shy') });
    expect(await told()).toEqual([]);
    await optOut('shy');
    await world.fhir('DELETE', '/Task/unnamed');
    world.later(1);
    expect(await told()).toMatchObject([{ numbers: [1, 2], focus: [undefined, undefined] }]);
  });

  it('is what consents permit when it is sent', async () => {
    await ask(await tokenFor('app', 'system/*.cruds'), { content: 'full-resource' });
    await told();
    world.receiver.answer(503);
    await put('of-shy', { for: ref('Patient/shy'), description: 'about shy' });
    await put('of-open', { for: ref('Patient/open') });
    expect(await told()).toEqual([]);
    await optOut('shy');
    // Counted before, and withheld now; from here on not counted either.
    await put('of-shy', { for: ref('Patient/shy'), status: 'accepted', description: 'about shy' });
    world.later(1);
    const [notification, ...more] = await told();
    expect(more).toEqual([]);
    expect(notification).toMatchObject({ total: 2, numbers: [1, 2], focus: [undefined, 'Task/of-open'] });
    expect(JSON.stringify(notification?.bundle)).not.toMatch(/shy/);
  });

  it('is in the trail, resource by resource, with the patients it is about', async () => {
    const { json } = await ask(await tokenFor('watched', 'system/*.cruds'));
    await told();
    await put('seen', { for: ref('Patient/open') });
    await told();
    const rows = (await world.audited()).filter(({ interaction }) => interaction === 'subscription-notification');
    expect(rows.at(-1)).toMatchObject({
      ...{ actor: 'watched', action: 'R', status: 200, type: 'Task', id: 'seen', patient: 'open' },
      query: `Subscription/${json.id}`,
    });
  });

  it('is in the trail also when who has got it does not take it, and not when nobody was reached', async () => {
    await ask(await tokenFor('failing', 'system/*.cruds'), { content: 'full-resource' });
    // Plain R4 begins without a handshake.
    const nowhere = { criteria: 'Task?status=requested', url: 'http://127.0.0.1:65533/nobody' };
    await ask(await tokenFor('nobody', 'system/*.cruds'), nowhere);
    await told();
    world.receiver.answer(500);
    await put('refused', { for: ref('Patient/open') });
    expect(await told()).toEqual([]);
    world.later(2);
    expect(await told()).toHaveLength(1);
    const rows = (await world.audited()).filter(
      ({ id, interaction }) => id === 'refused' && interaction === 'subscription-notification',
    );
    expect(rows.map(({ actor: who, status, patient }) => [who, status, patient])).toEqual([
      ['failing', 502, 'open'],
      ['failing', 200, 'open'],
    ]);
  });

  it('ends with the client', async () => {
    const pair = await generateKeyPair('ES384', { extractable: true });
    const jwks = { keys: [{ ...(await exportJWK(pair.publicKey)), kid: 'one', alg: 'ES384' }] };
    const actor = { reference: 'test', kind: 'service' } as const;
    const leaver = {
      clientId: 'leaver',
      name: 'Leaver',
      scope: 'system/*.cruds',
      redirectUris: [],
      trusted: false,
      jwks,
    };
    await world.authorization.clients.add(actor, leaver);
    const { json } = await ask(await tokenFor('leaver', 'system/*.cruds'));
    await told();
    await put('while-there');
    expect(await told()).toHaveLength(1);
    await world.authorization.clients.remove(actor, 'leaver');
    await put('afterwards');
    expect(await told()).toEqual([]);
    expect(await statusOf(json.id)).toMatchObject({ status: 'off' });
    const [row] = await world.temp.store.query('SELECT events, delivered FROM subscription WHERE id = ?', [
      json.id ?? '',
    ]);
    expect(row).toMatchObject({ events: 1, delivered: 1 });
  });
});

it('belongs to the client of its issuer, and there to the person who made it', () => {
  const lasting = { isRegistered: false, scopes: [], doors: [], client: 'app' };
  const service = { ...lasting, actor: { reference: 'app', kind: 'client' as const } };
  const person = { ...lasting, actor: { reference: 'Practitioner/1', kind: 'user' as const } };
  const issuer = 'https://issuer.example';
  expect([service, person, { ...service, issuer }, { ...person, issuer }].map(ownerOf)).toEqual([
    'app',
    'app Practitioner/1',
    'https://issuer.example app',
    'https://issuer.example app Practitioner/1',
  ]);
  expect(ownerOf({ ...service, client: 'https://issuer.example app' })).not.toContain(' ');
});

describe('who changes it', () => {
  it('is who it is told for from then on', async () => {
    const { json } = await ask(await tokenFor('wide', 'system/*.cruds'), { content: 'full-resource' });
    await told();
    const narrow = await tokenFor('narrow', 'system/Subscription.cruds system/Task.rs?owner=Practitioner/nurse');
    const taken = {
      ...json,
      criteria: GRAVITY,
      channel: { ...(json.channel as object), endpoint: `${world.receiver.url}/mine` },
    };
    const path = `/Subscription/${json.id}`;
    expect((await world.fhir('PUT', path, { as: narrow, body: taken })).status).toBe(200);
    await put('not-nurses');
    await told();
    await put('not-nurses', { status: 'accepted' });
    await put('nurses', { owner: ref('Practitioner/nurse') });
    expect(await told()).toMatchObject([{ numbers: [1], focus: ['Task/nurses'] }]);
    const blind = await tokenFor('blind', 'system/Subscription.cruds');
    const patch = [{ op: 'replace', path: '/channel/endpoint', value: `${world.receiver.url}/blind` }];
    const headers = { 'content-type': 'application/json-patch+json' };
    expect((await world.fhir('PATCH', path, { as: blind, body: JSON.stringify(patch), headers })).status).toBe(403);
  });

  it('learns nothing of what was told before', async () => {
    const { json } = await ask(await tokenFor('wide', 'system/*.cruds'));
    await told();
    await put('before', { owner: ref('Practitioner/other') });
    expect(await told()).toMatchObject([{ numbers: [1] }]);
    const narrow = await tokenFor('narrow', 'system/Subscription.cruds system/Task.rs?owner=Practitioner/nurse');
    const body = {
      ...json,
      reason: 'Mine',
      channel: { ...(json.channel as object), endpoint: `${world.receiver.url}/x` },
    };
    expect((await world.fhir('PUT', `/Subscription/${json.id}`, { as: narrow, body })).status).toBe(200);
    await world.fhir('DELETE', '/Task/before');
    await told();
    const asked = await world.fhir('GET', `/Subscription/${json.id}/$events`, { as: narrow });
    expect(read({ body: asked.text })).toMatchObject({ total: 1, numbers: [] });
    await put('mine', { owner: ref('Practitioner/nurse') });
    expect(await told()).toMatchObject([{ numbers: [2], focus: ['Task/mine'] }]);
  });

  it('only says something else about it, and it goes on as it was', async () => {
    const { json } = await ask(await tokenFor('steady', 'system/*.cruds'));
    await told();
    const active = await statusOf(json.id);
    const body = { ...active, reason: 'Another reason' };
    expect((await world.fhir('PUT', `/Subscription/${json.id}`, { body })).json.status).toBe('active');
    await put('steady');
    expect(await told()).toMatchObject([{ type: 'event-notification', numbers: [1] }]);
    await world.fhir('PUT', `/Subscription/${json.id}`, { body: { ...body, status: 'off' } });
    await put('steady', { status: 'accepted' });
    expect(await told()).toEqual([]);
  });
});

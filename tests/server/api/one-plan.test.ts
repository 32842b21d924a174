// A case has one plan that goes on, whatever door a second one comes to; and what was deleted keeps its status machine.
import type { CarePlan } from '@medplum/fhirtypes';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Answer } from '../serve.ts';
import { type ReferWorld, referWorld } from './refer-world.ts';

let baton: ReferWorld;
let count = 0;
let [caseId, patient] = ['', ''];
const ref = (reference: string) => ({ reference });

beforeAll(async () => {
  baton = await referWorld();
});
beforeEach(async () => {
  patient = `one-plan-${++count}`;
  caseId = await baton.open(patient);
});
afterAll(() => baton.close());

const another = (more: object = {}) => ({
  resourceType: 'CarePlan',
  identifier: [{ system: 'urn:baton:case-plan', value: caseId }],
  status: 'active',
  intent: 'plan',
  subject: ref(`Patient/${patient}`),
  ...more,
});
const plans = async () =>
  (
    await baton.fhir('GET', `/CarePlan?identifier=urn:baton:case-plan|${caseId}&subject=Patient/${patient}`)
  ).json.entry?.map(({ resource }) => resource as unknown as CarePlan & { id: string }) ?? [];
const first = async () => (await plans())[0] as CarePlan & { id: string };
const bundle = (...entry: object[]) => ({ resourceType: 'Bundle', type: 'transaction', entry });
const post = (resource: object) => ({ resource, request: { method: 'POST', url: 'CarePlan' } });
const put = (resource: CarePlan) => ({ resource, request: { method: 'PUT', url: `CarePlan/${resource.id}` } });

function refused(answer: Answer) {
  expect([answer.status, answer.json.issue?.[0]?.code, answer.json.issue?.[0]?.expression], answer.text).toEqual([
    422,
    'business-rule',
    ['CarePlan.status'],
  ]);
  expect(answer.json.issue?.[0]?.details?.text).toContain('one at a time');
}

describe('a second active plan', () => {
  it.each([
    ['POST', () => baton.fhir('POST', '/CarePlan', { body: another() })],
    ['POST on hold', () => baton.fhir('POST', '/CarePlan', { body: another({ status: 'on-hold' }) })],
    ['PUT', () => baton.fhir('PUT', '/CarePlan/second', { body: another({ id: 'second' }) })],
    ['a conditional PUT', () => baton.fhir('PUT', '/CarePlan?identifier=urn:x|none', { body: another() })],
    ['a transaction', () => baton.fhir('POST', '', { body: bundle(post(another())) })],
    ['the nurse', () => baton.fhir('POST', '/CarePlan', { body: another(), as: baton.nurse })],
  ] as [string, () => Promise<Answer>][])('is refused by %s', async (_, send) => {
    refused(await send());
    expect((await plans()).map(({ status }) => status)).toEqual(['active']);
  });

  it('is refused by PATCH and by a batch', async () => {
    const draft = await baton.fhir('POST', '/CarePlan', { body: another({ status: 'draft' }) });
    expect(draft.status).toBe(201);
    const headers = { 'content-type': 'application/json-patch+json' };
    const patch = [{ op: 'replace', path: '/status', value: 'active' }];
    refused(await baton.fhir('PATCH', `/CarePlan/${draft.json.id}`, { headers, body: patch }));
    const batch = await baton.fhir('POST', '', { body: { ...bundle(post(another())), type: 'batch' } });
    expect(batch.json.entry?.[0]?.response?.status).toMatch(/^422/);
  });

  it('takes over from the first in one transaction, and not two of them', async () => {
    const old = await first();
    const ended: CarePlan = { ...old, status: 'revoked' };
    const both = bundle(put(ended), post(another()), post(another({ title: 'Another' })));
    refused(await baton.fhir('POST', '', { body: both }));
    expect((await baton.fhir('POST', '', { body: bundle(put(ended), post(another())) })).status).toBe(200);
    expect((await plans()).map(({ status }) => status).toSorted()).toEqual(['active', 'revoked']);
    // And the old one does not come back beside it, by whatever way.
    expect((await baton.fhir('PUT', `/CarePlan/${old.id}`, { body: old })).status).toBe(422);
    await baton.fhir('DELETE', `/CarePlan/${old.id}`);
    expect((await baton.fhir('PUT', `/CarePlan/${old.id}`, { body: old })).status).toBe(422);
    const removed = await baton.fhir('POST', '', {
      body: bundle(
        {
          request: {
            method: 'DELETE',
            url: `CarePlan/${(await plans()).find(({ status }) => status === 'active')?.id}`,
          },
        },
        post(another({ title: 'Third' })),
      ),
    });
    expect(removed.status, removed.text).toBe(200);
  });

  it('of two writers at once one gets', async () => {
    const old = await first();
    await baton.fhir('PUT', `/CarePlan/${old.id}`, { body: { ...old, status: 'completed' } });
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => baton.fhir('POST', '/CarePlan', { body: another() })),
    );
    expect(answers.map(({ status }) => status).toSorted()).toEqual([201, ...Array(7).fill(422)]);
  });

  it('about another patient is no plan of the case, and does not stand against one', async () => {
    await baton.open('stranger');
    const theirs = another({ subject: ref('Patient/stranger') });
    expect((await baton.fhir('POST', '/CarePlan', { body: theirs })).status).toBe(201);
    const old = await first();
    await baton.fhir('PUT', `/CarePlan/${old.id}`, { body: { ...old, status: 'completed' } });
    expect((await baton.fhir('POST', '/CarePlan', { body: another() })).status).toBe(201);
  });

  it('that is only drafted does not become the one that the API works on', async () => {
    await baton.fhir('POST', '/CarePlan', { body: another({ status: 'draft', title: 'Draft' }) });
    const answer = await baton.asNurse('GET', `/cases/${caseId}/plan`);
    expect([answer.status, answer.json.status], answer.text).toEqual([200, 'active']);
  });
});

describe('what was deleted', () => {
  const task = (status: string) => ({
    ...{ resourceType: 'Task', id: `back-${count}`, status, intent: 'order', for: ref(`Patient/${patient}`) },
  });
  const path = () => `/Task/back-${count}`;

  it('comes back as it was, or a step further, and no other way', async () => {
    for (const status of ['requested', 'completed']) await baton.fhir('PUT', path(), { body: task(status) });
    expect((await baton.fhir('DELETE', path())).status).toBe(204);
    const reopened = await baton.fhir('PUT', path(), { body: task('requested') });
    expect([reopened.status, reopened.json.issue?.[0]?.code]).toEqual([422, 'business-rule']);
    const entry = { resource: task('requested'), request: { method: 'PUT', url: path().slice(1) } };
    expect((await baton.fhir('POST', '', { body: bundle(entry) })).status).toBe(422);
    expect((await baton.fhir('GET', path())).status).toBe(410);
    expect((await baton.fhir('PUT', path(), { body: task('completed') })).status).toBe(201);
    expect((await baton.fhir('DELETE', path())).status).toBe(204);
    expect((await baton.fhir('PUT', path(), { body: task('entered-in-error') })).status).toBe(201);
  });
});

it('a change of a plan that has changed since is refused by PUT and PATCH, with the element named', async () => {
  const plan = await first();
  const stale = { 'if-match': 'W/"77"' };
  const headers = { ...stale, 'content-type': 'application/json-patch+json' };
  const patch = [{ op: 'replace', path: '/title', value: 'Mine' }];
  for (const answer of [
    await baton.fhir('PUT', `/CarePlan/${plan.id}`, { headers: stale, body: { ...plan, title: 'Mine' } }),
    await baton.fhir('PATCH', `/CarePlan/${plan.id}`, { headers, body: patch }),
  ]) {
    expect([answer.status, answer.json.issue?.[0]?.expression]).toEqual([412, ['CarePlan.meta.versionId']]);
  }
  expect((await first()).title).toBe(plan.title);
});

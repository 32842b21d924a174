// $apply and the pathways of /api/v1, through HTTP.
import type { Bundle, CarePlan, RequestGroup, Task } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ApiServer, serveApi } from './api-client.ts';

let baton: ApiServer;
let caseId: string;

const SCT = 'http://snomed.info/sct';
const condition = (id: string, code: string) => ({
  resourceType: 'Condition',
  id,
  clinicalStatus: {
    coding: [{ system: 'http://terminology.hl7.org/CodeSystem/condition-clinical', code: 'active' }],
  },
  code: { coding: [{ system: SCT, code }] },
  subject: { reference: 'Patient/ann' },
});

beforeAll(async () => {
  baton = await serveApi();
  await baton.put(
    { resourceType: 'Practitioner', id: 'nurse', name: [{ family: 'Nurse' }] },
    { resourceType: 'Patient', id: 'ann', name: [{ given: ['Ann'], family: 'Example' }], birthDate: '1941-05-01' },
    { resourceType: 'Patient', id: 'bob', name: [{ given: ['Bob'], family: 'Example' }], birthDate: '1941-05-01' },
    condition('hf', '84114007'),
    condition('food', '733423003'),
  );
  const opened = await baton.api('POST', '/cases', {
    body: { patient: { reference: 'Patient/ann' }, careManager: { reference: 'Practitioner/nurse' } },
  });
  caseId = String(opened.json.id);
});

afterAll(() => baton.close());

const parameters = (...parameter: object[]) => ({ resourceType: 'Parameters', parameter });
const planOf = async () => {
  const found = await baton.fhir('GET', `/CarePlan?identifier=urn:baton:case-plan|${caseId}`);
  return found.json.entry?.[0]?.resource as unknown as CarePlan;
};

describe('PlanDefinition/$apply', () => {
  it('answers a CarePlan with everything contained, and stores nothing', async () => {
    const before = await baton.temp.store.head();
    const answer = await baton.fhir('GET', '/PlanDefinition/heart-failure/$apply?subject=Patient/ann');
    expect(answer.status, answer.text).toBe(200);
    const plan = answer.json as unknown as CarePlan;
    expect(plan).toMatchObject({ resourceType: 'CarePlan', status: 'draft', intent: 'proposal' });
    expect(plan.activity).toEqual([{ reference: { reference: '#request-group' } }]);
    const group = plan.contained?.find((one): one is RequestGroup => one.resourceType === 'RequestGroup');
    expect(group?.action?.[0]).toMatchObject({ id: 'pathway', selectionBehavior: 'all' });
    const checked = await baton.fhir('POST', '/CarePlan/$validate', { body: plan });
    expect(checked.json.issue?.filter(({ code }) => code !== 'informational') ?? []).toEqual([]);
    expect(await baton.temp.store.head()).toBe(before);
  });

  it('answers a Bundle of separate resources when asked', async () => {
    const url = 'https://baton.health/fhir/PlanDefinition/food-insecurity';
    const answer = await baton.fhir('POST', '/PlanDefinition/$apply', {
      body: parameters(
        { name: 'url', valueUri: url },
        { name: 'subject', valueString: 'Patient/ann' },
        { name: 'practitioner', valueString: 'Practitioner/nurse' },
        { name: 'result', valueCode: 'bundle' },
      ),
    });
    expect(answer.status, answer.text).toBe(200);
    const bundle = answer.json as unknown as Bundle;
    const types = bundle.entry?.map(({ resource }) => resource?.resourceType);
    expect(types?.slice(0, 3)).toEqual(['CarePlan', 'RequestGroup', 'Goal']);
    const referral = bundle.entry?.find(({ resource }) => resource?.resourceType === 'ServiceRequest')?.resource;
    expect(referral).toMatchObject({
      status: 'draft',
      intent: 'proposal',
      requester: { reference: 'Practitioner/nurse' },
    });
  });

  it('takes the definition and the data from the request', async () => {
    const definition = {
      resourceType: 'PlanDefinition',
      status: 'active',
      url: 'https://example.org/p',
      name: 'Own',
      action: [
        {
          id: 'call',
          title: 'Call about weight',
          condition: [
            {
              kind: 'applicability',
              expression: {
                language: 'text/fhirpath',
                expression:
                  "%observations.where(code.coding.code = '29463-7').value.value > %limit and %setting.coding.code = 'home'",
              },
            },
          ],
        },
      ],
    };
    const weight = {
      resourceType: 'Observation',
      status: 'final',
      code: { coding: [{ system: 'http://loinc.org', code: '29463-7' }] },
      subject: { reference: 'Patient/bob' },
      valueQuantity: { value: 90 },
    };
    const ask = (limit: number) =>
      baton.fhir('POST', '/PlanDefinition/$apply', {
        body: parameters(
          { name: 'planDefinition', resource: definition },
          { name: 'subject', valueString: 'Patient/bob' },
          { name: 'setting', valueCodeableConcept: { coding: [{ code: 'home' }] } },
          { name: 'parameters', resource: parameters({ name: 'limit', valueInteger: limit }) },
          { name: 'data', resource: { resourceType: 'Bundle', type: 'collection', entry: [{ resource: weight }] } },
        ),
      });
    const over = await ask(80);
    expect(over.status, over.text).toBe(200);
    expect(over.json.activity).toHaveLength(1);
    expect((await ask(95)).json.activity).toBeUndefined();
  });

  it.each([
    ['', 'required'],
    ['?subject=Patient/nobody', 'processing'],
    ['?subject=Group/1', 'invalid'],
    ['?subject=Patient/ann&subject=Patient/bob', 'invalid'],
    ['?subject=Patient/ann&url=https://example.org/p', 'value'],
    ['?subject=Patient/ann&result=tasks', 'required'],
    ['?subject=Patient/ann&result=other', 'value'],
  ])('refuses %s', async (query, code) => {
    const answer = await baton.fhir('GET', `/PlanDefinition/heart-failure/$apply${query}`);
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(answer.json.issue?.[0]?.code).toBe(code);
  });

  it('says which pathway and action cannot be carried out', async () => {
    const definition = {
      resourceType: 'PlanDefinition',
      status: 'active',
      url: 'https://example.org/bad',
      name: 'Bad',
      action: [{ id: 'one', title: 'One', relatedAction: [{ actionId: 'two', relationship: 'after' }] }],
    };
    const answer = await baton.fhir('POST', '/PlanDefinition/$apply', {
      body: parameters(
        { name: 'planDefinition', resource: definition },
        { name: 'subject', valueString: 'Patient/ann' },
      ),
    });
    expect(answer.status).toBe(422);
    expect(answer.json.issue?.[0]?.details?.text).toMatch(/^Pathway Bad, action one: /);
  });

  it('shows nothing of a patient that the token does not reach', async () => {
    const as = await baton.token('patient/*.rs', 'bob');
    const answer = await baton.fhir('GET', '/PlanDefinition/heart-failure/$apply?subject=Patient/ann', { as });
    expect(answer.status).toBe(422);
    expect(answer.text).not.toContain('Example');
  });
});

it('ActivityDefinition/$apply answers the draft of one activity', async () => {
  const answer = await baton.fhir('GET', '/ActivityDefinition/cardiac-rehab-request/$apply?subject=Patient/ann');
  expect(answer.status, answer.text).toBe(200);
  expect(answer.json).toMatchObject({
    resourceType: 'ServiceRequest',
    status: 'draft',
    intent: 'order',
    instantiatesCanonical: ['https://baton.health/fhir/ActivityDefinition/cardiac-rehab-request|1.1.0'],
    subject: { reference: 'Patient/ann' },
  });
});

describe('what is in effect for a time', () => {
  const url = 'https://example.org/ActivityDefinition/notice';
  const notice = (version: string, effectivePeriod: object) => ({
    ...{ resourceType: 'ActivityDefinition', id: `notice-${version}`, url, version, status: 'active' },
    ...{ name: 'Notice', kind: 'Task', intent: 'order', title: `Notice ${version}`, effectivePeriod },
  });
  const plan = (id: string, more: object = {}) => ({
    ...{ resourceType: 'PlanDefinition', id, url: `https://example.org/PlanDefinition/${id}`, status: 'active' },
    ...{ name: id, ...more },
    action: [
      { id: 'call', title: 'Call' },
      { id: 'notice', title: 'Notice', definitionCanonical: `${url}|3` },
    ],
  });

  it('is the version that counts, and neither one that has ended nor one to come is applied', async () => {
    await baton.put(
      notice('1', { end: '2020-12-31' }),
      notice('2', { start: '2021-01-01', end: '2998-12-31' }),
      notice('3', { start: '2999-01-01' }),
      plan('with-notice'),
      plan('over', { effectivePeriod: { end: '2020-12-31' } }),
    );
    const apply = (canonical: string) =>
      baton.fhir('GET', `/ActivityDefinition/$apply?subject=Patient/ann&url=${canonical}`);
    const now = await apply(url);
    expect(now.json, now.text).toMatchObject({ instantiatesCanonical: `${url}|2` });
    const early = await apply(`${url}|3`);
    expect([early.status, early.json.issue?.[0]?.expression]).toEqual([422, ['PlanDefinition.effectivePeriod']]);
    expect(early.json.issue?.[0]?.details?.text).toBe('Pathway Notice: it is in effect from 2999-01-01 only.');
    expect((await baton.fhir('GET', '/PlanDefinition/over/$apply?subject=Patient/ann')).status).toBe(422);
    // A rule that is not in force takes its step away, not the pathway.
    const applied = await baton.fhir('GET', '/PlanDefinition/with-notice/$apply?subject=Patient/ann&result=bundle');
    expect(applied.status, applied.text).toBe(200);
    expect(applied.text).toContain('Call');
    expect(applied.text).not.toContain('Notice 3');
    for (const id of ['with-notice', 'over']) await baton.fhir('DELETE', `/PlanDefinition/${id}`);
  });
});

describe('/api/v1', () => {
  it('lists pathways and shows one with steps and sources', async () => {
    const list = await baton.api('GET', '/pathways');
    expect((list.json.items as { id: string }[]).map(({ id }) => id)).toContain('heart-failure');
    const one = await baton.api('GET', '/pathways/heart-failure');
    expect(one.json).toMatchObject({
      title: 'Heart failure',
      sources: [{ url: 'https://doi.org/10.1161/CIR.0000000000001063' }],
    });
    expect((await baton.api('GET', '/pathways/none')).status).toBe(404);
  });

  it('says which pathways are for a patient', async () => {
    const answer = await baton.api('GET', `/cases/${caseId}/pathways?applicable=true`);
    const ids = (answer.json.items as { id: string }[]).map(({ id }) => id);
    expect(ids.sort()).toEqual(['case-start', 'food-insecurity', 'heart-failure']);
  });

  it('puts a pathway into the plan in one commit, and tells what went another way', async () => {
    const preview = await baton.fhir(
      'GET',
      `/PlanDefinition/food-insecurity/$apply?result=tasks&case=EpisodeOfCare/${caseId}`,
    );
    expect(preview.json, preview.text).toMatchObject({ resourceType: 'Bundle', type: 'transaction' });
    const body = { pathway: 'food-insecurity', omit: [{ step: 'benefits', reason: 'Enrolled already' }] };
    const answer = await baton.api('POST', `/cases/${caseId}/pathways`, { body });
    expect(answer.status, answer.text).toBeLessThan(300);
    expect(answer.json.items).toMatchObject([{ id: 'food-insecurity', followed: true }]);

    const plan = await planOf();
    expect(plan.goal).toHaveLength(2);
    const tasks = await baton.fhir('GET', `/Task?based-on=CarePlan/${plan.id}`);
    const requests = await baton.fhir('GET', `/ServiceRequest?based-on=CarePlan/${plan.id}`);
    const made = [...(tasks.json.entry ?? []), ...(requests.json.entry ?? [])];
    expect(new Set(plan.activity?.map(({ reference }) => reference?.reference))).toEqual(
      new Set(made.map(({ resource }) => `${resource?.resourceType}/${resource?.id}`)),
    );
    // Each says what it is, social needs as Gravity has them.
    const claimed = async (type: string, id = '') =>
      (await baton.fhir('GET', `/${type}/${id}`)).json.meta?.profile?.map((url) => url.split('/').at(-1));
    expect(await claimed('Goal', plan.goal?.[0]?.reference?.split('/')[1])).toEqual([
      'baton-goal',
      'us-core-goal',
      'MCCGoal',
      'SDOHCC-Goal',
    ]);
    expect(await claimed('ServiceRequest', requests.json.entry?.[0]?.resource?.id)).toEqual([
      'baton-referral',
      'us-core-servicerequest',
      'SDOHCC-ServiceRequest',
    ]);
    const confirm = made
      .map(({ resource }) => resource as unknown as Task)
      .find(({ description }) => description?.startsWith('Confirm'));
    expect(confirm).toMatchObject({ owner: { reference: 'Practitioner/nurse' }, status: 'requested' });

    const again = await baton.api('POST', `/cases/${caseId}/pathways`, { body });
    expect(again.status).toBe(409);

    const about = { reference: `Task/${confirm?.id}` };
    const recorded = await baton.api('POST', `/cases/${caseId}/variances`, {
      body: { kind: 'late', reason: 'Could not be reached', source: 'patient-family', about },
    });
    expect(recorded.status, recorded.text).toBe(201);
    expect(recorded.json).toMatchObject({ kind: 'late', step: 'confirm', source: { code: 'patient-family' }, about });
    const list = await baton.api('GET', `/cases/${caseId}/variances`);
    expect(list.json.items).toMatchObject([
      { kind: 'not-done', step: 'benefits', reason: 'Enrolled already' },
      { kind: 'late', step: 'confirm' },
    ]);
    const report = await baton.api('GET', `/cases/${caseId}/variances/report`);
    const rows = report.json.items as { step: string; state: string; variances: string[] }[];
    expect(rows.find(({ step }) => step === 'confirm')).toMatchObject({ state: 'open', variances: [recorded.json.id] });
  });

  it.each([
    [{ pathway: 'none' }, 422],
    [{ pathway: 'copd' }, 422],
    [{ pathway: 'heart-failure', take: [{ step: 'nothing' }] }, 422],
    [{ pathway: 'heart-failure', omit: [{ step: 'start.welcome', reason: 'No' }] }, 422],
    [{ pathway: 'heart-failure', more: true }, 400],
    [{}, 400],
  ])('refuses %j and plans nothing', async (body, status) => {
    const before = await planOf();
    const answer = await baton.api('POST', `/cases/${caseId}/pathways`, { body });
    expect(answer.status, answer.text).toBe(status);
    expect(await planOf()).toEqual(before);
  });

  it('opens a case on a pathway, or not at all', async () => {
    const body = { patient: { reference: 'Patient/ann' }, programme: { text: 'Heart' }, pathway: { pathway: 'copd' } };
    const refused = await baton.api('POST', '/cases', { body });
    expect(refused.status).toBe(422);
    const opened = await baton.api('POST', '/cases', { body: { ...body, pathway: { pathway: 'heart-failure' } } });
    expect(opened.status, opened.text).toBe(201);
    const { reference } = opened.json.plan as { reference: string };
    const tasks = await baton.fhir('GET', `/Task?based-on=${reference}&_summary=count`);
    expect(tasks.json.total).toBeGreaterThan(25);
    const found = await baton.fhir('GET', `/EpisodeOfCare?patient=ann`);
    expect(found.json.entry).toHaveLength(2);
  });

  it('plans by the operation too, when it is told to persist', async () => {
    const answer = await baton.fhir('POST', '/PlanDefinition/heart-failure/$apply', {
      body: parameters(
        { name: 'result', valueCode: 'tasks' },
        { name: 'case', valueString: `EpisodeOfCare/${caseId}` },
        { name: 'persist', valueBoolean: true },
      ),
    });
    expect(answer.status, answer.text).toBe(200);
    expect(answer.json.type).toBe('transaction-response');
    expect((await planOf()).instantiatesCanonical).toHaveLength(2);
  });
});

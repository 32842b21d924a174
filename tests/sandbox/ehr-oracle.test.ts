// The simulated Oracle Health: what it offers, what it refuses, and with which status.
import type { Bundle, CapabilityStatement, CarePlan, Observation, Patient } from '@medplum/fhirtypes';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { matches, nextOf, simulate, type World } from './simulated-ehr.ts';

let oracle: World;
beforeEach(async () => {
  oracle = await simulate('oracle');
});
afterEach(() => oracle.close());

const statusOf = async (method: string, path: string, body?: unknown, headers?: Record<string, string>) =>
  (await oracle.call(method, path, body, headers)).status;

describe('searches', () => {
  it('of CarePlan need patient and assess-plan, and never show an activity', async () => {
    expect(await statusOf('GET', '/CarePlan?patient=pat-1')).toBe(400);
    expect(await statusOf('GET', '/CarePlan?patient=pat-1&category=38717003')).toBe(400);
    const { body } = await oracle.search('/CarePlan?patient=pat-1&category=assess-plan');
    const [plan] = matches(body) as CarePlan[];
    expect([plan?.id, plan?.activity]).toEqual(['plan-1', undefined]);
    expect((await oracle.call<CarePlan>('GET', '/CarePlan/plan-1')).body.activity).toBeUndefined();
    expect(await statusOf('GET', '/CarePlan?_id=plan-1&patient=pat-1')).toBe(400);
    expect(await statusOf('GET', '/CarePlan?patient=pat-1&category=assess-plan&date=ge2026-01-01')).toBe(400);
    const range = 'date=ge2026-01-01&date=le2027-01-01';
    expect(await oracle.ids(`/CarePlan?patient=pat-1&category=assess-plan&${range}`)).toEqual(['plan-1']);
  });

  it('of CareTeam and Goal go by patient', async () => {
    expect(await oracle.ids('/CareTeam?patient=pat-1')).toEqual(['team-1']);
    expect(await oracle.ids('/CareTeam?encounter=enc-1')).toEqual(['team-1']);
    expect(await statusOf('GET', '/CareTeam?encounter=enc-1&status=active')).toBe(400);
    expect(await statusOf('GET', '/CareTeam?category=longitudinal&encounter=enc-1')).toBe(400);
    expect(await oracle.ids('/Goal?patient=pat-1')).toEqual(['goal-1']);
    expect(await statusOf('GET', '/Goal?target-date=2026-12-20')).toBe(400);
  });

  it.each(['ServiceRequest', 'Encounter', 'Condition', 'Observation'])(
    'take _lastUpdated of %s beside a patient only',
    async (type) => {
      const range = '_lastUpdated=ge2026-11-20T00:00:00Z&_lastUpdated=le2026-11-21T00:00:00Z';
      expect(await statusOf('GET', `/${type}?${range}`)).toBe(400);
      expect(await oracle.ids(`/${type}?patient=pat-1&${range}`)).toHaveLength(1);
      expect(await oracle.ids(`/${type}?patient=pat-1&${range.replaceAll('2026', '2025')}`)).toEqual([]);
    },
  );

  it('ignore what they do not know, and say nothing of it', async () => {
    expect(await oracle.ids('/Goal?patient=pat-1&_lastUpdated=ge2030-01-01&_sort=_lastUpdated')).toEqual(['goal-1']);
    expect(await statusOf('GET', '/Goal?colour=red')).toBe(400);
  });

  it('repeat an id across pages, and have a next link that says nothing', async () => {
    for (let index = 0; index < 5; index++) {
      oracle.load([
        {
          resourceType: 'Goal',
          id: `more-${index}`,
          lifecycleStatus: 'active',
          description: {},
          subject: { reference: 'Patient/pat-1' },
        },
      ]);
    }
    const { body } = await oracle.search('/Goal?patient=pat-1&_count=2');
    expect(nextOf(body)).toMatch(/\/Goal\?-pageContext=\w+-\d+&-pageDirection=NEXT$/);
    expect(body.total).toBeUndefined();
    const ids = await oracle.ids('/Goal?patient=pat-1&_count=2');
    expect(ids.length).toBeGreaterThan(6);
    expect(new Set(ids).size).toBe(6);
  });

  it('answer in JSON only', async () => {
    expect(await statusOf('GET', '/Goal/goal-1', undefined, { accept: 'application/fhir+xml' })).toBe(406);
    expect(await statusOf('GET', '/Goal/goal-1', undefined, { accept: 'application/fhir+json' })).toBe(200);
  });

  it('have no Task, and nothing at all for another tenant', async () => {
    expect(await statusOf('GET', '/Task?patient=pat-1')).toBe(404);
    const elsewhere = oracle.baseUrl.replace(oracle.ehr.tenant, '11111111-2222-3333-4444-555555555555');
    expect(await statusOf('GET', `${elsewhere}/Goal/goal-1`)).toBe(403);
    const { body } = await oracle.call<CapabilityStatement>('GET', '/metadata');
    expect(body.rest?.[0]?.interaction).toEqual([{ code: 'batch' }]);
    expect(body.rest?.[0]?.resource?.map(({ type }) => type)).not.toContain('Task');
  });

  it('say what is not known', async () => {
    oracle.load([
      { resourceType: 'Patient', id: 'unknown', name: [{ family: 'Sample' }] },
      {
        resourceType: 'Observation',
        id: 'empty',
        status: 'final',
        code: { text: 'Weight' },
        subject: { reference: 'Patient/unknown' },
      },
    ]);
    const patient = (await oracle.call<Patient>('GET', '/Patient/unknown')).body;
    expect(patient).toMatchObject({ _birthDate: { extension: [{ valueCode: 'unknown' }] } });
    const observation = (await oracle.call<Observation>('GET', '/Observation/empty')).body;
    expect(observation.dataAbsentReason?.coding?.[0]?.code).toBe('unknown');
    expect((await oracle.call<Observation>('GET', '/Observation/obs-1')).body.dataAbsentReason).toBeUndefined();
  });
});

describe('writes', () => {
  const condition = {
    resourceType: 'Condition',
    subject: { reference: 'Patient/pat-1' },
    code: { text: 'Fall risk' },
  };

  it('create with place and version, without the resource, however often', async () => {
    const { status, text, headers } = await oracle.call('POST', '/Condition', condition, {
      'if-none-exist': '_id=cond-1',
    });
    expect([status, text, headers.get('etag')]).toEqual([201, '', 'W/"1"']);
    expect(headers.get('location')).toMatch(/\/Condition\/\d+\/_history\/1$/);
  });

  it('update the version that was read', async () => {
    const { body, headers } = await oracle.call('GET', '/Condition/cond-1');
    expect(headers.get('etag')).toBe('W/"1"');
    expect(await statusOf('PUT', '/Condition/cond-1', body)).toBe(412);
    const put = await oracle.call('PUT', '/Condition/cond-1', body, { 'if-match': 'W/"1"' });
    expect([put.status, put.text, put.headers.get('etag')]).toEqual([200, '', 'W/"2"']);
    expect(await statusOf('PUT', '/Condition/cond-1', body, { 'if-match': 'W/"1"' })).toBe(409);
  });

  it('patch listed paths', async () => {
    const patch = (path: string, value: unknown) => [{ op: 'replace', path, value }];
    const url = '/Encounter/enc-1';
    expect(await statusOf('PATCH', url, patch('/status', 'finished'))).toBe(412);
    const match = { 'if-match': 'W/"1"', 'content-type': 'application/json-patch+json' };
    expect(await statusOf('PATCH', url, patch('/class/code', 'AMB'), match)).toBe(422);
    expect(await statusOf('PATCH', url, [{ op: 'test', path: '/status', value: 'planned' }], match)).toBe(422);
    expect(await statusOf('PATCH', url, patch('/status', 'finished'), match)).toBe(200);
    expect(await statusOf('PATCH', url, patch('/status', 'cancelled'), match)).toBe(409);
    const override = { ...match, 'if-match': 'W/"2"', 'x-http-method-override': 'PATCH' };
    expect(await statusOf('POST', url, patch('/status', 'cancelled'), override)).toBe(200);
  });

  it('refuse what they have no place for', async () => {
    const modified = { ...condition, modifierExtension: [{ url: 'urn:x', valueBoolean: true }] };
    expect(await statusOf('POST', '/Condition', modified)).toBe(422);
    expect(await statusOf('POST', '/CarePlan', { resourceType: 'CarePlan' })).toBe(405);
  });

  it('clean the narrative', async () => {
    const div =
      '<div xmlns="http://www.w3.org/1999/xhtml"><script>alert(1)</script><p>Calm</p><iframe src="x"></iframe><img src="https://x.example/a.png"/></div>';
    const { headers } = await oracle.call('POST', '/Condition', { ...condition, text: { status: 'generated', div } });
    const id = headers.get('location')?.split('/').at(-3);
    const { text } = await oracle.call('GET', `/Condition/${id}`);
    expect(text).toContain('<p>Calm</p>');
    expect(text).not.toMatch(/script|iframe|<img/);
  });

  it('take a batch, not a transaction', async () => {
    const entry = [
      { request: { method: 'GET', url: 'Goal/goal-1' } },
      { request: { method: 'GET', url: 'Goal/nothing' } },
      { request: { method: 'POST', url: 'Condition' }, resource: condition },
    ];
    const { status, body } = await oracle.call<Bundle>('POST', '', { resourceType: 'Bundle', type: 'batch', entry });
    expect(status).toBe(200);
    expect(body.entry?.map(({ response }) => response?.status)).toEqual(['200', '404', '201']);
    expect(await statusOf('POST', '', { resourceType: 'Bundle', type: 'transaction', entry })).toBe(405);
  });
});

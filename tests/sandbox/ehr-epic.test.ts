// The simulated Epic: what it offers, what it refuses, and with which of its codes.
import type { CapabilityStatement, DocumentReference, Task } from '@medplum/fhirtypes';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { codeOf, matches, nextOf, noticesOf, simulate, type World } from './simulated-ehr.ts';

let epic: World;
beforeEach(async () => {
  epic = await simulate('epic');
});
afterEach(() => epic.close());

const refusal = async (method: string, path: string, body?: unknown, headers?: Record<string, string>) => {
  const reply = await epic.fail(method, path, body, headers);
  return [reply.status, codeOf(reply.body)];
};

describe('searches', () => {
  it('of CarePlan need a category', async () => {
    const { status, body } = await epic.fail('GET', '/CarePlan?patient=pat-1');
    expect([status, codeOf(body), body.issue[0]?.code]).toEqual([400, '4111', 'required']);
    expect(await epic.ids('/CarePlan?patient=pat-1&category=38717003')).toEqual(['plan-1']);
    expect(await epic.ids('/CarePlan?patient=pat-1&category=http://snomed.info/sct|38717003,736271009')).toEqual([
      'plan-1',
    ]);
    expect(await epic.ids('/CarePlan?_id=plan-1')).toEqual(['plan-1']);
  });

  it('ignore what they do not know, _lastUpdated too, and say so', async () => {
    const { body } = await epic.search('/Goal?patient=pat-1&_lastUpdated=ge2030-01-01');
    expect(matches(body).map(({ id }) => id)).toEqual(['goal-1']);
    expect(noticesOf(body)).toEqual(['4122', '4119']);
    expect(await refusal('GET', '/Goal?_lastUpdated=ge2030-01-01')).toEqual([400, '4110']);
    expect(await refusal('GET', '/Goal')).toEqual([400, '4110']);
  });

  it('warn when nothing is found', async () => {
    const { status, body } = await epic.search('/Goal?patient=nobody');
    expect([status, matches(body), noticesOf(body)]).toEqual([200, [], ['4101']]);
  });

  it('take _id alone, with paging', async () => {
    expect(await refusal('GET', '/Task?_id=task-1&status=requested')).toEqual([400, '4112']);
    expect(await epic.ids('/Task?_id=task-1&_count=5')).toEqual(['task-1']);
  });

  it('find only active care teams', async () => {
    expect(await refusal('GET', '/CareTeam?patient=pat-1&status=inactive')).toEqual([400, '4115']);
    expect(await epic.ids('/CareTeam?patient=pat-1&status=active')).toEqual(['team-1']);
  });

  it('refuse a date that is none', async () => {
    expect(await refusal('GET', '/Task?patient=pat-1&modified=yesterday')).toEqual([400, '4115']);
  });

  it('ignore the query of a POST', async () => {
    const form = { 'content-type': 'application/x-www-form-urlencoded' };
    expect(await refusal('POST', '/Task/_search?patient=pat-1', '', form)).toEqual([400, '4110']);
    const { status } = await epic.call('POST', '/Task/_search', 'patient=pat-1', form);
    expect(status).toBe(200);
  });

  it('give a hundred patients at most', async () => {
    const crowd = await simulate('epic', {}, 120);
    const { body } = await crowd.search('/Patient?gender=female,male&_count=1000');
    expect([matches(body).length, noticesOf(body)]).toEqual([100, ['4127', '4119']]);
    await crowd.close();
  });

  it('have next links that die with their session', async () => {
    const ward = await simulate('epic', {}, 5);
    const first = (await ward.search('/Observation?code=29463-7&_count=2')).body;
    const next = nextOf(first) ?? '';
    expect(next).toContain('sessionID=');
    expect(matches((await ward.search(next)).body)).toHaveLength(2);
    ward.advance({ minutes: 11 });
    const { status, body } = await ward.fail('GET', next);
    expect([status, codeOf(body)]).toEqual([400, '4113']);
    await ward.close();
  });
});

describe('reads', () => {
  it('show no version', async () => {
    const { headers, body } = await epic.call<Task>('GET', '/Task/task-1');
    expect([headers.get('etag'), body.meta]).toEqual([null, undefined]);
  });

  it('say what is unknown, deleted, merged or restricted', async () => {
    expect(await refusal('GET', '/Task/nothing')).toEqual([404, '4102']);
    await epic.control('DELETE', '/resources/Task/task-1');
    expect(await refusal('GET', '/Task/task-1')).toEqual([410, '4103']);
    await epic.control('POST', '/merge', { from: 'pat-1', to: 'pat-2' });
    expect(await refusal('GET', '/Patient/pat-1')).toEqual([301, '4107']);
    const { headers } = await epic.fail('GET', '/Patient/pat-1');
    expect(headers.get('location')).toBe(`${epic.baseUrl}/Patient/pat-2`);
    expect(await epic.ids('/Goal?patient=pat-2')).toEqual(['goal-2', 'goal-1']);
    epic.turn({ breakTheGlass: ['pat-2'] });
    expect(await refusal('GET', '/Goal/goal-2')).toEqual([403, '4130']);
  });

  it('know no history, no batch and no conditions', async () => {
    expect((await epic.call('GET', '/Task/task-1/_history')).status).toBe(405);
    expect((await epic.call('GET', '/Task/_history')).status).toBe(405);
    expect((await epic.call('POST', '', { resourceType: 'Bundle', type: 'batch' })).status).toBe(405);
    const { body } = await epic.call<CapabilityStatement>('GET', '/metadata');
    expect(body.rest?.[0]?.interaction).toBeUndefined();
    const task = body.rest?.[0]?.resource?.find(({ type }) => type === 'Task');
    expect(task).toMatchObject({ conditionalCreate: false, updateCreate: false, readHistory: false });
    expect(task?.versioning).toBeUndefined();
    expect(task?.interaction?.map(({ code }) => code)).toEqual(['read', 'search-type', 'update']);
  });
});

describe('writes', () => {
  const document = (data: string, changes: Partial<DocumentReference> = {}): DocumentReference => ({
    resourceType: 'DocumentReference',
    status: 'current',
    type: { text: 'Care plan' },
    subject: { reference: 'Patient/pat-1' },
    context: { encounter: [{ reference: 'Encounter/enc-1' }] },
    content: [{ attachment: { contentType: 'text/plain', data } }],
    ...changes,
  });

  it('have doors for some types only', async () => {
    for (const [method, path, type] of [
      ['POST', '/Task', 'Task'],
      ['POST', '/CarePlan', 'CarePlan'],
      ['PUT', '/Goal/goal-1', 'Goal'],
      ['DELETE', '/Task/task-1', 'Task'],
      ['POST', '/Encounter', 'Encounter'],
    ] as const) {
      expect((await epic.fail(method, path, { resourceType: type })).status).toBe(405);
    }
  });

  it('update a Task and answer without it', async () => {
    const { body } = await epic.call<Task>('GET', '/Task/task-1');
    const put = await epic.call('PUT', '/Task/task-1', { ...body, status: 'completed' });
    expect([put.status, put.text]).toEqual([200, '']);
    expect((await epic.call<Task>('GET', '/Task/task-1')).body.status).toBe('completed');
    expect((await epic.call('PUT', '/Task/task-1', body, { 'if-match': 'W/"1"' })).status).toBe(412);
    expect((await epic.call('PUT', '/Task/new', { ...body, id: 'new' })).status).toBe(404);
  });

  it('create and answer with the place alone, a second time as well', async () => {
    const request = {
      resourceType: 'ServiceRequest',
      identifier: [{ system: 'urn:baton', value: 'x' }],
      status: 'active',
      intent: 'order',
      subject: { reference: 'Patient/pat-1' },
    };
    const condition = { 'if-none-exist': 'identifier=urn:baton|x' };
    const first = await epic.call('POST', '/ServiceRequest', request, condition);
    expect([first.status, first.text]).toEqual([201, '']);
    expect(first.headers.get('location')).toMatch(/\/ServiceRequest\/e[A-Za-z0-9]{22}$/);
    await epic.call('POST', '/ServiceRequest', request, condition);
    expect(await epic.ids('/ServiceRequest?identifier=urn:baton|x')).toHaveLength(2);
    const stranger = { ...request, subject: { reference: 'Patient/nobody' } };
    expect(await refusal('POST', '/ServiceRequest', stranger)).toEqual([400, '59144']);
  });

  it('file a document of an encounter, once', async () => {
    expect((await epic.call('POST', '/DocumentReference', document('QQ=='))).status).toBe(201);
    expect(await refusal('POST', '/DocumentReference', document('QQ=='))).toEqual([400, '59141']);
    const { context: _, ...without } = document('Qg==');
    const { status, body } = await epic.fail('POST', '/DocumentReference', without);
    expect([status, codeOf(body), body.issue[0]?.details?.text]).toEqual([
      400,
      '4104',
      'A valid encounter is required.',
    ]);
  });

  it('file so many documents a day', async () => {
    epic.turn({ documentsPerDay: 2 });
    for (const data of ['QQ==', 'Qg==']) await epic.call('POST', '/DocumentReference', document(data));
    expect(await refusal('POST', '/DocumentReference', document('Qw=='))).toEqual([400, '4135']);
    epic.advance({ days: 1 });
    expect((await epic.call('POST', '/DocumentReference', document('Qw=='))).status).toBe(201);
  });

  it('take observations that something is mapped to', async () => {
    const observation = (code: string) => ({
      resourceType: 'Observation',
      status: 'final',
      code: { coding: [{ system: 'http://loinc.org', code }] },
      subject: { reference: 'Patient/pat-1' },
    });
    expect((await epic.call('POST', '/Observation', observation('8867-4'))).status).toBe(201);
    expect(await refusal('POST', '/Observation', observation('718-7'))).toEqual([400, '59187']);
  });
});

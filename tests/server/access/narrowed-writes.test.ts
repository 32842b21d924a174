// What a narrowed grant may write: only what it reaches before, only into what it reaches after, and nothing that tells of
// the rest.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { serve, type TestServer } from '../serve.ts';

let baton: TestServer;
/** Another for each test: what was completed stays so, even when it is deleted and put back. */
let mine = '';
let made = 0;

const task = (patient: string | undefined, more: object = {}) => ({
  resourceType: 'Task',
  status: 'requested',
  intent: 'order',
  ...(patient === undefined ? {} : { for: { reference: `Patient/${patient}` } }),
  ...more,
});
const put = (id: string, body: object, as?: string) =>
  baton.fhir('PUT', `/Task/${id}`, { body: { ...body, id }, ...(as === undefined ? {} : { as }) });

beforeAll(async () => {
  baton = await serve();
  for (const id of ['own', 'other'])
    await baton.fhir('PUT', `/Patient/${id}`, { body: { resourceType: 'Patient', id } });
});

beforeEach(async () => {
  made += 1;
  mine = `mine-${made}`;
  await put(mine, task('own'));
  await put('theirs', task('other', { description: 'secret' }));
});

afterAll(() => baton.close());

describe.each([
  ['patient/Task.cruds', 'own'],
  ['system/Task.cruds?patient=Patient/own', undefined],
])('%s', (scope, patient) => {
  let as: string;
  beforeAll(async () => {
    as = await baton.token(scope, patient);
  });

  it('writes what it reaches', async () => {
    const created = await baton.fhir('POST', '/Task', { as, body: task('own') });
    expect([created.status, created.json.resourceType]).toEqual([201, 'Task']);
    expect((await put(mine, task('own', { description: 'changed' }), as)).status).toBe(200);
    const body = [{ op: 'replace', path: '/status', value: 'completed' }];
    const headers = { 'content-type': 'application/json-patch+json' };
    expect((await baton.fhir('PATCH', `/Task/${mine}`, { as, body, headers })).json.status).toBe('completed');
    expect((await baton.fhir('DELETE', `/Task/${created.json.id}`, { as })).status).toBe(204);
    expect((await baton.fhir('GET', `/Task/${created.json.id}`)).status).toBe(410);
  });

  it('makes and moves nothing outside', async () => {
    for (const body of [task('other'), task(undefined), task('nobody')]) {
      const answer = await baton.fhir('POST', '/Task', { as, body });
      expect([answer.status, answer.json.issue?.[0]?.code]).toEqual([403, 'forbidden']);
    }
    expect((await put(mine, task('other'), as)).status).toBe(403);
    expect((await put(mine, task(undefined), as)).status).toBe(403);
    expect((await baton.fhir('GET', `/Task/${mine}`)).json).toMatchObject({ for: { reference: 'Patient/own' } });
  });

  it('finds what is outside as absent as what never was', async () => {
    const headers = { 'content-type': 'application/json-patch+json' };
    const patch = [{ op: 'test', path: '/description', value: 'secret' }];
    for (const ask of [
      (id: string) => put(id, task('own'), as),
      (id: string) =>
        baton.fhir('PUT', `/Task/${id}`, { as, body: { ...task('own'), id }, headers: { 'if-match': 'W/"9"' } }),
      (id: string) =>
        baton.fhir('PUT', `/Task/${id}`, { as, body: { ...task('own'), id }, headers: { 'if-none-match': '*' } }),
      (id: string) => baton.fhir('PATCH', `/Task/${id}`, { as, body: patch, headers }),
      (id: string) => baton.fhir('DELETE', `/Task/${id}`, { as }),
      (id: string) => baton.fhir('DELETE', `/Task/${id}`, { as, headers: { 'if-match': 'W/"1"' } }),
      (id: string) => baton.fhir('DELETE', `/Task?_id=${id}`, { as }),
      (id: string) => baton.fhir('GET', `/Task/${id}/_history`, { as }),
      (id: string) => baton.fhir('GET', `/Task/${id}/_history/1`, { as }),
      (id: string) => baton.fhir('GET', `/Task/${id}/$meta`, { as }),
    ]) {
      const [there, absent] = [await ask('theirs'), await ask('absent')];
      expect([there.status, there.text.replaceAll('theirs', 'absent'), there.headers.etag]).toEqual([
        absent.status,
        absent.text,
        absent.headers.etag,
      ]);
      expect(there.status).not.toBe(200);
    }
    expect((await baton.fhir('GET', '/Task/theirs')).json.description).toBe('secret');
  });

  it('matches criteria only within', async () => {
    const headers = { 'if-none-exist': 'status=requested&_id=theirs' };
    const created = await baton.fhir('POST', '/Task', { as, headers, body: task('own') });
    expect(created.status).toBe(201);
    const conditional = await baton.fhir('PUT', '/Task?_id=theirs', { as, body: task('own') });
    expect([conditional.status, conditional.json.id === 'theirs']).toEqual([201, false]);
  });

  it('keeps a transaction whole', async () => {
    const entry = (patient: string) => ({ resource: task(patient), request: { method: 'POST', url: 'Task' } });
    const total = async () => (await baton.fhir('GET', '/Task?_summary=count')).json.total;
    const before = await total();
    const body = { resourceType: 'Bundle', type: 'transaction', entry: [entry('own'), entry('other')] };
    expect((await baton.fhir('POST', '', { as, body })).status).toBe(403);
    expect(await total()).toBe(before);
    const each = await baton.fhir('POST', '', { as, body: { ...body, type: 'batch' } });
    expect(each.json.entry?.map(({ response }) => response?.status.slice(0, 3))).toEqual(['201', '403']);
  });
});

it('a patient scope makes nothing that is about somebody else as well, whichever way that is named', async () => {
  const as = await baton.token('patient/Observation.cruds', 'own');
  const about = (subject: string) => ({
    resourceType: 'Observation',
    status: 'final',
    code: { text: 'weight' },
    subject: { reference: subject },
    performer: [{ reference: 'Patient/own' }],
  });
  expect((await baton.fhir('POST', '/Observation', { as, body: about('Patient/own') })).status).toBe(201);
  for (const subject of ['Patient/other', 'http://127.0.0.1:8080/fhir/R4/Patient/other']) {
    const refused = await baton.fhir('POST', '/Observation', { as, body: about(subject) });
    expect([refused.status, refused.json.issue?.[0]?.expression]).toEqual([403, ['Observation.subject']]);
  }
  const wider = await baton.token('patient/Observation.cruds system/Patient.rs', 'own');
  for (const subject of ['Patient/other', 'Patient?_id=other']) {
    const entry = [{ resource: about(subject), request: { method: 'POST', url: 'Observation' } }];
    const body = { resourceType: 'Bundle', type: 'transaction', entry };
    expect((await baton.fhir('POST', '', { as: wider, body })).status).toBe(403);
  }
});

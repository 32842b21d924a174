// batch and transaction over HTTP (43).
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FHIR, serve, type TestServer } from './serve.ts';

let baton: TestServer;

beforeAll(async () => {
  baton = await serve();
});

afterAll(() => baton.close());

const transaction = (entry: object[], prefer?: string) => send('transaction', entry, prefer);
const batch = (entry: object[]) => send('batch', entry);
const send = (type: string, entry: object[], prefer?: string) =>
  baton.fhir('POST', '', { body: { resourceType: 'Bundle', type, entry }, headers: prefer ? { prefer } : {} });

const patient = (value: string, more: object = {}) => ({
  resourceType: 'Patient',
  identifier: [{ system: 'urn:t', value }],
  ...more,
});
const task = (subject: string, more: object = {}) => ({
  resourceType: 'Task',
  status: 'requested',
  intent: 'order',
  for: { reference: subject },
  ...more,
});
const post = (resource: { resourceType: string }, more: object = {}, fullUrl?: string) => ({
  ...(fullUrl ? { fullUrl } : {}),
  resource,
  request: { method: 'POST', url: resource.resourceType, ...more },
});
const get = (url: string, more: object = {}) => ({ request: { method: 'GET', url, ...more } });

async function total(type: string): Promise<number> {
  return Number((await baton.fhir('GET', `/${type}/_history?_count=0`)).json.total);
}

describe('a transaction', () => {
  it('answers in the order of its entries, with status, location, etag and lastModified', async () => {
    const { status, json } = await transaction([
      get('Patient?identifier=urn:t|order'),
      post(task('urn:uuid:p'), {}, 'urn:uuid:t'),
      {
        resource: patient('order', { id: 'order' }),
        request: { method: 'PUT', url: 'Patient/order' },
        fullUrl: 'urn:uuid:p',
      },
      get('Patient/order'),
    ]);
    expect([status, json.type]).toEqual([200, 'transaction-response']);
    expect(json.entry?.map(({ response }) => response?.status)).toEqual([
      '200 OK',
      '201 Created',
      '201 Created',
      '200 OK',
    ]);
    const [found, created, put, read] = json.entry ?? [];
    expect(found?.resource?.entry?.[0]?.resource?.id).toBe('order');
    expect(created?.response?.location).toMatch(new RegExp(`^${FHIR}/Task/[^/]+/_history/1$`));
    expect(put?.response).toMatchObject({ location: `${FHIR}/Patient/order/_history/1`, etag: 'W/"1"' });
    expect(put?.response?.lastModified).toMatch(/^\d{4}-.*Z$/);
    expect(put?.resource).toBeUndefined();
    expect(read?.resource?.id).toBe('order');
    const stored = await baton.fhir('GET', String(created?.fullUrl).slice(FHIR.length));
    expect(stored.json.for).toEqual({ reference: 'Patient/order' });
  });

  it('returns resources when Prefer asks for them', async () => {
    const { json } = await transaction([post(patient('shown'))], 'return=representation');
    expect(json.entry?.[0]?.resource?.resourceType).toBe('Patient');
    const outcome = await transaction([post(patient('told'))], 'return=OperationOutcome');
    expect(outcome.json.entry?.[0]?.response?.outcome?.resourceType).toBe('OperationOutcome');
  });

  it('points references at what a conditional create resolved to', async () => {
    const first = await transaction([post(patient('once'), { ifNoneExist: 'identifier=urn:t|once' }, 'urn:uuid:p')]);
    const second = await transaction([
      post(patient('once'), { ifNoneExist: 'identifier=urn:t|once' }, 'urn:uuid:p'),
      post(task('urn:uuid:p'), {}, 'urn:uuid:t'),
    ]);
    expect(second.json.entry?.map(({ response }) => response?.status)).toEqual(['200 OK', '201 Created']);
    const stored = await baton.fhir('GET', String(second.json.entry?.[1]?.fullUrl).slice(FHIR.length));
    expect(stored.json.for).toEqual({ reference: String(first.json.entry?.[0]?.fullUrl).slice(FHIR.length + 1) });
  });

  it('writes nothing when one entry fails', async () => {
    const before = [await total('Patient'), await total('Task')];
    const cases = [
      [post(patient('none')), post({ resourceType: 'Task' })],
      [post(patient('none')), { ...post(patient('none')), request: { method: 'PUT', url: 'Patient/x' } }],
      [post(patient('none')), get('Patient/never-was')],
      [post(patient('none')), post(task('Patient/never-was'))],
      [post(task('Patient/never-was'))],
      [post(patient('none')), get('Patient?nonsense=1')],
      [post(patient('none')), get('Patient?birthdate=yesterday')],
      [post(patient('none')), get('Patient/order/_history/99')],
      [post(patient('none'), { ifNoneExist: 'Task?status=requested' })],
      [post(patient('none')), post(task('Patient?identifier=urn:t|nobody'))],
      [
        post(patient('none')),
        {
          resource: patient('x', { id: 'order' }),
          request: { method: 'PUT', url: 'Patient/order', ifMatch: 'W/"77"' },
        },
      ],
    ];
    for (const entry of cases) {
      const answer = await transaction(entry);
      expect(answer.status).toBeGreaterThanOrEqual(400);
      expect(answer.status).toBeLessThan(500);
      expect(answer.json.resourceType).toBe('OperationOutcome');
    }
    expect([await total('Patient'), await total('Task')]).toEqual(before);
  });

  it('is refused whole when the token may not do one entry', async () => {
    const before = await total('Patient');
    const as = await baton.token('system/Patient.cruds system/Task.rs');
    const body = {
      resourceType: 'Bundle',
      type: 'transaction',
      entry: [post(patient('no')), post(task('Patient/order'))],
    };
    expect((await baton.fhir('POST', '', { body, as })).status).toBe(403);
    const blind = { ...body, entry: [post(patient('no')), get('Patient?_has:Observation:patient:status=final')] };
    expect((await baton.fhir('POST', '', { body: blind, as })).status).toBe(403);
    expect(await total('Patient')).toBe(before);
  });

  it('may delete what is not there, and read a version of what was deleted', async () => {
    await baton.fhir('PUT', '/Patient/past', { body: patient('past', { id: 'past' }) });
    await baton.fhir('DELETE', '/Patient/past');
    const { status, json } = await transaction([
      { request: { method: 'DELETE', url: 'Patient/never-was' } },
      get('Patient/past/_history/1'),
    ]);
    expect(status).toBe(200);
    expect(json.entry?.map(({ response }) => response?.status)).toEqual(['204 No Content', '200 OK']);
  });
});

describe('a batch', () => {
  it('lets good entries through beside bad ones', async () => {
    const { status, json } = await batch([
      post(patient('b1')),
      post({ resourceType: 'Task' }),
      get('Patient/never-was'),
      { request: { method: 'PATCH', url: 'Patient/1' } },
      get('Patient/order', { ifNoneMatch: 'W/"1"' }),
      { request: { method: 'DELETE', url: 'Patient/order', ifMatch: 'W/"9"' } },
      get('Nonsense'),
    ]);
    expect([status, json.type]).toEqual([200, 'batch-response']);
    expect(json.entry?.map(({ response }) => response?.status.slice(0, 3))).toEqual([
      '201',
      expect.stringMatching(/^4(00|22)$/),
      '404',
      '400',
      '304',
      '412',
      '400',
    ]);
    expect(json.entry?.[2]?.response?.outcome?.issue?.[0]?.code).toBe('not-found');
  });

  it('refuses what the token may not do, entry by entry', async () => {
    const as = await baton.token('system/Patient.rs');
    const entry = [
      get('Patient/order'),
      post(patient('no')),
      get('Task'),
      get('Patient?_has:Task:patient:status=requested'),
    ];
    const { json } = await baton.fhir('POST', '', { body: { resourceType: 'Bundle', type: 'batch', entry }, as });
    expect(json.entry?.map(({ response }) => response?.status.slice(0, 3))).toEqual(['200', '403', '403', '403']);
  });

  it('is audited entry by entry', async () => {
    await batch([
      get('Patient/order'),
      get('Patient/never-was'),
      get('Task?status=requested'),
      post(patient('audited')),
    ]);
    const rows = (await baton.audited()).slice(-5).map(({ interaction, status, type }) => [interaction, status, type]);
    expect(rows).toContainEqual(['read', 200, 'Patient']);
    expect(rows).toContainEqual(['read', 404, 'Patient']);
    expect(rows).toContainEqual(['search-type', 200, 'Task']);
    expect(rows).toContainEqual(['create', 201, 'Patient']);
    expect(rows).toContainEqual(['batch', 200, null]);
  });
});

describe('the base URL', () => {
  it.each([{ resourceType: 'Patient' }, { resourceType: 'Bundle', type: 'collection' }, {}])(
    'refuses %j',
    async (body) => {
      expect((await baton.fhir('POST', '', { body })).status).toBe(400);
    },
  );

  it('refuses more entries than are allowed', async () => {
    const small = await serve({ limits: { bodyBytes: 1_000_000, bundleEntries: 3, requestTimeout: 1_000 } });
    const body = { resourceType: 'Bundle', type: 'batch', entry: Array.from({ length: 4 }, () => get('Task')) };
    expect((await small.fhir('POST', '', { body })).status).toBe(413);
    await small.close();
  });
});

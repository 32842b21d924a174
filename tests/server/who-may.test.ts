// Who may do what over HTTP: no token, wrong tokens, every scope against every interaction, and what is audited.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FHIR, type Method, serve, type TestServer } from './serve.ts';

let baton: TestServer;

beforeAll(async () => {
  baton = await serve();
  const put = (type: string, id: string, more: object) =>
    baton.fhir('PUT', `/${type}/${id}`, { body: { resourceType: type, id, ...more } });
  const task = (patient: string, status: string) => ({
    status,
    intent: 'order',
    for: { reference: `Patient/${patient}` },
  });
  await put('Patient', 'own', { name: [{ family: 'Own' }] });
  await put('Patient', 'other', { name: [{ family: 'Other' }] });
  await put('Task', 't-own', task('own', 'requested'));
  await put('Task', 't-own-done', task('own', 'completed'));
  await put('Task', 't-other', task('other', 'requested'));
  await put('Organization', 'o1', { name: 'Clinic' });
});

afterAll(() => baton.close());

interface Row {
  readonly method: Method;
  readonly path: string;
  readonly letter: string;
  readonly body?: object;
}

const TASK = { resourceType: 'Task', status: 'requested', intent: 'order' };
const ROWS: Row[] = [
  { method: 'GET', path: '/Task/t-own', letter: 'r' },
  { method: 'HEAD', path: '/Task/t-own', letter: 'r' },
  { method: 'GET', path: '/Task/t-own/_history/1', letter: 'r' },
  { method: 'GET', path: '/Task/t-own/_history', letter: 'r' },
  { method: 'GET', path: '/Task', letter: 's' },
  { method: 'POST', path: '/Task/_search', letter: 's' },
  { method: 'GET', path: '/Patient/own/Task', letter: 's' },
  { method: 'GET', path: '/Task/_history', letter: 's' },
  { method: 'POST', path: '/Task', letter: 'c', body: TASK },
  { method: 'PUT', path: '/Task/new', letter: 'u', body: { ...TASK, id: 'new' } },
  { method: 'DELETE', path: '/Task/new', letter: 'd' },
];

describe('without a good token', () => {
  it.each(ROWS)('$method $path is 401 with a challenge', async ({ method, path, body }) => {
    const answer = await baton.fhir(method, path, { as: '', ...(body ? { body } : {}) });
    expect(answer.status).toBe(401);
    expect(answer.headers['www-authenticate']).toBe('Bearer realm="baton"');
    if (method !== 'HEAD')
      expect(answer.json).toMatchObject({ resourceType: 'OperationOutcome', issue: [{ code: 'login' }] });
  });

  it.each(['/fhir/R4', '/fhir/R4/', '/fhir/R4/_history', '/fhir/R4/Nonsense', '/metrics', '/ops/audit', '/nothing'])(
    'GET %s is 401',
    async (path) => {
      expect((await baton.send('GET', path, { as: '' })).status).toBe(401);
    },
  );

  it('a wrong one is named as such', async () => {
    const answer = await baton.fhir('GET', '/Task', { as: 'a.b.c' });
    expect(answer.status).toBe(401);
    expect(answer.headers['www-authenticate']).toContain('error="invalid_token"');
  });

  it.each([
    '/healthz',
    '/readyz',
    '/fhir/R4/metadata',
    '/.well-known/jwks.json',
    '/.well-known/openid-configuration',
    '/fhir/R4/.well-known/smart-configuration',
  ])('GET %s is open', async (path) => {
    expect((await baton.send('GET', path, { as: '' })).status).toBe(200);
  });

  it('nothing of the body is read', async () => {
    expect((await baton.fhir('POST', '/Task', { as: '', body: 'not json' })).status).toBe(401);
  });
});

describe('scopes', () => {
  it.each(ROWS)('$method $path needs $letter on the type and nothing else', async ({ method, path, letter, body }) => {
    const without = 'cruds'.replace(letter, '');
    const extras = body ? { body } : {};
    const enough = await baton.token(`system/Task.${letter}`);
    expect((await baton.fhir(method, path, { as: enough, ...extras })).status).toBeLessThan(300);
    for (const scope of [`system/Task.${without}`, `system/Goal.cruds`, 'baton/ops', '']) {
      const answer = await baton.fhir(method, path, { as: await baton.token(scope), ...extras });
      expect(answer.status).toBe(403);
      expect(answer.headers['www-authenticate']).toContain('insufficient_scope');
    }
  });

  it('on all types are needed for the system level', async () => {
    const some = await baton.token('system/Task.cruds system/Patient.cruds');
    for (const path of ['', '/_history']) expect((await baton.fhir('GET', path, { as: some })).status).toBe(403);
    const as = await baton.token('system/*.rs');
    for (const path of ['?_type=Task', '/_history']) expect((await baton.fhir('GET', path, { as })).status).toBe(200);
    expect((await baton.fhir('GET', '?_type=Task,Patient', { as: some })).status).toBe(200);
  });

  it('are needed for what a conditional write searches', async () => {
    const as = await baton.token('system/Task.cud');
    const body = TASK;
    const headers = { 'if-none-exist': 'status=requested' };
    expect((await baton.fhir('POST', '/Task', { as, body, headers })).status).toBe(403);
    expect((await baton.fhir('PUT', '/Task?status=rejected', { as, body })).status).toBe(403);
    expect((await baton.fhir('DELETE', '/Task?status=rejected', { as })).status).toBe(403);
    const probing = { ...TASK, for: { reference: 'Patient?family=Own' } };
    expect((await baton.fhir('POST', '/Task', { as, body: probing })).status).toBe(403);
  });

  it('are needed for what the chains of a conditional write look into', async () => {
    const as = await baton.token('system/Patient.cruds');
    const blind = '_has:Task:patient:status=requested';
    const body = { resourceType: 'Patient' };
    const headers = { 'if-none-exist': `_id=own&${blind}` };
    expect((await baton.fhir('POST', '/Patient', { as, body, headers })).status).toBe(403);
    expect((await baton.fhir('PUT', `/Patient?_id=own&${blind}`, { as, body })).status).toBe(403);
    expect((await baton.fhir('DELETE', `/Patient?_id=none&${blind}`, { as })).status).toBe(403);
    const link = [{ type: 'refer', other: { reference: `Patient?_id=own&${blind}` } }];
    expect((await baton.fhir('POST', '/Patient', { as, body: { ...body, link } })).status).toBe(403);
  });

  it('keep the content of an existing resource from a client that may not read', async () => {
    const as = await baton.token('system/Organization.cs');
    const body = { resourceType: 'Organization', name: 'Clinic' };
    const answer = await baton.fhir('POST', '/Organization', { as, body, headers: { 'if-none-exist': 'name=Clinic' } });
    expect([answer.status, answer.text]).toEqual([200, '']);
  });

  it('are needed for what chains and includes look into', async () => {
    const as = await baton.token('system/Task.rs');
    for (const query of ['patient:Patient.family=Own', '_has:Task:part-of:status=requested', '_include=Task:patient']) {
      const answer = await baton.fhir('GET', `/Task?${query}`, { as });
      expect([query, answer.status]).toEqual([query, query.startsWith('_has') ? 200 : 403]);
    }
    const lenient = await baton.fhir('GET', '/Task?_include=Task:patient', {
      as,
      headers: { prefer: 'handling=lenient' },
    });
    expect(lenient.json.entry?.every(({ resource }) => resource?.resourceType === 'Task')).toBe(true);
    const both = await baton.token('system/Task.rs system/Patient.rs');
    const answer = await baton.fhir('GET', '/Task?_include=Task:patient', { as: both });
    expect(answer.json.entry?.some(({ search }) => search?.mode === 'include')).toBe(true);
  });
});

describe('a patient scope', () => {
  const idsOf = async (path: string, as: string) => {
    const { status, json } = await baton.fhir('GET', path, { as });
    expect(status).toBe(200);
    return (json.entry ?? []).map(({ resource }) => resource?.id).toSorted();
  };

  it("narrows searches, counts and reads to the patient's compartment", async () => {
    const as = await baton.token('patient/*.rs', 'own');
    expect(await idsOf('/Task', as)).toEqual(['t-own', 't-own-done']);
    expect(await idsOf('/Patient', as)).toEqual(['own']);
    expect(await idsOf('/Organization', as)).toEqual([]);
    expect(await idsOf('/Task?patient=Patient/other', as)).toEqual([]);
    expect(await idsOf('/Patient/other/Task', as)).toEqual([]);
    expect((await baton.fhir('GET', '/Task?_summary=count', { as })).json.total).toBe(2);
    expect((await baton.fhir('GET', '/Task/t-own', { as })).status).toBe(200);
    expect((await baton.fhir('GET', '/Patient/own', { as })).status).toBe(200);
  });

  it('covers a search over all types', async () => {
    const as = await baton.token('patient/*.rs', 'own');
    expect(await idsOf('?_type=Task,Patient', as)).toEqual(['own', 't-own', 't-own-done']);
    expect(await idsOf('?_id=t-other,other,own', as)).toEqual(['own']);
  });

  it.each(['_count=1', 'nonsense=1', 'status=requested&_sort=status', 'status:nonsense=x'])(
    'with a constraint that cannot be applied grants nothing: %s',
    async (constraint) => {
      const as = await baton.token(`system/Task.rs?${constraint}`);
      expect((await baton.fhir('GET', '/Task', { as })).status).toBe(403);
      expect((await baton.fhir('GET', '/Task/t-own', { as })).status).toBe(403);
    },
  );

  it('may be constrained further', async () => {
    const as = await baton.token('patient/Task.rs?status=completed', 'own');
    expect(await idsOf('/Task', as)).toEqual(['t-own-done']);
    expect((await baton.fhir('GET', '/Task/t-own', { as })).status).toBe(404);
    const either = await baton.token('system/Task.rs?status=completed system/Task.rs?patient=Patient/other');
    expect(await idsOf('/Task?_id=t-own,t-own-done,t-other', either)).toEqual(['t-other', 't-own-done']);
  });
});

describe('the audit trail', () => {
  it('has a line for each read, search, write and refusal', async () => {
    const before = (await baton.audited()).length;
    await baton.fhir('GET', '/Task/t-own', { headers: { 'x-request-id': 'r-1' } });
    await baton.fhir('GET', '/Task?status=requested');
    await baton.fhir('GET', '/Patient/own/Task?status=requested');
    await baton.fhir('GET', '/Task/none');
    await baton.fhir('GET', '/Task/t-own', { as: '' });
    await baton.fhir('GET', '/Task/t-own', { as: await baton.token('system/Goal.r') });
    await baton.fhir('POST', '/Organization', { body: { resourceType: 'Organization', name: 'A' } });
    await baton.fhir('POST', '/Organization', { body: { resourceType: 'Organization', nonsense: 1 } });
    await baton.fhir('DELETE', '/Organization/never-was');
    const form = { body: 'status=requested', headers: { 'content-type': 'application/x-www-form-urlencoded' } };
    await baton.fhir('POST', '/Task/_search', form);
    const rows = (await baton.audited()).slice(before);
    expect(rows.map(({ interaction, status, type, id }) => [interaction, status, type, id])).toEqual([
      ['read', 200, 'Task', 't-own'],
      ['search-type', 200, 'Task', null],
      ['search-type', 200, 'Task', null],
      ['read', 404, 'Task', 'none'],
      ['read', 401, 'Task', 't-own'],
      ['read', 403, 'Task', 't-own'],
      ['create', 201, 'Organization', expect.any(String)],
      ['create', expect.toSatisfy((status) => status === 400 || status === 422), 'Organization', null],
      ['delete', 204, 'Organization', 'never-was'],
      ['search-type', 200, 'Task', null],
    ]);
    expect(rows.map(({ actor }) => actor)).toEqual([
      'tester',
      'tester',
      'tester',
      'tester',
      'unknown',
      'tester',
      'tester',
      'tester',
      'tester',
      'tester',
    ]);
    expect(rows[0]?.request).toBe('r-1');
    expect(rows[0]).toMatchObject({ version: 1, patient: 'own', address: '127.0.0.1' });
    expect(rows.map(({ patient }) => patient)).toEqual([
      'own',
      null,
      'own',
      null,
      'own',
      'own',
      null,
      null,
      null,
      null,
    ]);
    expect(rows.map(({ query }) => query).filter(Boolean)).toEqual([
      'status=requested',
      '_compartment=Patient/own&status=requested',
      'status=requested',
    ]);
  });

  it('has a line for deletes of impossible ids, for URLs that are not there and for refused scrapes', async () => {
    const before = (await baton.audited()).length;
    await baton.fhir('DELETE', '/Organization/not_an_id');
    await baton.fhir('GET', '/Task/1/2/3/4');
    await baton.fhir('GET', '/Task/%zz');
    await baton.fhir('GET', `/Task/${'a'.repeat(300)}`);
    await baton.send('GET', '/nothing', { as: '' });
    await baton.send('GET', '/metrics', { as: await baton.token('system/*.rs') });
    await baton.send('GET', '/metrics');
    await baton.send('GET', '/healthz');
    const rows = (await baton.audited()).slice(before);
    expect(rows.map(({ interaction, status, actor }) => [interaction, status, actor])).toEqual([
      ['delete', 204, 'tester'],
      ['unknown', 404, 'tester'],
      ['unknown', 400, 'unknown'],
      ['unknown', 404, 'unknown'],
      ['unknown', 401, 'unknown'],
      ['unknown', 403, 'tester'],
    ]);
  });

  it('is listed for operators, newest first, in pages', async () => {
    const page = await baton.send('GET', '/ops/audit?limit=2&interaction=read');
    expect(page.status).toBe(200);
    expect(page.json.items).toHaveLength(2);
    const next = await baton.send('GET', `/ops/audit?limit=2&interaction=read&after=${page.json.next}`);
    expect(next.json.items).not.toEqual(page.json.items);
    expect((await baton.send('GET', '/ops/audit?limit=0')).status).toBe(400);
    expect((await baton.send('GET', '/ops/audit?hash=x')).status).toBe(400);
    expect((await baton.send('GET', '/ops/audit', { as: await baton.token('system/*.rs') })).status).toBe(403);
  });
});

it('links name the base URL that clients use', async () => {
  const { json } = await baton.fhir('GET', '/Task?_count=1');
  expect(json.link?.every(({ url }) => url.startsWith(`${FHIR}/Task?`))).toBe(true);
});

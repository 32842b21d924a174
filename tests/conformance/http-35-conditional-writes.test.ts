// 35 to 38 and 40. Conditional and versioned writes in all counts. https://hl7.org/fhir/R4/http.html#concurrency
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, FHIR, serve, type TestServer } from '../server/serve.ts';

let baton: TestServer;

beforeAll(async () => {
  baton = await serve();
});

afterAll(() => baton.close());

const patient = (value: string, more: object = {}) => ({
  resourceType: 'Patient',
  identifier: [{ system: 'urn:35', value }],
  ...more,
});
const criteria = (value: string) => `identifier=urn:35|${value}`;
const make = (value: string) => baton.fhir('POST', '/Patient', { body: patient(value) });
const count = async (value: string) => (await baton.fhir('GET', `/Patient?${criteria(value)}`)).json.total;

function expectOutcome(answer: Answer, ...expected: number[]): void {
  expect(expected).toContain(answer.status);
  expect(answer.json.resourceType).toBe('OperationOutcome');
}

describe('35. conditional create', () => {
  const create = (value: string, condition = criteria(value)) =>
    baton.fhir('POST', '/Patient', { body: patient(value), headers: { 'if-none-exist': condition } });

  it('writes for no match, not for one, fails for two', async () => {
    const first = await create('cc');
    expect(first.status).toBe(201);
    const second = await create('cc');
    expect([second.status, second.headers.location, second.headers.etag]).toEqual([
      200,
      first.headers.location,
      'W/"1"',
    ]);
    expect((await baton.fhir('GET', `/Patient/${first.json.id}/_history`)).json.total).toBe(1);
    await make('cc');
    expectOutcome(await create('cc'), 412);
  });

  it('takes the forms clients send and needs criteria', async () => {
    await make('forms');
    for (const form of [`?${criteria('forms')}`, `Patient?${criteria('forms')}`, 'identifier=urn%3A35%7Cforms']) {
      expect((await create('forms', form)).status).toBe(200);
    }
    for (const wrong of ['', ' ', '?', '_count=1', '_sort=name', 'nonsense=1', 'Task?status=ready', 'birthdate=x']) {
      expectOutcome(await create('wrong', wrong), 400);
    }
    expect(await count('wrong')).toBe(0);
  });

  it('does not count what is deleted', async () => {
    const { json } = await make('deleted');
    await baton.fhir('DELETE', `/Patient/${json.id}`);
    expect((await create('deleted')).status).toBe(201);
  });

  it('makes one resource of twenty at once', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => create('twenty')));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(19);
    expect(new Set(answers.map(({ headers }) => headers.location)).size).toBe(1);
  });
});

describe('36. conditional update', () => {
  const update = (value: string, more: object = {}, headers = {}) =>
    baton.fhir('PUT', `/Patient?${criteria(value)}`, { body: patient(value, more), headers });

  it('creates for no match, with the id of the body when it has one', async () => {
    const none = await update('cu');
    expect([none.status, none.headers.etag]).toEqual([201, 'W/"1"']);
    const chosen = await update('cu-id', { id: 'cu-chosen' });
    expect([chosen.status, chosen.json.id]).toEqual([201, 'cu-chosen']);
  });

  it('does not take an id that belongs to another', async () => {
    await baton.fhir('PUT', '/Patient/cu-other', { body: patient('cu-other', { id: 'cu-other' }) });
    expectOutcome(await update('cu-new', { id: 'cu-other' }), 409);
  });

  it('updates one match, also with its id, not with another', async () => {
    const { json } = await make('one');
    const without = await update('one', { active: true });
    expect([without.status, without.json.id, without.headers.etag]).toEqual([200, json.id, 'W/"2"']);
    expect((await update('one', { id: json.id })).headers.etag).toBe('W/"3"');
    expectOutcome(await update('one', { id: 'another' }), 400);
  });

  it('fails for two matches and without criteria', async () => {
    await make('two');
    await make('two');
    expectOutcome(await update('two'), 412);
    for (const path of ['/Patient', '/Patient?', '/Patient?_format=json', '/Patient?_count=1']) {
      expectOutcome(await baton.fhir('PUT', path, { body: patient('all') }), 400);
    }
    expectOutcome(await baton.fhir('PUT', '/Patient?nonsense=1', { body: patient('all') }), 400);
  });

  it('honours If-Match', async () => {
    await make('im');
    expectOutcome(await update('im', {}, { 'if-match': 'W/"7"' }), 412);
    expect((await update('im', {}, { 'if-match': 'W/"1"' })).status).toBe(200);
    expectOutcome(await update('im-none', {}, { 'if-match': 'W/"1"' }), 412);
    expectOutcome(await update('im', {}, { 'if-none-match': '*' }), 412);
  });
});

describe('37. conditional delete', () => {
  const remove = (query: string, headers = {}) => baton.fhir('DELETE', `/Patient${query}`, { headers });

  it('succeeds for none and one, fails for two and without criteria', async () => {
    expect((await remove(`?${criteria('none')}`)).status).toBe(204);
    const { json } = await make('d1');
    expect((await remove(`?${criteria('d1')}`)).status).toBe(204);
    expectOutcome(await baton.fhir('GET', `/Patient/${json.id}`), 410);
    await make('d2');
    await make('d2');
    expectOutcome(await remove(`?${criteria('d2')}`), 412);
    expect(await count('d2')).toBe(2);
    for (const query of ['', '?', '?_format=json', '?_count=1', '?nonsense=1']) expectOutcome(await remove(query), 400);
    expectOutcome(await baton.fhir('DELETE', '/'), 405);
  });

  it('is declared as single', async () => {
    const statement = (await baton.fhir('GET', '/metadata')).text;
    expect(statement).toContain('"conditionalDelete":"single"');
  });

  it('honours If-Match', async () => {
    await make('dm');
    expectOutcome(await remove(`?${criteria('dm')}`, { 'if-match': 'W/"3"' }), 412);
    expect((await remove(`?${criteria('dm')}`, { 'if-match': 'W/"1"' })).status).toBe(204);
  });
});

describe('38. versions', () => {
  it('lets one of fifty updates with one If-Match through', async () => {
    const { id } = (await make('fifty')).json;
    const answers = await Promise.all(
      Array.from({ length: 50 }, () =>
        baton.fhir('PUT', `/Patient/${id}`, { body: patient('fifty', { id }), headers: { 'if-match': 'W/"1"' } }),
      ),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 412)).toHaveLength(49);
  });

  it.each(['1', 'W/1', '*', '', '""', 'W/"1', 'W/"1", W/"2"', 'w/"1"'])('If-Match: %s is 400', async (tag) => {
    const { id } = (await make('tags')).json;
    const headers = { 'if-match': tag };
    expectOutcome(await baton.fhir('PUT', `/Patient/${id}`, { body: patient('tags', { id }), headers }), 400);
    expectOutcome(await baton.fhir('DELETE', `/Patient/${id}`, { headers }), 400);
    expect((await baton.fhir('GET', `/Patient/${id}`)).headers.etag).toBe('W/"1"');
  });

  it('a stale If-Match is 412 for every write and changes nothing', async () => {
    const { id } = (await make('stale')).json;
    await baton.fhir('PUT', `/Patient/${id}`, { body: patient('stale', { id, active: true }) });
    const patch = { body: '[{"op":"remove","path":"/active"}]', type: 'application/json-patch+json' };
    for (const tag of ['W/"1"', '"1"', 'W/"3"']) {
      const headers = { 'if-match': tag };
      const body = patient('stale', { id });
      expectOutcome(await baton.fhir('PUT', `/Patient/${id}`, { body, headers }), 412);
      expectOutcome(await baton.fhir('DELETE', `/Patient/${id}`, { headers }), 412);
      const patched = { body: patch.body, headers: { ...headers, 'content-type': patch.type } };
      expectOutcome(await baton.fhir('PATCH', `/Patient/${id}`, patched), 412);
    }
    expect((await baton.fhir('GET', `/Patient/${id}`)).headers.etag).toBe('W/"2"');
  });

  it('of a deleted resource are counted on', async () => {
    const { id } = (await make('revive')).json;
    const removed = await baton.fhir('DELETE', `/Patient/${id}`, { headers: { 'if-match': '"1"' } });
    expect([removed.status, removed.headers.etag]).toEqual([204, 'W/"2"']);
    const revived = await baton.fhir('PUT', `/Patient/${id}`, {
      body: patient('revive', { id }),
      headers: { 'if-match': 'W/"2"' },
    });
    expect([revived.status, revived.headers.etag]).toEqual([201, 'W/"3"']);
  });
});

describe('40. ids and meta of the client', () => {
  it.each(['a'.repeat(65), 'a_b', 'ä', 'a b', '%2e%2e%2fx'])('an id like %s is no id', async (id) => {
    const path = `/Patient/${encodeURIComponent(id)}`;
    expectOutcome(await baton.fhir('PUT', path, { body: patient('ids', { id }) }), 400, 422);
    expectOutcome(await baton.fhir('GET', path), 404);
  });

  it.each(['a', 'a'.repeat(64), 'A.b-1', '0', '-', 'a.b'])('an id like %s is one', async (id) => {
    const answer = await baton.fhir('PUT', `/Patient/${id}`, { body: patient('ids', { id }) });
    expect([answer.status, answer.headers.location]).toEqual([201, `${FHIR}/Patient/${id}/_history/1`]);
  });

  it('ids differ by case', async () => {
    await baton.fhir('PUT', '/Patient/Case', { body: patient('case', { id: 'Case' }) });
    expectOutcome(await baton.fhir('GET', '/Patient/case'), 404);
  });

  it('the id in the body must be that of the URL', async () => {
    expectOutcome(await baton.fhir('PUT', '/Patient/x1', { body: patient('x') }), 400);
    expectOutcome(await baton.fhir('PUT', '/Patient/x1', { body: patient('x', { id: 'x2' }) }), 400);
    expectOutcome(await baton.fhir('PUT', '/Patient/x1', { body: patient('x', { id: 1 }) }), 400, 422);
  });

  it('a POST makes its own id', async () => {
    const { status, json } = await baton.fhir('POST', '/Patient', { body: patient('own', { id: 'mine' }) });
    expect([status, json.id === 'mine']).toEqual([201, false]);
    expectOutcome(await baton.fhir('GET', '/Patient/mine'), 404);
  });

  it('versionId and lastUpdated are the server’s, the rest of meta the client’s', async () => {
    const meta = { versionId: '99', lastUpdated: '2001-01-01T00:00:00Z', tag: [{ code: 't' }] };
    const { json } = await baton.fhir('PUT', '/Patient/meta', { body: patient('m', { id: 'meta', meta }) });
    expect(json.meta).toMatchObject({ versionId: '1', tag: [{ code: 't' }] });
    expect(json.meta?.lastUpdated).not.toContain('2001');
  });

  it('conditional reads', async () => {
    const { id } = (await make('cr')).json;
    const get = (headers: Record<string, string>) => baton.fhir('GET', `/Patient/${id}`, { headers });
    const modified = String((await get({})).headers['last-modified']);
    for (const headers of [
      { 'if-none-match': 'W/"1"' },
      { 'if-none-match': '*' },
      { 'if-none-match': 'W/"4", W/"1"' },
      { 'if-modified-since': modified },
      { 'if-none-match': 'W/"1"', 'if-modified-since': 'Mon, 01 Jan 2001 00:00:00 GMT' },
    ]) {
      const answer = await get(headers as Record<string, string>);
      expect([answer.status, answer.text, answer.headers.etag]).toEqual([304, '', 'W/"1"']);
    }
    for (const headers of [{ 'if-none-match': 'W/"2"' }, { 'if-none-match': 'W/"2"', 'if-modified-since': modified }]) {
      expect((await get(headers as Record<string, string>)).status).toBe(200);
    }
  });
});

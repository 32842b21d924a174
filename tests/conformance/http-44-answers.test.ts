// 44. Forms, codes of what goes wrong, preferences, and encodings of what goes out. https://hl7.org/fhir/R4/http.html
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, FHIR, type Method, type RequestExtras, serve, type TestServer } from '../server/serve.ts';

let baton: TestServer;

const FORM = { 'content-type': 'application/x-www-form-urlencoded' };
const patient = (more: object = {}) => ({ resourceType: 'Patient', ...more });
const bundle = (type: string, ...entry: object[]) => ({ resourceType: 'Bundle', type, entry });

beforeAll(async () => {
  baton = await serve({ limits: { bodyBytes: 100_000, bundleEntries: 5, requestTimeout: 10_000 } });
  for (const [id, gender] of [
    ['a', 'female'],
    ['b', 'male'],
    ['c', 'male'],
  ]) {
    await baton.fhir('PUT', `/Patient/${id}`, { body: patient({ id, gender, name: [{ family: 'Same' }] }) });
  }
  await baton.fhir('PUT', '/Patient/gone', { body: patient({ id: 'gone' }) });
  await baton.fhir('DELETE', '/Patient/gone');
});
afterAll(() => baton.close());

describe('POST _search', () => {
  const search = (query: string, body?: string, headers: Record<string, string> = FORM) =>
    baton.fhir('POST', `/Patient/_search${query}`, { ...(body === undefined ? {} : { body }), headers });
  const found = ({ json }: Answer) => json.entry?.map(({ resource }) => resource?.id).toSorted();

  it('applies what is in the URL and what is in the body', async () => {
    expect(found(await search('?family=same', 'gender=male'))).toEqual(['b', 'c']);
    expect(found(await search('?gender=male', 'gender=female'))).toBeUndefined();
    expect(found(await search('?_id=a,b', '_id=b,c'))).toEqual(['b']);
    expect(found(await search('', 'family=Same&_id=a'))).toEqual(['a']);
    expect(found(await search('?_id=c', ''))).toEqual(['c']);
    expect(found(await search('?_id=c', undefined, {}))).toEqual(['c']);
  });

  it('takes a character set with the type, and decodes once', async () => {
    const headers = { 'content-type': 'application/x-www-form-urlencoded; charset=UTF-8' };
    expect(found(await search('', 'family=%53ame+&_id=a', headers))).toEqual(['a']);
  });

  it.each(['application/json', 'application/fhir+json', 'multipart/form-data; boundary=x', 'text/plain'])(
    'of %s is 415',
    async (type) => {
      const answer = await search('', '{"family":"Same"}', { 'content-type': type });
      expect([answer.status, answer.json.resourceType]).toEqual([415, 'OperationOutcome']);
    },
  );
});

describe('what goes wrong', () => {
  const text = (body: string, type = 'application/fhir+json') => ({ body, headers: { 'content-type': type } });
  const entry = { resource: patient(), request: { method: 'POST', url: 'Patient' } };

  it.each<[number, string, Method, string, RequestExtras?]>([
    [400, 'structure', 'POST', '/Patient', text('{"resourceType":"Patient"')],
    [400, 'structure', 'POST', '/Patient', text('')],
    [400, 'structure', 'POST', '/Patient', text('[]')],
    [400, 'value', 'POST', '/Patient', { body: { resourceType: 'Observation' } }],
    [400, 'value', 'POST', '', { body: bundle('collection') }],
    [400, 'not-supported', 'GET', '/Patient?nonsense=1'],
    [400, 'value', 'GET', '/Patient?birthdate=x'],
    [401, 'login', 'GET', '/Patient/a', { as: '' }],
    [401, 'login', 'GET', '/Patient/a', { as: 'nonsense' }],
    [404, 'not-found', 'GET', '/Patient/never'],
    [404, 'not-supported', 'GET', '/Nonsense/1'],
    [410, 'deleted', 'GET', '/Patient/gone'],
    [405, 'not-supported', 'POST', '/Patient/a'],
    [405, 'not-supported', 'DELETE', '/metadata'],
    [406, 'not-supported', 'GET', '/Patient/a?_format=xml'],
    [412, 'conflict', 'PUT', '/Patient/a', { body: patient({ id: 'a' }), headers: { 'if-match': 'W/"9"' } }],
    [412, 'multiple-matches', 'DELETE', '/Patient?family=same'],
    [413, 'too-long', 'POST', '/Patient', { body: patient({ name: [{ text: 'x'.repeat(100_000) }] }) }],
    [413, 'too-long', 'POST', '', { body: bundle('batch', ...Array.from({ length: 6 }, () => entry)) }],
    [415, 'not-supported', 'POST', '/Patient', text('<Patient xmlns="http://hl7.org/fhir"/>', 'application/fhir+xml')],
    [415, 'not-supported', 'POST', '/Patient', text('{}', 'text/plain')],
    [422, 'code-invalid', 'POST', '/Patient', { body: patient({ gender: 'nonsense' }) }],
    [422, 'invariant', 'POST', '/Patient', { body: patient({ contact: [{ gender: 'male' }] }) }],
  ])('%i %s: %s %s', async (status, code, method, path, extras = {}) => {
    const answer = await baton.fhir(method, path, extras);
    expect([answer.status, answer.json.resourceType, answer.json.issue?.[0]?.code]).toEqual([
      status,
      'OperationOutcome',
      code,
    ]);
    expect(answer.headers['content-type']).toMatch(/^application\/fhir\+json/);
    expect(answer.json.issue?.[0]?.details?.text).toMatch(/\w/);
    expect(answer.text).not.toMatch(/<html|at .*\.ts:\d|node_modules|SQL/i);
  });

  it('403 names what was not allowed, and nothing that was asked for', async () => {
    const as = await baton.token('system/Observation.rs');
    const answer = await baton.fhir('GET', '/Patient?family=secret', { as });
    expect([answer.status, answer.json.issue?.[0]?.code]).toEqual([403, 'forbidden']);
    expect(answer.text).not.toContain('secret');
  });
});

describe('Prefer: return', () => {
  const write = (method: Method, path: string, body: object, prefer: string) =>
    baton.fhir(method, path, { body, headers: prefer ? { prefer } : {} });
  const rows: [Method, string, object, number][] = [
    ['POST', '/Patient', patient(), 201],
    ['PUT', '/Patient/preferred', patient({ id: 'preferred' }), 201],
    ['PUT', '/Patient/preferred', patient({ id: 'preferred', active: true }), 200],
  ];

  it.each(rows)('%s %s', async (method, path, body, status) => {
    for (const [prefer, type] of [
      ['return=minimal', undefined],
      ['return=representation', 'Patient'],
      ['return=OperationOutcome', 'OperationOutcome'],
      ['', 'Patient'],
      ['handling=strict; return=minimal', undefined],
    ]) {
      if (status === 201) await baton.fhir('DELETE', '/Patient/preferred');
      const answer = await write(method, path, body, prefer ?? '');
      expect([answer.status, answer.text === '' ? undefined : answer.json.resourceType]).toEqual([status, type]);
      expect(answer.headers.etag).toMatch(/^W\/"\d+"$/);
      expect(answer.headers.location).toMatch(new RegExp(`^${FHIR}/Patient/[^/]+/_history/\\d+$`));
      expect(answer.headers['last-modified']).toMatch(/GMT$/);
    }
  });

  it('that is none is 400, and writes nothing', async () => {
    const before = (await baton.fhir('GET', '/Patient?_summary=count')).json.total;
    const answer = await write('POST', '/Patient', patient(), 'return=everything');
    expect([answer.status, answer.json.resourceType]).toEqual([400, 'OperationOutcome']);
    expect((await baton.fhir('GET', '/Patient?_summary=count')).json.total).toBe(before);
  });
});

describe('a large Bundle', () => {
  it('goes out in the encoding that was asked for, and says that it depends on it', async () => {
    for (let index = 0; index < 30; index += 1) await baton.fhir('POST', '/Basic', { body: basic(index) });
    const url = '/fhir/R4/Basic?_count=30';
    const headers = { authorization: `Bearer ${await baton.token('system/Basic.rs')}` };
    const plain = await baton.server.inject({ url, headers });
    const zipped = await baton.server.inject({ url, headers: { ...headers, 'accept-encoding': 'gzip' } });
    expect([plain.headers['content-encoding'], zipped.headers['content-encoding']]).toEqual([undefined, 'gzip']);
    expect(String(zipped.headers.vary).toLowerCase()).toContain('accept-encoding');
    const entries = (body: string) => JSON.parse(body).entry;
    expect(entries(gunzipSync(zipped.rawPayload).toString())).toEqual(entries(plain.body));
    const refused = await baton.server.inject({ url, headers: { ...headers, 'accept-encoding': 'gzip;q=0' } });
    expect(refused.headers['content-encoding']).toBeUndefined();
  });
});

const basic = (index: number) => ({ resourceType: 'Basic', code: { text: `a note of some length, number ${index}` } });

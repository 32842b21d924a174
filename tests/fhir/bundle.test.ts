// Batch and transaction Bundles as they are read, before anything runs.
import { describe, expect, it } from 'vitest';
import { Fault } from '../../src/fault.ts';
import { readBundle } from '../../src/fhir/bundle.ts';

const BASE = 'http://127.0.0.1:8080/fhir/R4';
const TYPES = new Set(['Patient', 'Task', 'Observation']);
const rules = { baseUrl: BASE, isType: (type: string) => TYPES.has(type), maxEntries: 10 };

const transaction = (...entry: unknown[]) => readBundle({ resourceType: 'Bundle', type: 'transaction', entry }, rules);
const batch = (...entry: unknown[]) => readBundle({ resourceType: 'Bundle', type: 'batch', entry }, rules);
const put = (type: string, id: string, more: object = {}) => ({
  resource: { resourceType: type, id },
  request: { method: 'PUT', url: `${type}/${id}`, ...more },
});
const post = (type: string, more: object = {}) => ({
  resource: { resourceType: type },
  request: { method: 'POST', url: type, ...more },
});
const get = (url: string, more: object = {}) => ({ request: { method: 'GET', url, ...more } });

function faultOf(work: () => unknown): Fault {
  try {
    work();
  } catch (error) {
    if (error instanceof Fault) return error;
    throw error;
  }
  throw new Error('It should have been refused.');
}

describe('an entry', () => {
  it('becomes a change', () => {
    const { entries } = transaction(
      { ...post('Patient', { ifNoneExist: '?identifier=urn:x|1' }), fullUrl: 'urn:uuid:1' },
      put('Task', 't1', { ifMatch: 'W/"3"' }),
      { request: { method: 'DELETE', url: `${BASE}/Task/t2`, ifMatch: '"2"' } },
      { resource: { resourceType: 'Task' }, request: { method: 'PUT', url: 'Task?identifier=a%7Cb' } },
      { request: { method: 'DELETE', url: 'Task?identifier=c' } },
    );
    expect(entries.map((entry) => 'change' in entry && entry.change)).toEqual([
      {
        op: 'create',
        resource: { resourceType: 'Patient' },
        fullUrl: 'urn:uuid:1',
        ifNoneExist: 'identifier=urn%3Ax%7C1',
      },
      { op: 'update', resource: { resourceType: 'Task', id: 't1' }, ifMatch: '3' },
      { op: 'delete', type: 'Task', id: 't2', ifMatch: '2' },
      { op: 'update', resource: { resourceType: 'Task' }, query: 'identifier=a%7Cb' },
      { op: 'delete', type: 'Task', query: 'identifier=c' },
    ]);
  });

  it('becomes a question', () => {
    const { entries } = batch(
      get('Patient/1', { ifNoneMatch: 'W/"1"' }),
      get('/Patient/1/_history/2'),
      get('Task?status=requested'),
      get('Patient/1/Task?status=requested'),
    );
    const asked = { kind: 'question', method: 'GET', pairs: [], headers: {} };
    expect(entries).toEqual([
      { ...asked, segments: ['Patient', '1'], headers: { 'if-none-match': 'W/"1"' } },
      { ...asked, segments: ['Patient', '1', '_history', '2'] },
      { ...asked, segments: ['Task'], pairs: [['status', 'requested']] },
      { ...asked, segments: ['Patient', '1', 'Task'], pairs: [['status', 'requested']] },
    ]);
  });

  it('may be an operation, a HEAD, a question about everything, or one with a date', () => {
    const { entries } = batch(
      { resource: { resourceType: 'Task' }, request: { method: 'POST', url: 'Task/$validate' } },
      { request: { method: 'HEAD', url: 'Task/1' } },
      get('_history?_count=1'),
      get('Task/1', { ifModifiedSince: '2026-11-24T08:30:00Z' }),
    );
    expect(entries.map((entry) => ({ ...entry }))).toMatchObject([
      { method: 'POST', segments: ['Task', '$validate'], resource: { resourceType: 'Task' } },
      { method: 'HEAD', segments: ['Task', '1'] },
      { method: 'GET', segments: ['_history'] },
      { headers: { 'if-modified-since': 'Tue, 24 Nov 2026 08:30:00 GMT' } },
    ]);
  });

  it.each<[string, unknown, string]>([
    ['no request', {}, 'Bundle.entry[0].request'],
    ['no url', { request: { method: 'GET' } }, 'Bundle.entry[0].request.url'],
    ['a null', null, 'Bundle.entry[0].request'],
    ['an unknown type', get('Nonsense/1'), 'Bundle.entry[0].request.url'],
    ['a URL on another server', get('https://evil.example/Patient/1'), 'Bundle.entry[0].request.url'],
    ['a bad id', get('Patient/a_b'), 'Bundle.entry[0].request.url'],
    ['a broken escape', get('Patient/%zz'), 'Bundle.entry[0].request.url'],
    ['a search by POST', { request: { method: 'POST', url: 'Patient/_search' } }, 'Bundle.entry[0].request.url'],
    ['a date that is none', get('Task/1', { ifModifiedSince: 'today' }), 'Bundle.entry[0].request.ifModifiedSince'],
    [
      'a method that is not offered',
      { ...put('Task', '1'), request: { method: 'COPY', url: 'Task/1' } },
      'Bundle.entry[0].request.method',
    ],
    ['POST with an id', { ...post('Task'), request: { method: 'POST', url: 'Task/1' } }, 'Bundle.entry[0].request.url'],
    ['no resource', { request: { method: 'POST', url: 'Task' } }, 'Bundle.entry[0].resource'],
    [
      'a resource of another type',
      { ...post('Task'), resource: { resourceType: 'Patient' } },
      'Bundle.entry[0].resource',
    ],
    [
      'an id that differs',
      { ...put('Task', '1'), resource: { resourceType: 'Task', id: '2' } },
      'Bundle.entry[0].resource.id',
    ],
    ['no id', { ...put('Task', '1'), resource: { resourceType: 'Task' } }, 'Bundle.entry[0].resource.id'],
    ['a relative fullUrl', { ...post('Task'), fullUrl: 'Task/1' }, 'Bundle.entry[0].fullUrl'],
  ])('is refused with %s', (_, entry, expression) => {
    const fault = faultOf(() => transaction(entry));
    expect(fault.status).toBe(400);
    expect(fault.issues[0]?.expression).toEqual([expression]);
    expect(batch(entry).entries[0]).toBeInstanceOf(Fault);
  });

  it.each([
    put('Task', '1', { ifMatch: '3' }),
    post('Task', { ifNoneExist: '' }),
    post('Task', { ifNoneExist: '_count=1' }),
    { request: { method: 'DELETE', url: 'Task' } },
    { request: { method: 'DELETE', url: 'Task?_format=json' } },
  ])('is refused when it would apply to everything or its tag is malformed: %j', (entry) => {
    expect(faultOf(() => transaction(entry)).status).toBe(400);
  });
});

describe('a Bundle', () => {
  it('may be empty', () => {
    expect(readBundle({ resourceType: 'Bundle', type: 'batch' }, rules).entries).toEqual([]);
  });

  it.each([
    undefined,
    [],
    'x',
    { resourceType: 'Patient' },
    { resourceType: 'Bundle' },
    { resourceType: 'Bundle', type: 'collection' },
  ])('is refused as %j', (body) => {
    expect(faultOf(() => readBundle(body, rules)).status).toBe(400);
  });

  it('is refused with an entry that is no array, or too many', () => {
    expect(faultOf(() => readBundle({ resourceType: 'Bundle', type: 'batch', entry: {} }, rules)).status).toBe(400);
    const many = Array.from({ length: 11 }, () => get('Task'));
    expect(faultOf(() => batch(...many)).status).toBe(413);
  });

  it('of type transaction lists every wrong entry', () => {
    const fault = faultOf(() => transaction(get('Nonsense'), get('Task'), {}));
    expect(fault.issues.flatMap((issue) => issue.expression)).toEqual([
      'Bundle.entry[0].request.url',
      'Bundle.entry[2].request',
    ]);
  });

  it.each([
    [put('Task', '1'), put('Task', '1')],
    [put('Task', '1'), { request: { method: 'DELETE', url: 'Task/1' } }],
    [
      { ...post('Task'), fullUrl: 'urn:uuid:1' },
      { ...post('Patient'), fullUrl: 'urn:uuid:1' },
    ],
  ])('of type transaction is refused with two entries on one identity', (...entries) => {
    expect(faultOf(() => transaction(...entries)).issues[0]?.expression).toEqual(['Bundle.entry[1]']);
    expect(batch(...entries).entries.every((entry) => !(entry instanceof Fault))).toBe(true);
  });
});

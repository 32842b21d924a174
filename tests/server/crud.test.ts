// create, read, vread, update, delete over HTTP. Numbers in brackets are those of the conformance list.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, FHIR, serve, type TestServer } from './serve.ts';

let baton: TestServer;

beforeAll(async () => {
  baton = await serve();
});

afterAll(() => baton.close());

const patient = (more: object = {}) => ({ resourceType: 'Patient', name: [{ family: 'Nightingale' }], ...more });
const identified = (value: string, more: object = {}) => patient({ identifier: [{ system: 'urn:t', value }], ...more });

async function created(body: object = patient()): Promise<string> {
  const answer = await baton.fhir('POST', '/Patient', { body });
  expect(answer.status).toBe(201);
  return answer.json.id as string;
}

function expectOutcome(answer: Answer, status: number, code: string): void {
  expect(answer.status).toBe(status);
  expect(answer.headers['content-type']).toBe('application/fhir+json; charset=utf-8');
  expect(answer.json).toMatchObject({ resourceType: 'OperationOutcome', issue: [{ code }] });
}

describe('create', () => {
  it('answers 201 with Location, ETag and Last-Modified', async () => {
    const answer = await baton.fhir('POST', '/Patient', { body: patient({ id: 'mine', meta: { versionId: '9' } }) });
    const { id, meta } = answer.json;
    expect(answer.status).toBe(201);
    expect(id).not.toBe('mine');
    expect(meta?.versionId).toBe('1');
    expect(answer.headers).toMatchObject({ etag: 'W/"1"', location: `${FHIR}/Patient/${id}/_history/1` });
    expect(answer.headers['last-modified']).toMatch(/^\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT$/);
  });

  it('answers as Prefer asks (44)', async () => {
    const minimal = await baton.fhir('POST', '/Patient', { body: patient(), headers: { prefer: 'return=minimal' } });
    expect([minimal.status, minimal.text]).toEqual([201, '']);
    const outcome = await baton.fhir('POST', '/Patient', {
      body: patient(),
      headers: { prefer: 'return=OperationOutcome' },
    });
    expect(outcome.json.resourceType).toBe('OperationOutcome');
    const wrong = await baton.fhir('POST', '/Patient', { body: patient(), headers: { prefer: 'return=everything' } });
    expectOutcome(wrong, 400, 'value');
  });

  it('is conditional with If-None-Exist (35)', async () => {
    const headers = { 'if-none-exist': 'identifier=urn:t|cc' };
    const first = await baton.fhir('POST', '/Patient', { body: identified('cc'), headers });
    expect(first.status).toBe(201);
    const second = await baton.fhir('POST', '/Patient', { body: identified('cc'), headers });
    expect(second.status).toBe(200);
    expect(second.headers.location).toBe(first.headers.location);
    expect(second.headers.etag).toBe('W/"1"');
    await created(identified('cc'));
    const third = await baton.fhir('POST', '/Patient', { body: identified('cc'), headers });
    expectOutcome(third, 412, 'multiple-matches');
    for (const empty of ['', '_count=1', '?']) {
      const answer = await baton.fhir('POST', '/Patient', { body: patient(), headers: { 'if-none-exist': empty } });
      expect(answer.status).toBe(400);
    }
  });

  it('makes one resource of twenty equal conditional creates at once (35)', async () => {
    const headers = { 'if-none-exist': 'identifier=urn:t|twenty' };
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => baton.fhir('POST', '/Patient', { body: identified('twenty'), headers })),
    );
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(19);
  });

  it('refuses a resource of another type, an array, and a resource that is not valid', async () => {
    expectOutcome(await baton.fhir('POST', '/Patient', { body: { resourceType: 'Task' } }), 400, 'value');
    expectOutcome(await baton.fhir('POST', '/Patient', { body: [patient()] }), 400, 'structure');
    expectOutcome(await baton.fhir('POST', '/Patient', { body: {} }), 400, 'structure');
    const date = await baton.fhir('POST', '/Patient', { body: patient({ birthDate: '2026-02-31' }) });
    expect([400, 422]).toContain(date.status);
    expect(date.json.issue?.[0]?.expression?.[0]).toBe('Patient.birthDate');
    const element = await baton.fhir('POST', '/Patient', { body: patient({ nonsense: true }) });
    expect([400, 422]).toContain(element.status);
  });
});

describe('read', () => {
  it('answers the stored text, and HEAD the same without body', async () => {
    const id = await created();
    const answer = await baton.fhir('GET', `/Patient/${id}`);
    expect(answer.status).toBe(200);
    expect(answer.headers).toMatchObject({ etag: 'W/"1"', 'content-type': 'application/fhir+json; charset=utf-8' });
    expect(answer.text).toBe((await baton.temp.store.read('Patient', id))?.content);
    const head = await baton.fhir('HEAD', `/Patient/${id}`);
    expect([head.status, head.text, head.headers.etag]).toEqual([200, '', 'W/"1"']);
    expect(head.headers['content-length']).toBe(String(Buffer.byteLength(answer.text)));
  });

  it('is conditional (40)', async () => {
    const id = await created();
    const answer = await baton.fhir('GET', `/Patient/${id}`);
    const get = (headers: Record<string, string>) => baton.fhir('GET', `/Patient/${id}`, { headers });
    for (const tag of ['W/"1"', '"1"', '*', 'W/"7", W/"1"']) {
      const known = await get({ 'if-none-match': tag });
      expect([known.status, known.text, known.headers.etag]).toEqual([304, '', 'W/"1"']);
    }
    expect((await get({ 'if-none-match': 'W/"2"' })).status).toBe(200);
    expect((await get({ 'if-modified-since': String(answer.headers['last-modified']) })).status).toBe(304);
    expect((await get({ 'if-modified-since': 'Mon, 01 Jan 2001 00:00:00 GMT' })).status).toBe(200);
    expect((await get({ 'if-modified-since': 'yesterday' })).status).toBe(200);
  });

  it('tells never existed, deleted and malformed apart (41)', async () => {
    expectOutcome(await baton.fhir('GET', '/Patient/never'), 404, 'not-found');
    expectOutcome(await baton.fhir('GET', '/Patient/not_an_id'), 404, 'not-found');
    expectOutcome(await baton.fhir('GET', '/Nonsense/1'), 404, 'not-supported');
    const id = await created();
    await baton.fhir('DELETE', `/Patient/${id}`);
    expectOutcome(await baton.fhir('GET', `/Patient/${id}`), 410, 'deleted');
  });

  it('of a version answers old ones and 410 for the deletion (41)', async () => {
    const id = await created();
    await baton.fhir('PUT', `/Patient/${id}`, { body: patient({ id, active: true }) });
    await baton.fhir('DELETE', `/Patient/${id}`);
    const first = await baton.fhir('GET', `/Patient/${id}/_history/1`);
    expect([first.status, first.headers.etag, first.json.active]).toEqual([200, 'W/"1"', undefined]);
    expect((await baton.fhir('GET', `/Patient/${id}/_history/2`)).json.active).toBe(true);
    expectOutcome(await baton.fhir('GET', `/Patient/${id}/_history/3`), 410, 'deleted');
    expectOutcome(await baton.fhir('GET', `/Patient/${id}/_history/4`), 404, 'not-found');
  });

  it('can be pretty, or a part', async () => {
    const id = await created(identified('part', { gender: 'female' }));
    expect((await baton.fhir('GET', `/Patient/${id}?_pretty=true`)).text).toContain('\n  "resourceType"');
    const part = await baton.fhir('GET', `/Patient/${id}?_elements=gender`);
    expect(Object.keys(part.json).toSorted()).toEqual(['gender', 'id', 'meta', 'resourceType']);
    expect(part.json.meta?.tag?.[0]?.code).toBe('SUBSETTED');
    expect((await baton.fhir('GET', `/Patient/${id}?_summary=nonsense`)).status).toBe(400);
  });
});

describe('update', () => {
  it('needs the id of the URL in the body and ignores meta of the client (40)', async () => {
    const id = await created();
    expectOutcome(await baton.fhir('PUT', `/Patient/${id}`, { body: patient() }), 400, 'required');
    expectOutcome(await baton.fhir('PUT', `/Patient/${id}`, { body: patient({ id: 'other' }) }), 400, 'value');
    const answer = await baton.fhir('PUT', `/Patient/${id}`, { body: patient({ id, meta: { versionId: '99' } }) });
    expect([answer.status, answer.json.meta?.versionId, answer.headers.etag]).toEqual([200, '2', 'W/"2"']);
  });

  it('creates what is not there, and revives what was deleted with the next version (41)', async () => {
    const first = await baton.fhir('PUT', '/Patient/chosen', { body: patient({ id: 'chosen' }) });
    expect([first.status, first.headers.location]).toEqual([201, `${FHIR}/Patient/chosen/_history/1`]);
    await baton.fhir('DELETE', '/Patient/chosen');
    const again = await baton.fhir('PUT', '/Patient/chosen', { body: patient({ id: 'chosen' }) });
    expect([again.status, again.headers.etag]).toEqual([201, 'W/"3"']);
  });

  it('honours If-Match, also without W/, and refuses malformed ones (38)', async () => {
    const id = await created();
    const put = (tag: string) =>
      baton.fhir('PUT', `/Patient/${id}`, { body: patient({ id }), headers: { 'if-match': tag } });
    expect((await put('W/"1"')).status).toBe(200);
    expect((await put('"2"')).status).toBe(200);
    expectOutcome(await put('W/"1"'), 412, 'conflict');
    for (const tag of ['1', '*', 'W/1', 'W/"1", W/"2"', '']) expect((await put(tag)).status).toBe(400);
    const absent = { body: patient({ id: 'absent' }), headers: { 'if-match': 'W/"1"' } };
    expect((await baton.fhir('PUT', '/Patient/absent', absent)).status).toBe(412);
  });

  it('lets one of fifty with the same If-Match through (38)', async () => {
    const id = await created();
    const answers = await Promise.all(
      Array.from({ length: 50 }, () =>
        baton.fhir('PUT', `/Patient/${id}`, { body: patient({ id }), headers: { 'if-match': 'W/"1"' } }),
      ),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 412)).toHaveLength(49);
  });

  it('is conditional (36)', async () => {
    const put = (value: string, body: object) => baton.fhir('PUT', `/Patient?identifier=urn:t|${value}`, { body });
    const first = await put('cu', identified('cu'));
    expect(first.status).toBe(201);
    const second = await put('cu', identified('cu', { active: true }));
    expect([second.status, second.json.id]).toEqual([200, first.json.id]);
    expectOutcome(await put('cu', identified('cu', { id: 'other' })), 400, 'invalid');
    await created(identified('cu'));
    expectOutcome(await put('cu', identified('cu')), 412, 'multiple-matches');
    expectOutcome(await baton.fhir('PUT', '/Patient', { body: patient() }), 400, 'required');
    expectOutcome(await baton.fhir('PUT', '/Patient?_format=json', { body: patient() }), 400, 'required');
  });
});

describe('delete', () => {
  it('succeeds twice, and for what never was (41)', async () => {
    const id = await created();
    const first = await baton.fhir('DELETE', `/Patient/${id}`);
    expect([first.status, first.text, first.headers.etag]).toEqual([204, '', 'W/"2"']);
    expect((await baton.fhir('DELETE', `/Patient/${id}`)).status).toBe(204);
    expect((await baton.fhir('DELETE', '/Patient/never-was')).status).toBe(204);
  });

  it('honours If-Match (38)', async () => {
    const id = await created();
    const remove = (tag: string) => baton.fhir('DELETE', `/Patient/${id}`, { headers: { 'if-match': tag } });
    expectOutcome(await remove('W/"2"'), 412, 'conflict');
    expect((await remove('W/"1"')).status).toBe(204);
  });

  it('is conditional for at most one match and never for all (37)', async () => {
    const remove = (query: string) => baton.fhir('DELETE', `/Patient${query}`);
    expect((await remove('?identifier=urn:t|cd')).status).toBe(204);
    const id = await created(identified('cd'));
    expect((await remove('?identifier=urn:t|cd')).status).toBe(204);
    expect((await baton.fhir('GET', `/Patient/${id}`)).status).toBe(410);
    await created(identified('cd'));
    await created(identified('cd'));
    expectOutcome(await remove('?identifier=urn:t|cd'), 412, 'multiple-matches');
    expectOutcome(await remove(''), 400, 'required');
    expect((await remove('?nonsense=1')).status).toBe(400);
  });
});

describe('history', () => {
  it('is newest first, with deletions and without their content (42)', async () => {
    const id = await created();
    await baton.fhir('PUT', `/Patient/${id}`, { body: patient({ id, active: true }) });
    await baton.fhir('DELETE', `/Patient/${id}`);
    const { status, json } = await baton.fhir('GET', `/Patient/${id}/_history`);
    expect([status, json.type, json.total]).toEqual([200, 'history', 3]);
    expect(json.entry?.map((entry) => entry.request)).toEqual([
      { method: 'DELETE', url: `Patient/${id}` },
      { method: 'PUT', url: `Patient/${id}` },
      { method: 'POST', url: 'Patient' },
    ]);
    expect(json.entry?.[0]?.resource).toBeUndefined();
    expect(json.entry?.map((entry) => entry.response?.etag)).toEqual(['W/"3"', 'W/"2"', 'W/"1"']);
  });

  it('is paged to the end, of a type and of everything (42)', async () => {
    for (const path of ['/Patient/_history', '/_history']) {
      const seen: string[] = [];
      let url: string | undefined = `${path}?_count=7`;
      let total = 0;
      while (url) {
        const page: Answer = await baton.fhir('GET', url);
        expect(page.status).toBe(200);
        total = Number(page.json.total);
        for (const entry of page.json.entry ?? []) seen.push(`${entry.fullUrl} ${entry.response?.etag}`);
        const next: string | undefined = page.json.link?.find(({ relation }) => relation === 'next')?.url;
        url = next?.slice(FHIR.length);
      }
      expect(seen).toHaveLength(total);
      expect(new Set(seen).size).toBe(total);
    }
  });

  it('knows _since and refuses what it does not know', async () => {
    expect((await baton.fhir('GET', '/_history?_since=2999-01-01T00:00:00Z')).json.entry).toBeUndefined();
    for (const query of ['_since=yesterday', '_count=-1', '_count=x', 'status=x', '_cursor=x']) {
      expect((await baton.fhir('GET', `/_history?${query}`)).status).toBe(400);
    }
    expectOutcome(await baton.fhir('GET', '/Patient/never/_history'), 404, 'not-found');
  });
});

// 41 and 42. Delete, read of what was, and history. https://hl7.org/fhir/R4/http.html#history
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, type Entry, FHIR, serve, type TestServer } from '../server/serve.ts';

let baton: TestServer;

beforeAll(async () => {
  baton = await serve();
});

afterAll(() => baton.close());

const put = (id: string, more: object = {}) =>
  baton.fhir('PUT', `/Patient/${id}`, { body: { resourceType: 'Patient', id, ...more } });
const remove = (id: string) => baton.fhir('DELETE', `/Patient/${id}`);
const versions = (answer: Answer) => answer.json.entry?.map(({ response }) => response?.etag) ?? [];

function expectOutcome(answer: Answer, status: number, code?: string): void {
  expect([answer.status, answer.json.resourceType]).toEqual([status, 'OperationOutcome']);
  if (code) expect(answer.json.issue?.[0]?.code).toBe(code);
}

describe('41. what was deleted', () => {
  it('is 410, its versions are there, its deletion is 410, and it is in no search', async () => {
    await put('del');
    await put('del', { active: true });
    expect((await remove('del')).status).toBe(204);
    expectOutcome(await baton.fhir('GET', '/Patient/del'), 410, 'deleted');
    expect((await baton.fhir('GET', '/Patient/del/_history/2')).json.active).toBe(true);
    expectOutcome(await baton.fhir('GET', '/Patient/del/_history/3'), 410, 'deleted');
    expectOutcome(await baton.fhir('GET', '/Patient/del/_history/4'), 404, 'not-found');
    expect((await baton.fhir('GET', '/Patient?_id=del')).json.total).toBe(0);
    expect((await remove('del')).status).toBe(204);
    expect((await remove('never')).status).toBe(204);
    expectOutcome(await baton.fhir('GET', '/Patient/never'), 404, 'not-found');
    const revived = await put('del');
    expect([revived.status, revived.headers.etag]).toEqual([201, 'W/"4"']);
    expect(versions(await baton.fhir('GET', '/Patient/del/_history'))).toEqual(['W/"4"', 'W/"3"', 'W/"2"', 'W/"1"']);
  });

  it.each(['0', '01', '-1', '1.0', 'x', '99999999999999999999'])('version %s never was', async (version) => {
    await put('v');
    expectOutcome(await baton.fhir('GET', `/Patient/v/_history/${version}`), 404, 'not-found');
  });
});

describe('42. an entry', () => {
  it('says what was done, by which method, with which result', async () => {
    const { id } = (await baton.fhir('POST', '/Patient', { body: { resourceType: 'Patient' } })).json;
    await put(String(id), { active: true });
    const patch = [{ op: 'replace', path: '/active', value: false }];
    const headers = { 'content-type': 'application/json-patch+json' };
    await baton.fhir('PATCH', `/Patient/${id}`, { body: JSON.stringify(patch), headers });
    await remove(String(id));
    const { json } = await baton.fhir('GET', `/Patient/${id}/_history`);
    expect(json).toMatchObject({ resourceType: 'Bundle', type: 'history', total: 4 });
    expect(json.entry?.map(({ request, response }) => [request?.method, request?.url, response?.status])).toEqual([
      ['DELETE', `Patient/${id}`, '204'],
      // A version is what the resource became, so a patch shows as the update it came down to.
      ['PUT', `Patient/${id}`, '200'],
      ['PUT', `Patient/${id}`, '200'],
      ['POST', 'Patient', '201'],
    ]);
    expect(json.entry?.map(({ resource }) => resource?.meta?.versionId)).toEqual([undefined, '3', '2', '1']);
    for (const entry of json.entry ?? []) {
      expect(entry.fullUrl).toBe(`${FHIR}/Patient/${id}`);
      expect(entry.response?.lastModified).toMatch(/^\d{4}-.*Z$/);
      expect(entry.response?.etag).toMatch(/^W\/"\d"$/);
    }
  });

  it('of a resource that was created by PUT says so', async () => {
    await put('by-put');
    const { json } = await baton.fhir('GET', '/Patient/by-put/_history');
    expect(json.entry?.[0]).toMatchObject({
      request: { method: 'PUT', url: 'Patient/by-put' },
      response: { status: '201' },
    });
  });
});

describe('42. the parameters', () => {
  it('_since is inclusive and loses nothing', async () => {
    const { json } = await put('since');
    const at = String(json.meta?.lastUpdated);
    expect(versions(await baton.fhir('GET', `/Patient/since/_history?_since=${at}`))).toEqual(['W/"1"']);
    const plus = encodeURIComponent(at.replace('Z', '+00:00'));
    expect(versions(await baton.fhir('GET', `/Patient/since/_history?_since=${plus}`))).toEqual(['W/"1"']);
    await put('since', { active: true });
    const all = await baton.fhir('GET', `/Patient/since/_history?_since=${at}`);
    expect(versions(all)).toEqual(['W/"2"', 'W/"1"']);
    expect(all.json.total).toBe(2);
    expect((await baton.fhir('GET', '/Patient/since/_history?_since=2999-01-01T00:00:00Z')).json).toMatchObject({
      total: 0,
    });
  });

  it('_at gives what was current at that time', async () => {
    const times: string[] = [];
    for (const active of [true, false, true]) {
      times.push(String((await put('at', { active })).json.meta?.lastUpdated));
      const { clock } = baton.temp;
      clock.moveTo(clock.now().add({ seconds: 1 }));
    }
    const gone = (await remove('at')).headers.etag;
    const at = async (time = '') => versions(await baton.fhir('GET', `/Patient/at/_history?_at=${time}`));
    expect(await at(times[0])).toEqual(['W/"1"']);
    expect(await at(times[1])).toEqual(['W/"2"']);
    expect(await at('2001-01-01')).toEqual([]);
    expect(await at(String(times[0]).slice(0, 10))).toEqual([gone, 'W/"3"', 'W/"2"', 'W/"1"']);
    expect(await at('2999')).toEqual([]);
  });

  it('_list limits it to what a List holds', async () => {
    await put('listed');
    await put('listed', { active: true });
    await put('not-listed');
    await put('struck');
    const entry = [
      { item: { reference: 'Patient/listed' } },
      { item: { reference: `${FHIR}/Patient/listed` } },
      { item: { reference: 'Patient/struck' }, deleted: true },
    ];
    const list = { resourceType: 'List', id: 'l', status: 'current', mode: 'changes', entry };
    expect((await baton.fhir('PUT', '/List/l', { body: list })).status).toBe(201);
    for (const path of ['/_history?_list=l', '/Patient/_history?_list=l&_count=1']) {
      const answer = await baton.fhir('GET', path);
      expect(answer.json.total).toBe(2);
      expect(answer.json.entry?.every(({ fullUrl }) => fullUrl === `${FHIR}/Patient/listed`)).toBe(true);
    }
    expect((await baton.fhir('GET', '/Task/_history?_list=l')).json).toMatchObject({ total: 0 });
    expectOutcome(await baton.fhir('GET', '/_history?_list=none'), 404);
    expectOutcome(await baton.fhir('GET', '/_history?_list=$current-problems'), 400);
    const as = await baton.token('system/Patient.rs');
    expectOutcome(await baton.fhir('GET', '/Patient/_history?_list=l', { as }), 403);
  });

  it('_summary=count and _count=0 give the total alone, _elements a part', async () => {
    await put('parts', { gender: 'female', active: true });
    for (const query of ['_count=0', '_summary=count']) {
      const { json } = await baton.fhir('GET', `/Patient/parts/_history?${query}`);
      expect([json.total, json.entry]).toEqual([1, undefined]);
    }
    const { json } = await baton.fhir('GET', '/Patient/parts/_history?_elements=gender');
    expect(json.entry?.[0]?.resource).toMatchObject({ gender: 'female', meta: { tag: [{ code: 'SUBSETTED' }] } });
    expect(json.entry?.[0]?.resource?.active).toBeUndefined();
  });

  it.each([
    '_sort=-_lastUpdated',
    'status=x',
    '_since=yesterday',
    '_since=',
    '_at=x',
    '_at=2026-13',
    '_count=-1',
    '_count=1.5',
    '_count=x',
    '_cursor=x',
    '_count=1&_count=2',
    '_summary=x',
  ])('%s is refused', async (query) => {
    expectOutcome(await baton.fhir('GET', `/Patient/_history?${query}`), 400);
  });

  it('that are unknown are left out when the client prefers it, and the self link says what was applied', async () => {
    const headers = { prefer: 'handling=lenient' };
    const { status, json } = await baton.fhir('GET', '/Patient/_history?nonsense=1&_count=9999', { headers });
    expect([status, json.link?.[0]]).toEqual([200, { relation: 'self', url: `${FHIR}/Patient/_history?_count=1000` }]);
  });
});

describe('42. the pages', () => {
  async function pages(path: string, between: () => Promise<unknown> = async () => {}) {
    const seen: string[] = [];
    let total = 0;
    for (let next: string | undefined = path; next; ) {
      const { status, json }: Answer = await baton.fhir('GET', next);
      expect(status).toBe(200);
      total ||= Number(json.total);
      expect(json.total).toBe(total);
      seen.push(...(json.entry ?? []).map((entry: Entry) => `${entry.fullUrl} ${entry.response?.etag}`));
      next = json.link?.find(({ relation }) => relation === 'next')?.url.slice(FHIR.length);
      await between();
    }
    return { seen, total };
  }

  it.each(['/Patient/page/_history', '/Patient/_history', '/_history'])(
    'of %s are complete, each entry once',
    async (path) => {
      for (let i = 0; i < 8; i += 1) await put('page', { active: i % 2 === 0 });
      const { seen, total } = await pages(`${path}?_count=3`);
      expect(seen).toHaveLength(total);
      expect(new Set(seen).size).toBe(total);
    },
  );

  it.each(['/Patient/moving/_history', '/Patient/_history', '/_history'])(
    'of %s stay right while others write',
    async (path) => {
      for (let i = 0; i < 6; i += 1) await put('moving', { active: i % 2 === 0 });
      const before = await pages(`${path}?_count=100`);
      const { seen } = await pages(`${path}?_count=4`, () =>
        Promise.all([put('moving'), put('other'), remove('other')]),
      );
      expect(seen).toEqual(before.seen);
    },
  );

  it('keep their filter', async () => {
    const { json } = await put('filtered');
    for (let i = 0; i < 5; i += 1) await put('filtered', { active: i % 2 === 0 });
    const { seen } = await pages(`/Patient/filtered/_history?_count=2&_since=${json.meta?.lastUpdated}`);
    expect(seen).toHaveLength(6);
  });

  it('of what never was are 404, of what was deleted are there', async () => {
    expectOutcome(await baton.fhir('GET', '/Patient/never/_history'), 404, 'not-found');
    await put('was');
    await remove('was');
    expect(versions(await baton.fhir('GET', '/Patient/was/_history'))).toEqual(['W/"2"', 'W/"1"']);
  });
});

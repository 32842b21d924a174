// Search over HTTP: the Bundle, its links, GET and POST, handling, includes, paging. What matches is the store's test.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, FHIR, serve, type TestServer } from './serve.ts';

let baton: TestServer;
const FORM = { 'content-type': 'application/x-www-form-urlencoded' };

beforeAll(async () => {
  baton = await serve();
  const put = (type: string, id: string, more: object) =>
    baton.fhir('PUT', `/${type}/${id}`, { body: { resourceType: type, id, ...more } });
  await put('Patient', 'p1', { name: [{ family: 'Seacole' }], gender: 'female' });
  await put('Patient', 'p2', { name: [{ family: 'Barton' }] });
  for (let i = 0; i < 12; i += 1) {
    const status = i % 2 === 0 ? 'requested' : 'completed';
    const patient = { reference: i < 9 ? 'Patient/p1' : 'Patient/p2' };
    await put('Task', `t${i}`, { status, intent: 'order', priority: 'urgent', for: patient, description: `step ${i}` });
  }
});

afterAll(() => baton.close());

const ids = (answer: Answer, mode = 'match') =>
  (answer.json.entry ?? []).filter(({ search }) => search?.mode === mode).map(({ resource }) => resource?.id);
const link = (answer: Answer, wanted: string) => answer.json.link?.find(({ relation }) => relation === wanted)?.url;

describe('a search', () => {
  it('answers a searchset with full URLs and the stored resources', async () => {
    const answer = await baton.fhir('GET', '/Patient?family=seacole');
    expect([answer.status, answer.json.resourceType, answer.json.type]).toEqual([200, 'Bundle', 'searchset']);
    const [entry] = answer.json.entry ?? [];
    expect(entry).toMatchObject({ fullUrl: `${FHIR}/Patient/p1`, search: { mode: 'match' } });
    expect(entry?.resource).toEqual(JSON.parse((await baton.temp.store.read('Patient', 'p1'))?.content ?? ''));
  });

  it('that finds nothing has no entry at all', async () => {
    const answer = await baton.fhir('GET', '/Patient?family=nobody');
    expect(answer.status).toBe(200);
    expect(answer.json).not.toHaveProperty('entry');
  });

  it('works as POST with a form, in which URL and body both count (44)', async () => {
    const body = 'status=requested';
    const answer = await baton.fhir('POST', '/Task/_search?patient=Patient/p2', { body, headers: FORM });
    expect(answer.status).toBe(200);
    expect(ids(answer)).toEqual(['t10']);
    const empty = await baton.fhir('POST', '/Task/_search?status=requested');
    expect(ids(empty)).toHaveLength(6);
  });

  it('refuses a form that is JSON', async () => {
    expect((await baton.fhir('POST', '/Task/_search', { body: { status: 'requested' } })).status).toBe(415);
  });

  it('pages with links that work as they are, also after POST (31)', async () => {
    const first = await baton.fhir('POST', '/Task/_search', {
      body: 'priority=urgent&_count=5&_sort=-_id',
      headers: FORM,
    });
    const seen = [...ids(first)];
    let next = link(first, 'next');
    while (next) {
      const page: Answer = await baton.fhir('GET', next.slice(FHIR.length));
      expect(page.status).toBe(200);
      seen.push(...ids(page));
      next = link(page, 'next');
    }
    expect(seen).toHaveLength(12);
    expect(new Set(seen).size).toBe(12);
  });

  it('over all types and within a compartment', async () => {
    const all = await baton.fhir('GET', '?_type=Task,Patient&_id=t1,p1');
    expect(ids(all).toSorted()).toEqual(['p1', 't1']);
    const form = await baton.fhir('POST', '/_search', { body: '_type=Patient&_id=p1,t1', headers: FORM });
    expect(ids(form)).toEqual(['p1']);
    const compartment = await baton.fhir('GET', '/Patient/p2/Task?status=completed');
    expect(ids(compartment).toSorted()).toEqual(['t11', 't9']);
    expect(link(compartment, 'self')).toContain(`${FHIR}/Patient/p2/Task?status=completed`);
  });

  it('counts when asked to (30)', async () => {
    for (const query of ['_summary=count', '_count=0', '_total=accurate']) {
      expect((await baton.fhir('GET', `/Task?${query}`)).json.total).toBe(12);
    }
    expect((await baton.fhir('GET', '/Task?_summary=count')).json).not.toHaveProperty('entry');
    expect((await baton.fhir('GET', '/Task?_total=none')).json).not.toHaveProperty('total');
  });

  it('brings what is included, once', async () => {
    const answer = await baton.fhir('GET', '/Task?_id=t1,t2&_include=Task:patient');
    expect(ids(answer, 'include')).toEqual(['p1']);
    const back = await baton.fhir('GET', '/Patient?_id=p2&_revinclude=Task:patient');
    expect(ids(back, 'include').toSorted()).toEqual(['t10', 't11', 't9']);
  });

  it('cuts resources when asked to (32)', async () => {
    const { json } = await baton.fhir('GET', '/Task?_id=t1&_elements=priority');
    const resource = json.entry?.[0]?.resource ?? {};
    expect(Object.keys(resource).toSorted()).toEqual(['id', 'intent', 'meta', 'priority', 'resourceType', 'status']);
    expect(resource.meta?.tag?.[0]?.code).toBe('SUBSETTED');
    expect(link(await baton.fhir('GET', '/Task?_id=t1&_elements=priority'), 'self')).toContain('_elements=priority');
  });
});

describe('an unknown parameter (33)', () => {
  it('is refused by name', async () => {
    for (const handling of ['', 'handling=strict']) {
      const answer = await baton.fhir('GET', '/Task?nonsense=1', { headers: { prefer: handling } });
      expect(answer.status).toBe(400);
      expect(answer.text).toContain('nonsense');
    }
    expect((await baton.fhir('GET', '/Task?status:nonsense=1')).status).toBe(400);
  });

  it('is ignored and said so when the client is lenient', async () => {
    const headers = { prefer: 'handling=lenient' };
    const answer = await baton.fhir('GET', '/Task?nonsense=1&status=completed', { headers });
    expect(answer.status).toBe(200);
    expect(ids(answer)).toHaveLength(6);
    expect(link(answer, 'self')).not.toContain('nonsense');
    const said = answer.json.entry?.find(({ search }) => search?.mode === 'outcome');
    expect(said?.resource?.issue?.[0]?.details?.text).toContain('nonsense');
  });

  it.each(['_count=-1', '_count=x', '_cursor=x', '_sort=nonsense', '_include=nonsense', 'birthdate=2026-02-31'])(
    'or a malformed value is 400: %s',
    async (query) => {
      expect((await baton.fhir('GET', `/Patient?${query}`)).status).toBe(400);
    },
  );
});

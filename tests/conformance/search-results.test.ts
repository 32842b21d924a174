// 30 to 34. What a search gives back: totals, links, parts, strictness, page sizes. https://hl7.org/fhir/R4/search.html
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, FHIR, serve, type TestServer } from '../server/serve.ts';

let baton: TestServer;

beforeAll(async () => {
  baton = await serve();
  const organization = {
    resourceType: 'Organization',
    id: 'o',
    name: 'O',
    telecom: [{ system: 'phone', value: '1' }],
    address: [{ city: 'X' }],
  };
  await baton.fhir('PUT', '/Organization/o', { body: organization });
  for (let i = 0; i < 25; i += 1) {
    const body = {
      resourceType: 'Patient',
      id: `p${i}`,
      text: { status: 'generated', div: '<div xmlns="http://www.w3.org/1999/xhtml">x</div>' },
      identifier: [{ system: 'urn:30', value: String(i) }],
      gender: 'female',
      maritalStatus: { text: 'y' },
      managingOrganization: { reference: 'Organization/o' },
      link: [{ other: { reference: 'Patient/p0' }, type: 'seealso' }],
    };
    await baton.fhir('PUT', `/Patient/p${i}`, { body });
  }
});

afterAll(() => baton.close());

const get = (query: string, headers = {}) => baton.fhir('GET', `/Patient${query}`, { headers });
const link = ({ json }: Answer, relation: string) => json.link?.find((each) => each.relation === relation)?.url;

function expectOutcome(answer: Answer, status: number): void {
  expect([answer.status, answer.json.resourceType]).toEqual([status, 'OperationOutcome']);
}

describe('30. the total', () => {
  it('is exact when it is asked for, the same by each way, and without entries when only it is', async () => {
    const accurate = await get('?gender=female&_count=3&_total=accurate');
    const counted = await get('?gender=female&_summary=count');
    const none = await get('?gender=female&_count=0');
    expect([accurate.json.total, counted.json.total, none.json.total]).toEqual([25, 25, 25]);
    expect([accurate.json.entry?.length, counted.json.entry, none.json.entry]).toEqual([3, undefined, undefined]);
    expect(link(counted, 'next')).toBeUndefined();
  });

  it('is left out when nobody wants it, and counts matches only', async () => {
    expect((await get('?gender=female&_count=3&_total=none')).json.total).toBeUndefined();
    const included = await get('?gender=female&_include=Patient:organization&_total=accurate&_count=3');
    expect([included.json.total, included.json.entry?.length]).toEqual([25, 4]);
  });
});

describe('31. the links', () => {
  it('say what was applied, and lead on by POST as well', async () => {
    const first = await get('?gender=female&_count=10');
    expect(link(first, 'self')).toBe(`${FHIR}/Patient?gender=female&_count=10`);
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    const posted = await baton.fhir('POST', '/Patient/_search?gender=female', { body: '_count=10', headers });
    const next = String(link(posted, 'next')).slice(FHIR.length);
    const second = await baton.fhir('GET', next);
    expect(second.json.entry).toHaveLength(10);
    const ids = [...(posted.json.entry ?? []), ...(second.json.entry ?? [])].map(({ resource }) => resource?.id);
    expect(new Set(ids).size).toBe(20);
  });
});

describe('31. a next link', () => {
  it('works after a restart', async () => {
    const before = await serve();
    const entry = Array.from({ length: 25 }, (_, index) => ({
      resource: { resourceType: 'Patient', id: `r${index}`, gender: index % 2 ? 'male' : 'female' },
      request: { method: 'PUT', url: `Patient/r${index}` },
    }));
    await before.fhir('POST', '', { body: { resourceType: 'Bundle', type: 'transaction', entry } });
    const first = await before.fhir('GET', '/Patient?_sort=gender,-_lastUpdated&_count=20');
    const after = await serve({ store: await before.temp.reopen() });
    const second = await after.fhir('GET', String(link(first, 'next')).slice(FHIR.length));
    expect([second.status, link(second, 'next')]).toEqual([200, undefined]);
    const ids = [first, second].flatMap(({ json }) => json.entry?.map(({ resource }) => resource?.id));
    expect([ids.length, new Set(ids).size]).toEqual([25, 25]);
    await after.close();
    await before.close();
  });
});

describe('32. parts', () => {
  const keys = (resource: object | undefined) => Object.keys(resource ?? {}).toSorted();
  const tag = (answer: Answer, index = 0) => answer.json.entry?.[index]?.resource?.meta?.tag?.map(({ code }) => code);

  it('by _elements have what was asked for, in reads and searches', async () => {
    for (const answer of [await get('?_id=p1&_elements=gender'), await get('?_id=p1&_elements=Patient.gender')]) {
      expect(keys(answer.json.entry?.[0]?.resource)).toEqual(['gender', 'id', 'meta', 'resourceType']);
      expect(tag(answer)).toEqual(['SUBSETTED']);
    }
    const read = await baton.fhir('GET', '/Patient/p1?_elements=gender,identifier');
    expect(keys(read.json)).toEqual(['gender', 'id', 'identifier', 'meta', 'resourceType']);
  });

  it('by _elements leave included resources whole, as R4 says, unless their type is named', async () => {
    const plain = await get('?_id=p1&_include=Patient:organization&_elements=gender,name');
    expect(keys(plain.json.entry?.[1]?.resource)).toContain('telecom');
    const named = await get('?_id=p1&_include=Patient:organization&_elements=gender,Organization.name');
    expect(keys(named.json.entry?.[1]?.resource)).toEqual(['id', 'meta', 'name', 'resourceType']);
    expect(tag(named, 1)).toEqual(['SUBSETTED']);
  });

  it('by _summary', async () => {
    const summary = await get('?_id=p1&_summary=true');
    const all = ['gender', 'id', 'identifier', 'link', 'managingOrganization', 'meta', 'resourceType'];
    expect(keys(summary.json.entry?.[0]?.resource)).toEqual(all);
    expect(tag(summary)).toEqual(['SUBSETTED']);
    expect(keys((await get('?_id=p1&_summary=text')).json.entry?.[0]?.resource)).toEqual([
      'id',
      'meta',
      'resourceType',
      'text',
    ]);
    expect(keys((await get('?_id=p1&_summary=data')).json.entry?.[0]?.resource)).not.toContain('text');
    const whole = await get('?_id=p1&_summary=false');
    expect([keys(whole.json.entry?.[0]?.resource).length, tag(whole)]).toEqual([9, undefined]);
    expectOutcome(await get('?_summary=x'), 400);
    expectOutcome(await get('?_summary=text&_include=Patient:organization'), 400);
  });

  it('by both together', async () => {
    const both = await get('?_id=p1&_summary=true&_elements=maritalStatus');
    expect(keys(both.json.entry?.[0]?.resource)).toEqual(['id', 'maritalStatus', 'meta', 'resourceType']);
    expect((await get('?_summary=count&_elements=gender')).json).toMatchObject({ total: 25 });
  });

  it('do not change what is stored, and stay the same through the pages', async () => {
    const first = await get('?_elements=gender&_count=20');
    const second = await baton.fhir('GET', String(link(first, 'next')).slice(FHIR.length));
    expect(tag(second)).toEqual(['SUBSETTED']);
    expect((await baton.fhir('GET', '/Patient/p1')).json.meta?.tag).toBeUndefined();
  });
});

describe('33. what is not known', () => {
  it.each([
    '?nonsense=1',
    '?gender:nonsense=x',
    '?_nonsense=1',
    '?nonsense:missing=true',
    '?_has:Task:nonsense:status=x',
  ])('%s is 400 and named', async (query) => {
    for (const headers of [{}, { prefer: 'handling=strict' }]) {
      const answer = await get(query, headers);
      expectOutcome(answer, 400);
      expect(answer.text).toContain('nonsense');
    }
  });

  it('is left out when the client prefers it, out of the self link too, and the Bundle says so', async () => {
    const answer = await get('?nonsense=1&_id=p1', { prefer: 'handling=lenient' });
    expect([answer.status, link(answer, 'self')]).toEqual([200, `${FHIR}/Patient?_id=p1`]);
    const outcome = answer.json.entry?.find(({ search }) => search?.mode === 'outcome');
    expect(outcome?.resource?.resourceType).toBe('OperationOutcome');
    expect(JSON.stringify(outcome)).toContain('nonsense');
    expectOutcome(await get('', { prefer: 'handling=foo' }), 400);
  });
});

describe('34. _count', () => {
  it('above the maximum is the maximum, and the self link says so', async () => {
    const answer = await get('?_count=999999999');
    expect([answer.status, link(answer, 'self')]).toEqual([200, `${FHIR}/Patient?_count=1000`]);
  });

  it.each(['-1', 'x', '1.5', '', '1e3'])('%s is 400', async (count) => {
    expectOutcome(await get(`?_count=${count}`), 400);
  });
});

// Search at the outermost door: full text, filters, positions, and what is refused.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { serve, type TestServer } from './serve.ts';

let baton: TestServer;

beforeAll(async () => {
  baton = await serve();
  await baton.fhir('PUT', '/Patient/p', {
    body: {
      resourceType: 'Patient',
      id: 'p',
      text: { status: 'generated', div: '<div xmlns="http://www.w3.org/1999/xhtml">Chronic heart failure</div>' },
      name: [{ family: 'Stone' }],
      gender: 'female',
    },
  });
  await baton.fhir('PUT', '/Patient/q', { body: { resourceType: 'Patient', id: 'q', gender: 'male' } });
  await baton.fhir('PUT', '/Location/ward', {
    body: { resourceType: 'Location', id: 'ward', position: { latitude: 52.52, longitude: 13.405 } },
  });
});
afterAll(() => baton.close());

const idsOf = async (path: string) => {
  const { json, status } = await baton.fhir('GET', path);
  expect(status, path).toBe(200);
  return (json.entry ?? []).filter(({ search }) => search?.mode === 'match').map(({ resource }) => resource?.id);
};

it.each([
  ['/Patient?_text=heart', ['p']],
  ['/Patient?_content=stone', ['p']],
  ['/Patient?_filter=gender%20eq%20female%20and%20not%20(name%20pr%20false)', ['p']],
  ['/Patient?gender:in=http://hl7.org/fhir/ValueSet/administrative-gender', ['p', 'q']],
  ['/Location?near=52.5%7C13.4%7C10%7Ckm', ['ward']],
])('%s', async (path, expected) => {
  expect(await idsOf(path)).toEqual(expected);
});

it.each([
  ['/Patient?name=%ff', 'percent-encoding'],
  ['/Patient?name=%zz', 'percent-encoding'],
  ['/Patient?_include=Task:patient', '_include=Task:patient'],
  ['/Patient?_revinclude=Task:encounter', '_revinclude=Task:encounter'],
  ['/Patient?_contained=true', '_contained'],
  ['/Patient?_query=mine', '_query'],
  ['/Patient?_filter=name%20xx%20a', 'character'],
  ['/Patient?_text=(a', 'parenthesis'],
  ['/Patient?_list=$current-problems', 'functional list'],
  ['/Patient?general-practitioner:text=a', ':text'],
])('%s is 400 and says why', async (path, word) => {
  const { status, json } = await baton.fhir('GET', path);
  expect([status, json.resourceType]).toEqual([400, 'OperationOutcome']);
  expect(json.issue?.[0]?.details?.text).toContain(word);
});

it('a broken percent-encoding in a form is refused, too', async () => {
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  expect((await baton.fhir('POST', '/Patient/_search', { body: 'name=%ff', headers })).status).toBe(400);
});

it.each([
  `/Patient?_id=${Array.from({ length: 10_000 }, (_, i) => i).join()}`,
  `/Patient?_filter=${Array.from({ length: 500 }, () => 'name%20co%20a').join('%20or%20')}`,
  `/Patient?_filter=${'('.repeat(5_000)}`,
  `/Patient?_text=${'not%20'.repeat(5_000)}a`,
])('what costs too much is refused at once (%#)', async (path) => {
  const { status, json } = await baton.fhir('POST', '/Patient/_search', {
    body: path.slice(path.indexOf('?') + 1),
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
  });
  expect([status, json.issue?.[0]?.code]).toEqual([400, 'too-costly']);
});

it('a next link works once more and only as it was given', async () => {
  const { json } = await baton.fhir('GET', '/Patient?_count=1&_sort=gender');
  const next = json.link?.find(({ relation }) => relation === 'next')?.url.replace(/^.*\/fhir\/R4/, '') ?? '';
  expect(await idsOf(next)).toEqual(['q']);
  const tampered = next.replace(/_cursor=(.)/, (_, first) => `_cursor=${first === 'A' ? 'B' : 'A'}`);
  expect((await baton.fhir('GET', tampered)).status).toBe(400);
  expect((await baton.fhir('GET', next.replace('_sort=gender', '_sort=family'))).status).toBe(400);
  expect((await baton.fhir('GET', next.replace('/Patient', '/Practitioner'))).status).toBe(400);
});

it('a hierarchy is looked through only by tokens that may search it', async () => {
  const as = await baton.token('system/Procedure.rs');
  expect((await baton.fhir('GET', '/Procedure?location:below=ward', { as })).status).toBe(403);
  expect((await baton.fhir('GET', '/Procedure?location=ward', { as })).status).toBe(200);
  expect((await baton.fhir('GET', '/Procedure?_filter=not%20(location.name%20eq%20a)', { as })).status).toBe(403);
  expect((await baton.fhir('GET', '/Procedure?_list=watch', { as })).status).toBe(403);
});

it('more included resources than a page carries are said to be missing', async () => {
  const entry = Array.from({ length: 2_501 }, (_, i) => ({
    resource: {
      resourceType: 'Task',
      status: 'requested',
      intent: 'order',
      for: { reference: 'Patient/q' },
      description: `${i}`,
    },
    request: { method: 'POST', url: 'Task' },
  }));
  for (let round = 0; round < 2; round++) {
    const { status } = await baton.fhir('POST', '', { body: { resourceType: 'Bundle', type: 'batch', entry } });
    expect(status).toBe(200);
  }
  const { json } = await baton.fhir('GET', '/Patient?_id=q&_revinclude=Task:patient');
  const outcome = json.entry?.find(({ search }) => search?.mode === 'outcome')?.resource;
  expect(outcome?.issue?.[0]).toMatchObject({ severity: 'warning', code: 'incomplete' });
  expect(json.entry?.filter(({ search }) => search?.mode === 'include')).toHaveLength(5_000);
});

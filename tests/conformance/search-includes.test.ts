// 23 to 26. _include and _revinclude. https://hl7.org/fhir/R4/search.html#revinclude
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { type Asked, ask, idsOf, refused } from './asked.ts';

let asked: Asked;

const task = (id: string, patient: string, more: object = {}) => ({
  resourceType: 'Task',
  id,
  status: 'requested',
  intent: 'order',
  for: { reference: patient },
  ...more,
});
const plan = (id: string, patient: string, more: object = {}) => ({
  resourceType: 'CarePlan',
  id,
  status: 'active',
  intent: 'plan',
  subject: { reference: patient },
  ...more,
});

beforeAll(async () => {
  asked = await ask(
    { resourceType: 'Organization', id: 'org', name: 'North', partOf: { reference: 'Organization/top' } },
    { resourceType: 'Organization', id: 'top', name: 'Top' },
    { resourceType: 'Patient', id: '1', managingOrganization: { reference: 'Organization/org' } },
    { resourceType: 'Patient', id: '2', gender: 'female' },
    { resourceType: 'Patient', id: 'gone' },
    { resourceType: 'Group', id: 'g', type: 'person', actual: true },
    task('a', 'Patient/1', { owner: { reference: 'Organization/org' } }),
    task('b', 'Patient/1'),
    task('c', 'Patient/2', { partOf: [{ reference: 'Task/a' }] }),
    task('d', 'Group/g', { status: 'completed' }),
    task('self', 'Patient/2', { status: 'draft', partOf: [{ reference: 'Task/self' }] }),
    task('left', 'Patient/gone', { status: 'failed' }),
    task('lost', 'Patient/never-was', { status: 'failed' }),
    task('foreign', 'https://elsewhere.example/fhir/Patient/1', { status: 'failed' }),
    plan('one', 'Patient/1', { partOf: [{ reference: 'CarePlan/two' }] }),
    plan('two', 'Patient/1', { partOf: [{ reference: 'CarePlan/three' }] }),
    plan('three', 'Patient/2', { partOf: [{ reference: 'CarePlan/one' }] }),
    { resourceType: 'Questionnaire', id: 'q', status: 'active', url: 'http://forms.example/lace', version: '2' },
    {
      resourceType: 'QuestionnaireResponse',
      id: 'r',
      status: 'completed',
      questionnaire: 'http://forms.example/lace|2',
    },
  );
  await asked.baton.fhir('DELETE', '/Patient/gone');
});
afterAll(() => asked.close());

const rule = (title: string, rows: readonly [string, string[]][]) =>
  describe(title, () => {
    test.each(rows)('%s', async (url, expected) => {
      expect(await asked.included(url)).toEqual(expected);
    });
  });

rule('23. what the matches refer to, or what refers to them, once', [
  ['Task?_id=a&_include=Task:patient', ['Patient/1']],
  ['Task?_id=a,b&_include=Task:patient', ['Patient/1']],
  ['Task?_id=a&_include=Task:patient&_include=Task:owner', ['Organization/org', 'Patient/1']],
  ['Task?_id=a,c&_include=Task:part-of', []],
  ['Task?_id=a&_include=Task:*', ['Organization/org', 'Patient/1']],
  ['Task?_id=a&_include=*', ['Organization/org', 'Patient/1']],
  ['Patient?_id=2&_revinclude=Task:patient', ['Task/c', 'Task/self']],
  ['Patient?_id=2&_revinclude=Task:*', ['Task/c', 'Task/self']],
  ['Organization?_id=org&_revinclude=*', ['Patient/1', 'Task/a']],
  ['QuestionnaireResponse?_include=QuestionnaireResponse:questionnaire', ['Questionnaire/q']],
  ['Questionnaire?_revinclude=QuestionnaireResponse:questionnaire', ['QuestionnaireResponse/r']],
]);

describe('23. each page', () => {
  it('holds what its own matches include; _count and total are of matches', async () => {
    const pages = await asked.pages('Task?status=requested&_sort=_id&_count=1&_include=Task:patient&_total=accurate');
    expect(pages.map((page) => [page.json.total, idsOf(page), idsOf(page, 'include')])).toEqual([
      [3, ['a'], ['1']],
      [3, ['b'], ['1']],
      [3, ['c'], ['2']],
    ]);
    expect(pages[0]?.json.entry?.map(({ search }) => search?.mode)).toEqual(['match', 'include']);
  });
});

rule('24. :iterate goes on from what was included, in any order of the parameters, and ends', [
  ['Task?_id=a&_include=Task:patient&_include:iterate=Patient:organization', ['Organization/org', 'Patient/1']],
  ['Task?_id=a&_include:iterate=Patient:organization&_include=Task:patient', ['Organization/org', 'Patient/1']],
  [
    'Task?_id=b&_include=Task:patient&_include:iterate=Patient:organization&_include:iterate=Organization:partof',
    ['Organization/org', 'Organization/top', 'Patient/1'],
  ],
  ['Task?_id=self&_include:iterate=Task:part-of', []],
  ['CarePlan?_id=one&_include=CarePlan:part-of', ['CarePlan/two']],
  ['CarePlan?_id=one&_include:iterate=CarePlan:part-of', ['CarePlan/three', 'CarePlan/two']],
  ['CarePlan?_id=one&_revinclude:iterate=CarePlan:part-of', ['CarePlan/three', 'CarePlan/two']],
  [
    'Organization?_id=top&_revinclude:iterate=Organization:partof&_revinclude:iterate=Patient:organization' +
      '&_revinclude:iterate=Task:patient',
    ['Organization/org', 'Patient/1', 'Task/a', 'Task/b'],
  ],
]);

rule('25. a type narrows it, and what cannot be had is left out', [
  ['Task?_id=a,d&_include=Task:subject:Group', ['Group/g']],
  ['Task?_id=a,d&_include=Task:subject:Patient', ['Patient/1']],
  ['Task?_id=a,d&_include=Task:subject', ['Group/g', 'Patient/1']],
  ['Task?status=failed&_include=Task:patient', []],
  ['Task?_id=none&_include=Task:patient&_total=none', []],
  ['Task?_id=none&_revinclude=Task:part-of&_total=none', []],
]);

describe('25. an include that is none', () => {
  it.each([
    'Task?_include=Task:nonsense',
    'Task?_include=Nonsense:patient',
    'Task?_include=Task:status',
    'Task?_include=Task',
    'Task?_include=Task:subject:Nonsense',
    'Task?_include=',
    'Task?_include:nonsense=Task:patient',
    'Task?_include=Task:*:Nonsense',
    'Patient?_revinclude=Task:owner:Practitioner',
    // Without :iterate it starts at the matches, and none of them is a Patient.
    'Task?_include=Task:patient&_include=Patient:organization',
  ])('%s is refused', async (url) => {
    await refused(asked.baton, url);
  });
});

describe('26. many that refer to one', () => {
  it('come back whole', async () => {
    await asked.put({ resourceType: 'Patient', id: 'crowd' });
    await asked.put(...Array.from({ length: 2_001 }, (_, index) => task(`crowd-${index}`, 'Patient/crowd')));
    const answer = await asked.baton.fhir('GET', '/Patient?_id=crowd&_revinclude=Task:patient');
    expect(new Set(idsOf(answer, 'include')).size).toBe(2_001);
    expect(idsOf(answer, 'outcome')).toEqual([]);
  });

  it('beyond what a page carries are said to be missing', async () => {
    await asked.put(...Array.from({ length: 3_000 }, (_, index) => task(`more-${index}`, 'Patient/crowd')));
    const { json } = await asked.baton.fhir('GET', '/Patient?_id=crowd&_revinclude=Task:patient');
    const outcome = json.entry?.find(({ search }) => search?.mode === 'outcome')?.resource;
    expect(outcome?.issue?.[0]).toMatchObject({ severity: 'warning', code: 'incomplete' });
  });
});

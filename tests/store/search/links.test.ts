// References, chains, _has, includes and compartments. https://hl7.org/fhir/R4/search.html#reference
import type { Resource, Task } from '@medplum/fhirtypes';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { TEST_BASE_URL } from '../../support/store-rules.ts';
import { openSearchWorld, type SearchWorld } from './search-world.ts';

let world: SearchWorld;

const task = (id: string, patient: string, more: Partial<Task> = {}): Task => ({
  resourceType: 'Task',
  id,
  status: 'requested',
  intent: 'order',
  for: { reference: patient },
  ...more,
});

const resources: Resource[] = [
  { resourceType: 'Organization', id: 'org', name: 'North Clinic' },
  {
    resourceType: 'Patient',
    id: '1',
    name: [{ family: 'Stone' }],
    managingOrganization: { reference: 'Organization/org' },
  },
  { resourceType: 'Patient', id: '2', name: [{ family: 'Wood' }], gender: 'female' },
  { resourceType: 'Group', id: '1', type: 'person', actual: true },
  task('plain', 'Patient/1', { owner: { reference: 'Organization/org' }, priority: 'urgent' }),
  task('absolute', `${TEST_BASE_URL}/Patient/1`),
  task('versioned', 'Patient/1/_history/4', { status: 'completed' }),
  task('foreign', 'https://elsewhere.test/fhir/Patient/1'),
  task('group', 'Group/1'),
  task('other', 'Patient/2', { partOf: [{ reference: 'Task/plain' }] }),
  task('self', 'Patient/2', { partOf: [{ reference: 'Task/self' }] }),
  task('dangling', 'Patient/none'),
  { ...task('logical', ''), for: { type: 'Patient', identifier: { system: 'urn:mrn', value: '77' } } },
  {
    resourceType: 'CarePlan',
    id: 'plan',
    status: 'active',
    intent: 'plan',
    subject: { reference: 'Patient/1' },
    partOf: [{ reference: 'CarePlan/parent' }],
    activity: [{ reference: { reference: 'Task/plain' } }],
  },
  {
    resourceType: 'CarePlan',
    id: 'parent',
    status: 'active',
    intent: 'plan',
    subject: { reference: 'Patient/2' },
    partOf: [{ reference: 'CarePlan/plan' }],
  },
  { resourceType: 'Questionnaire', id: 'q', status: 'active', url: 'http://q.test/lace' },
  { resourceType: 'QuestionnaireResponse', id: 'r', status: 'completed', questionnaire: 'http://q.test/lace|2' },
];

beforeAll(async () => {
  world = await openSearchWorld();
  await world.put(...resources);
});
afterAll(() => world.cleanup());

const ONE = ['absolute', 'plain', 'versioned'];
test.each([
  ['subject=Patient/1', ONE],
  ['subject:Patient=1', ONE],
  ['subject:Patient=Patient/1', ONE],
  ['patient=1', ONE],
  ['patient=Patient/1', ONE],
  [`patient=${TEST_BASE_URL}/Patient/1`, ONE],
  ['patient=Patient/1/_history/9', ONE],
  ['patient=https://elsewhere.test/fhir/Patient/1', ['foreign']],
  ['subject=1', ['absolute', 'group', 'plain', 'versioned']],
  ['patient=1,2', ['absolute', 'other', 'plain', 'self', 'versioned']],
  ['subject:identifier=urn:mrn|77', ['logical']],
  ['patient:identifier=77', ['logical']],
  ['subject:missing=true', []],
  ['part-of:missing=false', ['other', 'self']],
  ['patient=Patient/unknown', []],
])('Task?%s', async (query, expected) => {
  expect(await world.found(`Task?${query}`)).toEqual(expected);
});

test.each([
  ['Task?patient:Patient.family=stone', ONE],
  ['Task?patient.family=stone,wood', [...ONE, 'other', 'self'].sort()],
  ['Task?patient.organization.name=north', ONE],
  ['Task?patient.organization:Organization.name=south', []],
  ['Task?patient.family=stone&patient.family=wood', []],
  ['Task?patient._id=2', ['other', 'self']],
  ['Task?patient.gender:not=male&status=requested', ['absolute', 'other', 'plain', 'self']],
  ['Task?patient.family=nobody', []],
  ['Task?part-of.patient.family=stone', ['other']],
  ['Patient?_has:Task:patient:status=completed', ['1']],
  ['Patient?_has:Task:patient:status=requested', ['1', '2']],
  ['Patient?_has:Task:patient:status:not=completed', ['1', '2']],
  ['Patient?_has:Task:patient:_has:CarePlan:activity-reference:status=active', ['1']],
  ['Patient?_has:Task:patient:owner.name=north', ['1']],
  ['Patient?_has:Task:patient:status=completed&family=wood', []],
  ['Task?patient._has:CarePlan:patient:status=active&priority=urgent', ['plain']],
])('%s', async (url, expected) => {
  expect(await world.found(url)).toEqual(expected);
});

test('deleted referrers and targets do not count', async () => {
  await world.put(task('brief', 'Patient/2', { status: 'failed' }));
  expect(await world.found('Patient?_has:Task:patient:status=failed')).toEqual(['2']);
  await world.remove('Task', 'brief');
  expect(await world.found('Patient?_has:Task:patient:status=failed')).toEqual([]);
  await world.put({ resourceType: 'Patient', id: '3', name: [{ family: 'Clay' }] }, task('left', 'Patient/3'));
  expect(await world.found('Task?patient.family=clay')).toEqual(['left']);
  await world.remove('Patient', '3');
  expect(await world.found('Task?patient.family=clay')).toEqual([]);
  expect(await world.included('Task?_id=left&_include=Task:patient')).toEqual([]);
  await world.remove('Task', 'left');
});

test.each([
  ['Task?_id=plain&_include=Task:patient', ['Patient/1']],
  ['Task?_id=plain,absolute,versioned&_include=Task:patient', ['Patient/1']],
  ['Task?_id=group&_include=Task:subject:Patient', []],
  ['Task?_id=group&_include=Task:subject:Group', ['Group/1']],
  ['Task?_id=dangling,foreign,logical&_include=Task:patient', []],
  ['Task?_id=plain&_include=Task:*', ['Organization/org', 'Patient/1']],
  ['Task?_id=plain&_include=*', ['Organization/org', 'Patient/1']],
  ['Task?_id=plain&_include:iterate=Patient:organization&_include=Task:patient', ['Organization/org', 'Patient/1']],
  ['Task?_id=other,plain&_include=Task:part-of', []],
  ['Task?_id=self&_include:iterate=Task:part-of', []],
  ['CarePlan?_id=plan&_include:iterate=CarePlan:part-of', ['CarePlan/parent']],
  ['Patient?_id=2&_revinclude=Task:patient', ['Task/other', 'Task/self']],
  [
    'Patient?_id=1&_revinclude=Task:patient&_revinclude:iterate=CarePlan:activity-reference',
    ['CarePlan/plan', 'Task/absolute', 'Task/plain', 'Task/versioned'],
  ],
  ['Organization?_id=org&_revinclude=*', ['Patient/1', 'Task/plain']],
  ['QuestionnaireResponse?_include=QuestionnaireResponse:questionnaire', ['Questionnaire/q']],
  ['Questionnaire?_revinclude=QuestionnaireResponse:questionnaire', ['QuestionnaireResponse/r']],
  ['Task?_id=nothing&_include=Task:patient&_total=none', []],
])('%s includes %j', async (url, expected) => {
  expect(await world.included(url)).toEqual(expected);
});

test('a page includes for its own matches only; count and total are of matches', async () => {
  const page = await world.search('Task?patient=1,2&_sort=_id&_count=3&_include=Task:patient&_total=accurate');
  expect(page.items.map((item) => item.id)).toEqual(['absolute', 'other', 'plain']);
  expect(page.included.map((item) => item.id).sort()).toEqual(['1', '2']);
  expect(page.total).toBe(5);
  const next = await world.search('Task?patient=1,2&_sort=_id&_count=3&_include=Task:patient', {
    cursor: page.next ?? '',
  });
  expect(next.items.map((item) => item.id)).toEqual(['self', 'versioned']);
  expect(next.included.map((item) => item.id).sort()).toEqual(['1', '2']);
});

test('a compartment holds what refers to its patient, and the patient', async () => {
  const within = async (url: string, id: string) => {
    const { items } = await world.search(url, { compartment: { type: 'Patient', id } });
    return items.map((item) => item.id).sort();
  };
  expect(await within('CarePlan', '1')).toEqual(['plan']);
  expect(await within('Patient', '1')).toEqual(['1']);
  expect(await within('CarePlan?status=draft', '1')).toEqual([]);
  expect(await within('CarePlan?_sort=-_lastUpdated', '2')).toEqual(['parent']);
  expect(await within('Organization', '1')).toEqual([]);
  expect(await within('Patient?_id=2', '1')).toEqual([]);
});

test('more included resources than a page may carry are cut, and the client is told', async () => {
  const crowd = Array.from({ length: 5001 }, (_, i) => task(`crowd-${i}`, 'Patient/crowded'));
  await world.put({ resourceType: 'Patient', id: 'crowded' }, ...crowd.slice(0, 2500));
  const { included, warnings } = await world.search('Patient?_id=crowded&_revinclude=Task:patient');
  expect(included).toHaveLength(2500);
  expect(warnings).toBeUndefined();
  await world.put(...crowd.slice(2500));
  const cut = await world.search('Patient?_id=crowded&_revinclude=Task:patient');
  expect(cut.included).toHaveLength(5000);
  expect(cut.warnings?.[0]).toContain('5000');
});

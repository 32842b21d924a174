// 21 and 22. Chains and reverse chains. https://hl7.org/fhir/R4/search.html#chaining
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

beforeAll(async () => {
  asked = await ask(
    { resourceType: 'Organization', id: 'north', name: 'North Clinic', partOf: { reference: 'Organization/group' } },
    { resourceType: 'Organization', id: 'group', name: 'Care Group' },
    {
      resourceType: 'Patient',
      id: 'stone',
      name: [{ family: 'Stone' }],
      gender: 'male',
      managingOrganization: { reference: 'Organization/north' },
      link: [
        { other: { reference: 'Patient/wood' }, type: 'seealso' },
        { other: { reference: 'Patient/clay' }, type: 'seealso' },
      ],
    },
    { resourceType: 'Patient', id: 'wood', name: [{ family: 'Wood' }], gender: 'female' },
    { resourceType: 'Patient', id: 'clay', name: [{ family: 'Clay' }], gender: 'male' },
    task('a', 'Patient/stone', { owner: { reference: 'Organization/north' } }),
    task('b', 'Patient/stone', { status: 'completed' }),
    task('c', 'Patient/wood', { partOf: [{ reference: 'Task/a' }] }),
    task('lost', 'Patient/never-was'),
    {
      resourceType: 'CarePlan',
      id: 'plan',
      status: 'active',
      intent: 'plan',
      subject: { reference: 'Patient/stone' },
      activity: [{ reference: { reference: 'Task/a' } }],
    },
  );
});
afterAll(() => asked.close());

const rule = (title: string, rows: readonly [string, string[]][]) =>
  describe(title, () => {
    test.each(rows)('%s', async (url, expected) => {
      expect(await asked.found(url)).toEqual(expected);
    });
  });

rule('21. a chain', [
  ['Task?patient:Patient.family=stone', ['a', 'b']],
  ['Task?patient.family=stone', ['a', 'b']],
  ['Task?subject:Patient.family=stone', ['a', 'b']],
  ['Task?patient.family=stone,wood', ['a', 'b', 'c']],
  ['Task?patient.organization.name=north', ['a', 'b']],
  ['Task?patient.organization:Organization.name=north', ['a', 'b']],
  ['Task?patient.organization.partof.name=care', ['a', 'b']],
  ['Task?part-of.patient.organization.partof.name=care', ['c']],
  ['Task?part-of.patient.family=stone', ['c']],
  ['Task?patient._id=wood', ['c']],
  ['Task?patient.gender:not=male', ['c']],
  ['Task?patient.family:exact=Stone&status=completed', ['b']],
]);

rule('21. two chains are met independently', [
  ['Task?patient.family=stone&patient.gender=male', ['a', 'b']],
  ['Task?patient.family=stone&patient.gender=female', []],
  ['Patient?link.family=wood&link.gender=male', ['stone']],
  ['Patient?link.family=wood&link.family=clay', ['stone']],
]);

rule('21. a chain that leads nowhere finds nothing', [
  ['Task?patient.family=nobody', []],
  ['Task?patient.organization.name=south', []],
  ['Task?owner:Practitioner.family=stone', []],
  ['Task?patient.link.family=nobody', []],
]);

describe('21. a broken chain', () => {
  it.each([
    'Task?patient.nonsense=x',
    'Task?patient.family.given=x',
    'Task?status.family=x',
    'Task?nonsense.family=x',
    'Task?patient:Practitioner.family=x',
    'Task?patient.=x',
    'Task?.family=x',
    'Task?patient..family=x',
    'Task?patient:Nonsense.family=x',
    'Task?patient.organization:Patient.name=x',
  ])('%s is refused, and never finds everything', async (url) => {
    await refused(asked.baton, url);
  });
});

rule('22. _has', [
  ['Patient?_has:Task:patient:status=requested', ['stone', 'wood']],
  ['Patient?_has:Task:patient:status=completed', ['stone']],
  ['Patient?_has:Task:patient:status:not=completed', ['stone', 'wood']],
  ['Patient?_has:Task:patient:status=completed&family=wood', []],
  ['Patient?_has:Task:patient:status=completed&_has:Task:patient:status=requested', ['stone']],
  ['Patient?_has:Task:patient:_has:CarePlan:activity-reference:status=active', ['stone']],
  ['Patient?_has:Task:patient:_has:CarePlan:activity-reference:status=draft', []],
  ['Patient?_has:Task:patient:owner.name=north', ['stone']],
  ['Task?patient._has:CarePlan:patient:status=active', ['a', 'b']],
  ['Task?patient._has:CarePlan:patient:status=active&status=completed', ['b']],
  ['Organization?_has:Patient:organization:_has:Task:patient:status=completed', ['north']],
]);

describe('22. _has', () => {
  it('does not count what was deleted', async () => {
    await asked.put(task('brief', 'Patient/clay', { status: 'failed' }));
    expect(await asked.found('Patient?_has:Task:patient:status=failed')).toEqual(['clay']);
    await asked.baton.fhir('DELETE', '/Task/brief');
    expect(await asked.found('Patient?_has:Task:patient:status=failed')).toEqual([]);
  });

  it('with a chain, an order and pages has each match once', async () => {
    const url = 'Patient?_has:Task:patient:status=requested,completed&_sort=-family';
    expect(await asked.ids(url)).toEqual(['wood', 'stone']);
    const pages = await asked.pages(`${url}&_count=1`);
    expect(pages.map((page) => idsOf(page))).toEqual([['wood'], ['stone']]);
    const chained = await asked.pages(
      'Task?patient._has:CarePlan:patient:status=active&patient.family=stone&_sort=-_id&_count=1',
    );
    expect(chained.map((page) => idsOf(page))).toEqual([['b'], ['a']]);
  });

  it.each([
    'Patient?_has:Task:patient=x',
    'Patient?_has:Task:nonsense:status=x',
    'Patient?_has:Task:patient:nonsense=x',
    'Patient?_has:Task:owner:status=requested&_has:Task=x',
    'Patient?_has:Nonsense:patient:status=x',
    'Patient?_has=x',
    'Organization?_has:Task:patient:status=requested',
  ])('%s is refused', async (url) => {
    await refused(asked.baton, url);
  });
});

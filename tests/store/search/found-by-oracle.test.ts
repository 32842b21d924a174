// Defects that the random-query oracle (npm run oracle) found, each with the smallest search that showed it.
import type { Resource } from '@medplum/fhirtypes';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openSearchWorld, type SearchWorld } from './search-world.ts';

let world: SearchWorld;
beforeAll(async () => {
  world = await openSearchWorld();
});
afterAll(() => world.cleanup());

/** Resources as the oracle makes them: with nothing but what the search looks at. */
const put = (...resources: object[]) => world.put(...(resources as Resource[]));

test('letters with two lower cases, and ß, are found in any case', async () => {
  await put(
    { resourceType: 'Measure', id: 'greek', name: 'οδοσα' },
    { resourceType: 'Measure', id: 'sharp', name: 'STRASSE' },
  );
  expect(await world.found('Measure?name=ΟΔΟΣ')).toEqual(['greek']);
  expect(await world.found('Measure?name:contains=straße')).toEqual(['sharp']);
});

test('a value with nothing to compare with is not missing', async () => {
  await put(
    {
      resourceType: 'Observation',
      id: 'unit-only',
      valueQuantity: { unit: 'mg' },
      effectiveTiming: { code: { text: 'x' } },
    },
    { resourceType: 'Observation', id: 'none' },
  );
  expect(await world.found('Observation?value-quantity:missing=true')).toEqual(['none']);
  expect(await world.found('Observation?value-quantity:missing=false')).toEqual(['unit-only']);
  expect(await world.found('Observation?date:missing=true')).toEqual(['none']);
});

test('a range whose limits have no number matches nothing', async () => {
  await put({ resourceType: 'ValueSet', id: 'open', useContext: [{ code: {}, valueRange: { low: { code: 'mg' } } }] });
  expect(await world.found('ValueSet?context-quantity=lt5')).toEqual([]);
});

test('less than 5 is not 5 and not more', async () => {
  const length = (comparator: string) => ({ value: 5, comparator });
  await put(
    { resourceType: 'Encounter', id: 'less', length: length('<') },
    { resourceType: 'Encounter', id: 'most', length: length('<=') },
    { resourceType: 'Encounter', id: 'more', length: length('>') },
  );
  expect(await world.found('Encounter?length=ge5')).toEqual(['more', 'most']);
  expect(await world.found('Encounter?length=le5')).toEqual(['less', 'most']);
});

test('an identifier without value is found by the text of its type', async () => {
  await put({
    resourceType: 'Practitioner',
    id: 'typed',
    identifier: [{ system: 'urn:s', type: { text: 'Licence' } }],
  });
  expect(await world.found('Practitioner?identifier:text=licence')).toEqual(['typed']);
});

test.each(['', '-'])('references without a target are last, sorted by %sparent', async (direction) => {
  await put(
    { resourceType: 'Specimen', id: 'display', parent: [{ display: 'somebody' }] },
    { resourceType: 'Specimen', id: 'target', parent: [{ reference: 'Specimen/r0' }] },
  );
  expect(await world.ids(`Specimen?_sort=${direction}parent`)).toEqual(['target', 'display']);
  expect(await world.ids(`Specimen?_sort=${direction}parent,_id&_id=display,target`)).toEqual(['target', 'display']);
});

test('bare ids and URLs in one list are both found', async () => {
  await put({ resourceType: 'RequestGroup', id: 'group', instantiatesCanonical: ['http://u.test/plan|1'] });
  expect(await world.found('RequestGroup?instantiates-canonical=r0,http://u.test/plan')).toEqual(['group']);
});

test('a code is found with the system of its value set, whatever that is called', async () => {
  await put({ resourceType: 'MedicationRequest', id: 'active', status: 'active', intent: 'order' });
  const system = 'http://hl7.org/fhir/CodeSystem/medicationrequest-status';
  expect(await world.found(`MedicationRequest?status=${system}|active`)).toEqual(['active']);
  expect(await world.found('MedicationRequest?status=urn:other|active')).toEqual([]);
});

test('text in the place of a date is no date', async () => {
  await put({ resourceType: 'CarePlan', id: 'text', activity: [{ detail: { scheduledString: '2024' } }] });
  expect(await world.found('CarePlan?activity-date=2024')).toEqual([]);
  expect(await world.found('CarePlan?activity-date:missing=false')).toEqual(['text']);
});

test('the unit of a measured characteristic is not its code', async () => {
  const code = { coding: [{ system: 'urn:s', code: 'c' }] };
  await put({
    resourceType: 'Group',
    id: 'g',
    characteristic: [{ code, valueQuantity: { value: 5, system: 'urn:u', code: 'mg' } }],
  });
  expect(await world.found('Group?characteristic-value=c$urn:u|')).toEqual([]);
});

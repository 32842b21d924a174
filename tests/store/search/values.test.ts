// Tokens, strings, quantities, uris and composites. https://hl7.org/fhir/R4/search.html#token
import type { Observation, Patient, Resource } from '@medplum/fhirtypes';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openSearchWorld, type SearchWorld } from './search-world.ts';

let world: SearchWorld;

const LOINC = 'http://loinc.org';
const UCUM = 'http://unitsofmeasure.org';
const patient = (id: string, more: Partial<Patient>): Patient => ({ resourceType: 'Patient', id, ...more });
const coded = (code: string, display?: string) => ({
  coding: [{ system: LOINC, code, ...(display ? { display } : {}) }],
});
const measured = (id: string, value: number, unit?: string): Observation => ({
  resourceType: 'Observation',
  id,
  status: 'final',
  code: coded('4548-4', 'Haemoglobin A1c'),
  valueQuantity: { value, ...(unit ? { unit, system: UCUM, code: unit } : {}) },
});
const pressure = (id: string, systolic: number, diastolic: number): Observation => ({
  resourceType: 'Observation',
  id,
  status: 'final',
  code: coded('85354-9'),
  component: [
    { code: coded('8480-6'), valueQuantity: { value: systolic } },
    { code: coded('8462-4'), valueQuantity: { value: diastolic } },
  ],
});

const resources: Resource[] = [
  patient('bare', { identifier: [{ value: '123' }], name: [{ family: 'Berg', given: ['Ann Marie'] }] }),
  patient('sys', {
    identifier: [
      { system: 'urn:sys', value: '123', type: { text: 'Medical record', coding: [{ system: 'urn:t', code: 'MR' }] } },
      { system: 'urn:other', value: '123' },
    ],
    name: [{ family: 'Müller', given: ['Ben'] }, { text: 'The Boss' }],
    address: [{ line: ['100% Main_St'], city: 'Köln' }],
    gender: 'male',
  }),
  patient('none', { name: [{ family: 'a,b', given: ['c|d'] }], meta: { profile: ['http://p.test/us/patient|6.1.0'] } }),
  measured('five', 5.4, 'mmol/L'),
  measured('close', 5.44, 'mmol/L'),
  measured('far', 5.46),
  pressure('high', 150, 70),
  pressure('swapped', 70, 150),
  { ...measured('text', 1), code: { text: 'Walking distance' } },
  {
    resourceType: 'Observation',
    id: 'both',
    status: 'amended',
    code: { coding: [...coded('1-8').coding, ...coded('2-6').coding] },
  },
];

beforeAll(async () => {
  world = await openSearchWorld();
  await world.put(...resources);
});
afterAll(() => world.cleanup());

test.each([
  ['Patient?identifier=|123', ['bare']],
  ['Patient?identifier=urn:sys|', ['sys']],
  ['Patient?identifier=123', ['bare', 'sys']],
  ['Patient?identifier=urn:sys|123', ['sys']],
  ['Patient?identifier=urn:sys|12', []],
  ['Patient?identifier=URN:SYS|123', []],
  ['Patient?identifier:of-type=urn:t|MR|123', ['sys']],
  ['Patient?identifier:of-type=urn:t|MR|124', []],
  ['Patient?identifier:text=medical', ['sys']],
  ['Patient?identifier:not=urn:sys|123', ['bare', 'none']],
  ['Patient?identifier:missing=true', ['none']],
  ['Patient?identifier:missing=false&gender:missing=true', ['bare']],
  ['Patient?gender:not=female', ['bare', 'none', 'sys']],
  ['Patient?gender=http://hl7.org/fhir/administrative-gender|male', ['sys']],
  ['Patient?gender=urn:wrong|male', []],
  ['Observation?code:not=1-8,4548-4', ['high', 'swapped', 'text']],
  ['Observation?code:not=2-6', ['close', 'far', 'five', 'high', 'swapped', 'text']],
  ['Observation?code:text=haemo', ['close', 'far', 'five']],
  ['Observation?code:text=walking', ['text']],
  ['Observation?code:missing=false&_id=text', ['text']],
  ['Observation?status=final,amended&code=1-8&code=2-6', ['both']],
])('token %s', async (url, expected) => {
  expect(await world.found(url)).toEqual(expected);
});

test.each([
  ['name=mul', ['sys']],
  ['name=MÜL', ['sys']],
  ['name=uller', []],
  ['name:contains=ULLER', ['sys']],
  ['name:exact=Müller', ['sys']],
  ['name:exact=müller', []],
  ['name:exact=Mül', []],
  ['name=ann%20mar', ['bare']],
  ['name=the', ['sys']],
  ['name=mül,ber', ['bare', 'sys']],
  ['name=mül&name=ben', ['sys']],
  ['name=mül&name=ann', []],
  ['name=a%5C,b', ['none']],
  ['name=a,b', ['bare', 'none', 'sys']],
  ['name:exact=c%5C%7Cd', ['none']],
  ['address:contains=0%25 main_', ['sys']],
  ['address:contains=0_ main', []],
  ['address-city=koln', ['sys']],
  ['family=nobody', []],
])('string Patient?%s', async (query, expected) => {
  expect(await world.found(`Patient?${query}`)).toEqual(expected);
});

test.each([
  ['5.4', ['close', 'five']],
  ['5.40', ['five']],
  [`5.4|${UCUM}|mmol/L`, ['close', 'five']],
  ['5.4||mmol/L', ['close', 'five']],
  ['5.5||mmol/L', []],
  ['gt5.4', ['close', 'far']],
  ['ge5.4', ['close', 'far', 'five']],
  ['lt5.44', ['five', 'text']],
  ['le5.44', ['close', 'five', 'text']],
  ['sa5.44', ['far']],
  ['eb5.4', ['text']],
  ['ne5.4', ['far', 'text']],
  ['ne5.4||mmol/L', []],
  ['ap5', ['close', 'far', 'five']],
  ['le99999', ['close', 'far', 'five', 'text']],
])('quantity value-quantity=%s', async (value, expected) => {
  expect(await world.found(`Observation?value-quantity=${value}`)).toEqual(expected);
});

test('a composite holds within one repetition', async () => {
  const query = `Observation?component-code-value-quantity=${LOINC}|8480-6$gt140`;
  expect(await world.found(query)).toEqual(['high']);
  expect(await world.found(`${query},8462-4$gt140`)).toEqual(['high', 'swapped']);
  expect(await world.found('Observation?code-value-quantity=4548-4$lt5.44&status=final')).toEqual(['five']);
  expect(await world.found('Observation?component-code-value-quantity:missing=false')).toEqual(['high', 'swapped']);
});

test('a uri is found whole, above and below; a canonical without its version too', async () => {
  expect(await world.found('Patient?_profile=http://p.test/us/patient')).toEqual(['none']);
  expect(await world.found('Patient?_profile=http://p.test/us/patient|6.1.0')).toEqual(['none']);
  expect(await world.found('Patient?_profile=http://p.test/us/patient|7')).toEqual([]);
  expect(await world.found('Patient?_profile:below=http://p.test/us')).toEqual(['none']);
  expect(await world.found('Patient?_profile:below=http://p.test/u')).toEqual([]);
  expect(await world.found('Patient?_profile:above=http://p.test/us/patient/child')).toEqual(['none']);
});

test('what is not there is an empty page, and what was deleted is not there', async () => {
  expect(await world.search('Patient?name=zzz')).toEqual({ items: [], included: [], total: 0 });
  await world.put(patient('gone', { gender: 'other' }));
  expect(await world.found('Patient?gender=other')).toEqual(['gone']);
  await world.remove('Patient', 'gone');
  expect(await world.found('Patient?gender=other')).toEqual([]);
  expect(await world.found('Patient?gender:not=male')).toEqual(['bare', 'none']);
  await world.put(patient('gone', { gender: 'female' }));
  expect(await world.found('Patient?gender=female,other')).toEqual(['gone']);
  await world.remove('Patient', 'gone');
});

test('the same value twice in a resource finds it once', async () => {
  const twice = { system: 'urn:twice', value: '1' };
  await world.put(
    patient('twice', { gender: 'unknown', identifier: [twice, twice], name: [{ family: 'X', text: 'X' }] }),
  );
  expect(await world.ids('Patient?identifier=urn:twice|1')).toEqual(['twice']);
  expect(await world.ids('Patient?name=x&gender=unknown')).toEqual(['twice']);
  await world.remove('Patient', 'twice');
});

test('long lists of alternatives are answered', async () => {
  const many = Array.from({ length: 1999 }, (_, i) => `urn:s${i}|${i}`).join(',');
  expect(await world.found(`Patient?identifier=${many},urn:sys|123`)).toEqual(['sys']);
  const names = Array.from({ length: 199 }, (_, i) => `x${i}`).join(',');
  expect(await world.found(`Patient?name=${names},mül`)).toEqual(['sys']);
  expect(await world.found(`Observation?value-quantity=${names.replaceAll('x', '9')},5.46`)).toEqual(['far']);
});

// `_filter`: the examples of the specification and every operator. https://hl7.org/fhir/R4/search_filter.html
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Fault } from '../../../src/fault.ts';
import { openSearchWorld, type SearchWorld } from './search-world.ts';

let world: SearchWorld;

beforeAll(async () => {
  world = await openSearchWorld();
  await world.put(
    {
      resourceType: 'Patient',
      id: 'peter',
      name: [{ family: 'Chalmers', given: ['Peter', 'James'] }],
      birthDate: '2014-10-12',
      gender: 'male',
    },
    {
      resourceType: 'Patient',
      id: 'petra',
      name: [{ family: 'Petrov', given: ['Petra'] }],
      birthDate: '1980',
      gender: 'female',
    },
    { resourceType: 'Patient', id: 'nobody' },
    {
      resourceType: 'Observation',
      id: 'potassium',
      status: 'final',
      code: { coding: [{ system: 'http://loinc.org', code: '2823-3' }] },
      subject: { reference: 'Patient/peter' },
      effectivePeriod: { start: '2020-01-01', end: '2020-01-31' },
      valueQuantity: { value: 6.3, system: 'http://unitsofmeasure.org', code: 'mmol/L' },
    },
    {
      resourceType: 'Observation',
      id: 'sodium',
      status: 'amended',
      code: { coding: [{ system: 'http://loinc.org', code: '2951-2' }] },
      subject: { reference: 'Patient/petra' },
      effectiveDateTime: '2021-06-15',
    },
    {
      resourceType: 'RiskAssessment',
      id: 'low',
      status: 'final',
      subject: { reference: 'Patient/peter' },
      prediction: [{ probabilityDecimal: 0.2 }],
    },
    {
      resourceType: 'RiskAssessment',
      id: 'range',
      status: 'final',
      subject: { reference: 'Patient/petra' },
      prediction: [{ probabilityRange: { low: { value: 0.4 }, high: { value: 0.8 } } }],
    },
    { resourceType: 'DocumentReference', id: 'old', status: 'superseded', content: [{ attachment: {} }] },
    {
      resourceType: 'DocumentReference',
      id: 'new',
      status: 'current',
      content: [{ attachment: {} }],
      relatesTo: [
        { code: 'replaces', target: { reference: 'DocumentReference/old' } },
        { code: 'appends', target: { reference: 'DocumentReference/other' } },
      ],
    },
    { resourceType: 'ValueSet', id: 'vs', status: 'active', url: 'http://example.org/vs', version: '1.2' },
  );
});
afterAll(() => world.cleanup());

const search = (type: string, filter: string) => world.found(`${type}?_filter=${encodeURIComponent(filter)}`);

test.each([
  ['name co "pet"', ['peter', 'petra']],
  ['given eq "peter" and birthdate ge 2014-10-10', ['peter']],
  ['given eq pet', []],
  ['given sw PET', ['peter', 'petra']],
  ['given ew ter', ['peter']],
  ['family ew "ov"', ['petra']],
  ['family gt "d"', ['petra']],
  ['family le chalmers', ['peter']],
  ['given ne peter', ['petra']],
  ['name pr true', ['peter', 'petra']],
  ['name pr false', ['nobody']],
  ['gender eq male or gender eq female and birthdate lt 1990', ['petra']],
  ['gender eq male or (gender eq female and birthdate lt 1990)', ['peter', 'petra']],
  ['not (gender eq male)', ['nobody', 'petra']],
  ['gender ne male', ['petra']],
  ['gender eq http://hl7.org/fhir/administrative-gender|male', ['peter']],
  ['birthdate eq 1980', ['petra']],
  ['birthdate ne 1980', ['peter']],
  ['birthdate co 1980-03-02', ['petra']],
  ['birthdate po 2014-10', ['peter']],
  ['birthdate sa 1981', ['peter']],
  ['birthdate eb 1981', ['petra']],
  ['_id eq peter', ['peter']],
  ['_id ne peter', ['nobody', 'petra']],
  ['_lastUpdated gt 2000-01-01 and name pr false', ['nobody']],
  ['  name   co\t"pet"  AND gender  eq  male ', ['peter']],
  ['family eq "Chal, mers"', []],
  ['gender in http://hl7.org/fhir/ValueSet/administrative-gender', ['peter', 'petra']],
  ['gender ni http://hl7.org/fhir/ValueSet/administrative-gender', ['nobody']],
])('Patient: %s finds %j', async (filter, expected) => {
  expect(await search('Patient', filter)).toEqual(expected);
});

test.each([
  ['subject.name co "pet"', ['potassium', 'sodium']],
  ['subject:Patient.name co "petra"', ['sodium']],
  ['subject[gender eq male].name co "pet"', ['potassium']],
  ['patient[given eq petra and not (gender eq male)].birthdate lt 2000', ['sodium']],
  ['code eq loinc|2823-3', ['potassium']],
  ['code eq http://loinc.org|2823-3 and value-quantity gt 6', ['potassium']],
  ['value-quantity eq 6.3|http://unitsofmeasure.org|mmol/L', ['potassium']],
  ['value-quantity le 6', []],
  ['date po 2020-01-15', ['potassium']],
  ['date co 2020-01-15T10:00:00Z', ['potassium']],
  ['date ap 2021-06-15', ['sodium']],
  ['subject re Patient/peter', ['potassium']],
  ['subject re http://127.0.0.1:8080/fhir/R4/Patient/peter', ['potassium']],
  ['subject._id eq petra', ['sodium']],
])('Observation: %s finds %j', async (filter, expected) => {
  expect(await search('Observation', filter)).toEqual(expected);
});

test.each([
  ['RiskAssessment', 'probability co 0.5', ['range']],
  ['RiskAssessment', 'probability lt 0.3', ['low']],
  ['DocumentReference', 'relatesTo[code eq replaces].target re DocumentReference/old', ['new']],
  ['DocumentReference', 'relatesTo[code eq appends].target re DocumentReference/old', []],
  ['DocumentReference', 'relatesTo[target re DocumentReference/old].code eq replaces', ['new']],
  ['ValueSet', 'url eq http://example.org/vs', ['vs']],
])('%s: %s finds %j', async (type, filter, expected) => {
  expect(await search(type, filter)).toEqual(expected);
});

test('a filter goes together with other parameters, and with several types', async () => {
  expect(await world.found('Patient?gender=male&_filter=name co "pet"')).toEqual(['peter']);
  expect(await world.found('Observation?_filter=status eq final&_filter=code eq 2951-2')).toEqual([]);
});

test.each([
  ['Patient', ''],
  ['Patient', 'name'],
  ['Patient', 'name co'],
  ['Patient', 'name xx "a"'],
  ['Patient', 'name co "open'],
  ['Patient', 'name co "bad \\escape"'],
  ['Patient', '(name co "a"'],
  ['Patient', 'name co "a")'],
  ['Patient', 'name co "a" and'],
  ['Patient', 'name co "a" name co "b"'],
  ['Patient', 'not name co "a"'],
  ['Patient', 'nonsense eq 1'],
  ['Patient', 'name pr maybe'],
  ['Patient', 'birthdate gt yesterday'],
  ['Patient', 'birthdate co'],
  ['Patient', 'gender co mal'],
  ['Patient', 'name po 2000'],
  ['Patient', 'gender in http://example.org/unknown'],
  ['Patient', 'name[family eq a] eq b'],
  ['Patient', 'name.family eq b'],
  ['Patient', 'general-practitioner:Practitioner eq x'],
  ['Patient', 'general-practitioner.nonsense eq x'],
  ['DocumentReference', 'relatesTo.target re DocumentReference/old'],
  ['DocumentReference', 'relatesTo[code ne replaces].target re DocumentReference/old'],
  ['Patient', `${'('.repeat(21)}name co a${')'.repeat(21)}`],
  ['Patient', Array.from({ length: 101 }, () => 'name co a').join(' or ')],
  ['Patient', `name co "${'a'.repeat(20_000)}"`],
  ['Provenance', `${'target.'.repeat(9)}_id eq 1`],
])('%s: what is malformed, unknown or too costly is refused (%#)', async (type, filter) => {
  await expect(async () => search(type, filter)).rejects.toSatisfy(
    (error) => error instanceof Fault && error.status === 400,
  );
});

import type { Resource } from '@medplum/fhirtypes';
import { expect, test } from 'vitest';
import { BEGINNING, dateRange, END_OF_TIME } from '../../../src/fhir/search/date-range.ts';
import { createExtraction } from '../../../src/fhir/search/extract.ts';
import type { IndexRow } from '../../../src/fhir/search/index-rows.ts';
import { loadSearchParameters } from '../../../src/fhir/search/parameters.ts';
import type { ValueKind } from '../../../src/fhir/search/query.ts';

const parameters = loadSearchParameters([]);
const ids = new Map<string, number>();
const extract = createExtraction({
  parameters,
  baseUrl: 'https://baton.test/fhir',
  idOf({ type, code }) {
    const name = `${type}.${code}`;
    const id = ids.get(name) ?? ids.size + 1;
    ids.set(name, id);
    return id;
  },
});

/** The values of one parameter, without its id. */
function valuesOf(resource: object, name: string, kind: ValueKind): IndexRow[] {
  const rows = extract(resource as Resource)[kind];
  return rows.filter(([id]) => id === ids.get(name)).map((row) => row.slice(2));
}

test('every search parameter of R4 compiles for every type it applies to', () => {
  for (const type of parameters.types) expect(extract({ resourceType: type } as Resource)).toBeDefined();
  expect(ids.size).toBeGreaterThan(1500);
});

test('tokens come from codes, codings, concepts, identifiers, contact points and booleans', () => {
  const patient = {
    resourceType: 'Patient',
    active: true,
    gender: 'female',
    identifier: [
      { system: 'urn:mrn', value: '1', type: { text: 'Record', coding: [{ system: 'urn:types', code: 'MR' }] } },
      { value: '2' },
    ],
    telecom: [
      { system: 'phone', value: '555' },
      { system: 'email', value: 'a@b.test' },
    ],
  };
  expect(valuesOf(patient, 'Patient.active', 'token')).toEqual([['', 'true']]);
  expect(valuesOf(patient, 'Patient.gender', 'token')).toEqual([['', 'female']]);
  expect(valuesOf(patient, 'Patient.deceased', 'token')).toEqual([['', 'false']]);
  expect(valuesOf(patient, 'Patient.phone', 'token')).toEqual([['phone', '555']]);
  expect(valuesOf(patient, 'Patient.identifier', 'token')).toEqual([
    ['urn:mrn', '1'],
    ['', '2'],
  ]);
  expect(valuesOf(patient, 'Patient.identifier', 'string')).toEqual([['record', 'Record']]);
  expect(valuesOf(patient, 'Patient.identifier:of-type', 'token')).toEqual([['urn:types', 'MR|1']]);
});

test('a concept with text only is there, without a code', () => {
  const condition = { resourceType: 'Condition', code: { text: 'Sore Throat' } };
  expect(valuesOf(condition, 'Condition.code', 'token')).toEqual([['', '']]);
  expect(valuesOf(condition, 'Condition.code', 'string')).toEqual([['sore throat', 'Sore Throat']]);
});

test('names and addresses are found by each of their parts', () => {
  const patient = {
    resourceType: 'Patient',
    name: [{ use: 'official', family: 'Ångström', given: ['Ida', 'Eva'], prefix: ['Dr'] }],
    address: [{ use: 'home', line: ['Main St 1'], city: 'Lund', postalCode: '22100' }],
  };
  const names = valuesOf(patient, 'Patient.name', 'string').map(([folded]) => folded);
  expect(names.sort()).toEqual(['angstrom', 'dr', 'eva', 'ida']);
  const address = valuesOf(patient, 'Patient.address', 'string').map(([, exact]) => exact);
  expect(address.sort()).toEqual(['22100', 'Lund', 'Main St 1']);
});

test('periods are open where they have no end, timings are their outer limits', () => {
  const low = (text: string) => dateRange(text)?.low ?? Number.NaN;
  const high = (text: string) => dateRange(text)?.high ?? Number.NaN;
  const plan = (period: object) => valuesOf({ resourceType: 'CarePlan', period }, 'CarePlan.date', 'date');
  expect(plan({ start: '2024' })).toEqual([[low('2024'), END_OF_TIME]]);
  expect(plan({ end: '2024-05' })).toEqual([[BEGINNING, high('2024-05')]]);
  expect(plan({ extension: [] })).toEqual([]);
  const request = (occurrenceTiming: object) =>
    valuesOf({ resourceType: 'ServiceRequest', occurrenceTiming }, 'ServiceRequest.occurrence', 'date');
  expect(request({ event: ['2025-03-01', '2025-01-01'] })).toEqual([[low('2025-01-01'), high('2025-03-01')]]);
  expect(request({ repeat: { boundsPeriod: { end: '2025-02-01' } } })).toEqual([[BEGINNING, high('2025-02-01')]]);
  expect(request({ repeat: { frequency: 2 } })).toEqual([]);
});

test('references keep what identifies their target; patient takes patients only', () => {
  const task = (target: object) => ({ resourceType: 'Task', for: target });
  const own = task({ reference: 'https://baton.test/fhir/Patient/1/_history/7' });
  expect(valuesOf(own, 'Task.subject', 'reference')).toEqual([['Patient', '1']]);
  expect(valuesOf(own, 'Task.patient', 'reference')).toEqual([['Patient', '1']]);
  const group = task({ reference: 'Group/1' });
  expect(valuesOf(group, 'Task.subject', 'reference')).toEqual([['Group', '1']]);
  expect(valuesOf(group, 'Task.patient', 'reference')).toEqual([]);
  const logical = task({ type: 'Patient', identifier: { system: 'urn:mrn', value: '9' } });
  expect(valuesOf(logical, 'Task.patient', 'reference')).toEqual([['', '']]);
  expect(valuesOf(logical, 'Task.patient', 'token')).toEqual([['urn:mrn', '9']]);
});

test('a canonical is found with and without its version', () => {
  const response = { resourceType: 'QuestionnaireResponse', questionnaire: 'http://q.test/a|2' };
  expect(valuesOf(response, 'QuestionnaireResponse.questionnaire', 'reference')).toEqual([
    ['', 'http://q.test/a'],
    ['', 'http://q.test/a|2'],
  ]);
});

test('quantities keep their limits and unit', () => {
  const quantity = (valueQuantity: object) =>
    valuesOf({ resourceType: 'Observation', valueQuantity }, 'Observation.value-quantity', 'quantity');
  expect(quantity({ value: 5.4, unit: 'mg/dl', system: 'http://unitsofmeasure.org', code: 'mg/dL' })).toEqual([
    [5.4, 5.4, 'http://unitsofmeasure.org', 'mg/dL', 'mg/dl'],
  ]);
  expect(quantity({ value: 5, comparator: '<' })).toEqual([[-Number.MAX_VALUE, 4.999999999999999, '', '', '']]);
});

test('the components of one repetition share a part', () => {
  const component = (code: string, value: number) => ({
    code: { coding: [{ system: 'http://loinc.org', code }] },
    valueQuantity: { value },
  });
  const pressure = { resourceType: 'Observation', component: [component('8480-6', 120), component('8462-4', 80)] };
  const rows = extract(pressure as Resource);
  const part = (name: string, kind: ValueKind) =>
    rows[kind].filter(([id]) => id === ids.get(name)).map((row) => row[1]);
  expect(part('Observation.component-code-value-quantity$0', 'token')).toEqual([0, 1]);
  expect(part('Observation.component-code-value-quantity$1', 'quantity')).toEqual([0, 1]);
});

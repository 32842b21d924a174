// What is worth knowing though it is not wrong: told to those who ask, and only to them.
import { describe, expect, test } from 'vitest';
import { loadDefinitions } from '../../../src/fhir/definitions.ts';
import { isUcum } from '../../../src/fhir/validation/advice/ucum.ts';
import { createValidator } from '../../../src/fhir/validation/validator.ts';
import { EXAMPLES } from './examples.ts';
import { spoil } from './spoil.ts';

const { validate } = createValidator(loadDefinitions());
const MARITAL = 'http://terminology.hl7.org/CodeSystem/v3-MaritalStatus';
const status = (coding: object) => spoil(EXAMPLES.Patient, 'maritalStatus', { coding: [coding] });

test.each<[resource: object, advice: string[]]>([
  [status({ system: MARITAL, code: 'M', display: 'married' }), []],
  [status({ system: MARITAL, code: 'M', display: 'Single' }), ['warning code-invalid Patient.maritalStatus.coding[0]']],
  [
    status({ system: MARITAL, code: 'ZZ' }),
    ['warning code-invalid Patient.maritalStatus', 'warning code-invalid Patient.maritalStatus.coding[0]'],
  ],
  [status({ system: 'http://unknown.example', code: 'x' }), ['warning code-invalid Patient.maritalStatus']],
  [spoil(EXAMPLES.Goal, 'target.0.detailQuantity.code', 'kg m'), ['warning code-invalid Goal.target[0].detail.code']],
  [
    spoil(EXAMPLES.Patient, 'extension', [{ url: 'urn:x', valueCode: 'c' }]),
    ['information informational Patient.extension[0]'],
  ],
])('%j', (resource, advice) => {
  expect(validate(resource)).toEqual([]);
  const told = validate(resource, [], { advice: true });
  expect(told.map(({ severity, code, expression }) => `${severity} ${code} ${expression}`)).toEqual(advice);
});

describe('UCUM syntax', () => {
  test.each([
    'kg',
    'mm[Hg]',
    '10*3/uL',
    '/min',
    'mL/min/{1.73_m2}',
    '{score}',
    'kg.m2',
    'm2',
    'mg/(24.h)',
    '%',
    "'",
    '1',
    'cm[H2O]',
  ])('%s is a unit', (code) => expect(isUcum(code)).toBe(true));
  test.each(['', 'kg m', 'mg/', '(kg', 'kg)', 'm..s', '{open', '/', 'mg/()', '[in'])('%s is none', (code) =>
    expect(isUcum(code)).toBe(false),
  );
});

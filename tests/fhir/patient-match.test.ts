// Who is taken for whom, by the rules that Baton comes with. docs/sync-spec.md#I8
import { readFileSync } from 'node:fs';
import type { Patient } from '@medplum/fhirtypes';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compareDates } from '../../src/fhir/patient-match/compare-dates.ts';
import { compareIdentifiers, trustOf } from '../../src/fhir/patient-match/compare-identifiers.ts';
import { nameWords, phoneDigits, postalCode, streetLine } from '../../src/fhir/patient-match/normal-form.ts';
import type { MatchRules } from '../../src/fhir/patient-match/rules.ts';
import { scoreMatch } from '../../src/fhir/patient-match/score.ts';

const RULES: MatchRules = JSON.parse(
  readFileSync(new URL('../../profiles/matching/Patient.json', import.meta.url), 'utf8'),
);
const TRUSTS = trustOf(RULES);
const SSN = 'http://hl7.org/fhir/sid/us-ssn';
const MRN = 'urn:oid:1.2.3';

const maria: Patient = {
  resourceType: 'Patient',
  name: [{ family: 'García-López', given: ['María'] }],
  birthDate: '1950-03-04',
  gender: 'female',
  telecom: [{ system: 'phone', value: '+1 (555) 010-2030' }],
  address: [{ line: ['12 North Main Street'], postalCode: '02139-4307' }],
};
const bare: Patient = { resourceType: 'Patient', name: maria.name ?? [], birthDate: '1950-03-04', gender: 'female' };
const other = (fields: Partial<Patient>, of: Patient = maria): Patient => ({ ...of, ...fields });
const named = (family: string, given: string, of: Patient = maria) => other({ name: [{ family, given: [given] }] }, of);
const score = (a: Patient, b: Patient) => scoreMatch(a, b, RULES, TRUSTS);

test.each<[string, Patient, Patient, 'match' | 'possible' | 'no']>([
  ['the same record', maria, maria, 'match'],
  ['case, accents, hyphens and short words', maria, named('GARCIA LOPEZ', 'Maria'), 'match'],
  [
    'a phone number written otherwise',
    maria,
    other({ telecom: [{ system: 'phone', value: '555.010.2030' }] }),
    'match',
  ],
  ['a street written otherwise', maria, other({ address: [{ line: ['12 N Main St'], postalCode: '02139' }] }), 'match'],
  ['name, date and gender only', bare, bare, 'possible'],
  ['a name alone', named('Garcia', 'Maria', { resourceType: 'Patient' }), maria, 'no'],
  [
    'a surname and a birth date',
    other({ name: [{ family: 'Rivera' }] }, { resourceType: 'Patient', birthDate: '1950-03-04' }),
    other({ name: [{ family: 'Rivera' }] }),
    'no',
  ],
  ['one half of a double name', maria, named('López', 'María'), 'possible'],
  ['a nickname', named('Rivera', 'Robert'), named('Rivera', 'Bob'), 'possible'],
  ['names in each other’s place', maria, named('María', 'García-López'), 'possible'],
  ['names in each other’s place, nothing else', bare, named('María', 'García-López', bare), 'possible'],
  ['day and month in each other’s place', bare, other({ birthDate: '1950-04-03' }, bare), 'possible'],
  ['a wrong year of birth', bare, other({ birthDate: '1951-03-04' }, bare), 'possible'],
  ['another surname after a marriage', maria, named('Smith', 'María'), 'possible'],
  ['twins of one household', maria, named('García-López', 'Elena'), 'possible'],
  [
    'twins whose order of birth is known',
    other({ multipleBirthInteger: 1 }),
    other({ ...named('García-López', 'Elena'), multipleBirthInteger: 2 }),
    'no',
  ],
  [
    'twins with numbers of the same hospital',
    other({ identifier: [{ system: MRN, value: '1' }] }),
    other({ ...named('García-López', 'Elena'), identifier: [{ system: MRN, value: '2' }] }),
    'no',
  ],
  ['siblings', maria, other({ name: [{ family: 'García-López', given: ['Elena'] }], birthDate: '1953-07-19' }), 'no'],
  [
    'father and son',
    other({ name: [{ family: 'Rivera', given: ['José'], suffix: ['Sr.'] }] }),
    other({ name: [{ family: 'Rivera Jr', given: ['José'] }], birthDate: '1975-11-20' }),
    'no',
  ],
  [
    'father and son with the same birthday by mistake',
    other({ name: [{ family: 'Rivera', given: ['José'], suffix: ['Sr'] }] }),
    other({ name: [{ family: 'Rivera', given: ['José'], suffix: ['Jr'] }] }),
    'possible',
  ],
  [
    'a social security number alone',
    { resourceType: 'Patient', identifier: [{ system: SSN, value: '1' }] },
    { resourceType: 'Patient', identifier: [{ system: SSN, value: '1' }] },
    'possible',
  ],
  [
    'a borrowed social security number',
    other({ identifier: [{ system: SSN, value: '1' }] }),
    {
      resourceType: 'Patient',
      name: [{ family: 'Novak', given: ['Petra'] }],
      birthDate: '1988-12-30',
      gender: 'female',
      identifier: [{ system: SSN, value: '1' }],
    },
    'no',
  ],
])('%s', (_name, a, b, verdict) => {
  expect(score(a, b)).toMatchObject({ verdict });
  expect(score(b, a)).toEqual({ ...score(a, b), fields: expect.arrayContaining([...score(a, b).fields]) });
});

test('what only one record has says nothing, and the sum is that of the fields', () => {
  const { fields, total } = score({ resourceType: 'Patient', name: [{ family: 'Rivera' }] }, named('Rivera', 'José'));
  expect(fields).toEqual([{ field: 'family', degree: 'equal', score: 6 }]);
  expect(total).toBe(6);
});

test('a gender that is unknown, a birth date that is a year', () => {
  const { fields } = score(other({ gender: 'unknown', birthDate: '1950' }, bare), bare);
  expect(fields.map(({ field, degree }) => `${field} ${degree}`)).toEqual([
    'family equal',
    'given equal',
    'birthDate partial',
  ]);
});

test('whatever is taken away from a record, the likeness never grows by more than what spoke against it', () => {
  const keys = ['name', 'birthDate', 'gender', 'telecom', 'address'] as const;
  const people = [maria, named('Smith', 'Elena'), other({ birthDate: '1962-01-09', gender: 'male' })];
  fc.assert(
    fc.property(fc.constantFrom(...people), fc.constantFrom(...people), fc.constantFrom(...keys), (a, b, key) => {
      const { [key]: _gone, ...rest } = b;
      const lost = score(a, b).fields.filter(
        ({ field }) => !score(a, rest as Patient).fields.some((one) => one.field === field),
      );
      const against = lost.reduce((sum, one) => sum - Math.min(0, one.score), 0);
      expect(score(a, rest as Patient).total).toBeLessThanOrEqual(score(a, b).total + against);
    }),
  );
});

describe('forms', () => {
  test.each([
    ['Søren Łukasz', ['soren', 'lukasz']],
    ["O'Brien-Smith", ['obrien', 'smith']],
    ['  VAN  der Berg ', ['van', 'der', 'berg']],
    ['Weiß', ['weiss']],
  ])('the words of %s', (text, words) => expect(nameWords(text)).toEqual(words));

  test.each([
    ['+1 (555) 010-2030', '5550102030'],
    ['555-010-2030 ext. 12', '5550102030'],
    ['911', ''],
  ])('the digits of %s', (text, digits) => expect(phoneDigits(text)).toBe(digits));

  test('postal codes and streets', () => {
    expect([postalCode('02139-4307'), postalCode('sw1a 1aa')]).toEqual(['02139', 'SW1A1AA']);
    expect(streetLine('12 North Main Street, Apartment 3')).toBe('12 n main st apt 3');
  });

  test.each([
    ['1950-03-04', '1950-04-03', 'transposed'],
    ['1950-03-04', '1905-03-04', 'transposed'],
    ['1950-03-31', '1950-04-01', 'near'],
    ['1950-03-04', '1950-03', 'partial'],
    ['1950', '1951', 'different'],
    ['1950-03-04', '1962-11-30', 'different'],
    ['1950-02-30', '1950-13-99', 'different'],
  ])('%s and %s', (a, b, degree) => expect(compareDates(a, b)).toBe(degree));
});

describe('identifiers', () => {
  const having = (...identifier: NonNullable<Patient['identifier']>): Patient => ({
    resourceType: 'Patient',
    identifier,
  });

  test('a shared number decides only where its system is trusted', () => {
    const both = having({ system: MRN, value: '1' });
    expect(compareIdentifiers(both, both, TRUSTS)).toMatchObject({ shared: true, contradicts: false });
    expect(compareIdentifiers(both, both, trustOf(RULES, ['urn:oid:9']))).toMatchObject({
      shared: false,
      number: 'equal',
    });
    const license = having({ system: MRN, value: '1', type: { coding: [{ code: 'DL' }] } });
    expect(compareIdentifiers(license, license, TRUSTS).shared).toBe(false);
  });

  test('another number of one system contradicts a shared one of another; an old number does not', () => {
    const a = having({ system: MRN, value: '1' }, { system: 'urn:b', value: '7' });
    expect(
      compareIdentifiers(a, having({ system: MRN, value: '1' }, { system: 'urn:b', value: '8' }), TRUSTS),
    ).toMatchObject({ shared: true, contradicts: true });
    const old = having({ system: MRN, value: '1' }, { system: 'urn:b', value: '8', use: 'old' });
    expect(compareIdentifiers(a, old, TRUSTS)).toMatchObject({ shared: true, contradicts: false });
  });
});

// FHIRPath N1 semantics: each row is an expression, its result, and the section of the specification it comes from.
import { describe, expect, test } from 'vitest';
import { compilePath } from '../../../src/fhir/fhirpath/compile.ts';

const patient = {
  resourceType: 'Patient',
  id: 'p1',
  active: true,
  name: [
    { use: 'official', family: 'Chalmers', given: ['Peter', 'James'] },
    { use: 'usual', given: ['Jim'] },
    {
      use: 'maiden',
      family: 'Windsor',
      given: ['Peter', null],
      _given: [null, { extension: [{ url: 'u', valueCode: 'x' }] }],
    },
  ],
  birthDate: '1974-12-25',
  _birthDate: { extension: [{ url: 'http://t', valueDateTime: '1974-12-25T14:35:45-05:00' }] },
  _gender: { extension: [{ url: 'absent', valueCode: 'unknown' }] },
  deceasedDateTime: '2020-01-01T00:00:00Z',
  multipleBirthInteger: 2,
  contained: [{ resourceType: 'Organization', id: 'o', name: 'Inside' }],
  managingOrganization: { reference: '#o' },
  generalPractitioner: [
    { reference: 'Practitioner/1' },
    { reference: 'https://ehr.example/fhir/Organization/2/_history/3' },
    { reference: 'urn:uuid:05efabf0-4be2-4561-91ce-51548425acb9', type: 'PractitionerRole' },
    { display: 'somebody' },
  ],
};

const env = {
  now: Temporal.Instant.from('2026-01-01T02:00:00Z'),
  zone: 'America/New_York',
  risk: { score: 12, label: 'high' },
  limit: 10,
  other: { resourceType: 'Patient', name: [{ family: 'Other' }] },
};

const evaluate = (expression: string): unknown[] =>
  compilePath(expression, 'Patient')(patient, env).map(({ value }) => value);

const SECTIONS: Record<string, [expression: string, result: unknown[]][]> = {
  'paths and singletons': [
    ['Patient.name.given', ['Peter', 'James', 'Jim', 'Peter']],
    ['name[0].given[1]', ['James']],
    ['name[9].given', []],
    ['Patient.nothing.here', []],
    ['Practitioner.name', []],
    ['Resource.id', ['p1']],
    ['DomainResource.contained.name', ['Inside']],
    ['name.`given`.first()', ['Peter']],
    ["birthDate.extension('http://t').value", ['1974-12-25T14:35:45-05:00']],
    ["name[2].given[1].extension('u').value", ['x']],
    ['gender.exists()', [true]],
    ['gender.hasValue()', [false]],
    ['gender', []],
    ['birthDate.hasValue()', [true]],
    ['active and name.given.first()', [true]],
  ],
  'empty propagates': [
    ['{} = 1', []],
    ['1 + {}', []],
    ['{} and true', []],
    ['{} and false', [false]],
    ['{} or true', [true]],
    ['true xor {}', []],
    ['{} implies true', [true]],
    ['true implies {}', []],
    ['false implies {}', [true]],
    ['{}.not()', []],
    ['{ }.empty()', [true]],
    ["nothing & 'x'", ['x']],
    ['nothing.all(false)', [true]],
    ['nothing.startsWith("a")', []],
  ],
  'existence and filtering': [
    ["name.where(use = 'usual').given", ['Jim']],
    ["name.exists(use = 'nickname')", [false]],
    ['name.all(given.exists())', [true]],
    ["name.select(use & '!')", ['official!', 'usual!', 'maiden!']],
    ['name.where($index = 1).use', ['usual']],
    ['name.given.where($this.length() > 4)', ['Peter', 'James', 'Peter']],
    ['name.given.distinct().count()', [4]],
    ['name.use.isDistinct()', [true]],
    ["name.use.subsetOf('official' | 'usual' | 'maiden' | 'old')", [true]],
    ["('a' | 'b').supersetOf('a')", [true]],
    ['(true | false).anyTrue()', [true]],
    ['(1 | 2 | 3).aggregate($this + $total, 0)', [6]],
    ['contained.repeat(name)', ['Inside']],
    ['children().ofType(HumanName).count()', [3]],
    ["descendants().where($this = 'Windsor').count()", [1]],
    ['(1 | 2 | 3 | 4).skip(1).take(2)', [2, 3]],
    ['(1 | 2 | 3).tail().last()', [3]],
    ['(1 | 2 | 2 | 3)', [1, 2, 3]],
    ['(1 | 2).combine(2 | 3)', [1, 2, 2, 3]],
    ['(1 | 2).union(2 | 3)', [1, 2, 3]],
    ['(1 | 2).intersect(2 | 3)', [2]],
    ['(1 | 2).exclude(2)', [1]],
    ["iif(active, 'yes', 'no' + 1)", ['yes']],
    ['generalPractitioner[3].resolve().iif(empty(), true, ofType(Practitioner).exists())', [true]],
    ["name.trace('names').count()", [3]],
  ],
  types: [
    ['deceased is dateTime', [true]],
    ['deceased is boolean', [false]],
    ['(deceased as dateTime)', ['2020-01-01T00:00:00Z']],
    ['deceased.as(boolean)', []],
    ['multipleBirth.ofType(integer)', [2]],
    ['Patient is DomainResource', [true]],
    ['Patient is FHIR.Resource', [true]],
    ['active is System.Boolean', [true]],
    ['contained.is(Organization)', [true]],
  ],
  references: [
    ['managingOrganization.resolve().name', ['Inside']],
    ['generalPractitioner.where(resolve() is Practitioner).reference', ['Practitioner/1']],
    ['generalPractitioner.where(resolve() is Organization).count()', [1]],
    ['generalPractitioner.where(resolve() is PractitionerRole).type', ['PractitionerRole']],
  ],
  operators: [
    ['2 + 3 * 4', [14]],
    ['0.1 + 0.2 = 0.3', [true]],
    ['7 div 2', [3]],
    ['7 mod 2', [1]],
    ['7 / 2', [3.5]],
    ['1 / 0', []],
    ['-3.abs()', [-3]],
    ['(-3).abs()', [3]],
    ['1 = 1.0', [true]],
    ["'A' ~ 'a '", [true]],
    ["'A' = 'a'", [false]],
    ['(1 | 2) ~ (2 | 1)', [true]],
    ['(1 | 2) = (2 | 1)', [false]],
    ["'Jim' in name.given", [true]],
    ["name.given contains 'Jim'", [true]],
    ["'b' > 'a'", [true]],
    ['name.given.first() + name.family.first()', ['PeterChalmers']],
    ['1 | 2 = 1 | 2', [true]],
    ['active = true and name.count() = 3 or false', [true]],
  ],
  'dates to the precision they have': [
    ['birthDate = @1974-12-25', [true]],
    ['birthDate = @1974-12', []],
    ['birthDate < @1975', [true]],
    ['birthDate > @1974-12', []],
    ['@2012-01-01T10:00:00Z = @2012-01-01T11:00:00+01:00', [true]],
    ['@2012-01-01T10:30Z > @2012-01-01T11:00+01:00', [true]],
    ['@2012-01-01T10:00:00.0Z = @2012-01-01T10:00:00Z', [true]],
    ['@2026-10-13T20:05:00-05:00 <= @2026-10-13', []],
    ['@2026-10-13T20:05:00-05:00 < @2026-10-14', [true]],
    ['@2026-10-14T03:05:00+09:00 > @2026-10-13', [true]],
    ['@T14:30 < @T15', [true]],
    ['@2026-01-31 + 1 month', ['2026-02-28']],
    ['@2026-03-01 - 1 day', ['2026-02-28']],
    ['@2026 + 2 years', ['2028']],
    ['@2026-01-01T23:00:00-05:00 + 2 hours', ['2026-01-02T01:00:00-05:00']],
    ['today()', ['2025-12-31']],
    ['now()', ['2025-12-31T21:00:00-05:00']],
    ['today() - 7 days > birthDate', [true]],
  ],
  quantities: [
    ["4 'g' = 4000 'mg'", [true]],
    ["4 'g' = 4 'L'", []],
    ["1 'mg' < 1 'g'", [true]],
    ['1 week = 7 days', [true]],
    ['12 months = 1 year', [true]],
    ["3 'mg' + 4 'mg' = 7 'mg'", [true]],
    ["'5 days'.toQuantity() < 1 week", [true]],
  ],
  strings: [
    ["'abc'.substring(1)", ['bc']],
    ["'abc'.substring(1, 1)", ['b']],
    ["'abc'.substring(9)", []],
    ["'abc'.replace('b', '$&')", ['a$&c']],
    ["'abc'.matches('^[a-c]+$')", [true]],
    ["'a-b'.replaceMatches('-.*', '')", ['a']],
    ["'abc'.endsWith('bc')", [true]],
    ["'abc'.contains('')", [true]],
    ["'a,b'.split(',')", ['a', 'b']],
    ["('a' | 'b').join('-')", ['a-b']],
    ["'it\\'s'.length()", [4]],
    ["'\\u00e9'.upper()", ['É']],
  ],
  conversions: [
    ["'12'.toInteger() + 1", [13]],
    ["'x'.toInteger()", []],
    ["'1.50'.toDecimal()", [1.5]],
    ["'yes'.toBoolean()", [true]],
    ['1.toString()', ['1']],
    ["'2012-01'.convertsToDate()", [true]],
    ['1.587.round(2)', [1.59]],
    ['9.sqrt()', [3]],
    ['2.power(3)', [8]],
  ],
  environment: [
    ['%resource.id', ['p1']],
    ['%context.id', ['p1']],
    ['%ucum', ['http://unitsofmeasure.org']],
    ['%`vs-administrative-gender`', ['http://hl7.org/fhir/ValueSet/administrative-gender']],
    ['%risk.score >= %limit', [true]],
    ["%risk.label = 'high'", [true]],
    ['%other.name.family', ['Other']],
  ],
};

for (const [section, rows] of Object.entries(SECTIONS)) {
  describe(section, () => {
    test.each(rows)('%s', (expression, result) => expect(evaluate(expression)).toEqual(result));
  });
}

describe('answers carry FHIR types', () => {
  const typesOf = (expression: string) => compilePath(expression, 'Patient')(patient, env).map(({ type }) => type);
  test.each([
    ['birthDate', ['date']],
    ['deceased', ['dateTime']],
    ['name.first()', ['HumanName']],
    ['contained', ['Organization']],
    ['managingOrganization', ['Reference']],
    ['id', ['id']],
    ['name.count()', ['integer']],
    ['7 / 2', ['decimal']],
    ['today()', ['date']],
  ])('%s is %j', (expression, types) => expect(typesOf(expression)).toEqual(types));

  test('elements inside a resource have their path as type', () => {
    const task = { resourceType: 'Task', restriction: { period: { end: '2026-11-26' } } };
    expect(compilePath('Task.restriction', 'Task')(task)).toMatchObject([{ type: 'Task.restriction' }]);
    expect(compilePath('Task.restriction.period.end', 'Task')(task)).toEqual([
      { type: 'dateTime', value: '2026-11-26' },
    ]);
  });

  test('a compiled expression gives the same answer for every root, in any order', () => {
    const find = compilePath('(Observation.value as Quantity).value | (Observation.value as string)', 'Observation');
    const quantity = { resourceType: 'Observation', valueQuantity: { value: 3 } };
    const text = { resourceType: 'Observation', valueString: 'three' };
    for (const [root, value] of [
      [quantity, 3],
      [text, 'three'],
      [quantity, 3],
    ] as const) {
      expect(find(root)).toMatchObject([{ value }]);
    }
  });
});

// FHIRPath Patch: each kind of operation, on each kind of element. https://hl7.org/fhir/R4/fhirpatch.html
import type { Resource } from '@medplum/fhirtypes';
import { describe, expect, it } from 'vitest';
import { Fault } from '../../../src/fault.ts';
import { parseExact, stringifyExact } from '../../../src/fhir/exact-json.ts';
import { readPatch } from '../../../src/fhir/patch/patch.ts';

interface Part {
  readonly name: string;
  readonly [more: string]: unknown;
}

const parameters = (...operations: Part[][]) => ({
  resourceType: 'Parameters',
  parameter: operations.map((part) => ({ name: 'operation', part })),
});
const type = (valueCode: string): Part => ({ name: 'type', valueCode });
const path = (valueString: string): Part => ({ name: 'path', valueString });
const named = (valueString: string): Part => ({ name: 'name', valueString });
const value = (more: object): Part => ({ name: 'value', ...more });
const at = (name: string, valueInteger: number): Part => ({ name, valueInteger });

const PATIENT = {
  resourceType: 'Patient',
  id: 'p',
  meta: { versionId: '1' },
  birthDate: '1980-01-01',
  _birthDate: { extension: [{ url: 'urn:e', valueString: 'noon' }] },
  identifier: [
    { system: 'urn:a', value: '1' },
    { system: 'urn:b', value: '2' },
    { system: 'urn:c', value: '3' },
  ],
  name: [{ use: 'official', family: 'A', given: ['x', 'y'], _given: [null, { id: 'g' }] }],
  contained: [{ resourceType: 'Organization', id: 'o', name: 'Old' }],
  managingOrganization: { reference: '#o' },
  generalPractitioner: [{ reference: 'Practitioner/1' }],
};

function patched(resource: object, ...operations: Part[][]): Record<string, unknown> {
  const revised = readPatch(parameters(...operations)).revise(structuredClone(resource) as Resource);
  return JSON.parse(stringifyExact(revised));
}

function statusOf(...operations: Part[][]): number {
  try {
    patched(PATIENT, ...operations);
  } catch (error) {
    if (error instanceof Fault) return error.status;
    throw error;
  }
  return 200;
}

describe('add', () => {
  it.each<[string, Part[], object]>([
    ['a primitive', [type('add'), path('Patient'), named('gender'), value({ valueCode: 'male' })], { gender: 'male' }],
    [
      'an item of a list',
      [type('add'), path('Patient'), named('identifier'), value({ valueIdentifier: { value: '4' } })],
      { identifier: [...PATIENT.identifier, { value: '4' }] },
    ],
    [
      'a first item',
      [type('add'), path('Patient'), named('address'), value({ valueAddress: { city: 'X' } })],
      { address: [{ city: 'X' }] },
    ],
    [
      'a primitive to a list with companions',
      [type('add'), path('Patient.name[0]'), named('given'), value({ valueString: 'z' })],
      { name: [{ ...PATIENT.name[0], given: ['x', 'y', 'z'], _given: [null, { id: 'g' }, null] }] },
    ],
    [
      'an extension to a primitive',
      [
        type('add'),
        path('Patient.birthDate'),
        named('extension'),
        value({
          valueExtension: undefined,
          part: [
            { name: 'url', valueUri: 'urn:f' },
            { name: 'value', valueBoolean: true },
          ],
        }),
      ],
      { _birthDate: { extension: [...PATIENT._birthDate.extension, { url: 'urn:f', valueBoolean: true }] } },
    ],
    [
      'an extension to a primitive of a list',
      [
        type('add'),
        path('Patient.name.given.first()'),
        named('extension'),
        value({
          part: [
            { name: 'url', valueUri: 'urn:f' },
            { name: 'value', valueCode: 'c' },
          ],
        }),
      ],
      { name: [{ ...PATIENT.name[0], _given: [{ extension: [{ url: 'urn:f', valueCode: 'c' }] }, { id: 'g' }] }] },
    ],
    [
      'an element without a type of its own',
      [
        type('add'),
        path('Patient'),
        named('contact'),
        value({
          part: [
            { name: 'name', valueHumanName: { text: 'a name' } },
            { name: 'telecom', valueContactPoint: { system: 'phone' } },
            { name: 'telecom', valueContactPoint: { system: 'email' } },
          ],
        }),
      ],
      { contact: [{ name: { text: 'a name' }, telecom: [{ system: 'phone' }, { system: 'email' }] }] },
    ],
    [
      'a choice',
      [type('add'), path('Patient'), named('deceased'), value({ valueDateTime: '2020' })],
      { deceasedDateTime: '2020' },
    ],
    [
      'a contained resource',
      [type('add'), path('Patient'), named('contained'), value({ resource: { resourceType: 'Device', id: 'd' } })],
      { contained: [...PATIENT.contained, { resourceType: 'Device', id: 'd' }] },
    ],
    [
      'a primitive that has only extensions',
      [
        type('add'),
        path('Patient'),
        named('gender'),
        value({ _valueCode: { extension: [{ url: 'urn:x', valueCode: 'y' }] } }),
      ],
      { _gender: { extension: [{ url: 'urn:x', valueCode: 'y' }] } },
    ],
  ])('puts %s in', (_, operation, expected) => {
    expect(patched(PATIENT, operation)).toEqual({ ...PATIENT, ...expected });
  });
});

describe('insert, move, delete and replace', () => {
  const [first, second, third] = PATIENT.identifier;

  it.each<[string, Part[], object]>([
    [
      'insert in front',
      [type('insert'), path('Patient.identifier'), at('index', 0), value({ valueIdentifier: { value: '0' } })],
      { identifier: [{ value: '0' }, first, second, third] },
    ],
    [
      'insert at the end',
      [type('insert'), path('Patient.identifier'), at('index', 3), value({ valueIdentifier: { value: '0' } })],
      { identifier: [first, second, third, { value: '0' }] },
    ],
    [
      'insert into a list that is not there',
      [type('insert'), path('Patient.telecom'), at('index', 0), value({ valueContactPoint: { value: '0' } })],
      { telecom: [{ value: '0' }] },
    ],
    [
      'insert a primitive beside companions',
      [type('insert'), path('Patient.name[0].given'), at('index', 1), value({ valueString: 'z' })],
      { name: [{ ...PATIENT.name[0], given: ['x', 'z', 'y'], _given: [null, null, { id: 'g' }] }] },
    ],
    [
      'move to the front',
      [type('move'), path('Patient.identifier'), at('source', 2), at('destination', 0)],
      { identifier: [third, first, second] },
    ],
    [
      'move to the end',
      [type('move'), path('identifier'), at('source', 0), at('destination', 2)],
      { identifier: [second, third, first] },
    ],
    ['delete an item', [type('delete'), path('Patient.identifier[1]')], { identifier: [first, third] }],
    [
      'delete the one that matches',
      [type('delete'), path("Patient.identifier.where(system = 'urn:c')")],
      { identifier: [first, second] },
    ],
    ['delete what is not there', [type('delete'), path('Patient.telecom')], {}],
    [
      'delete a primitive of a list',
      [type('delete'), path('Patient.name.given[1]')],
      { name: [{ use: 'official', family: 'A', given: ['x'] }] },
    ],
    [
      'replace a primitive of a list',
      [type('replace'), path('Patient.name.given[0]'), value({ valueString: 'z' })],
      { name: [{ ...PATIENT.name[0], given: ['z', 'y'] }] },
    ],
    [
      'replace inside',
      [type('replace'), path("Patient.name.where(use='official').family"), value({ valueString: 'B' })],
      { name: [{ ...PATIENT.name[0], family: 'B' }] },
    ],
    [
      'replace in a contained resource',
      [type('replace'), path('Patient.managingOrganization.resolve().name'), value({ valueString: 'New' })],
      { contained: [{ resourceType: 'Organization', id: 'o', name: 'New' }] },
    ],
    [
      'replace an extension of a primitive',
      [type('replace'), path("Patient.birthDate.extension('urn:e').value"), value({ valueDateTime: '1980' })],
      { _birthDate: { extension: [{ url: 'urn:e', valueDateTime: '1980' }] } },
    ],
    [
      'replace a whole element',
      [type('replace'), path('Patient.name[0]'), value({ valueHumanName: { text: 'T' } })],
      { name: [{ text: 'T' }] },
    ],
  ])('%s', (_, operation, expected) => {
    expect(patched(PATIENT, operation)).toEqual({ ...PATIENT, ...expected });
  });

  it('delete and replace take the companion along', () => {
    const { _birthDate, birthDate, ...rest } = PATIENT;
    expect(patched(PATIENT, [type('delete'), path('Patient.birthDate')])).toEqual(rest);
    const replaced = patched(PATIENT, [type('replace'), path('Patient.birthDate'), value({ valueDate: '1990' })]);
    expect(replaced).toEqual({ ...rest, birthDate: '1990' });
  });

  it('a choice may change its type', () => {
    const observation = { resourceType: 'Observation', valueString: 'a', _valueString: { id: 'i' } };
    const quantity = [type('replace'), path('Observation.value'), value({ valueQuantity: { value: 1 } })];
    expect(patched(observation, quantity)).toEqual({ resourceType: 'Observation', valueQuantity: { value: 1 } });
  });

  it('operations see what those before them did', () => {
    const result = patched(
      PATIENT,
      [type('add'), path('Patient'), named('contact'), value({ part: [{ name: 'gender', valueCode: 'male' }] })],
      [type('replace'), path('Patient.contact[0].gender'), value({ valueCode: 'female' })],
    );
    expect(result.contact).toEqual([{ gender: 'female' }]);
  });

  it('keeps the digits of decimals', () => {
    const text = '{"resourceType":"Observation","valueQuantity":{"value":1.00,"unit":"a"},"component":[]}';
    const body = parseExact(
      JSON.stringify(
        parameters([type('replace'), path('Observation.value.value'), value({ valueDecimal: 7 })]),
      ).replace('"valueDecimal":7', '"valueDecimal":7.100'),
    );
    expect(stringifyExact(readPatch(body).revise(parseExact<Resource>(text)))).toContain('"value":7.100');
    const other = parameters([type('replace'), path('Observation.value.unit'), value({ valueString: 'b' })]);
    expect(stringifyExact(readPatch(other).revise(parseExact<Resource>(text)))).toContain('{"value":1.00,"unit":"b"}');
  });
});

describe('422', () => {
  it.each<[string, Part[]]>([
    ['an unknown type', [type('upsert'), path('Patient')]],
    ['no type', [path('Patient.name')]],
    ['no path', [type('delete')]],
    ['no value', [type('replace'), path('Patient.birthDate')]],
    ['an empty value', [type('replace'), path('Patient.birthDate'), value({})]],
    ['two values', [type('replace'), path('Patient.birthDate'), value({ valueDate: '2000', valueString: 'x' })]],
    ['a part twice', [type('delete'), path('Patient.name'), path('Patient.identifier')]],
    ['a part of another operation', [type('delete'), path('Patient.name'), at('index', 0)]],
    ['add without a name', [type('add'), path('Patient'), value({ valueCode: 'male' })]],
    ['add of what is there', [type('add'), path('Patient'), named('birthDate'), value({ valueDate: '2000' })]],
    ['add of an unknown element', [type('add'), path('Patient'), named('nonsense'), value({ valueString: 'x' })]],
    ['a value of another type', [type('replace'), path('Patient.birthDate'), value({ valueString: '2000' })]],
    [
      'a complex value for a primitive',
      [type('replace'), path('Patient.birthDate'), value({ valueAge: { value: 1 } })],
    ],
    [
      'parts that are not there',
      [type('add'), path('Patient'), named('contact'), value({ part: [{ name: 'x', valueCode: 'y' }] })],
    ],
    [
      'an index beyond the end',
      [type('insert'), path('Patient.identifier'), at('index', 4), value({ valueIdentifier: {} })],
    ],
    ['a negative index', [type('insert'), path('Patient.identifier'), at('index', -1), value({ valueIdentifier: {} })]],
    ['insert into no list', [type('insert'), path('Patient.birthDate'), at('index', 0), value({ valueDate: '2000' })]],
    [
      'insert into a selection',
      [type('insert'), path('Patient.identifier.where(true)'), at('index', 0), value({ valueIdentifier: {} })],
    ],
    ['move beyond the end', [type('move'), path('Patient.identifier'), at('source', 0), at('destination', 3)]],
    ['delete of several', [type('delete'), path('Patient.identifier')]],
    ['replace of several', [type('replace'), path('Patient.identifier'), value({ valueIdentifier: {} })]],
    ['replace of nothing', [type('replace'), path('Patient.gender'), value({ valueCode: 'male' })]],
    ['the resource itself', [type('delete'), path('Patient')]],
    ['what is no element', [type('delete'), path("Patient.name.family & 'x'")]],
    ['no FHIRPath', [type('delete'), path('Patient..name(')]],
    [
      'a function that is not for patches',
      [type('delete'), path("Patient.descendants().where($this.matches('(a+)+$'))")],
    ],
    ['another resource', [type('delete'), path('Patient.generalPractitioner.resolve()')]],
    ['an endless path', [type('delete'), path(`Patient${'.name'.repeat(200)}`)]],
    ['the id', [type('replace'), path('Patient.id'), value({ valueId: 'q' })]],
    ['the version', [type('replace'), path('Patient.meta.versionId'), value({ valueId: '9' })]],
    ['the version by its meta', [type('replace'), path('Patient.meta'), value({ valueMeta: { versionId: '9' } })]],
    [
      'the time',
      [type('add'), path('Patient.meta'), named('lastUpdated'), value({ valueInstant: '2020-01-01T00:00:00Z' })],
    ],
  ])('for %s', (_, operation) => {
    expect(statusOf(operation)).toBe(422);
  });
});

it.each([
  {},
  null,
  [],
  { resourceType: 'Parameters' },
  { resourceType: 'Parameters', parameter: {} },
  { resourceType: 'Patient' },
])('a body that is no FHIRPath Patch is 400: %j', (body) => {
  expect(() => readPatch(Array.isArray(body) ? { body } : body)).toThrow(expect.objectContaining({ status: 400 }));
});

it('is limited in number and in the work it makes', () => {
  const many = Array.from({ length: 201 }, () => [type('delete'), path('Patient.telecom')]);
  expect(statusOf(...many)).toBe(413);
  const huge = { resourceType: 'Patient', name: [{ given: Array.from({ length: 20_000 }, () => 'x') }] };
  expect(() => patched(huge, ...many.slice(0, 200))).toThrow(expect.objectContaining({ status: 413 }));
});

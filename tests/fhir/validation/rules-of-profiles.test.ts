// What profiles can ask for, rule by rule: each has a resource that keeps it and one that breaks it.
import type { ElementDefinition, StructureDefinition } from '@medplum/fhirtypes';
import { describe, expect, test } from 'vitest';
import { loadDefinitions } from '../../../src/fhir/definitions.ts';
import { createValidator } from '../../../src/fhir/validation/validator.ts';

const AT = 'https://example.org/StructureDefinition';
type Element = Partial<ElementDefinition>;

function profile(name: string, type: string, element: Element[], more: Partial<StructureDefinition> = {}) {
  return {
    resourceType: 'StructureDefinition',
    url: `${AT}/${name}`,
    name,
    status: 'active',
    kind: 'resource',
    abstract: false,
    type,
    baseDefinition: `http://hl7.org/fhir/StructureDefinition/${type}`,
    derivation: 'constraint',
    differential: { element: element as ElementDefinition[] },
    ...more,
  } satisfies StructureDefinition;
}

/** Errors of a resource against one profile, with others that it may refer to. */
function errors(resource: object, checked: StructureDefinition, others: StructureDefinition[] = []): string[] {
  const { validate } = createValidator(loadDefinitions([checked, ...others, COLOURS, SHADES]));
  const found = validate(resource, [checked.url]).filter(({ severity }) => severity === 'error');
  return found.map(({ code, expression }) => `${code} at ${expression?.[0]}`);
}

const valueSet = (name: string, codes: string[]) => ({
  resourceType: 'ValueSet' as const,
  url: `https://example.org/ValueSet/${name}`,
  status: 'active' as const,
  compose: { include: [{ system: 'http://c', concept: codes.map((code) => ({ code })) }] },
});
const COLOURS = valueSet('colours', ['red', 'blue']) as never;
const SHADES = valueSet('shades', ['red', 'blue', 'grey']) as never;

const OBSERVATION = { resourceType: 'Observation', status: 'final', code: { text: 'x' } };
const names = (...uses: string[]) => ({ resourceType: 'Patient', name: uses.map((use) => ({ use, family: 'X' })) });

describe('slicing', () => {
  const sliced = (slicing: object) =>
    profile('sliced', 'Patient', [
      { path: 'Patient.name', slicing: { discriminator: [{ type: 'value', path: 'use' }], ...slicing } as never },
      { path: 'Patient.name', sliceName: 'official', max: '1' },
      { path: 'Patient.name.use', min: 1, fixedCode: 'official' },
      { path: 'Patient.name', sliceName: 'old' },
      { path: 'Patient.name.use', min: 1, fixedCode: 'old' },
    ]);

  test.each<[rules: object, uses: string[], found: string[]]>([
    [{ rules: 'open' }, ['old', 'usual', 'official'], []],
    [{ rules: 'open' }, ['official', 'official'], ['structure at Patient.name[1]']],
    [{ rules: 'open', ordered: true }, ['official', 'usual', 'old', 'old'], []],
    [{ rules: 'open', ordered: true }, ['old', 'official'], ['structure at Patient.name[1]']],
    [{ rules: 'closed' }, ['official', 'old'], []],
    [{ rules: 'closed' }, ['official', 'usual'], ['structure at Patient.name[1]']],
    [{ rules: 'openAtEnd' }, ['old', 'official', 'usual', 'nickname'], []],
    [{ rules: 'openAtEnd' }, ['old', 'usual', 'official'], ['structure at Patient.name[1]']],
  ])('%j with %j', (rules, uses, found) => {
    expect(errors(names(...uses), sliced(rules))).toEqual(found);
  });

  test('a slice of a slice', () => {
    const re = profile('re-sliced', 'Patient', [
      { path: 'Patient.name', slicing: { discriminator: [{ type: 'value', path: 'use' }], rules: 'open' } },
      {
        path: 'Patient.name',
        sliceName: 'official',
        slicing: { discriminator: [{ type: 'exists', path: 'period' }], rules: 'open' },
      },
      { path: 'Patient.name.use', min: 1, fixedCode: 'official' },
      { path: 'Patient.name', sliceName: 'official/dated', max: '1' },
      { path: 'Patient.name.period', min: 1 },
    ]);
    const dated = { use: 'official', family: 'X', period: { start: '2026' } };
    const plain = { use: 'official', family: 'X' };
    expect(errors({ resourceType: 'Patient', name: [dated, plain, plain] }, re)).toEqual([]);
    expect(errors({ resourceType: 'Patient', name: [dated, plain, dated] }, re)).toEqual([
      'structure at Patient.name[2]',
    ]);
  });

  test('a slice of a slice that does not say how it is sliced again', () => {
    const tag = (code: string) => ({ coding: [{ system: 'urn:x', code }] });
    const re = profile('re-sliced-alike', 'Observation', [
      {
        path: 'Observation.category',
        slicing: { discriminator: [{ type: 'pattern', path: '$this' }], rules: 'open' },
      },
      { path: 'Observation.category', sliceName: 'a', min: 1, patternCodeableConcept: tag('a') },
      { path: 'Observation.category', sliceName: 'a/b', min: 1, patternCodeableConcept: tag('b') },
    ]);
    const both = { coding: [...tag('b').coding, ...tag('a').coding] };
    expect(errors({ ...OBSERVATION, category: [both] }, re)).toEqual([]);
    expect(errors({ ...OBSERVATION, category: [tag('a'), tag('b')] }, re)).toEqual([
      'required at Observation.category',
    ]);
  });
});

describe('discriminators', () => {
  const exactlyOne = (path: string, discriminator: object, slice: Element[]) =>
    profile('one', path.split('.')[0] as string, [
      { path, slicing: { discriminator: [discriminator] as never, rules: 'open' } },
      { path, sliceName: 'one', min: 1, max: '1' },
      ...slice,
    ]);
  const target = (...types: string[]) => [
    { code: 'Reference', targetProfile: types.map((type) => `http://hl7.org/fhir/StructureDefinition/${type}`) },
  ];
  const flag = profile('flag', 'Extension', [
    { path: 'Extension.url', fixedUri: `${AT}/flag` },
    { path: 'Extension.value[x]', min: 1, type: [{ code: 'code' }] },
  ]);
  const latin = profile('latin', 'HumanName', [{ path: 'HumanName.family', min: 1, fixedString: 'Latin' }], {
    kind: 'complex-type',
  });
  const component = (value: object) => ({ ...OBSERVATION, component: [{ code: { text: 'x' }, ...value }] });

  test.each<[name: string, checked: StructureDefinition, right: object, wrong: object]>([
    [
      'value below a data type',
      exactlyOne('Patient.identifier', { type: 'value', path: 'type.coding.code' }, [
        { path: 'Patient.identifier.type.coding.code', min: 1, fixedCode: 'MR' },
      ]),
      { resourceType: 'Patient', identifier: [{ value: '1' }, { value: '2', type: { coding: [{ code: 'MR' }] } }] },
      { resourceType: 'Patient', identifier: [{ value: '1' }, { value: '2', type: { coding: [{ code: 'SS' }] } }] },
    ],
    [
      'value by a required binding',
      exactlyOne('Observation.category', { type: 'value', path: '$this' }, [
        {
          path: 'Observation.category',
          sliceName: 'one',
          binding: { strength: 'required', valueSet: 'https://example.org/ValueSet/colours' },
        },
      ]),
      { ...OBSERVATION, category: [{ coding: [{ system: 'http://c', code: 'red' }] }] },
      { ...OBSERVATION, category: [{ coding: [{ system: 'http://c', code: 'grey' }] }] },
    ],
    [
      'exists',
      exactlyOne('Patient.contact', { type: 'exists', path: 'gender' }, [{ path: 'Patient.contact.gender', min: 1 }]),
      { resourceType: 'Patient', contact: [{ gender: 'male', name: { text: 'x' } }, { name: { text: 'y' } }] },
      { resourceType: 'Patient', contact: [{ name: { text: 'y' } }] },
    ],
    [
      'pattern',
      exactlyOne('Observation.category', { type: 'pattern', path: '$this' }, [
        { path: 'Observation.category', sliceName: 'one', patternCodeableConcept: { coding: [{ code: 'lab' }] } },
      ]),
      { ...OBSERVATION, category: [{ text: 'x', coding: [{ code: 'other' }, { code: 'lab', system: 'http://s' }] }] },
      { ...OBSERVATION, category: [{ text: 'lab' }] },
    ],
    [
      'type of a choice',
      exactlyOne('Observation.component', { type: 'type', path: 'value' }, [
        { path: 'Observation.component.value[x]', min: 1, type: [{ code: 'Quantity' }] },
      ]),
      component({ valueQuantity: { value: 1 } }),
      component({ valueString: '1' }),
    ],
    [
      'type of what a reference is to',
      exactlyOne('CarePlan.goal', { type: 'type', path: '$this.resolve()' }, [
        { path: 'CarePlan.goal', sliceName: 'one', type: target('Goal') },
      ]),
      {
        resourceType: 'CarePlan',
        status: 'active',
        intent: 'plan',
        subject: { display: 'x' },
        goal: [{ reference: 'Goal/1' }],
      },
      {
        resourceType: 'CarePlan',
        status: 'active',
        intent: 'plan',
        subject: { display: 'x' },
        goal: [{ display: 'y' }],
      },
    ],
    [
      'ofType',
      exactlyOne('Observation.component', { type: 'exists', path: 'value.ofType(Quantity)' }, [
        { path: 'Observation.component.value[x]', min: 1, type: [{ code: 'Quantity' }] },
      ]),
      component({ valueQuantity: { value: 1 } }),
      component({ valueString: '1' }),
    ],
    [
      'the value of an extension',
      exactlyOne('Patient.contact', { type: 'value', path: `extension('${AT}/flag').value` }, [
        {
          path: 'Patient.contact.extension',
          sliceName: 'flag',
          min: 1,
          type: [{ code: 'Extension', profile: [`${AT}/flag`] }],
        },
        { path: 'Patient.contact.extension.value[x]', min: 1, fixedCode: 'next' },
      ]),
      {
        resourceType: 'Patient',
        contact: [{ name: { text: 'x' }, extension: [{ url: `${AT}/flag`, valueCode: 'next' }] }],
      },
      {
        resourceType: 'Patient',
        contact: [{ name: { text: 'x' }, extension: [{ url: `${AT}/flag`, valueCode: 'other' }] }],
      },
    ],
    [
      'profile',
      exactlyOne('Patient.name', { type: 'profile', path: '$this' }, [
        { path: 'Patient.name', sliceName: 'one', type: [{ code: 'HumanName', profile: [`${AT}/latin`] }] },
      ]),
      { resourceType: 'Patient', name: [{ family: 'Latin' }, { family: 'Other' }] },
      { resourceType: 'Patient', name: [{ family: 'Other' }] },
    ],
  ])('%s', (_, checked, right, wrong) => {
    const place = checked.differential?.element[0]?.path;
    expect(errors(right, checked, [flag, latin])).toEqual([]);
    expect(errors(wrong, checked, [flag, latin])).toContain(`required at ${place}`);
  });
});

test('a contained resource must conform to the profile that references must be to', () => {
  const named = profile('named', 'Organization', [{ path: 'Organization.name', min: 1 }]);
  const managed = profile('managed', 'Patient', [
    { path: 'Patient.managingOrganization', type: [{ code: 'Reference', targetProfile: [`${AT}/named`] }] },
  ]);
  const patient = (organization: object) => ({
    resourceType: 'Patient',
    contained: [{ resourceType: 'Organization', id: 'o', ...organization }],
    managingOrganization: { reference: '#o' },
  });
  expect(errors(patient({ name: 'x' }), managed, [named])).toEqual([]);
  expect(
    errors(patient({ alias: ['x'], telecom: [{ system: 'url', value: 'x' }], identifier: [{ value: 'x' }] }), managed, [
      named,
    ]),
  ).toEqual(['structure at Patient.managingOrganization']);
});

describe('values', () => {
  const about = (element: Element) => profile('about', (element.path as string).split('.')[0] as string, [element]);
  const quantity = (value: number, code: string) => ({
    ...OBSERVATION,
    valueQuantity: { value, system: 'http://unitsofmeasure.org', code },
  });
  const grams = (value: number) => ({ value, system: 'http://unitsofmeasure.org', code: 'g' });
  const patient = (more: object) => ({ resourceType: 'Patient', ...more });

  test.each<[checked: Element, right: object, wrong: object, found: string]>([
    [
      { path: 'Patient.birthDate', minValueDate: '1900-01-01' },
      patient({ birthDate: '1900' }),
      patient({ birthDate: '1899-12-31' }),
      'value at Patient.birthDate',
    ],
    [
      { path: 'Patient.multipleBirth[x]', maxValueInteger: 9 },
      patient({ multipleBirthInteger: 9 }),
      patient({ multipleBirthInteger: 10 }),
      'value at Patient.multipleBirth',
    ],
    [
      { path: 'Observation.value[x]', minValueQuantity: grams(1000) },
      quantity(1, 'kg'),
      quantity(0.9, 'kg'),
      'value at Observation.value',
    ],
    [
      { path: 'Patient.gender', maxLength: 4 },
      patient({ gender: 'male' }),
      patient({ gender: 'female' }),
      'value at Patient.gender',
    ],
    [
      { path: 'Patient.maritalStatus', fixedCodeableConcept: { text: 'x' } },
      patient({ maritalStatus: { text: 'x' } }),
      patient({ maritalStatus: { text: 'x', coding: [{ code: 'M' }] } }),
      'value at Patient.maritalStatus',
    ],
    [
      { path: 'Patient.active', fixedBoolean: true },
      patient({ active: true }),
      patient({ active: false }),
      'value at Patient.active',
    ],
    [
      { path: 'Patient.name', patternHumanName: { given: ['A'] } },
      patient({ name: [{ given: ['B', 'A'], family: 'X' }] }),
      patient({ name: [{ given: ['B'] }] }),
      'value at Patient.name[0]',
    ],
    [
      {
        path: 'Patient.maritalStatus',
        binding: {
          strength: 'extensible',
          valueSet: 'https://example.org/ValueSet/colours',
          extension: [
            {
              url: 'http://hl7.org/fhir/StructureDefinition/elementdefinition-maxValueSet',
              valueCanonical: 'https://example.org/ValueSet/shades',
            },
          ],
        },
      },
      patient({ maritalStatus: { coding: [{ system: 'http://c', code: 'grey' }] } }),
      patient({ maritalStatus: { coding: [{ system: 'http://c', code: 'pink' }] } }),
      'code-invalid at Patient.maritalStatus',
    ],
  ])('%j', (element, right, wrong, found) => {
    expect(errors(right, about(element))).toEqual([]);
    expect(errors(wrong, about(element))).toEqual([found]);
  });
});

describe('extensions, wherever they are', () => {
  const extension = (name: string, context: [string, string][], more: Element[] = [], root: Element = {}) =>
    profile(
      name,
      'Extension',
      [
        { path: 'Extension', ...root },
        { path: 'Extension.url', fixedUri: `${AT}/${name}` },
        { path: 'Extension.value[x]', min: 1, type: [{ code: 'code' }] },
        ...more,
      ],
      { kind: 'complex-type', context: context.map(([type, expression]) => ({ type: type as 'element', expression })) },
    );
  const { validate } = createValidator(
    loadDefinitions([
      extension('on-name', [['element', 'HumanName']]),
      extension('on-contact-name', [['element', 'Patient.contact.name']]),
      extension('on-family', [['element', 'HumanName.family']]),
      extension('anywhere', [['element', 'Element']]),
      extension('in-other', [['extension', `${AT}/holder`]]),
      extension('by-path', [['fhirpath', "Patient.name.where(use = 'official')"]]),
      extension('negates', [['element', 'Patient']], [], { isModifier: true }),
    ]),
  );
  const use = (name: string, value: object = { valueCode: 'c' }) => [{ url: `${AT}/${name}`, ...value }];
  const found = (resource: object) =>
    validate({ resourceType: 'Patient', ...resource }).map(
      ({ severity, code, expression }) => `${severity} ${code} ${expression}`,
    );

  test.each<[resource: object, found: string[]]>([
    [{ name: [{ family: 'X', extension: use('on-name') }] }, []],
    [{ extension: use('on-name') }, ['error extension Patient.extension[0]']],
    [{ contact: [{ name: { family: 'X', extension: use('on-contact-name') } }] }, []],
    [{ name: [{ family: 'X', extension: use('on-contact-name') }] }, ['error extension Patient.name[0].extension[0]']],
    [{ name: [{ family: 'X', _family: { extension: use('on-family') } }] }, []],
    [
      { birthDate: '2000', _birthDate: { extension: use('on-family') } },
      ['error extension Patient.birthDate.extension[0]'],
    ],
    [{ birthDate: '2000', _birthDate: { extension: use('anywhere') } }, []],
    [{ extension: [{ url: `${AT}/holder`, extension: use('in-other') }] }, []],
    [{ extension: use('in-other') }, ['error extension Patient.extension[0]']],
    [{ name: [{ use: 'official', family: 'X', extension: use('by-path') }] }, []],
    [
      { name: [{ use: 'old', family: 'X', extension: use('by-path') }] },
      ['error extension Patient.name[0].extension[0]'],
    ],
    [{ extension: use('anywhere', { valueString: 'x' }) }, ['error structure Patient.extension[0].value']],
    [
      { extension: use('anywhere', { extension: [{ url: 'a', valueCode: 'b' }] }) },
      ['error required Patient.extension[0].value'],
    ],
    [{ modifierExtension: use('negates') }, []],
    [{ extension: use('negates') }, ['error extension Patient.extension[0]']],
    [{ modifierExtension: use('anywhere') }, ['error extension Patient.modifierExtension[0]']],
  ])('%j', (resource, issues) => {
    expect(found(resource)).toEqual(issues);
  });

  test('one that nobody knows is fine, and mentioned only to those who ask for advice', () => {
    const resource = { resourceType: 'Patient', modifierExtension: [{ url: 'http://x.example/y', valueCode: 'c' }] };
    expect(validate(resource)).toEqual([]);
    expect(validate(resource, [], { advice: true })).toMatchObject([
      { severity: 'warning', code: 'extension', expression: ['Patient.modifierExtension[0]'] },
    ]);
  });
});

// Every single mistake in examples written for this project is found, where it is. With real guides: tests/corpus.
import type { StructureDefinition } from '@medplum/fhirtypes';
import { expect, test } from 'vitest';
import { loadDefinitions } from '../../../src/fhir/definitions.ts';
import { createValidator } from '../../../src/fhir/validation/validator.ts';
import { EXAMPLES } from './examples.ts';
import { mutantsOf } from './mutate.ts';

const PLAN = 'https://example.org/StructureDefinition/mutated-plan';
const SETTING = 'https://example.org/StructureDefinition/mutated-setting';

function profile(url: string, type: string, element: object[]): StructureDefinition {
  return {
    resourceType: 'StructureDefinition',
    url,
    name: 'Test',
    status: 'active',
    kind: type === 'Extension' ? 'complex-type' : 'resource',
    abstract: false,
    type,
    context: [{ type: 'element', expression: 'CarePlan' }],
    baseDefinition: `http://hl7.org/fhir/StructureDefinition/${type}`,
    derivation: 'constraint',
    differential: { element: element as never },
  };
}

const extension = [{ code: 'Extension', profile: [SETTING] }];
const definitions = loadDefinitions([
  profile(SETTING, 'Extension', [
    { path: 'Extension.url', fixedUri: SETTING },
    { path: 'Extension.value[x]', min: 1, type: [{ code: 'code' }] },
  ]),
  profile(PLAN, 'CarePlan', [
    { path: 'CarePlan' },
    { path: 'CarePlan.extension', sliceName: 'setting', min: 1, max: '1', type: extension },
    {
      path: 'CarePlan.category',
      min: 1,
      patternCodeableConcept: { coding: [{ system: 'http://s', code: 'transition' }] },
    },
    { path: 'CarePlan.title', min: 1, fixedString: 'Transition home' },
    { path: 'CarePlan.period.end', min: 1 },
  ]),
]);
const { validate } = createValidator(definitions);

const examples = [
  ...Object.values(EXAMPLES),
  {
    ...EXAMPLES.CarePlan,
    meta: { profile: [PLAN] },
    extension: [{ url: SETTING, valueCode: 'home' }],
    category: [{ coding: [{ system: 'http://s', code: 'transition' }] }],
  },
];

test.each(examples.map((example) => [example.resourceType, example]))('%s', (_, example) => {
  expect(validate(example)).toEqual([]);
  const mutants = [...mutantsOf(example, definitions)];
  const missed = mutants.flatMap(({ kind, expression, make }) => {
    const found = validate(make()).flatMap((issue) => (issue.severity === 'error' ? (issue.expression ?? []) : []));
    return found.includes(expression) ? [] : [`${kind} at ${expression}: ${found.slice(0, 3).join(' ') || 'nothing'}`];
  });
  expect(missed).toEqual([]);
  expect(mutants.length).toBeGreaterThan(20);
});

test('mistakes of every kind, a thousand in all', () => {
  const mutants = examples.flatMap((example) => [...mutantsOf(example, definitions)]);
  const kinds = new Set(mutants.map(({ kind }) => kind));
  expect(mutants.length).toBeGreaterThan(1_000);
  expect([...kinds].filter((kind) => kind.startsWith('profile: '))).toHaveLength(5);
  expect(kinds.size).toBeGreaterThan(14);
});

// Profiles: what they ask for beyond the base type, shown with a profile for transition plans made for these tests.
import type { ElementDefinition, StructureDefinition } from '@medplum/fhirtypes';
import { describe, expect, test } from 'vitest';
import { loadDefinitions } from '../../../src/fhir/definitions.ts';
import { createValidator } from '../../../src/fhir/validation/validator.ts';
import { EXAMPLES } from './examples.ts';
import { spoil } from './spoil.ts';

const PLAN = 'https://example.org/StructureDefinition/plan';
const SETTING = 'https://example.org/StructureDefinition/setting';
const TEAM = 'https://example.org/ValueSet/team';

type Element = Omit<Partial<ElementDefinition>, 'path'> & { id: string };

/** A profile with only the elements that it constrains; paths follow from ids. */
function profile(url: string, type: string, elements: Element[]): StructureDefinition {
  const element = elements.map((one) => ({ ...one, path: one.id.replace(/:[^.]+/g, '') }) as ElementDefinition);
  return {
    resourceType: 'StructureDefinition',
    url,
    name: 'Test',
    status: 'active',
    kind: 'resource',
    abstract: false,
    type,
    baseDefinition: `http://hl7.org/fhir/StructureDefinition/${type}`,
    derivation: 'constraint',
    snapshot: { element },
  };
}

const setting = profile(SETTING, 'Extension', [
  { id: 'Extension', min: 0, max: '*' },
  { id: 'Extension.extension', min: 0, max: '0' },
  { id: 'Extension.url', min: 1, max: '1', fixedUri: SETTING },
  {
    id: 'Extension.value[x]',
    min: 1,
    max: '1',
    type: [{ code: 'code' }],
    binding: { strength: 'required', valueSet: TEAM },
  },
]);

const plan = profile(PLAN, 'CarePlan', [
  {
    id: 'CarePlan',
    min: 0,
    max: '*',
    constraint: [
      {
        key: 'plan-1',
        severity: 'error',
        human: 'A plan has a title or a description',
        expression: 'title.exists() or description.exists()',
      },
    ],
  },
  {
    id: 'CarePlan.extension',
    min: 0,
    max: '*',
    slicing: { rules: 'open', discriminator: [{ type: 'value', path: 'url' }] },
  },
  {
    id: 'CarePlan.extension:setting',
    sliceName: 'setting',
    min: 1,
    max: '1',
    type: [{ code: 'Extension', profile: [SETTING] }],
  },
  { id: 'CarePlan.intent', min: 1, max: '1', fixedCode: 'plan' },
  { id: 'CarePlan.title', min: 0, max: '1', maxLength: 20 },
  {
    id: 'CarePlan.category',
    min: 1,
    max: '3',
    slicing: { rules: 'closed', discriminator: [{ type: 'pattern', path: '$this' }] },
  },
  {
    id: 'CarePlan.category:kind',
    sliceName: 'kind',
    min: 1,
    max: '1',
    patternCodeableConcept: { coding: [{ system: 'http://s', code: 'transition' }] },
  },
  { id: 'CarePlan.category:extra', sliceName: 'extra', min: 0, max: '1', patternCodeableConcept: { text: 'extra' } },
  {
    id: 'CarePlan.subject',
    min: 1,
    max: '1',
    type: [{ code: 'Reference', targetProfile: ['http://hl7.org/fhir/StructureDefinition/Patient'] }],
  },
  { id: 'CarePlan.period', min: 1, max: '1', type: [{ code: 'Period' }] },
  { id: 'CarePlan.period.end', min: 1, max: '1' },
  { id: 'CarePlan.replaces', min: 0, max: '0' },
  {
    id: 'CarePlan.activity',
    min: 0,
    max: '*',
    slicing: {
      rules: 'open',
      discriminator: [
        { type: 'exists', path: 'reference' },
        { type: 'type', path: 'reference.resolve()' },
      ],
    },
  },
  { id: 'CarePlan.activity:task', sliceName: 'task', min: 1, max: '2' },
  {
    id: 'CarePlan.activity:task.reference',
    min: 1,
    max: '1',
    type: [{ code: 'Reference', targetProfile: ['http://hl7.org/fhir/StructureDefinition/Task'] }],
  },
  { id: 'CarePlan.activity:task.progress', min: 1, max: '*' },
]);

const team = {
  resourceType: 'ValueSet',
  url: TEAM,
  status: 'active',
  compose: { include: [{ system: 'http://t', concept: [{ code: 'home' }, { code: 'snf' }] }] },
} as const;

const validator = createValidator(
  loadDefinitions([plan, setting, { ...team, compose: { include: [...team.compose.include] as never } }]),
);

const GOOD = {
  ...EXAMPLES.CarePlan,
  meta: { profile: [PLAN] },
  extension: [
    { url: SETTING, valueCode: 'home' },
    { url: 'http://other', valueString: 'free' },
  ],
  category: [{ coding: [{ system: 'http://s', code: 'transition', display: 'T' }], text: 't' }, { text: 'extra' }],
};

function errors(resource: unknown, profiles?: string[]): string[] {
  const found = validator.validate(resource, profiles).filter(({ severity }) => severity === 'error');
  return found.map(({ code, expression }) => `${code} at ${expression?.[0]}`);
}

describe('a profile', () => {
  test('accepts what conforms', () => expect(validator.validate(GOOD)).toEqual([]));

  test.each<[path: string, value: unknown, error: string]>([
    ['intent', 'order', 'value at CarePlan.intent'],
    ['title', 'A title that is much too long', 'value at CarePlan.title'],
    ['title', undefined, 'invariant at CarePlan'],
    ['period', undefined, 'required at CarePlan.period'],
    ['period.end', undefined, 'required at CarePlan.period.end'],
    ['replaces', [{ reference: 'CarePlan/1' }], 'structure at CarePlan.replaces[0]'],
    ['subject.reference', 'Group/1', 'value at CarePlan.subject'],
    ['extension', [{ url: 'http://other', valueString: 'free' }], 'required at CarePlan.extension'],
    ['extension.0.valueCode', 'moon', 'code-invalid at CarePlan.extension[0].value'],
    ['extension.1', { url: SETTING, valueCode: 'snf' }, 'structure at CarePlan.extension[1]'],
    ['extension.0', { url: SETTING, valueString: 'home' }, 'structure at CarePlan.extension[0].value'],
    ['category.0.coding.0.code', 'other', 'structure at CarePlan.category[0]'],
    ['category.1.text', 'unknown', 'structure at CarePlan.category[1]'],
    ['category.1', GOOD.category[0], 'structure at CarePlan.category[1]'],
    ['activity.0.reference.reference', 'Appointment/1', 'required at CarePlan.activity'],
    ['activity.0.progress', undefined, 'required at CarePlan.activity[0].progress'],
  ])('refuses %s = %j', (path, value, error) => {
    expect(errors(spoil(GOOD, path, value))).toContain(error);
  });

  test('is checked when asked for, and then without being claimed', () => {
    const unclaimed = { ...GOOD, meta: undefined, intent: 'order' };
    delete (unclaimed as { meta?: unknown }).meta;
    expect(errors(unclaimed)).toEqual([]);
    expect(errors(unclaimed, [PLAN])).toEqual(['value at CarePlan.intent']);
    expect(errors(unclaimed, [`${PLAN}|1.0.0`])).toEqual(['value at CarePlan.intent']);
  });

  test('is checked on resources inside a Bundle', () => {
    const bundle = { resourceType: 'Bundle', type: 'collection', entry: [{ resource: { ...GOOD, intent: 'order' } }] };
    expect(errors(bundle)).toEqual(['value at Bundle.entry[0].resource.intent']);
  });

  test('that is not installed is a warning', () => {
    const [issue, ...others] = validator.validate({ ...EXAMPLES.Patient, meta: { profile: ['http://nowhere'] } });
    expect(issue).toMatchObject({ severity: 'warning', code: 'not-found', expression: ['Patient.meta.profile'] });
    expect(others).toEqual([]);
  });

  test('for another type is an error', () => {
    expect(errors({ ...EXAMPLES.Task, meta: { profile: [PLAN] } })).toEqual(['structure at Task.meta.profile']);
  });

  test('with a rule that cannot be compiled loses only that rule', () => {
    const broken = profile('https://example.org/broken', 'Task', [
      { id: 'Task', constraint: [{ key: 'x-1', severity: 'error', human: 'x', expression: 'foo(' }] },
      { id: 'Task.priority', min: 0, max: '0' },
    ]);
    const own = createValidator(loadDefinitions([broken]));
    const issues = own.validate(EXAMPLES.Task, [broken.url]);
    expect(issues.map(({ severity, code }) => `${severity} ${code}`)).toEqual([
      'error structure',
      'warning processing',
    ]);
    expect(issues[1]?.details?.text).toContain('x-1');
  });
});

test('a profile without snapshot is refused by name', () => {
  const { snapshot: _, ...bare } = plan;
  expect(() => loadDefinitions([bare])).toThrow(PLAN);
});

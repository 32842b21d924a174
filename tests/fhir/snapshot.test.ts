// Snapshots from differentials, on profiles written for these tests; real guides are in tests/corpus.
import type { ElementDefinition, StructureDefinition } from '@medplum/fhirtypes';
import { describe, expect, test } from 'vitest';
import { baseStructures } from '../../src/fhir/base-structures.ts';
import { loadDefinitions } from '../../src/fhir/definitions.ts';
import type { SnapshotSource } from '../../src/fhir/snapshot/draft.ts';
import { generateSnapshot } from '../../src/fhir/snapshot/generate-snapshot.ts';
import { createValidator } from '../../src/fhir/validation/validator.ts';

type Element = Partial<ElementDefinition>;

const known = new Map<string, SnapshotSource>();
for (const structure of baseStructures()) known.set(structure.url, structure).set(structure.name, structure);

function differential(type: string, element: Element[], more: Partial<StructureDefinition> = {}): StructureDefinition {
  return {
    resourceType: 'StructureDefinition',
    url: `https://example.org/StructureDefinition/${type.toLowerCase()}`,
    name: 'Test',
    status: 'active',
    kind: 'resource',
    abstract: false,
    type,
    baseDefinition: `http://hl7.org/fhir/StructureDefinition/${type}`,
    derivation: 'constraint',
    differential: { element: element as ElementDefinition[] },
    ...more,
  };
}

function snapshot(definition: StructureDefinition): Map<string, ElementDefinition> {
  const { snapshot: made } = generateSnapshot(definition, (url) => known.get(url));
  return new Map((made?.element ?? []).map((element) => [element.id ?? '', element]));
}

test('what the differential leaves alone is as in the base', () => {
  const made = snapshot(differential('Goal', [{ id: 'Goal', path: 'Goal' }]));
  const base = baseStructures().find(({ name }) => name === 'Goal');
  expect([...made.values()]).toEqual(base?.elements);
});

test('cardinality, flags, values and rules are merged; the order is that of the base', () => {
  const made = snapshot(
    differential('Task', [
      { id: 'Task', path: 'Task', constraint: [{ key: 't-1', severity: 'error', human: 'x', expression: 'true' }] },
      { id: 'Task.priority', path: 'Task.priority', min: 1, mustSupport: true, fixedCode: 'urgent' },
    ]),
  );
  expect(made.get('Task.priority')).toMatchObject({ min: 1, max: '1', mustSupport: true, fixedCode: 'urgent' });
  expect(made.get('Task.priority')?.type).toEqual([{ code: 'code' }]);
  const rules = made.get('Task')?.constraint?.map(({ key }) => key);
  expect(rules).toContain('t-1');
  expect(rules).toContain('dom-2');
  expect([...made.keys()].slice(0, 3)).toEqual(['Task', 'Task.id', 'Task.meta']);
});

test('an element of a data type brings the other elements of its type', () => {
  const made = snapshot(
    differential('Task', [{ id: 'Task.code.coding.system', path: 'Task.code.coding.system', min: 1 }]),
  );
  expect(made.get('Task.code.coding.system')).toMatchObject({ min: 1, path: 'Task.code.coding.system' });
  expect(made.get('Task.code.text')?.type).toEqual([{ code: 'string' }]);
  expect(made.get('Task.code.coding.display')?.max).toBe('1');
});

test('a content reference is replaced by what it refers to', () => {
  const made = snapshot(
    differential('Questionnaire', [
      { id: 'Questionnaire.item.item.text', path: 'Questionnaire.item.item.text', min: 1 },
    ]),
  );
  expect(made.get('Questionnaire.item.item')?.contentReference).toBeUndefined();
  expect(made.get('Questionnaire.item.item')?.type).toEqual([{ code: 'BackboneElement' }]);
  expect(made.get('Questionnaire.item.item.text')?.min).toBe(1);
  expect(made.get('Questionnaire.item.text')?.min).toBe(0);
  expect(made.get('Questionnaire.item.item.item')?.contentReference).toBe('#Questionnaire.item');
});

describe('choices', () => {
  test('one required type leaves no other', () => {
    const made = snapshot(differential('Observation', [{ path: 'Observation.valueQuantity', min: 1 }]));
    expect(made.get('Observation.value[x]')).toMatchObject({
      min: 1,
      type: [{ code: 'Quantity' }],
      slicing: { discriminator: [{ type: 'type', path: '$this' }], rules: 'closed' },
    });
    expect(made.get('Observation.value[x]:valueQuantity')).toMatchObject({ path: 'Observation.value[x]', min: 1 });
  });

  test('an optional type leaves the others open', () => {
    const made = snapshot(differential('Observation', [{ path: 'Observation.valueQuantity.unit', min: 1 }]));
    expect(made.get('Observation.value[x]')?.type?.length).toBe(11);
    expect(made.get('Observation.value[x]')?.slicing?.rules).toBe('open');
    expect(made.get('Observation.value[x]:valueQuantity.unit')?.min).toBe(1);
  });

  test('inside a slice the element itself is limited', () => {
    const made = snapshot(
      differential('Observation', [
        { id: 'Observation.component', path: 'Observation.component', slicing: { rules: 'open' } },
        { id: 'Observation.component:a', path: 'Observation.component', sliceName: 'a', min: 1 },
        { id: 'Observation.component:a.valueQuantity', path: 'Observation.component.valueQuantity', min: 1 },
      ]),
    );
    expect(made.get('Observation.component:a.value[x]')).toMatchObject({ min: 1, type: [{ code: 'Quantity' }] });
    expect(made.get('Observation.component.value[x]')?.type?.length).toBe(11);
  });
});

describe('slices', () => {
  const slicing = { discriminator: [{ type: 'value' as const, path: 'use' }], rules: 'open' as const };
  const sliced = differential('Patient', [
    { path: 'Patient' },
    { path: 'Patient.name', slicing },
    { path: 'Patient.name', sliceName: 'official', min: 1, max: '1' },
    { path: 'Patient.name.use', min: 1, fixedCode: 'official' },
    { path: 'Patient.name', sliceName: 'official/latin' },
    { path: 'Patient.name.family', min: 1 },
    { path: 'Patient.name', sliceName: 'old' },
  ]);

  test('start from the element and are optional; ids follow from names where they are left out', () => {
    const made = snapshot(sliced);
    const ids = [...made.keys()].filter((id) => /^Patient\.name(:[\w/]+)?(\.(use|family))?$/.test(id));
    expect(ids).toEqual([
      'Patient.name',
      'Patient.name:official',
      'Patient.name:official.use',
      'Patient.name:official.family',
      'Patient.name:official/latin',
      'Patient.name:official/latin.use',
      'Patient.name:official/latin.family',
      'Patient.name:old',
    ]);
    expect(made.get('Patient.name:official')).toMatchObject({ min: 1, max: '1', sliceName: 'official' });
    expect(made.get('Patient.name:official/latin')).toMatchObject({ min: 0, max: '1' });
    expect(made.get('Patient.name:official/latin.use')?.fixedCode).toBe('official');
    expect(made.get('Patient.name:old')).toMatchObject({ min: 0, max: '*' });
  });

  test('of a base profile are constrained further', () => {
    const base = generateSnapshot(sliced, (url) => known.get(url));
    const derived = differential('Patient', [{ id: 'Patient.name:old.period', path: 'Patient.name.period', min: 1 }], {
      baseDefinition: 'https://example.org/base',
    });
    const { snapshot: made } = generateSnapshot(derived, (url) =>
      url === derived.baseDefinition
        ? { url, type: 'Patient', elements: base.snapshot?.element ?? [] }
        : known.get(url),
    );
    const byId = new Map(made?.element.map((element) => [element.id, element]));
    expect(byId.get('Patient.name:old.period')?.min).toBe(1);
    expect(byId.get('Patient.name:official')?.min).toBe(1);
  });

  test('extensions are told apart by url without saying so', () => {
    const type = [{ code: 'Extension', profile: ['https://example.org/StructureDefinition/x'] }];
    const made = snapshot(
      differential('Patient', [{ id: 'Patient.extension:x', path: 'Patient.extension', sliceName: 'x', min: 1, type }]),
    );
    expect(made.get('Patient.extension')?.slicing?.discriminator).toEqual([{ type: 'value', path: 'url' }]);
    expect(made.get('Patient.extension:x')).toMatchObject({ min: 1, type });
  });
});

test('a logical model adds elements', () => {
  const made = snapshot(
    differential(
      'https://example.org/Case',
      [{ path: 'Case' }, { path: 'Case.note', min: 1, type: [{ code: 'string' }] }],
      {
        kind: 'logical',
        derivation: 'specialization',
        baseDefinition: 'http://hl7.org/fhir/StructureDefinition/Element',
      },
    ),
  );
  expect(made.get('Case.note')).toMatchObject({ min: 1, type: [{ code: 'string' }] });
  expect(made.get('Case.id')?.max).toBe('1');
});

test('an unknown base and an unknown element are refused by name', () => {
  const orphan = differential('Patient', [], { baseDefinition: 'https://example.org/none' });
  expect(() => snapshot(orphan)).toThrow('https://example.org/none, which is not installed');
  expect(() => snapshot(differential('Patient', [{ path: 'Patient.nickname' }]))).toThrow('Patient.nickname');
});

test('a profile without snapshot validates as one with it', () => {
  const profile = differential('Patient', [{ path: 'Patient' }, { path: 'Patient.name.family', min: 1 }]);
  const { validate } = createValidator(loadDefinitions([profile]));
  const errors = (resource: object) => validate(resource, [profile.url]).map(({ expression }) => expression?.[0]);
  expect(errors({ resourceType: 'Patient', name: [{ given: ['A'] }] })).toEqual(['Patient.name[0].family']);
  expect(errors({ resourceType: 'Patient', name: [{ family: 'A' }] })).toEqual([]);
});

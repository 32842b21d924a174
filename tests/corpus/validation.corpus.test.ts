// Real data that nobody here wrote: it is valid, or the rule that it really breaks is listed.
import { basename } from 'node:path';
import type { Resource } from '@medplum/fhirtypes';
import { describe, expect, test } from 'vitest';
import { loadDefinitions } from '../../src/fhir/definitions.ts';
import { createValidator, type Validator } from '../../src/fhir/validation/validator.ts';
import { corpusFiles, readBundle, readPackage } from './packages.ts';

/** Errors by place and rule, with how often they occur. */
function errorCounts(validator: Validator, resources: readonly Resource[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const resource of resources) {
    for (const { severity, code, details, expression } of validator.validate(resource)) {
      if (severity !== 'error') continue;
      const rule = /\(([a-z]+-\w+)\)$/.exec(details?.text ?? '')?.[1] ?? code;
      const key = `${rule} at ${expression?.[0]?.replace(/\[\d+\]/g, '')}`;
      counts[key] = (counts[key] ?? 0) + 1;
    }
  }
  return counts;
}

const synthea = corpusFiles('synthea');
describe.skipIf(synthea.length === 0)('Synthea', () => {
  test('all resources are valid R4, alone and in their bundles', () => {
    const validator = createValidator(loadDefinitions());
    const bundles = synthea.map(readBundle);
    const resources = bundles.flatMap(({ entry }) => (entry ?? []).flatMap(({ resource }) => resource ?? []));
    expect(resources.length).toBeGreaterThan(13_000);
    expect(errorCounts(validator, resources)).toEqual({});
    expect(errorCounts(validator, bundles)).toEqual({});
  });
});

/** What the published packages really break, by package. */
const KNOWN: Record<string, Record<string, number>> = {
  // Two OperationDefinitions give target profiles to parameters of type Bundle.
  'hl7.fhir.us.davinci-pas-2.2.1.tgz': { 'opd-3 at OperationDefinition.parameter': 4 },
};

const packages = corpusFiles('igs');
describe.skipIf(packages.length === 0)('implementation guides', () => {
  test.each(packages.map((file) => [basename(file), file]))(
    '%s: examples conform to their profiles, artefacts to R4',
    (name, file) => {
      const { examples, artefacts } = readPackage(file);
      expect(examples.length).toBeGreaterThan(40);
      const validator = createValidator(loadDefinitions(artefacts));
      expect(errorCounts(validator, examples)).toEqual({});
      expect(errorCounts(validator, artefacts)).toEqual(KNOWN[name] ?? {});
    },
  );

  test.each(packages.map((file) => [basename(file), file]))(
    '%s: examples conform also with the snapshots that Baton makes, and with the guide that theirs builds on',
    (_, file) => {
      const { examples, artefacts } = readPackage(file);
      const basis = packages.find((one) => one.includes('us.core-7'));
      const installed =
        file.includes('us.core') || !basis ? artefacts : [...readPackage(basis).artefacts, ...artefacts];
      const validator = createValidator(loadDefinitions(installed.map(withoutSnapshot)));
      expect(errorCounts(validator, examples)).toEqual({});
    },
  );
});

/** Published snapshots stay only where the base, from which one could be made, is not in the corpus. */
function withoutSnapshot(resource: Resource): Resource {
  if (resource.resourceType !== 'StructureDefinition') return resource;
  if (/\/(sdc-questionnaireresponse|backport-subscription|Base)\b/.test(resource.baseDefinition ?? '')) return resource;
  const { snapshot: _, ...bare } = resource;
  return bare;
}

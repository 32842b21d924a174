import { expect, test } from 'vitest';
import { missingDependencies } from '../../../src/fhir/package/guide.ts';
import { compareVersions } from '../../../src/fhir/package/version-order.ts';

test('versions are ordered as semantic versioning orders them', () => {
  const ordered = [
    '',
    '0.9',
    '1.0.0-ballot',
    '1.0.0-ballot2',
    '1.0.0',
    '1.9.0',
    '1.10.0',
    '2.0.0-1',
    '2.0.0-alpha',
    '2.0.0',
  ];
  expect(ordered.toReversed().sort(compareVersions)).toEqual(ordered);
  expect(compareVersions('1.0.0+build', '1.0.0')).toBe(0);
  expect(compareVersions(undefined, '1')).toBeLessThan(0);
});

test('a dependency is met by its name or an alias of it, and by any patch where it says so', () => {
  const guide = (name: string, version: string, dependencies = {}) => ({
    name,
    version,
    dependencies,
    canonical: '',
    title: '',
    digest: '',
  });
  const asking = guide('a.b', '1.0.0', {
    'hl7.fhir.r4.core': '4.0.1',
    'hl7.fhir.us.core': '7.0.0',
    'hl7.fhir.us.core.v610': '6.1.0',
    'hl7.terminology.r4': '5.5.x',
    'us.nlm.vsac': '0.18.0',
  });
  const installed = [
    guide('hl7.fhir.us.core', '6.1.0'),
    guide('hl7.terminology.r4', '5.5.3'),
    guide('us.nlm.vsac', '0.1.0'),
  ];
  expect(missingDependencies(asking, installed)).toEqual(['hl7.fhir.us.core@7.0.0', 'us.nlm.vsac@0.18.0']);
});

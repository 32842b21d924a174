// What an operator demands of resources beyond R4.
import { expect, test } from 'vitest';
import { createConformance } from '../../../src/fhir/conformance.ts';
import type { ProfileRules } from '../../../src/fhir/validation/profile-rules.ts';
import { PROFILE, patientProfile, wardExtension } from '../../support/guide-artefacts.ts';

const BROUGHT = [patientProfile('1.0.0', 'gender'), wardExtension('1.0.0', 'string')];

function errors(rules: Partial<ProfileRules>, resource: object) {
  const { validate } = createConformance(BROUGHT, { required: {}, unknownProfile: 'warning', ...rules });
  return validate(resource)
    .filter(({ severity }) => severity === 'error')
    .map(({ expression, details }) => `${expression?.[0]}: ${details?.text}`);
}

test('a required profile is checked whether claimed or not, on its own type only', () => {
  const required = { Patient: [PROFILE] };
  expect(errors({}, { resourceType: 'Patient' })).toEqual([]);
  expect(errors({ required }, { resourceType: 'Patient' })).toEqual([expect.stringContaining('gender')]);
  expect(errors({ required }, { resourceType: 'Patient', gender: 'female' })).toEqual([]);
  expect(errors({ required }, { resourceType: 'Basic', code: { text: 'x' } })).toEqual([]);
});

test('a required profile that is not installed, or cannot be used, lets nothing pass', () => {
  const lost = { Patient: [`${PROFILE}|9.0.0`] };
  expect(errors({ required: lost }, { resourceType: 'Patient', gender: 'female' })).toEqual([
    expect.stringContaining('not installed'),
  ]);
  const orphan = { ...patientProfile('1.0.0', 'gender'), url: 'http://o', baseDefinition: 'http://nowhere' };
  const { validate } = createConformance([...BROUGHT, orphan], {
    required: { Patient: ['http://o'] },
    unknownProfile: 'warning',
  });
  expect(validate({ resourceType: 'Patient', gender: 'female' }).some(({ severity }) => severity === 'error')).toBe(
    true,
  );
});

test('a claim of an unknown profile is a warning, or an error where that is demanded', () => {
  const claiming = { resourceType: 'Patient', meta: { profile: ['http://unknown'] } };
  expect(errors({}, claiming)).toEqual([]);
  expect(errors({ unknownProfile: 'error' }, claiming)).toEqual([expect.stringContaining('http://unknown')]);
  expect(errors({ unknownProfile: 'error' }, { ...claiming, meta: { profile: [PROFILE] }, gender: 'male' })).toEqual(
    [],
  );
});

test('what is no resource at all is still answered by validation', () => {
  for (const value of [null, 1, 'x', [], {}])
    expect(errors({ unknownProfile: 'error' }, value as object)).toHaveLength(1);
});

// Folding, expressions taken apart, and references read from their text.
import { expect, test } from 'vitest';
import { branchesFor, splitResolve } from '../../../src/fhir/search/expression.ts';
import { fold } from '../../../src/fhir/search/fold.ts';
import { referenceTarget, typeOfTarget } from '../../../src/fhir/search/reference-target.ts';

const BASE = 'https://baton.test/fhir/R4';

test.each([
  ['Müller', 'muller'],
  ['Mu\u0308ller', 'muller'],
  ['  de   la\tCruz ', 'de la cruz'],
  ['NGUYỄN', 'nguyen'],
])('%j is compared as %j', (text, folded) => {
  expect(fold(text)).toBe(folded);
});

test('only the branches of the type are kept, without the parentheses around them', () => {
  const expression = "Task.for.where(a | b) | (Patient.deceased.ofType(dateTime)) | Task.code.where(text = '|')";
  expect(branchesFor(expression, 'Task')).toEqual(['Task.for.where(a | b)', "Task.code.where(text = '|')"]);
  expect(branchesFor(expression, 'Patient')).toEqual(['Patient.deceased.ofType(dateTime)']);
  expect(branchesFor('name | alias', 'InsurancePlan')).toEqual(['name', 'alias']);
});

test('the type that a reference must resolve to is told apart from the path', () => {
  expect(splitResolve('Task.for.where(resolve() is Patient)')).toEqual({ path: 'Task.for', resolvesTo: 'Patient' });
  expect(splitResolve('Task.owner')).toEqual({ path: 'Task.owner' });
});

test.each([
  ['Patient/1', { type: 'Patient', id: '1' }],
  ['Patient/1/_history/3', { type: 'Patient', id: '1' }],
  [`${BASE}/Patient/1`, { type: 'Patient', id: '1' }],
  ['https://other.test/fhir/R4/Patient/1', { type: '', id: 'https://other.test/fhir/R4/Patient/1' }],
  ['https://other.test/fhir/R4/Patient/1/_history/2', { type: '', id: 'https://other.test/fhir/R4/Patient/1' }],
  ['urn:uuid:4711', { type: '', id: 'urn:uuid:4711' }],
  ['#contained', undefined],
  ['', undefined],
])('%j points at %j', (text, target) => {
  expect(referenceTarget(text, BASE)).toEqual(target);
});

test('the type of a resource elsewhere shows in its URL', () => {
  expect(typeOfTarget({ type: '', id: 'https://other.test/fhir/Patient/1' })).toBe('Patient');
  expect(typeOfTarget({ type: '', id: 'urn:uuid:4711' })).toBeUndefined();
});

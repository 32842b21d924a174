// Search parameters of guides against R4: what is new, what is there already, what would find nothing.
import type { SearchParameter } from '@medplum/fhirtypes';
import { expect, test } from 'vitest';
import { chooseGuideParameters } from '../../../src/fhir/search/guide-parameters.ts';
import { loadSearchParameters } from '../../../src/fhir/search/parameters.ts';
import { settlePath } from '../../../src/fhir/search/settle-path.ts';
import { searchParameter } from '../../support/guide-artefacts.ts';

const known = loadSearchParameters([]);
const choose = (...offered: Partial<SearchParameter>[]) => chooseGuideParameters(offered.map(searchParameter), known);

test('what R4 has already stays as R4 has it, on each type by itself', () => {
  const patient = { code: 'patient', type: 'reference', expression: 'Goal.subject' } as const;
  expect(choose(patient)).toEqual({ added: [], unused: [] });
  const mixed = { code: 'description', base: ['Goal', 'ImplementationGuide'], expression: 'Goal.description' } as const;
  const { added, unused } = choose({ ...mixed, base: [...mixed.base] });
  expect(added.map(({ base }) => base)).toEqual([['Goal']]);
  expect(unused.map(({ name, why }) => [name, why])).toEqual([
    ['ImplementationGuide.description', expect.stringContaining('of type token')],
  ]);
});

test('the first of two guides that define one name decides', () => {
  const { added, unused } = choose(
    {},
    { url: 'http://b', expression: 'Goal.note' },
    { url: 'http://c', type: 'string' },
  );
  expect(added.map(({ expression }) => expression)).toEqual(['Goal.description']);
  expect(unused.map(({ url }) => url)).toEqual(['http://c']);
});

test.each([
  [
    "Condition.extension.where(url = 'a.b').valueDateTime",
    "Condition.extension.where(url = 'a.b').value.ofType(dateTime)",
  ],
  ['Goal.target.dueDate', 'Goal.target.due.ofType(date)'],
  ['Goal.target.due', 'Goal.target.due'],
  ["Patient.extension('http://x').value.as(Coding).code", "Patient.extension('http://x').value.as(Coding).code"],
  ['Patient.contact.first().name.family', 'Patient.contact.first().name.family'],
  ['Resource.meta.tag', 'Resource.meta.tag'],
  ['Bundle.entry[0].resource', 'Bundle.entry[0].resource'],
  ['(Goal.target.due as date)', '(Goal.target.due as date)'],
])('%s is %s', (written, meant) => {
  const type = written.replace('(', '').split('.')[0] ?? '';
  expect(settlePath(written, type)).toEqual({ path: meant });
});

test.each([
  ['Goal.nowhere', 'Goal has no element nowhere'],
  ['Goal.description.coding.codes', 'Coding has no element codes'],
  ['Goal.target.dueString', 'Goal.target has no element dueString'],
  ['Goal.description(', 'not supported'],
  ['Goal.target.where(due < today()).measure', 'changes with the time'],
])('%s is not used', (expression, why) => {
  expect(choose({ expression }).unused.map((one) => one.why)).toEqual([expect.stringContaining(why)]);
});

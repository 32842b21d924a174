// Criteria of one identifier that are looked up mean what they would mean as a search; all others are left to the search.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseSearchUrl } from '../../../src/fhir/search/parse.ts';
import { soleIdentifier } from '../../../src/fhir/search/sole-identifier.ts';
import { TEST_BASE_URL, testParameters } from '../../support/store-rules.ts';

/** The conditions of the search; undefined when it is refused. */
function searched(query: string) {
  try {
    const options = { handling: 'strict', baseUrl: TEST_BASE_URL } as const;
    return parseSearchUrl(testParameters, `Patient?${query}`, options).conditions;
  } catch {
    return undefined;
  }
}

const PIECES = [
  'urn:a',
  '|',
  '\\',
  '\\|',
  '\\,',
  ',',
  '%7C',
  '%2C',
  '%5C',
  '+',
  '%2B',
  '%',
  '%E2%82%AC',
  '%FF',
  '%00',
  '&',
  '=',
  '#',
  '?',
  ' ',
  '\n',
  '€',
  '1',
  'identifier=',
];

test('a criterion that is looked up is that one match of the search', () => {
  const part = fc.array(fc.constantFrom(...PIECES), { maxLength: 3 }).map((pieces) => pieces.join(''));
  const value = fc.tuple(part, fc.constantFrom('|', '|', '%7C', ''), part).map((parts) => parts.join(''));
  const name = fc.constantFrom('identifier', 'identifier', 'identifier:not', '_id');
  let lookedUp = 0;
  fc.assert(
    fc.property(name, value, (each, text) => {
      const sole = soleIdentifier(`${each}=${text}`);
      if (!sole) return;
      lookedUp += 1;
      const match = { kind: 'token', system: sole.system, code: sole.value };
      const parameter = { type: 'Patient', code: 'identifier' };
      expect(searched(`${each}=${text}`)).toEqual([{ kind: 'match', parameter, anyOf: [match], negated: false }]);
    }),
    { numRuns: 3_000 },
  );
  expect(lookedUp).toBeGreaterThan(100);
});

test.each([
  'identifier=1',
  'identifier=|1',
  'identifier=urn:a|',
  'identifier=urn:a|1,urn:a|2',
  'identifier=urn:a|1|2',
  '',
])('"%s" is left to the search', (query) => expect(soleIdentifier(query)).toBeUndefined());

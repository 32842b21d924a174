// Regular expressions without backtracking: they agree with JavaScript's, and no pattern takes long.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { wholeMatch } from '../../../src/fhir/terminology/linear-regex.ts';

describe('patterns', () => {
  it.each([
    ['[A-Z]{3}', 'ABC', 'AB'],
    ['a|bc|', 'bc', 'b'],
    ['(ab)+c?', 'ababc', 'abca'],
    ['(?:x|y){2,3}', 'xyx', 'xyxy'],
    ['\\d+\\.\\d*', '10.', '.5'],
    ['[^a-c-]+', 'xyz', 'x-'],
    ['^ab$', 'ab', 'abc'],
    ['.*é.*', 'café', 'cafe'],
    ['a{0}b', 'b', 'ab'],
    ['[\\w.-]+', 'a.b-c', 'a b'],
    ['😀+', '😀😀', '😀a'],
  ])('%s matches %s, not %s', (pattern, yes, no) => {
    const matches = wholeMatch(pattern);
    expect([matches(yes), matches(no)]).toEqual([true, false]);
  });

  it.each([
    '(a',
    'a)',
    '*',
    'a**',
    '[a',
    '[b-a]',
    '(?=a)',
    '(?<n>a)',
    '\\1',
    '\\p{L}',
    'a{2,1}',
    'a{',
    'x{9999}',
    '\\',
  ])('refuses %s', (pattern) => {
    expect(() => wholeMatch(pattern)).toThrow(/cannot be used/);
  });

  it('refuses one that grows too large', () => {
    expect(() => wholeMatch('((a{100}){100}){100}')).toThrow(/too large/);
    expect(() => wholeMatch('(((){1000}){1000}){1000}')).toThrow(/too large/);
    expect(() => wholeMatch(`${'('.repeat(60)}a${')'.repeat(60)}`)).toThrow(/nested/);
  });
});

const piece = fc.constantFrom('a', 'b', 'c', '.', '[ab]', '[^a]', '(a|b)', '(?:bc)', '\\w');
const repeated = fc
  .tuple(piece, fc.constantFrom('', '*', '+', '?', '{2}', '{1,2}', '{0,}'))
  .map((pair) => pair.join(''));
const pattern = fc.array(repeated, { maxLength: 5 }).map((parts) => parts.join(''));
const anyPattern = fc.array(pattern, { minLength: 1, maxLength: 3 }).map((options) => options.join('|'));
const text = fc.string({ unit: fc.constantFrom('a', 'b', 'c', 'd'), maxLength: 8 });

it('agrees with JavaScript', () => {
  fc.assert(
    fc.property(anyPattern, text, (source, given) => {
      expect(wholeMatch(source)(given)).toBe(new RegExp(`^(?:${source})$`).test(given));
    }),
    { numRuns: 2_000 },
  );
});

it('takes no time over patterns that keep a backtracking engine busy for ever', () => {
  const began = performance.now();
  for (const evil of ['(a+)+b', '(a|a)*b', '(a|aa)+b', '(.*a){20}b'])
    expect(wholeMatch(evil)('a'.repeat(2_000))).toBe(false);
  expect(performance.now() - began).toBeLessThan(3_000);
});

// JSON whose decimals keep their digits.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cloneExact, exactText, keepExact, parseExact, sameExact, stringifyExact } from '../../src/fhir/exact-json.ts';

/** Numbers in every way that JSON can write them. */
const number = fc
  .tuple(
    fc.constantFrom('', '-'),
    fc.oneof(fc.constant('0'), fc.stringMatching(/^[1-9]\d{0,25}$/)),
    fc.oneof(fc.constant(''), fc.stringMatching(/^\.\d{1,25}$/)),
    fc.oneof(fc.constant(''), fc.stringMatching(/^[eE][+-]?\d{1,2}$/)),
  )
  .map((parts) => parts.join(''));

/** JSON text of a tree whose numbers are in objects, as FHIR's are; names and texts that look like numbers and quotes. */
const text = fc.letrec<{ value: string; object: string }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    number,
    fc.constantFrom('"1.00"', '"\\"1.0\\\\"', '"\\\\"', 'true', 'null', '""'),
    tie('object'),
    fc.array(tie('object'), { maxLength: 3 }).map((items) => `[${items.join(',')}]`),
  ),
  object: fc
    .uniqueArray(fc.tuple(fc.constantFrom('a', 'b', '1.0', 'x"y', 'e', '-'), tie('value')), {
      selector: ([name]) => name,
      maxLength: 4,
    })
    .map((members) => `{${members.map(([name, value]) => `${JSON.stringify(name)}:${value}`).join(',')}}`),
})).object;

it('is written as it was read, for any document', () => {
  fc.assert(
    fc.property(text, (document) => {
      expect(stringifyExact(parseExact<object>(document))).toBe(document);
      expect(JSON.stringify(parseExact(document))).toBe(JSON.stringify(JSON.parse(document)));
    }),
    { numRuns: 2_000 },
  );
});

describe('a number', () => {
  const quantity = () =>
    parseExact<{ value: number; other: { value: number } }>('{"value":1.00,"other":{"value":2.50}}');

  it('is a plain number to everybody', () => {
    expect(quantity().value).toBe(1);
    expect(Object.keys(quantity())).toEqual(['value', 'other']);
    expect(exactText(quantity(), 'value')).toBe('1.00');
  });

  it('keeps its digits in copies, and loses them when it changes', () => {
    expect(stringifyExact({ ...quantity() })).toBe('{"value":1.00,"other":{"value":2.50}}');
    expect(stringifyExact(cloneExact(quantity()))).toBe('{"value":1.00,"other":{"value":2.50}}');
    expect(stringifyExact({ ...quantity(), value: 2 })).toBe('{"value":2,"other":{"value":2.50}}');
    const { other } = quantity();
    expect(stringifyExact(other)).toBe('{"value":2.50}');
  });

  it('may be pretty', () => {
    expect(stringifyExact(quantity(), 1)).toContain('"value": 1.00,');
  });

  it.each(['{"a":1e999}', '{"a":[{"b":-1e400}]}'])('beyond a double is refused: %s', (document) => {
    expect(() => parseExact(document)).toThrow(expect.objectContaining({ status: 400 }));
  });
});

it('leaves what is no document of objects alone', () => {
  for (const value of [1.5, 'x', null, true]) expect(() => keepExact('1.50', value)).not.toThrow();
});

it.each([
  ['{"a":1.0,"b":2}', '{"b":2,"a":1.0}', true],
  ['{"a":1.0}', '{"a":1.00}', false],
  ['{"a":1}', '{"a":"1"}', false],
  ['{"a":[1,2]}', '{"a":[2,1]}', false],
])('%s and %s say the same: %s', (left, right, expected) => {
  expect(sameExact(left, right)).toBe(expected);
});

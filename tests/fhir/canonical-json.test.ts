import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { canonicalJson, type Json, sameJson } from '../../src/fhir/canonical-json.ts';

const { json } = fc.letrec<{ json: Json | undefined; list: Json[]; object: { [key: string]: Json | undefined } }>(
  (tie) => ({
    json: fc.oneof(
      { maxDepth: 4 },
      fc.constantFrom<Json | undefined>(null, undefined, '', 'a', 0, 1, true, [], {}, [null], { a: null }, { a: [] }),
      tie('list'),
      tie('object'),
    ),
    list: fc.array(tie('json') as fc.Arbitrary<Json>, { maxLength: 3 }),
    object: fc.dictionary(fc.constantFrom('a', 'b', 'toString'), tie('json'), { maxKeys: 3 }),
  }),
);

it('two values are the same exactly when they have one canonical text', () => {
  fc.assert(
    fc.property(json, json, (left, right) => {
      expect(sameJson(left, right)).toBe(canonicalJson(left) === canonicalJson(right));
    }),
    { numRuns: 2_000 },
  );
});

// Laws that hold for every code system, value set and concept map.
import type { Coding, ConceptMap, ValueSet, ValueSetComposeInclude } from '@medplum/fhirtypes';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { conceptSystem } from '../../../src/fhir/terminology/concept-system.ts';
import { expand } from '../../../src/fhir/terminology/expand.ts';
import { createLibrary } from '../../../src/fhir/terminology/library.ts';
import { selectValueSet } from '../../../src/fhir/terminology/select-value-set.ts';
import { sourceOf } from '../../../src/fhir/terminology/source.ts';
import { subsumption } from '../../../src/fhir/terminology/subsumes.ts';
import { translate } from '../../../src/fhir/terminology/translate.ts';
import { validateCoding } from '../../../src/fhir/terminology/validate-code.ts';
import { codeSystem, codes, SYSTEM, select, valueSet } from './worlds.ts';

const SIZE = 12;
const CODES = Array.from({ length: SIZE }, (_, i) => `c${i}`);
const code = fc.constantFrom(...CODES);

/** Any graph of parents, cycles and several parents included. */
const system = fc
  .array(
    fc.record({ parents: fc.uniqueArray(code, { maxLength: 2 }), legs: fc.option(fc.nat(3)), inactive: fc.boolean() }),
    {
      minLength: SIZE,
      maxLength: SIZE,
    },
  )
  .map((concepts) =>
    codeSystem(
      concepts.map(({ parents, legs, inactive }, i) => ({
        code: `c${i}`,
        display: `Concept ${i}`,
        property: [
          ...parents.map((valueCode) => ({ code: 'parent', valueCode })),
          ...(legs === null ? [] : [{ code: 'legs', valueInteger: legs }]),
          ...(inactive ? [{ code: 'inactive', valueBoolean: true }] : []),
        ],
      })),
      { property: [{ code: 'legs', type: 'integer' }] },
    ),
  );

const hierarchy = fc.record({
  property: fc.constant('concept'),
  op: fc.constantFrom('is-a', 'descendent-of', 'is-not-a', 'generalizes'),
  value: code,
});
const byLegs = fc.record({
  property: fc.constant('legs'),
  op: fc.constantFrom('=', 'in', 'not-in'),
  value: fc.constant('2'),
});
const filter = fc.oneof(hierarchy, byLegs);

/** An include over the system, over a system that is not here, or over other value sets. */
const include: fc.Arbitrary<ValueSetComposeInclude> = fc.oneof(
  fc.record({ system: fc.constant(SYSTEM), filter: fc.array(filter, { maxLength: 2 }) }),
  fc.record({
    system: fc.constant(SYSTEM),
    concept: fc.uniqueArray(code, { maxLength: 4 }).map((list) => list.map((one) => ({ code: one }))),
  }),
  fc.record({ system: fc.constant('http://absent') }),
  fc.record({
    valueSet: fc.uniqueArray(fc.constantFrom('http://v/0', 'http://v/1', 'http://v/2'), { minLength: 1, maxLength: 2 }),
  }),
) as fc.Arbitrary<ValueSetComposeInclude>;

const compose = fc.record(
  {
    include: fc.array(include, { minLength: 1, maxLength: 3 }),
    exclude: fc.array(include, { maxLength: 2 }),
    inactive: fc.boolean(),
  },
  { requiredKeys: ['include'] },
);
const valueSets = fc
  .tuple(compose, compose, compose)
  .map((all) => all.map((one, i) => valueSet(one, `http://v/${i}`)) as [ValueSet, ValueSet, ValueSet]);

const acyclic = valueSets.map(
  ([first, ...rest]) =>
    [first, ...rest.map((one) => ({ ...one, compose: { include: [{ system: SYSTEM }] } }))] as ValueSet[],
);

it('a code is listed exactly when it is a member; what cannot be told is never listed', () => {
  fc.assert(
    fc.property(system, valueSets, (all, sets) => {
      const selection = select(sets[0], [all, ...sets.slice(1)]);
      const listed = new Set(codes(selection));
      for (const one of CODES)
        expect([one, listed.has(one)]).toEqual([one, selection.has({ system: SYSTEM, code: one }) === true]);
      if (selection.gaps.length === 0) {
        for (const one of [...CODES, 'other']) expect(selection.has({ system: SYSTEM, code: one })).not.toBeUndefined();
      }
    }),
    { numRuns: 500 },
  );
});

it('what an exclude selects is not in the expansion', () => {
  fc.assert(
    fc.property(system, compose, include, (all, given, excluded) => {
      const nested = valueSet(
        { include: [{ system: SYSTEM, concept: [{ code: 'c0' }, { code: 'c1' }] }] },
        'http://v/0',
      );
      const others = [1, 2].map((i) => valueSet({ include: [{ system: SYSTEM }] }, `http://v/${i}`));
      const resources = [all, nested, ...others];
      const without = select(valueSet({ ...given, exclude: [excluded] }), resources);
      const out = new Set(codes(select(valueSet({ include: [excluded] }), resources)));
      expect(codes(without).filter((one) => out.has(one))).toEqual([]);
    }),
    { numRuns: 300 },
  );
});

it('$validate-code says true for the members of the expansion and for no others', () => {
  fc.assert(
    fc.property(system, acyclic, (all, sets) => {
      const [chosen, ...others] = sets as [ValueSet, ...ValueSet[]];
      const library = createLibrary(sourceOf([all, ...sets, ...others]));
      const selection = selectValueSet(library, chosen);
      fc.pre(selection.gaps.length === 0);
      const listed = new Set(expanded(library, chosen).map((one) => one.code));
      for (const one of [...CODES, 'other']) {
        const { result } = validateCoding({ library, selection, name: 'it' }, { system: SYSTEM, code: one });
        expect([one, result]).toEqual([one, listed.has(one)]);
      }
    }),
    { numRuns: 300 },
  );
});

it('a subsumes b exactly when b passes the filter is-a a', () => {
  fc.assert(
    fc.property(system, code, code, (all, a, b) => {
      const graph = conceptSystem(all);
      const [first, second] = [graph.find(a), graph.find(b)];
      if (!first || !second) throw new Error('Every code is there.');
      const isA = valueSet({ include: [{ system: SYSTEM, filter: [{ property: 'concept', op: 'is-a', value: a }] }] });
      const outcome = subsumption(graph, first, second);
      const passes = select(isA, [all]).has({ system: SYSTEM, code: b });
      expect(passes).toBe(outcome === 'subsumes' || outcome === 'equivalent');
      const turned = {
        equivalent: 'equivalent',
        subsumes: 'subsumed-by',
        'subsumed-by': 'subsumes',
        'not-subsumed': 'not-subsumed',
      };
      expect(subsumption(graph, second, first)).toBe(turned[outcome]);
    }),
    { numRuns: 500 },
  );
});

it('pages of any size cover the whole once', () => {
  fc.assert(
    fc.property(system, filter, fc.integer({ min: 1, max: 5 }), (all, given, count) => {
      const chosen = valueSet({ include: [{ system: SYSTEM, filter: [given as never] }] });
      const library = createLibrary(sourceOf([all, chosen]));
      const whole = expanded(library, chosen);
      const pages = [];
      for (let offset = 0; offset < whole.length; offset += count)
        pages.push(...expanded(library, chosen, { offset, count }));
      expect(pages).toEqual(whole);
      expect(expanded(library, chosen, { offset: whole.length, count })).toEqual([]);
    }),
    { numRuns: 300 },
  );
});

function expanded(library: ReturnType<typeof createLibrary>, chosen: ValueSet, request = {}) {
  const facts = { timestamp: '2026-01-01T00:00:00Z', identifier: 'urn:x', parameter: [] };
  return expand(library, chosen, request, facts).expansion?.contains ?? [];
}

const EQUIVALENCES = [
  'relatedto',
  'equivalent',
  'equal',
  'wider',
  'subsumes',
  'narrower',
  'specializes',
  'inexact',
] as const;
const element = fc.record({
  code,
  target: fc.array(fc.record({ code, equivalence: fc.constantFrom(...EQUIVALENCES) }), { minLength: 1, maxLength: 3 }),
});
const conceptMap = fc.uniqueArray(element, { minLength: 1, maxLength: 6, selector: (one) => one.code }).map(
  (elements): ConceptMap => ({
    resourceType: 'ConceptMap',
    url: 'http://m',
    status: 'active',
    group: [{ source: 'http://from', target: 'http://to', element: elements }],
  }),
);

it('whatever a code is translated to is translated back to it, with the relation turned round', () => {
  const library = createLibrary(sourceOf([]));
  const ask = (map: ConceptMap, coding: Coding, reverse: boolean) =>
    translate(library, [map], { codings: [coding], dependencies: [], reverse }).matches;
  const turned: Record<string, string> = {
    wider: 'narrower',
    narrower: 'wider',
    subsumes: 'specializes',
    specializes: 'subsumes',
  };
  fc.assert(
    fc.property(conceptMap, code, (map, from) => {
      for (const { concept, equivalence } of ask(map, { system: 'http://from', code: from }, false)) {
        const back = ask(map, concept as Coding, true);
        expect(back).toContainEqual(
          expect.objectContaining({
            concept: { system: 'http://from', code: from },
            equivalence: turned[equivalence] ?? equivalence,
          }),
        );
      }
      for (const { concept } of ask(map, { system: 'http://to', code: from }, true)) {
        const forward = ask(map, concept as Coding, false).map((match) => match.concept?.code);
        expect(forward).toContain(from);
      }
    }),
    { numRuns: 500 },
  );
});

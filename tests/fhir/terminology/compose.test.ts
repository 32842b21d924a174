// What a value set's definition selects. https://hl7.org/fhir/R4/valueset.html#compositions
import type { ValueSetComposeIncludeFilter } from '@medplum/fhirtypes';
import { describe, expect, it } from 'vitest';
import { codeSystem, codes, SYSTEM, select, valueSet } from './worlds.ts';

const LETTERS = codeSystem(
  [
    {
      code: 'a',
      display: 'Letter A',
      property: [{ code: 'vowel', valueBoolean: true }],
      concept: [
        { code: 'a1', property: [{ code: 'rank', valueInteger: 1 }] },
        { code: 'a2', concept: [{ code: 'a21', property: [{ code: 'rank', valueInteger: 21 }] }] },
      ],
    },
    { code: 'b', property: [{ code: 'parent', valueCode: 'a2' }] },
    { code: 'c', property: [{ code: 'inactive', valueBoolean: true }] },
  ],
  { property: [{ code: 'unused', type: 'string' }] },
);

type Filter = [property: string, op: ValueSetComposeIncludeFilter['op'], value: string];

function filtered(...filters: Filter[]) {
  const filter = filters.map(([property, op, value]) => ({ property, op, value }));
  return select(valueSet({ include: [{ system: SYSTEM, filter }] }), [LETTERS]);
}

describe('filters', () => {
  it.each<[Filter, string[]]>([
    [
      ['concept', 'is-a', 'a2'],
      ['a2', 'a21', 'b'],
    ],
    [
      ['code', 'is-a', 'a2'],
      ['a2', 'a21', 'b'],
    ],
    [
      ['concept', 'descendent-of', 'a2'],
      ['a21', 'b'],
    ],
    [
      ['concept', 'is-not-a', 'a2'],
      ['a', 'a1', 'c'],
    ],
    [
      ['concept', 'generalizes', 'b'],
      ['a', 'a2', 'b'],
    ],
    [['vowel', '=', 'true'], ['a']],
    [
      ['rank', 'in', '1, 21'],
      ['a1', 'a21'],
    ],
    [
      ['rank', 'not-in', '1'],
      ['a', 'a2', 'a21', 'b', 'c'],
    ],
    [
      ['rank', 'exists', 'true'],
      ['a1', 'a21'],
    ],
    [
      ['rank', 'exists', 'false'],
      ['a', 'a2', 'b', 'c'],
    ],
    [['rank', 'regex', '[0-9]'], ['a1']],
    [
      ['concept', 'regex', 'a.*'],
      ['a', 'a1', 'a2', 'a21'],
    ],
    [['display', '=', 'Letter A'], ['a']],
    [
      ['parent', '=', 'a2'],
      ['a21', 'b'],
    ],
    [['child', '=', 'b'], ['a2']],
    [['unused', '=', 'x'], []],
  ])('%j', (filter, expected) => {
    const selection = filtered(filter);
    expect(codes(selection).sort()).toEqual(expected.sort());
    expect(selection.gaps).toEqual([]);
  });

  it('all of them must pass', () => {
    expect(codes(filtered(['concept', 'is-a', 'a'], ['rank', 'exists', 'true']))).toEqual(['a1', 'a21']);
  });

  it.each<[string, Filter]>([
    ['a property the system does not have', ['colour', '=', 'red']],
    ['a root the system does not have', ['concept', 'is-a', 'zzz']],
    ['a hierarchy of something else', ['display', 'is-a', 'a']],
    ['an operator that is none', ['concept', 'sounds-like' as '=', 'a']],
  ])('cannot be told with %s', (_what, filter) => {
    const selection = filtered(filter);
    expect([codes(selection), selection.has({ system: SYSTEM, code: 'a' })]).toEqual([[], undefined]);
    expect(selection.gaps).toMatchObject([{ why: 'filter', partial: false }]);
    expect(selection.has({ system: 'http://other', code: 'a' })).toBe(false);
  });
});

describe('includes and excludes', () => {
  const b = valueSet({ include: [{ system: SYSTEM, concept: [{ code: 'b' }, { code: 'a1' }] }] }, 'http://b');
  const c = valueSet({ include: [{ system: SYSTEM, concept: [{ code: 'b' }, { code: 'c' }] }] }, 'http://c');
  const of = (compose: Parameters<typeof valueSet>[0]) => select(valueSet(compose), [LETTERS, b, c]);

  it('includes add up, each code once, in order', () => {
    const selection = of({ include: [{ valueSet: ['http://c'] }, { valueSet: ['http://b'] }] });
    expect(codes(selection)).toEqual(['b', 'c', 'a1']);
  });

  it('value sets of one include must all have the code, and so must its system', () => {
    expect(codes(of({ include: [{ valueSet: ['http://b', 'http://c'] }] }))).toEqual(['b']);
    const under = { system: SYSTEM, filter: [{ property: 'concept', op: 'is-a' as const, value: 'a' }] };
    expect(codes(of({ include: [{ ...under, valueSet: ['http://c'] }] }))).toEqual(['b']);
  });

  it('excludes take away, by code, by filter and by value set', () => {
    const include = [{ system: SYSTEM }];
    expect(codes(of({ include, exclude: [{ system: SYSTEM, concept: [{ code: 'a' }] }] }))).not.toContain('a');
    const filter = [{ property: 'concept', op: 'is-a' as const, value: 'a' }];
    expect(codes(of({ include, exclude: [{ system: SYSTEM, filter }] }))).toEqual(['c']);
    expect(codes(of({ include, exclude: [{ valueSet: ['http://b', 'http://c'] }] }))).not.toContain('b');
  });

  it('inactive=false leaves out what may no longer be used', () => {
    const selection = of({ inactive: false, include: [{ system: SYSTEM }] });
    expect(codes(selection)).not.toContain('c');
    expect(selection.has({ system: SYSTEM, code: 'c' })).toBe(false);
    expect(selection.has({ code: 'c' })).toBe(false);
    expect(selection.has({ system: SYSTEM, code: 'a' })).toBe(true);
  });

  it('cycles end, and every member of one has the same codes', () => {
    const x = valueSet(
      { include: [{ valueSet: ['http://y'] }, { system: SYSTEM, concept: [{ code: 'a' }] }] },
      'http://x',
    );
    const y = valueSet(
      { include: [{ valueSet: ['http://x'] }, { system: SYSTEM, concept: [{ code: 'b' }] }] },
      'http://y',
    );
    const both = valueSet({ include: [{ valueSet: ['http://x'] }, { valueSet: ['http://y'] }] });
    expect(codes(select(x, [y])).sort()).toEqual(['a', 'b']);
    expect(codes(select(y, [x])).sort()).toEqual(['a', 'b']);
    const meets = valueSet({ include: [{ valueSet: ['http://x', 'http://y'] }] }, 'http://meets');
    expect(codes(select(both, [x, y])).sort()).toEqual(['a', 'b']);
    expect(codes(select(meets, [x, y])).sort()).toEqual(['a', 'b']);
  });

  it('a code system in which case does not matter', () => {
    const folded = codeSystem([{ code: 'Red' }], { caseSensitive: false });
    const all = select(valueSet({ include: [{ system: SYSTEM }] }), [folded]);
    const listed = select(valueSet({ include: [{ system: SYSTEM, concept: [{ code: 'Red' }] }] }), [folded]);
    for (const selection of [all, listed]) expect(selection.has({ system: SYSTEM, code: 'RED' })).toBe(true);
  });
});

describe('what is not here', () => {
  const unknown = { system: 'http://unknown' };

  it('leaves open what it could decide, and nothing else', () => {
    const selection = select(valueSet({ include: [unknown, { system: SYSTEM }] }), [LETTERS]);
    expect(selection.has({ system: 'http://unknown', code: 'x' })).toBeUndefined();
    expect(selection.has({ system: SYSTEM, code: 'a' })).toBe(true);
    expect(selection.has({ system: SYSTEM, code: 'x' })).toBe(false);
    expect(selection.gaps).toMatchObject([{ why: 'unknown', system: 'http://unknown' }]);
  });

  it('an exclude over it matters only to codes of its system', () => {
    const selection = select(valueSet({ include: [{ system: SYSTEM }], exclude: [unknown] }), [LETTERS]);
    expect([codes(selection).length, selection.gaps]).toEqual([6, []]);
  });

  it('a value set that is not here, a version that is not here, a system without codes, a fragment', () => {
    const gapOf = (compose: Parameters<typeof valueSet>[0], system = LETTERS) =>
      select(valueSet(compose), [system]).gaps.map(({ why, partial }) => `${why} ${partial}`);
    expect(gapOf({ include: [{ valueSet: ['http://nowhere'] }] })).toEqual(['unknown false']);
    expect(gapOf({ include: [{ system: SYSTEM, version: '7' }] })).toEqual(['unknown-version false']);
    const include = [{ system: SYSTEM }];
    expect(gapOf({ include }, codeSystem([], { content: 'not-present' }))).toEqual(['no-content false']);
    expect(gapOf({ include }, codeSystem([{ code: 'a' }], { content: 'fragment' }))).toEqual(['incomplete true']);
  });

  it('an expansion that came with the value set knows; one that is a page of it does not know the rest', () => {
    const expansion = (more: object) => ({
      ...valueSet({ include: [unknown] }),
      expansion: { timestamp: '2026-01-01', contains: [{ system: 'http://unknown', code: 'x' }], ...more },
    });
    const whole = select(expansion({}));
    expect([codes(whole), whole.has({ system: 'http://unknown', code: 'y' }), whole.gaps]).toEqual([['x'], false, []]);
    const page = select(expansion({ total: 5 }));
    expect([page.has({ system: 'http://unknown', code: 'x' }), page.has({ code: 'y' })]).toEqual([true, undefined]);
    expect(page.gaps).toMatchObject([{ why: 'incomplete', partial: true }]);
  });
});

describe('definitions made to exhaust', () => {
  it('value sets that double at every level are too costly, soon', () => {
    const levels = Array.from({ length: 40 }, (_, i) => {
      const below = { valueSet: [`http://level/${i + 1}`] };
      return valueSet({ include: [below, below] }, `http://level/${i}`);
    });
    const last = valueSet({ include: [{ system: SYSTEM }] }, 'http://level/40');
    const selection = select(levels[0] as never, [...levels.slice(1), last, LETTERS]);
    const began = performance.now();
    expect(() => codes(selection)).toThrow(/too long/);
    expect(() => selection.has({ system: SYSTEM, code: 'nothing' })).toThrow(/too long/);
    expect(performance.now() - began).toBeLessThan(10_000);
  });

  it('a chain that goes on is refused', () => {
    const chain = Array.from({ length: 60 }, (_, i) =>
      valueSet({ include: [{ valueSet: [`http://link/${i + 1}`] }] }, `http://link/${i}`),
    );
    expect(() => select(chain[0] as never, chain.slice(1))).toThrow(/nested/);
  });

  it('a hierarchy that leads back to itself, and one that is very deep', () => {
    const loop = codeSystem([
      { code: 'x', property: [{ code: 'parent', valueCode: 'y' }] },
      { code: 'y', property: [{ code: 'parent', valueCode: 'x' }] },
    ]);
    const filter = [{ property: 'concept', op: 'is-a' as const, value: 'x' }];
    expect(codes(select(valueSet({ include: [{ system: SYSTEM, filter }] }), [loop]))).toEqual(['x', 'y']);
    const deep = codeSystem(
      Array.from({ length: 50_000 }, (_, i) => ({
        code: `c${i}`,
        ...(i > 0 ? { property: [{ code: 'parent', valueCode: `c${i - 1}` }] } : {}),
      })),
    );
    const under = [{ property: 'concept', op: 'is-a' as const, value: 'c1' }];
    expect(codes(select(valueSet({ include: [{ system: SYSTEM, filter: under }] }), [deep]))).toHaveLength(49_999);
  });
});

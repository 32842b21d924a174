// The algebra of three-way merge (docs/sync-spec.md#I9), and the cases that have a clinical reason.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonicalJson, type Json, type JsonObject } from '../../src/fhir/canonical-json.ts';
import { carryChange, type MergePolicy, merge3, type Preference } from '../../src/fhir/merge3.ts';

/** The same policy seen from the other side. */
function swapPolicy(policy: MergePolicy): MergePolicy {
  const swap = (preference: Preference): Preference =>
    preference === 'ours' ? 'theirs' : preference === 'theirs' ? 'ours' : preference;
  const paths = Object.entries(policy.paths ?? {}).map(([path, preference]) => [path, swap(preference)] as const);
  return { default: swap(policy.default ?? 'review'), paths: Object.fromEntries(paths) };
}

const word = fc.constantFrom('a', 'b', 'c', 'd');
const concept = fc.record({
  coding: fc.array(fc.record({ system: word, code: word }), { minLength: 1, maxLength: 2 }),
});
const items = (item: fc.Arbitrary<JsonObject>, key: (item: JsonObject) => string) =>
  fc.uniqueArray(item, { selector: key, maxLength: 4 });
const body: fc.Arbitrary<JsonObject> = fc.record(
  {
    resourceType: fc.constant('CarePlan'),
    status: word,
    title: word,
    period: fc.record({ start: word, end: word }),
    category: items(concept as fc.Arbitrary<JsonObject>, (item) => canonicalJson((item.coding as Json[])[0] ?? null)),
    identifier: items(fc.record({ system: word, value: word, use: word }), (item) => `${item.system}|${item.value}`),
    activity: items(
      fc.record({ reference: fc.record({ reference: word }), progress: fc.array(fc.record({ text: word })) }),
      (item) => canonicalJson(item.reference),
    ),
    note: items(fc.record({ time: word, text: word }), (item) => `${item.time}${item.text}`),
    unknownElement: fc.record({ x: word, y: word }),
    valueString: word,
  },
  { requiredKeys: ['resourceType'] },
) as fc.Arbitrary<JsonObject>;
const preference = fc.constantFrom<Preference>('ours', 'theirs', 'union', 'append', 'review');
const policy: fc.Arbitrary<MergePolicy> = fc.record({
  default: preference,
  paths: fc.dictionary(fc.constantFrom('status', 'identifier', 'activity', 'note', 'period'), preference),
});
const same = (left: Json, right: Json) => expect(canonicalJson(left)).toBe(canonicalJson(right));
const unordered = (value: Json | undefined): Json => {
  if (Array.isArray(value)) return value.map(unordered).sort((a, b) => (canonicalJson(a) < canonicalJson(b) ? -1 : 1));
  if (typeof value !== 'object' || value === null) return value ?? null;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, unordered(member)]));
};
const leaves = (value: Json | undefined, path = ''): string[] =>
  Array.isArray(value)
    ? value.flatMap((item) => leaves(item, path))
    : typeof value === 'object' && value !== null
      ? Object.entries(value).flatMap(([key, member]) => leaves(member, `${path}.${key}`))
      : [`${path}=${value}`];

describe('merge3 algebra', () => {
  const runs = { numRuns: 400 };

  test('one side unchanged: the other side is the answer', () => {
    fc.assert(
      fc.property(body, body, policy, (base, side, rules) => {
        for (const merge of [merge3(base, base, side, rules), merge3(base, side, base, rules)]) {
          same(merge.merged, side);
          expect(merge.conflicts).toEqual([]);
        }
      }),
      runs,
    );
  });

  test('both sides the same: that is the answer', () => {
    fc.assert(
      fc.property(body, body, policy, (base, side, rules) => {
        const merge = merge3(base, side, structuredClone(side), rules);
        same(merge.merged, side);
        expect(merge.conflicts).toEqual([]);
      }),
      runs,
    );
  });

  test('no value is invented', () => {
    fc.assert(
      fc.property(body, body, body, policy, (base, ours, theirs, rules) => {
        const known = new Set([base, ours, theirs].flatMap((side) => leaves(side)));
        for (const leaf of leaves(merge3(base, ours, theirs, rules).merged)) expect(known).toContain(leaf);
      }),
      runs,
    );
  });

  test('swapping the sides and the policy swaps the answer', () => {
    fc.assert(
      fc.property(body, body, body, policy, (base, ours, theirs, rules) => {
        const there = merge3(base, ours, theirs, rules);
        const back = merge3(base, theirs, ours, swapPolicy(rules));
        expect(back.conflicts.map((conflict) => conflict.path).sort()).toEqual(
          there.conflicts.map((conflict) => conflict.path).sort(),
        );
        if (there.conflicts.length === 0) same(back.merged, there.merged);
      }),
      runs,
    );
  });

  test('merging the answer again changes nothing', () => {
    fc.assert(
      fc.property(body, body, body, policy, (base, ours, theirs, rules) => {
        const { merged } = merge3(base, ours, theirs, rules);
        same(merge3(theirs, merged, theirs, rules).merged, merged);
        same(merge3(merged, merged, merged, rules).merged, merged);
      }),
      runs,
    );
  });

  test('the order of keyed items does not matter', () => {
    fc.assert(
      fc.property(body, body, body, policy, (base, ours, theirs, rules) => {
        const turned = structuredClone(ours);
        for (const name of ['identifier', 'activity', 'note']) {
          if (Array.isArray(turned[name])) turned[name] = [...turned[name]].reverse();
        }
        const plain = merge3(base, ours, theirs, rules);
        const permuted = merge3(base, turned, theirs, rules);
        expect(canonicalJson(unordered(permuted.merged))).toBe(canonicalJson(unordered(plain.merged)));
        expect(permuted.conflicts.length).toBe(plain.conflicts.length);
      }),
      runs,
    );
  });
});

describe('merge3 cases', () => {
  test('a list that one side removed and the other only turned is removed', () => {
    const notes = [{ text: 'first' }, { text: 'second' }];
    const [base, turned] = [{ note: notes }, { note: notes.toReversed() }];
    expect(merge3(base, turned, {})).toEqual({ merged: {}, conflicts: [] });
    expect(merge3(base, {}, turned)).toEqual({ merged: {}, conflicts: [] });
  });

  test('edits of different elements and activities come together', () => {
    const base = { status: 'active', activity: [{ reference: { reference: 'Task/1' } }] };
    const ours = {
      status: 'active',
      activity: [{ reference: { reference: 'Task/1' } }, { reference: { reference: 'Task/2' } }],
    };
    const theirs = {
      status: 'completed',
      activity: [{ reference: { reference: 'Task/1' }, progress: [{ text: 'done' }] }],
    };
    expect(merge3(base, ours, theirs)).toEqual({
      merged: {
        status: 'completed',
        activity: [
          { reference: { reference: 'Task/1' }, progress: [{ text: 'done' }] },
          { reference: { reference: 'Task/2' } },
        ],
      },
      conflicts: [],
    });
  });

  test('the same element changed differently waits for a person and keeps ours meanwhile', () => {
    const merge = merge3({ status: 'requested' }, { status: 'accepted' }, { status: 'rejected' });
    expect(merge.merged.status).toBe('accepted');
    expect(merge.conflicts).toEqual([{ path: 'status', base: 'requested', ours: 'accepted', theirs: 'rejected' }]);
  });

  test('a policy names the nearest element above', () => {
    const base = { restriction: { repetitions: 1 } };
    const merge = merge3(
      base,
      { restriction: { repetitions: 2 } },
      { restriction: { repetitions: 3 } },
      {
        paths: { restriction: 'theirs' },
      },
    );
    expect(merge).toEqual({ merged: { restriction: { repetitions: 3 } }, conflicts: [] });
  });

  test('an item edited here and removed there is a conflict', () => {
    const item = (use: string) => ({
      identifier: [
        { system: 's', value: '1', use },
        { system: 's', value: '2' },
      ],
    });
    const merge = merge3(item('usual'), item('old'), { identifier: [{ system: 's', value: '2' }] });
    expect(merge.conflicts.map((conflict) => conflict.path)).toEqual(['identifier[s|1]']);
  });

  test('two different codes never end up in one concept', () => {
    const status = (code: string) => ({ achievementStatus: { coding: [{ system: 's', code }] } });
    const merge = merge3(status('in-progress'), status('improving'), status('worsening'));
    expect(merge.conflicts.map((conflict) => conflict.path)).toEqual(['achievementStatus']);
    expect(merge.merged).toEqual(status('improving'));
  });

  test('codings added on both sides of a concept come together', () => {
    const code = (...codes: string[]) => ({ code: { coding: codes.map((value) => ({ system: value, code: '1' })) } });
    expect(merge3(code('a'), code('a', 'c'), code('a', 'b')).merged).toEqual(code('a', 'b', 'c'));
  });

  test('the number of one side never gets the unit of the other', () => {
    const dose = (value: number, unit: string) => ({ valueQuantity: { value, unit } });
    expect(merge3(dose(5, 'mg'), dose(6, 'mg'), dose(5, 'g')).conflicts).toHaveLength(1);
  });

  test('a choice element keeps one type', () => {
    const merge = merge3({ deceasedBoolean: false }, { deceasedBoolean: true }, { deceasedDateTime: '2026-01-01' });
    expect(merge.conflicts.map((conflict) => conflict.path)).toEqual(['deceased[x]']);
    expect(merge.merged).toEqual({ deceasedBoolean: true });
    expect(merge3({ deceasedBoolean: false }, { deceasedBoolean: false }, { deceasedDateTime: '2026' }).merged).toEqual(
      {
        deceasedDateTime: '2026',
      },
    );
  });

  test('notes of both sides stand in order of time', () => {
    const note = (...times: string[]) => ({ note: times.map((time) => ({ time, text: `at ${time}` })) });
    const merge = merge3(note('1'), note('1', '3'), note('1', '2'), { paths: { note: 'append' } });
    expect(merge).toEqual({ merged: note('1', '2', '3'), conflicts: [] });
  });

  test('a list without keys is taken as a whole', () => {
    const given = (...names: string[]) => ({ name: [{ use: 'official', given: names }] });
    expect(merge3(given('Ann'), given('Anne'), given('Anna')).conflicts.map(({ path }) => path)).toEqual([
      'name[official].given',
    ]);
  });

  test('carrying a change keeps what the other server made of the body', () => {
    const onto = { status: 'active', note: [{ text: 'kept by them' }], title: 'TRIMMED' };
    expect(
      carryChange({ status: 'active', title: ' trimmed ' }, { status: 'completed', title: ' trimmed ' }, onto),
    ).toEqual({
      ...onto,
      status: 'completed',
    });
  });

  test('a list of which each side took out what the other had left is no longer there', () => {
    const [first, second] = [{ reference: { reference: 'Task/1' } }, { reference: { reference: 'Task/2' } }];
    const base = { resourceType: 'CarePlan', activity: [first, second] };
    const merge = merge3(base, { ...base, activity: [first] }, { ...base, activity: [second] });
    expect(merge).toEqual({ merged: { resourceType: 'CarePlan' }, conflicts: [] });
  });
});

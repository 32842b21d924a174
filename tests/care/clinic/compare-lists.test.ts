// In what medication lists differ, for any lists.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compareLists, type Discrepancy, LIST_KINDS, type Taken } from '../../../src/care/medications/compare-lists.ts';

const RXNORM = 'http://www.nlm.nih.gov/research/umls/rxnorm';

const line = (id: string, more: Partial<Taken> = {}): Taken => ({
  id,
  codes: [`${RXNORM}|${id}`],
  name: `drug ${id}`,
  dose: { value: 5, unit: 'mg' },
  daily: 1,
  route: 'PO',
  ...more,
});

/** Lists of different medications. */
const lists = fc
  .uniqueArray(fc.integer({ min: 1, max: 30 }), { maxLength: 12 })
  .map((numbers) => numbers.map((one) => line(String(one))));

const kindsOf = (found: readonly Discrepancy[]) => found.map(({ kind }) => kind).sort();
const told = (found: readonly Discrepancy[]) =>
  found
    .map(({ kind, lists: between, earlier, later }) =>
      JSON.stringify([kind, between, earlier.map(({ id }) => id), later.map(({ id }) => id)]),
    )
    .sort();

describe('for any lists', () => {
  test('alike lists do not differ', () => {
    fc.assert(
      fc.property(lists, (list) => {
        expect(compareLists({ 'before-admission': list, 'at-discharge': list, current: list })).toEqual([]);
      }),
    );
  });

  test('the order of lines does not matter', () => {
    const shuffled = fc
      .tuple(lists, lists)
      .chain(([a, b]) =>
        fc.tuple(
          fc.constant([a, b] as const),
          fc.shuffledSubarray(a, { minLength: a.length }),
          fc.shuffledSubarray(b, { minLength: b.length }),
        ),
      );
    fc.assert(
      fc.property(shuffled, ([[a, b], c, d]) => {
        expect(told(compareLists({ 'at-discharge': c, current: d }))).toEqual(
          told(compareLists({ 'at-discharge': a, current: b })),
        );
      }),
    );
  });

  test('every medication on one list only is named once, as an omission or an addition', () => {
    fc.assert(
      fc.property(lists, lists, (a, b) => {
        const found = compareLists({ 'at-discharge': a, current: b });
        const missing = a.filter((one) => !b.some(({ id }) => id === one.id)).map(({ id }) => id);
        const added = b.filter((one) => !a.some(({ id }) => id === one.id)).map(({ id }) => id);
        const named = (kind: string) => found.filter((one) => one.kind === kind);
        expect(
          named('omission')
            .map(({ earlier }) => earlier[0]?.id)
            .sort(),
        ).toEqual(missing.sort());
        expect(
          named('addition')
            .map(({ later }) => later[0]?.id)
            .sort(),
        ).toEqual(added.sort());
        expect(found).toHaveLength(missing.length + added.length);
      }),
    );
  });

  test('the other way round, omissions are additions', () => {
    fc.assert(
      fc.property(lists, lists, (a, b) => {
        const there = kindsOf(compareLists({ 'at-discharge': a, current: b }));
        const back = kindsOf(compareLists({ 'at-discharge': b, current: a }));
        const turned = back.map((kind) => (kind === 'omission' ? 'addition' : kind === 'addition' ? 'omission' : kind));
        expect(turned.sort()).toEqual(there);
      }),
    );
  });

  test('one change is one discrepancy of its kind', () => {
    const changes = fc.constantFrom<[Discrepancy['kind'], Partial<Taken>]>(
      ['dose', { dose: { value: 10, unit: 'mg' } }],
      ['dose', { dose: { value: 5, unit: 'mL' } }],
      ['frequency', { daily: 2 }],
      ['frequency', { asNeeded: true }],
      ['route', { route: 'IV' }],
      ['unknown', { dose: undefined }],
      ['unknown', { daily: undefined }],
    );
    const changed = fc.tuple(
      lists.filter(({ length }) => length > 0),
      fc.nat(),
      changes,
    );
    fc.assert(
      fc.property(changed, ([list, at, [kind, change]]) => {
        const after = list.map((one, place) => (place === at % list.length ? { ...one, ...change } : one));
        expect(kindsOf(compareLists({ 'at-discharge': list, current: after }))).toEqual([kind]);
      }),
    );
  });

  test('a medication twice on a list is a duplicate of that list, whatever the others say', () => {
    fc.assert(
      fc.property(
        lists.filter(({ length }) => length > 0),
        fc.constantFrom(...LIST_KINDS),
        (list, kind) => {
          const [first = line('1')] = list;
          const found = compareLists({ [kind]: [...list, { ...first, id: 'again' }] });
          expect(found).toMatchObject([{ kind: 'duplicate', lists: [kind, kind] }]);
        },
      ),
    );
  });
});

describe('what counts as the same', () => {
  test('one code in common, or the name where one has no code', () => {
    const coded = line('1', { codes: [`${RXNORM}|29046`, 'http://hl7.org/fhir/sid/ndc|1'], name: 'Lisinopril 5 MG' });
    const other = line('2', { codes: [`${RXNORM}|29046`], name: 'Zestril' });
    const named = line('3', { codes: [], name: ' lisinopril  5 mg' });
    expect(compareLists({ 'at-discharge': [coded], current: [other] })).toEqual([]);
    expect(compareLists({ 'at-discharge': [coded], current: [named] })).toEqual([]);
    expect(kindsOf(compareLists({ 'at-discharge': [other], current: [named] }))).toEqual(['addition', 'omission']);
  });

  test('words that differ where nothing else is said cannot be told', () => {
    const words = (instructions: string) => line('1', { dose: undefined, daily: undefined, instructions });
    expect(kindsOf(compareLists({ 'at-discharge': [words('one')], current: [words('two')] }))).toEqual(['unknown']);
    expect(compareLists({ 'at-discharge': [words('One  daily')], current: [words('one daily')] })).toEqual([]);
  });

  test('a list that is not there is skipped; an empty one is not', () => {
    const one = [line('1')];
    expect(compareLists({ 'before-admission': one, current: one })).toEqual([]);
    expect(kindsOf(compareLists({ 'before-admission': one, 'at-discharge': [], current: one }))).toEqual([
      'addition',
      'omission',
    ]);
  });
});

// Lines of a medication list, to FHIR and back.
import type { List, MedicationStatement } from '@medplum/fhirtypes';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { lineOf, type MedicationLine, statementOf, takenOf } from '../../../src/care/medications/medication-line.ts';
import { readLines, withLines, writeList } from '../../../src/care/medications/medication-list.ts';
import type { Records } from '../../../src/care/records.ts';
import { testValidate } from '../../support/store-rules.ts';

const words = fc.stringMatching(/^[a-zA-Z0-9<&é][a-zA-Z0-9 <&"é]{0,40}[a-z]$/);
const coded = fc.oneof(
  fc.record({ text: words }),
  fc.record({
    system: fc.constant('http://www.nlm.nih.gov/research/umls/rxnorm'),
    code: fc.constant('29046'),
    text: words,
  }),
);
const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });

const line: fc.Arbitrary<MedicationLine> = fc
  .record({
    medication: coded,
    dose: maybe(
      fc.record({ value: fc.integer({ min: 1, max: 5_000 }).map((n) => n / 4), unit: fc.constantFrom('mg', 'mL') }),
    ),
    frequency: maybe(
      fc.record({
        times: fc.integer({ min: 1, max: 8 }),
        every: fc.integer({ min: 1, max: 30 }),
        unit: fc.constantFrom('h' as const, 'd' as const, 'wk' as const, 'mo' as const),
      }),
    ),
    asNeeded: maybe(fc.constant(true)),
    route: maybe(coded),
    instructions: maybe(words),
  })
  .map((made) => JSON.parse(JSON.stringify(made)) as MedicationLine);

/** With content that no line shows. */
const statement: fc.Arbitrary<MedicationStatement> = fc.tuple(line, fc.boolean()).map(([one, isRich]) => {
  const made = statementOf(one, {
    resourceType: 'MedicationStatement',
    status: 'active',
    subject: { reference: 'Patient/p1' },
  });
  if (!isRich) return made as MedicationStatement;
  const [dosage = {}] = made.dosage ?? [];
  return {
    ...made,
    note: [{ text: 'kept' }],
    extension: [{ url: 'https://elsewhere.example/x', valueString: 'kept' }],
    dosage: [
      { ...dosage, site: { text: 'left' }, additionalInstruction: [{ text: 'With food' }] },
      { text: 'then stop' },
    ],
  } as MedicationStatement;
});

const records: Records = { read: async () => undefined, find: async () => [] };

describe('for any line', () => {
  test('what is said is shown', () => {
    fc.assert(
      fc.property(line, statement, (said, before) => {
        expect(lineOf(statementOf(said, before) as MedicationStatement, 'x')).toEqual({ ...said, id: 'x' });
      }),
    );
  });

  test('what is said again changes nothing', () => {
    fc.assert(
      fc.property(statement, (before) => {
        expect(statementOf(lineOf(before, 'x'), before)).toEqual(before);
      }),
    );
  });

  test('what no line shows stays when the line changes', () => {
    fc.assert(
      fc.property(statement, line, (before, said) => {
        const after = statementOf(said, before);
        const { medicationCodeableConcept: _, dosage: [first] = [], ...rest } = after;
        const { medicationCodeableConcept: __, dosage: [old] = [], ...kept } = before;
        expect(rest).toEqual(kept);
        expect(first?.site).toEqual(old?.site);
        expect(first?.additionalInstruction).toEqual(old?.additionalInstruction);
        expect(after.dosage?.slice(1) ?? []).toEqual(before.dosage?.slice(1) ?? []);
      }),
    );
  });

  test('a list of lines is a valid List that shows them, and setting what it shows changes nothing', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(line, { minLength: 1, maxLength: 6 }), async (lines) => {
        const who = { reference: 'Practitioner/n' };
        const empty = writeList('current', { reference: 'Patient/p1' }, [], '2026-11-30T10:00:00Z', who);
        const list: List = withLines(empty, [], lines, 'lines');
        expect(testValidate(list).filter(({ severity }) => severity === 'error')).toEqual([]);
        const read = await readLines(records, list);
        const shown = read.map((one) => one.line);
        expect(shown.map(({ id: _, ...rest }) => rest)).toEqual(lines);
        expect(withLines(list, read, shown, 'lines')).toEqual(list);
        const turned = withLines(list, read, shown.toReversed(), 'lines');
        expect((await readLines(records, turned)).map((one) => one.line)).toEqual(shown.toReversed());
      }),
      { numRuns: 30 },
    );
  });
});

test('a timing code says the same as its numbers', () => {
  const coding = [{ system: 'http://terminology.hl7.org/CodeSystem/v3-GTSAbbreviation', code: 'BID' }];
  const abbreviated: MedicationStatement = {
    resourceType: 'MedicationStatement',
    status: 'active',
    subject: { reference: 'Patient/p1' },
    dosage: [{ timing: { code: { coding } } }],
  };
  expect(lineOf(abbreviated, 'x').frequency).toEqual({ times: 2, every: 1, unit: 'd' });
  const every12 = statementOf(
    { medication: { text: 'x' }, frequency: { times: 1, every: 12, unit: 'h' } },
    { resourceType: 'MedicationStatement', status: 'active', subject: { reference: 'Patient/p1' } },
  );
  expect(takenOf(abbreviated, 'x').daily).toBe(takenOf(every12 as MedicationStatement, 'x').daily);
});

// Whoever a search for a record finds has a mark in common with it: told without a search, nobody is missed.
// docs/sync-spec.md#I8
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { jsonOf, parseBody } from '../../src/sync/body.ts';
import { holdersOfNumbers } from '../../src/sync/patients/match.ts';
import { matchMarks } from '../../src/sync/patients/match-marks.ts';
import { alikePatients } from '../../src/sync/patients/patient-candidates.ts';
import { NURSE, patient } from '../support/sync-world.ts';
import { openTempStore } from '../support/temp-store.ts';

const word = fc.constantFrom(
  'Ana',
  'ÁNA',
  'Annika',
  "O'Brien",
  'ONeill',
  "'t Hooft",
  'Øster',
  'ößwald',
  'De La Cruz',
  'Rivera',
  'rivera-Ana',
);
const date = fc.constantFrom('1980-02-03', '1980-03-02', '1980-02', '1980', '1981-12-12', '1980-02-29');
const number = fc.record({ system: fc.constantFrom('urn:a', 'urn:a|b'), value: fc.constantFrom('1', '2,3', '\\') });
const one = fc.record(
  {
    name: fc.array(fc.record({ family: word, given: fc.array(word, { maxLength: 3 }) }, { requiredKeys: [] }), {
      maxLength: 3,
    }),
    birthDate: date,
    identifier: fc.array(number, { maxLength: 2 }),
  },
  { requiredKeys: [] },
);

/** FHIR has no empty lists and no empty elements. */
function withoutEmpty(fields: { readonly name?: readonly { readonly given?: readonly string[] }[] }): object {
  const name = (fields.name ?? [])
    .map(({ given = [], ...rest }) => ({ ...rest, ...(given.length > 0 ? { given } : {}) }))
    .filter((part) => Object.keys(part).length > 0);
  const lists = Object.entries({ ...fields, name }).filter(([, value]) => !Array.isArray(value) || value.length > 0);
  return Object.fromEntries(lists);
}

test('whatever names, dates and numbers two records have', { timeout: 120_000 }, async () => {
  const temp = await openTempStore();
  let found = 0;
  try {
    await fc.assert(
      fc.asyncProperty(fc.array(one, { minLength: 2, maxLength: 8 }), async (records) => {
        const [sought, ...here] = records.map((fields, id) => ({
          ...patient(`p${id}`),
          ...{ name: undefined, birthDate: undefined },
          ...withoutEmpty(fields),
        }));
        const stored = here.map(
          (resource) => ({ op: 'update', resource: JSON.parse(JSON.stringify(resource)) }) as const,
        );
        await temp.store.commit(NURSE, stored);
        const record = jsonOf(JSON.parse(JSON.stringify(sought)));
        const { holders } = await holdersOfNumbers(temp.store, 'Patient', record);
        const marks = new Set(matchMarks(record));
        for (const { content } of [...holders, ...(await alikePatients(temp.store, record))]) {
          found += 1;
          expect(matchMarks(parseBody(content)).filter((mark) => marks.has(mark))).not.toEqual([]);
        }
      }),
      { numRuns: 150 },
    );
  } finally {
    await temp.cleanup();
  }
  expect(found).toBeGreaterThan(50);
});

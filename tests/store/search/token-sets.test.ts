// `:in`, `:not-in`, `:above` and `:below` of codes, uris and canonicals.
// https://hl7.org/fhir/R4/search.html#modifiers
import type { CarePlan, Observation } from '@medplum/fhirtypes';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Fault } from '../../../src/fault.ts';
import { parseSearchUrl } from '../../../src/fhir/search/parse.ts';
import type { TokenSets } from '../../../src/fhir/search/token-sets.ts';
import { TEST_BASE_URL, testParameters } from '../../support/store-rules.ts';
import { openSearchWorld, type SearchWorld } from './search-world.ts';

let world: SearchWorld;

const ACT_CODE = 'http://terminology.hl7.org/CodeSystem/v3-ActCode';
const encounter = (id: string, code: string) =>
  ({ resourceType: 'Encounter', id, status: 'finished', class: { system: ACT_CODE, code } }) as const;
const observed = (id: string, status: Observation['status']): Observation => ({
  resourceType: 'Observation',
  id,
  status,
  code: { text: 'x' },
});
const plan = (id: string, ...instantiatesCanonical: string[]): CarePlan => ({
  resourceType: 'CarePlan',
  id,
  status: 'active',
  intent: 'plan',
  subject: { reference: 'Patient/p' },
  instantiatesCanonical,
});

beforeAll(async () => {
  world = await openSearchWorld();
  await world.put(
    encounter('inpatient', 'IMP'),
    encounter('acute', 'ACUTE'),
    encounter('ambulatory', 'AMB'),
    observed('final', 'final'),
    observed('cancelled', 'cancelled'),
    plan('v1', 'http://example.org/Plan|1'),
    plan('v1.0', 'http://example.org/Plan|1.0'),
    plan('v10', 'http://example.org/Plan|10.0'),
    plan('plain', 'http://example.org/Plan'),
  );
});
afterAll(() => world.cleanup());

test.each([
  ['Encounter?class:below=http://terminology.hl7.org/CodeSystem/v3-ActCode|IMP', ['acute', 'inpatient']],
  ['Encounter?class:above=http://terminology.hl7.org/CodeSystem/v3-ActCode|ACUTE', ['acute', 'inpatient']],
  ['Encounter?class:below=http://terminology.hl7.org/CodeSystem/v3-ActCode|AMB', ['ambulatory']],
  ['Observation?status:in=http://hl7.org/fhir/ValueSet/observation-status', ['cancelled', 'final']],
  ['Observation?status:not-in=http://hl7.org/fhir/ValueSet/observation-status', []],
  ['CarePlan?instantiates-canonical:below=http://example.org/Plan', ['plain', 'v1', 'v1.0', 'v10']],
  ['CarePlan?instantiates-canonical:below=http://example.org/Plan|1', ['v1', 'v1.0']],
  ['CarePlan?instantiates-canonical=http://example.org/Plan|1.0', ['v1.0']],
])('%s finds %j', async (url, expected) => {
  expect(await world.found(url)).toEqual(expected);
});

test.each([
  'Encounter?class:in=http://example.org/unknown',
  'Encounter?class:below=http://example.org/unknown|A',
  'Encounter?class:below=',
  'Patient?name:in=http://hl7.org/fhir/ValueSet/administrative-gender',
])('%s is refused', (url) => {
  expect(() => world.search(url)).toThrow(Fault);
});

test('without terminology, and for more codes than can be looked up, they are refused', () => {
  const parse = (tokenSets?: TokenSets) =>
    parseSearchUrl(testParameters, 'Observation?code:in=http://example.org/all', {
      handling: 'strict',
      baseUrl: TEST_BASE_URL,
      tokenSets,
    });
  const codes = (count: number): TokenSets => ({
    inValueSet: () => Array.from({ length: count }, (_, i) => ({ system: 'urn:s', code: `c${i}` })),
    below: () => undefined,
    above: () => undefined,
  });
  expect(() => parse()).toThrow(':in');
  expect(() => parse(codes(20_001))).toThrow('20001');
  expect(parse(codes(20_000)).conditions).toMatchObject([{ kind: 'match', anyOf: { length: 20_000 } }]);
});

test('large sets are looked up', async () => {
  const query = parseSearchUrl(testParameters, 'Observation?status:in=http://example.org/large', {
    handling: 'strict',
    baseUrl: TEST_BASE_URL,
    tokenSets: {
      inValueSet: () => [
        ...Array.from({ length: 19_000 }, (_, i) => ({ system: 'urn:s', code: `c${i}` })),
        { system: 'http://hl7.org/fhir/observation-status', code: 'final' },
      ],
      below: () => undefined,
      above: () => undefined,
    },
  });
  expect((await world.temp.store.search(query)).items.map(({ id }) => id)).toEqual(['final']);
});

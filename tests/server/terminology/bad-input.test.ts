// Whatever is sent to a terminology operation, it answers with 4xx at worst, soon, and goes on.
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { serve, type TestServer } from '../serve.ts';
import { ALL_ANIMALS, ANIMALS, ANIMALS_URL, codesOf, store, valueSet } from './animals.ts';

let baton: TestServer;

beforeAll(async () => {
  baton = await serve();
  await store(baton, ANIMALS);
  await store(baton, ALL_ANIMALS);
});

afterAll(() => baton.close());

const PATHS = [
  'ValueSet/$expand',
  'ValueSet/$validate-code',
  'CodeSystem/$validate-code',
  'CodeSystem/$lookup',
  'CodeSystem/$subsumes',
  'ConceptMap/$translate',
];
const NAMES = [
  'url',
  'valueSet',
  'codeSystem',
  'conceptMap',
  'code',
  'system',
  'coding',
  'codeableConcept',
  'dependency',
];
const MORE_NAMES = [
  'codeA',
  'codingA',
  'codeB',
  'filter',
  'offset',
  'count',
  'date',
  'property',
  'reverse',
  'designation',
];

const anything = fc.oneof(
  fc.constantFrom(
    ALL_ANIMALS.url,
    ANIMALS_URL,
    'dog',
    'true',
    '2026',
    '1',
    '|',
    '__proto__',
    5,
    true,
    null,
    ANIMALS,
    ALL_ANIMALS,
  ),
  fc.jsonValue({ maxDepth: 2 }),
  fc.record({ coding: fc.jsonValue({ maxDepth: 1 }) }),
  fc.record({ system: fc.jsonValue({ maxDepth: 0 }), code: fc.constantFrom('dog', 7) }),
);
const parameter = fc
  .tuple(
    fc.constantFrom(...NAMES, ...MORE_NAMES),
    fc.constantFrom('valueString', 'valueUri', 'valueCode', 'valueCoding', 'valueCodeableConcept', 'resource', 'part'),
    anything,
  )
  .map(([name, key, value]) => ({ name, [key]: value }));

it('Parameters of any kind', async () => {
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...PATHS), fc.array(parameter, { maxLength: 5 }), async (path, given) => {
      const body = { resourceType: 'Parameters', parameter: given };
      const { status, json } = await baton.fhir('POST', `/${path}`, { body });
      expect([path, status < 500 || json]).toEqual([path, true]);
      if (status !== 200) expect(json).toMatchObject({ resourceType: 'OperationOutcome' });
    }),
    { numRuns: 400 },
  );
});

it('queries of any kind', async () => {
  const pair = fc.tuple(
    fc.constantFrom(...NAMES, ...MORE_NAMES),
    fc.oneof(fc.constantFrom(ALL_ANIMALS.url as string, ANIMALS_URL, 'dog', '-1', '9'.repeat(12)), fc.string()),
  );
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...PATHS), fc.array(pair, { maxLength: 5 }), async (path, pairs) => {
      const { status } = await baton.fhir('GET', `/${path}?${new URLSearchParams(pairs)}`);
      expect(status).toBeLessThan(500);
    }),
    { numRuns: 300 },
  );
});

it('definitions made to exhaust are refused, and the server goes on', async () => {
  const include = [{ system: ANIMALS_URL, filter: [{ property: 'concept', op: 'regex' as const, value: '(a+)+$' }] }];
  expect((await baton.fhir('POST', '/ValueSet/$expand', { body: valueSet('regex', { include }) })).status).toBe(200);
  for (let i = 0; i < 40; i++) {
    const below = { valueSet: [`http://example.org/fhir/ValueSet/level-${i + 1}`] };
    const compose = i < 39 ? { include: [below, below] } : { include: [{ system: ANIMALS_URL }] };
    await store(baton, valueSet(`level-${i}`, compose));
  }
  const began = performance.now();
  const answer = await baton.fhir('GET', '/ValueSet/$expand?url=http://example.org/fhir/ValueSet/level-0');
  expect([answer.status, answer.json.issue?.[0]?.code]).toEqual([422, 'too-costly']);
  expect(performance.now() - began).toBeLessThan(5_000);
  expect(codesOf(await baton.fhir('GET', `/ValueSet/$expand?url=${ALL_ANIMALS.url}`))).toHaveLength(6);
});

it('a narrative or a wrong element in what is sent is told, with its place', async () => {
  const parameter = [{ name: 'valueSet', resource: { ...ALL_ANIMALS, colour: 'red' } }];
  const answer = await baton.fhir('POST', '/ValueSet/$expand', { body: { resourceType: 'Parameters', parameter } });
  expect([answer.status, answer.json.issue?.[0]?.expression]).toEqual([
    400,
    ['Parameters.parameter[0].resource.colour'],
  ]);
});

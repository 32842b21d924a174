// ConceptMap/$translate over HTTP. https://hl7.org/fhir/R4/conceptmap-operation-translate.html
import type { ConceptMap, Parameters as FhirParameters } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, FHIR, serve, type TestServer } from '../serve.ts';
import { parameters, store, valueIn, valuesOf } from './animals.ts';

let baton: TestServer;
let id: string;

const MAP: ConceptMap = {
  resourceType: 'ConceptMap',
  url: 'http://example.org/fhir/ConceptMap/sounds',
  version: '1',
  status: 'active',
  sourceUri: 'http://example.org/fhir/ValueSet/beasts',
  targetUri: 'http://example.org/fhir/ValueSet/sounds',
  group: [
    {
      source: 'http://beasts',
      target: 'http://sounds',
      element: [
        { code: 'dog', display: 'Dog', target: [{ code: 'bark', display: 'Bark', equivalence: 'wider' }] },
        { code: 'fish' },
        {
          code: 'cat',
          target: [
            {
              code: 'purr',
              equivalence: 'equivalent',
              dependsOn: [{ property: 'http://mood', system: 'http://moods', value: 'happy' }],
              product: [{ property: 'http://tail', system: 'http://tails', value: 'up' }],
            },
          ],
        },
      ],
    },
  ],
};

beforeAll(async () => {
  baton = await serve();
  id = await store(baton, MAP);
});

afterAll(() => baton.close());

const translate = (query: string) => baton.fhir('GET', `/ConceptMap/$translate?${query}`);
const here = (query: string) => translate(`url=${MAP.url}&${query}`);

/** Each match as equivalence and code. */
function matchesOf(answer: Answer): unknown[] {
  const { parameter = [] } = answer.json as unknown as FhirParameters;
  return parameter
    .filter(({ name }) => name === 'match')
    .map(({ part = [] }) => {
      const [equivalence, concept] = ['equivalence', 'concept'].map((name) => part.find((one) => one.name === name));
      return `${equivalence?.valueCode} ${concept?.valueCoding?.system}|${concept?.valueCoding?.code}`;
    });
}

describe('a named map', () => {
  it('by url, by id, and with the request', async () => {
    const query = 'system=http://beasts&code=dog';
    const answers = [
      await here(query),
      await baton.fhir('GET', `/ConceptMap/${id}/$translate?${query}`),
      await baton.fhir('POST', `/ConceptMap/$translate?${query}`, { body: MAP }),
    ];
    for (const answer of answers) {
      expect(valuesOf(answer).result).toBe(true);
      expect(matchesOf(answer)).toEqual(['wider http://sounds|bark']);
    }
  });

  it('in reverse, with the equivalence read that way', async () => {
    expect(matchesOf(await here('system=http://sounds&code=bark&reverse=true'))).toEqual([
      'narrower http://beasts|dog',
    ]);
  });

  it('a code that is mapped to nothing, and one that is not mapped', async () => {
    const fish = await here('system=http://beasts&code=fish');
    expect([valuesOf(fish).result, matchesOf(fish)]).toEqual([false, ['unmatched undefined|undefined']]);
    expect(valuesOf(await here('system=http://beasts&code=cow'))).toMatchObject({
      result: false,
      message: expect.stringContaining('No concept map'),
    });
  });

  it('a mapping that depends on another element, and its product', async () => {
    expect(valuesOf(await here('system=http://beasts&code=cat'))).toMatchObject({
      result: false,
      message: expect.stringContaining('http://mood'),
    });
    const happy = { coding: [{ system: 'http://moods', code: 'happy' }] };
    const body = parameters(
      { name: 'coding', valueCoding: { system: 'http://beasts', code: 'cat' } },
      {
        name: 'dependency',
        part: [
          { name: 'element', valueUri: 'http://mood' },
          { name: 'concept', valueCodeableConcept: happy },
        ],
      },
    );
    const answer = await baton.fhir('POST', `/ConceptMap/${id}/$translate`, { body });
    expect(matchesOf(answer)).toEqual(['equivalent http://sounds|purr']);
    const match = (answer.json as unknown as FhirParameters).parameter?.find(({ name }) => name === 'match');
    const product = match?.part?.find(({ name }) => name === 'product')?.part?.map(valueIn);
    expect(product).toEqual(['http://tail', { system: 'http://tails', code: 'up' }]);
  });

  it('any coding of a CodeableConcept', async () => {
    const codeableConcept = {
      coding: [
        { system: 'http://else', code: 'x' },
        { system: 'http://beasts', code: 'dog' },
      ],
    };
    const body = parameters({ name: 'codeableConcept', valueCodeableConcept: codeableConcept });
    expect(matchesOf(await baton.fhir('POST', `/ConceptMap/${id}/$translate`, { body }))).toHaveLength(1);
  });

  it('value sets and target system must fit', async () => {
    const dog = 'system=http://beasts&code=dog';
    expect(matchesOf(await here(`${dog}&source=${MAP.sourceUri}&target=${MAP.targetUri}`))).toHaveLength(1);
    expect(matchesOf(await here(`${dog}&target=http://other`))).toEqual([]);
    expect(matchesOf(await here(`${dog}&targetsystem=http://sounds`))).toHaveLength(1);
    expect(matchesOf(await here(`${dog}&targetsystem=http://other`))).toEqual([]);
    const bark = 'system=http://sounds&code=bark&reverse=true';
    expect(matchesOf(await here(`${bark}&source=${MAP.targetUri}&target=${MAP.sourceUri}`))).toHaveLength(1);
    expect(matchesOf(await here(`${bark}&source=${MAP.sourceUri}`))).toEqual([]);
  });
});

it('value sets by id and by where they are stored', async () => {
  const stored = await store(baton, { resourceType: 'ValueSet', url: MAP.targetUri, status: 'active' });
  const dog = 'system=http://beasts&code=dog';
  for (const target of [stored, `ValueSet/${stored}`, `${FHIR}/ValueSet/${stored}`]) {
    expect(matchesOf(await here(`${dog}&target=${target}`))).toHaveLength(1);
  }
  expect((await here(`${dog}&target=ValueSet/unknown`)).status).toBe(404);
});

describe('whatever map there is', () => {
  it('stored, installed and of R4', async () => {
    expect(matchesOf(await translate('system=http://beasts&code=dog'))).toEqual(['wider http://sounds|bark']);
    expect(matchesOf(await translate('system=http://sounds&code=bark&reverse=true'))).toHaveLength(1);
    const gender = await translate('system=http://hl7.org/fhir/administrative-gender&code=male');
    expect(matchesOf(gender)).toEqual(
      expect.arrayContaining([
        'equal http://terminology.hl7.org/CodeSystem/v2-0001|M',
        'equal http://terminology.hl7.org/CodeSystem/v3-AdministrativeGender|M',
      ]),
    );
    const home = await translate('system=https://www.nubc.org/CodeSystem/PatDischargeStatus&code=01');
    expect(matchesOf(home)).toEqual(['equivalent https://baton.health/fhir/CodeSystem/discharge-destination|home']);
  });
});

describe('codes that no element maps', () => {
  const mapWith = (unmapped: object): ConceptMap => ({
    ...MAP,
    url: 'http://example.org/fhir/ConceptMap/rest',
    group: [{ ...MAP.group?.[0], element: [{ code: 'x' }], unmapped } as never],
  });
  const ask = (unmapped: object) =>
    baton.fhir('POST', '/ConceptMap/$translate?system=http://beasts&code=dog', { body: mapWith(unmapped) });

  it('provided: the code itself; fixed: the one code; other-map: what that says', async () => {
    expect(matchesOf(await ask({ mode: 'provided' }))).toEqual(['equal http://sounds|dog']);
    expect(matchesOf(await ask({ mode: 'fixed', code: 'noise' }))).toEqual(['relatedto http://sounds|noise']);
    expect(matchesOf(await ask({ mode: 'other-map', url: MAP.url }))).toEqual(['wider http://sounds|bark']);
  });

  it('maps that lead to each other end; one that is not here is named', async () => {
    const loop = { mode: 'other-map', url: 'http://example.org/fhir/ConceptMap/rest' };
    expect(valuesOf(await ask(loop)).result).toBe(false);
    expect(String(valuesOf(await ask({ mode: 'other-map', url: 'http://absent' })).message)).toContain('http://absent');
  });
});

it.each([
  ['an unknown map', 'url=http://nowhere&system=http://s&code=x', 404],
  ['no code', `url=${MAP.url}`, 400],
  ['a code without system', `url=${MAP.url}&code=dog`, 400],
  ['a flag that is none', `url=${MAP.url}&system=http://s&code=x&reverse=perhaps`, 400],
])('refuses %s', async (_what, query, status) => {
  expect((await translate(query)).status).toBe(status);
});

it('is for those who may read concept maps', async () => {
  const as = await baton.token('system/Patient.rs');
  const path = `/ConceptMap/$translate?url=${MAP.url}&system=http://beasts&code=dog`;
  expect((await baton.fhir('GET', path, { as })).status).toBe(403);
});

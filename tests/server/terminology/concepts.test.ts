// $lookup and $subsumes. https://hl7.org/fhir/R4/codesystem-operation-lookup.html
import type { Parameters as FhirParameters } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, serve, type TestServer } from '../serve.ts';
import { ANIMALS, ANIMALS_URL, parameters, store, valueIn, valuesOf } from './animals.ts';

let baton: TestServer;
let id: string;

beforeAll(async () => {
  baton = await serve();
  id = await store(baton, ANIMALS);
});

afterAll(() => baton.close());

const lookup = (query: string) => baton.fhir('GET', `/CodeSystem/$lookup?${query}`);
const ofAnimals = (query: string) => lookup(`system=${ANIMALS_URL}&${query}`);

/** The parts of the parameters of one name, as `[code or language, value]`. */
function partsOf(answer: Answer, name: string): unknown[][] {
  const { parameter = [] } = answer.json as unknown as FhirParameters;
  return parameter.filter((one) => one.name === name).map(({ part = [] }) => part.map(valueIn));
}

describe('$lookup', () => {
  it('everything there is of a concept', async () => {
    const answer = await ofAnimals('code=dog');
    expect(valuesOf(answer)).toMatchObject({ name: 'Animals of the farm', version: '1.0', display: 'Dog' });
    expect(partsOf(answer, 'designation')).toContainEqual(['de', 'Hund']);
    const properties = partsOf(answer, 'property');
    expect(properties).toContainEqual(['parent', 'mammal', 'Mammal']);
    expect(properties).toContainEqual(['child', 'poodle', 'Poodle']);
    expect(properties).toContainEqual(['legs', 4]);
    expect(properties).toContainEqual(['inactive', false]);
    expect(partsOf(await ofAnimals('code=mammal'), 'property')).toContainEqual(['definition', 'What gives milk']);
  });

  it('only the properties that are asked for', async () => {
    const answer = await ofAnimals('code=dog&property=legs&property=lang.de');
    expect(partsOf(answer, 'property')).toEqual([['legs', 4]]);
    expect(partsOf(answer, 'designation')).toEqual([['de', 'Hund']]);
    expect(partsOf(await ofAnimals('code=dog&property=child'), 'designation')).toEqual([]);
  });

  it('in a language, by Coding, and of R4 itself', async () => {
    expect(valuesOf(await ofAnimals('code=dog&displayLanguage=de')).display).toBe('Hund');
    const coding = parameters({ name: 'coding', valueCoding: { system: ANIMALS_URL, version: '1.0', code: 'whale' } });
    expect(valuesOf(await baton.fhir('POST', '/CodeSystem/$lookup', { body: coding })).display).toBe('Whale');
    const inpatient = await lookup('system=http://terminology.hl7.org/CodeSystem/v3-ActCode&code=IMP');
    expect(valuesOf(inpatient).display).toBe('inpatient encounter');
  });

  it.each([
    ['an unknown code', `system=${ANIMALS_URL}&code=cat`, 404, 'not-found'],
    ['an unknown system', 'system=http://nowhere&code=cat', 404, 'not-found'],
    ['another version', `system=${ANIMALS_URL}&version=2&code=dog`, 404, 'not-found'],
    ['a code without system', 'code=dog', 400, 'required'],
    ['no code', `system=${ANIMALS_URL}`, 400, 'required'],
  ])('refuses %s', async (_what, query, status, code) => {
    const answer = await lookup(query);
    expect([answer.status, answer.json.issue?.[0]?.code]).toEqual([status, code]);
  });

  it('is for those who may read code systems', async () => {
    const as = await baton.token('system/Patient.rs');
    const answer = await baton.fhir('GET', `/CodeSystem/$lookup?system=${ANIMALS_URL}&code=dog`, { as });
    expect(answer.status).toBe(403);
  });
});

describe('$subsumes', () => {
  const subsumes = (a: string, b: string, more = `&system=${ANIMALS_URL}`) =>
    baton.fhir('GET', `/CodeSystem/$subsumes?codeA=${a}&codeB=${b}${more}`);

  it.each([
    ['dog', 'dog', 'equivalent'],
    ['mammal', 'poodle', 'subsumes'],
    ['poodle', 'mammal', 'subsumed-by'],
    ['dog', 'whale', 'not-subsumed'],
  ])('%s and %s: %s', async (a, b, outcome) => {
    expect(valuesOf(await subsumes(a, b))).toEqual({ outcome });
    expect(valuesOf(await baton.fhir('GET', `/CodeSystem/${id}/$subsumes?codeA=${a}&codeB=${b}`))).toEqual({ outcome });
    const codings = parameters(
      { name: 'codingA', valueCoding: { system: ANIMALS_URL, code: a } },
      { name: 'codingB', valueCoding: { system: ANIMALS_URL, code: b } },
    );
    expect(valuesOf(await baton.fhir('POST', '/CodeSystem/$subsumes', { body: codings }))).toEqual({ outcome });
  });

  it('several parents: a v3 system whose hierarchy is in properties', async () => {
    const system = '&system=http://terminology.hl7.org/CodeSystem/v3-RoleCode';
    expect(valuesOf(await subsumes('PRN', 'NMTH', system))).toEqual({ outcome: 'subsumes' });
  });

  it('a hierarchy that does not mean is-a is refused', async () => {
    const url = 'http://example.org/fhir/CodeSystem/parts';
    await store(baton, { ...ANIMALS, url, hierarchyMeaning: 'part-of' });
    const answer = await subsumes('mammal', 'dog', `&system=${url}`);
    expect([answer.status, answer.json.issue?.[0]?.code]).toEqual([422, 'not-supported']);
  });

  it.each([
    ['an unknown code', `/CodeSystem/$subsumes?codeA=dog&codeB=cat&system=${ANIMALS_URL}`, 404],
    ['an unknown system', '/CodeSystem/$subsumes?codeA=dog&codeB=cat&system=http://nowhere', 404],
    ['no system', '/CodeSystem/$subsumes?codeA=dog&codeB=cat', 400],
    ['one code', `/CodeSystem/$subsumes?codeA=dog&system=${ANIMALS_URL}`, 400],
    ['codes and codings', `/CodeSystem/$subsumes?codeA=dog&codingB=cat&system=${ANIMALS_URL}`, 400],
  ])('refuses %s', async (_what, path, status) => {
    expect((await baton.fhir('GET', path)).status).toBe(status);
  });
});

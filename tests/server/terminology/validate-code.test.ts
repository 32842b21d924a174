// $validate-code on value sets and code systems. https://hl7.org/fhir/R4/valueset-operation-validate-code.html
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { serve, type TestServer } from '../serve.ts';
import { ALL_ANIMALS, ANIMALS, ANIMALS_URL, parameters, store, valueSet, valuesOf } from './animals.ts';

let baton: TestServer;
let systemId: string;
let setId: string;

beforeAll(async () => {
  baton = await serve();
  systemId = await store(baton, ANIMALS);
  setId = await store(baton, ALL_ANIMALS);
});

afterAll(() => baton.close());

const url = encodeURIComponent(ALL_ANIMALS.url as string);
const inSet = (query: string) => baton.fhir('GET', `/ValueSet/$validate-code?${query}`);
const inAnimals = (query: string) => inSet(`url=${url}&system=${ANIMALS_URL}&${query}`);
const inSystem = (query: string) => baton.fhir('GET', `/CodeSystem/$validate-code?url=${ANIMALS_URL}&${query}`);

describe('of a value set', () => {
  it('a code that is in it, with the display it should have', async () => {
    expect(valuesOf(await inAnimals('code=dog'))).toEqual({ result: true, display: 'Dog' });
    expect(valuesOf(await inAnimals('code=dog&displayLanguage=de'))).toEqual({ result: true, display: 'Hund' });
  });

  it('a code that its system does not have, one of another system, one that another include would need', async () => {
    expect(valuesOf(await inAnimals('code=cat'))).toEqual({
      result: false,
      message: `${ANIMALS_URL} has no code cat.`,
    });
    const gender = 'http://hl7.org/fhir/administrative-gender';
    expect(valuesOf(await inSet(`url=${url}&system=${gender}&code=male`))).toMatchObject({
      result: false,
      message: expect.stringContaining('is not in the value set'),
    });
  });

  it('display: any designation will do, in any case; another one is wrong and the right one is told', async () => {
    for (const display of ['Dog', 'dog', 'Hund', 'domestic  dog']) {
      expect(valuesOf(await inAnimals(`code=dog&display=${display}`)).result).toBe(true);
    }
    expect(valuesOf(await inAnimals('code=dog&display=Cat'))).toEqual({
      result: false,
      message: '“Cat” is not a display of the code dog; it is “Dog”.',
      display: 'Dog',
    });
  });

  it('abstract=false refuses a code that only groups; an inactive one is valid with a word about it', async () => {
    expect(valuesOf(await inAnimals('code=mammal')).result).toBe(true);
    expect(valuesOf(await inAnimals('code=mammal&abstract=true')).result).toBe(true);
    expect(valuesOf(await inAnimals('code=mammal&abstract=false')).result).toBe(false);
    expect(valuesOf(await inAnimals('code=dodo'))).toMatchObject({
      result: true,
      message: 'The code dodo is inactive.',
    });
  });

  it('a Coding, and a CodeableConcept of which one coding is enough', async () => {
    const post = (...given: Parameters<typeof parameters>) =>
      baton.fhir('POST', `/ValueSet/${setId}/$validate-code`, { body: parameters(...given) });
    const dog = { system: ANIMALS_URL, code: 'dog' };
    const cat = { system: ANIMALS_URL, code: 'cat' };
    expect(valuesOf(await post({ name: 'coding', valueCoding: dog })).result).toBe(true);
    expect(valuesOf(await post({ name: 'coding', valueCoding: { code: 'dog' } }))).toMatchObject({ result: false });
    const concept = (...coding: object[]) => post({ name: 'codeableConcept', valueCodeableConcept: { coding } });
    expect(valuesOf(await concept(cat, dog))).toMatchObject({
      result: true,
      message: `${ANIMALS_URL} has no code cat.`,
    });
    expect(valuesOf(await concept(cat)).result).toBe(false);
    const inWords = await post({ name: 'codeableConcept', valueCodeableConcept: { text: 'dog' } });
    expect(valuesOf(inWords).result).toBe(false);
  });

  it('a version of the system: one that is not here cannot be told, unless the value set names another', async () => {
    expect(valuesOf(await inAnimals('code=dog&systemVersion=1.0')).result).toBe(true);
    const absent = await inAnimals('code=dog&systemVersion=7');
    expect([absent.status, absent.json.issue?.[0]?.details?.text]).toEqual([
      422,
      expect.stringContaining(`Version 7 of ${ANIMALS_URL} is not here.`),
    ]);
    const pinned = valueSet('pinned', { include: [{ system: ANIMALS_URL, version: '1.0' }] });
    const query = `system=${ANIMALS_URL}&code=dog&systemVersion=7`;
    const other = await baton.fhir('POST', `/ValueSet/$validate-code?${query}`, { body: pinned });
    expect(valuesOf(other).result).toBe(false);
  });

  it('what cannot be told is an error, not "false"', async () => {
    const conditions = 'url=http://hl7.org/fhir/ValueSet/condition-code';
    const answer = await inSet(`${conditions}&system=http://snomed.info/sct&code=42343007`);
    expect([answer.status, answer.json.issue?.[0]?.code]).toEqual([422, 'not-supported']);
    expect(answer.text).toContain('cannot be validated');
    const other = await inSet(`${conditions}&system=${ANIMALS_URL}&code=dog`);
    expect(valuesOf(other).result).toBe(false);
  });

  it('one that comes with the request, over a system of a stored one', async () => {
    const dogs = valueSet('dogs', {
      include: [{ system: ANIMALS_URL, filter: [{ property: 'concept', op: 'is-a', value: 'dog' }] }],
    });
    const ask = (code: string) =>
      baton.fhir('POST', `/ValueSet/$validate-code?system=${ANIMALS_URL}&code=${code}`, { body: dogs });
    expect([valuesOf(await ask('poodle')).result, valuesOf(await ask('whale')).result]).toEqual([true, false]);
  });

  it.each([
    ['no value set', `system=${ANIMALS_URL}&code=dog`, 400, 'required'],
    ['an unknown value set', 'url=http://nowhere&system=http://s&code=dog', 404, 'not-found'],
    ['no code', `url=${url}`, 400, 'required'],
    ['a code without system', `url=${url}&code=dog`, 400, 'required'],
    ['two codes', `url=${url}&system=${ANIMALS_URL}&code=dog&code=cat`, 400, 'invalid'],
    ['a coding that is none', `url=${url}&coding=dog`, 400, 'structure'],
  ])('refuses %s', async (_what, query, status, code) => {
    const answer = await inSet(query);
    expect([answer.status, answer.json.issue?.[0]?.code]).toEqual([status, code]);
  });
});

describe('of a code system', () => {
  it('by url and by id', async () => {
    expect(valuesOf(await inSystem('code=dog'))).toEqual({ result: true, display: 'Dog' });
    expect(valuesOf(await inSystem('code=cat')).result).toBe(false);
    expect(valuesOf(await baton.fhir('GET', `/CodeSystem/${systemId}/$validate-code?code=whale`)).result).toBe(true);
  });

  it('a coding of another system is not in it', async () => {
    const other = { system: 'http://other', code: 'dog' };
    const answer = await baton.fhir('POST', `/CodeSystem/$validate-code?url=${ANIMALS_URL}`, {
      body: parameters({ name: 'coding', valueCoding: other }),
    });
    expect(valuesOf(answer).result).toBe(false);
  });

  it('one that comes with the request', async () => {
    const body = { ...ANIMALS, version: 'other', concept: [{ code: 'cat' }] };
    const ask = (code: string) => baton.fhir('POST', `/CodeSystem/$validate-code?code=${code}`, { body });
    expect([valuesOf(await ask('cat')).result, valuesOf(await ask('dog')).result]).toEqual([true, false]);
  });

  it('an unknown system or version is an error', async () => {
    const unknown = await baton.fhir('GET', '/CodeSystem/$validate-code?url=http://snomed.info/sctx&code=1');
    expect([unknown.status, unknown.json.issue?.[0]?.code]).toEqual([404, 'not-found']);
    expect((await inSystem('code=dog&version=9')).status).toBe(404);
    const empty = await baton.fhir('GET', '/CodeSystem/$validate-code?url=http://snomed.info/sct&code=1');
    expect([empty.status, empty.json.issue?.[0]?.code]).toEqual([422, 'not-supported']);
  });

  it('a supplement adds displays, and is no system of its own', async () => {
    const supplement = {
      ...ANIMALS,
      url: 'http://example.org/fhir/CodeSystem/animals-fr',
      content: 'supplement',
      supplements: ANIMALS_URL,
      concept: [{ code: 'dog', designation: [{ language: 'fr', value: 'Chien' }] }],
    };
    expect(valuesOf(await inSystem('code=dog&display=Chien')).result).toBe(false);
    await store(baton, supplement);
    expect(valuesOf(await inSystem('code=dog&display=Chien&displayLanguage=fr'))).toEqual({
      result: true,
      display: 'Chien',
    });
    expect((await baton.fhir('GET', `/CodeSystem/$validate-code?url=${supplement.url}&code=dog`)).status).toBe(404);
  });
});

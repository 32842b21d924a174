// ValueSet/$expand over HTTP, parameter by parameter. https://hl7.org/fhir/R4/valueset-operation-expand.html
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { serve, type TestServer } from '../serve.ts';
import { ALL_ANIMALS, ANIMALS, ANIMALS_URL, codesOf, expansionOf, parameters, store, valueSet } from './animals.ts';

let baton: TestServer;
let id: string;

beforeAll(async () => {
  baton = await serve();
  await store(baton, ANIMALS);
  id = await store(baton, ALL_ANIMALS);
});

afterAll(() => baton.close());

const EVERY_CODE = ['mammal', 'dog', 'poodle', 'whale', 'bird', 'dodo'];
const GENDER = 'http://hl7.org/fhir/ValueSet/administrative-gender';
const url = encodeURIComponent(ALL_ANIMALS.url as string);
const expand = (query: string) => baton.fhir('GET', `/ValueSet/$expand?${query}`);
const animals = (query = '') => expand(`url=${url}&${query}`);

describe('which value set', () => {
  it('one of R4 by url', async () => {
    const answer = await expand(`url=${GENDER}`);
    expect([answer.status, codesOf(answer)]).toEqual([200, ['male', 'female', 'other', 'unknown']]);
    expect(answer.json).toMatchObject({ resourceType: 'ValueSet', url: GENDER, status: 'active' });
    expect(expansionOf(answer)).toMatchObject({ total: 4, identifier: expect.stringMatching(/^urn:uuid:/) });
    expect(answer.json).not.toHaveProperty('compose');
  });

  it('one of the v3 tables, with its hierarchy', async () => {
    const answer = await expand('url=http://terminology.hl7.org/ValueSet/v3-ActEncounterCode');
    expect(codesOf(answer)).toContain('IMP');
  });

  it('a stored one at once, by url, by url and version, and by id', async () => {
    const found = [
      await animals(),
      await expand(`url=${url}|1`),
      await animals('valueSetVersion=1'),
      await baton.fhir('GET', `/ValueSet/${id}/$expand`),
      await baton.fhir('POST', `/ValueSet/${id}/$expand`, { body: parameters() }),
    ];
    for (const answer of found) expect([answer.status, codesOf(answer)]).toEqual([200, EVERY_CODE]);
  });

  it('one that comes with the request, alone or in Parameters', async () => {
    const dogs = valueSet('dogs', {
      include: [{ system: ANIMALS_URL, filter: [{ property: 'concept', op: 'is-a', value: 'dog' }] }],
    });
    const bare = await baton.fhir('POST', '/ValueSet/$expand', { body: dogs });
    const wrapped = await baton.fhir('POST', '/ValueSet/$expand', {
      body: parameters({ name: 'valueSet', resource: dogs }),
    });
    expect([codesOf(bare), codesOf(wrapped)]).toEqual([
      ['dog', 'poodle'],
      ['dog', 'poodle'],
    ]);
  });

  it('the newest stored version, unless another is asked for', async () => {
    const of = (version: string, code: string) => ({
      ...valueSet('versioned', { include: [{ system: ANIMALS_URL, concept: [{ code }] }] }),
      version,
    });
    for (const each of [of('9', 'dog'), of('10', 'whale')]) await store(baton, each);
    const versioned = encodeURIComponent(of('', '').url as string);
    expect(codesOf(await expand(`url=${versioned}`))).toEqual(['whale']);
    expect(codesOf(await expand(`url=${versioned}%7C9`))).toEqual(['dog']);
    expect((await expand(`url=${versioned}%7C11`)).status).toBe(404);
  });

  it.each([
    ['no value set at all', '', 400, 'required'],
    ['an unknown one', 'url=http://nowhere', 404, 'not-found'],
    ['a context', `url=${GENDER}&context=http://x`, 400, 'not-supported'],
    ['an unknown parameter', `url=${GENDER}&colour=red`, 400, 'not-supported'],
    ['a count that is none', `url=${GENDER}&count=-1`, 400, 'value'],
    ['a flag that is none', `url=${GENDER}&activeOnly=yes`, 400, 'value'],
    ['a date that is none', `url=${GENDER}&date=yesterday`, 400, 'value'],
    ['a version rule without version', `url=${GENDER}&system-version=http://s`, 400, 'value'],
  ])('refuses %s', async (_what, query, status, code) => {
    const answer = await expand(query);
    expect([answer.status, answer.json.issue?.[0]?.code]).toEqual([status, code]);
  });

  it('refuses one that is no value set, or not a valid one', async () => {
    const wrong = { resourceType: 'ValueSet', status: 'active', compose: { include: 'all' } };
    const answer = await baton.fhir('POST', '/ValueSet/$expand', { body: wrong });
    expect([answer.status, answer.json.issue?.[0]?.expression]).toEqual([400, ['ValueSet.compose.include']]);
    expect((await baton.fhir('POST', '/ValueSet/$expand', { body: ANIMALS })).status).toBe(400);
    expect((await baton.fhir('GET', '/ValueSet/unknown/$expand')).status).toBe(404);
    expect((await baton.fhir('GET', '/Patient/$expand')).status).toBe(404);
  });
});

describe('which codes', () => {
  it('filter: words that begin words of code, display or designation', async () => {
    expect(codesOf(await animals('filter=do'))).toEqual(['dog', 'dodo']);
    expect(codesOf(await animals('filter=dom%20D'))).toEqual(['dog']);
    expect(codesOf(await animals('filter=ale'))).toEqual([]);
  });

  it('activeOnly, excludeNotForUI, exclude-system', async () => {
    expect(codesOf(await animals('activeOnly=true'))).not.toContain('dodo');
    expect(codesOf(await animals('excludeNotForUI=true'))).not.toContain('mammal');
    expect(codesOf(await animals(`exclude-system=${ANIMALS_URL}`))).toEqual([]);
    expect(codesOf(await animals(`exclude-system=${ANIMALS_URL}%7C2.0`))).toEqual(EVERY_CODE);
    const entries = expansionOf(await animals()).contains ?? [];
    expect(entries.find(({ code }) => code === 'dodo')).toMatchObject({ inactive: true });
    expect(entries.find(({ code }) => code === 'mammal')).toMatchObject({ abstract: true });
  });

  it('pages cover the whole once, with the total of all', async () => {
    const pages = [];
    for (const offset of [0, 2, 4, 6]) pages.push(await animals(`offset=${offset}&count=2`));
    expect(pages.flatMap(codesOf)).toEqual(EVERY_CODE);
    expect(pages.map((page) => expansionOf(page).total)).toEqual([6, 6, 6, 6]);
    expect(expansionOf(await animals('count=0'))).toMatchObject({ total: 6, offset: 0 });
    expect(codesOf(await animals('count=0'))).toEqual([]);
  });

  it('displayLanguage, includeDesignations and designation', async () => {
    const dog = async (query: string) => expansionOf(await animals(query)).contains?.find(({ code }) => code === 'dog');
    expect(await dog('displayLanguage=de-AT')).toMatchObject({ display: 'Hund' });
    expect(await dog('')).not.toHaveProperty('designation');
    expect((await dog('includeDesignations=true'))?.designation).toHaveLength(2);
    expect((await dog('designation=de'))?.designation).toEqual([{ language: 'de', value: 'Hund' }]);
    expect((await dog('designation=http://snomed.info/sct%7C900000000000013009'))?.designation).toMatchObject([
      { value: 'Domestic dog' },
    ]);
  });

  it('includeDefinition gives the definition', async () => {
    expect((await animals('includeDefinition=true')).json).toHaveProperty('compose');
  });

  it('names the parameters and versions it was made with', async () => {
    const { parameter } = expansionOf(await animals('filter=dog&count=5&activeOnly=true'));
    expect(parameter).toEqual(
      expect.arrayContaining([
        { name: 'filter', valueString: 'dog' },
        { name: 'count', valueInteger: 5 },
        { name: 'activeOnly', valueBoolean: true },
        { name: 'version', valueUri: `${ANIMALS_URL}|1.0` },
      ]),
    );
  });

  it('is a valid ValueSet, which can be stored', async () => {
    const { json } = await animals('includeDesignations=true');
    const { id: _id, ...expanded } = json;
    expect((await baton.fhir('POST', '/ValueSet', { body: { ...expanded, url: 'http://copy' } })).status).toBe(201);
    expect(codesOf(await expand('url=http://copy'))).toEqual(EVERY_CODE);
  });
});

describe('versions of code systems', () => {
  const second = { ...ANIMALS, version: '2.0', concept: [{ code: 'cat', display: 'Cat' }] };

  beforeAll(() => store(baton, second));

  it('the newest, unless system-version or force-system-version name one', async () => {
    expect(codesOf(await animals())).toEqual(['cat']);
    expect(codesOf(await animals(`system-version=${ANIMALS_URL}%7C1.0`))).toEqual(EVERY_CODE);
    expect(codesOf(await animals(`force-system-version=${ANIMALS_URL}%7C1.0`))).toEqual(EVERY_CODE);
  });

  it('the one that the value set names, unless it is forced; a check fails when they differ', async () => {
    const pinned = valueSet('pinned', { include: [{ system: ANIMALS_URL, version: '1.0' }] });
    const ask = (name: string) =>
      baton.fhir('POST', `/ValueSet/$expand?${name}=${ANIMALS_URL}%7C2.0`, { body: pinned });
    expect(codesOf(await ask('system-version'))).toEqual(EVERY_CODE);
    expect(codesOf(await ask('force-system-version'))).toEqual(['cat']);
    const checked = await ask('check-system-version');
    expect([checked.status, checked.json.issue?.[0]?.code]).toEqual([422, 'business-rule']);
  });

  it('one that is not here is an error that names those that are', async () => {
    const absent = valueSet('absent', { include: [{ system: ANIMALS_URL, version: '3.0' }] });
    const answer = await baton.fhir('POST', '/ValueSet/$expand', { body: absent });
    expect([answer.status, answer.json.issue?.[0]?.code]).toEqual([422, 'not-supported']);
    expect(answer.text).toContain('there is 2.0, 1.0');
  });

  it('as of a date: what is younger is not used, and said not to be there when nothing is left', async () => {
    const dated = valueSet('dated', { include: [{ system: ANIMALS_URL }] });
    await store(baton, { ...dated, date: '2026-02-01' });
    const at = (date: string) => expand(`url=${encodeURIComponent(dated.url as string)}&date=${date}`);
    expect((await at('2026-03')).status).toBe(200);
    const before = await at('2026-01-31');
    expect([before.status, before.json.issue?.[0]?.code]).toEqual([422, 'not-supported']);
  });
});

describe('what cannot be expanded', () => {
  it('a code system that is not here, named in the outcome', async () => {
    const answer = await expand('url=http://hl7.org/fhir/ValueSet/condition-code');
    expect([answer.status, answer.json.issue?.[0]?.code]).toEqual([422, 'not-supported']);
    expect(answer.text).toContain('http://snomed.info/sct');
  });

  it('a fragment is expanded and says that it is not the whole', async () => {
    const answer = await expand('url=http://hl7.org/fhir/ValueSet/insuranceplan-type');
    expect([answer.status, codesOf(answer).length]).toEqual([200, 10]);
    expect(expansionOf(answer).extension).toMatchObject([
      { url: 'http://hl7.org/fhir/StructureDefinition/valueset-unclosed', valueBoolean: true },
    ]);
  });

  it('a set that is too large for one answer comes page by page', async () => {
    const concept = Array.from({ length: 10_001 }, (_, i) => ({ code: `c${i}` }));
    const large = valueSet('large', { include: [{ system: 'http://s', concept }] });
    await store(baton, large);
    const of = (query: string) => expand(`url=${encodeURIComponent(large.url as string)}&${query}`);
    const answer = await of('');
    expect([answer.status, answer.json.issue?.[0]?.code]).toEqual([422, 'too-costly']);
    expect(expansionOf(await of('offset=10000&count=10'))).toMatchObject({
      total: 10_001,
      contains: [{ code: 'c10000' }],
    });
  });
});

describe('who may', () => {
  it('reading the type is needed, and what cannot be read is as if it were not there', async () => {
    const [some, sets, none] = await Promise.all([
      baton.token('system/ValueSet.rs system/CodeSystem.rs'),
      baton.token('system/ValueSet.rs'),
      baton.token('system/Patient.rs'),
    ]);
    const ask = (as: string, query: string) => baton.fhir('GET', `/ValueSet/$expand?${query}`, { as });
    expect((await ask(some, `url=${url}`)).status).toBe(200);
    expect((await ask(sets, `url=${url}`)).status).toBe(422);
    expect((await ask(sets, `url=${GENDER}`)).status).toBe(200);
    expect((await ask(none, `url=${GENDER}`)).status).toBe(403);
    expect((await baton.fhir('GET', `/ValueSet/${id}/$expand`, { as: none })).status).toBe(403);
    expect((await ask('', `url=${GENDER}`)).status).toBe(401);
  });

  it('a token for one patient, or for some value sets, sees R4 and of what is stored what it reaches', async () => {
    const patient = await baton.token('patient/*.rs', 'p1');
    const some = await baton.token(`system/ValueSet.rs?url=${ALL_ANIMALS.url} system/CodeSystem.rs`);
    const others = await baton.token('system/ValueSet.rs?url=http://else system/CodeSystem.rs');
    const ask = async (as: string, of: string) =>
      (await baton.fhir('GET', `/ValueSet/$expand?url=${encodeURIComponent(of)}`, { as })).status;
    const stored = ALL_ANIMALS.url as string;
    expect([await ask(patient, GENDER), await ask(patient, stored)]).toEqual([200, 404]);
    expect([await ask(some, GENDER), await ask(some, stored)]).toEqual([200, 200]);
    expect([await ask(others, GENDER), await ask(others, stored)]).toEqual([200, 404]);
  });

  it('a value set that comes along needs no right to read', async () => {
    const as = await baton.token('system/Patient.rs');
    const own = valueSet('own', { include: [{ system: 'http://hl7.org/fhir/administrative-gender' }] });
    const answer = await baton.fhir('POST', '/ValueSet/$expand', { body: own, as });
    expect([answer.status, codesOf(answer).length]).toEqual([200, 4]);
  });
});

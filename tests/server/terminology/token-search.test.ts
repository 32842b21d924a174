// Searches by value set and by hierarchy, over terminology of R4 and terminology that is stored.
// https://hl7.org/fhir/R4/search.html#modifiers
import { afterAll, beforeAll, expect, it } from 'vitest';
import { serve, type TestServer } from '../serve.ts';
import { ALL_ANIMALS, ANIMALS, ANIMALS_URL, store, valueSet } from './animals.ts';

let baton: TestServer;

beforeAll(async () => {
  baton = await serve();
  await store(baton, ANIMALS);
  await store(baton, ALL_ANIMALS);
  for (const code of ['mammal', 'dog', 'poodle', 'bird']) {
    const body = { resourceType: 'Basic', id: code, code: { coding: [{ system: ANIMALS_URL, code }] } };
    await baton.fhir('PUT', `/Basic/${code}`, { body });
  }
});

afterAll(() => baton.close());

async function found(query: string): Promise<string[]> {
  const { status, json, text } = await baton.fhir('GET', `/Basic?${query}`);
  if (status !== 200) throw new Error(text);
  return (json.entry ?? []).map(({ resource }) => resource?.id ?? '').sort();
}

it('a stored value set, as soon as it is there', async () => {
  const dogs = valueSet('dogs', {
    include: [{ system: ANIMALS_URL, filter: [{ property: 'concept', op: 'is-a', value: 'dog' }] }],
  });
  const refused = await baton.fhir('GET', `/Basic?code:in=${dogs.url}`);
  expect([refused.status, refused.json.issue?.[0]?.code]).toEqual([400, 'not-supported']);
  await store(baton, dogs);
  expect(await found(`code:in=${dogs.url}`)).toEqual(['dog', 'poodle']);
  expect(await found(`code:not-in=${dogs.url}`)).toEqual(['bird', 'mammal']);
});

it('what is below and above a code of a stored system', async () => {
  expect(await found(`code:below=${ANIMALS_URL}|mammal`)).toEqual(['dog', 'mammal', 'poodle']);
  expect(await found(`code:above=${ANIMALS_URL}|poodle`)).toEqual(['dog', 'mammal', 'poodle']);
});

it('within a batch', async () => {
  const request = { method: 'GET', url: `Basic?code:in=${ALL_ANIMALS.url}` };
  const body = { resourceType: 'Bundle', type: 'batch', entry: [{ request }] };
  const { json } = await baton.fhir('POST', '/', { body });
  expect(json.entry?.[0]?.resource?.total).toBe(4);
});

it('only what the token may read of it', async () => {
  const as = await baton.token('system/Basic.rs');
  const answer = await baton.fhir('GET', `/Basic?code:in=${ALL_ANIMALS.url}`, { as });
  expect([answer.status, answer.json.issue?.[0]?.code]).toEqual([400, 'not-supported']);
});

it('an operation within a batch answers there', async () => {
  const request = { method: 'GET', url: `ValueSet/$expand?url=${ALL_ANIMALS.url}` };
  const body = { resourceType: 'Bundle', type: 'batch', entry: [{ request }] };
  const { json } = await baton.fhir('POST', '/', { body });
  expect(json.entry?.[0]?.response?.status).toBe('200 OK');
  expect(json.entry?.[0]?.resource).toMatchObject({ resourceType: 'ValueSet', expansion: { total: 6 } });
});

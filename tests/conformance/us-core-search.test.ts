// The US Core search matrix as far as R4's own parameters go, with no guide installed: each row by GET and by POST, by
// three forms of the patient's reference, with alternatives and with comparators. With the guide, which adds parameters,
// tests/corpus/us-core-search.corpus.test.ts asks the whole matrix.
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { FHIR } from '../server/serve.ts';
import { type Asked, ask, idsOf, refused } from './asked.ts';
import { combinations, MATRIX, OF_THE_GUIDE, PATIENT_SEARCHES } from './us-core-matrix.ts';
import { recordOf } from './us-core-record.ts';

let asked: Asked;

beforeAll(async () => {
  asked = await ask(...recordOf('ann'), ...recordOf('bea'));
});
afterAll(() => asked.close());

const record = recordOf('ann');
const ofAnn = (type: string) => record.find(({ resourceType }) => resourceType === type)?.id ?? '';
const isOfR4 = (type: string, codes: readonly string[]) => codes.every((code) => !OF_THE_GUIDE.has(`${type}.${code}`));

const rows = Object.entries(MATRIX).flatMap(([type, all]) => all.map((codes) => [type, codes] as const));

describe('with the patient', () => {
  test.each(rows.filter(([type, codes]) => isOfR4(type, codes)))('%s by %j', async (type, codes) => {
    const queries = combinations(type, codes);
    expect(queries.length).toBeGreaterThan(0);
    for (const query of queries) {
      for (const patient of ['ann', 'Patient/ann', `${FHIR}/Patient/ann`, 'ann,nobody']) {
        expect(await asked.found(`${type}?patient=${patient}${query}`), query).toEqual([ofAnn(type)]);
      }
      expect(await asked.found(`${type}?patient=nobody${query}`), query).toEqual([]);
    }
  });
});

describe('Patient', () => {
  const ofR4 = PATIENT_SEARCHES.filter((query) => isOfR4('Patient', [query.replace(/=.*/, '')]));
  test.each(ofR4)('%s', async (query) => {
    expect(await asked.found(`Patient?${query}`)).toEqual(['ann']);
  });
});

test.each(['ServiceRequest', 'Encounter', 'QuestionnaireResponse'])('%s by _id', async (type) => {
  expect(await asked.found(`${type}?_id=${ofAnn(type)}`)).toEqual([ofAnn(type)]);
});

it('a care team comes with its participants', async () => {
  const answer = await asked.search('CareTeam?patient=ann&status=active&_include=CareTeam:participant');
  expect([idsOf(answer), idsOf(answer, 'include')]).toEqual([['ann-team'], ['nurse']]);
});

test.each([...OF_THE_GUIDE])('%s is refused without the guide', async (name) => {
  const [type, code] = name.split('.');
  await refused(asked.baton, `${type}?${code}=x`);
});

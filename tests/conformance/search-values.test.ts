// 10 to 20. Tokens, strings, composites, quantities, references. https://hl7.org/fhir/R4/search.html#ptypes
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { FHIR } from '../server/serve.ts';
import { type Asked, ask, refused } from './asked.ts';

let asked: Asked;

const LOINC = 'http://loinc.org';
const UCUM = 'http://unitsofmeasure.org';
const patient = (id: string, more: object) => ({ resourceType: 'Patient', id, ...more });
const task = (id: string, more: object) => ({
  resourceType: 'Task',
  id,
  status: 'requested',
  intent: 'order',
  ...more,
});
const coded = (...codes: string[]) => ({ coding: codes.map((code) => ({ system: LOINC, code })) });
const observation = (id: string, more: object) => ({
  resourceType: 'Observation',
  id,
  status: 'final',
  code: coded('4548-4'),
  ...more,
});
const amount = (value: number) => ({ value, unit: 'mmol/L', system: UCUM, code: 'mmol/L' });
const pressure = (id: string, systolic: number, diastolic: number) =>
  observation(id, {
    code: coded('85354-9'),
    component: [
      { code: coded('8480-6'), valueQuantity: { value: systolic } },
      { code: coded('8462-4'), valueQuantity: { value: diastolic } },
    ],
  });

beforeAll(async () => {
  asked = await ask(
    patient('bare', { identifier: [{ value: '123' }], name: [{ family: 'Berg', given: ['Ann Marie'] }] }),
    patient('sys', {
      identifier: [{ system: 'urn:sys', value: '123' }],
      name: [{ family: 'Müller', given: ['Ben'], suffix: ['Jr'] }, { text: 'The Boss' }],
      address: [{ line: ['100% Main_St'], city: 'Köln', postalCode: '50667' }],
      gender: 'male',
    }),
    patient('odd', { name: [{ family: 'a,b', given: ['c|d', 'e$f', 'g\\h', '50%'] }], gender: 'female' }),
    { resourceType: 'Group', id: 'bare', type: 'person', actual: true },
    observation('one', { code: coded('1-8') }),
    observation('both', { code: coded('1-8', '2-6') }),
    observation('plain', { code: { text: 'Walking' }, method: { text: 'by foot' } }),
    observation('five', { valueQuantity: amount(5.4) }),
    observation('close', { valueQuantity: amount(5.44) }),
    observation('far', { valueQuantity: { value: 5.46 } }),
    pressure('high', 150, 70),
    pressure('swapped', 70, 150),
    task('relative', { for: { reference: 'Patient/bare' }, priority: 'urgent', code: { text: 'call' } }),
    task('absolute', { for: { reference: `${FHIR}/Patient/bare` } }),
    task('versioned', { for: { reference: 'Patient/bare/_history/1' }, status: 'completed' }),
    task('foreign', { for: { reference: 'https://elsewhere.example/fhir/Patient/bare' } }),
    task('group', { for: { reference: 'Group/bare' } }),
    task('logical', { for: { type: 'Patient', identifier: { system: 'urn:mrn', value: '77' } } }),
    task('nobody', {}),
  );
});
afterAll(() => asked.close());

const rule = (title: string, rows: readonly [string, string[]][]) =>
  describe(title, () => {
    test.each(rows)('%s', async (url, expected) => {
      expect(await asked.found(url)).toEqual(expected);
    });
  });

rule('10. token: system and code', [
  ['Patient?identifier=|123', ['bare']],
  ['Patient?identifier=urn:sys|', ['sys']],
  ['Patient?identifier=123', ['bare', 'sys']],
  ['Patient?identifier=urn:sys|123', ['sys']],
  ['Patient?identifier=urn:sys|12', []],
  ['Patient?identifier=urn:other|123', []],
  ['Patient?gender=http://hl7.org/fhir/administrative-gender|male', ['sys']],
]);

describe('11. :not', () => {
  test.each<[string, string[]]>([
    ['Patient?gender:not=male', ['bare', 'odd']],
    ['Patient?gender:not=male,female', ['bare']],
    ['Observation?code:not=2-6', ['close', 'far', 'five', 'high', 'one', 'plain', 'swapped']],
    ['Observation?code:not=1-8,4548-4', ['high', 'plain', 'swapped']],
    ['Observation?code:not=1-8&code:not=4548-4', ['high', 'plain', 'swapped']],
    ['Task?priority:not=urgent', ['absolute', 'foreign', 'group', 'logical', 'nobody', 'versioned']],
  ])('%s has what has no value, and nothing that has the value once', async (url, expected) => {
    expect(await asked.found(url)).toEqual(expected);
  });

  it('does not bring back what was deleted', async () => {
    await asked.put(patient('gone', { gender: 'other' }));
    expect(await asked.found('Patient?gender:not=male')).toContain('gone');
    await asked.baton.fhir('DELETE', '/Patient/gone');
    expect(await asked.found('Patient?gender:not=male')).toEqual(['bare', 'odd']);
    expect(await asked.found('Patient?gender:missing=true')).toEqual(['bare']);
  });
});

rule('12. :missing on every type of parameter', [
  ['Patient?gender:missing=true', ['bare']],
  ['Patient?gender:missing=false', ['odd', 'sys']],
  ['Patient?identifier:missing=true', ['odd']],
  ['Patient?address:missing=false', ['sys']],
  ['Patient?birthdate:missing=false', []],
  ['Patient?identifier:missing=false&gender:missing=true', ['bare']],
  ['Patient?identifier:missing=false&name=ben', ['sys']],
  ['Task?subject:missing=true', ['nobody']],
  ['Task?patient:missing=false&status=completed', ['versioned']],
  ['Task?owner:missing=false', []],
  ['Observation?value-quantity:missing=false', ['close', 'far', 'five']],
  ['Observation?component-code-value-quantity:missing=false', ['high', 'swapped']],
  ['Observation?code:missing=true', []],
]);

rule('13. string: the beginning of any part, without case and accents', [
  ['Patient?name=mul', ['sys']],
  ['Patient?name=MÜL', ['sys']],
  ['Patient?name=uller', []],
  ['Patient?name=jr', ['sys']],
  ['Patient?name=the', ['sys']],
  ['Patient?name=ann mar', ['bare']],
  ['Patient?name:contains=ULLER', ['sys']],
  ['Patient?name:exact=Müller', ['sys']],
  ['Patient?name:exact=müller', []],
  ['Patient?name:exact=Muller', []],
  ['Patient?name:exact=Mül', []],
  ['Patient?address=koln', ['sys']],
  ['Patient?address=5066', ['sys']],
  ['Patient?address:contains=main', ['sys']],
  ['Patient?address-city=köln', ['sys']],
]);

rule('14. escapes, and percent-encoding decoded once', [
  ['Patient?name=a\\,b', ['odd']],
  ['Patient?name=a,b', ['bare', 'odd', 'sys']],
  ['Patient?name=c\\|d', ['odd']],
  ['Patient?name=e\\$f', ['odd']],
  ['Patient?name=g\\\\h', ['odd']],
  ['Patient?name=a%5C%2Cb', ['odd']],
  ['Patient?name=a%2Cb', ['bare', 'odd', 'sys']],
  ['Patient?name=50%25', ['odd']],
  ['Patient?name=50%2525', []],
  ['Patient?address:contains=0%25 main_', ['sys']],
  ['Patient?address:contains=0_ main', []],
  ['Patient?identifier=urn:sys\\|123', []],
  ['Patient?identifier=urn:sys%7C123', ['sys']],
]);

rule('15. repeated: all of them; with a comma: any of them', [
  ['Patient?name=mül&name=boss', []],
  ['Patient?name=mül&name=the', ['sys']],
  ['Patient?name=mül&name=ann', []],
  ['Patient?name=mül,ber', ['bare', 'sys']],
  ['Observation?code=1-8&code=2-6', ['both']],
  ['Observation?code=1-8,2-6', ['both', 'one']],
  ['Observation?status=final,amended&code=1-8,9-9&code=2-6', ['both']],
]);

rule('16. a composite is met within one repetition', [
  [`Observation?component-code-value-quantity=${LOINC}|8480-6$gt140`, ['high']],
  ['Observation?component-code-value-quantity=8480-6$lt80', ['swapped']],
  ['Observation?component-code-value-quantity=8480-6$gt140,8462-4$gt140', ['high', 'swapped']],
  ['Observation?component-code-value-quantity=8480-6$gt140&component-code-value-quantity=8462-4$gt140', []],
  ['Observation?code-value-quantity=4548-4$5.40', ['five']],
  [`Observation?code-value-quantity=${LOINC}|4548-4$gt5.42`, ['close', 'far']],
  ['Observation?combo-code-value-quantity=8480-6$gt140', ['high']],
]);

rule('17. quantity: as precise as it is written', [
  ['Observation?value-quantity=5.4', ['close', 'five']],
  ['Observation?value-quantity=5.40', ['five']],
  [`Observation?value-quantity=5.4|${UCUM}|mmol/L`, ['close', 'five']],
  ['Observation?value-quantity=5.4||mmol/L', ['close', 'five']],
  ['Observation?value-quantity=5.46||mmol/L', []],
  ['Observation?value-quantity=5.46', ['far']],
  ['Observation?value-quantity=gt5.4', ['close', 'far']],
  ['Observation?value-quantity=ge5.44', ['close', 'far']],
  ['Observation?value-quantity=lt5.44', ['five']],
  ['Observation?value-quantity=le5.44', ['close', 'five']],
  ['Observation?value-quantity=ne5.4', ['far']],
  ['Observation?value-quantity=sa5.44', ['far']],
  ['Observation?value-quantity=eb5.44', ['five']],
  ['Observation?value-quantity=ap5', ['close', 'far', 'five']],
  ['Observation?value-quantity=le99999', ['close', 'far', 'five']],
  ['Observation?value-quantity=ge99999', []],
  ['Observation?value-quantity=54e-1', ['close', 'five']],
]);

const SAME = ['absolute', 'relative', 'versioned'];
rule('18. references: every form of one target, and no other target', [
  ['Task?subject=Patient/bare', SAME],
  ['Task?subject:Patient=bare', SAME],
  ['Task?patient=bare', SAME],
  ['Task?patient=Patient/bare', SAME],
  [`Task?patient=${FHIR}/Patient/bare`, SAME],
  [`Task?subject=${FHIR}/Patient/bare`, SAME],
  ['Task?subject=bare', ['absolute', 'group', 'relative', 'versioned']],
  ['Task?subject=Group/bare', ['group']],
  ['Task?patient=https://elsewhere.example/fhir/Patient/bare', ['foreign']],
  ['Task?patient=Patient/nobody', []],
  ['Task?patient.family=berg', SAME],
]);

describe('18. a reference to a version', () => {
  it('still matches without one, and chains and includes go to what is current', async () => {
    await asked.put(patient('bare', { identifier: [{ value: '123' }], name: [{ family: 'Berger' }] }));
    expect(await asked.found('Task?patient=bare')).toEqual(SAME);
    expect(await asked.found('Task?patient.family=berger')).toEqual(SAME);
    const { json } = await asked.search('Task?_id=versioned&_include=Task:patient');
    expect(json.entry?.[1]?.resource).toMatchObject({ id: 'bare', meta: { versionId: '2' } });
  });
});

rule('19. :identifier needs no target', [
  ['Task?subject:identifier=urn:mrn|77', ['logical']],
  ['Task?patient:identifier=77', ['logical']],
  ['Task?subject:identifier=urn:mrn|78', []],
  ['Task?subject:identifier=urn:sys|123', []],
]);

describe('20. what is not there, and what is not right', () => {
  it.each([
    'Patient?family=nobody',
    'Patient?gender=nonsense',
    'Patient?identifier=urn:nowhere|1',
    'Patient?birthdate=1800',
    'Task?patient=unknown',
    'Task?patient.family=nobody',
    'Patient?_id=nobody',
    'Observation?value-quantity=1||nonsense',
  ])('%s is an empty Bundle', async (url) => {
    const { json } = await asked.search(url);
    expect([json.total, json.entry]).toEqual([0, undefined]);
  });

  it.each([
    'Patient?birthdate=x',
    'Observation?value-quantity=x',
    'Observation?value-quantity=ge',
    'Observation?value-quantity=1|2|3|4',
    'RiskAssessment?probability=1,5x',
    'Patient?gender=',
    'Patient?gender:missing=maybe',
    'Patient?gender:missing=true,false',
    'Observation?component-code-value-quantity=8480-6',
    'Observation?component-code-value-quantity=8480-6$x',
    'Patient?identifier:of-type=a|b',
    'Patient?_lastUpdated=yesterday',
    'Task?subject:Nonsense=1',
  ])('%s is refused', async (url) => {
    await refused(asked.baton, url);
  });
});

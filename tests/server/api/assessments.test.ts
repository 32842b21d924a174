// Assessments over HTTP: started with what the record says, saved in part, completed into observations, needs, goals and
// flags, corrected, followed; the same facts as FHIR.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ApiServer, serveApi } from './api-client.ts';

let baton: ApiServer;
let caseId = '';

beforeAll(async () => {
  baton = await serveApi();
  await baton.put(
    { resourceType: 'Practitioner', id: 'nurse', name: [{ family: 'Nurse' }] },
    {
      resourceType: 'Patient',
      id: 'ann',
      gender: 'female',
      name: [{ given: ['Ann'], family: 'Example' }],
      communication: [
        { language: { coding: [{ system: 'urn:ietf:bcp:47', code: 'es' }], text: 'Spanish' }, preferred: true },
      ],
    },
    {
      resourceType: 'Condition',
      id: 'hf',
      subject: { reference: 'Patient/ann' },
      code: { text: 'Heart failure' },
      clinicalStatus: {
        coding: [{ system: 'http://terminology.hl7.org/CodeSystem/condition-clinical', code: 'active' }],
      },
      category: [
        { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/condition-category', code: 'problem-list-item' }] },
      ],
    },
    {
      resourceType: 'RelatedPerson',
      id: 'ben',
      active: true,
      patient: { reference: 'Patient/ann' },
      name: [{ given: ['Ben'], family: 'Example' }],
    },
  );
  const opened = await baton.api('POST', '/cases', { body: { patient: { reference: 'Patient/ann' } } });
  caseId = String(opened.json.id);
});

afterAll(() => baton.close());

const FREQUENCY = ['LA6568-5', 'LA6569-3', 'LA6570-1', 'LA6571-9'];
const phq9 = (options: readonly number[]) =>
  options.map((option, index) => ({ linkId: `phq9-${index + 1}`, values: [{ value: { code: FREQUENCY[option] } }] }));

async function start(instrument: string): Promise<string> {
  const started = await baton.api('POST', `/cases/${caseId}/assessments`, { body: { instrument } });
  expect(started.status, started.text).toBe(201);
  return `/cases/${caseId}/assessments/${started.json.id}`;
}

interface Node {
  linkId: string;
  enabled: boolean;
  values?: { value: unknown }[];
  items?: Node[];
}

function nodes(items: unknown): Node[] {
  return (items as Node[]).flatMap((node) => [node, ...nodes(node.items ?? [])]);
}

const valuesOf = (view: Readonly<Record<string, unknown>>, linkId: string) =>
  nodes(view.items)
    .filter((node) => node.linkId === linkId)
    .flatMap(({ values = [] }) => values.map(({ value }) => value));

describe('instruments', () => {
  it('are listed with their codes and terms of use', async () => {
    const { json } = await baton.api('GET', '/instruments');
    const items = json.items as { id: string; copyright: string }[];
    const ids = items.map(({ id }) => id).sort();
    expect(ids).toEqual([
      'ahc-hrsn',
      'audit-c',
      'case-management-assessment',
      'gad-7',
      'hunger-vital-sign',
      'phq-2',
      'phq-9',
    ]);
    expect(items.every(({ copyright }) => copyright)).toBe(true);
  });

  it('are drawn with options and points, without what is hidden', async () => {
    const { json } = await baton.api('GET', '/instruments/phq-9');
    const all = nodes(json.items);
    expect(all.find(({ linkId }) => linkId === 'phq9-9')).toMatchObject({
      type: 'choice',
      required: true,
      options: [{ points: 0 }, { points: 1 }, { points: 2 }, { points: 3 }],
    });
    expect(all.some(({ linkId }) => linkId.startsWith('need-'))).toBe(false);
    expect((await baton.api('GET', '/instruments/none')).status).toBe(404);
  });

  it('are shown for a case with what its record says', async () => {
    const { json, status, text } = await baton.api('GET', `/cases/${caseId}/instruments/case-management-assessment`);
    expect(status, text).toBe(200);
    expect(valuesOf(json, 'condition')).toEqual(['Heart failure']);
    expect(valuesOf(json, 'language')).toEqual(['Spanish']);
    expect(valuesOf(json, 'carer-name')).toEqual(['Ben Example']);
  });
});

describe('an assessment', () => {
  it('is saved in part, completed with its results, and shows in the plan', async () => {
    const path = await start('phq-9');
    const draft = await baton.api('POST', `${path}/answers`, { body: { answers: phq9([2, 2, 1, 1, 1]) } });
    expect(draft.status, draft.text).toBe(200);
    expect(draft.json).toMatchObject({ status: 'in-progress', scores: [] });
    expect(draft.json.open).toEqual(['phq9-6', 'phq9-7', 'phq9-8', 'phq9-9'].map((id) => `${id} needs an answer.`));

    const early = await baton.api('POST', `${path}/complete`);
    expect(early.status).toBe(422);
    expect(early.text).toContain("QuestionnaireResponse.item.where(linkId = 'phq9-6')");

    const done = await baton.api('POST', `${path}/complete`, { body: { answers: phq9([2, 2, 1, 1, 1, 1, 1, 1, 1]) } });
    expect(done.status, done.text).toBe(200);
    expect(done.json).toMatchObject({
      status: 'completed',
      scores: [
        { code: { code: '44261-6' }, value: 11 },
        { linkId: 'result', value: 'Moderate' },
      ],
    });
    const results = done.json.results as { reference: string }[];
    const count = (type: string) => results.filter(({ reference }) => reference.startsWith(`${type}/`)).length;
    expect([count('Observation'), count('Condition'), count('Flag')]).toEqual([10, 2, 1]);

    const plan = await baton.fhir('GET', `/CarePlan?identifier=urn:baton:case-plan|${caseId}`);
    const addresses = plan.json.entry?.[0]?.resource?.addresses as { reference: string }[];
    expect(addresses.map(({ reference }) => reference).sort()).toEqual(
      results
        .map(({ reference }) => reference)
        .filter((one) => one.startsWith('Condition/'))
        .sort(),
    );
    const flags = await baton.fhir('GET', '/Flag?patient=ann');
    expect(flags.json.entry?.[0]?.resource).toMatchObject({
      status: 'active',
      code: { coding: [{ code: '225444004' }] },
    });
    const total = await baton.fhir('GET', '/Observation?patient=ann&code=44261-6');
    expect(total.json.entry?.[0]?.resource).toMatchObject({
      meta: { profile: ['http://hl7.org/fhir/us/core/StructureDefinition/us-core-observation-screening-assessment'] },
      valueQuantity: { value: 11 },
      derivedFrom: [{ reference: `QuestionnaireResponse/${done.json.id}` }],
    });
  });

  it('is corrected: its observations with it, and a known need is not recorded twice', async () => {
    const path = await start('phq-9');
    await baton.api('POST', `${path}/complete`, { body: { answers: phq9([3, 3, 3, 3, 3, 0, 0, 0, 0]) } });
    const before = await baton.fhir('GET', '/Condition?patient=ann&code=394924000');
    expect(before.json.entry).toHaveLength(1);
    expect(before.json.entry?.[0]?.resource?.evidence).toHaveLength(2);

    const again = await baton.api('POST', `${path}/complete`, { body: {} });
    expect(again.status).toBe(422);
    const unexplained = await baton.api('POST', `${path}/amend`, { body: { answers: phq9([0]) } });
    expect(unexplained.status).toBe(400);
    const amended = await baton.api('POST', `${path}/amend`, { body: { answers: phq9([0]), reason: 'Misread' } });
    expect(amended.status, amended.text).toBe(200);
    expect(amended.json).toMatchObject({ status: 'amended', scores: [{ value: 12 }, { value: 'Moderate' }] });
    const id = amended.json.id;
    const total = await baton.fhir('GET', `/Observation?derived-from=QuestionnaireResponse/${id}&code=44261-6`);
    expect(total.json.entry).toHaveLength(1);
    expect(total.json.entry?.[0]?.resource).toMatchObject({ status: 'amended', valueQuantity: { value: 12 } });
  });

  it('takes an answer back: what was observed never was', async () => {
    const path = await start('phq-9');
    const difficulty = { linkId: 'difficulty', values: [{ value: { code: 'LA6573-5' } }] };
    await baton.api('POST', `${path}/complete`, {
      body: { answers: [...phq9([0, 1, 0, 0, 0, 0, 0, 0, 0]), difficulty] },
    });
    const taken = await baton.api('POST', `${path}/amend`, { body: { answers: phq9([0, 0]), reason: 'Misread' } });
    expect(taken.status, taken.text).toBe(200);
    const search = `/Observation?derived-from=QuestionnaireResponse/${taken.json.id}`;
    const gone = await baton.fhir('GET', `${search}&code=69722-7`);
    expect(gone.json.entry?.[0]?.resource).toMatchObject({ status: 'entered-in-error' });
    const kept = await baton.fhir('GET', `${search}&status=amended`);
    expect(kept.json.entry).toHaveLength(2);
    await baton.fhir('DELETE', `/QuestionnaireResponse/${taken.json.id}`);
    const observations = await baton.fhir('GET', search);
    for (const { resource } of observations.json.entry ?? [])
      await baton.fhir('DELETE', `/Observation/${resource?.id}`);
  });

  it('of the whole person makes needs across health, money, home and family', async () => {
    const path = await start('case-management-assessment');
    const code = (linkId: string, value: string) => ({ linkId, values: [{ value: { code: value } }] });
    const plain = (linkId: string, value: unknown) => ({ linkId, values: [{ value }] });
    const adl = ['bathing', 'dressing', 'toileting', 'moving', 'eating', 'walking'].map((one) =>
      code(`adl-${one}`, 'LA30364-6'),
    );
    const answers = [
      ...adl,
      plain('falls', 3),
      plain('fall-injury', false),
      code('lonely', 'often-often'),
      plain('safe', true),
      code('bills', 'often-often'),
      plain('cost-skipped', true),
      code('home', 'home-worried'),
      plain('food-short', true),
      plain('ride-missed', false),
      plain('carer-is', true),
      ...[1, 2, 3].map((one) => code(`carer-q${one}`, 'often-often')),
      plain('matters', 'To sleep in my own bed'),
    ];
    const done = await baton.api('POST', `${path}/complete`, { body: { answers } });
    expect(done.status, done.text).toBe(200);
    expect(done.json.scores).toMatchObject([{ value: 6 }, { value: 6 }]);
    const needs = await baton.fhir('GET', `/Condition?subject=Patient/ann&verification-status=unconfirmed&_count=100`);
    const words =
      needs.json.entry?.map(({ resource }) => (resource?.code as { text?: string } | undefined)?.text) ?? [];
    for (const word of [
      'At risk for falls',
      'Social isolation',
      'Financial insecurity',
      'Housing instability',
      'Caregiver strain',
    ]) {
      expect(words).toContain(word);
    }
    expect(words.filter((word) => word === 'Food insecurity')).toHaveLength(1);
    const wish = await baton.fhir('GET', '/Observation?subject=Patient/ann&code=75773-2');
    expect(wish.json.entry?.[0]?.resource).toMatchObject({
      valueString: 'To sleep in my own bed',
      category: [{ coding: [{ code: 'treatment-intervention-preference' }] }],
    });
  });

  it('follows its scores over time, also those from elsewhere', async () => {
    await baton.put({
      resourceType: 'Observation',
      id: 'old',
      status: 'final',
      category: [
        { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/observation-category', code: 'survey' }] },
      ],
      code: { coding: [{ system: 'http://loinc.org', code: '44261-6' }] },
      subject: { reference: 'Patient/ann' },
      effectiveDateTime: '2020-01-01',
      valueQuantity: { value: 20 },
    });
    const { json } = await baton.api('GET', `/cases/${caseId}/scores?code=44261-6`);
    const [series] = json.items as { points: { value: number }[] }[];
    expect(series?.points.map(({ value }) => value)).toEqual([20, 11, 12]);
  });

  it('of a food need makes a need with its Gravity category and a proposed goal for it', async () => {
    const path = await start('hunger-vital-sign');
    const food = ['food-1', 'food-2'].map((linkId) => ({ linkId, values: [{ value: { code: 'LA28397-0' } }] }));
    const done = await baton.api('POST', `${path}/complete`, { body: { answers: food } });
    expect(done.status, done.text).toBe(200);
    const need = await baton.fhir('GET', '/Condition?patient=ann&category=food-insecurity');
    expect(need.json.entry).toHaveLength(1);
    const goals = await baton.fhir('GET', '/Goal?patient=ann&lifecycle-status=proposed&_count=100');
    const addressed = goals.json.entry?.map(({ resource }) => resource?.addresses);
    expect(addressed).toContainEqual([{ reference: `Condition/${need.json.entry?.[0]?.resource?.id}` }]);
  });

  it('written as FHIR by somebody else shows right', async () => {
    await baton.put({
      resourceType: 'QuestionnaireResponse',
      id: 'foreign',
      questionnaire: 'https://elsewhere.example/form',
      status: 'completed',
      subject: { reference: 'Patient/ann' },
      authored: '2021-01-01',
      item: [{ linkId: 'a', text: 'A', item: [{ linkId: 'b', text: 'B', answer: [{ valueBoolean: true }] }] }],
    });
    const { json } = await baton.api('GET', `/cases/${caseId}/assessments/foreign`);
    expect(json).toMatchObject({ status: 'completed', instrument: 'https://elsewhere.example/form', scores: [] });
    expect(valuesOf(json, 'b')).toEqual([true]);
    const list = await baton.api('GET', `/cases/${caseId}/assessments`);
    expect(list.json.items).toHaveLength(5);
  });
});

describe('what cannot be an answer', () => {
  const cases: readonly [string, object, RegExp][] = [
    ['an unknown item', { linkId: 'nowhere', values: [{ value: 1 }] }, /not in/],
    ['another type', { linkId: 'pain', values: [{ value: 'much' }] }, /clinical\/pain takes a whole number/],
    ['too much', { linkId: 'pain', values: [{ value: 11 }] }, /clinical\/pain is more than the most/],
    [
      'no option',
      { linkId: 'lonely', values: [{ value: { code: 'x' } }] },
      /mind\/lonely takes only one of its options/,
    ],
    [
      'two where one is asked',
      { linkId: 'falls', values: [{ value: 1 }, { value: 2 }] },
      /function\/falls takes at most 1/,
    ],
    [
      'what does not apply',
      { linkId: 'fall-injury', values: [{ value: true }] },
      /function\/fall-injury does not apply/,
    ],
    [
      'too many words',
      { linkId: 'lives-with', values: [{ value: 'x'.repeat(301) }] },
      /mind\/lives-with takes at most 300/,
    ],
    [
      'one of a repeated group by itself',
      { linkId: 'condition', values: [{ value: 'x' }] },
      /is in a group that repeats/,
    ],
    ['values of a group', { linkId: 'mind', values: [{ value: 1 }] }, /mind is a group/],
  ];
  it.each(cases)('%s is refused by its linkIds', async (_, answer, sentence) => {
    const path = await start('case-management-assessment');
    const refused = await baton.api('POST', `${path}/answers`, { body: { answers: [answer] } });
    expect(refused.status, refused.text).toBe(422);
    expect(refused.text).toMatch(sentence);
  });

  it('an instrument that is not there, a case that is not there', async () => {
    const none = await baton.api('POST', `/cases/${caseId}/assessments`, { body: { instrument: 'zarit' } });
    expect(none.status).toBe(422);
    const nowhere = await baton.api('POST', '/cases/nowhere/assessments', { body: { instrument: 'phq-9' } });
    expect(nowhere.status).toBe(404);
  });

  it('keeps the answers that a changed answer rules out while it is a draft, and drops them when it is completed', async () => {
    const path = await start('audit-c');
    const options = (first: string) => [
      { linkId: 'auditc-1', values: [{ value: { code: first } }] },
      { linkId: 'auditc-2', values: [{ value: { code: 'LA15694-5' } }] },
      { linkId: 'auditc-3', values: [{ value: { code: 'LA18933-4' } }] },
    ];
    await baton.api('POST', `${path}/answers`, { body: { answers: options('LA18927-6') } });
    const never = await baton.api('POST', `${path}/answers`, { body: { answers: options('LA6270-8').slice(0, 1) } });
    expect(never.status, never.text).toBe(200);
    expect(valuesOf(never.json, 'auditc-3')).toHaveLength(1);
    const done = await baton.api('POST', `${path}/complete`);
    expect(done.json, done.text).toMatchObject({ scores: [{ value: 0 }, { value: 'Negative' }] });
    expect(valuesOf(done.json, 'auditc-3')).toEqual([]);
  });
});

describe('a case manager', () => {
  it('assesses the patient of an own case, nobody else', async () => {
    await baton.put(
      {
        resourceType: 'PractitionerRole',
        id: 'nurse-role',
        active: true,
        practitioner: { reference: 'Practitioner/nurse' },
        code: [{ coding: [{ system: 'https://baton.health/fhir/CodeSystem/care-role', code: 'case-manager' }] }],
      },
      { resourceType: 'Patient', id: 'bob' },
    );
    const careManager = { reference: 'Practitioner/nurse' };
    const own = await baton.api('POST', '/cases', { body: { patient: { reference: 'Patient/bob' }, careManager } });
    const as = await baton.tokenOf('Practitioner/nurse', 'user/*.cruds');
    const body = {
      instrument: 'phq-2',
      answers: ['phq2-1', 'phq2-2'].map((linkId) => ({ linkId, values: [{ value: { code: 'LA6568-5' } }] })),
    };
    const started = await baton.api('POST', `/cases/${own.json.id}/assessments`, { body, as });
    expect(started.status, started.text).toBe(201);
    const done = await baton.api('POST', `/cases/${own.json.id}/assessments/${started.json.id}/complete`, { as });
    expect(done.status, done.text).toBe(200);
    expect(done.json).toMatchObject({
      author: { reference: 'Practitioner/nurse' },
      scores: [{ value: 0 }, { value: 'Negative' }],
    });
    expect(done.json.results).toHaveLength(3);
    expect((await baton.api('POST', `/cases/${caseId}/assessments`, { body, as })).status).toBe(404);
  });
});

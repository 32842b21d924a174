// Questionnaire/$populate and QuestionnaireResponse/$extract over HTTP.
import type { Bundle, OperationOutcome, Parameters, QuestionnaireResponse } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chosen, form, scored } from '../care/sdc/forms.ts';
import { serve, type TestServer } from './serve.ts';

let baton: TestServer;
const SDC = 'http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-';
const LOINC = 'http://loinc.org';

/** A small form of every way to fill in. */
const INTAKE = {
  resourceType: 'Questionnaire',
  id: 'intake',
  url: 'https://example.org/Questionnaire/intake',
  version: '1',
  status: 'active',
  identifier: [{ system: 'urn:forms', value: 'intake' }],
  extension: [
    {
      url: `${SDC}launchContext`,
      extension: [
        { url: 'name', valueCoding: { code: 'patient' } },
        { url: 'type', valueCode: 'Patient' },
      ],
    },
    {
      url: `${SDC}launchContext`,
      extension: [
        { url: 'name', valueCoding: { code: 'user' } },
        { url: 'type', valueCode: 'Practitioner' },
      ],
    },
    {
      url: 'http://hl7.org/fhir/StructureDefinition/variable',
      valueExpression: { name: 'born', language: 'text/fhirpath', expression: '%patient.birthDate' },
    },
  ],
  item: [
    {
      linkId: 'born',
      type: 'date',
      extension: [
        { url: `${SDC}initialExpression`, valueExpression: { language: 'text/fhirpath', expression: '%born' } },
      ],
    },
    {
      linkId: 'asker',
      type: 'string',
      extension: [
        {
          url: `${SDC}initialExpression`,
          valueExpression: { language: 'text/fhirpath', expression: '%user.name.family' },
        },
      ],
    },
    {
      linkId: 'weight',
      type: 'decimal',
      code: [{ system: LOINC, code: '29463-7' }],
      extension: [
        {
          url: `${SDC}observationLinkPeriod`,
          valueDuration: { value: 30, code: 'd', system: 'http://unitsofmeasure.org' },
        },
      ],
    },
    {
      linkId: 'fixed',
      type: 'choice',
      answerOption: [{ valueCoding: { code: 'a' } }, { valueCoding: { code: 'b' }, initialSelected: true }],
    },
    {
      linkId: 'problem',
      type: 'group',
      repeats: true,
      extension: [
        {
          url: `${SDC}itemPopulationContext`,
          valueExpression: {
            name: 'problem',
            language: 'application/x-fhir-query',
            expression: 'Condition?patient={{%patient.id}}',
          },
        },
      ],
      item: [
        {
          linkId: 'name',
          type: 'string',
          extension: [
            {
              url: `${SDC}initialExpression`,
              valueExpression: { language: 'text/fhirpath', expression: '%problem.code.text' },
            },
          ],
        },
      ],
    },
    {
      linkId: 'broken',
      type: 'string',
      extension: [
        { url: `${SDC}initialExpression`, valueExpression: { language: 'text/fhirpath', expression: '%nothing' } },
      ],
    },
  ],
};

beforeAll(async () => {
  baton = await serve();
  const now = baton.temp.clock.now();
  const daysAgo = (days: number) => now.subtract({ hours: 24 * days }).toString();
  const weight = (id: string, days: number, value: number, status = 'final') => ({
    resourceType: 'Observation',
    id,
    status,
    code: { coding: [{ system: LOINC, code: '29463-7' }] },
    subject: { reference: 'Patient/p' },
    effectiveDateTime: daysAgo(days),
    valueQuantity: { value, unit: 'kg' },
  });
  const resources = [
    INTAKE,
    { resourceType: 'Patient', id: 'p', birthDate: '1950-02-03' },
    { resourceType: 'Patient', id: 'q' },
    { resourceType: 'Condition', id: 'c1', subject: { reference: 'Patient/p' }, code: { text: 'One' } },
    { resourceType: 'Condition', id: 'c2', subject: { reference: 'Patient/p' }, code: { text: 'Two' } },
    weight('w1', 40, 90),
    weight('w2', 20, 80),
    weight('w3', 10, 70, 'entered-in-error'),
  ];
  for (const body of resources) {
    const { status, text } = await baton.fhir('PUT', `/${body.resourceType}/${body.id}`, { body });
    expect(status, text).toBe(201);
  }
});

afterAll(() => baton.close());

const subject = (reference = 'Patient/p') => ({ name: 'subject', valueReference: { reference } });
const parameters = (...parameter: object[]) => ({ resourceType: 'Parameters', parameter });
const named = (json: unknown, name: string) =>
  (json as Parameters).parameter?.find((one) => one.name === name)?.resource;

describe('$populate', () => {
  it('fills in from the patient, the record, a search, an observation and the form itself, and says what it cannot', async () => {
    const practitioner = { resourceType: 'Practitioner', name: [{ family: 'Nurse' }] };
    const context = {
      name: 'context',
      part: [
        { name: 'name', valueString: 'user' },
        { name: 'content', resource: practitioner },
      ],
    };
    const body = parameters({ name: 'canonical', valueUri: INTAKE.url }, subject(), context);
    const { status, json, text } = await baton.fhir('POST', '/Questionnaire/$populate', { body });
    expect(status, text).toBe(200);
    const response = named(json, 'response') as QuestionnaireResponse;
    expect(response).toMatchObject({
      questionnaire: `${INTAKE.url}|1`,
      status: 'in-progress',
      subject: { reference: 'Patient/p' },
    });
    expect(response.item).toEqual([
      { linkId: 'born', answer: [{ valueDate: '1950-02-03' }] },
      { linkId: 'asker', answer: [{ valueString: 'Nurse' }] },
      { linkId: 'weight', answer: [{ valueDecimal: 80 }] },
      { linkId: 'fixed', answer: [{ valueCoding: { code: 'b' } }] },
      { linkId: 'problem', item: [{ linkId: 'name', answer: [{ valueString: 'One' }] }] },
      { linkId: 'problem', item: [{ linkId: 'name', answer: [{ valueString: 'Two' }] }] },
    ]);
    const issues = named(json, 'issues') as OperationOutcome;
    expect(issues.issue?.[0]?.details?.text).toMatch(/^broken: .*%nothing/);
  });

  it.each([
    ['the instance', '/Questionnaire/intake/$populate', [subject()]],
    [
      'an identifier',
      '/Questionnaire/$populate',
      [subject(), { name: 'identifier', valueIdentifier: { system: 'urn:forms', value: 'intake' } }],
    ],
    ['the form itself', '/Questionnaire/$populate', [subject(), { name: 'questionnaire', resource: INTAKE }]],
    [
      'a reference',
      '/Questionnaire/$populate',
      [subject(), { name: 'questionnaireRef', valueReference: { reference: 'Questionnaire/intake' } }],
    ],
  ])('finds the form by %s', async (_, path, given) => {
    const { json, text } = await baton.fhir('POST', path, { body: parameters(...given) });
    expect(named(json, 'response'), text).toMatchObject({ item: [{ linkId: 'born' }, {}, {}, {}, {}] });
  });

  it('by GET, of a form that came with Baton', async () => {
    const canonical = 'https://baton.health/fhir/Questionnaire/audit-c';
    const { json, text } = await baton.fhir('GET', `/Questionnaire/$populate?canonical=${canonical}&subject=Patient/q`);
    expect(named(json, 'response'), text).toMatchObject({ questionnaire: `${canonical}|1.0.0` });
  });

  it('leaves the record alone when it is told to', async () => {
    const body = parameters({ name: 'canonical', valueUri: INTAKE.url }, subject(), {
      name: 'local',
      valueBoolean: false,
    });
    const { json } = await baton.fhir('POST', '/Questionnaire/$populate', { body });
    expect(named(json, 'response')).toMatchObject({ item: [{ linkId: 'born' }, { linkId: 'fixed' }] });
  });

  it('shows nothing of what the token does not reach', async () => {
    const as = await baton.token('system/Questionnaire.rs system/Patient.rs');
    const body = parameters({ name: 'canonical', valueUri: INTAKE.url }, subject());
    const { json, text } = await baton.fhir('POST', '/Questionnaire/$populate', { body, as });
    expect(text).not.toContain('One');
    expect(named(json, 'response')).toMatchObject({ item: [{ linkId: 'born' }, { linkId: 'fixed' }] });
  });

  it.each([
    ['no subject', [{ name: 'canonical', valueUri: INTAKE.url }], 400],
    ['no form', [subject()], 400],
    ['an unknown form', [subject(), { name: 'canonical', valueUri: 'https://example.org/none' }], 404],
    [
      'a form with a linkId twice',
      [
        subject(),
        {
          name: 'questionnaire',
          resource: {
            ...INTAKE,
            item: [
              { linkId: 'a', type: 'group', item: [{ linkId: 'b', type: 'string' }] },
              { linkId: 'c', type: 'group', item: [{ linkId: 'b', type: 'string' }] },
            ],
          },
        },
      ],
      400,
    ],
  ])('refuses %s', async (_, given, expected) => {
    const { status, text } = await baton.fhir('POST', '/Questionnaire/$populate', { body: parameters(...given) });
    expect([expected, 422], text).toContain(status);
  });
});

describe('$extract', () => {
  const phq9 = form('phq-9');
  const response = scored(phq9, chosen(phq9, 'phq9-', [1, 1, 1, 1, 1, 1, 1, 1, 1]));
  const toP = { ...response, subject: { reference: 'Patient/p' }, author: { reference: 'Patient/p' } };

  it('answers a transaction that can be posted', async () => {
    await baton.fhir('PUT', `/QuestionnaireResponse/${toP.id}`, { body: toP });
    const { status, json, text } = await baton.fhir('POST', `/QuestionnaireResponse/${toP.id}/$extract`);
    expect(status, text).toBe(200);
    const bundle = named(json, 'return') as Bundle;
    expect(bundle.type).toBe('transaction');
    const posted = await baton.fhir('POST', '/', { body: bundle });
    expect(posted.status, posted.text).toBe(200);
    const found = await baton.fhir('GET', '/Observation?derived-from=QuestionnaireResponse/qr1&code=44261-6');
    expect(found.json.entry?.[0]?.resource).toMatchObject({ valueQuantity: { value: 9 } });
    const provenance = await baton.fhir('GET', '/Provenance?entity=QuestionnaireResponse/qr1');
    expect(provenance.json.entry).toHaveLength(1);
  });

  it('takes the response as it comes, and refuses a draft and one whose form is not here', async () => {
    const sent = await baton.fhir('POST', '/QuestionnaireResponse/$extract', { body: toP });
    expect(named(sent.json, 'return')).toMatchObject({ type: 'transaction' });
    const draft = await baton.fhir('POST', '/QuestionnaireResponse/$extract', {
      body: { ...toP, status: 'in-progress' },
    });
    expect(draft.status).toBe(422);
    const foreign = { ...toP, questionnaire: 'https://example.org/none' };
    expect((await baton.fhir('POST', '/QuestionnaireResponse/$extract', { body: foreign })).status).toBe(422);
  });
});

it('$validate warns of a response that its form would not take, by linkId', async () => {
  const body = {
    resourceType: 'QuestionnaireResponse',
    questionnaire: 'https://baton.health/fhir/Questionnaire/phq-2',
    status: 'completed',
    item: [
      { linkId: 'phq2-1', answer: [{ valueString: 'often' }] },
      { linkId: 'x', answer: [{ valueBoolean: true }] },
    ],
  };
  const { json } = await baton.fhir('POST', '/QuestionnaireResponse/$validate', { body });
  const issues = (json as unknown as OperationOutcome).issue ?? [];
  expect(issues.map(({ severity, expression }) => [severity, expression?.[0]])).toEqual(
    expect.arrayContaining([
      ['warning', "QuestionnaireResponse.item.where(linkId = 'phq2-1')"],
      ['warning', "QuestionnaireResponse.item.where(linkId = 'phq2-2')"],
      ['warning', "QuestionnaireResponse.item.where(linkId = 'x')"],
    ]),
  );
  expect(issues.some(({ severity }) => severity === 'error')).toBe(false);
});

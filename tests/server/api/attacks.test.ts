// What somebody who means harm, or errs, sends: answered in bounded time with a refusal that says why.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { withinTime } from '../../../src/fhir/fhirpath/within-time.ts';
import { type ApiServer, serveApi } from './api-client.ts';

let baton: ApiServer;

beforeAll(async () => {
  baton = await serveApi();
  await baton.put(
    { resourceType: 'Practitioner', id: 'nurse', name: [{ family: 'Nurse' }] },
    { resourceType: 'Patient', id: 'ann', name: [{ family: 'Ann' }], birthDate: '1950-01-01' },
    { resourceType: 'Patient', id: 'bob', name: [{ family: 'Bob' }] },
  );
});

afterAll(() => baton.close());

const FHIRPATH = 'text/fhirpath';
const ENDLESS = `'${'a'.repeat(60)}b'.matches('^(a+)+$')`;
const CALCULATED = 'http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-calculatedExpression';

function populate(expression: string) {
  const extension = [{ url: CALCULATED, valueExpression: { language: FHIRPATH, expression } }];
  const form = { resourceType: 'Questionnaire', status: 'active', item: [{ linkId: 'a', type: 'string', extension }] };
  const parameter = [
    { name: 'questionnaire', resource: form },
    { name: 'subject', valueReference: { reference: 'Patient/ann' } },
  ];
  return baton.fhir('POST', '/Questionnaire/$populate', { body: { resourceType: 'Parameters', parameter } });
}

function apply(action: unknown, more: readonly object[] = []) {
  const planDefinition = { resourceType: 'PlanDefinition', status: 'active', url: 'http://x/p', name: 'X', action };
  const parameter = [
    { name: 'planDefinition', resource: planDefinition },
    { name: 'subject', valueString: 'Patient/ann' },
    ...more,
  ];
  return baton.fhir('POST', '/PlanDefinition/$apply', { body: { resourceType: 'Parameters', parameter } });
}

const step = (expression: string) => ({
  ...{ id: 'a', title: 'A' },
  condition: [{ kind: 'applicability', expression: { language: FHIRPATH, expression } }],
});

describe('expressions that anybody may send', () => {
  it('end when their time is over, also within a regular expression', async () => {
    expect(() => withinTime(() => /^(a+)+$/.test(`${'a'.repeat(60)}b`), 50)).toThrow('take too long');
    const answer = await populate(ENDLESS);
    expect([answer.status, answer.json.issue?.[0]?.code]).toEqual([422, 'too-costly']);
  });

  it.each([
    ['values', `(1|2|3)${'.select($this.combine($this).combine($this).combine($this))'.repeat(40)}.exists()`],
    ['texts', `'abcdefgh'${'.select($this & $this)'.repeat(60)}.exists()`],
    ['elements', `%context${'.descendants().combine(%context.descendants().combine($this))'.repeat(40)}.exists()`],
  ])('do not multiply %s until the memory is full', async (_, expression) => {
    const answer = await apply([step(expression)]);
    expect([200, 422]).toContain(answer.status);
    const form = await populate(expression);
    expect([200, 422]).toContain(form.status);
  });

  it('may leave the calendar', async () => {
    const answer = await apply([step('(@9999-12-31 + 100000000 years).exists()')]);
    expect(answer.status, answer.text).toBe(200);
  });
});

describe('a definition that is sent along', () => {
  it.each([[{}], ['x'], [[null]], [[{ condition: [null] }]], [[{ participant: [null] }]]])(
    'is valid FHIR before it is applied: %j',
    async (action) => {
      const answer = await apply(action);
      expect([answer.status, answer.json.issue?.[0]?.expression?.[0]]).toEqual([
        400,
        expect.stringContaining('Parameters.parameter[0].resource.action'),
      ]);
    },
  );

  it.each([1e300, 1e15])('has offsets that a calendar has: %d hours', async (value) => {
    const second = {
      actionId: 'a',
      relationship: 'after-end',
      offsetDuration: { value, system: 'http://unitsofmeasure.org', code: 'h' },
    };
    const answer = await apply([
      { id: 'a', title: 'A' },
      { id: 'b', title: 'B', relatedAction: [second] },
    ]);
    expect([answer.status, answer.json.issue?.[0]?.expression]).toEqual([422, ['PlanDefinition.action.relatedAction']]);
  });
});

describe('a case', () => {
  it('takes no plan of another patient for its own, although the plan names the case', async () => {
    const opened = await baton.api('POST', '/cases', {
      body: { patient: { reference: 'Patient/bob' }, programme: { text: 'X' } },
    });
    const { id, plan } = opened.json as { id: string; plan: { reference: string } };
    await baton.put({
      ...{
        resourceType: 'CarePlan',
        id: 'anns',
        status: 'active',
        intent: 'plan',
        subject: { reference: 'Patient/ann' },
      },
      identifier: [{ system: 'urn:baton:case-plan', value: id }],
    });
    expect((await baton.api('GET', `/cases/${id}`)).json.plan).toEqual(plan);
    expect((await baton.api('GET', '/cases?patient=Patient/bob')).json.items).toMatchObject([{ plan }]);
    expect((await baton.api('GET', `/cases/${id}/plan`)).json.id).toBe(plan.reference.slice('CarePlan/'.length));
    const goal = await baton.api('POST', `/cases/${id}/goals`, { body: { description: { text: 'Walk' } } });
    expect(goal.json.plan).toEqual({ reference: plan.reference });
  });

  it.each([
    ['POST', '/handover', { to: { reference: 'Practitioner/nobody' }, note: 'Away' }, 'to'],
    ['POST', '/assign', { careManager: { reference: 'Practitioner/nobody' } }, 'careManager'],
  ] as const)('gets no manager who is not there: %s %s', async (method, path, body, member) => {
    const { items } = (await baton.api('GET', '/cases?patient=Patient/bob')).json as { items: { id: string }[] };
    const answer = await baton.api(method, `/cases/${items[0]?.id}${path}`, { body });
    expect([answer.status, answer.json.errors]).toEqual([422, [expect.objectContaining({ member })]]);
  });
});

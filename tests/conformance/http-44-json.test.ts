// 44. JSON in and out: what is kept to the last digit, and what is refused. https://hl7.org/fhir/R4/json.html
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, serve, type TestServer } from '../server/serve.ts';

let baton: TestServer;

beforeAll(async () => {
  baton = await serve();
});

afterAll(() => baton.close());

const observation = (value: string) =>
  `{"resourceType":"Observation","status":"final","code":{"text":"x"},"valueQuantity":{"value":${value},"unit":"u"}}`;
const post = (body: string | Buffer, type = 'Observation') => baton.fhir('POST', `/${type}`, { body });

function expectOutcome(answer: Answer, ...statuses: number[]): void {
  expect(statuses).toContain(answer.status);
  expect(answer.json.resourceType).toBe('OperationOutcome');
}

describe('a decimal', () => {
  const hundred = `0.${'1234567890'.repeat(10)}`;

  it.each(['1.00', '1.0', '0.10', '100', '-0.50', '1E3', '1.5e-7', '12345678901234567890', '0.1', hundred])(
    '%s is kept as it was written, everywhere',
    async (value) => {
      const made = await post(observation(value));
      expect(made.status).toBe(201);
      const { id } = made.json;
      const expected = `"value":${value},"unit"`;
      expect(made.text).toContain(expected);
      for (const path of [
        `/Observation/${id}`,
        `/Observation/${id}/_history/1`,
        `/Observation/${id}/_history`,
        `/Observation?_id=${id}`,
        `/Observation/${id}?_elements=value`,
        `/Observation/${id}?_summary=true`,
        `/Observation/${id}?_summary=data`,
      ]) {
        expect((await baton.fhir('GET', path)).text).toContain(expected);
      }
      const pretty = await baton.fhir('GET', `/Observation/${id}?_pretty=true`);
      expect(pretty.text).toContain(`"value": ${value},`);
    },
  );

  it('is kept through an update, a Bundle and rewritten references', async () => {
    const entry = [
      {
        fullUrl: 'urn:uuid:p',
        resource: { resourceType: 'Patient' },
        request: { method: 'POST', url: 'Patient' },
      },
      { resource: 'HERE', request: { method: 'POST', url: 'Observation' } },
    ];
    const resource = observation('5.40').replace('"status"', '"subject":{"reference":"urn:uuid:p"},"status"');
    const body = JSON.stringify({ resourceType: 'Bundle', type: 'transaction', entry }).replace('"HERE"', resource);
    const { json } = await baton.fhir('POST', '', { body, headers: { prefer: 'return=representation' } });
    const made = json.entry?.[1]?.resource;
    const read = await baton.fhir('GET', `/Observation/${made?.id}`);
    expect(read.text).toContain('"value":5.40');
    expect(read.text).toMatch(/"reference":"Patient\//);
    const put = read.text.replace('5.40', '5.400');
    expect((await baton.fhir('PUT', `/Observation/${made?.id}`, { body: put })).text).toContain('"value":5.400');
  });

  it('is found by what it is worth', async () => {
    const { json } = await post(observation('73.00'));
    expect((await baton.fhir('GET', `/Observation?_id=${json.id}&value-quantity=73`)).json.total).toBe(1);
  });

  it.each(['1e999', '-1e999', `1${'0'.repeat(400)}`])('%s, beyond any quantity, is refused', async (value) => {
    expectOutcome(await post(observation(value)), 400);
  });

  it.each(['01', '1.', '.5', '+1', '0x10', 'NaN', 'Infinity', '"1"'])('%s is refused', async (value) => {
    expectOutcome(await post(observation(value)), 400, 422);
  });
});

describe('a text', () => {
  it.each([
    ['half of a surrogate pair', '{"resourceType":"Patient","name":[{"family":"a\\ud800"}]}'],
    ['the other half', '{"resourceType":"Patient","name":[{"family":"\\uDC00a"}]}'],
    ['half of a pair in a name of a member', '{"resourceType":"Patient","\\ud800":1}'],
    ['the character 0', '{"resourceType":"Patient","name":[{"family":"a\\u0000b"}]}'],
    ['a control character in a code', '{"resourceType":"Patient","gender":"ma\\u0001le"}'],
    ['a backspace', '{"resourceType":"Patient","name":[{"family":"a\\bb"}]}'],
    ['a raw control character', '{"resourceType":"Patient","name":[{"family":"a\u0001b"}]}'],
    ['a number of spaces', '{"resourceType":"Patient","name":[{"family":"   "}]}'],
    ['nothing', '{"resourceType":"Patient","name":[{"family":""}]}'],
  ])('with %s is refused', async (_, body) => {
    expectOutcome(await post(body, 'Patient'), 400, 422);
  });

  it.each([
    ['a whole pair', '\\ud83d\\ude00', '\u{1F600}'],
    ['escapes', '\\u00e4\\n\\t\\"\\\\', 'ä\n\t"\\'],
    ['a slash', 'a\\/b', 'a/b'],
  ])('with %s is kept', async (_, written, meant) => {
    const body = `{"resourceType":"Basic","code":{"text":"x${written}"}}`;
    const made = await post(body, 'Basic');
    const { code } = (await baton.fhir('GET', `/Basic/${made.json.id}`)).json as { code?: { text: string } };
    expect([made.status, code?.text]).toEqual([201, `x${meant}`]);
  });

  it('may have a byte order mark in front', async () => {
    expect((await post('\uFEFF{"resourceType":"Patient"}', 'Patient')).status).toBe(201);
  });
});

describe('what FHIR has not in JSON is refused', () => {
  it.each([
    ['an empty array', '{"resourceType":"Patient","name":[]}'],
    ['an empty object', '{"resourceType":"Patient","name":[{}]}'],
    ['a null', '{"resourceType":"Patient","active":null}'],
    ['a null in an array', '{"resourceType":"Patient","name":[null]}'],
    ['nothing but nulls', '{"resourceType":"Patient","name":[{"given":[null]}]}'],
    ['an object for a list', '{"resourceType":"Patient","name":{"family":"a"}}'],
    ['a list for an object', '{"resourceType":"Patient","maritalStatus":[{"text":"a"}]}'],
    ['a list in a list', '{"resourceType":"Patient","name":[[{"family":"a"}]]}'],
    ['a number for a text', '{"resourceType":"Patient","gender":1}'],
    ['a text for a boolean', '{"resourceType":"Patient","active":"true"}'],
    ['an unknown member', '{"resourceType":"Patient","nonsense":1}'],
    ['an empty member name', '{"resourceType":"Patient","":1}'],
    ['a comment', '{"resourceType":"Patient"/* x */}'],
    ['a trailing comma', '{"resourceType":"Patient",}'],
    ['two documents', '{"resourceType":"Patient"}{}'],
    ['fhir_comments', '{"resourceType":"Patient","fhir_comments":["x"]}'],
    ['a list of resources', '[{"resourceType":"Patient"}]'],
    ['a list of numbers', '[1]'],
    ['a list of pairs', '[["_pretty","true"]]'],
  ])('%s', async (_, body) => {
    expectOutcome(await post(body, 'Patient'), 400, 422);
  });

  it('a null that only holds the place of its companion is kept', async () => {
    const body =
      '{"resourceType":"Patient","name":[{"given":[null,"b"],"_given":[{"extension":[{"url":"urn:x","valueCode":"y"}]},null]}]}';
    const made = await post(body, 'Patient');
    expect([made.status, made.text]).toEqual([201, expect.stringContaining('"given":[null,"b"]')]);
  });
});

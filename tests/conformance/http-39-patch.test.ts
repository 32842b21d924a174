// 39. PATCH: JSON Patch and FHIRPath Patch, by id and conditional, on its own and in Bundles.
// https://hl7.org/fhir/R4/http.html#patch
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, type RequestExtras, serve, type TestServer } from '../server/serve.ts';

let baton: TestServer;

beforeAll(async () => {
  baton = await serve();
});

afterAll(() => baton.close());

const JSON_PATCH = { 'content-type': 'application/json-patch+json' };
const patient = (more: object = {}) => ({ resourceType: 'Patient', active: true, name: [{ family: 'A' }], ...more });
const ACTIVATE = [{ op: 'replace', path: '/active', value: false }];
const fhirPatch = (...operations: object[][]) => ({
  resourceType: 'Parameters',
  parameter: operations.map((part) => ({ name: 'operation', part })),
});
const DEACTIVATE = fhirPatch([
  { name: 'type', valueCode: 'replace' },
  { name: 'path', valueString: 'Patient.active' },
  { name: 'value', valueBoolean: false },
]);

async function created(body: object = patient()): Promise<string> {
  return (await baton.fhir('POST', `/${(body as { resourceType: string }).resourceType}`, { body })).json.id as string;
}

function patch(path: string, operations: object, { headers, ...more }: RequestExtras = {}): Promise<Answer> {
  const body = JSON.stringify(operations);
  return baton.fhir('PATCH', path, { body, headers: { ...JSON_PATCH, ...headers }, ...more });
}

function expectOutcome(answer: Answer, status: number): void {
  expect([answer.status, answer.json.resourceType]).toEqual([status, 'OperationOutcome']);
  expect(answer.json.issue?.[0]?.details?.text).toMatch(/\w/);
}

describe('JSON Patch', () => {
  it('makes the next version', async () => {
    const id = await created();
    const answer = await patch(`/Patient/${id}`, [
      ...ACTIVATE,
      { op: 'add', path: '/name/-', value: { family: 'B' } },
      { op: 'test', path: '/name/0/family', value: 'A' },
    ]);
    expect([answer.status, answer.headers.etag]).toEqual([200, 'W/"2"']);
    expect(answer.headers.location).toContain(`/Patient/${id}/_history/2`);
    expect(answer.json).toMatchObject({ id, active: false, name: [{ family: 'A' }, { family: 'B' }] });
    expect((await baton.fhir('GET', `/Patient/${id}`)).text).toBe(answer.text);
    expect((await baton.fhir('GET', `/Patient?_id=${id}&family=B`)).json.total).toBe(1);
  });

  it('is all or nothing: a failing test is 422 and changes nothing', async () => {
    const id = await created();
    expectOutcome(
      await patch(`/Patient/${id}`, [...ACTIVATE, { op: 'test', path: '/name/0/family', value: 'Z' }]),
      422,
    );
    expect((await baton.fhir('GET', `/Patient/${id}`)).headers.etag).toBe('W/"1"');
  });

  it('may not change who the resource is or what the server says of it', async () => {
    const id = await created();
    for (const path of ['/id', '/resourceType', '/meta/versionId', '/meta/lastUpdated']) {
      expectOutcome(await patch(`/Patient/${id}`, [{ op: 'replace', path, value: 'x' }]), 422);
      expectOutcome(await patch(`/Patient/${id}`, [{ op: 'remove', path }]), 422);
    }
    expect((await baton.fhir('GET', `/Patient/${id}`)).headers.etag).toBe('W/"1"');
  });

  it('must lead to a valid resource', async () => {
    const id = await created();
    for (const operation of [
      { op: 'add', path: '/birthDate', value: '2026-02-31' },
      { op: 'add', path: '/gender', value: 'nonsense' },
      { op: 'add', path: '/nonsense', value: 1 },
      { op: 'add', path: '/name', value: [] },
      { op: 'add', path: '/active', value: null },
    ]) {
      const { status } = await patch(`/Patient/${id}`, [operation]);
      expect([400, 422]).toContain(status);
    }
    expect((await baton.fhir('GET', `/Patient/${id}`)).headers.etag).toBe('W/"1"');
  });

  it('leaves what it does not touch byte for byte', async () => {
    const text =
      '{"resourceType":"Observation","status":"final","code":{"text":"x"},"valueQuantity":{"value":1.00,"unit":"\\u00e4"},' +
      '"_issued":{"extension":[{"url":"urn:x","valueDecimal":0.10}]}}';
    const made = await baton.fhir('POST', '/Observation', { body: text });
    const answer = await patch(`/Observation/${made.json.id}`, [{ op: 'replace', path: '/status', value: 'amended' }]);
    const before = made.text.replace(/"meta":\{[^}]*\}/, '').replace('"final"', '"amended"');
    expect(answer.text.replace(/"meta":\{[^}]*\}/, '')).toBe(before);
    expect(answer.text).toContain('"value":1.00');
    expect(answer.text).toContain('"valueDecimal":0.10');
  });

  it('that changes nothing makes no version', async () => {
    const id = await created();
    for (const operations of [[], [{ op: 'replace', path: '/active', value: true }]]) {
      const answer = await patch(`/Patient/${id}`, operations);
      expect([answer.status, answer.headers.etag]).toEqual([200, 'W/"1"']);
    }
    expect((await baton.fhir('GET', `/Patient/${id}/_history`)).json.total).toBe(1);
  });

  it('of a decimal to other digits is a change', async () => {
    const text = '{"resourceType":"Observation","status":"final","code":{"text":"x"},"valueQuantity":{"value":1.0}}';
    const { id } = (await baton.fhir('POST', '/Observation', { body: text })).json;
    const body = '[{"op":"replace","path":"/valueQuantity/value","value":1.00}]';
    const answer = await baton.fhir('PATCH', `/Observation/${id}`, { body, headers: JSON_PATCH });
    expect([answer.headers.etag, answer.text]).toEqual(['W/"2"', expect.stringContaining('"value":1.00')]);
  });

  it.each([
    ['an object', '{"op":"add"}'],
    ['a string', '"x"'],
    ['broken', '[{]'],
    ['nothing', ''],
  ])('that is %s is 400', async (_, body) => {
    const id = await created();
    expectOutcome(await baton.fhir('PATCH', `/Patient/${id}`, { body, headers: JSON_PATCH }), 400);
  });
});

describe('FHIRPath Patch', () => {
  it('makes the next version', async () => {
    const id = await created();
    const answer = await baton.fhir('PATCH', `/Patient/${id}`, { body: DEACTIVATE });
    expect([answer.status, answer.headers.etag, answer.json.active]).toEqual([200, 'W/"2"', false]);
  });

  it('that cannot be applied is 422, that is none is 400', async () => {
    const id = await created();
    const wrong = fhirPatch([
      { name: 'type', valueCode: 'replace' },
      { name: 'path', valueString: 'Patient.birthDate' },
      { name: 'value', valueDate: '2000' },
    ]);
    expectOutcome(await baton.fhir('PATCH', `/Patient/${id}`, { body: wrong }), 422);
    expectOutcome(await baton.fhir('PATCH', `/Patient/${id}`, { body: patient({ id }) }), 400);
    expectOutcome(await baton.fhir('PATCH', `/Patient/${id}`, { body: [] }), 400);
  });
});

describe('either', () => {
  it('honours If-Match', async () => {
    const id = await created();
    expectOutcome(await patch(`/Patient/${id}`, ACTIVATE, { headers: { 'if-match': 'W/"9"' } }), 412);
    expectOutcome(await patch(`/Patient/${id}`, ACTIVATE, { headers: { 'if-match': 'nonsense' } }), 400);
    expect((await patch(`/Patient/${id}`, ACTIVATE, { headers: { 'if-match': 'W/"1"' } })).status).toBe(200);
  });

  it('is 404 for what never was, 410 for what was deleted, 415 for what is no patch', async () => {
    expectOutcome(await patch('/Patient/never', ACTIVATE), 404);
    expectOutcome(await patch('/Patient/not_an_id', ACTIVATE), 404);
    const id = await created();
    await baton.fhir('DELETE', `/Patient/${id}`);
    expectOutcome(await patch(`/Patient/${id}`, ACTIVATE), 410);
    for (const type of ['application/xml-patch+xml', 'application/merge-patch+json', 'text/plain']) {
      expectOutcome(await baton.fhir('PATCH', '/Patient/x', { body: '{}', headers: { 'content-type': type } }), 415);
    }
    expectOutcome(await baton.fhir('PUT', '/Patient/x', { body: '[]', headers: JSON_PATCH }), 415);
  });

  it('is conditional: 404 for no match, 412 for several, never for all', async () => {
    const identified = (value: string) => patient({ identifier: [{ system: 'urn:patch', value }] });
    const id = await created(identified('one'));
    await created(identified('two'));
    await created(identified('two'));
    const one = await patch('/Patient?identifier=urn:patch|one', ACTIVATE);
    expect([one.status, one.json.id, one.json.active]).toEqual([200, id, false]);
    expectOutcome(await patch('/Patient?identifier=urn:patch|none', ACTIVATE), 404);
    expectOutcome(await patch('/Patient?identifier=urn:patch|two', ACTIVATE), 412);
    expectOutcome(await patch('/Patient', ACTIVATE), 400);
    expectOutcome(await patch('/Patient?_format=json', ACTIVATE), 400);
    expectOutcome(await patch('/Patient?nonsense=1', ACTIVATE), 400);
  });

  it('answers as Prefer asks', async () => {
    const id = await created();
    const minimal = await patch(`/Patient/${id}`, ACTIVATE, { headers: { prefer: 'return=minimal' } });
    expect([minimal.status, minimal.text, minimal.headers.etag]).toEqual([200, '', 'W/"2"']);
    const outcome = await patch(`/Patient/${id}`, ACTIVATE, { headers: { prefer: 'return=OperationOutcome' } });
    expect(outcome.json.resourceType).toBe('OperationOutcome');
  });

  it('loses no update when many come at once', async () => {
    const id = await created({ resourceType: 'Patient', active: true });
    const answers = await Promise.all(
      Array.from({ length: 30 }, (_, index) =>
        index === 0
          ? patch(`/Patient/${id}`, [{ op: 'add', path: '/name', value: [{ family: 'n0' }] }])
          : baton.fhir('PATCH', `/Patient/${id}`, {
              body: fhirPatch([
                { name: 'type', valueCode: 'add' },
                { name: 'path', valueString: 'Patient' },
                { name: 'name', valueString: 'identifier' },
                { name: 'value', valueIdentifier: { value: `i${index}` } },
              ]),
            }),
      ),
    );
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 30 }, () => 200));
    const { identifier, meta } = (await baton.fhir('GET', `/Patient/${id}`)).json;
    expect(identifier).toHaveLength(29);
    expect(meta?.versionId).toBe('31');
  });

  it('lets one of twenty with the same If-Match through', async () => {
    const id = await created();
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => patch(`/Patient/${id}`, ACTIVATE, { headers: { 'if-match': 'W/"1"' } })),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 412)).toHaveLength(19);
  });

  it('needs the scope to update; what tells the content needs the scope to read, too', async () => {
    const id = await created();
    const mayUpdate = await baton.token('system/Patient.u');
    expectOutcome(await patch(`/Patient/${id}`, ACTIVATE, { as: await baton.token('system/Patient.crds') }), 403);
    const blind = await patch(`/Patient/${id}`, ACTIVATE, { as: mayUpdate });
    expect([blind.status, blind.text]).toEqual([200, '']);
    const probe = [{ op: 'test', path: '/name/0/family', value: 'A' }];
    expectOutcome(await patch(`/Patient/${id}`, probe, { as: mayUpdate }), 403);
    const where = fhirPatch([
      { name: 'type', valueCode: 'delete' },
      { name: 'path', valueString: "Patient.name.where(family='A')" },
    ]);
    expectOutcome(await baton.fhir('PATCH', `/Patient/${id}`, { body: where, as: mayUpdate }), 403);
    expectOutcome(await patch('/Patient?family=A', ACTIVATE, { as: mayUpdate }), 403);
    expect((await patch(`/Patient/${id}`, probe, { as: await baton.token('system/Patient.ru') })).status).toBe(200);
  });

  it('does not find out by a conditional reference what the token may not search', async () => {
    await created(patient({ identifier: [{ system: 'urn:patch', value: 'secret' }] }));
    const id = await created({ resourceType: 'Basic', code: { text: 'x' } });
    const add = [{ op: 'add', path: '/subject', value: { reference: 'Patient?identifier=urn:patch|secret' } }];
    const as = await baton.token('system/Basic.cru');
    expectOutcome(await patch(`/Basic/${id}`, add, { as }), 403);
    const resource = {
      resourceType: 'Binary',
      contentType: 'application/json-patch+json',
      data: Buffer.from(JSON.stringify(add)).toString('base64'),
    };
    const entry = [{ resource, request: { method: 'PATCH', url: `Basic/${id}` } }];
    const body = { resourceType: 'Bundle', type: 'transaction', entry };
    expectOutcome(await baton.fhir('POST', '', { body, as }), 403);
    const allowed = await patch(`/Basic/${id}`, add);
    expect([allowed.status, allowed.json.subject]).toEqual([
      200,
      { reference: expect.stringMatching(/^Patient\/[^?]+$/) },
    ]);
  });

  it('is audited as a patch', async () => {
    const id = await created();
    await patch(`/Patient/${id}`, ACTIVATE);
    await patch(`/Patient/${id}`, [{ op: 'remove', path: '/id' }]);
    const rows = (await baton.audited()).filter((row) => row.id === id && row.interaction === 'patch');
    expect(rows.map(({ status, action }) => [status, action])).toEqual([
      [200, 'U'],
      [422, 'U'],
    ]);
  });

  it('is declared', async () => {
    const { json } = await baton.fhir('GET', '/metadata');
    expect(json.patchFormat).toEqual(['application/json-patch+json', 'application/fhir+json']);
  });
});

describe('in a Bundle', () => {
  const binary = (operations: object) => ({
    resourceType: 'Binary',
    contentType: 'application/json-patch+json',
    data: Buffer.from(JSON.stringify(operations)).toString('base64'),
  });
  const entry = (url: string, resource: object, more: object = {}) => ({
    resource,
    request: { method: 'PATCH', url, ...more },
  });
  const send = (type: string, entries: object[]) =>
    baton.fhir('POST', '', { body: { resourceType: 'Bundle', type, entry: entries } });

  it.each(['batch', 'transaction'])('of type %s both kinds are applied', async (type) => {
    const [one, two] = [await created(), await created()];
    const { status, json } = await send(type, [
      entry(`Patient/${one}`, binary(ACTIVATE)),
      entry(`Patient/${two}`, DEACTIVATE, { ifMatch: 'W/"1"' }),
    ]);
    expect(status).toBe(200);
    expect(json.entry?.map(({ response }) => [response?.status, response?.etag])).toEqual([
      ['200 OK', 'W/"2"'],
      ['200 OK', 'W/"2"'],
    ]);
    expect((await baton.fhir('GET', `/Patient/${one}`)).json.active).toBe(false);
  });

  it('a wrong one fails its transaction, and nothing but itself in a batch', async () => {
    const id = await created();
    const entries = [
      { resource: patient({ identifier: [{ value: 'beside' }] }), request: { method: 'POST', url: 'Patient' } },
      entry(`Patient/${id}`, binary([{ op: 'test', path: '/active', value: 'x' }])),
    ];
    expectOutcome(await send('transaction', entries), 422);
    const batch = await send('batch', entries);
    expect(batch.json.entry?.map(({ response }) => response?.status.slice(0, 3))).toEqual(['201', '422']);
    expect((await baton.fhir('GET', '/Patient?identifier=beside')).json.total).toBe(1);
    for (const wrong of [binary({}), { ...binary([]), contentType: 'text/plain' }, { ...binary([]), data: '%' }]) {
      expectOutcome(await send('transaction', [entry(`Patient/${id}`, wrong)]), 400);
    }
    expectOutcome(await send('transaction', [entry(`Patient/${id}`, binary([{ op: 'x' }]))]), 422);
  });

  it('refers to what the same transaction makes', async () => {
    const id = await created();
    const organization = { resourceType: 'Organization', name: 'O' };
    const operations = [{ op: 'add', path: '/managingOrganization', value: { reference: 'urn:uuid:o' } }];
    const { json } = await send('transaction', [
      entry(`Patient/${id}`, binary(operations)),
      { fullUrl: 'urn:uuid:o', resource: organization, request: { method: 'POST', url: 'Organization' } },
    ]);
    const made = json.entry?.[1]?.response?.location?.match(/Organization\/[^/]+/)?.[0];
    expect((await baton.fhir('GET', `/Patient/${id}`)).json.managingOrganization).toEqual({ reference: made });
  });

  it('may be conditional, and two on one identity are 400', async () => {
    const id = await created(patient({ identifier: [{ system: 'urn:patch', value: 'bundle' }] }));
    const url = 'Patient?identifier=urn:patch|bundle';
    expect((await send('transaction', [entry(url, DEACTIVATE)])).status).toBe(200);
    expectOutcome(await send('transaction', [entry('Patient?identifier=urn:patch|zero', DEACTIVATE)]), 404);
    expectOutcome(await send('transaction', [entry(`Patient/${id}`, DEACTIVATE), entry(url, binary(ACTIVATE))]), 400);
  });
});

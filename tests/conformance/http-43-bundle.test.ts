// 43. batch and transaction: order, identity, links, conditions, every kind of entry. https://hl7.org/fhir/R4/http.html#transaction
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, type Entry, FHIR, serve, type TestServer } from '../server/serve.ts';

let baton: TestServer;

beforeAll(async () => {
  baton = await serve();
});

afterAll(() => baton.close());

const send = (type: string, entry: object[], headers = {}) =>
  baton.fhir('POST', '', { body: { resourceType: 'Bundle', type, entry }, headers });
const transaction = (...entry: object[]) => send('transaction', entry);
const batch = (...entry: object[]) => send('batch', entry);
const patient = (value: string, more: object = {}) => ({
  resourceType: 'Patient',
  identifier: [{ system: 'urn:43', value }],
  ...more,
});
const ask = (method: string, url: string, more: object = {}) => ({ request: { method, url, ...more } });
const post = (resource: { resourceType: string }, fullUrl?: string, more: object = {}) => ({
  ...(fullUrl ? { fullUrl } : {}),
  resource,
  ...ask('POST', resource.resourceType, more),
});
const put = (
  resource: { resourceType: string; id?: string },
  url = `${resource.resourceType}/${resource.id}`,
  more = {},
) => ({
  resource,
  ...ask('PUT', url, more),
});
const statuses = ({ json }: Answer) => json.entry?.map(({ response }) => response?.status.slice(0, 3));
const idIn = (entry: Entry | undefined) => String(entry?.response?.location).match(/\/([^/]+)\/_history/)?.[1] ?? '';
const count = async (query: string) => (await baton.fhir('GET', `/Patient?${query}&_total=accurate`)).json.total;

function expectOutcome(answer: Answer, ...expected: number[]): void {
  expect(expected).toContain(answer.status);
  expect(answer.json.resourceType).toBe('OperationOutcome');
}

describe('the order', () => {
  it('is DELETE, POST, PUT and PATCH, GET, whatever the order of the entries', async () => {
    await baton.fhir('PUT', '/Patient/o-del', { body: patient('order', { id: 'o-del' }) });
    await baton.fhir('PUT', '/Patient/o-patch', { body: patient('o-patch', { id: 'o-patch' }) });
    const parameters = {
      resourceType: 'Parameters',
      parameter: [
        {
          name: 'operation',
          part: [
            { name: 'type', valueCode: 'add' },
            { name: 'path', valueString: 'Patient' },
            { name: 'name', valueString: 'active' },
            { name: 'value', valueBoolean: true },
          ],
        },
      ],
    };
    const answer = await transaction(
      ask('GET', 'Patient?identifier=urn:43|order'),
      { resource: parameters, ...ask('PATCH', 'Patient/o-patch') },
      put(patient('order', { id: 'o-put' })),
      post(patient('order')),
      ask('DELETE', 'Patient/o-del'),
      ask('HEAD', 'Patient/o-put'),
    );
    expect(answer.status).toBe(200);
    expect(statuses(answer)).toEqual(['200', '200', '201', '201', '204', '200']);
    const found = answer.json.entry?.[0]?.resource?.entry?.map(({ resource }) => resource?.id) ?? [];
    expect(found).toHaveLength(2);
    expect(found).toContain('o-put');
    expect(found).not.toContain('o-del');
    expect(answer.json.entry?.[5]?.resource).toBeUndefined();
    expect(answer.json.entry?.[5]?.response?.etag).toBe('W/"1"');
  });

  it('lets a conditional create see what the same transaction deletes as gone or refuses it, never both', async () => {
    await baton.fhir('PUT', '/Patient/o-gone', { body: patient('o-gone', { id: 'o-gone' }) });
    const answer = await transaction(
      post(patient('o-gone'), undefined, { ifNoneExist: 'identifier=urn:43|o-gone' }),
      ask('DELETE', 'Patient/o-gone'),
    );
    expect([200, 400]).toContain(answer.status);
    expect(await count('identifier=urn:43|o-gone')).toBe(1);
  });
});

describe('links', () => {
  it('are rewritten wherever R4 says so, and names are not', async () => {
    const urn = 'urn:uuid:6f1e2a0c-1111-4222-8333-444455556666';
    const div = `<div xmlns="http://www.w3.org/1999/xhtml"><a href="${urn}">p</a><img src="${urn}" alt="x"/></div>`;
    const plan = {
      resourceType: 'CarePlan',
      status: 'active',
      intent: 'plan',
      subject: { reference: urn },
      text: { status: 'generated', div },
      instantiatesUri: [urn],
      instantiatesCanonical: [urn],
      contained: [
        {
          resourceType: 'Goal',
          id: 'g',
          lifecycleStatus: 'active',
          description: { text: 'x' },
          subject: { reference: urn },
        },
      ],
      goal: [{ reference: '#g' }],
      extension: [
        { url: 'urn:ext', valueReference: { reference: urn } },
        { url: 'urn:ext', valueUri: urn },
        { url: urn, valueString: urn },
      ],
      identifier: [{ system: urn, value: urn }],
    };
    const answer = await transaction(post(plan), post(patient('links'), urn));
    expect(answer.status).toBe(200);
    const [made, target] = answer.json.entry ?? [];
    const literal = `Patient/${idIn(target)}`;
    const { json } = await baton.fhir('GET', `/CarePlan/${idIn(made)}`);
    expect(json).toMatchObject({
      subject: { reference: literal },
      text: { div: div.replaceAll(urn, literal) },
      instantiatesUri: [literal],
      instantiatesCanonical: [urn],
      contained: [{ subject: { reference: literal } }],
      extension: [{ valueReference: { reference: literal } }, { valueUri: literal }, { url: urn, valueString: urn }],
      identifier: [{ system: urn, value: urn }],
    });
  });

  it('between entries may go in circles, to itself, and to versions', async () => {
    const link = (reference: string) => ({ link: [{ other: { reference }, type: 'seealso' }] });
    const answer = await transaction(
      post(patient('c1', link('urn:uuid:c2')), 'urn:uuid:c1'),
      post(patient('c2', link('urn:uuid:c1')), 'urn:uuid:c2'),
      post(patient('c3', link('urn:uuid:c3')), 'urn:uuid:c3'),
      post(
        patient('c4', link('http://other.example/fhir/Patient/9/_history/7')),
        'http://other.example/fhir/Patient/9',
      ),
    );
    expect(answer.status).toBe(200);
    const [one, two, three, four] = (answer.json.entry ?? []).map(idIn);
    const other = async (id = '') => JSON.stringify((await baton.fhir('GET', `/Patient/${id}`)).json.link);
    expect(await other(one)).toContain(`"Patient/${two}"`);
    expect(await other(two)).toContain(`"Patient/${one}"`);
    expect(await other(three)).toContain(`"Patient/${three}"`);
    expect(await other(four)).toContain(`"Patient/${four}/_history/1"`);
  });

  it('follow entries that came down to what is there: conditional create and update', async () => {
    const { id } = (await baton.fhir('POST', '/Patient', { body: patient('there') })).json;
    const observation = (reference: string) => ({
      resourceType: 'Observation',
      status: 'final',
      code: { text: 'x' },
      subject: { reference },
    });
    const answer = await transaction(
      post(observation('urn:uuid:a')),
      post(patient('there'), 'urn:uuid:a', { ifNoneExist: 'identifier=urn:43|there' }),
    );
    expect(statuses(answer)).toEqual(['201', '200']);
    const again = await transaction(post(observation('urn:uuid:b')), {
      fullUrl: 'urn:uuid:b',
      ...put(patient('there', { active: true }), 'Patient?identifier=urn:43|there'),
    });
    expect(statuses(again)).toEqual(['201', '200']);
    for (const { json } of [answer, again]) {
      const { subject } = (await baton.fhir('GET', `/Observation/${idIn(json.entry?.[0])}`)).json;
      expect(subject).toEqual({ reference: `Patient/${id}` });
    }
  });

  it('to other servers are left alone, and a urn that nobody has fails all', async () => {
    const foreign = { generalPractitioner: [{ reference: 'https://other.example/Practitioner/1' }] };
    const answer = await transaction(post(patient('foreign', foreign)));
    expect((await baton.fhir('GET', `/Patient/${idIn(answer.json.entry?.[0])}`)).json).toMatchObject(foreign);
    const lost = { generalPractitioner: [{ reference: 'urn:uuid:nobody' }] };
    expectOutcome(await transaction(post(patient('lost', lost))), 400, 422);
    expect(await count('identifier=urn:43|lost')).toBe(0);
  });

  it('by condition need one match, also one made in the same transaction', async () => {
    const observation = (reference: string) => ({
      resourceType: 'Observation',
      status: 'final',
      code: { text: 'x' },
      extension: [{ url: 'urn:e', valueReference: { reference } }],
      contained: [{ resourceType: 'Device', id: 'd', patient: { reference } }],
      device: { reference: '#d' },
    });
    const answer = await transaction(
      post(observation('Patient?identifier=urn:43|made-here')),
      post(patient('made-here')),
    );
    expect(answer.status).toBe(200);
    const literal = { reference: `Patient/${idIn(answer.json.entry?.[1])}` };
    const { json } = await baton.fhir('GET', `/Observation/${idIn(answer.json.entry?.[0])}`);
    expect(json).toMatchObject({ extension: [{ valueReference: literal }], contained: [{ patient: literal }] });
    expectOutcome(await transaction(post(observation('Patient?identifier=urn:43|nobody'))), 400, 404, 412, 422);
    await baton.fhir('POST', '/Patient', { body: patient('made-here') });
    expectOutcome(await transaction(post(observation('Patient?identifier=urn:43|made-here'))), 412);
  });
});

describe('one identity in two entries', () => {
  it.each<[string, object[]]>([
    ['two PUTs', [put(patient('i', { id: 'i' })), put(patient('i', { id: 'i' }))]],
    ['PUT and DELETE', [put(patient('i', { id: 'i' })), ask('DELETE', 'Patient/i')]],
    ['PUT and an absolute DELETE', [put(patient('i', { id: 'i' })), ask('DELETE', `${FHIR}/Patient/i`)]],
    ['PUT and a conditional PUT', [put(patient('two', { id: 'same' })), put(patient('two'), 'Patient?_id=same')]],
    [
      'equal criteria',
      [put(patient('q'), 'Patient?identifier=urn:43|q'), put(patient('q'), 'Patient?identifier=urn:43|q')],
    ],
    ['one fullUrl', [post(patient('f'), 'urn:uuid:f'), post(patient('g'), 'urn:uuid:f')]],
  ])('%s are 400', async (_, entries) => {
    await baton.fhir('PUT', '/Patient/same', { body: patient('same', { id: 'same' }) });
    const before = await count('identifier=urn:43|');
    expectOutcome(await transaction(...entries), 400);
    expect(await count('identifier=urn:43|')).toBe(before);
  });
});

describe('conditions of entries', () => {
  it('ifMatch holds for PUT and DELETE, and fails all', async () => {
    await baton.fhir('PUT', '/Patient/m', { body: patient('m', { id: 'm' }) });
    for (const entry of [
      put(patient('m', { id: 'm' }), 'Patient/m', { ifMatch: 'W/"9"' }),
      ask('DELETE', 'Patient/m', { ifMatch: 'W/"9"' }),
    ]) {
      expectOutcome(await transaction(post(patient('m2')), entry), 412);
      expect(statuses(await batch(entry))).toEqual(['412']);
    }
    expect(await count('identifier=urn:43|m2')).toBe(0);
    expect(statuses(await transaction(ask('DELETE', 'Patient/m', { ifMatch: 'W/"1"' })))).toEqual(['204']);
  });

  it('ifNoneMatch and ifModifiedSince make reads 304, ifNoneMatch * keeps a PUT from replacing', async () => {
    const { json } = await baton.fhir('PUT', '/Patient/n', { body: patient('n', { id: 'n' }) });
    const answer = await batch(
      ask('GET', 'Patient/n', { ifNoneMatch: 'W/"1"' }),
      ask('GET', 'Patient/n', { ifNoneMatch: 'W/"7"' }),
      ask('GET', 'Patient/n', { ifNoneMatch: 'W/"7", W/"1"' }),
      ask('GET', 'Patient/n', { ifModifiedSince: json.meta?.lastUpdated }),
      ask('GET', 'Patient/n', { ifModifiedSince: '2001-01-01T00:00:00Z' }),
      put(patient('n', { id: 'n' }), 'Patient/n', { ifNoneMatch: '*' }),
    );
    expect(statuses(answer)).toEqual(['304', '200', '304', '304', '200', '412']);
    expect(answer.json.entry?.[0]).toMatchObject({ response: { etag: 'W/"1"', lastModified: json.meta?.lastUpdated } });
    expect(answer.json.entry?.[0]?.resource).toBeUndefined();
  });

  it('conditional deletes need one match', async () => {
    await batch(post(patient('cd')), post(patient('cd')));
    expectOutcome(await transaction(ask('DELETE', 'Patient?identifier=urn:43|cd')), 412);
    expect(statuses(await transaction(ask('DELETE', 'Patient?identifier=urn:43|cd-none')))).toEqual(['204']);
    expectOutcome(await transaction(ask('DELETE', 'Patient')), 400);
  });
});

describe('questions', () => {
  it('of every kind are answered like requests of their own', async () => {
    await baton.fhir('PUT', '/Patient/q', { body: patient('q', { id: 'q', gender: 'female' }) });
    const answer = await batch(
      ask('GET', 'Patient/q'),
      ask('GET', 'Patient/q?_elements=gender'),
      ask('GET', 'Patient/q/_history'),
      ask('GET', 'Patient/q/_history/1'),
      ask('GET', 'Patient/_history?_count=1'),
      ask('GET', '_history?_count=1'),
      ask('GET', 'Patient/q/Observation'),
      ask('GET', '?_type=Patient&_id=q'),
      ask('GET', 'metadata'),
      ask('GET', 'Patient/q/$everything'),
      ask('POST', 'Patient/q/$meta'),
      ask('GET', 'Patient/none'),
      ask('GET', 'Patient/none/_history'),
      ask('GET', 'Patient/q/$nonsense'),
      ask('GET', 'Patient?nonsense=1'),
      ask('GET', 'Patient/q/_history/9'),
    );
    expect(statuses(answer)).toEqual([...Array.from({ length: 11 }, () => '200'), '404', '404', '404', '400', '404']);
    const types = answer.json.entry?.slice(0, 11).map(({ resource }) => resource?.resourceType);
    expect(types).toEqual([
      'Patient',
      'Patient',
      'Bundle',
      'Patient',
      'Bundle',
      'Bundle',
      'Bundle',
      'Bundle',
      'CapabilityStatement',
      'Bundle',
      'Parameters',
    ]);
    expect(answer.json.entry?.[1]?.resource?.meta?.tag?.[0]?.code).toBe('SUBSETTED');
    expect(answer.json.entry?.[3]).toMatchObject({ fullUrl: `${FHIR}/Patient/q`, response: { etag: 'W/"1"' } });
    expect(answer.json.entry?.[11]?.response?.outcome?.issue?.[0]?.code).toBe('not-found');
  });

  it('that must fail fail a transaction before it writes', async () => {
    for (const url of [
      'Patient/none',
      'Patient/none/_history',
      'Patient/q/$nonsense',
      'Patient?nonsense=1',
      'Nonsense/1',
    ]) {
      expectOutcome(await transaction(post(patient('hopeless')), ask('GET', url)), 400, 404);
    }
    expect(await count('identifier=urn:43|hopeless')).toBe(0);
  });

  it('are asked with the scopes of the token, entry by entry', async () => {
    const as = await baton.token('system/Patient.r');
    const entry = [
      ask('GET', 'Patient/q'),
      ask('GET', 'Patient?_id=q'),
      ask('GET', '_history'),
      ask('GET', 'Patient/q/$meta'),
    ];
    const answer = await baton.fhir('POST', '', { body: { resourceType: 'Bundle', type: 'batch', entry }, as });
    expect(statuses(answer)).toEqual(['200', '403', '403', '200']);
  });

  it('are audited as what they are', async () => {
    await batch(
      ask('HEAD', 'Patient/q'),
      ask('GET', 'Patient/q/$meta'),
      ask('GET', 'Patient/q/_history'),
      ask('GET', 'Nonsense'),
    );
    const rows = (await baton.audited()).slice(-6).map(({ interaction, status }) => [interaction, status]);
    expect(rows).toContainEqual(['read', 200]);
    expect(rows).toContainEqual(['$meta', 200]);
    expect(rows).toContainEqual(['history-instance', 200]);
  });
});

describe('the answer', () => {
  it('has what Prefer asks for', async () => {
    const shown = await send('transaction', [post(patient('pr'))], { prefer: 'return=representation' });
    expect(shown.json.entry?.[0]?.resource?.resourceType).toBe('Patient');
    const told = await send('batch', [post(patient('pr'))], { prefer: 'return=OperationOutcome' });
    expect(told.json.entry?.[0]?.response?.outcome?.resourceType).toBe('OperationOutcome');
    const minimal = await send('batch', [post(patient('pr'))], { prefer: 'return=minimal' });
    expect(minimal.json.entry?.[0]?.resource).toBeUndefined();
    const lenient = await send('batch', [ask('GET', 'Patient?nonsense=1')], { prefer: 'handling=lenient' });
    expect(statuses(lenient)).toEqual(['200']);
  });

  it('stands where its entry stood, for every entry, also of an empty Bundle', async () => {
    const entries = Array.from({ length: 60 }, (_, index) =>
      index % 3 === 0
        ? ask('GET', 'Patient/q')
        : index % 3 === 1
          ? post(patient(`n${index}`))
          : ask('GET', 'Patient/none'),
    );
    expect(statuses(await batch(...entries))).toEqual(entries.map((_, index) => ['200', '201', '404'][index % 3]));
    for (const type of ['batch', 'transaction']) {
      const { status, json } = await send(type, []);
      expect([status, json.type, json.entry]).toEqual([200, `${type}-response`, undefined]);
    }
  });

  it('to a Bundle of another type, or none, is 400', async () => {
    for (const type of ['searchset', 'document', 'message', 'history', '', undefined]) {
      expectOutcome(await baton.fhir('POST', '', { body: { resourceType: 'Bundle', type, entry: [] } }), 400);
    }
  });
});

// What a narrow token must not find out: not from an answer, and not from a count, a status or a version either.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, type Method, type RequestExtras, serve, type TestServer } from './serve.ts';

let baton: TestServer;

const LENIENT = { headers: { prefer: 'handling=lenient' } };
const JSON_PATCH = { 'content-type': 'application/json-patch+json' };
const SECRET = 'urn:leaks:secret';

beforeAll(async () => {
  baton = await serve();
  const put = (resourceType: string, id: string, more: object) =>
    baton.fhir('PUT', `/${resourceType}/${id}`, { body: { resourceType, id, ...more } });
  const own = { reference: 'Patient/own' };
  const other = { reference: 'Patient/other' };
  await put('Organization', 'o1', { name: 'Clinic' });
  await put('Patient', 'own', { gender: 'female' });
  await put('Patient', 'other', {
    name: [{ family: 'Secret' }, { family: 'Hidden' }],
    birthDate: '1970-01-01',
    managingOrganization: { reference: 'Organization/o1' },
    meta: { tag: [{ system: SECRET, code: 'vip' }] },
  });
  await put('Task', 'mine', { status: 'requested', intent: 'order', for: own });
  await put('Task', 'theirs', { status: 'completed', intent: 'order', for: other });
  await put('List', 'l1', { status: 'current', mode: 'working', entry: [{ item: { reference: 'Task/theirs' } }] });
  await put('CodeSystem', 'cs', {
    url: SECRET,
    status: 'draft',
    content: 'complete',
    concept: [{ code: 'vip', display: 'Very important' }],
  });
  await put('ValueSet', 'inner', {
    url: `${SECRET}/inner`,
    status: 'draft',
    compose: { include: [{ system: SECRET, concept: [{ code: 'vip' }] }] },
  });
  await put('ValueSet', 'outer', {
    url: `${SECRET}/outer`,
    status: 'active',
    compose: { include: [{ valueSet: [`${SECRET}/inner`] }] },
  });
});

afterAll(() => baton.close());

async function ask(scope: string, method: Method, path: string, more: RequestExtras & { patient?: string } = {}) {
  const { patient, ...extras } = more;
  return baton.fhir(method, path, { as: await baton.token(scope, patient), ...extras });
}

const idsOf = ({ json }: Answer) =>
  (json.entry ?? []).map(({ resource }) => `${resource?.resourceType}/${resource?.id}`);

describe('a search that may not look', () => {
  it.each([
    ['system/Task.rs', '/Task?_list=l1'],
    ['system/Task.rs', '/Task?_filter=patient.birthdate eq 1970-01-01'],
    ['system/Task.rs', '/Task?_filter=not(patient.birthdate eq 1970-01-01)'],
    ['system/Task.rs', '/Task?_filter=patient[birthdate lt 1980].gender eq female'],
    ['system/Task.rs', '/Task?patient:Patient._tag=vip'],
    ['system/Task.rs', '/Task?patient:Patient._content=secret'],
    ['system/Task.rs', '/Task?patient:Patient._has:Observation:patient:code=1'],
    ['system/Patient.rs', '/Patient?_has:Task:patient:status=completed'],
    ['system/Patient.rs', '/Patient?_has:List:item:_id=l1'],
    ['system/Patient.rs', '/Patient?organization:below=Organization/o1'],
    ['system/Task.rs', '/Task?_include=Task:patient'],
    ['system/Task.rs', '/Task?_include=*'],
    ['system/Patient.rs', '/Patient?_revinclude=Task:patient'],
    ['system/Task.rs system/Patient.s', '/Task?_include=Task:patient'],
    ['system/Task.rs', '/?_type=Task,Patient'],
    ['system/Task.rs', '/?_type=Task&_type=Patient'],
    ['system/Task.r', '/Task?_summary=count'],
    ['system/Task.rs?status=requested', '/Task/_history'],
    ['system/Task.rs', '/Task/theirs/_history?_list=l1'],
    ['system/Task.rs?status=requested', '/Task/$meta'],
    ['patient/*.rs', '/$meta'],
  ])('%s: %s', async (scope, path) => {
    const answer = await ask(scope, 'GET', encodeURI(path), { patient: 'own' });
    expect([answer.status, answer.text.includes('theirs')]).toEqual([403, false]);
  });

  it.each([
    ['system/Task.rs?status=requested', '/Task?part-of:Task.status=completed'],
    ['system/Task.rs?status=requested', '/Task?_has:Task:part-of:status=completed'],
    ['patient/*.rs', '/Task?patient:Patient.family=Secret'],
    ['patient/*.rs', '/Task?_filter=patient.family eq secret'],
  ])('%s: %s looks into what is within reach only', async (scope, path) => {
    const answer = await ask(scope, 'GET', encodeURI(path), { patient: 'own' });
    expect([answer.status, answer.json.total]).toEqual([200, 0]);
  });

  it('with lenient handling includes nothing of it, nor what only it leads to', async () => {
    const chain = '/Task?_include=Task:patient&_include:iterate=Patient:organization';
    const scope = 'system/Task.rs system/Organization.rs';
    expect(idsOf(await ask(scope, 'GET', chain, LENIENT))).toEqual(['Task/mine', 'Task/theirs']);
    const every = '/Task?_include:iterate=*&_revinclude:iterate=*';
    expect(idsOf(await ask(scope, 'GET', every, LENIENT))).toEqual(['Task/mine', 'Task/theirs']);
    const back = '/Organization?_revinclude=Patient:organization&_revinclude:iterate=Task:patient';
    expect(idsOf(await ask(scope, 'GET', back, LENIENT))).toEqual(['Organization/o1']);
  });

  it('with the rights includes it', async () => {
    const chain = '/Task?_id=theirs&_include=Task:patient&_include:iterate=Patient:organization';
    const scope = 'system/Task.rs system/Organization.rs system/Patient.rs';
    expect(idsOf(await ask(scope, 'GET', chain))).toEqual(['Task/theirs', 'Patient/other', 'Organization/o1']);
    const some = '/Organization?_revinclude=*';
    expect(idsOf(await ask(scope, 'GET', some, LENIENT))).toEqual(['Organization/o1', 'Patient/other']);
  });
});

describe('a narrowed scope', () => {
  it.each([
    '/Patient/other',
    '/Patient/other/$everything',
    '/Patient/other/$meta',
    '/Task/theirs/$validate',
    '/Task/theirs/_history/1/$meta',
  ])('answers %s as if it were not there', async (path) => {
    const there = await ask('patient/*.rs', 'GET', path, { patient: 'own' });
    const absent = path.replace(/other|theirs/, 'absent');
    const gone = await ask('patient/*.rs', 'GET', absent, { patient: 'own' });
    expect(there.status).toBe(404);
    expect(there.text.replace(/other|theirs/, 'absent')).toBe(gone.text);
  });

  it('counts, sorts and pages only what it reaches', async () => {
    const queries = [
      '_total=accurate',
      '_sort=-status',
      '_sort=patient',
      '_count=0',
      '_filter=status ne x',
      '_sort=-_id',
    ];
    for (const query of queries) {
      const answer = await ask('patient/*.rs', 'GET', encodeURI(`/Task?${query}`), { patient: 'own' });
      expect([query, answer.status, answer.json.total]).toEqual([query, 200, 1]);
      expect(answer.text).not.toContain('theirs');
    }
    const entry = [{ request: { method: 'GET', url: 'Task?_summary=count' } }];
    const body = { resourceType: 'Bundle', type: 'batch', entry };
    const answer = await ask('patient/*.rs', 'POST', '', { body, patient: 'own' });
    expect(answer.json.entry?.[0]?.resource?.total).toBe(1);
  });
});

describe('a patch without the right to read', () => {
  const patch = (path: string, operations: readonly object[], scope = 'system/Patient.u') =>
    ask(scope, 'PATCH', path, { body: JSON.stringify(operations), headers: JSON_PATCH });
  const part = (name: string, value: object) => ({ name, ...value });
  const fhirPatch = (...operations: Record<string, object>[]) => ({
    resourceType: 'Parameters',
    parameter: operations.map((operation) => ({
      name: 'operation',
      part: Object.entries(operation).map(([name, value]) => part(name, value)),
    })),
  });

  it.each([
    ['test', [{ op: 'test', path: '/birthDate', value: '1970-01-01' }]],
    ['copy onto itself', [{ op: 'copy', from: '/birthDate', path: '/birthDate' }]],
    ['move onto itself', [{ op: 'move', from: '/birthDate', path: '/birthDate' }]],
    [
      'add and take back',
      [
        { op: 'add', path: '/name/2', value: { family: 'X' } },
        { op: 'remove', path: '/name/2' },
      ],
    ],
  ])('may not %s', async (_, operations) => {
    expect((await patch('/Patient/other', operations)).status).toBe(403);
  });

  it('may not move or take back by FHIRPath', async () => {
    const move = {
      type: { valueCode: 'move' },
      path: { valueString: 'Patient.name' },
      source: { valueInteger: 1 },
      destination: { valueInteger: 1 },
    };
    const insert = {
      type: { valueCode: 'insert' },
      path: { valueString: 'Patient.name' },
      index: { valueInteger: 2 },
      value: { valueHumanName: { family: 'X' } },
    };
    const remove = { type: { valueCode: 'delete' }, path: { valueString: 'Patient.name[2]' } };
    for (const body of [fhirPatch(move), fhirPatch(insert, remove)]) {
      expect((await ask('system/Patient.u', 'PATCH', '/Patient/other', { body })).status).toBe(403);
    }
  });

  it('is not told why it failed', async () => {
    const failing = [
      [{ op: 'remove', path: '/deceasedBoolean' }],
      [
        { op: 'remove', path: '/birthDate' },
        { op: 'remove', path: '/nothing' },
      ],
      [{ op: 'replace', path: '/name/7/family', value: 'X' }],
      [{ op: 'add', path: '/contact', value: [{ gender: 'female' }] }],
      [{ op: 'add', path: '/nonsense', value: 1 }],
    ];
    const answers = await Promise.all(failing.map((operations) => patch('/Patient/other', operations)));
    expect(new Set(answers.map(({ status, text }) => `${status} ${text}`)).size).toBe(1);
    expect(answers[0]?.status).toBe(422);
    const told = await patch('/Patient/other', failing[0] ?? [], 'system/Patient.ru');
    expect(told.text).toContain('deceasedBoolean');
  });

  it('makes a version even when nothing changes', async () => {
    const before = (await baton.fhir('GET', '/Patient/other')).json.meta?.versionId;
    const same = [{ op: 'replace', path: '/birthDate', value: '1970-01-01' }];
    const answer = await patch('/Patient/other', same);
    expect(answer.headers.etag).toBe(`W/"${Number(before) + 1}"`);
    const meta = { tag: [{ system: SECRET, code: 'vip' }] };
    const body = { resourceType: 'Parameters', parameter: [{ name: 'meta', valueMeta: meta }] };
    const tagged = await ask('system/Patient.u', 'POST', '/Patient/other/$meta-add', { body });
    expect([tagged.text, tagged.headers.etag]).toEqual(['', `W/"${Number(before) + 2}"`]);
  });

  it('in a transaction is not told either', async () => {
    const binary = (operations: object[]) => ({
      resourceType: 'Binary',
      contentType: 'application/json-patch+json',
      data: Buffer.from(JSON.stringify(operations)).toString('base64'),
    });
    const send = (type: string, operations: object[]) =>
      ask('system/Patient.u', 'POST', '', {
        body: {
          resourceType: 'Bundle',
          type,
          entry: [{ resource: binary(operations), request: { method: 'PATCH', url: 'Patient/other' } }],
        },
      });
    for (const type of ['batch', 'transaction']) {
      const texts = [
        await send(type, [{ op: 'remove', path: '/deceasedBoolean' }]),
        await send(type, [{ op: 'replace', path: '/name/7', value: {} }]),
      ].map(({ text }) => text.replace(/"(timestamp|lastUpdated|id)":"[^"]*"/g, ''));
      expect(texts[0]).toBe(texts[1]);
      expect(texts[0]).not.toContain('deceasedBoolean');
    }
  });
});

describe('a write without the right to read', () => {
  it('does not learn from a transaction which ids are stored', async () => {
    const send = (id: string, scope: string) => {
      const resource = {
        resourceType: 'Task',
        status: 'requested',
        intent: 'order',
        for: { reference: `Patient/${id}` },
      };
      const entry = [{ resource, request: { method: 'POST', url: 'Task' } }];
      return ask(scope, 'POST', '', { body: { resourceType: 'Bundle', type: 'transaction', entry } });
    };
    expect((await send('other', 'system/Task.c')).status).toBe(200);
    expect((await send('absent', 'system/Task.c')).status).toBe(200);
    expect((await send('absent', 'system/Task.c system/Patient.r')).status).toBe(422);
  });

  it.each(['validate', 'meta', 'everything'])('may not use $%s on what is stored', async (operation) => {
    for (const letter of ['c', 'u', 'd']) {
      const answer = await ask(`system/*.${letter}`, 'GET', `/Patient/other/$${operation}`);
      expect([answer.status, answer.text.includes('Secret')]).toEqual([403, false]);
    }
  });
});

describe('stored terminology that may not be read', () => {
  const narrow = 'system/ValueSet.rs?status=active system/CodeSystem.rs?status=active system/Patient.rs';

  it('is not part of an expansion, also when somebody else has just expanded it', async () => {
    const full = await baton.fhir('GET', `/ValueSet/$expand?url=${SECRET}/outer`);
    expect([full.status, full.text.includes('"vip"')]).toEqual([200, true]);
    const answer = await ask(narrow, 'GET', `/ValueSet/$expand?url=${SECRET}/outer`);
    expect([answer.status, answer.text.includes('vip')]).toEqual([422, false]);
    expect((await ask(narrow, 'GET', `/ValueSet/$expand?url=${SECRET}/inner`)).status).toBe(404);
  });

  it.each([
    `/CodeSystem/$lookup?system=${SECRET}&code=vip`,
    `/CodeSystem/$validate-code?url=${SECRET}&code=vip`,
    `/CodeSystem/$subsumes?system=${SECRET}&codeA=vip&codeB=vip`,
    `/ValueSet/$validate-code?url=${SECRET}/inner&system=${SECRET}&code=vip`,
    '/ValueSet/inner/$expand',
  ])('is not there for %s', async (path) => {
    expect((await baton.fhir('GET', path)).status).toBe(200);
    const answer = await ask(narrow, 'GET', path);
    const absent = await ask(narrow, 'GET', path.replaceAll(SECRET, 'urn:leaks:absent').replace('/inner/', '/absent/'));
    expect(answer.status).toBe(404);
    const alike = answer.text.replaceAll(SECRET, 'urn:leaks:absent').replace('ValueSet/inner', 'ValueSet/absent');
    expect(alike).toBe(absent.text);
  });

  it('is not what :in and :below mean', async () => {
    const query = (name: string, value: string) => `/Patient?${name}=${encodeURIComponent(value)}`;
    for (const [name, value] of [
      ['_tag:in', `${SECRET}/outer`],
      ['_tag:in', `${SECRET}/inner`],
      ['_tag:below', `${SECRET}|vip`],
    ] as const) {
      expect((await baton.fhir('GET', query(name, value))).json.total).toBe(1);
      const answer = await ask(narrow, 'GET', query(name, value));
      const absent = await ask(narrow, 'GET', query(name, value.replace(SECRET, 'urn:leaks:absent')));
      expect(answer.status).toBe(absent.status);
      expect(answer.status).not.toBe(200);
    }
  });
});

// Whatever is sent, the answer is FHIR's and never a 500.
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Answer, type Method, serve, type TestServer } from './serve.ts';

let baton: TestServer;

beforeAll(async () => {
  baton = await serve();
});

afterAll(() => baton.close());

const runs = { numRuns: 150 };

function expectFhir(answer: Answer): void {
  expect(answer.status).toBeLessThan(500);
  if (answer.status >= 400) expect(answer.json.resourceType).toBe('OperationOutcome');
}

/** JSON that looks a little like FHIR, so that it gets past the first check. */
const json = fc.letrec<{ value: unknown; object: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.string(),
    fc.double(),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('value'), { maxLength: 3 }),
    tie('object'),
  ),
  object: fc.dictionary(
    fc.constantFrom(
      'id',
      'meta',
      'name',
      'status',
      'identifier',
      'for',
      'reference',
      'extension',
      'contained',
      'text',
      'x',
    ),
    tie('value'),
    { maxKeys: 5 },
  ),
}));

it('for any resource', async () => {
  await fc.assert(
    fc.asyncProperty(fc.constantFrom('Patient', 'Task', 'Questionnaire'), json.object, async (resourceType, body) => {
      expectFhir(await baton.fhir('POST', `/${resourceType}`, { body: { ...(body as object), resourceType } }));
    }),
    runs,
  );
});

it('for any Bundle', async () => {
  const entry = fc.record(
    {
      fullUrl: fc.oneof(fc.constantFrom('urn:uuid:1', 'Patient/1', ''), json.value),
      resource: fc.oneof(fc.constant({ resourceType: 'Patient', id: 'a' }), json.value),
      request: fc.oneof(
        fc.record({
          method: fc.constantFrom('GET', 'POST', 'PUT', 'DELETE', 'PATCH', '', 1),
          url: fc.constantFrom(
            'Patient',
            'Patient/a',
            'Patient?identifier=x',
            'Task/a',
            '',
            'urn:uuid:1',
            '?',
            '//',
            null,
          ),
          ifMatch: fc.constantFrom('W/"1"', '1', {}, null, undefined),
          ifNoneExist: fc.constantFrom('identifier=x', '', 'nonsense=1', 7, undefined),
        }),
        json.value,
      ),
    },
    { requiredKeys: [] },
  );
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom('batch', 'transaction'),
      fc.array(fc.oneof(entry, json.value), { maxLength: 4 }),
      async (type, entries) => {
        expectFhir(await baton.fhir('POST', '', { body: { resourceType: 'Bundle', type, entry: entries } }));
      },
    ),
    runs,
  );
});

it('for any patch', async () => {
  const body = {
    resourceType: 'Patient',
    id: 'fuzz',
    name: [{ family: 'a', given: ['x', 'y'], _given: [null, { id: 'g' }] }],
    birthDate: '2000-01-01',
    multipleBirthInteger: 2,
    contact: [{ name: { text: 'c' }, gender: 'male' }],
    contained: [{ resourceType: 'Organization', id: 'o' }],
    managingOrganization: { reference: '#o' },
  };
  await baton.fhir('PUT', '/Patient/fuzz', { body });
  const pointer = fc.oneof(
    fc.constantFrom('', '/', '/name', '/name/0', '/name/-', '/name/0/given/1', '/contained/0/id', '/meta', '/x~1y'),
    fc.string(),
    json.value,
  );
  const jsonOperation = fc.record(
    {
      op: fc.oneof(fc.constantFrom('add', 'remove', 'replace', 'move', 'copy', 'test'), json.value),
      path: pointer,
      from: pointer,
      value: json.value,
    },
    { requiredKeys: [] },
  );
  const step = fc.constantFrom(
    ...[
      'name',
      'given',
      'first()',
      'last()',
      'where(use = $this)',
      "where(family='a')",
      'contact[0]',
      'extension',
      'id',
    ],
    ...[
      'multipleBirth',
      'resolve()',
      'contained',
      'ofType(integer)',
      'is(Patient)',
      'as(HumanName)',
      'count()',
      '$this',
    ],
    ...['value', 'skip(1)', 'tail()', 'single()', 'not()', 'exists(true)', "startsWith('x')", 'meta', 'versionId'],
  );
  const fhirPath = fc.oneof(
    fc.array(step, { maxLength: 5 }).map((steps) => ['Patient', ...steps].join('.')),
    fc.constantFrom(
      'Patient',
      '1 + 1',
      "'x'",
      '%resource',
      '%x',
      '@2020',
      '{}',
      '()',
      'Patient.name | Patient.contact',
    ),
    fc.string(),
  );
  const value = fc.oneof(
    fc.constantFrom({ valueString: 'x' }, { valueInteger: 1 }, { valueHumanName: { text: 'n' } }, { part: [] }, {}),
    fc.constantFrom({ resource: {} }, { part: [{ name: 'name', part: [{ name: 'given', valueString: 'z' }] }] }),
    json.object,
  );
  const part = fc.oneof(
    fhirPath.map((valueString) => ({ name: 'path', valueString })),
    fc
      .constantFrom('add', 'insert', 'delete', 'replace', 'move', 'x')
      .map((valueCode) => ({ name: 'type', valueCode })),
    fc
      .constantFrom('given', 'contact', 'extension', 'deceased', 'x')
      .map((valueString) => ({ name: 'name', valueString })),
    value.map((given) => ({ ...(given as object), name: 'value' })),
    fc.tuple(fc.constantFrom('index', 'source', 'destination'), fc.integer({ min: -1, max: 3 })).map(([name, n]) => ({
      name,
      valueInteger: n,
    })),
    json.value,
  );
  const nameIn = (each: unknown) => (each as { name?: unknown } | null)?.name;
  const whole = fc
    .tuple(fc.constantFrom('add', 'insert', 'delete', 'replace', 'move'), fhirPath, fc.array(part, { maxLength: 5 }))
    .map(([valueCode, valueString, more]) => [
      { name: 'type', valueCode },
      { name: 'path', valueString },
      ...more.filter((each) => nameIn(each) !== 'type' && nameIn(each) !== 'path'),
    ]);
  const operation = fc.oneof(whole, fc.array(part, { maxLength: 6 })).map((parts) => {
    const last = new Map(parts.map((each) => [nameIn(each), each]));
    return [...last.values()];
  });
  const parameters = fc.array(operation, { maxLength: 3 }).map((operations) => ({
    resourceType: 'Parameters',
    parameter: operations.map((each) => ({ name: 'operation', part: each })),
  }));
  await fc.assert(
    fc.asyncProperty(fc.oneof(fc.array(jsonOperation, { maxLength: 4 }), parameters, json.value), async (patch) => {
      const headers = { 'content-type': 'application/json' };
      expectFhir(await baton.fhir('PATCH', '/Patient/fuzz', { body: JSON.stringify(patch), headers }));
    }),
    { numRuns: 400 },
  );
});

it('for any query', async () => {
  const name = fc.oneof(
    fc.constantFrom(
      '_id',
      '_count',
      '_sort',
      '_include',
      '_has',
      '_elements',
      '_summary',
      '_since',
      '_cursor',
      'birthdate',
    ),
    fc.constantFrom(
      'family:exact',
      'name:missing',
      'general-practitioner:Practitioner.name',
      '_has:Task:patient:status',
    ),
    fc.string(),
  );
  const value = fc.oneof(
    fc.constantFrom('', ',', '|', '$', '\\', '-', 'ge', '9999-12-31', '1e9', 'Patient:*:*'),
    fc.string(),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom('/Patient', '/Task', '', '/Patient/1/Task', '/Patient/_history', '/Patient/1'),
      fc.array(fc.tuple(name, value), { maxLength: 3 }),
      async (path, pairs) => {
        expectFhir(await baton.fhir('GET', `${path}?${new URLSearchParams(pairs)}`));
      },
    ),
    runs,
  );
});

it('for any headers', async () => {
  const printable = fc.string({ unit: fc.constantFrom(...' !"#$%&\'()*+,-./0123456789:;<=>?@AZ[\\]^_`az{|}~') });
  const headers = fc.dictionary(
    fc.constantFrom(
      'accept',
      'prefer',
      'if-match',
      'if-none-match',
      'if-modified-since',
      'if-none-exist',
      'content-type',
    ),
    printable,
  );
  await fc.assert(
    fc.asyncProperty(fc.constantFrom<Method>('GET', 'PUT', 'DELETE'), headers, async (method, given) => {
      const body = method === 'PUT' ? { body: { resourceType: 'Patient', id: 'h' } } : {};
      expectFhir(await baton.fhir(method, '/Patient/h', { headers: given, ...body }));
    }),
    runs,
  );
});

it('for any path', async () => {
  const segment = fc.oneof(
    fc.constantFrom('Patient', '_search', '_history', '$x', '..', '%2F', 'a', '1'),
    fc.webPath(),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom<Method>('GET', 'POST', 'DELETE', 'PATCH'),
      fc.array(segment, { maxLength: 5 }),
      async (method, parts) => {
        expectFhir(await baton.fhir(method, `/${parts.join('/')}`));
      },
    ),
    runs,
  );
});

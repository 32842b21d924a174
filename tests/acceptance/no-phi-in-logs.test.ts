// The whole story with the log at its loudest: the sandbox day, requests good and bad, messages good and broken, a server
// that fails and disagrees, the command line. Then nobody's name, number, address or birth date may be in what was logged
// or measured, and no token either.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Patient, Resource } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { connectMllp } from '../../src/intake/mllp/client.ts';
import { runBaton, startBaton, type Told } from '../support/baton-command.ts';
import { found, patientWords } from './patient-words.ts';
import { type DayPlace, newDayPlace, type Program, readAll, startProgram } from './sandbox-day.ts';

const ROOT = join(import.meta.dirname, '../..');
const SETTINGS = { BATON_LOG_LEVEL: 'trace' };

/** Somebody in the store and in everything that is refused. */
const STORED = {
  resourceType: 'Patient',
  id: 'p-1931',
  identifier: [{ system: 'urn:test:mrn', value: 'ZQ-7781' }],
  name: [{ family: 'Quackenbush', given: ['Zephyrine', 'Isolde'] }],
  telecom: [{ system: 'email', value: 'zephyrine@quackenbush.example' }],
  address: [{ line: ['77 Marmalade Lane'], city: 'Portsea' }],
  birthDate: '1931-07-19',
} satisfies Patient;
/** Somebody who never gets into the store. */
const REFUSED = ['Vandersloot', 'Hyacinthe', 'VS-4410', '1929-02-03', '3 Pomegranate Row', '5550999'];

let place: DayPlace;
let program: Program;
let base: string;
const tokens: string[] = [];
const words = new Set<string>();
let logs = '';
let metrics = '';
/** What operators see. */
let shown = '';
let privateKeys: readonly string[] = [];

interface Asked {
  readonly method: string;
  readonly path: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly token?: string;
}

async function ask({
  method,
  path,
  body,
  headers,
  token = tokens[0] ?? '',
}: Asked): Promise<{ status: number; text: string }> {
  const response = await fetch(`${base}${path}`, {
    method,
    headers: {
      ...(token === '' ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/fhir+json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  }).catch((cause) => {
    throw new Error(`${method} ${path} was not answered`, { cause });
  });
  return { status: response.status, text: await response.text() };
}

const json = async (asked: Asked) => JSON.parse((await ask(asked)).text);

const told = (words: readonly string[]): Told => ({
  words,
  settings: {
    ...SETTINGS,
    BATON_SANDBOX: 'off',
    BATON_PORT: String(place.port),
    BATON_DATABASE_URL: `sqlite:${join(place.folder, 'baton.db')}`,
  },
});

/** Beside the server. @param way how the command is run @returns what it printed */
async function baton(way: typeof runBaton, ...words: string[]): Promise<string> {
  const { out, err } = await way(told(words));
  logs += err;
  return out;
}

beforeAll(async () => {
  place = await newDayPlace();
  program = startProgram(place, SETTINGS);
  tokens.push(await program.token);
  base = await program.baseUrl;
  tokens.push((await baton(runBaton, 'token', '--scope', 'patient/*.rs', '--patient', 'p-1931')).trim());
  await askForPatients();
  await askWrongly();
  await sendMessages();
  await disturbSync();
  await useCommandLine();
  metrics = (await ask({ method: 'GET', path: '/metrics' })).text;
  const stores = [
    ...(await readAll(`${base}/fhir/R4`, tokens[0] ?? '')),
    ...(await readAll(ehr('/R4'), tokens[0] ?? '')),
  ];
  for (const word of [...patientWords([...stores, STORED]), ...REFUSED]) words.add(word);
  const keys: Record<string, { d: string } | string> = JSON.parse(
    readFileSync(join(place.folder, 'keys.json'), 'utf8'),
  );
  privateKeys = Object.values(keys).map((key) => (typeof key === 'string' ? key : key.d));
  // A second start reads what the first one wrote, and says so.
  await program.stop();
  logs += program.errors();
  program = startProgram(place, SETTINGS);
  tokens.push(await program.token);
  await program.stop();
  logs += program.errors();
}, 240_000);
afterAll(async () => {
  await program.kill();
  await place.remove();
});

const ehr = (path: string) => `${base}/sandbox/ehr/hapi${path}`;

/** What an app does in a day, as it should. */
async function askForPatients(): Promise<void> {
  const fhir = '/fhir/R4';
  const [stored] = await Promise.all([ask({ method: 'PUT', path: `${fhir}/Patient/p-1931`, body: STORED })]);
  expect(stored.status).toBe(201);
  const patch = [{ op: 'replace', path: '/name/0/given/1', value: 'Philippa' }];
  words.add('Philippa');
  const entry = [
    {
      resource: { ...STORED, id: undefined },
      request: { method: 'POST', url: 'Patient', ifNoneExist: 'identifier=ZQ-7781' },
    },
  ];
  const asked: Asked[] = [
    ...[
      ...[
        '/Patient?name=Quackenbush',
        '/Patient?family:exact=Quackenbush&given=Zephyrine',
        '/Patient?birthdate=1931-07-19',
      ],
      ...['/Patient?telecom=zephyrine@quackenbush.example', '/Patient?address=77%20Marmalade%20Lane&_total=accurate'],
      ...['/Patient?identifier=urn:test:mrn|ZQ-7781', '/Patient/p-1931/_history', '/Patient/p-1931/$everything'],
      ...[
        '/Task?patient.name=Quackenbush',
        '/Patient?_content=Quackenbush',
        '/Patient?_filter=name%20co%20%22Quackenbush%22',
      ],
      ...['/RelatedPerson?name=Grace', '/_history', '/metadata', '/Patient/p-1931/$meta'],
    ].map((path) => ({ method: 'GET', path: fhir + path })),
    {
      method: 'PATCH',
      path: `${fhir}/Patient/p-1931`,
      body: patch,
      headers: { 'content-type': 'application/json-patch+json' },
    },
    {
      method: 'PATCH',
      path: `${fhir}/Patient?identifier=ZQ-7781`,
      body: patch,
      headers: { 'content-type': 'application/json-patch+json' },
    },
    {
      method: 'POST',
      path: `${fhir}/Patient/_search`,
      body: 'name=Quackenbush',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    },
    { method: 'POST', path: `${fhir}/Patient/$validate`, body: STORED },
    {
      method: 'POST',
      path: `${fhir}/Patient`,
      body: STORED,
      headers: { 'if-none-exist': 'identifier=urn:test:mrn|ZQ-7781' },
    },
    { method: 'POST', path: fhir, body: { resourceType: 'Bundle', type: 'batch', entry } },
    { method: 'POST', path: fhir, body: { resourceType: 'Bundle', type: 'transaction', entry } },
    { method: 'GET', path: `${fhir}/Patient/p-1931`, token: tokens[1] ?? '' },
  ];
  const statuses = await Promise.all(asked.map(async (one) => (await ask(one)).status));
  for (const [index, status] of statuses.entries())
    expect([asked[index]?.path, status < 500]).toEqual([asked[index]?.path, true]);
  expect(statuses.filter((status) => status < 300).length).toBeGreaterThan(15);
}

/** Everything that can be wrong with a request, with people in it. */
async function askWrongly(): Promise<void> {
  const fhir = '/fhir/R4';
  const wrong = {
    resourceType: 'Patient',
    name: { family: 'Vandersloot', given: 'Hyacinthe' },
    birthDate: '1929-02-03T',
    identifier: [{ value: 'VS-4410', system: 'not a uri' }],
    address: [{ line: '3 Pomegranate Row', use: '3 Pomegranate Row' }],
    gender: 'Vandersloot',
    telecom: [{ value: '5550999', system: 'Vandersloot' }],
    Vandersloot: 'Hyacinthe',
  };
  const entries = (type: string, ...entry: object[]) => ({
    method: 'POST',
    path: fhir,
    body: { resourceType: 'Bundle', type, entry },
  });
  const post = { method: 'POST', url: 'Patient' };
  const patch = (operations: unknown): Asked => ({
    method: 'PATCH',
    path: `${fhir}/Patient/p-1931`,
    body: operations,
    headers: { 'content-type': 'application/json-patch+json' },
  });
  const asked: Asked[] = [
    ...[
      ...['/Patient?birthdate=1929-02-03x', '/Patient?Vandersloot=Hyacinthe', '/Patient?name:Vandersloot=Hyacinthe'],
      ...['/Patient?_filter=name%20xx%20Vandersloot', '/Patient?_sort=Vandersloot', '/Patient?_include=Vandersloot'],
      ...[
        '/Vandersloot/Hyacinthe',
        '/Patient/Vandersloot',
        '/Patient/VS-4410',
        '/Patient/Vandersloot/_history/Hyacinthe',
      ],
      ...[
        '/Patient?_cursor=Vandersloot',
        '/Patient/$Vandersloot',
        '/ValueSet/$expand?url=Vandersloot&filter=Hyacinthe',
      ],
      ...[
        '/CodeSystem/$lookup?system=Vandersloot&code=Hyacinthe',
        '/Patient?name=%zzVandersloot',
        '/Patient?_count=Vandersloot',
      ],
      ...[
        '/Patient?identifier=VS-4410|a|b',
        '/Task?patient:Vandersloot.name=Hyacinthe',
        '/Patient?_has:Vandersloot=Hyacinthe',
      ],
    ].map((path) => ({ method: 'GET', path: fhir + path })),
    { method: 'POST', path: `${fhir}/Patient`, body: wrong },
    { method: 'PUT', path: `${fhir}/Patient/Vandersloot`, body: wrong },
    { method: 'PUT', path: `${fhir}/Patient/p-1931`, body: { ...STORED, birthDate: '1929-02-03x' } },
    { method: 'PUT', path: `${fhir}/Patient/p-1931`, body: STORED, headers: { 'if-match': 'W/"99"' } },
    { method: 'PUT', path: `${fhir}/Patient/p-1931`, body: STORED, headers: { 'if-match': 'Vandersloot' } },
    { method: 'POST', path: `${fhir}/Patient`, body: '{"resourceType":"Patient","name":[{"family":"Vandersloot"' },
    { method: 'POST', path: `${fhir}/Patient`, body: '<Patient><family value="Vandersloot"/></Patient>' },
    { method: 'POST', path: `${fhir}/Patient`, body: '{"resourceType":"Vandersloot"}' },
    { method: 'POST', path: `${fhir}/Patient`, body: `{"a":${'['.repeat(500)}"Vandersloot"${']'.repeat(500)}}` },
    { method: 'POST', path: `${fhir}/Patient`, body: STORED, headers: { 'if-none-exist': 'Vandersloot=Hyacinthe' } },
    {
      method: 'POST',
      path: `${fhir}/Patient`,
      body: STORED,
      headers: { prefer: 'handling=Vandersloot', accept: 'Vandersloot' },
    },
    { method: 'POST', path: `${fhir}/Patient`, body: STORED, headers: { 'content-encoding': 'gzip' } },
    { method: 'POST', path: `${fhir}/Patient/$validate`, body: wrong },
    {
      method: 'POST',
      path: `${fhir}/Task`,
      body: { resourceType: 'Task', status: 'requested', intent: 'order', for: { reference: 'Patient/Vandersloot' } },
    },
    entries('transaction', { resource: wrong, request: post }, { resource: STORED, request: post }),
    entries(
      'batch',
      { resource: wrong, request: post },
      { request: { method: 'GET', url: 'Patient?Vandersloot=Hyacinthe' } },
    ),
    entries('transaction', { resource: STORED, request: { method: 'PUT', url: 'Patient/Vandersloot' } }),
    entries('Vandersloot'),
    patch([{ op: 'test', path: '/name/0/family', value: 'Vandersloot' }]),
    patch([{ op: 'replace', path: '/Vandersloot/Hyacinthe', value: 'Vandersloot' }]),
    patch([{ op: 'replace', path: '/birthDate', value: '1929-02-03x' }]),
    patch('Vandersloot'),
    { method: 'DELETE', path: `${fhir}/Patient?Vandersloot=1` },
    { method: 'GET', path: `${fhir}/Patient?name=Vandersloot`, token: 'Vandersloot.Hyacinthe.x' },
    { method: 'GET', path: `${fhir}/Patient?name=Vandersloot`, token: `${tokens[0]}x` },
    { method: 'GET', path: `${fhir}/Patient?name=Vandersloot`, token: '' },
    {
      method: 'GET',
      path: `${fhir}/Patient/p-1931`,
      headers: { authorization: `Basic ${btoa('Vandersloot:Hyacinthe')}` },
    },
    { method: 'GET', path: `${fhir}/Patient?name=Vandersloot&access_token=${tokens[0]}` },
    { method: 'DELETE', path: `${fhir}/Patient/p-1931`, token: tokens[1] ?? '' },
    { method: 'GET', path: `${fhir}/Task?patient=Patient/Vandersloot`, token: tokens[1] ?? '' },
    {
      method: 'POST',
      path: '/oauth/token',
      body: 'grant_type=Vandersloot&client_id=Hyacinthe',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    },
    { method: 'GET', path: '/ops/deliveries?Vandersloot=1' },
    { method: 'POST', path: '/ops/conflicts/Vandersloot/resolve', body: { take: 'Hyacinthe' } },
    { method: 'POST', path: '/ops/connections/Vandersloot/push' },
    {
      method: 'POST',
      path: '/intake/hl7v2',
      body: 'Vandersloot^Hyacinthe',
      headers: { 'content-type': 'application/hl7-v2' },
    },
    { method: 'POST', path: '/sandbox/clock', body: { advance: 'Vandersloot' } },
    { method: 'GET', path: '/Vandersloot?Hyacinthe' },
  ];
  const statuses = await Promise.all(asked.map(async (one) => (await ask(one)).status));
  const surprising = statuses.flatMap((status, index) => (status >= 500 ? [[status, asked[index]]] : []));
  expect(surprising).toEqual([]);
  expect(statuses.filter((status) => status >= 400).length).toBeGreaterThan(40);
}

/** The fixtures over MLLP, as they are and broken in every segment. */
async function sendMessages(): Promise<void> {
  const port = Number(/MLLP on \S+:(\d+)/.exec(program.lines.join('\n'))?.[1]);
  const folder = join(ROOT, 'fixtures/hl7v2');
  const messages = readdirSync(folder).map((file) => readFileSync(join(folder, file), 'utf8'));
  const [admission = '', ...others] = messages;
  const broken = [
    admission.replace(/\|1948\d+\|F/, '|Vandersloot|Hyacinthe'),
    admission.replace(/PID\|/, 'PID|Vandersloot^^^^|'),
    admission.replace(/\rPID.*?\r/, '\r'),
    admission.replace(/\rPV1.*?\r/, '\rPV1|Vandersloot|Hyacinthe\r'),
    admission.replace('HARBOR', 'Vandersloot').replace('ADT^A01', 'ADT^Vandersloot'),
    admission.replace('2.5.1', 'Vandersloot').replace('UNICODE UTF-8', 'Vandersloot'),
    admission.replaceAll('|', '#'),
    admission.slice(0, 400),
    `${admission}ZZZ|${'Vandersloot '.repeat(100_000)}\r`,
  ];
  for (const message of [admission, ...others, ...broken, admission]) {
    const client = await connectMllp({ host: '127.0.0.1', port });
    await client.send(message).catch(() => {});
    client.close();
  }
}

/** The EHR fails, cuts the line, pushes back, and somebody changes there what was changed here. */
async function disturbSync(): Promise<void> {
  const knobs = (body: object) => ask({ method: 'PUT', path: '/sandbox/ehr/hapi/knobs', body });
  const settle = () => ask({ method: 'POST', path: '/sandbox/clock', body: { advance: 'PT10M' } });
  const change = (family: string) => {
    words.add(family);
    const body = { ...STORED, name: [{ family, given: ['Zephyrine'] }] };
    return ask({ method: 'PUT', path: '/fhir/R4/Patient/p-1931', body });
  };
  await settle();
  for (const trouble of [
    { failNext: { count: 2, status: 503 } },
    { failNext: { count: 2, status: 422 } },
    { dropNext: 1 },
    { failNext: { count: 2, status: 429 } },
  ]) {
    await knobs(trouble);
    await change(`Oglethorpe${words.size}`);
    await ask({ method: 'POST', path: '/ops/connections/hapi/push' });
    await ask({ method: 'POST', path: '/ops/connections/hapi/pull' });
    await knobs({ dropNext: 0 });
  }
  const theirs = (await json({ method: 'GET', path: '/sandbox/ehr/hapi/R4/Patient?_count=100' })).entry as {
    resource: Patient;
  }[];
  // Neither side hears of the other's change before both are made.
  const set = (mode: string | null) => ask({ method: 'PATCH', path: '/ops/connections/hapi', body: { mode } });
  await set('off');
  await Promise.all([
    ...theirs.map(({ resource }) => {
      const body = { ...resource, name: [{ family: 'Featherstonehaugh', given: ['Elsewhere'] }], gender: 'other' };
      return ask({ method: 'PUT', path: `/sandbox/ehr/hapi/R4/Patient/${resource.id}`, body });
    }),
    change('Cholmondeley'),
  ]);
  words.add('Featherstonehaugh');
  await set(null);
  // The 429 may still hold the connection back.
  const items = await vi.waitFor(
    async () => {
      await settle();
      await ask({ method: 'POST', path: '/ops/connections/hapi/push' });
      const { items } = await json({ method: 'GET', path: '/ops/conflicts' });
      expect(items).not.toEqual([]);
      return items;
    },
    { timeout: 30_000, interval: 200 },
  );
  for (const { id } of items as { id: string }[])
    await ask({ method: 'POST', path: `/ops/conflicts/${id}/resolve`, body: { take: 'ours' } });
  for (const list of ['outbox', 'messages', 'deliveries', 'audit', 'follow-ups', 'connections'])
    shown += (await ask({ method: 'GET', path: `/ops/${list}` })).text;
}

/** The command line beside the server. What it says of a file to whoever gave it the file is not a log. */
async function useCommandLine(): Promise<void> {
  const file = (name: string, content: unknown) => {
    const path = join(place.folder, name);
    writeFileSync(path, JSON.stringify(content));
    return path;
  };
  const wrong = {
    resourceType: 'Patient',
    name: [{ family: 'Vandersloot' }],
    birthDate: '1929-02-03x',
    gender: 'Hyacinthe',
  };
  shown += await baton(runBaton, 'doctor');
  await baton(runBaton, 'import', file('good.json', STORED));
  await baton(startBaton, 'import', file('wrong.json', wrong));
  await baton(runBaton, 'validate', file('wrong.json', wrong));
  await baton(runBaton, 'audit', 'verify');
  await baton(runBaton, 'conflicts');
  await baton(startBaton, 'sync', 'pull');
  await baton(runBaton, 'reindex');
}

describe('what is logged at level trace', () => {
  it('is a log of all of this', () => {
    expect(words.size).toBeGreaterThan(60);
    expect(logs.split('\n').length).toBeGreaterThan(200);
    for (const text of ['"request"', '"refused"', 'HL7 message refused', 'HL7 message answered', '"level":20'])
      expect(logs).toContain(text);
    expect(metrics).toContain('baton_http_requests_total');
  });

  it('names no patient and nobody related to one', () => {
    expect(found(words, logs)).toEqual([]);
    expect(found(words, metrics)).toEqual([]);
  });

  it('has no token in it, whole or in part', () => {
    for (const token of tokens) {
      for (const part of token.split('.').slice(1))
        expect(found([part.slice(0, 40)], `${logs}\n${metrics}`)).toEqual([]);
    }
    expect(logs).not.toMatch(/Bearer |eyJ[\w-]{20}/);
  });

  it('has no private key in it, nor has what operators see', () => {
    expect(privateKeys).toHaveLength(5);
    expect(shown).toContain('audit trail');
    for (const key of privateKeys) expect([logs, metrics, shown].some((text) => text.includes(key))).toBe(false);
    for (const token of tokens) expect(shown).not.toContain(token);
  });

  it('would be found out', () => {
    const line = '{"msg":"no such patient QUACKENBUSH, born 19310719"}';
    expect(found(patientWords([STORED as Resource]), line).map((text) => text.split(':')[0])).toEqual([
      'Quackenbush',
      '19310719',
    ]);
  });
});

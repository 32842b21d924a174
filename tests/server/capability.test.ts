// The CapabilityStatement says what is there and nothing else: every parameter, include and interaction that it declares
// is tried, and what it does not declare is refused.
import type { CapabilityStatement, CapabilityStatementRestResource } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FHIR, serve, type TestServer } from './serve.ts';

let baton: TestServer;
let statement: CapabilityStatement;

beforeAll(async () => {
  baton = await serve();
  statement = JSON.parse((await baton.fhir('GET', '/metadata', { as: '' })).text);
});

afterAll(() => baton.close());

const MAIN_TYPES = ['Patient', 'CarePlan', 'Goal', 'CareTeam', 'Task', 'ServiceRequest', 'Encounter', 'Observation'];
const resource = (type: string): CapabilityStatementRestResource => {
  const found = statement.rest?.[0]?.resource?.find((candidate) => candidate.type === type);
  if (!found) throw new Error(`${type} is not declared.`);
  return found;
};

const VALUES: Readonly<Record<string, string>> = {
  token: 'a',
  string: 'a',
  reference: 'Patient/a',
  date: '2026-01-01',
  number: '1',
  quantity: '1',
  uri: 'urn:a',
  special: 'a',
};

const SPECIAL: Readonly<Record<string, string>> = { _filter: '_id eq a', near: '1|1' };

function compositeValue(name: string): string {
  if (name.endsWith('-quantity')) return 'a$1';
  return /-(date|period)$/.test(name) ? 'a$2026' : 'a$a';
}

it('is a valid CapabilityStatement of this server', async () => {
  expect(statement).toMatchObject({ fhirVersion: '4.0.1', implementation: { url: FHIR }, kind: 'instance' });
  const stored = await baton.fhir('POST', '/CapabilityStatement', { body: statement });
  expect(stored.status).toBe(201);
});

it('names the token endpoint that is there', async () => {
  const [uris] = statement.rest?.[0]?.security?.extension ?? [];
  const endpoint = uris?.extension?.find(({ url }) => url === 'token')?.valueUri ?? '';
  const answer = await baton.send('POST', endpoint.replace(/^https?:\/\/[^/]+/, ''), { as: '' });
  expect([answer.status, answer.json.error]).toEqual([400, 'invalid_request']);
});

describe.each(MAIN_TYPES)('%s', (type) => {
  it('answers every search parameter it declares', async () => {
    const parameters = resource(type).searchParam ?? [];
    expect(parameters.length).toBeGreaterThan(5);
    const refused: string[] = [];
    for (const { name, type: kind } of parameters) {
      const value = SPECIAL[name] ?? (kind === 'composite' ? compositeValue(name) : VALUES[kind]);
      const { status } = await baton.fhir('GET', `/${type}?${name}=${value}&_count=1`);
      if (status !== 200) refused.push(`${name} (${kind}) ${status}`);
    }
    expect(refused).toEqual([]);
  });

  it('answers every include it declares', async () => {
    const { searchInclude = [], searchRevInclude = [] } = resource(type);
    const refused: string[] = [];
    for (const [name, values] of [
      ['_include', searchInclude],
      ['_revinclude', searchRevInclude],
    ] as const) {
      for (const value of values) {
        const { status } = await baton.fhir('GET', `/${type}?${name}=${value}&_count=1`);
        if (status !== 200) refused.push(`${name}=${value} ${status}`);
      }
    }
    expect(refused).toEqual([]);
  });

  it('has every interaction it declares', async () => {
    const tried: Readonly<Record<string, () => Promise<{ status: number }>>> = {
      read: () => baton.fhir('GET', `/${type}/none`),
      vread: () => baton.fhir('GET', `/${type}/none/_history/1`),
      patch: () => baton.fhir('PATCH', `/${type}/none`, { body: { resourceType: 'Parameters' } }),
      update: () => baton.fhir('PUT', `/${type}/x`, { body: {} }),
      delete: () => baton.fhir('DELETE', `/${type}/none`),
      create: () => baton.fhir('POST', `/${type}`, { body: {} }),
      'search-type': () => baton.fhir('GET', `/${type}`),
      'history-type': () => baton.fhir('GET', `/${type}/_history`),
      'history-instance': () => baton.fhir('GET', `/${type}/none/_history`),
    };
    for (const { code } of resource(type).interaction ?? []) {
      const attempt = tried[code];
      if (!attempt) throw new Error(`${code} is declared and not tried.`);
      expect([200, 204, 400, 404]).toContain((await attempt()).status);
    }
  });
});

it('declares definitions for its parameters and no parameter twice', () => {
  for (const { searchParam = [], type } of statement.rest?.[0]?.resource ?? []) {
    const names = searchParam.map(({ name }) => name);
    expect([type, names.length]).toEqual([type, new Set(names).size]);
    expect(searchParam.every(({ definition }) => definition?.startsWith('http'))).toBe(true);
  }
});

it('does not declare what is refused', async () => {
  expect((await baton.fhir('GET', '/Task?_query=x')).status).toBe(400);
  expect(resource('Task').searchParam?.map(({ name }) => name)).not.toContain('_query');
  expect((await baton.fhir('GET', '/Task?near=1|1')).status).toBe(400);
  expect(resource('Task').searchParam?.map(({ name }) => name)).not.toContain('near');
});

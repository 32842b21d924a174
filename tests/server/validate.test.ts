// $validate through the front door: what it finds, that it stores nothing, and what it keeps to itself.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Json, serve, type TestServer } from './serve.ts';

const PATIENT = { resourceType: 'Patient', name: [{ family: 'Example' }], gender: 'female' };

let baton: TestServer;
beforeAll(async () => {
  baton = await serve();
  await baton.fhir('PUT', '/Patient/p1', { body: { ...PATIENT, id: 'p1' } });
});
afterAll(() => baton.close());

async function findings(path: string, body?: object): Promise<string[]> {
  const { status, json } = await baton.fhir('POST', path, body === undefined ? {} : { body });
  expect([status, json.resourceType]).toEqual([200, 'OperationOutcome']);
  return (json.issue as Issue[]).map(
    ({ severity, code, expression }) => `${severity} ${code} ${expression?.[0] ?? ''}`,
  );
}

interface Issue {
  readonly severity: string;
  readonly code: string;
  readonly expression?: string[];
}

const parameters = (resource: unknown, more: Record<string, string> = {}) => ({
  resourceType: 'Parameters',
  parameter: [
    ...(resource === undefined ? [] : [{ name: 'resource', resource }]),
    ...Object.entries(more).map(([name, valueCode]) => ({ name, valueCode })),
  ],
});

const FINE = ['information informational '];

describe('what it finds', () => {
  test.each<[name: string, path: string, body: object | undefined, found: string[]]>([
    ['nothing', '/Patient/$validate', PATIENT, FINE],
    ['nothing, in Parameters', '/Patient/$validate', parameters(PATIENT), FINE],
    ['a wrong value', '/Patient/$validate', { ...PATIENT, gender: 'F' }, ['error code-invalid Patient.gender']],
    [
      'several',
      '/Patient/$validate',
      { ...PATIENT, gender: 1, x: 1 },
      ['error structure Patient.gender', 'error structure Patient.x'],
    ],
    ['another type', '/Task/$validate', PATIENT, ['error value Task.resourceType']],
    [
      'a type that R4 does not have',
      '/Patient/$validate',
      { resourceType: 'Alien' },
      ['error structure Resource.resourceType', 'error value Patient.resourceType'],
    ],
    ['no resource at all', '/Patient/$validate', { family: 'x' }, ['error structure Patient.resourceType']],
    [
      'a profile that is not there',
      '/Patient/$validate?profile=http://x.example/p',
      PATIENT,
      ['error not-found Patient'],
    ],
    [
      'the base as profile',
      '/Patient/$validate?profile=http://hl7.org/fhir/StructureDefinition/Patient',
      PATIENT,
      FINE,
    ],
    [
      'a profile of R4',
      '/Observation/$validate?profile=http://hl7.org/fhir/StructureDefinition/vitalsigns',
      {
        resourceType: 'Observation',
        status: 'final',
        code: { text: 'x' },
        effectiveDateTime: '2026-01-01',
        valueString: 'x',
      },
      [
        'error required Observation.category',
        'error required Observation.category',
        'error required Observation.subject',
      ],
    ],
    [
      'an unknown extension',
      '/Patient/$validate',
      { ...PATIENT, extension: [{ url: 'http://x.example/e', valueCode: 'c' }] },
      ['information informational Patient.extension[0]'],
    ],
    [
      'a code beyond an extensible binding',
      '/Patient/$validate',
      {
        ...PATIENT,
        maritalStatus: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-NullFlavor', code: 'ASKU' }] },
      },
      ['warning code-invalid Patient.maritalStatus'],
    ],
    [
      'a wrong display',
      '/Patient/$validate',
      {
        ...PATIENT,
        maritalStatus: {
          coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-MaritalStatus', code: 'M', display: 'Widowed' }],
        },
      },
      ['warning code-invalid Patient.maritalStatus.coding[0]'],
    ],
    [
      'an update without the right id',
      '/Patient/p1/$validate',
      parameters(PATIENT, { mode: 'update' }),
      ['error value Patient.id'],
    ],
    ['a right update', '/Patient/p1/$validate', parameters({ ...PATIENT, id: 'p1' }, { mode: 'update' }), FINE],
    ['what is stored', '/Patient/p1/$validate', undefined, FINE],
    ['nothing against a delete', '/Patient/p1/$validate?mode=delete', undefined, FINE],
    ['no profile', '/Patient/p1/$validate?mode=profile', undefined, ['error required Patient']],
  ])('%s', async (_, path, body, found) => {
    expect((await findings(path, body)).sort()).toEqual([...found].sort());
  });

  test('a profile that is not installed: how to install it', async () => {
    const { json } = await baton.fhir('POST', '/Patient/$validate?profile=http://x.example/p', { body: PATIENT });
    expect(json.issue?.[0]?.details?.text).toContain('baton guide add');
  });
});

test.each<[path: string, body: object | undefined, status: number]>([
  ['/Patient/$validate', undefined, 400],
  ['/Patient/$validate?mode=delete', undefined, 400],
  ['/Patient/$validate?mode=update', PATIENT, 400],
  ['/Patient/$validate?mode=destroy', PATIENT, 400],
  ['/Patient/$validate?modus=create', PATIENT, 400],
  ['/Patient/none/$validate?mode=delete', undefined, 404],
  ['/Patient/none/$validate', undefined, 404],
])('%s is refused', async (path, body, status) => {
  const answer = await baton.fhir('POST', path, body === undefined ? {} : { body });
  expect([answer.status, answer.json.resourceType]).toEqual([status, 'OperationOutcome']);
});

test('nothing is stored', async () => {
  await baton.fhir('POST', '/Patient/$validate', { body: { ...PATIENT, id: 'never' } });
  expect((await baton.fhir('GET', '/Patient/never')).status).toBe(404);
  expect((await baton.fhir('GET', '/Patient?_summary=count')).json.total).toBe(1);
});

test('what a token may not read it does not learn, what it brings it may have checked', async () => {
  const as = await baton.token('system/Task.rs');
  const stored: Json[] = [];
  for (const path of ['/Patient/p1/$validate', '/Patient/none/$validate']) {
    const { status, json } = await baton.fhir('POST', path, { as });
    expect(status).toBe(403);
    stored.push({ ...json });
  }
  expect(stored[0]).toEqual(stored[1]);
  expect((await baton.fhir('POST', '/Patient/p1/$validate?mode=delete', { as })).status).toBe(403);
  expect((await baton.fhir('POST', '/Patient/$validate', { as, body: PATIENT })).status).toBe(200);
});

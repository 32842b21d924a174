// The searches that a US Core client sends, with US Core 7.0.0 installed as an operator installs it: every row of the
// matrix in conformance.md, by GET and by POST, against a patient's record and another patient's like it.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { Bundle, Resource } from '@medplum/fhirtypes';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { FULL_SCOPE } from '../../src/access/scopes.ts';
import { type App, build } from '../../src/app.ts';
import { systemClock } from '../../src/clock.ts';
import { loadConfig } from '../../src/config.ts';
import { readPackage } from '../../src/fhir/package/read-package.ts';
import { installGuide } from '../../src/store/install-guide.ts';
import { corpusFiles } from './packages.ts';
import { recordOf } from './us-core-record.ts';

const BASE = 'http://127.0.0.1:8080/fhir/R4';
const packages = corpusFiles('igs').filter((file) => basename(file) === 'hl7.fhir.us.core-7.0.0.tgz');
const OPERATOR = { reference: 'Device/operator', kind: 'service' } as const;

/** Values that only Ann's resource has among those of its type that are Ann's. */
const VALUES: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  CarePlan: {
    category: ['http://hl7.org/fhir/us/core/CodeSystem/careplan-category|assess-plan', 'assess-plan'],
    status: ['active', 'active,on-hold'],
    date: ['2026-03', 'ge2026-03-01', 'gt2026-03-01', 'lt2026-04-01', 'le2026-03-10'],
  },
  CareTeam: { status: ['active', 'proposed,active'], role: ['http://snomed.info/sct|224535009', '224535009'] },
  Goal: {
    'lifecycle-status': ['active', 'planned,active'],
    'target-date': ['2026-06-30', 'ge2026-06-30', 'lt2026-07-01'],
    description: ['http://snomed.info/sct|281004', '281004,1'],
  },
  ServiceRequest: {
    category: ['http://snomed.info/sct|409073007'],
    code: ['http://loinc.org|24627-2', '24627-2'],
    authored: ['2026-03-02', 'gt2026-03-01', 'le2026-03-02'],
    status: ['active'],
  },
  Condition: {
    category: ['http://terminology.hl7.org/CodeSystem/condition-category|encounter-diagnosis'],
    'clinical-status': ['remission', 'active,remission'],
    encounter: ['Encounter/ann-enc', 'ann-enc'],
    code: ['http://snomed.info/sct|84114007'],
    'onset-date': ['2026-02-01', 'ge2026', 'lt2026-02-02'],
    'abatement-date': ['2026-03-05', 'gt2026-03-04'],
    'recorded-date': ['2026-02-02', 'le2026-02-02'],
    'asserted-date': ['2026-02-03', 'ge2026-02-03'],
    _lastUpdated: ['gt2020-01-01'],
  },
  Encounter: {
    date: ['2026-03-01', 'ge2026-03-01', 'lt2026-03-02'],
    class: ['http://terminology.hl7.org/CodeSystem/v3-ActCode|IMP', 'IMP,AMB'],
    type: ['http://snomed.info/sct|183807002'],
    status: ['finished'],
    location: ['Location/ward', 'ward'],
    'discharge-disposition': ['http://terminology.hl7.org/CodeSystem/discharge-disposition|home', 'home,snf'],
    identifier: ['http://hospital.example/visits|V-ann'],
    _lastUpdated: ['gt2020-01-01'],
  },
  QuestionnaireResponse: {
    status: ['completed'],
    authored: ['2026-03-03', 'ge2026-03-03', 'lt2026-03-04'],
    questionnaire: ['http://forms.example/phq-9'],
  },
};

/** Parameters that are asked for together with the patient. */
const MATRIX: Readonly<Record<string, readonly (readonly string[])[]>> = {
  CarePlan: [['category'], ['category', 'status'], ['category', 'date'], ['category', 'status', 'date']],
  CareTeam: [['status'], ['role']],
  Goal: [[], ['lifecycle-status'], ['target-date'], ['description']],
  ServiceRequest: [[], ['category'], ['code'], ['category', 'authored'], ['code', 'authored'], ['status']],
  Condition: [
    [],
    ['category'],
    ['clinical-status'],
    ['category', 'clinical-status'],
    ['category', 'encounter'],
    ['code'],
    ['onset-date'],
    ['abatement-date'],
    ['recorded-date'],
    ['asserted-date'],
    ['_lastUpdated'],
  ],
  Encounter: [
    [],
    ['date'],
    ['class'],
    ['type'],
    ['status'],
    ['location'],
    ['discharge-disposition'],
    ['identifier'],
    ['_lastUpdated'],
  ],
  QuestionnaireResponse: [[], ['status'], ['authored'], ['questionnaire']],
};

const PATIENT_SEARCHES = [
  '_id=ann',
  'identifier=http://hospital.example/mrn|ann',
  'name=Annabel',
  'birthdate=1950-02-03&name=annabel',
  'gender=female&name=Annabel',
  'birthdate=1950-02-03&family=Anders',
  'family=Anders&gender=female',
  'birthdate=ge1950&birthdate=lt1951',
  'race=2106-3',
  'ethnicity=2186-5',
];

describe.skipIf(packages.length === 0)('US Core searches', () => {
  let app: App;
  let token: string;
  const folder = mkdtempSync(join(tmpdir(), 'baton-us-core-'));

  beforeAll(async () => {
    const config = loadConfig({ BATON_SANDBOX: 'off', BATON_DATABASE_URL: `sqlite:${join(folder, 'baton.db')}` });
    const log = pino({ level: 'silent' });
    const clock = systemClock();
    app = await build(config, { clock, fetch: globalThis.fetch, log, write: () => undefined });
    token = await app.access.issue({ clientId: 'tester', scope: FULL_SCOPE, lifetimeSeconds: 600 });
    const { store, conformance } = app;
    // Ann's record is there before the guide is, Bea's comes after it: the index must have both.
    await put(recordOf('ann'));
    await installGuide({ store, conformance, clock, actor: OPERATOR }, readPackage(readFileSync(packages[0] ?? '')));
    await store.reindex(new AbortController().signal);
    await put(recordOf('bea'));
  });
  afterAll(async () => {
    await app?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  async function put(resources: readonly Resource[]): Promise<void> {
    const entry = resources.map((resource) => ({
      resource,
      request: { method: 'PUT', url: `${resource.resourceType}/${resource.id}` },
    }));
    const { statusCode, body } = await send(
      'POST',
      '',
      JSON.stringify({ resourceType: 'Bundle', type: 'transaction', entry }),
    );
    expect(statusCode, body.slice(0, 1000)).toBe(200);
  }

  function send(method: 'GET' | 'POST', path: string, payload?: string, type = 'application/fhir+json') {
    const headers = { authorization: `Bearer ${token}`, ...(payload === undefined ? {} : { 'content-type': type }) };
    return app.server.inject({
      method,
      url: `/fhir/R4${path}`,
      headers,
      ...(payload === undefined ? {} : { payload }),
    });
  }

  /** Ids of the matches by GET; POST must give the same. */
  async function found(type: string, query: string): Promise<(string | undefined)[]> {
    const text = query
      .split('&')
      .map((pair) => `${pair.slice(0, pair.indexOf('='))}=${encodeURIComponent(pair.slice(pair.indexOf('=') + 1))}`)
      .join('&');
    const answers = [
      await send('GET', `/${type}?${text}`),
      await send('POST', `/${type}/_search`, text, 'application/x-www-form-urlencoded'),
    ];
    const [ids, again] = answers.map(({ statusCode, body }) => {
      expect(statusCode, `${type}?${query}: ${body}`).toBe(200);
      const { entry = [] } = JSON.parse(body) as Bundle;
      return entry.filter(({ search }) => search?.mode === 'match').map(({ resource }) => resource?.id);
    });
    expect(again, query).toEqual(ids);
    return ids ?? [];
  }

  /** Every combination of one value per parameter. */
  function combinations(type: string, codes: readonly string[]): string[] {
    const [code, ...rest] = codes;
    if (code === undefined) return [''];
    return (VALUES[type]?.[code] ?? []).flatMap((value) =>
      combinations(type, rest).map((others) => `&${code}=${value}${others}`),
    );
  }

  const rows = Object.entries(MATRIX).flatMap(([type, all]) => all.map((codes) => [type, codes] as const));
  test.each(rows)('%s?patient+%s', async (type, codes) => {
    const queries = combinations(type, codes);
    expect(queries.length).toBeGreaterThan(0);
    for (const query of queries) {
      for (const patient of ['ann', 'Patient/ann', `${BASE}/Patient/ann`, 'ann,nobody']) {
        expect(await found(type, `patient=${patient}${query}`), `${type} ${patient} ${query}`).toEqual([
          `ann-${recordOf('ann')
            .find(({ resourceType }) => resourceType === type)
            ?.id?.slice(4)}`,
        ]);
      }
    }
  });

  test.each(PATIENT_SEARCHES)('Patient?%s', async (query) => {
    expect(await found('Patient', query)).toEqual(['ann']);
  });

  test.each(['ServiceRequest', 'Encounter', 'QuestionnaireResponse'])('%s?_id', async (type) => {
    const id = recordOf('ann').find(({ resourceType }) => resourceType === type)?.id;
    expect(await found(type, `_id=${id}`)).toEqual([id]);
  });

  test('CareTeam with its participants', async () => {
    const { body } = await send('GET', '/CareTeam?patient=ann&status=active&_include=CareTeam:participant');
    const entries = (JSON.parse(body) as Bundle).entry ?? [];
    expect(entries.map(({ resource, search }) => `${search?.mode} ${resource?.resourceType}/${resource?.id}`)).toEqual([
      'match CareTeam/ann-team',
      'include Practitioner/nurse',
    ]);
  });

  test('the CapabilityStatement says what was installed', async () => {
    const statement = JSON.parse((await send('GET', '/metadata')).body);
    expect(statement.implementationGuide).toEqual([
      'http://hl7.org/fhir/us/core/ImplementationGuide/hl7.fhir.us.core|7.0.0',
    ]);
    const goal = statement.rest[0].resource.find(({ type }: { type: string }) => type === 'Goal');
    expect(goal.supportedProfile).toContain('http://hl7.org/fhir/us/core/StructureDefinition/us-core-goal|7.0.0');
    expect(goal.searchParam).toContainEqual({
      name: 'description',
      definition: 'http://hl7.org/fhir/us/core/SearchParameter/us-core-goal-description',
      type: 'token',
    });
  });
});

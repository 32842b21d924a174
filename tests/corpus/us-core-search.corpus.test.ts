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
import { combinations, MATRIX, PATIENT_SEARCHES } from '../conformance/us-core-matrix.ts';
import { recordOf } from '../conformance/us-core-record.ts';
import { corpusFiles } from './packages.ts';

const BASE = 'http://127.0.0.1:8080/fhir/R4';
const packages = corpusFiles('igs').filter((file) => basename(file) === 'hl7.fhir.us.core-7.0.0.tgz');
const OPERATOR = { reference: 'Device/operator', kind: 'service' } as const;

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

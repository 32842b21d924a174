// /ops/matches: who a patient of another server is here, asked and answered over HTTP. docs/patient-matching.md
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { NO_LABEL_POLICY } from '../../src/fhir/consent/label-policy.ts';
import { readPolicies } from '../../src/sync/conflicts/policies.ts';
import { readMatchRules } from '../../src/sync/patients/match-rules.ts';
import { createSync } from '../../src/sync/sync.ts';
import { type FakeRemote, startFakeRemote } from '../support/fake-remote.ts';
import { PARAMETERS, serve, type TestServer } from './serve.ts';

const PROFILES = join(import.meta.dirname, '../../profiles');
const MARIA = {
  resourceType: 'Patient' as const,
  name: [{ family: 'García', given: ['María'] }],
  gender: 'female' as const,
  birthDate: '1950-03-04',
};

let baton: TestServer;
let remote: FakeRemote;
let local: string;
beforeAll(async () => {
  remote = await startFakeRemote();
  const connection = {
    name: 'ehr',
    baseUrl: remote.baseUrl,
    vendor: 'generic',
    mode: 'both',
    auth: { type: 'none' },
    types: { Patient: 'pull', Task: 'pull' },
    overlapSeconds: 300,
    pullEverySeconds: 60,
  } as const;
  const log = pino({ level: 'silent' });
  baton = await serve(({ store, clock }) => ({
    sync: createSync({
      ...{ store, clock, log, connections: [connection], baseUrl: 'http://b', fetch },
      policies: readPolicies(join(PROFILES, 'policies')),
      matching: readMatchRules(join(PROFILES, 'matching')),
      consent: { parameters: PARAMETERS, labels: NO_LABEL_POLICY },
    }),
  }));
  local = String((await baton.fhir('POST', '/Patient', { body: MARIA })).json.id);
  for (const id of ['r1', 'r2']) remote.put({ ...MARIA, id });
  await post('/connections/ehr/pull');
});
afterAll(async () => {
  await baton.close();
  await remote.close();
});

const get = (path: string) => baton.send('GET', `/ops${path}`);
const post = (path: string, body: object = {}) =>
  baton.send('POST', `/ops${path}`, { body, headers: { 'content-type': 'application/json' } });
async function listed(query = ''): Promise<{ id: string; remoteId: string }[]> {
  return (await get(`/matches${query}`)).json.items as { id: string; remoteId: string }[];
}

test('the list shows both records and what each rule said', async () => {
  expect(await listed('?connection=ehr')).toMatchObject([
    {
      remoteId: expect.stringMatching(/^r[12]$/),
      remote: { birthDate: '1950-03-04' },
      candidates: [{ localId: local, why: 'rules', score: 20, fields: expect.any(Array) }],
      later: null,
    },
    { remoteId: expect.stringMatching(/^r[12]$/) },
  ]);
  expect(await listed('?connection=other')).toEqual([]);
});

test.each([
  {},
  { decision: 'link' },
  { decision: 'maybe' },
  { decision: 'later', days: 0 },
  { decision: 'later', days: 'x' },
  { decision: 'new', merge: 'yes' },
  { decision: 'new', note: 'not known' },
])('%j is no decision', async (body) => {
  const [match] = await listed();
  expect((await post(`/matches/${match?.id}/decide`, body)).status).toBe(400);
});

test('later, linked and new: each is answered once and is in the trail of the patient', async () => {
  const [first, second] = await listed();
  expect((await post(`/matches/${first?.id}/decide`, { decision: 'later', days: 7 })).json).toMatchObject({
    state: 'open',
  });
  expect(await listed()).toHaveLength(1);
  expect(await listed('?all=true')).toHaveLength(2);
  const link = { decision: 'link', to: local };
  expect((await post(`/matches/${first?.id}/decide`, link)).json).toMatchObject({ state: 'resolved' });
  expect((await post(`/matches/${first?.id}/decide`, link)).status).toBe(409);
  expect((await post('/matches/nothing/decide', link)).status).toBe(404);
  expect((await post(`/matches/${second?.id}/decide`, { decision: 'new' })).status).toBe(200);
  await post('/connections/ehr/pull');
  expect(await listed('?all=true')).toEqual([]);
  expect((await baton.fhir('GET', '/Patient?birthdate=1950-03-04')).json.total).toBe(2);
  await baton.temp.store.ready();
  const decided = async (interaction: string) => (await get(`/audit?interaction=${interaction}`)).json.items;
  expect(await decided('match-link')).toMatchObject([{ type: 'Patient', id: local, patient: local }]);
  expect(await decided('match-new')).toMatchObject([{ patient: local }]);
});

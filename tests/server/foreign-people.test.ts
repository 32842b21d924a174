// A person of another server is nobody here, also when somebody here has the same id; unless the issuer's configuration says
// that the ids are the same.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createAccess } from '../../src/access/access.ts';
import { createStandings } from '../../src/access/standing.ts';
import { startIssuer, type TestIssuer } from '../support/test-issuer.ts';
import { testKeys } from '../support/test-keys.ts';
import { BASE, FHIR, ROLES, serve, type TestServer } from './serve.ts';

const ELSEWHERE = 'https://ehr.example/fhir';

let issuer: TestIssuer;
let sharing: TestIssuer;
let baton: TestServer;

beforeAll(async () => {
  issuer = await startIssuer();
  sharing = await startIssuer();
  const keys = await testKeys();
  baton = await serve(({ store, clock }) => ({
    access: createAccess({
      mode: 'smart',
      keys,
      issuers: [
        { issuer: issuer.url, audience: 'baton' },
        { issuer: sharing.url, audience: 'baton', fhirUserBase: ELSEWHERE },
      ],
      baseUrl: () => BASE,
      clock,
      standingOf: createStandings({ store, roles: ROLES, clock }),
    }),
  }));
  const as = await tokenOf(issuer, { scope: 'system/*.cruds' });
  const body = { resourceType: 'Patient', id: 'p1', name: [{ family: 'Nightingale' }] };
  expect((await baton.fhir('PUT', '/Patient/p1', { as, body })).status).toBe(201);
});

afterAll(async () => {
  await baton.close();
  await issuer.stop();
  await sharing.stop();
});

const tokenOf = (from: TestIssuer, claims: object) =>
  from.sign({
    iss: from.url,
    aud: 'baton',
    client_id: 'app',
    scope: 'user/*.rs patient/*.rs',
    exp: Math.floor(Temporal.Now.instant().epochMilliseconds / 1000) + 300,
    ...claims,
  });

it.each<[string, () => TestIssuer, string, number]>([
  ['of ours, relative', () => issuer, 'Patient/p1', 200],
  ['of ours, absolute', () => issuer, `${FHIR}/Patient/p1`, 200],
  ['of another server', () => issuer, `${ELSEWHERE}/Patient/p1`, 403],
  ['of another server with the same people', () => sharing, `${ELSEWHERE}/Patient/p1`, 200],
  ['of a third server', () => sharing, 'https://third.example/fhir/Patient/p1', 403],
  ['of a server below the same people', () => sharing, `${ELSEWHERE}/x/Patient/p1`, 403],
])('a patient %s', async (_, from, fhirUser, status) => {
  const as = await tokenOf(from(), { fhirUser });
  expect((await baton.fhir('GET', '/Patient/p1', { as })).status).toBe(status);
});

it('is in the audit trail under the whole URL', async () => {
  const fhirUser = `${ELSEWHERE}/Practitioner/12`;
  await baton.fhir('GET', '/Patient/p1', { as: await tokenOf(issuer, { fhirUser }) });
  expect((await baton.audited()).map(({ actor }) => actor)).toContain(fhirUser);
});

it('a patient of another server is no patient in context', async () => {
  const patient = `${ELSEWHERE}/Patient/p1`;
  const scope = 'patient/*.rs';
  const mine = await tokenOf(issuer, { scope, patient: 'p1' });
  expect((await baton.fhir('GET', '/Patient/p1', { as: mine })).status).toBe(200);
  const foreign = await tokenOf(issuer, { scope, patient });
  expect((await baton.fhir('GET', '/Patient/p1', { as: foreign })).status).toBe(403);
});

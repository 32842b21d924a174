// What a patient has withheld is not there for those it is withheld from, the person who may know learns why, and what
// somebody writes down is never lost for it.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { serve, type TestServer } from '../serve.ts';

let baton: TestServer;

const ref = (reference: string) => ({ reference });
const PART2 = { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: '42CFRPart2' };

async function put(type: string, id: string, more: object): Promise<void> {
  const { status, text } = await baton.fhir('PUT', `/${type}/${id}`, { body: { resourceType: type, id, ...more } });
  if (status >= 300) throw new Error(text);
}

const consent = (provision: object) => ({
  status: 'active',
  scope: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/consentscope', code: 'patient-privacy' }] },
  category: [{ coding: [{ system: 'http://loinc.org', code: '59284-0' }] }],
  patient: ref('Patient/shy'),
  policy: [{ uri: 'http://example.org/policy' }],
  provision,
});

const observation = (patient: string, more: object = {}) => ({
  status: 'final',
  code: { text: 'pulse' },
  subject: ref(`Patient/${patient}`),
  ...more,
});

async function person(id: string, code: string, patients: readonly string[]): Promise<void> {
  await put('Practitioner', id, {});
  await put('PractitionerRole', id, {
    active: true,
    practitioner: ref(`Practitioner/${id}`),
    code: [{ coding: [{ system: 'https://baton.health/fhir/CodeSystem/care-role', code }] }],
  });
  for (const patient of patients) {
    const participant = [{ member: ref(`Practitioner/${id}`) }];
    await put('CareTeam', `${id}-${patient}`, { status: 'active', subject: ref(`Patient/${patient}`), participant });
  }
}

const total = async (path: string, as: string) => {
  const { json } = await baton.fhir('GET', path, { as });
  const notices = (json.entry ?? []).flatMap(({ resource }) => resource?.issue?.map(({ code }) => code) ?? []);
  return [json.total, notices];
};

beforeAll(async () => {
  baton = await serve();
  for (const id of ['shy', 'open']) await put('Patient', id, { name: [{ family: id }] });
  await put('Observation', 'of-shy', observation('shy'));
  await put('Observation', 'of-open', observation('open'));
  await person('nurse', 'case-manager', ['shy', 'open']);
  await person('pharmacist', 'pharmacist', ['shy', 'open']);
});

afterAll(() => baton.close());

it('a consent keeps a record from those it names', async () => {
  const app = await baton.token('system/*.cruds');
  const nurse = await baton.tokenOf('Practitioner/nurse', 'user/*.cruds');
  const pharmacist = await baton.tokenOf('Practitioner/pharmacist', 'user/*.cruds');
  expect(await total('/Observation', app)).toEqual([2, []]);
  await put(
    'Consent',
    'no',
    consent({
      type: 'deny',
      actor: [
        { role: { text: 'nurse' }, reference: ref('Practitioner/nurse') },
        { role: { text: 'pharmacist' }, reference: ref('Practitioner/pharmacist') },
      ],
    }),
  );

  // The nurse may know why, the pharmacist may not.
  const told = await baton.fhir('GET', '/Observation/of-shy', { as: nurse });
  expect([told.status, told.json.issue?.[0]?.code]).toEqual([403, 'suppressed']);
  expect(told.json.issue?.[0]?.details?.text).toContain('Consent/no');
  expect(await total('/Observation', nurse)).toEqual([1, ['suppressed']]);
  const hidden = await baton.fhir('GET', '/Observation/of-shy', { as: pharmacist });
  const absent = await baton.fhir('GET', '/Observation/absent', { as: pharmacist });
  expect([hidden.status, hidden.text.replace('of-shy', 'absent')]).toEqual([404, absent.text]);
  expect(await total('/Observation', pharmacist)).toEqual([1, []]);

  for (const [path, expected] of [
    ['/Patient?_summary=count', 1],
    ['/Observation?patient:Patient.family=shy', 0],
    ['/Patient?_has:Observation:patient:code:text=pulse', 1],
    ['?_type=Patient,Observation', 2],
  ] as const) {
    expect([path, (await total(path, pharmacist))[0]]).toEqual([path, expected]);
  }
  for (const path of [
    '/Patient/shy',
    '/Patient/shy/$everything',
    '/Observation/of-shy/_history',
    '/Observation/of-shy/_history/1',
  ]) {
    expect([path, (await baton.fhir('GET', path, { as: pharmacist })).status]).toEqual([path, 404]);
  }
  const included = await baton.fhir('GET', '/CareTeam?_include=CareTeam:patient', { as: pharmacist });
  expect(included.text).not.toContain('Patient/shy');
});

it('is read by those who learn of it, and switched off by the patient and the privacy officer only', async () => {
  const nurse = await baton.tokenOf('Practitioner/nurse', 'user/*.cruds');
  const pharmacist = await baton.tokenOf('Practitioner/pharmacist', 'user/*.cruds');
  expect((await baton.fhir('GET', '/Consent/no', { as: nurse })).status).toBe(200);
  expect((await baton.fhir('GET', '/Consent/no', { as: pharmacist })).status).toBe(403);
  const headers = { 'content-type': 'application/json-patch+json' };
  const turn = (as: string, status: string) =>
    baton.fhir('PATCH', '/Consent/no', { as, headers, body: [{ op: 'replace', path: '/status', value: status }] });
  const body = { resourceType: 'Consent', id: 'no', ...consent({ type: 'deny' }), status: 'inactive' };
  expect((await turn(nurse, 'inactive')).status).toBe(403);
  expect((await baton.fhir('PUT', '/Consent/no', { as: nurse, body })).status).toBe(403);
  expect((await baton.fhir('DELETE', '/Consent/no', { as: nurse })).status).toBe(403);
  await person('guardian', 'privacy-officer', []);
  for (const user of ['Patient/shy', 'Practitioner/guardian']) {
    const as = await baton.tokenOf(user, 'user/*.cruds');
    expect([user, (await turn(as, 'inactive')).status]).toEqual([user, 200]);
    expect((await baton.fhir('GET', '/Observation/of-shy', { as: nurse })).status).toBe(200);
    expect([user, (await turn(as, 'active')).status]).toEqual([user, 200]);
    expect((await baton.fhir('GET', '/Observation/of-shy', { as: nurse })).status).toBe(403);
  }
});

it('does not keep what is said from being written down, once', async () => {
  const as = await baton.tokenOf('Practitioner/nurse', 'user/*.cruds');
  const body = { resourceType: 'Observation', ...observation('shy'), identifier: [{ system: 'urn:lab', value: '1' }] };
  const headers = { 'if-none-exist': 'identifier=urn:lab|1' };
  const made = await baton.fhir('POST', '/Observation', { as, body, headers });
  const again = await baton.fhir('POST', '/Observation', { as, body, headers });
  expect([made.status, again.status, again.text]).toEqual([201, 200, '']);
});

it('says that something is withheld, never whether it would have matched', async () => {
  const as = await baton.tokenOf('Practitioner/nurse', 'user/*.rs');
  for (const code of ['pulse', 'anything']) {
    expect(await total(`/Observation?patient=Patient/shy&code:text=${code}`, as)).toEqual([0, ['suppressed']]);
    expect(await total(`/Observation?patient=Patient/open&code:text=${code}`, as)).toEqual([
      code === 'pulse' ? 1 : 0,
      [],
    ]);
  }
});

it('is not got around by changing what is withheld into something that is not', async () => {
  const nurse = await baton.tokenOf('Practitioner/nurse', 'user/*.cruds');
  await put('Observation', 'labelled', observation('open', { meta: { security: [PART2] } }));
  const app = await baton.token('system/*.cruds');
  const patch = (id: string, as: string, path: string, value: object) =>
    baton.fhir('PATCH', `/Observation/${id}`, {
      as,
      headers: { 'content-type': 'application/json-patch+json' },
      body: JSON.stringify([{ op: 'add', path, value }]),
    });
  const noLabel = { resourceType: 'Parameters', parameter: [{ name: 'meta', valueMeta: { security: [PART2] } }] };
  expect((await patch('of-shy', nurse, '/subject', ref('Patient/open'))).status).toBe(404);
  expect((await patch('labelled', app, '/meta/security', [{ system: 'urn:x', code: 'y' }])).status).toBe(404);
  const unlabelled = await baton.fhir('POST', '/Observation/labelled/$meta-delete', { as: app, body: noLabel });
  expect(unlabelled.status).toBe(404);
  expect((await patch('labelled', nurse, '/code', { text: 'pulse, again' })).status).toBe(200);
  await baton.fhir('DELETE', '/Observation/labelled');
});

it('binds a person by whatever name a consent has for them, and whichever of their roles they sign in as', async () => {
  await put('Practitioner', 'doc', { identifier: [{ system: 'urn:npi', value: '7' }] });
  await put('Patient', 'named', {});
  await put('Observation', 'of-named', observation('named'));
  await person('doc', 'physician', ['named']);
  await put('Practitioner', 'doc', { identifier: [{ system: 'urn:npi', value: '7' }] });
  await put('CareTeam', 'doc-named', {
    status: 'active',
    subject: ref('Patient/named'),
    participant: [{ member: ref('Practitioner/doc') }, { member: ref('PractitionerRole/doc') }],
  });
  const role = { text: 'recipient' };
  const status = async (user: string) => {
    const as = await baton.tokenOf(user, 'user/*.rs');
    return (await baton.fhir('GET', '/Observation/of-named', { as })).status;
  };
  const both = async () => [await status('Practitioner/doc'), await status('PractitionerRole/doc')];
  expect(await both()).toEqual([200, 200]);
  for (const reference of [
    ref('Practitioner/doc'),
    ref('PractitionerRole/doc'),
    ref('CareTeam/doc-named'),
    { identifier: { system: 'urn:npi', value: '7' } },
  ]) {
    const deny = consent({ type: 'deny', actor: [{ role, reference }] });
    await put('Consent', 'named', { ...deny, patient: ref('Patient/named') });
    expect([reference, await both()]).toEqual([reference, [403, 403]]);
  }
  await baton.fhir('DELETE', '/Consent/named');
});

it('binds neither the patient nor who keeps the records, and not in an emergency', async () => {
  const self = await baton.tokenOf('Patient/shy', 'patient/*.rs');
  expect((await baton.fhir('GET', '/Observation/of-shy', { as: self })).status).toBe(200);
  const custodian = await baton.token('system/*.cruds baton/custodian');
  expect((await baton.fhir('GET', '/Observation/of-shy', { as: custodian })).status).toBe(200);
  const posing = await baton.tokenOf('Practitioner/pharmacist', 'user/*.rs baton/custodian');
  expect((await baton.fhir('GET', '/Observation/of-shy', { as: posing })).status).toBe(404);
  const as = await baton.tokenOf('Practitioner/pharmacist', 'user/*.rs');
  const body = { resourceType: 'Parameters', parameter: [{ name: 'reason', valueString: 'Overdose, needs antidote' }] };
  expect((await baton.fhir('POST', '/Patient/shy/$break-glass', { as, body })).status).toBe(201);
  expect((await baton.fhir('GET', '/Observation/of-shy', { as })).status).toBe(200);
});

it('a label that needs a permit keeps a resource from applications until a consent names it', async () => {
  await put('Observation', 'part2', observation('open', { meta: { security: [PART2] } }));
  const app = await baton.token('system/*.rs');
  const nurse = await baton.tokenOf('Practitioner/nurse', 'user/*.rs');
  const status = async (as: string) => (await baton.fhir('GET', '/Observation/part2', { as })).status;
  expect([await status(app), await status(nurse)]).toEqual([404, 200]);
  const permit = { type: 'permit', securityLabel: [PART2] };
  await put('Consent', 'yes', { ...consent(permit), patient: ref('Patient/open') });
  expect(await status(app)).toBe(200);
  await baton.fhir('DELETE', '/Consent/yes');
  expect(await status(app)).toBe(404);
});

it('a label that needs a permit keeps a resource from relatives, who are no staff, but never from the patient', async () => {
  await put('RelatedPerson', 'kin', { active: true, patient: ref('Patient/open') });
  await put('Observation', 'part2-kin', observation('open', { meta: { security: [PART2] } }));
  const status = async (user: string) => {
    const as = await baton.tokenOf(user, 'user/*.rs');
    return (await baton.fhir('GET', '/Observation/part2-kin', { as })).status;
  };
  expect([await status('RelatedPerson/kin'), await status('Patient/open')]).toEqual([404, 200]);
});

it('ends with its withdrawal', async () => {
  const as = await baton.tokenOf('Practitioner/nurse', 'user/*.rs');
  expect((await baton.fhir('GET', '/Observation/of-shy', { as })).status).toBe(403);
  await put('Consent', 'no', { ...consent({ type: 'deny' }), status: 'inactive' });
  expect((await baton.fhir('GET', '/Observation/of-shy', { as })).status).toBe(200);
});

it('keeps the log of a patient from an application that is kept from the patient', async () => {
  await put('Patient', 'logged', {});
  const app = await baton.token('patient/*.rs', 'logged');
  const [entry] = (await baton.fhir('GET', '/AuditEvent?_count=1', { as: app })).json.entry ?? [];
  const log = async () => {
    const read = await baton.fhir('GET', `/AuditEvent/${entry?.resource?.id}`, { as: app });
    const { total: found = 0 } = (await baton.fhir('GET', '/AuditEvent?_summary=count', { as: app })).json;
    return [read.status, found > 0];
  };
  expect(await log()).toEqual([200, true]);
  const everybody = { ...consent({ type: 'deny' }), patient: ref('Patient/logged') };
  await put('Consent', 'of-logged', everybody);
  expect(await log()).toEqual([404, false]);
  await put('Consent', 'of-logged', { ...everybody, status: 'inactive' });
  expect(await log()).toEqual([200, true]);
});

// People: each role reaches what its rules say of whom it knows, nobody gives themselves more, and the glass can be broken.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { serve, type TestServer } from '../serve.ts';

let baton: TestServer;

const CARE_ROLE = 'https://baton.health/fhir/CodeSystem/care-role';

async function put(type: string, id: string, more: object): Promise<void> {
  const { status, text } = await baton.fhir('PUT', `/${type}/${id}`, { body: { resourceType: type, id, ...more } });
  if (status >= 300) throw new Error(text);
}

const ref = (reference: string) => ({ reference });
const patients = async (as: string) =>
  (await baton.fhir('GET', '/Patient', { as })).json.entry?.map(({ resource }) => resource?.id).toSorted() ?? [];

beforeAll(async () => {
  baton = await serve();
  for (const id of ['north', 'south']) await put('Organization', id, { name: id });
  const people: [string, string, string][] = [
    ['nurse', 'case-manager', 'north'],
    ['chief', 'supervisor', 'north'],
    ['doctor', 'physician', 'south'],
    ['pharmacist', 'pharmacist', 'south'],
    ['pantry', 'community-partner', 'south'],
    ['engineer', 'integration-engineer', 'north'],
  ];
  for (const [id, code, organization] of people) {
    await put('Practitioner', id, {});
    await put('PractitionerRole', `${id}-role`, {
      active: true,
      practitioner: ref(`Practitioner/${id}`),
      organization: ref(`Organization/${organization}`),
      code: [{ coding: [{ system: CARE_ROLE, code }] }],
    });
  }
  await put('Practitioner', 'nobody', {});
  for (const id of ['ann', 'bob', 'cyd']) {
    await put('Patient', id, { name: [{ family: id }], managingOrganization: ref('Organization/north') });
    await put('Task', `task-${id}`, { status: 'requested', intent: 'order', for: ref(`Patient/${id}`) });
  }
  await put('Patient', 'dan', { managingOrganization: ref('Organization/south') });
  const member = (user: string, patient: string, status = 'active') => ({
    status,
    subject: ref(`Patient/${patient}`),
    participant: [{ member: ref(`Practitioner/${user}`) }],
  });
  await put('CareTeam', 'team-ann', member('nurse', 'ann'));
  await put('CareTeam', 'team-bob', member('nurse', 'bob', 'inactive'));
  await put('CareTeam', 'team-doctor', member('doctor', 'bob'));
  await put('CareTeam', 'team-pharmacist', member('pharmacist', 'bob'));
  await put('Task', 'pantry-task', {
    status: 'requested',
    intent: 'order',
    for: ref('Patient/cyd'),
    owner: ref('Organization/south'),
  });
  await put('Observation', 'obs-cyd', { status: 'final', code: { text: 'x' }, subject: ref('Patient/cyd') });
  await put('RelatedPerson', 'daughter', { active: true, patient: ref('Patient/ann') });
});

afterAll(() => baton.close());

describe('reach', () => {
  it.each([
    ['Practitioner/nurse', ['ann']],
    ['Practitioner/chief', ['ann', 'bob', 'cyd']],
    ['Practitioner/doctor', ['bob']],
    ['Practitioner/pharmacist', ['bob']],
    ['Practitioner/pantry', ['cyd']],
    ['Patient/ann', ['ann']],
    ['RelatedPerson/daughter', ['ann']],
  ])('%s: %j', async (user, expected) => {
    const as = await baton.tokenOf(user, 'user/*.cruds');
    expect(await patients(as)).toEqual(expected);
    expect((await baton.fhir('GET', '/Patient?_summary=count', { as })).json.total).toBe(expected.length);
    expect((await baton.fhir('GET', '/Patient/dan', { as })).status).toBe(404);
    expect((await baton.fhir('GET', '/Organization/north', { as })).status).toBe(200);
  });

  it('of somebody without a role, and of a user scope without a user, is nothing', async () => {
    for (const as of [await baton.tokenOf('Practitioner/nobody', 'user/*.cruds'), await baton.token('user/*.cruds')]) {
      for (const path of ['/Patient', '/Patient/ann', '/Organization', '', '/Patient/ann/$everything']) {
        expect([path, (await baton.fhir('GET', path, { as })).status]).toEqual([path, 403]);
      }
    }
  });

  it('never exceeds the scope, nor the scope the role', async () => {
    const readTasks = await baton.tokenOf('Practitioner/chief', 'user/Task.r');
    expect((await baton.fhir('GET', '/Task/task-ann', { as: readTasks })).status).toBe(200);
    expect((await baton.fhir('GET', '/Patient/ann', { as: readTasks })).status).toBe(403);
    // A launch for a patient whom the nurse does not know.
    const launched = await baton.tokenOf('Practitioner/nurse', 'patient/*.rs', 'cyd');
    expect(await patients(launched)).toEqual([]);
    const own = await baton.tokenOf('Practitioner/nurse', 'patient/*.rs', 'ann');
    expect(await patients(own)).toEqual(['ann']);
    const system = await baton.tokenOf('Practitioner/nurse', 'system/*.cruds');
    expect(await patients(system)).toEqual(['ann']);
  });

  it('covers what is about the patients, in searches over all types, chains, includes and $everything', async () => {
    const as = await baton.tokenOf('Practitioner/nurse', 'user/*.rs');
    const ids = async (path: string) =>
      (await baton.fhir('GET', path, { as })).json.entry?.map(({ resource }) => resource?.id).toSorted();
    expect(await ids('/Task')).toEqual(['task-ann']);
    expect(await ids('?_type=Task,Patient,CareTeam')).toEqual(['ann', 'task-ann', 'team-ann']);
    expect(await ids('/Task?patient:Patient.family=ann')).toEqual(['task-ann']);
    expect((await baton.fhir('GET', '/Task?patient:Patient.family=bob', { as })).json.total).toBe(0);
    expect(await ids('/Task?_include=Task:patient')).toEqual(['ann', 'task-ann']);
    expect(await ids('/Organization?_id=north&_revinclude=Patient:organization')).toEqual(['ann', 'north']);
    expect(await ids('/Patient?_id=ann,bob&_revinclude=Task:patient')).toEqual(['ann', 'task-ann']);
    expect(await ids('/Patient/ann/$everything')).toEqual(expect.arrayContaining(['ann', 'task-ann', 'team-ann']));
    expect((await baton.fhir('GET', '/Patient/bob/$everything', { as })).status).toBe(404);
  });

  it('of a partner is the tasks given to it, not the record', async () => {
    const as = await baton.tokenOf('Practitioner/pantry', 'user/*.cruds');
    const found = (await baton.fhir('GET', '/Task', { as })).json.entry?.map(({ resource }) => resource?.id);
    expect(found).toEqual(['pantry-task']);
    expect((await baton.fhir('GET', '/Observation/obs-cyd', { as })).status).toBe(403);
    const done = { status: 'completed', intent: 'order', for: ref('Patient/cyd'), owner: ref('Organization/south') };
    const body = { resourceType: 'Task', id: 'pantry-task', ...done };
    const moved = { ...body, for: ref('Patient/ann') };
    expect((await baton.fhir('PUT', '/Task/pantry-task', { as, body: moved })).status).toBe(403);
    expect((await baton.fhir('PUT', '/Task/pantry-task', { as, body: { ...body, status: 'accepted' } })).status).toBe(
      200,
    );
    expect(await patients(as)).toEqual(['cyd']);
    expect((await baton.fhir('PUT', '/Task/pantry-task', { as, body })).status).toBe(200);
    expect(await patients(as)).toEqual([]);
  });

  it('of an engineer is operation, not patients', async () => {
    const as = await baton.tokenOf('Practitioner/engineer', 'user/*.cruds baton/ops');
    expect((await baton.send('GET', '/ops/audit', { as })).status).toBe(200);
    expect((await baton.fhir('GET', '/Patient', { as })).status).toBe(403);
    const nurse = await baton.tokenOf('Practitioner/nurse', 'user/*.cruds baton/ops');
    expect((await baton.send('GET', '/ops/audit', { as: nurse })).status).toBe(403);
  });

  it('ends with the role', async () => {
    await put('Practitioner', 'temp', {});
    const role = (more: object) =>
      put('PractitionerRole', 'temp-role', {
        practitioner: ref('Practitioner/temp'),
        organization: ref('Organization/north'),
        code: [{ coding: [{ system: CARE_ROLE, code: 'supervisor' }] }],
        ...more,
      });
    const as = await baton.tokenOf('Practitioner/temp', 'user/Patient.rs');
    const status = async () => (await baton.fhir('GET', '/Patient/ann', { as })).status;
    await role({ active: true });
    expect(await status()).toBe(200);
    await role({ active: false });
    expect(await status()).toBe(403);
    await role({ active: true, period: { end: '2020-01-01' } });
    expect(await status()).toBe(403);
    await role({ active: true, period: { start: '2020-01-01' } });
    expect(await status()).toBe(200);
  });
});

describe('nobody opens a record to themselves', () => {
  const team = (id: string, patient: string) => ({
    resourceType: 'CareTeam',
    id,
    status: 'active',
    subject: ref(`Patient/${patient}`),
    participant: [{ member: ref('Practitioner/nurse') }],
  });
  const episode = {
    resourceType: 'EpisodeOfCare',
    status: 'active',
    patient: ref('Patient/cyd'),
    careManager: ref('Practitioner/nurse'),
  };
  const owned = { resourceType: 'Task', status: 'requested', intent: 'order', for: ref('Patient/cyd') };

  it.each([
    [
      'a care team',
      [{ resource: { ...team('x', 'cyd'), id: undefined }, request: { method: 'POST', url: 'CareTeam' } }],
    ],
    [
      'a moved care team',
      [{ resource: team('team-ann', 'cyd'), request: { method: 'PUT', url: 'CareTeam/team-ann' } }],
    ],
    [
      'a task of theirs',
      [{ resource: { ...owned, owner: ref('Practitioner/nurse') }, request: { method: 'POST', url: 'Task' } }],
    ],
    [
      'a team and an episode that vouch for each other',
      [
        { resource: { ...team('x', 'cyd'), id: undefined }, request: { method: 'POST', url: 'CareTeam' } },
        { resource: episode, request: { method: 'POST', url: 'EpisodeOfCare' } },
      ],
    ],
  ])('by %s', async (_, entry) => {
    const as = await baton.tokenOf('Practitioner/nurse', 'user/*.cruds');
    const body = { resourceType: 'Bundle', type: 'transaction', entry };
    expect((await baton.fhir('POST', '', { as, body })).status).toBe(403);
    expect(await patients(as)).toEqual(['ann']);
  });

  it('by a role of their own, whoever they sign in as', async () => {
    for (const user of ['Practitioner/chief', 'PractitionerRole/chief-role']) {
      const as = await baton.tokenOf(user, 'user/*.cruds');
      const { json } = await baton.fhir('GET', '/PractitionerRole/chief-role', { as });
      const body = { ...json, code: [{ coding: [{ system: CARE_ROLE, code: 'privacy-officer' }] }] };
      expect([user, (await baton.fhir('PUT', '/PractitionerRole/chief-role', { as, body })).status]).toEqual([
        user,
        404,
      ]);
    }
  });

  it('but registers a patient of the own organization, with a case, in one transaction', async () => {
    const as = await baton.tokenOf('Practitioner/nurse', 'user/*.cruds');
    const entry = [
      {
        fullUrl: 'urn:uuid:5f0b6fa5-6a8e-4a4c-9d7d-3f1f7f2b8c11',
        resource: { resourceType: 'Patient', managingOrganization: ref('Organization/north') },
        request: { method: 'POST', url: 'Patient' },
      },
      {
        resource: { ...episode, patient: ref('urn:uuid:5f0b6fa5-6a8e-4a4c-9d7d-3f1f7f2b8c11') },
        request: { method: 'POST', url: 'EpisodeOfCare' },
      },
    ];
    const body = { resourceType: 'Bundle', type: 'transaction', entry };
    expect((await baton.fhir('POST', '', { as, body })).status).toBe(200);
    expect(await patients(as)).toHaveLength(2);
    const elsewhere = { resourceType: 'Patient', managingOrganization: ref('Organization/south') };
    expect((await baton.fhir('POST', '/Patient', { as, body: elsewhere })).status).toBe(403);
  });
});

describe('$break-glass', () => {
  const reason = (text: string) => ({ resourceType: 'Parameters', parameter: [{ name: 'reason', valueString: text }] });

  it('opens one record for a while, with a reason, and flags what is done meanwhile', async () => {
    const as = await baton.tokenOf('Practitioner/doctor', 'user/*.rs');
    expect((await baton.fhir('GET', '/Patient/ann', { as })).status).toBe(404);
    expect((await baton.fhir('POST', '/Patient/ann/$break-glass', { as, body: reason('now') })).status).toBe(400);
    const opened = await baton.fhir('POST', '/Patient/ann/$break-glass', { as, body: reason('Unconscious in the ED') });
    expect(opened.status).toBe(201);
    expect((await baton.fhir('GET', '/Patient/ann', { as })).status).toBe(200);
    expect((await baton.fhir('GET', '/Task?patient=Patient/ann', { as })).json.total).toBe(1);
    expect((await baton.fhir('GET', '/Patient/cyd', { as })).status).toBe(404);
    const [access] = await baton.temp.store.query('SELECT actor, patient, reason, begins, ends FROM emergency_access');
    expect(access).toMatchObject({ actor: 'Practitioner/doctor', patient: 'ann', reason: 'Unconscious in the ED' });
    expect(Number(access?.ends) - Number(access?.begins)).toBe(3_600_000);
  });

  it('ends', async () => {
    const as = await baton.tokenOf('Practitioner/pharmacist', 'user/*.rs');
    await baton.fhir('POST', '/Patient/ann/$break-glass', { as, body: reason('Allergy must be known now') });
    expect((await baton.fhir('GET', '/Patient/ann', { as })).status).toBe(200);
    const end = 'UPDATE emergency_access SET ends = 1 WHERE actor = ?';
    const statement = { sql: end, params: ['Practitioner/pharmacist'] };
    await baton.temp.store.commit({ reference: 'test', kind: 'service' }, [], [statement]);
    expect((await baton.fhir('GET', '/Patient/ann', { as })).status).toBe(404);
  });

  it('is not for everybody, nor for applications, nor for nobody', async () => {
    const body = reason('Because I want to know');
    for (const user of ['Practitioner/pantry', 'Patient/ann', 'RelatedPerson/daughter', 'Practitioner/nobody']) {
      const as = await baton.tokenOf(user, 'user/*.rs');
      expect((await baton.fhir('POST', '/Patient/bob/$break-glass', { as, body })).status).toBe(403);
    }
    expect((await baton.fhir('POST', '/Patient/bob/$break-glass', { body })).status).toBe(403);
    const as = await baton.tokenOf('Practitioner/nurse', 'user/*.rs');
    expect((await baton.fhir('POST', '/Patient/absent/$break-glass', { as, body })).status).toBe(404);
  });

  it('is not for an application that its user gave less to', async () => {
    const body = reason('Because the app would like to');
    const tokens: [scope: string, patient: string | undefined, status: number][] = [
      ['openid fhirUser', undefined, 403],
      ['user/Task.c', undefined, 403],
      ['user/Observation.rs?category=laboratory', undefined, 403],
      ['patient/*.rs', 'ann', 403],
      ['patient/*.rs', 'bob', 201],
    ];
    for (const [scope, patient, status] of tokens) {
      const as = await baton.tokenOf('Practitioner/nurse', scope, patient);
      expect([scope, (await baton.fhir('POST', '/Patient/bob/$break-glass', { as, body })).status]).toEqual([
        scope,
        status,
      ]);
    }
  });
});

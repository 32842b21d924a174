// Nobody opens a record to themselves by what they write: not by vouching for it, not by what was there already, not by
// naming it in another way.
import type { Task } from '@medplum/fhirtypes';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Answer, FHIR, serve, type TestServer } from '../serve.ts';

let baton: TestServer;

const CARE_ROLE = 'https://baton.health/fhir/CodeSystem/care-role';
const ref = (reference: string) => ({ reference });

async function put(type: string, id: string, more: object): Promise<void> {
  const { status, text } = await baton.fhir('PUT', `/${type}/${id}`, { body: { resourceType: type, id, ...more } });
  if (status >= 300) throw new Error(text);
}

async function anew(id: string, more: object): Promise<void> {
  const resource = { resourceType: 'Task', id, ...more } as Task & { id: string };
  await baton.temp.store.commit({ reference: 'Device/baton', kind: 'service' }, [{ op: 'update', resource }]);
}

const patients = async (as: string) =>
  (await baton.fhir('GET', '/Patient', { as })).json.entry?.map(({ resource }) => resource?.id).toSorted() ?? [];

const transaction = (...entry: object[]) => ({ resourceType: 'Bundle', type: 'transaction', entry });

const holding = (id: string, code: string, organization: string) => ({
  active: true,
  practitioner: ref(`Practitioner/${id}`),
  organization: ref(`Organization/${organization}`),
  code: [{ coding: [{ system: CARE_ROLE, code }] }],
});

beforeAll(async () => {
  baton = await serve();
  for (const id of ['north', 'south']) await put('Organization', id, { name: id });
  for (const [id, code, organization] of [
    ['nurse', 'case-manager', 'north'],
    ['chief', 'supervisor', 'north'],
    ['doctor', 'physician', 'south'],
    ['pantry', 'community-partner', 'south'],
  ] as const) {
    await put('Practitioner', id, {});
    await put('PractitionerRole', `${id}-role`, holding(id, code, organization));
  }
});

/** The nurse knows ann, the chief everybody of north; nobody knows cyd, who is somebody in what is about ann. */
beforeEach(async () => {
  await put('Patient', 'ann', { managingOrganization: ref('Organization/north') });
  await put('Patient', 'cyd', {
    managingOrganization: ref('Organization/south'),
    link: [{ other: ref('Patient/ann'), type: 'seealso' }],
  });
  const subject = ref('Patient/ann');
  await put('CareTeam', 'ours', { status: 'active', subject, participant: [{ member: ref('Practitioner/nurse') }] });
  await put('CareTeam', 'theirs', {
    status: 'active',
    subject: ref('Patient/cyd'),
    participant: [{ member: ref('Patient/ann') }],
  });
  // Anew: from what the tests make of them no update leads back, but for what Baton itself passes on.
  for (const id of ['for-ann', 'done', 'open']) await baton.fhir('DELETE', `/Task/${id}`);
  await anew('for-ann', { status: 'requested', intent: 'order', for: subject, requester: ref('Patient/cyd') });
  await anew('done', {
    status: 'completed',
    intent: 'order',
    for: ref('Patient/cyd'),
    owner: ref('Organization/south'),
  });
  await anew('open', {
    status: 'requested',
    intent: 'order',
    for: ref('Patient/ann'),
    requester: ref('Patient/cyd'),
    owner: ref('Organization/south'),
  });
});

afterAll(() => baton.close());

describe('a case manager', () => {
  let as: string;
  beforeAll(async () => {
    as = await baton.tokenOf('Practitioner/nurse', 'user/*.cruds');
  });
  const member = { member: ref('Practitioner/nurse') };

  it('does not join the team of somebody else whose family she knows', async () => {
    const team = {
      status: 'active',
      subject: ref('Patient/cyd'),
      participant: [{ member: ref('Patient/ann') }, member],
    };
    const body = { resourceType: 'CareTeam', id: 'theirs', ...team };
    expect((await baton.fhir('GET', '/CareTeam/theirs', { as })).status).toBe(200);
    expect((await baton.fhir('PUT', '/CareTeam/theirs', { as, body })).status).toBe(403);
    const headers = { 'content-type': 'application/json-patch+json' };
    const patch = [{ op: 'add', path: '/participant/-', value: member }];
    expect((await baton.fhir('PATCH', '/CareTeam/theirs', { as, headers, body: patch })).status).toBe(403);
    expect((await baton.fhir('GET', '/Task/done', { as })).status).toBe(404);
  });

  it('does not turn a task over to somebody whom it names already', async () => {
    const task = { status: 'requested', intent: 'order', for: ref('Patient/cyd'), owner: ref('Practitioner/nurse') };
    const body = { resourceType: 'Task', id: 'for-ann', ...task };
    expect((await baton.fhir('PUT', '/Task/for-ann', { as, body })).status).toBe(403);
    expect((await baton.fhir('GET', '/Task/done', { as })).status).toBe(404);
  });

  it('does not move an entry into the record of somebody whom it names already', async () => {
    const people = (subject: string, performer: string) => ({
      status: 'final',
      code: { text: 'x' },
      subject: ref(`Patient/${subject}`),
      performer: [ref(`Patient/${performer}`)],
    });
    await put('Observation', 'two', people('ann', 'cyd'));
    const body = (subject: string, performer: string) => ({
      resourceType: 'Observation',
      id: 'two',
      ...people(subject, performer),
    });
    expect((await baton.fhir('PUT', '/Observation/two', { as, body: body('cyd', 'ann') })).status).toBe(403);
    expect((await baton.fhir('PUT', '/Observation/two', { as, body: body('ann', 'cyd') })).status).toBe(200);
  });

  it('does not see a past version that was about somebody whom the current one names', async () => {
    const task = (forWhom: string, requester: string) => ({
      status: 'requested',
      intent: 'order',
      for: ref(`Patient/${forWhom}`),
      requester: ref(`Patient/${requester}`),
    });
    await put('Task', 'turned', task('cyd', 'ann'));
    expect((await baton.fhir('GET', '/Task/turned', { as })).status).toBe(404);
    await put('Task', 'turned', task('ann', 'cyd'));
    await put('Task', 'turned', { ...task('ann', 'cyd'), description: 'now' });
    expect((await baton.fhir('GET', '/Task/turned/_history/1', { as })).status).toBe(404);
    expect((await baton.fhir('GET', '/Task/turned/_history/2', { as })).status).toBe(200);
    expect((await baton.fhir('GET', '/Task/turned/_history', { as })).json.entry).toHaveLength(2);
  });

  it('changes what names somebody else and stays about her patient', async () => {
    const task = { status: 'accepted', intent: 'order', for: ref('Patient/ann'), requester: ref('Patient/cyd') };
    const body = { resourceType: 'Task', id: 'for-ann', ...task, owner: ref('Practitioner/nurse') };
    expect((await baton.fhir('PUT', '/Task/for-ann', { as, body })).status).toBe(200);
  });

  it('registers nobody for another organization, vouching for the new patient herself', async () => {
    const fullUrl = 'urn:uuid:5f0b6fa5-6a8e-4a4c-9d7d-3f1f7f2b8c11';
    for (const more of [{ managingOrganization: ref('Organization/south') }, {}]) {
      const body = transaction(
        { fullUrl, resource: { resourceType: 'Patient', ...more }, request: { method: 'POST', url: 'Patient' } },
        {
          resource: { resourceType: 'CareTeam', status: 'active', subject: ref(fullUrl), participant: [member] },
          request: { method: 'POST', url: 'CareTeam' },
        },
      );
      expect((await baton.fhir('POST', '', { as, body })).status).toBe(403);
    }
  });

  it('does not keep what emergency access has opened', async () => {
    const reason = { name: 'reason', valueString: 'Found unconscious at home' };
    const body = { resourceType: 'Parameters', parameter: [reason] };
    await put('Patient', 'eve', { managingOrganization: ref('Organization/south') });
    expect((await baton.fhir('POST', '/Patient/eve/$break-glass', { as, body })).status).toBe(201);
    const team = { resourceType: 'CareTeam', status: 'active', subject: ref('Patient/eve'), participant: [member] };
    expect((await baton.fhir('POST', '/CareTeam', { as, body: team })).status).toBe(403);
    const note = { resourceType: 'Observation', status: 'final', code: { text: 'pulse' }, subject: ref('Patient/eve') };
    expect((await baton.fhir('POST', '/Observation', { as, body: note })).status).toBe(201);
    const statement = { sql: 'UPDATE emergency_access SET ends = 1', params: [] };
    await baton.temp.store.commit({ reference: 'test', kind: 'service' }, [], [statement]);
    expect((await baton.fhir('GET', '/Patient/eve', { as })).status).toBe(404);
  });
});

describe('a supervisor', () => {
  let as: string;
  beforeAll(async () => {
    as = await baton.tokenOf('Practitioner/chief', 'user/*.cruds');
  });

  it('does not make a patient known by deleting who is hidden', async () => {
    await put('Patient', 'dan', { managingOrganization: ref('Organization/south') });
    const subject = ref(`${FHIR}/Patient/dan`);
    const participant = [{ member: ref('Practitioner/chief') }];
    const body = transaction(
      { request: { method: 'DELETE', url: 'Patient/dan' } },
      {
        resource: { resourceType: 'CareTeam', status: 'active', subject, participant },
        request: { method: 'POST', url: 'CareTeam' },
      },
    );
    expect((await baton.fhir('POST', '', { as, body })).status).toBe(403);
    expect(await patients(as)).not.toContain('dan');
  });

  it('does not take over a patient of another organization who is linked to one of hers', async () => {
    const body = {
      resourceType: 'Patient',
      id: 'cyd',
      managingOrganization: ref('Organization/north'),
      link: [{ other: ref('Patient/ann'), type: 'seealso' }],
    };
    expect((await baton.fhir('PUT', '/Patient/cyd', { as, body })).status).toBe(403);
    expect((await baton.fhir('GET', '/Task/done', { as })).status).toBe(404);
  });

  it('gives roles of care, not those that open the doors of operation', async () => {
    const role = (code: string, id = 'nurse') => ({ resourceType: 'PractitionerRole', ...holding(id, code, 'north') });
    const create = (body: object) => baton.fhir('POST', '/PractitionerRole', { as, body });
    expect((await create(role('pharmacist'))).status).toBe(201);
    expect((await create(role('integration-engineer', 'chief'))).status).toBe(403);
    expect((await create(role('privacy-officer', 'aide'))).status).toBe(403);
    const both = { coding: [{ system: CARE_ROLE, code: 'integration-engineer' }] };
    expect((await create({ ...role('pharmacist'), code: [...role('pharmacist').code, both] })).status).toBe(403);
    expect((await create(role('physician', 'chief'))).status).toBe(403);
  });
});

describe('a community partner', () => {
  let as: string;
  const owner = ref('Organization/south');
  beforeAll(async () => {
    as = await baton.tokenOf('Practitioner/pantry', 'user/*.cruds');
  });

  it.each([
    ['open a record again by opening a task again', 'done'],
    ['turn a task over to who requested it', 'open'],
  ])('does not %s', async (_, id) => {
    const { json: before } = await baton.fhir('GET', `/Task/${id}`, { as: await baton.token('system/*.rs') });
    const body = { resourceType: 'Task', id, status: 'accepted', intent: 'order', for: ref('Patient/cyd'), owner };
    expect((await baton.fhir('PUT', `/Task/${id}`, { as, body })).status).toBe(403);
    expect((await baton.fhir('GET', `/Task/${id}`, { as: await baton.token('system/*.rs') })).json).toEqual(before);
  });
});

describe('an application', () => {
  it('does not test by a patch what it may only write', async () => {
    const as = await baton.token('system/Patient.u patient/Patient.r', 'ann');
    const headers = { 'content-type': 'application/json-patch+json' };
    await put('Patient', 'fay', { managingOrganization: ref('Organization/south') });
    const test = (value: string) => [{ op: 'test', path: '/managingOrganization/reference', value }];
    for (const value of ['Organization/south', 'Organization/north']) {
      expect((await baton.fhir('PATCH', '/Patient/fay', { as, headers, body: test(value) })).status).toBe(404);
    }
    expect((await baton.fhir('PATCH', '/Patient/ann', { as, headers, body: test('Organization/north') })).status).toBe(
      200,
    );
  });

  it("goes on from somebody else's page through its own reach only, and makes up no page", async () => {
    const pageOf = async (as: string | undefined, path: string) =>
      baton.fhir('GET', path, as === undefined ? {} : { as });
    const nextOf = ({ json }: Answer) =>
      json.link?.find(({ relation }) => relation === 'next')?.url.replace(/^.*\/fhir\/R4/, '') ?? '';
    const as = await baton.token('patient/Task.rs', 'ann');
    const path = '/Task?_sort=-status&_count=1';
    const next = nextOf(await pageOf(undefined, path));
    for (let page = next; page !== ''; ) {
      const found = await pageOf(as, page);
      expect(found.status).toBe(200);
      for (const { resource } of found.json.entry ?? []) expect(['for-ann', 'open', 'turned']).toContain(resource?.id);
      page = nextOf(found);
    }
    const cursor = /_cursor=([\w-]+)/.exec(next)?.[1] ?? '';
    const forged = cursor.slice(0, 16) + Buffer.from(JSON.stringify([0, 'requested'])).toString('base64url');
    expect((await pageOf(as, next.replace(cursor, forged))).status).toBe(400);
  });
});

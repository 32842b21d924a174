// The life of a case through /api/v1, and what of it shows in FHIR.
import type { CarePlan, CareTeam, EpisodeOfCare, Task } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ApiServer, serveApi } from './api-client.ts';

let baton: ApiServer;
let count = 0;

beforeAll(async () => {
  baton = await serveApi();
  await baton.put(
    ...['one', 'two'].map((id) => ({ resourceType: 'Practitioner', id, name: [{ family: id }] })),
    { resourceType: 'Patient', id: 'dead', deceasedDateTime: '2026-01-01' },
    { resourceType: 'Patient', id: 'survivor' },
    {
      resourceType: 'Patient',
      id: 'merged',
      link: [{ other: { reference: 'Patient/survivor' }, type: 'replaced-by' }],
    },
    { resourceType: 'Patient', id: 'inactive', active: false },
  );
});

afterAll(() => baton.close());

interface Case {
  readonly id: string;
  readonly version: string;
  readonly status: string;
  readonly plan: { readonly reference: string };
  readonly teams: readonly { readonly reference: string }[];
  readonly [name: string]: unknown;
}

async function newPatient(): Promise<string> {
  const id = `p${++count}`;
  await baton.put({ resourceType: 'Patient', id, name: [{ family: 'Example' }] });
  return `Patient/${id}`;
}

async function open(more: object = {}): Promise<Case> {
  const reference = await newPatient();
  const answer = await baton.api('POST', '/cases', { body: { patient: { reference }, ...more } });
  expect(answer.status, answer.text).toBe(201);
  return answer.json as unknown as Case;
}

const managed = () => open({ careManager: { reference: 'Practitioner/one' } });
const verb = (id: string, name: string, body: object) => baton.api('POST', `/cases/${id}/${name}`, { body });
const fhir = async <T>(reference: string) => (await baton.fhir('GET', `/${reference}`)).json as unknown as T;
const patientOf = ({ patient }: Case) => (patient as { reference: string }).reference;

async function task(of: Case, id: string, more: object = {}): Promise<void> {
  await baton.put({
    resourceType: 'Task',
    id,
    status: 'requested',
    intent: 'order',
    description: 'Call',
    for: { reference: patientOf(of) },
    basedOn: [{ reference: of.plan.reference }],
    owner: { reference: 'Practitioner/one' },
    ...more,
  });
}

describe('opening', () => {
  it('makes episode, plan and team, which name each other', async () => {
    const made = await open({
      programme: { text: 'Diabetes' },
      priority: 'urgent',
      reasons: [{ text: 'Two admissions' }],
      careManager: { reference: 'Practitioner/one' },
      team: [{ member: { reference: 'Practitioner/two' }, role: { text: 'Dietitian' } }],
    });
    const episode = await fhir<EpisodeOfCare>(`EpisodeOfCare/${made.id}`);
    const plan = await fhir<CarePlan>(made.plan.reference);
    const team = await fhir<CareTeam>(made.teams[0]?.reference ?? '');
    expect(episode).toMatchObject({ status: 'active', careManager: { reference: 'Practitioner/one' } });
    expect(plan).toMatchObject({
      status: 'active',
      identifier: [{ system: 'urn:baton:case-plan', value: made.id }],
      extension: [
        {
          url: 'http://hl7.org/fhir/StructureDefinition/workflow-episodeOfCare',
          valueReference: { reference: `EpisodeOfCare/${made.id}` },
        },
      ],
      careTeam: episode.team,
      author: { identifier: { value: 'tester' } },
    });
    expect(team.participant?.map(({ member }) => member?.reference)).toEqual([
      patientOf(made),
      'Practitioner/one',
      'Practitioner/two',
    ]);
    expect(made).toMatchObject({
      priority: 'urgent',
      programme: { text: 'Diabetes' },
      reasons: [{ text: 'Two admissions' }],
    });
    for (const resource of [episode, plan, team]) {
      const checked = await baton.fhir('POST', `/${resource.resourceType}/$validate`, { body: resource });
      expect(checked.json.issue?.filter((issue) => (issue as { severity?: string }).severity === 'error')).toEqual([]);
    }
  });

  it.each([
    ['dead', 'died'],
    ['merged', 'Patient/survivor'],
    ['inactive', 'not active'],
    ['nobody', 'no such patient'],
  ])('for a patient who is %s is refused, and nothing is made', async (id, word) => {
    const head = await baton.temp.store.head();
    const answer = await baton.api('POST', '/cases', { body: { patient: { reference: `Patient/${id}` } } });
    expect([answer.status, answer.json.detail]).toEqual([422, expect.stringContaining(word)]);
    expect(answer.json.errors).toMatchObject([{ member: 'patient' }]);
    expect(await baton.temp.store.head()).toBe(head);
  });

  it('a second one of the same programme is refused while the first is open', async () => {
    const first = await open({ programme: { system: 'urn:x', code: 'hf', text: 'Heart failure' } });
    const body = { patient: { reference: patientOf(first) }, programme: { system: 'urn:x', code: 'hf' } };
    const second = await baton.api('POST', '/cases', { body });
    expect([second.status, second.json.detail]).toEqual([409, expect.stringContaining(`EpisodeOfCare/${first.id}`)]);
    const other = await baton.api('POST', '/cases', { body: { ...body, programme: { text: 'COPD' } } });
    expect(other.status, other.text).toBe(201);
    await verb(first.id, 'close', { reason: { text: 'done' }, outcome: { text: 'well' } });
    expect((await baton.api('POST', '/cases', { body })).status).toBe(201);
  });

  it('twice at the same time makes one', async () => {
    const reference = await newPatient();
    const send = () => baton.api('POST', '/cases', { body: { patient: { reference } } });
    const answers = await Promise.all([send(), send(), send()]);
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409, 409]);
  });
});

describe('managers', () => {
  it('the first is assigned, the next takes over with team and tasks', async () => {
    const made = await open();
    expect((await verb(made.id, 'handover', { to: { reference: 'Practitioner/two' }, note: 'x' })).status).toBe(422);
    const assigned = await verb(made.id, 'assign', { careManager: { reference: 'Practitioner/one' } });
    expect(assigned.json, assigned.text).toMatchObject({
      careManager: { reference: 'Practitioner/one' },
      version: '2',
    });
    expect((await verb(made.id, 'assign', { careManager: { reference: 'Practitioner/two' } })).status).toBe(409);
    await task(made, 'mine');
    await task(made, 'done', { status: 'completed' });
    await task(made, 'theirs', { owner: { reference: 'Practitioner/two' } });
    const body = { to: { reference: 'Practitioner/two' }, note: 'Prefers calls after five.' };
    const handed = await verb(made.id, 'handover', body);
    expect(handed.json, handed.text).toMatchObject({ careManager: { reference: 'Practitioner/two' } });
    const owners = await Promise.all(
      ['mine', 'done', 'theirs'].map(async (id) => (await fhir<Task>(`Task/${id}`)).owner),
    );
    expect(owners.map((owner) => owner?.reference)).toEqual([
      'Practitioner/two',
      'Practitioner/one',
      'Practitioner/two',
    ]);
    const team = await fhir<CareTeam>(made.teams[0]?.reference ?? '');
    const managers = team.participant
      ?.slice(1)
      .map(({ member, period }) => [member?.reference, period?.end !== undefined]);
    expect(managers).toEqual([
      ['Practitioner/one', true],
      ['Practitioner/two', false],
    ]);
    const notes = await baton.fhir('GET', `/Communication?subject=${patientOf(made)}`);
    expect(notes.json.entry?.[0]?.resource).toMatchObject({ payload: [{ contentString: body.note }] });
  });

  it('are practitioners, and the date of a hand-over is between the beginning and now', async () => {
    const made = await managed();
    const to = { reference: 'Practitioner/two' };
    const dates = [{ date: '2001-01-01' }, { date: '2999-01-01' }];
    for (const more of dates) {
      const answer = await verb(made.id, 'handover', { to, note: 'x', ...more });
      expect([answer.status, answer.json.errors]).toMatchObject([422, [{ member: 'date' }]]);
    }
    const wrong = await verb(made.id, 'handover', { to: { reference: patientOf(made) }, note: 'x' });
    expect([wrong.status, wrong.json.errors]).toMatchObject([422, [{ member: 'to' }]]);
  });
});

describe('status', () => {
  it('goes on hold and on again, with its history and reasons', async () => {
    const made = await managed();
    const held = await verb(made.id, 'hold', { reason: { text: 'In hospital' } });
    expect(held.json, held.text).toMatchObject({ status: 'onhold', statusReason: { text: 'In hospital' } });
    const again = (await verb(made.id, 'resume', { note: 'Home again' })).json as unknown as Case;
    expect(again).toMatchObject({ status: 'active' });
    expect(again).not.toHaveProperty('statusReason');
    expect(again.statusHistory).toMatchObject([
      { status: 'active', period: { end: expect.anything() } },
      { status: 'onhold', reason: { text: 'In hospital' }, period: { end: expect.anything() } },
      { status: 'active' },
    ]);
    const twice = await verb(made.id, 'resume', {});
    expect([twice.status, twice.json.detail]).toEqual([422, expect.stringContaining('it is active')]);
  });

  it('closes with plan and team; open interventions stand against it or are cancelled', async () => {
    const made = await managed();
    await task(made, 'open1');
    await baton.put({
      resourceType: 'ServiceRequest',
      id: 'order1',
      status: 'active',
      intent: 'order',
      code: { text: 'Meals' },
      subject: { reference: patientOf(made) },
      basedOn: [{ reference: made.plan.reference }],
    });
    const end = { reason: { text: 'Goals met' }, outcome: { text: 'Well' }, note: 'Goodbye' };
    const refused = await verb(made.id, 'close', end);
    expect([refused.status, refused.json.detail]).toEqual([409, expect.stringContaining('Task/open1')]);
    const closed = await verb(made.id, 'close', { ...end, outstanding: 'cancel' });
    expect(closed.json, closed.text).toMatchObject({
      status: 'finished',
      outcome: { text: 'Well' },
      period: { end: expect.anything() },
    });
    expect(await fhir(made.plan.reference)).toMatchObject({ status: 'completed' });
    expect(await fhir(made.teams[0]?.reference ?? '')).toMatchObject({ status: 'inactive' });
    expect(await fhir('Task/open1')).toMatchObject({ status: 'cancelled', statusReason: { text: 'Goals met' } });
    expect(await fhir('ServiceRequest/order1')).toMatchObject({ status: 'revoked' });
    for (const [name, body] of [
      ['hold', { reason: { text: 'x' } }],
      ['close', end],
      ['cancel', { reason: { text: 'x' } }],
      ['assign', { careManager: { reference: 'Practitioner/one' } }],
    ] as const) {
      expect((await verb(made.id, name, body)).status).toBe(422);
    }
  });

  it('a planned case is activated or cancelled', async () => {
    const planned = await open({ status: 'planned' });
    expect((await verb(planned.id, 'activate', {})).json).toMatchObject({ status: 'active' });
    const waiting = await open({ status: 'waitlist' });
    expect((await verb(waiting.id, 'close', { reason: { text: 'x' }, outcome: { text: 'x' } })).status).toBe(422);
    const cancelled = await verb(waiting.id, 'cancel', { reason: { text: 'Declined' } });
    expect(cancelled.json).toMatchObject({ status: 'cancelled', statusReason: { text: 'Declined' } });
    expect(await fhir(waiting.plan.reference)).toMatchObject({ status: 'revoked' });
  });
});

describe('what others wrote', () => {
  it('stays when a command changes something else', async () => {
    const made = await managed();
    const stored = await fhir<EpisodeOfCare>(`EpisodeOfCare/${made.id}`);
    const more = {
      ...stored,
      extension: [{ url: 'urn:other', valueString: 'x' }],
      account: [{ display: 'Payer' }],
      identifier: [{ value: '7' }],
    };
    expect((await baton.fhir('PUT', `/EpisodeOfCare/${made.id}`, { body: more })).status).toBe(200);
    const revised = await baton.api('PATCH', `/cases/${made.id}`, {
      body: { priority: 'stat', reasons: [{ text: 'New' }] },
    });
    expect(revised.json, revised.text).toMatchObject({ priority: 'stat', reasons: [{ text: 'New' }] });
    await baton.api('PATCH', `/cases/${made.id}`, { body: { priority: null, reasons: [] } });
    const { meta: _, ...after } = await fhir<EpisodeOfCare>(`EpisodeOfCare/${made.id}`);
    const { meta: __, ...before } = more;
    expect(after).toEqual(before);
  });

  it('a stale tag is refused, the present one is not', async () => {
    const made = await managed();
    const ifMatch = (tag: string) => ({ headers: { 'if-match': tag }, body: { priority: 'urgent' } });
    const { headers } = await baton.api('GET', `/cases/${made.id}`);
    expect((await baton.api('PATCH', `/cases/${made.id}`, ifMatch('W/"7"'))).status).toBe(412);
    expect((await baton.api('PATCH', `/cases/${made.id}`, ifMatch(String(headers.etag)))).status).toBe(200);
    expect((await baton.api('PATCH', `/cases/${made.id}`, ifMatch(String(headers.etag)))).status).toBe(412);
    expect((await baton.api('PATCH', `/cases/${made.id}`, ifMatch('W/"2"'))).status).toBe(200);
  });

  it('an episode that is no case is none here', async () => {
    const patient = { reference: await newPatient() };
    await baton.put({ resourceType: 'EpisodeOfCare', id: 'stay', status: 'active', patient });
    expect((await baton.api('GET', '/cases/stay')).status).toBe(404);
    expect((await verb('stay', 'hold', { reason: { text: 'x' } })).status).toBe(404);
  });
});

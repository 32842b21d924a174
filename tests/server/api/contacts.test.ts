// The people of a case and the contacts with them, through the API.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ReferWorld, referWorld, type Shown } from './refer-world.ts';

let baton: ReferWorld;

beforeAll(async () => {
  baton = await referWorld();
});

afterAll(() => baton.close());

const see = (answer: { json: unknown }) => answer.json as Shown;

describe('the team of a case', () => {
  it('gains, changes and ends members, and keeps all of them', async () => {
    const id = await baton.open('ann');
    const path = `/cases/${id}/team`;
    await baton.put({ resourceType: 'RelatedPerson', id: 'son', active: true, patient: { reference: 'Patient/ann' } });
    const add = (reference: string, role: string, more: object = {}) =>
      baton.asNurse('POST', `${path}/members`, { member: { reference }, role: { text: role }, ...more });
    for (const [reference, role] of [
      ['RelatedPerson/son', 'Son'],
      ['Organization/pantry', 'Meals'],
      ['PractitionerRole/nurse-role', 'Backup nurse'],
    ] as const) {
      const answer = await add(reference, role, { duties: role === 'Backup nurse' ? ['backup'] : [] });
      expect(answer.status, answer.text).toBe(200);
    }
    expect((await add('Organization/pantry', 'Meals')).status).toBe(409);
    expect((await add('Patient/other', 'Friend')).status).toBe(422);
    expect((await add('Practitioner/nurse', 'Coach', { end: '2001-01-01' })).status).toBe(422);

    const team = see(await baton.asNurse('GET', path)).items[0];
    expect(team).toMatchObject({ ofCase: true });
    const of = (reference: string) => team?.members.find((one) => one.member.reference === reference)?.id;
    expect(team?.members.map(({ kind }) => kind)).toEqual(['patient', 'staff', 'family', 'community', 'staff']);

    const changed = await baton.asNurse('POST', `${path}/members/${of('RelatedPerson/son')}/change`, {
      role: { text: 'Health care proxy' },
    });
    expect(changed.status, changed.text).toBe(200);
    const led = await baton.asNurse('POST', `${path}/members/${of('Practitioner/nurse')}/lead`);
    expect(see(led).members.filter(({ duties }) => (duties as string[] | undefined)?.includes('lead'))).toHaveLength(1);
    const ended = await baton.asNurse('POST', `${path}/members/${of('Organization/pantry')}/end`, {
      end: '2030-12-31',
      note: 'The pantry closes.',
    });
    expect(see(ended).members).toHaveLength(6);
    expect(see(ended)).toMatchObject({ notes: ['The pantry closes.'] });
    expect((await baton.asNurse('POST', `${path}/members/none/end`, {})).status).toBe(404);
  });

  it('is made by the first member when there is none, and shown beside teams from elsewhere', async () => {
    await baton.put(
      { resourceType: 'Patient', id: 'bo', name: [{ family: 'bo' }] },
      {
        resourceType: 'EpisodeOfCare',
        id: 'bo-case',
        status: 'active',
        type: [{ coding: [{ system: 'https://baton.health/fhir/CodeSystem/episode-type', code: 'case-management' }] }],
        patient: { reference: 'Patient/bo' },
        careManager: { reference: 'Practitioner/nurse' },
      },
      {
        resourceType: 'CareTeam',
        id: 'foreign',
        subject: { reference: 'Patient/bo' },
        participant: [{ member: { display: 'Dr. Elsewhere' } }],
      },
    );
    const made = await baton.asNurse('POST', '/cases/bo-case/team/members', {
      member: { reference: 'Practitioner/nurse' },
      role: { text: 'Nurse' },
    });
    expect(made.status, made.text).toBe(201);
    const { items } = see(await baton.asNurse('GET', '/cases/bo-case/team'));
    expect(items.map(({ ofCase }) => ofCase)).toEqual([true, false]);
    expect(items[1]?.members).toMatchObject([{ member: { display: 'Dr. Elsewhere' }, current: true }]);
  });
});

describe('a caregiver', () => {
  it('is added, changed, watched for strain and let go', async () => {
    const id = await baton.open('cat');
    const path = `/cases/${id}/caregivers`;
    const added = await baton.asNurse('POST', path, {
      name: { given: ['Rosa'], family: 'Diaz' },
      relationship: [{ text: 'Daughter' }],
      language: 'es',
      permissions: ['know-condition'],
      emergencyContact: true,
    });
    expect(added.status, added.text).toBe(201);
    const one = `${path}/${see(added).id}`;
    const changed = await baton.asNurse('POST', `${one}/change`, { permissions: ['decide'], emergencyContact: false });
    expect(see(changed)).toMatchObject({ permissions: ['decide'], emergencyContact: false, language: 'es' });
    const noted = await baton.asNurse('POST', `${one}/strain`, { level: 'severe', note: 'Does not sleep' });
    expect(noted.status, noted.text).toBe(201);
    await baton.asNurse('POST', `${one}/strain`, { level: 'some', observed: '2020-01-01' });
    const { items } = see(await baton.asNurse('GET', path));
    expect(items).toMatchObject([{ strain: { level: 'severe', notes: ['Does not sleep'] } }]);
    expect(see(await baton.asNurse('GET', `${one}/strain`)).items.map(({ level }) => level)).toEqual([
      'severe',
      'some',
    ]);
    expect((await baton.asNurse('POST', `${one}/strain`, { level: 'some', observed: '2099-01-01' })).status).toBe(422);
    expect(see(await baton.asNurse('POST', `${one}/end`, {}))).toMatchObject({ active: false });
  });
});

describe('contacts', () => {
  const call = { channel: 'phone', party: 'patient', outcome: 'no-answer', started: '2026-01-05T10:00:00-05:00' };

  async function withTask(patient: string) {
    const id = await baton.open(patient);
    await baton.put({
      resourceType: 'Task',
      id: `${patient}-call`,
      status: 'requested',
      intent: 'order',
      for: { reference: `Patient/${patient}` },
    });
    const log = (more: object = {}) => baton.asNurse('POST', `/cases/${id}/contacts`, { ...call, ...more });
    return { id, log, intervention: { reference: `Task/${patient}-call` } };
  }

  it('are logged, counted as attempts, and complete the intervention', async () => {
    const { id, log, intervention } = await withTask('dan');
    const first = await log({ intervention });
    expect(first.status, first.text).toBe(201);
    expect(see(first)).toMatchObject({ status: 'not-done', outcome: 'no-answer', attempt: 1, interactive: false });
    expect((await log({ intervention, completes: true })).status).toBe(422);
    const reached = await log({
      intervention,
      completes: true,
      outcome: 'reached',
      started: '2026-01-06T10:00:00-05:00',
      ended: '2026-01-06T10:20:00-05:00',
      language: 'es',
      interpreter: true,
    });
    expect(see(reached), reached.text).toMatchObject({ attempt: 2, interactive: true, interpreter: true });
    const task = see(await baton.fhir('GET', '/Task/dan-call'));
    expect(task).toMatchObject({
      status: 'completed',
      output: [{ valueReference: { reference: `Communication/${see(reached).id}` } }],
    });
    const list = see(await baton.asNurse('GET', `/cases/${id}/contacts`));
    expect(list.items.map(({ outcome }) => outcome)).toEqual(['reached', 'no-answer']);
    expect(list.attempts).toMatchObject([{ intervention, attempts: 2, reached: 1 }]);
    const missed = see(await baton.asNurse('GET', `/cases/${id}/contacts?outcome=no-answer&since=2026-01-01`));
    expect(missed.items).toHaveLength(1);
  });

  it('are corrected, never overwritten', async () => {
    const { id, log } = await withTask('eve');
    const wrong = see(await log());
    const contact = { ...call, outcome: 'left-message' };
    const path = `/cases/${id}/contacts/${wrong.id}`;
    const right = await baton.asNurse('POST', `${path}/correct`, { contact, reason: 'Wrong outcome' });
    expect(right.status, right.text).toBe(201);
    expect(see(right)).toMatchObject({ corrects: { reference: `Communication/${wrong.id}` }, outcome: 'left-message' });
    expect(see(await baton.asNurse('GET', path))).toMatchObject({
      status: 'entered-in-error',
      notes: ['Wrong outcome'],
    });
    expect((await baton.asNurse('POST', `${path}/retract`, {})).status).toBe(422);
    const { items } = see(await baton.asNurse('GET', `/cases/${id}/contacts`));
    expect(items.map((one) => one.id)).toEqual([see(right).id]);
  });

  it('by video may be visits, which are taken back with them', async () => {
    const { id, log } = await withTask('vic');
    const video = {
      channel: 'video',
      outcome: 'reached',
      purpose: { text: 'Breathless at night' },
      ended: '2026-01-05T10:25:00-05:00',
      visit: { service: { text: 'Case management' } },
    };
    const logged = await log(video);
    expect(logged.status, logged.text).toBe(201);
    const { reference } = see(logged).visit as { reference: string };
    expect(see(await baton.fhir('GET', `/${reference}`))).toMatchObject({
      status: 'finished',
      class: { code: 'VR' },
      serviceType: { text: 'Case management' },
      subject: { reference: 'Patient/vic' },
      episodeOfCare: [{ reference: `EpisodeOfCare/${id}` }],
      participant: [{ individual: { reference: 'Practitioner/nurse' } }],
      period: { start: '2026-01-05T10:00:00-05:00', end: '2026-01-05T10:25:00-05:00' },
      serviceProvider: { reference: 'Organization/clinic' },
    });
    const told = see(await baton.asNurse('GET', `/cases/${id}/timeline`)).items;
    expect(told.filter(({ when }) => when === call.started)).toMatchObject([
      { kind: 'contact', reference: `Communication/${see(logged).id}` },
    ]);

    const path = `/cases/${id}/contacts/${see(logged).id}/correct`;
    const { visit: _, ...noVisit } = video;
    const right = await baton.asNurse('POST', path, { contact: { ...call, ...noVisit } });
    expect(right.status, right.text).toBe(201);
    expect(see(right).visit).toBeUndefined();
    expect(see(await baton.fhir('GET', `/${reference}`)).status).toBe('entered-in-error');
    const again = see(await log(video));
    await baton.asNurse('POST', `/cases/${id}/contacts/${again.id}/retract`, {});
    const second = (again.visit as { reference: string }).reference;
    expect(see(await baton.fhir('GET', `/${second}`)).status).toBe('entered-in-error');

    for (const wrong of [
      { channel: 'phone' },
      { outcome: 'no-answer' },
      { party: 'provider' },
      { interactive: false },
    ]) {
      const refused = await log({ ...video, ...wrong });
      expect([refused.status, refused.json.errors]).toMatchObject([422, [{ member: 'visit' }]]);
    }
    const byApplication = await baton.api('POST', `/cases/${id}/contacts`, { body: { ...call, ...video } });
    expect([byApplication.status, byApplication.json.errors]).toMatchObject([422, [{ member: 'visit' }]]);
  });

  it('in the future, ending before they began, or about a task of somebody else are refused', async () => {
    const { log } = await withTask('flo');
    const { intervention } = await withTask('gil');
    const future = await log({ started: '2099-01-01T00:00:00Z' });
    expect([future.status, future.json.errors]).toMatchObject([422, [{ member: 'started' }]]);
    const backwards = await log({ ended: '2026-01-05T09:00:00-05:00' });
    expect(backwards.json.errors).toMatchObject([{ member: 'ended' }]);
    expect((await log({ intervention })).json.errors).toMatchObject([{ member: 'intervention' }]);
    expect((await log({ channel: 'pigeon' })).json.errors).toMatchObject([{ member: 'channel' }]);
    expect((await log({ mood: 'good' })).json.errors).toMatchObject([{ member: 'mood' }]);
  });

  it('logged by an application name the application', async () => {
    const { id, intervention } = await withTask('ike');
    const answer = await baton.api('POST', `/cases/${id}/contacts`, {
      body: { ...call, intervention, note: 'Called' },
    });
    expect(answer.status, answer.text).toBe(201);
    expect(see(answer)).toMatchObject({ by: { display: expect.any(String) }, notes: ['Called'] });
    const referral = { kind: 'therapy', service: { text: 'Physical therapy' }, note: 'Twice a week' };
    const made = await baton.api('POST', `/cases/${id}/referrals`, { body: referral });
    expect(made.status, made.text).toBe(201);
  });

  it('written as FHIR by somebody else are shown', async () => {
    const { id } = await withTask('hana');
    await baton.put({
      resourceType: 'Communication',
      id: 'elsewhere',
      status: 'completed',
      subject: { reference: 'Patient/hana' },
      sent: '2026-01-01T08:00:00Z',
      note: [{ text: 'From the hospital' }],
    });
    const { items } = see(await baton.asNurse('GET', `/cases/${id}/contacts`));
    expect(items).toMatchObject([{ id: 'elsewhere', ofCase: false, outcome: 'reached', notes: ['From the hospital'] }]);
  });
});

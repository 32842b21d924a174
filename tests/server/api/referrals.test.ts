// Referrals through the API: made by a nurse, answered by partners under their own tokens, closed by the nurse.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ReferWorld, referWorld, type Shown } from './refer-world.ts';

let baton: ReferWorld;

beforeAll(async () => {
  baton = await referWorld();
});

afterAll(() => baton.close());

const FOOD = {
  kind: 'community-resource',
  service: { system: 'http://snomed.info/sct', code: '467771000124109', text: 'Help with a food pantry application' },
  sdoh: ['food-insecurity'],
} as const;

const see = (answer: { json: unknown }) => answer.json as Shown;

async function make(id: string, more: object) {
  const answer = await baton.asNurse('POST', `/cases/${id}/referrals`, { ...FOOD, ...more });
  expect(answer.status, answer.text).toBe(201);
  return see(answer);
}

const step = (as: string, task: Shown, verb: string, body: object = {}) =>
  baton.api('POST', `/referrals/${task.id}/${verb}`, { as, body });

const toPantry = { to: { reference: 'Organization/pantry' } };

describe('a referral to a partner', () => {
  it('goes from asking to the closed loop, with the goal and the need', async () => {
    const id = await baton.open('ada');
    const subject = { reference: 'Patient/ada' };
    await baton.put(
      { resourceType: 'Condition', id: 'hunger', subject, code: { text: 'Food insecurity' } },
      { resourceType: 'Goal', id: 'eat', subject, lifecycleStatus: 'active', description: { text: 'Enough to eat' } },
    );
    const made = await make(id, { ...toPantry, needs: ['hunger'], goals: ['eat'], due: '2030-01-31' });
    expect(made).toMatchObject({
      status: 'active',
      inPlan: true,
      sdoh: ['food-insecurity'],
      to: [{ reference: 'Organization/pantry' }],
      requester: { reference: 'PractitionerRole/nurse-role' },
      task: { status: 'requested', owner: { reference: 'Organization/pantry' }, open: false, due: '2030-01-31' },
    });
    const plan = see(await baton.fhir('GET', `/CarePlan?identifier=urn:baton:case-plan|${id}`));
    expect(JSON.stringify(plan)).toContain(`ServiceRequest/${made.id}`);
    expect(JSON.stringify(plan)).toContain(`Task/${made.task.id}`);

    const polled = see(await baton.api('GET', '/referrals?owner=Organization/pantry', { as: baton.paula }));
    expect(polled.items.map((one) => one.id)).toContain(made.task.id);
    const accepted = await step(baton.paula, made.task, 'accept', { startOfCare: '2030-01-15' });
    expect([accepted.status, see(accepted).status], accepted.text).toEqual([200, 'accepted']);
    expect(see(accepted)).toMatchObject({ patient: subject, started: '2030-01-15', service: FOOD.service.text });
    expect((await step(baton.paula, made.task, 'start')).status).toBe(200);
    const held = await step(baton.paula, made.task, 'hold', { reason: 'The pantry moves' });
    expect(see(held)).toMatchObject({ status: 'on-hold', reason: 'The pantry moves' });
    expect(see(await step(baton.paula, made.task, 'start'))).toMatchObject({ status: 'in-progress' });
    const done = await step(baton.paula, made.task, 'complete', { note: 'Food for two weeks' });
    expect([done.status, see(done).status], done.text).toEqual([200, 'completed']);
    const twice = await step(baton.paula, made.task, 'complete', { note: 'Food for two weeks' });
    expect([twice.status, twice.json.detail]).toEqual([422, expect.stringContaining('completed already')]);

    const early = see(await baton.asNurse('GET', `/cases/${id}/referrals/${made.id}`));
    expect(early).toMatchObject({ status: 'active', task: { status: 'completed' } });
    const outcome = (early.task.outcomes as { reference: string }[])[0]?.reference ?? '';
    const procedure = see(await baton.fhir('GET', `/${outcome}`));
    expect(procedure).toMatchObject({
      basedOn: [{ reference: `ServiceRequest/${made.id}` }],
      performer: [{ actor: { reference: 'Organization/pantry' } }],
      subject,
    });

    const closed = await baton.asNurse('POST', `/cases/${id}/referrals/${made.id}/close`, {
      received: true,
      goal: { id: 'eat', achievement: 'achieved' },
      resolves: ['hunger'],
      note: 'She has food at home.',
    });
    expect(closed.status, closed.text).toBe(200);
    expect(see(closed)).toMatchObject({ status: 'completed', closure: { received: true, by: subject } });
    const goal = see(await baton.fhir('GET', '/Goal/eat'));
    expect(goal).toMatchObject({ achievementStatus: { coding: [{ code: 'achieved' }] } });
    const after = await baton.fhir('GET', `/CarePlan?identifier=urn:baton:case-plan|${id}`);
    expect(after.text).toContain(`"outcomeReference":[{"reference":"${outcome}"}]`);
    expect(see(await baton.fhir('GET', '/Condition/hunger'))).toMatchObject({
      clinicalStatus: { coding: [{ code: 'resolved' }] },
    });
  });

  it('is rejected with a reason, and another partner is asked', async () => {
    const id = await baton.open('bob');
    const made = await make(id, toPantry);
    expect((await step(baton.paula, made.task, 'reject')).status).toBe(400);
    const tooEarly = await baton.asNurse('POST', `/cases/${id}/referrals/${made.id}/refer-again`, {});
    expect(tooEarly.status).toBe(422);
    const rejected = await step(baton.paula, made.task, 'reject', { reason: 'Outside our area' });
    expect(see(rejected)).toMatchObject({ status: 'rejected', reason: 'Outside our area' });
    const again = await baton.asNurse('POST', `/cases/${id}/referrals/${made.id}/refer-again`, {
      to: { reference: 'Organization/shelter' },
    });
    expect(again.status, again.text).toBe(200);
    expect(see(again)).toMatchObject({
      to: [{ reference: 'Organization/shelter' }],
      task: { status: 'requested', owner: { reference: 'Organization/shelter' } },
      earlier: [{ id: made.task.id, status: 'rejected' }],
    });
  });

  it('is not for other partners to see or answer', async () => {
    const made = await make(await baton.open('cy'), toPantry);
    expect((await baton.api('GET', `/referrals/${made.task.id}`, { as: baton.sam })).status).toBe(404);
    expect((await step(baton.sam, made.task, 'accept')).status).toBe(404);
  });

  it('is neither answered by who refers, nor led where its status cannot go', async () => {
    const made = await make(await baton.open('dan'), toPantry);
    const answer = await step(baton.nurse, made.task, 'accept');
    expect([answer.status, answer.json.errors], answer.text).toMatchObject([422, [{ member: 'Task.status' }]]);
    expect((await step(baton.paula, made.task, 'reject', { reason: 'Full' })).status).toBe(200);
    expect((await step(baton.paula, made.task, 'start')).status).toBe(403);
    const held = await make(await baton.open('deb'), toPantry);
    expect((await step(baton.paula, held.task, 'hold', { reason: 'Full' })).status).toBe(200);
    const leap = await step(baton.paula, held.task, 'complete');
    expect([leap.status, see(leap).detail], leap.text).toMatchObject([422, expect.stringContaining('in-progress')]);
  });

  it('to a partner who is only called is kept by who refers', async () => {
    const made = await make(await baton.open('don'), { ...toPantry, followedBy: 'us' });
    expect(made.task).toMatchObject({ owner: { reference: 'Practitioner/nurse' } });
    for (const [verb, body] of [['accept'], ['start'], ['fail', { reason: 'Closed for good' }]] as const) {
      const answer = await step(baton.nurse, made.task, verb, body);
      expect(answer.status, answer.text).toBe(200);
    }
  });

  it('is taken back by who refers', async () => {
    const id = await baton.open('dee');
    const made = await make(id, toPantry);
    const path = `/cases/${id}/referrals/${made.id}/withdraw`;
    const answer = await baton.asNurse('POST', path, { reason: 'Moved to her son' });
    expect(answer.status, answer.text).toBe(200);
    expect(see(answer)).toMatchObject({ status: 'revoked', task: { status: 'cancelled', reason: 'Moved to her son' } });
  });

  it('that never came stays open, so that somebody else can be asked', async () => {
    const id = await baton.open('eli');
    const made = await make(id, toPantry);
    const path = `/cases/${id}/referrals/${made.id}`;
    expect((await baton.asNurse('POST', `${path}/close`, { received: true })).status).toBe(422);
    await step(baton.paula, made.task, 'complete', {});
    const closed = await baton.asNurse('POST', `${path}/close`, { received: false });
    expect(see(closed)).toMatchObject({ status: 'active', closure: { received: false } });
    expect((await baton.asNurse('POST', `${path}/refer-again`, { followedBy: 'us' })).status).toBe(200);
  });
});

describe('a referral open to be claimed', () => {
  it('tells nobody whom it is for until one has claimed it', async () => {
    const id = await baton.open('fay');
    const made = await make(id, { note: 'Lives on the third floor' });
    expect(made.task).toMatchObject({ open: true });
    const pool = see(await baton.api('GET', '/referrals?open=true&status=requested', { as: baton.sam }));
    const [open] = pool.items.filter((one) => one.id === made.task.id);
    expect(open).toMatchObject({ service: FOOD.service.text, kind: 'community-resource' });
    expect(open?.patient).toBeUndefined();
    expect((await baton.fhir('GET', '/Patient/fay', { as: baton.sam })).status).toBe(404);
    const claimed = await step(baton.sam, made.task, 'accept');
    expect(claimed.status, claimed.text).toBe(200);
    expect(see(claimed)).toMatchObject({
      owner: { reference: 'Organization/shelter' },
      patient: { reference: 'Patient/fay' },
    });
    expect((await baton.fhir('GET', '/Patient/fay', { as: baton.sam })).status).toBe(200);
    expect((await step(baton.paula, made.task, 'accept')).status).toBe(404);
  });

  it('is claimed through FHIR as well, by one for themselves only', async () => {
    const made = await make(await baton.open('ida'), {});
    const task = (await baton.fhir('GET', `/Task/${made.task.id}`)).json as object;
    const claim = (owner: string) => ({ ...task, status: 'accepted', owner: { reference: owner } });
    const put = (as: string, body: object) => baton.fhir('PUT', `/Task/${made.task.id}`, { as, body });
    expect((await put(baton.sam, claim('Organization/pantry'))).status).toBeGreaterThanOrEqual(403);
    const claimed = await put(baton.sam, claim('Organization/shelter'));
    expect(claimed.status, claimed.text).toBe(200);
    expect((await baton.fhir('GET', '/Patient/ida', { as: baton.sam })).status).toBe(200);
    expect((await put(baton.paula, claim('Organization/pantry'))).status).toBe(404);
  });

  it('to some is claimed by one of them', async () => {
    const made = await make(await baton.open('gus'), { pool: [{ reference: 'Organization/pantry' }] });
    expect((await step(baton.sam, made.task, 'accept')).status).toBe(404);
    expect(see(await step(baton.paula, made.task, 'accept'))).toMatchObject({ status: 'accepted' });
  });
});

describe('a choice of providers', () => {
  it('is offered, made, and then the chosen one is asked', async () => {
    const id = await baton.open('hal');
    const offer = [{ reference: 'Organization/pantry' }, { reference: 'Organization/shelter' }];
    const made = await make(id, { kind: 'facility', service: { text: 'Skilled nursing' }, sdoh: [], offer });
    expect(made).toMatchObject({ choice: { offered: offer, status: 'requested' } });
    expect(made.task).toBeUndefined();
    const path = `/cases/${id}/referrals/${made.id}/choices/${made.choice.id}/choose`;
    expect((await baton.asNurse('POST', path, { chosen: { reference: 'Organization/clinic' } })).status).toBe(422);
    const chosen = await baton.asNurse('POST', path, { chosen: { reference: 'Organization/shelter' } });
    expect(chosen.status, chosen.text).toBe(200);
    expect(see(chosen)).toMatchObject({
      to: [{ reference: 'Organization/shelter' }],
      choice: { chosen: { reference: 'Organization/shelter' }, status: 'completed' },
      task: { status: 'requested', owner: { reference: 'Organization/shelter' } },
    });
    const accepted = await step(baton.sam, see(chosen).task, 'accept', { startOfCare: '2030-02-01' });
    expect(see(accepted)).toMatchObject({ status: 'accepted', started: '2030-02-01' });
  });
});

describe('bad input', () => {
  it('is refused with the member named', async () => {
    const id = await baton.open('ian');
    await baton.open('jo');
    await baton.put({ resourceType: 'Condition', id: 'jos', subject: { reference: 'Patient/jo' } });
    const post = (body: object) => baton.asNurse('POST', `/cases/${id}/referrals`, { ...FOOD, ...body });
    const strange = await post({ ...toPantry, needs: ['jos'] });
    expect([strange.status, strange.json.errors]).toMatchObject([422, [{ member: 'needs[0]' }]]);
    expect((await post({ ...toPantry, pool: [{ reference: 'Organization/shelter' }] })).status).toBe(422);
    expect((await post({ kind: 'magic' })).json.errors).toMatchObject([{ member: 'kind' }]);
    expect((await post({ to: { reference: 'Patient/jo' } })).status).toBe(400);
    expect((await post({ to: { reference: 'HealthcareService/none' } })).status).toBe(422);
    expect((await baton.asNurse('GET', '/cases/none/referrals')).status).toBe(404);
    const none = see(await baton.asNurse('GET', `/cases/${id}/referrals`));
    expect(none.items).toEqual([]);
  });

  it('no referral for a patient who has died', async () => {
    const id = await baton.open('kim');
    await baton.put({ resourceType: 'Patient', id: 'kim', name: [{ family: 'kim' }], deceasedBoolean: true });
    const answer = await baton.asNurse('POST', `/cases/${id}/referrals`, { ...FOOD, ...toPantry });
    expect([answer.status, see(answer).detail]).toEqual([
      422,
      'The patient has died; nothing more is planned. Close the case.',
    ]);
  });

  it('a stale tag is refused', async () => {
    const made = await make(await baton.open('lou'), toPantry);
    const as = baton.paula;
    const headers = { 'if-match': `W/"${made.task.version}"` };
    const path = `/referrals/${made.task.id}`;
    expect((await baton.api('POST', `${path}/accept`, { as, headers, body: {} })).status).toBe(200);
    expect((await baton.api('POST', `${path}/start`, { as, headers, body: {} })).status).toBe(412);
  });
});

describe('community resources', () => {
  it('are registered, found by category, language and distance, and say their capacity', async () => {
    const register = (body: object) => baton.asNurse('POST', '/community-resources', body);
    const made = await register({
      name: 'Harbor Pantry',
      categories: [{ text: 'Food' }],
      sdoh: ['food-insecurity'],
      languages: ['es-MX'],
      provider: { reference: 'Organization/pantry' },
      place: { address: '12 Pier Street', latitude: 42.36, longitude: -71.05 },
      capacity: { status: 'waitlist', notes: 'Four weeks' },
    });
    expect(made.status, made.text).toBe(201);
    const { id } = see(made);
    const find = async (query: string) =>
      see(await baton.asNurse('GET', `/community-resources?${query}`)).items.map((one) => one.id);
    expect(await find('category=food-insecurity&language=es')).toContain(id);
    expect(await find('category=homelessness')).toEqual([]);
    expect(await find(`near=${encodeURIComponent('42.35|-71.06|10|km')}`)).toEqual([id]);
    expect(await find(`near=${encodeURIComponent('10|10|10|km')}`)).toEqual([]);

    const referral = await make(await baton.open('mia'), { to: { reference: `HealthcareService/${id}` } });
    expect(referral.warnings).toEqual(['Harbor Pantry has a waitlist: Four weeks']);
    expect(referral.task).toMatchObject({ owner: { reference: 'Organization/pantry' } });

    const path = `/community-resources/${id}/capacity`;
    const full = await baton.api('POST', path, { as: baton.paula, body: { status: 'no-capacity' } });
    expect([full.status, see(full).capacity], full.text).toEqual([200, { status: 'no-capacity' }]);
    expect((await baton.api('POST', path, { as: baton.sam, body: { status: 'capacity' } })).status).toBe(404);
    expect(await find('open=true')).toEqual([]);
  });
});

describe('equipment', () => {
  it('is ordered, authorised and delivered', async () => {
    const id = await baton.open('ned');
    const ordered = await baton.asNurse('POST', `/cases/${id}/equipment`, {
      item: { text: 'Hospital bed' },
      supplier: { reference: 'Organization/pantry' },
    });
    expect(ordered.status, ordered.text).toBe(201);
    expect(see(ordered)).toMatchObject({ stage: 'ordered', inPlan: true });
    const path = `/cases/${id}/equipment/${see(ordered).id}/advance`;
    const advance = (stage: string, more: object = {}) => baton.asNurse('POST', path, { stage, ...more });
    expect((await advance('denied')).status).toBe(422);
    expect(see(await advance('denied', { reason: 'No medical need shown' }))).toMatchObject({ stage: 'denied' });
    expect((await advance('delivered')).status).toBe(422);
    const authorised = await advance('authorised', { authorisation: 'A-77' });
    expect(see(authorised)).toMatchObject({ stage: 'authorised', authorisation: 'A-77', status: 'active' });
    expect(see(await advance('delivered'))).toMatchObject({ stage: 'delivered', status: 'completed' });
    expect((await advance('cancelled', { reason: 'late' })).status).toBe(422);
  });
});

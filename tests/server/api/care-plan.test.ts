// The care plan through /api/v1: needs, goals, interventions, reviews and the plan that holds them, and the same facts as
// FHIR, in both directions.
import type { CarePlan, Goal, Observation, Task } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { GoalView } from '../../../src/care/goals/goal-schema.ts';
import type { InterventionView } from '../../../src/care/interventions/intervention-schema.ts';
import type { NeedView } from '../../../src/care/needs/need-schema.ts';
import type { PlanView } from '../../../src/care/plans/plan-schema.ts';
import { type ApiServer, serveApi } from './api-client.ts';

let baton: ApiServer;

const RIDES = { system: 'http://snomed.info/sct', code: '713458007', text: 'Lack of access to transportation' };
const WEIGHT = { system: 'http://loinc.org', code: '29463-7', text: 'Body weight' };
const kg = (value: number) => ({ value, unit: 'kg', code: 'kg' });

beforeAll(async () => {
  baton = await serveApi();
  const people = ['ann', 'bea', 'cleo', 'dot', 'eve', 'fay', 'gus', 'hal', 'ida', 'kim', 'lee'];
  await baton.put(
    { resourceType: 'Practitioner', id: 'nurse', name: [{ family: 'Nurse' }] },
    ...people.map((id) => ({ resourceType: 'Patient', id, name: [{ given: [id], family: 'Example' }] })),
  );
});

afterAll(() => baton.close());

/** Opens a case and gives its path. */
async function open(patient: string): Promise<string> {
  const body = { patient: { reference: `Patient/${patient}` }, careManager: { reference: 'Practitioner/nurse' } };
  const answer = await baton.api('POST', '/cases', { body });
  expect(answer.status, answer.text).toBe(201);
  return `/cases/${answer.json.id}`;
}

async function done<View>(method: 'POST' | 'PATCH' | 'PUT', path: string, body: object = {}): Promise<View> {
  const answer = await baton.api(method, path, { body });
  expect(answer.status, answer.text).toBeLessThan(300);
  return answer.json as View;
}

async function seen<View>(path: string): Promise<View> {
  const answer = await baton.api('GET', path);
  expect(answer.status, answer.text).toBe(200);
  return answer.json as View;
}

async function refused(method: 'POST' | 'PATCH' | 'PUT', path: string, body: object, status = 422) {
  const answer = await baton.api(method, path, { body });
  expect(answer.status, answer.text).toBe(status);
  const [error] = (answer.json.errors ?? []) as { member?: string }[];
  return { member: error?.member, detail: String(answer.json.detail) };
}

async function fhir<R>(reference: string): Promise<R> {
  const answer = await baton.fhir('GET', `/${reference}`);
  expect(answer.status, answer.text).toBe(200);
  return answer.json as R;
}

describe('a plan', () => {
  it('grows from need to goal to intervention to outcome', async () => {
    const at = await open('ann');
    const need = await done<NeedView>('POST', `${at}/needs`, {
      kind: 'barrier',
      category: 'transportation-insecurity',
      code: RIDES,
      severity: 'moderate',
      onset: '2025-10',
      note: 'Son moved away',
    });
    expect(need).toMatchObject({ kind: 'barrier', status: 'active', verification: 'confirmed', onset: '2025-10' });
    const needReference = { reference: `Condition/${need.id}` };
    const goal = await done<GoalView>('POST', `${at}/goals`, {
      description: { text: 'Get to every visit' },
      priority: 'high',
      targets: [{ measure: WEIGHT, detail: { range: { low: kg(78), high: kg(80) } }, due: '2099-02-28' }],
      expressedBy: { reference: 'Patient/ann' },
      addresses: [needReference],
    });
    const several = await done<PlanView>('POST', `${at}/plan/interventions`, {
      items: [
        {
          description: 'Arrange rides with the county',
          owner: { reference: 'Practitioner/nurse' },
          due: '2099-01-05',
          goals: [{ reference: `Goal/${goal.id}` }],
        },
        { code: { text: 'Give the list of bus lines' }, need: needReference },
        { description: 'Ask about the neighbour' },
      ],
    });
    expect(several.needs.map((one) => one.need.id)).toEqual([need.id]);
    const branch = several.needs[0];
    expect(branch?.goals.map((one) => one.goal.id)).toEqual([goal.id]);
    const ride = branch?.goals[0]?.interventions[0] as InterventionView;
    expect(ride).toMatchObject({ status: 'requested', overdue: false, plan: { reference: `CarePlan/${several.id}` } });
    expect(ride.due).toMatch(/^2099-01-05T23:59:59[-+]/);
    expect(branch?.interventions.map((one) => one.code?.text)).toEqual(['Give the list of bus lines']);
    expect(several.interventions.map((one) => one.description)).toEqual(['Ask about the neighbour']);
    expect([several.goals, several.unseen]).toEqual([[], []]);

    await done('POST', `${at}/interventions/${ride.id}/start`);
    const completed = await done<InterventionView>('POST', `${at}/interventions/${ride.id}/complete`, {
      outcome: { text: 'Three rides a week' },
    });
    expect(completed).toMatchObject({
      status: 'completed',
      outcomes: [{ value: { coded: { text: 'Three rides a week' } } }],
    });
    expect(completed.started && completed.ended).toBeTruthy();
    await done('POST', `${at}/goals/${goal.id}/progress`, {
      achievement: 'improving',
      measure: WEIGHT,
      value: { quantity: kg(80.5) },
      note: 'Came to both visits',
    });
    const end = await done<GoalView>('POST', `${at}/goals/${goal.id}/complete`);
    expect(end).toMatchObject({ status: 'completed', achievement: 'achieved' });
    const plan = await seen<PlanView>(`${at}/plan`);
    expect(plan.needs[0]?.goals[0]?.progress).toMatchObject([
      {
        achievement: 'improving',
        measure: WEIGHT,
        value: { quantity: kg(80.5) },
        notes: [{ text: 'Came to both visits' }],
      },
    ]);
  });

  it('is the only one that goes on, until a new version takes its place', async () => {
    const at = await open('bea');
    expect((await refused('POST', `${at}/plan`, {}, 409)).detail).toContain('replace');
    const goal = await done<GoalView>('POST', `${at}/goals`, { description: { text: 'Walk' } });
    const dropped = await done<GoalView>('POST', `${at}/goals`, { description: { text: 'Run' } });
    await done('POST', `${at}/goals/${dropped.id}/cancel`, { reason: 'Too much' });
    const task = await done<InterventionView>('POST', `${at}/interventions`, { description: 'Show exercises' });
    const old = await seen<PlanView>(`${at}/plan`);
    const paper = { reference: 'DocumentReference/elsewhere', display: 'Home visit' };
    const asMadeOnce = [{ reference: `EpisodeOfCare/${at.slice('/cases/'.length)}` }, paper];
    const { json: stored } = await baton.fhir('GET', `/CarePlan/${old.id}`);
    await baton.put({
      resourceType: 'DocumentReference',
      id: 'elsewhere',
      status: 'current',
      content: [{ attachment: { title: 'Visit' } }],
    });
    await baton.put({ ...stored, resourceType: 'CarePlan', id: old.id, supportingInfo: asMadeOnce });
    const next = await done<PlanView>('POST', `${at}/plan/replace`, { title: 'After the fall' });
    expect((await fhir<CarePlan>(`CarePlan/${next.id}`)).supportingInfo).toEqual([paper]);
    expect(next).toMatchObject({
      title: 'After the fall',
      status: 'active',
      replaces: [{ reference: `CarePlan/${old.id}` }],
    });
    expect(next.goals.map((one) => one.goal.id)).toEqual([goal.id]);
    expect(next.interventions.map(({ id }) => id)).toEqual([task.id]);
    expect((await fhir<Task>(`Task/${task.id}`)).basedOn).toEqual([{ reference: `CarePlan/${next.id}` }]);
    expect((await fhir<CarePlan>(`CarePlan/${old.id}`)).status).toBe('revoked');
    const { items } = await seen<{ items: { id: string; status: string }[] }>(`${at}/plans`);
    expect(items.map(({ status }) => status)).toEqual(['revoked', 'active']);

    expect((await refused('POST', `${at}/plan/complete`, {})).member).toBe('openInterventions');
    await done('POST', `${at}/plan/complete`, { openInterventions: 'cancel' });
    expect((await fhir<Task>(`Task/${task.id}`)).status).toBe('cancelled');
    expect((await refused('POST', `${at}/goals`, { description: { text: 'Swim' } })).detail).toContain('ended');
    const fresh = await done<PlanView>('POST', `${at}/plan`, { title: 'Once more' });
    expect(fresh).toMatchObject({ title: 'Once more', replaces: [], goals: [] });
  });

  it('is reviewed when that is due, and the next review is planned', async () => {
    const at = await open('cleo');
    const goal = await done<GoalView>('POST', `${at}/goals`, { description: { text: 'Sleep' } });
    await done('PUT', `${at}/reviews/due`, { due: '2099-01-15' });
    await done('PUT', `${at}/reviews/due`, { due: '2099-01-20' });
    expect((await seen<PlanView>(`${at}/plan`)).review).toMatchObject({ overdue: false });
    const review = await done<{ id: string }>('POST', `${at}/reviews`, {
      outcome: 'revise',
      reviewed: [{ reference: `Goal/${goal.id}` }],
      note: 'Sleeps better, goal too low',
      next: '2099-03-01',
    });
    const { items } = await seen<{ items: { id: string; due?: string; outcome?: string }[] }>(`${at}/reviews`);
    expect(items).toMatchObject([
      { due: expect.stringMatching(/^2099-03-01T23:59:59/) },
      { id: review.id, outcome: 'revise', reviewed: [{ reference: `Goal/${goal.id}` }] },
    ]);
    expect((await seen<PlanView>(`${at}/plan`)).interventions).toEqual([]);
    expect((await seen<{ items: unknown[] }>(`${at}/interventions`)).items).toEqual([]);
  });

  it('shows what a SMART app wrote as FHIR, and keeps what it cannot show', async () => {
    const at = await open('dot');
    const subject = { reference: 'Patient/dot' };
    const task = await done<InterventionView>('POST', `${at}/interventions`, { description: 'Call' });
    const other = await done<InterventionView>('POST', `${at}/interventions`, { description: 'Write' });
    const mark = { url: 'https://app.example/mark', valueString: 'kept' };
    await baton.put({
      resourceType: 'Goal',
      id: 'from-app',
      extension: [mark],
      lifecycleStatus: 'active',
      description: { coding: [{ system: 'https://app.example/goals', code: 'g1', display: 'Breathe easily' }] },
      subject,
      target: [
        {
          measure: { text: 'Steps' },
          detailRatio: { numerator: { value: 1 }, denominator: { value: 2 } },
          dueDuration: { value: 3, unit: 'months' },
        },
      ],
    });
    const { id } = await seen<PlanView>(`${at}/plan`);
    const plan = await fhir<CarePlan>(`CarePlan/${id}`);
    await baton.put({
      ...plan,
      id,
      extension: [mark],
      goal: [{ reference: 'Goal/from-app', display: 'Breathe' }],
      activity: plan.activity?.filter(({ reference }) => reference?.reference !== `Task/${other.id}`),
    } as never);
    const stored = await fhir<Task>(`Task/${task.id}`);
    await baton.put({ ...stored, id: task.id, status: 'completed', extension: [mark] } as never);

    const shown = await seen<PlanView>(`${at}/plan`);
    expect(shown.goals[0]?.goal).toMatchObject({
      description: { text: 'Breathe easily' },
      targets: [{ within: '3 months' }],
    });
    expect(shown.interventions).toMatchObject([{ id: task.id, status: 'completed' }]);
    const listed = await seen<{ items: InterventionView[] }>(`${at}/interventions?inPlan=false`);
    expect(listed.items.map((one) => one.id)).toEqual([other.id]);

    await done('POST', `${at}/goals/from-app/leave-out`);
    expect((await seen<PlanView>(`${at}/plan`)).goals).toEqual([]);
    await refused('POST', `${at}/goals/from-app/leave-out`, {});
    const again = await done<GoalView>('POST', `${at}/goals/from-app/take-up`);
    expect(again.plan).toEqual({ reference: `CarePlan/${id}` });
    await done('POST', `${at}/interventions/${other.id}/take-up`);
    expect((await seen<PlanView>(`${at}/plan`)).interventions).toHaveLength(2);

    const { targets } = await seen<GoalView>(`${at}/goals/from-app`);
    await done('PATCH', `${at}/goals/from-app`, { priority: 'low', targets });
    const longer = targets.map((target) => ({ ...target, within: '9 months' }));
    expect((await refused('PATCH', `${at}/goals/from-app`, { targets: longer })).member).toBe('targets[0].within');
    await done('POST', `${at}/goals/from-app/acceptance`, { answer: 'agree' });
    await done('PATCH', `${at}/plan`, { title: 'Changed here' });
    const goal = await fhir<Goal>('Goal/from-app');
    expect(goal.extension?.[0]).toEqual(mark);
    expect(goal.target).toMatchObject([
      { detailRatio: { numerator: { value: 1 }, denominator: { value: 2 } }, dueDuration: { value: 3 } },
    ]);
    const changed = await fhir<CarePlan>(`CarePlan/${id}`);
    expect([changed.extension, changed.title, changed.goal?.length]).toEqual([[mark], 'Changed here', 1]);
    expect(changed.text?.div).toContain('Changed here');
  });

  it('keeps a history of progress in order of time, whoever told it', async () => {
    const at = await open('eve');
    const goal = await done<GoalView>('POST', `${at}/goals`, { description: { text: 'Weight' } });
    const lab: Observation = {
      resourceType: 'Observation',
      id: 'lab',
      status: 'final',
      code: { text: 'Weight at the clinic' },
      subject: { reference: 'Patient/eve' },
      effectiveDateTime: '2024-01-02',
    };
    await baton.put(lab as never);
    await done('POST', `${at}/goals/${goal.id}/progress`, {
      achievement: 'no-change',
      shownBy: [{ reference: 'Observation/lab' }],
    });
    const late = await done<GoalView>('POST', `${at}/goals/${goal.id}/progress`, {
      achievement: 'worsening',
      at: '2024-06-01',
    });
    expect(late.achievement).toBe('no-change');
    const { items } = await seen<{ items: { achievement?: string }[] }>(`${at}/goals/${goal.id}/progress`);
    expect(items.map(({ achievement }) => achievement)).toEqual([undefined, 'worsening', 'no-change']);
  });
});

describe('nurses who plan at the same time', () => {
  it('do not hinder each other, and nothing is lost', async () => {
    const at = await open('ida');
    const goals = ['a', 'b', 'c', 'd'].map((text) => done<GoalView>('POST', `${at}/goals`, { description: { text } }));
    const work = ['e', 'f', 'g'].map((description) => done('POST', `${at}/interventions`, { description }));
    const made = await Promise.all(goals);
    await Promise.all(work);
    const plan = await seen<PlanView>(`${at}/plan`);
    expect(new Set(plan.goals.map(({ goal }) => goal.id))).toEqual(new Set(made.map(({ id }) => id)));
    expect(plan.interventions).toHaveLength(3);
    const answers = await Promise.all(
      ['one', 'two'].map((title) => baton.api('POST', `${at}/plan/replace`, { body: { title } })),
    );
    expect(answers.every(({ status }) => status < 300 || status === 409 || status === 412)).toBe(true);
    const { items } = await seen<{ items: { status: string }[] }>(`${at}/plans`);
    expect(items.filter(({ status }) => status === 'active')).toHaveLength(1);
  });
});

describe('a task of the patient', () => {
  it('is ready for them as Gravity has it, and comes back when a nurse takes it', async () => {
    const at = await open('fay');
    const task = await done<InterventionView>('POST', `${at}/interventions`, {
      code: { text: 'Weigh daily' },
      priority: 'stat',
    });
    const theirs = await done<InterventionView>('POST', `${at}/interventions/${task.id}/delegate`, {
      note: 'She has a scale',
    });
    expect(theirs).toMatchObject({
      status: 'ready',
      owner: { reference: 'Patient/fay' },
      priority: 'urgent',
      description: 'Weigh daily',
    });
    const refusal = await refused('POST', `${at}/interventions/${task.id}/complete`, {
      outputs: [{ value: { boolean: true } }],
    });
    expect(refusal.member).toBe('outputs[0]');
    const back = await done<InterventionView>('POST', `${at}/interventions/${task.id}/assign`, {
      owner: { reference: 'Practitioner/nurse' },
    });
    expect(back).toMatchObject({ owner: { reference: 'Practitioner/nurse' }, code: { text: 'Weigh daily' } });
    const moved = await done<InterventionView>('POST', `${at}/interventions/${task.id}/reschedule`, {
      due: '2099-05-01',
    });
    expect(moved.due).toContain('2099-05-01T23:59:59');
    const open2 = await done<InterventionView>('POST', `${at}/interventions/${task.id}/reschedule`, { due: null });
    expect(open2.due).toBeUndefined();
  });
});

describe('what cannot be', () => {
  let at: string;
  beforeAll(async () => {
    at = await open('gus');
    await baton.put({
      resourceType: 'Condition',
      id: 'of-ida',
      code: { text: 'x' },
      clinicalStatus: {
        coding: [{ system: 'http://terminology.hl7.org/CodeSystem/condition-clinical', code: 'active' }],
      },
      subject: { reference: 'Patient/ida' },
    });
  });

  const text = { description: { text: 'x' } };
  const range = (low: number, high: number) => ({ range: { low: kg(low), high: kg(high) } });
  it.each([
    ['a target in the past', 'goals', { ...text, targets: [{ due: '2020-01-01' }] }, 'targets[0].due'],
    [
      'a target before the start',
      'goals',
      { ...text, start: '2099-02-01', targets: [{ due: '2099-01-01' }] },
      'targets[0].due',
    ],
    [
      'a target upside down',
      'goals',
      { ...text, targets: [{ measure: WEIGHT, detail: range(80, 70) }] },
      'targets[0].detail.range',
    ],
    ['a detail of nothing', 'goals', { ...text, targets: [{ detail: { text: 'x' } }] }, 'targets[0].measure'],
    [
      'targets against each other',
      'goals',
      {
        ...text,
        targets: [
          { measure: WEIGHT, detail: { quantity: { ...kg(70), comparator: '<' } }, due: '2099-01-01' },
          { measure: WEIGHT, detail: range(70, 80), due: '2099-01-01' },
        ],
      },
      'targets[1]',
    ],
    ['an unknown need', 'goals', { ...text, addresses: [{ reference: 'Condition/nothing' }] }, 'addresses[0]'],
    ["another patient's need", 'goals', { ...text, addresses: [{ reference: 'Condition/of-ida' }] }, 'addresses[0]'],
    ['a wish of a device', 'goals', { ...text, expressedBy: { reference: 'Device/1' } }, 'expressedBy'],
    ['a social need without its category', 'needs', { kind: 'social-need', code: { text: 'x' } }, 'category'],
    ['an onset to come', 'needs', { kind: 'barrier', code: { text: 'x' }, onset: '2099' }, 'onset'],
    ['nothing to do', 'interventions', { priority: 'urgent' }, 'description'],
    ['a deadline in the past', 'interventions', { description: 'x', due: '2020-01-01' }, 'due'],
    ['an end before the start', 'interventions', { description: 'x', start: '2099-02-01', due: '2099-01-01' }, 'due'],
    ['an unknown owner', 'interventions', { description: 'x', owner: { reference: 'Practitioner/nobody' } }, 'owner'],
    ['another patient as owner', 'interventions', { description: 'x', owner: { reference: 'Patient/ida' } }, 'owner'],
    [
      'one bad of several',
      'plan/interventions',
      { items: [{ description: 'x' }, { description: 'y', due: '2020-01-01' }] },
      'items[1].due',
    ],
    ['a review to come', 'reviews', { outcome: 'continue', at: '2099-01-01' }, 'at'],
  ])('is refused: %s', async (_, path, body, member) => {
    const before = await baton.temp.store.head();
    expect((await refused('POST', `${at}/${path}`, body)).member).toBe(member);
    expect(await baton.temp.store.head()).toBe(before);
  });

  it('is a code that its code system does not have; what is not known here whole nobody can tell', async () => {
    const at = await open('kim');
    const goal = (system: string) => ({
      description: { text: 'Walk' },
      targets: [{ measure: { system, code: 'zzz' }, detail: { coded: { text: 'daily' } }, due: '2099-01-01' }],
    });
    const own = 'https://baton.health/fhir/CodeSystem/caregiver-strain';
    for (const system of [own, 'http://terminology.hl7.org/CodeSystem/condition-category']) {
      const { member, detail } = await refused('POST', `${at}/goals`, goal(system));
      expect([member, detail]).toEqual(['targets[0].measure.code', `${system} has no code zzz.`]);
    }
    await done('POST', `${at}/goals`, goal('http://snomed.info/sct'));
    await done('POST', `${at}/goals`, goal('http://terminology.hl7.org/CodeSystem/v3-ActCode'));
  });

  it('claims Gravity’s Condition only with a code that Gravity takes', async () => {
    const at = await open('lee');
    const gravity = 'http://hl7.org/fhir/us/sdoh-clinicalcare/StructureDefinition/SDOHCC-Condition';
    const claims = async ({ id }: NeedView) =>
      (await fhir<{ meta: { profile: string[] } }>(`Condition/${id}`)).meta.profile.includes(gravity);
    const social = { kind: 'social-need', category: 'stress', code: { text: 'Worried about the rent' } };
    const need = await done<NeedView>('POST', `${at}/needs`, social);
    expect(await claims(need)).toBe(false);
    const code = { system: 'http://snomed.info/sct', code: '73595000', text: 'Stress' };
    await done('PATCH', `${at}/needs/${need.id}`, { code });
    expect(await claims(need)).toBe(true);
    await done('PATCH', `${at}/needs/${need.id}`, { code: { text: 'Worried' } });
    expect(await claims(need)).toBe(false);
  });

  it('is a step that the status does not allow, with those that it does', async () => {
    const goal = await done<GoalView>('POST', `${at}/goals`, { description: { text: 'x' }, status: 'proposed' });
    const refusal = await refused('POST', `${at}/goals/${goal.id}/complete`, {});
    expect(refusal).toMatchObject({ member: 'Goal.lifecycleStatus', detail: expect.stringContaining('accepted') });
    const task = await done<InterventionView>('POST', `${at}/interventions`, { description: 'x' });
    await done('POST', `${at}/interventions/${task.id}/cancel`, { reason: { text: 'No' } });
    expect((await refused('POST', `${at}/interventions/${task.id}/start`, {})).member).toBe('Task.status');
    expect((await refused('PATCH', `${at}/interventions/${task.id}`, { priority: 'urgent' })).member).toBe(
      'Task.status',
    );
    expect((await refused('POST', `${at}/plan/hold`, {})).member).toBe('reason');
  });

  it('is work on what has changed since', async () => {
    const goal = await done<GoalView>('POST', `${at}/goals`, { description: { text: 'x' } });
    await done('PATCH', `${at}/goals/${goal.id}`, { priority: 'low' });
    const headers = { 'if-match': 'W/"1"' };
    const answer = await baton.api('PATCH', `/${at.slice(1)}/goals/${goal.id}`, {
      body: { priority: 'high' },
      headers,
    });
    expect(answer.status).toBe(412);
  });

  it('is work for the dead, the merged, and in closed cases', async () => {
    const late = await open('hal');
    const needPath = `${late}/needs`;
    const body = { kind: 'health-concern', code: { text: 'x' } };
    const need = await done<NeedView>('POST', needPath, body);
    await done('POST', `${needPath}/${need.id}/resolve`);
    await refused('POST', `${needPath}/${need.id}/resolve`, {});
    expect((await done<NeedView>('POST', `${needPath}/${need.id}/reopen`)).status).toBe('recurrence');
    await baton.put({ resourceType: 'Patient', id: 'hal', deceasedDateTime: '2026-01-01' });
    expect((await refused('POST', needPath, body)).detail).toContain('died');
    await baton.put({
      resourceType: 'Patient',
      id: 'hal',
      active: false,
      link: [{ other: { reference: 'Patient/ida' }, type: 'replaced-by' }],
    });
    expect((await refused('POST', needPath, body)).detail).toContain('merged');
    await baton.put({ resourceType: 'Patient', id: 'hal' });
    const episode = await fhir<{ id: string }>(`EpisodeOfCare/${late.split('/').at(-1)}`);
    await baton.put({ ...episode, resourceType: 'EpisodeOfCare', status: 'finished' });
    expect((await refused('POST', needPath, body)).detail).toContain('finished');
    expect((await seen<{ items: NeedView[] }>(needPath)).items).toHaveLength(1);
  });
});

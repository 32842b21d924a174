// A day in the life, from referral to closure of three patients, through /api/v1 only; and what is left of it as FHIR.
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createProvenanceWriter } from '../../src/audit/provenance-writer.ts';
import { BASE, type Json } from '../server/serve.ts';
import { type Agency, openAgency, type Person, type View } from './agency.ts';

let baton: Agency;
/** By patient: the case, and everything that somebody did, as the reference of what was made. */
const cases = new Map<string, string>();
const acts = new Map<string, Set<string>>();

beforeAll(async () => {
  baton = await openAgency();
});

afterAll(() => baton.close());

const NURSE = { reference: 'Practitioner/nora' };
const COLLEAGUE = { reference: 'Practitioner/hal' };
const WEIGHT = { system: 'http://loinc.org', code: '29463-7', text: 'Body weight' };
const FOOD_PACKAGE = {
  system: 'http://snomed.info/sct',
  code: '467771000124109',
  text: 'Help with a food pantry application',
};

/** One patient's case: commands below it by the nurse, each noted as an act. */
class Case {
  readonly patient: string;
  readonly id: string;

  constructor(patient: string, id: string) {
    this.patient = patient;
    this.id = id;
  }

  get(path = '', who: Person = 'nora'): Promise<View> {
    return baton.does(who, 'GET', `/cases/${this.id}${path}`);
  }

  /** @param type of the resource that the answer is about; its act is noted */
  async post(path: string, body: object = {}, type?: string, who: Person = 'nora'): Promise<View> {
    const view = await baton.does(who, 'POST', `/cases/${this.id}${path}`, body);
    if (type !== undefined) this.note(`${type}/${view.id}`);
    return view;
  }

  note(reference: string): void {
    acts.set(this.patient, (acts.get(this.patient) ?? new Set()).add(reference));
  }

  /** Who closes a case still reads it, as the supervisor does, and changes nothing of it any more. */
  async close(who: Person, more: object): Promise<void> {
    const body = { reason: { text: 'Goals met' }, ...more };
    const answer = await baton.asks(who, 'POST', `/cases/${this.id}/close`, body);
    expect(answer.status, answer.text).toBe(200);
    for (const reader of [who, 'vera'] as const) {
      expect(await this.get('', reader)).toMatchObject({ status: 'finished', outcome: (more as View).outcome });
    }
    expect((await baton.asks(who, 'PATCH', `/cases/${this.id}`, { priority: 'stat' })).status).toBeGreaterThan(399);
    expect(await this.get('', 'vera')).toMatchObject({ status: 'finished', outcome: (more as View).outcome });
  }

  /** Each thing still to do of the pathway is done, the orders by the day they were asked for. */
  async finishTasks(who: Person = 'nora'): Promise<void> {
    for (const { id, type, status } of (await this.get('/interventions?state=open&inPlan=true', who)).items) {
      if (type !== 'Task') continue;
      if (status === 'on-hold') await this.post(`/interventions/${id}/resume`, {}, 'Task', who);
      await this.post(`/interventions/${id}/complete`, { outcome: { text: 'Done' } }, 'Task', who);
    }
  }
}

/** A supervisor opens it on a pathway for the nurse. */
async function open(patient: string, more: object): Promise<Case> {
  const view = await baton.does('vera', 'POST', '/cases', {
    patient: { reference: `Patient/${patient}` },
    organization: { reference: 'Organization/clinic' },
    careManager: NURSE,
    ...more,
  });
  cases.set(patient, view.id);
  const made = new Case(patient, view.id);
  made.note(view.plan.reference);
  return made;
}

async function assess(of: Case, instrument: string, answers: object[]): Promise<View> {
  const { id } = await of.post('/assessments', { instrument }, 'QuestionnaireResponse');
  const done = await of.post(`/assessments/${id}/complete`, { answers });
  expect(done.status).toBe('completed');
  for (const { reference } of done.results) if (!reference.startsWith('Observation/')) of.note(reference);
  return done;
}

const coded = (linkId: string, code: string) => ({ linkId, values: [{ value: { code } }] });

describe('a day in the life', () => {
  it('heart failure after discharge', async () => {
    const it = await open('heart', {
      programme: { text: 'Heart failure' },
      priority: 'urgent',
      reasons: [{ text: 'Second admission in 30 days' }],
      diagnoses: [{ reference: 'Condition/hf' }],
      pathway: { pathway: 'heart-failure', omit: [{ step: 'costs', reason: 'Covered in full' }] },
    });
    const phq = [0, 0, 0, 0, 0, 0, 0, 0, 0].map((_, index) => coded(`phq9-${index + 1}`, 'LA6569-3'));
    const assessment = await assess(it, 'phq-9', phq);
    expect(assessment.scores[0]).toMatchObject({ value: 9 });

    const need = await it.post(
      '/needs',
      {
        kind: 'barrier',
        category: 'transportation-insecurity',
        code: { system: 'http://snomed.info/sct', code: '713458007', text: 'Lack of access to transportation' },
        severity: 'moderate',
      },
      'Condition',
    );
    const goal = await it.post(
      '/goals',
      {
        description: { text: 'Keeps within 2 kg of the agreed weight' },
        priority: 'high',
        targets: [
          {
            measure: WEIGHT,
            detail: {
              range: { low: { value: 78, unit: 'kg', code: 'kg' }, high: { value: 80, unit: 'kg', code: 'kg' } },
            },
            due: baton.day(60),
          },
        ],
        expressedBy: { reference: 'Patient/heart' },
        addresses: [{ reference: `Condition/${need.id}` }],
      },
      'Goal',
    );
    await it.post(`/goals/${goal.id}/acceptance`, { answer: 'agree' });
    await it.post('/team/members', { member: { reference: 'Practitioner/drew' }, role: { text: 'Cardiologist' } });

    const several = await it.post('/plan/interventions', {
      items: [
        {
          description: 'Arrange rides with the county',
          owner: NURSE,
          due: baton.day(5),
          goals: [{ reference: `Goal/${goal.id}` }],
        },
        { description: 'Ask for a nearer pharmacy', need: { reference: `Condition/${need.id}` } },
        { description: 'Try the bus', need: { reference: `Condition/${need.id}` } },
      ],
    });
    const branch = several.needs.find((one: View) => one.need.id === need.id);
    const [ride] = branch.goals[0].interventions;
    const [pharmacy, bus] = branch.interventions;
    await it.post(`/interventions/${ride.id}/start`, {}, 'Task');
    await it.post(`/interventions/${ride.id}/complete`, { outcome: { text: 'Three rides a week' } });
    await it.post(`/interventions/${bus.id}/fail`, { reason: { text: 'Too far to walk' } }, 'Task');
    // Escalated: more urgent, and to the supervisor.
    await baton.does('nora', 'PATCH', `/cases/${it.id}/interventions/${pharmacy.id}`, { priority: 'stat' });
    await it.post(`/interventions/${pharmacy.id}/assign`, { owner: { reference: 'Practitioner/vera' } }, 'Task');
    const urgent = await baton.does('vera', 'GET', '/worklist?mine=true');
    expect(urgent.items).toMatchObject([{ id: pharmacy.id, priority: 'stat', case: it.id }]);
    await it.post(`/interventions/${pharmacy.id}/complete`, { outcome: { text: 'Mail order' } }, 'Task', 'vera');

    const call = (await it.get('/interventions?state=open')).items.find((one: View) =>
      one.description?.startsWith('Call'),
    );
    const contact = { channel: 'phone', party: 'patient', started: baton.at(-3) };
    const attempts = { ...contact, intervention: { reference: `Task/${call.id}` } };
    await it.post('/contacts', { ...attempts, outcome: 'no-answer' }, 'Communication');
    await it.post('/contacts', { ...attempts, started: baton.at(-2), outcome: 'left-message' }, 'Communication');
    const reached = { ...attempts, started: baton.at(-1), outcome: 'reached', completes: true, note: 'Weight 80.5 kg' };
    await it.post('/contacts', reached, 'Communication');
    expect((await it.get(`/interventions/${call.id}`)).status).toBe('completed');

    const { id: reconciliation, lists, discrepancies } = await it.post('/medication-reconciliations', {}, 'Task');
    expect(discrepancies.length).toBeGreaterThan(0);
    const [line] = lists[1].lines;
    const { source: _, id: __, ...same } = line;
    const set = await baton.does(
      'nora',
      'PUT',
      `/cases/${it.id}/medication-reconciliations/${reconciliation}/lists/current`,
      {
        lines: [same],
      },
    );
    for (const each of lists) it.note(`List/${each.id}`);
    for (const { id } of set.discrepancies) {
      it.note(`DetectedIssue/${id}`);
      const resolution = {
        resolution: 'clarify',
        prescriber: { reference: 'Practitioner/drew' },
        reason: 'As ordered',
      };
      await it.post(`/medication-reconciliations/${reconciliation}/discrepancies/${id}/resolve`, resolution);
    }
    const unqualified = await baton.asks(
      'vera',
      'POST',
      `/cases/${it.id}/medication-reconciliations/${reconciliation}/sign-off`,
      {},
    );
    expect(unqualified.status, unqualified.text).toBe(403);
    const signed = await it.post(`/medication-reconciliations/${reconciliation}/sign-off`, {
      note: 'With the patient',
    });
    expect(signed).toMatchObject({ status: 'completed', signedOff: { by: NURSE } });

    const lesson = await it.post('/education', { topic: 'Weighing yourself', due: baton.day(2) }, 'Task');
    await it.post(`/education/${lesson.id}/deliver`, { at: baton.at(-1), method: { text: 'At home' } });
    const again = await it.post(`/education/${lesson.id}/teach-back`, {
      result: 'needs-reinforcement',
      repeat: { due: baton.day(3) },
    });
    it.note(`Procedure/${again.teachBack.id}`);
    const second = (await it.get('/education')).items.find(
      (one: View) => one.status === 'requested' && one.topic === lesson.topic,
    );
    await it.post(`/education/${second.id}/deliver`, {}, 'Task');
    const understood = await it.post(`/education/${second.id}/teach-back`, { result: 'understood' });
    it.note(`Procedure/${understood.teachBack.id}`);

    await it.post(`/goals/${goal.id}/progress`, {
      achievement: 'improving',
      measure: WEIGHT,
      value: { quantity: { value: 79.5, unit: 'kg', code: 'kg' } },
    });
    await it.post(`/goals/${goal.id}/complete`, { achievement: 'achieved' });
    await it.post(`/needs/${need.id}/resolve`, { note: 'Rides go on' });
    const review = await it.post(
      '/reviews',
      { outcome: 'close', reviewed: [{ reference: `Goal/${goal.id}` }], note: 'Stable' },
      'Task',
    );
    expect(review.outcome).toBe('close');

    const refused = await baton.asks('nora', 'POST', `/cases/${it.id}/close`, {
      reason: { text: 'Goals met' },
      outcome: { text: 'Manages at home' },
    });
    expect([refused.status, refused.json.errors], refused.text).toMatchObject([409, [{ member: 'outstanding' }]]);
    await it.close('nora', { outcome: { text: 'Manages at home' }, outstanding: 'cancel' });
  });

  it('food insecurity, with the loop closed by the partner', async () => {
    const it = await open('hungry', {
      programme: { text: 'Social needs' },
      diagnoses: [{ reference: 'Condition/hunger' }],
      pathway: { pathway: 'food-insecurity' },
    });
    const food = ['food-1', 'food-2'].map((linkId) => coded(linkId, 'LA28397-0'));
    await assess(it, 'hunger-vital-sign', food);
    const goal = await it.post(
      '/goals',
      {
        description: { text: 'Has enough to eat every day' },
        category: 'food-insecurity',
        addresses: [{ reference: 'Condition/hunger' }],
        targets: [{ measure: { text: 'Meals a day' }, detail: { integer: 3 }, due: baton.day(30) }],
      },
      'Goal',
    );
    await it.post('/team/members', { member: { reference: 'Organization/pantry' }, role: { text: 'Food pantry' } });
    const referral = await it.post(
      '/referrals',
      {
        kind: 'community-resource',
        service: FOOD_PACKAGE,
        sdoh: ['food-insecurity'],
        to: { reference: 'Organization/pantry' },
        needs: ['hunger'],
        goals: [goal.id],
        due: baton.day(14),
      },
      'ServiceRequest',
    );
    const task = `/referrals/${referral.task.id}`;
    const asked = await baton.does('paula', 'GET', '/referrals?status=requested');
    expect(asked.items.map((one: View) => one.id)).toEqual([referral.task.id]);
    await baton.does('paula', 'POST', `${task}/accept`, { startOfCare: baton.day(1) });
    await baton.does('paula', 'POST', `${task}/start`);
    const done = await baton.does('paula', 'POST', `${task}/complete`, { note: 'Food for two weeks' });
    it.note(`Task/${referral.task.id}`);
    it.note(done.outcomes[0].reference);
    await it.post(
      '/contacts',
      {
        channel: 'phone',
        party: 'patient',
        outcome: 'reached',
        started: baton.at(-1),
        language: 'es',
        interpreter: true,
      },
      'Communication',
    );
    const closed = await it.post(`/referrals/${referral.id}/close`, {
      received: true,
      goal: { id: goal.id, achievement: 'achieved' },
      resolves: ['hunger'],
    });
    expect(closed).toMatchObject({ status: 'completed', closure: { received: true } });

    await it.finishTasks();
    for (const { id, status } of (await it.get('/referrals')).items) {
      if (status !== 'active') continue;
      const answer = await baton.asks('nora', 'POST', `/cases/${it.id}/referrals/${id}/withdraw`, {
        reason: 'The pantry serves her',
      });
      expect(answer.status, answer.text).toBeLessThan(300);
      it.note(`ServiceRequest/${id}`);
    }
    await it.post('/reviews', { outcome: 'close' }, 'Task');
    await it.close('nora', { outcome: { text: 'Food every day' } });
  });

  it('a frail elder whose daughter can hardly go on', async () => {
    const it = await open('frail', {
      programme: { text: 'Frailty' },
      diagnoses: [{ reference: 'Condition/frailty' }],
      pathway: { pathway: 'frail-elder' },
    });
    const son = await it.post('/caregivers', {
      name: { given: ['Luis'], family: 'Example' },
      relationship: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-RoleCode', code: 'SON', text: 'Son' }],
      permissions: ['know-condition', 'talk-with-team'],
    });
    const daughter = { reference: 'RelatedPerson/daughter' };
    await it.post('/caregivers/daughter/change', { permissions: ['know-condition', 'decide'], emergencyContact: true });
    const strain = await it.post('/caregivers/daughter/strain', {
      level: 'severe',
      note: 'Sleeps three hours a night',
    });
    it.note(`Observation/${strain.id}`);
    await it.post('/team/members', { member: daughter, role: { text: 'Caregiver' }, duties: ['backup'] });
    const assessment = await it.post(
      '/assessments',
      { instrument: 'case-management-assessment' },
      'QuestionnaireResponse',
    );
    expect(assessment.status).toBe('in-progress');

    const need = await it.post(
      '/needs',
      { kind: 'social-need', category: 'stress', code: { text: 'Caregiver cannot go on' }, statedBy: daughter },
      'Condition',
    );
    const goal = await it.post(
      '/goals',
      {
        description: { text: 'The daughter sleeps through' },
        expressedBy: daughter,
        addresses: [{ reference: `Condition/${need.id}` }],
      },
      'Goal',
    );
    const conference = await it.post(
      '/conferences',
      {
        title: 'How it goes on at home',
        start: baton.at(24),
        minutes: 45,
        participants: [
          { actor: NURSE, required: true },
          { actor: daughter, required: true },
          { actor: { reference: `RelatedPerson/${son.id}` }, required: false },
        ],
        agenda: ['Nights', 'Respite'],
      },
      'Appointment',
    );
    await it.post(`/conferences/${conference.id}/answer`, { participant: daughter, answer: 'accepted' });
    const held = await it.post(`/conferences/${conference.id}/hold`, {
      start: baton.at(-1),
      end: baton.at(0),
      attended: [NURSE, daughter],
      manner: ['phone'],
      decisions: [
        { text: 'The son takes two nights', intervention: { due: baton.day(7) } },
        { text: 'Ask again in a month' },
      ],
      minutes: 'All agree.',
    });
    it.note(`Communication/${held.held.id}`);
    it.note(held.held.decisions[0].intervention.reference);
    const bed = await it.post('/equipment', { item: { text: 'Hospital bed' }, neededBy: baton.day(10) });
    for (const stage of ['authorised', 'delivered']) await it.post(`/equipment/${bed.id}/advance`, { stage });
    it.note(bed.task.reference);
    await it.post('/preferences', { kind: 'treatment', preference: 'Stay at home', saidBy: daughter });
    const will = await it.post('/advance-directives', {
      type: { code: '86533-7', text: 'Living will' },
      url: 'https://example.org/will.pdf',
      signed: baton.day(-100),
    });
    it.note(`DocumentReference/${will.id}`);
    const flag = await it.post('/flags', { category: 'safety', warning: { text: 'Falls at night' } }, 'Flag');
    await it.post('/incidents', {
      kind: 'fall',
      happened: true,
      description: 'Slid out of bed',
      at: baton.at(-5),
      severity: 'mild',
    });
    await it.post(`/flags/${flag.id}/end`);

    const summary = await baton.asks('nora', 'GET', `/cases/${it.id}/handover`);
    expect(summary.json.contacts).toMatchObject([{ what: 'Care conference' }]);
    const handed = await it.post('/handover', { to: COLLEAGUE, note: 'The daughter answers after five.' });
    expect(handed.careManager).toEqual(COLLEAGUE);
    expect((await baton.does('hal', 'GET', '/worklist?mine=true')).items.length).toBeGreaterThan(0);

    await it.post(`/caregivers/daughter/strain`, { level: 'some', goals: [goal.id] }, 'Observation', 'hal');
    await it.post(`/goals/${goal.id}/complete`, {}, undefined, 'hal');
    await it.post(`/needs/${need.id}/resolve`, {}, undefined, 'hal');
    await it.post('/reviews', { outcome: 'close' }, 'Task', 'hal');
    await it.close('hal', { outcome: { text: 'At home with help' }, outstanding: 'cancel', note: 'Thank you.' });
  });
});

describe('what is left of it', () => {
  const BATON = 'https://baton.health/fhir/StructureDefinition/';
  /** All there is, by reference. */
  const stored = new Map<string, Json>();

  beforeAll(async () => {
    const log = pino({ level: 'silent' });
    await createProvenanceWriter({ store: baton.temp.store, baseUrl: BASE, log }).run();
    const rows = await baton.temp.store.query('SELECT DISTINCT type FROM resource');
    for (const { type } of rows) {
      if (['AuditEvent'].includes(String(type))) continue;
      for (const one of await baton.all(String(type))) stored.set(`${type}/${one.id}`, one);
    }
  });

  it('every resource is valid, and claims the profiles of its kind', async () => {
    const wrong: string[] = [];
    const unclaimed = new Set<string>();
    const claimed = new Set<string>();
    for (const [reference, resource] of stored) {
      const profiles = (resource.meta as { profile?: string[] } | undefined)?.profile ?? [];
      for (const profile of profiles) claimed.add(profile);
      if (isMade(reference) && profiles.length === 0) unclaimed.add(resource.resourceType ?? '');
      const answer = await baton.fhir('POST', `/${resource.resourceType}/$validate`, { body: resource });
      for (const issue of answer.json.issue ?? []) {
        const { severity, details } = issue as { severity?: string; details?: { text: string } };
        const unchecked = details?.text.includes(BATON) && details.text.includes('could not be');
        if (severity === 'error' || severity === 'fatal' || unchecked)
          wrong.push(`${resource.resourceType}: ${details?.text}`);
      }
    }
    expect([...new Set(wrong)]).toEqual([]);
    // Base resources in R4: a profile would add nothing. The Communications are notes of what happened to a case.
    expect([...unclaimed].sort()).toEqual(['AdverseEvent', 'Communication', 'Flag']);
    expect([...claimed].filter((one) => one.startsWith(BATON)).length).toBeGreaterThan(25);
  });

  it('every act is in the timeline', async () => {
    for (const [patient, expected] of acts) {
      const told = new Set<string>();
      let after = '';
      do {
        const page = await baton.api('GET', `/cases/${cases.get(patient)}/timeline?limit=200${after}`);
        expect(page.status, page.text).toBe(200);
        for (const { reference } of page.json.items as { reference: string }[]) told.add(reference);
        after = page.json.next === undefined ? '' : `&after=${encodeURIComponent(String(page.json.next))}`;
      } while (after !== '');
      expect([...expected].filter((act) => !told.has(act))).toEqual([]);
    }
  });

  it('nothing is orphaned: every reference leads somewhere, and every task and order belongs to a plan', () => {
    const dangling: string[] = [];
    for (const [reference, resource] of stored) {
      for (const to of references(resource)) if (!stored.has(to)) dangling.push(`${reference} → ${to}`);
    }
    expect(dangling).toEqual([]);
    const planned = new Set(
      [...stored.values()]
        .filter(({ resourceType }) => resourceType === 'CarePlan')
        .flatMap(({ activity }) => (activity as View[]).map(({ reference }) => reference.reference)),
    );
    const plans = new Set([...stored.keys()].filter((key) => key.startsWith('CarePlan/')));
    const lost = [...stored].filter(
      ([reference, { basedOn = [] }]) =>
        /^(Task|ServiceRequest|Appointment|DeviceRequest)\//.test(reference) &&
        !planned.has(reference) &&
        !(basedOn as { reference: string }[]).some((one) => plans.has(one.reference)),
    );
    expect(lost.map(([reference]) => reference)).toEqual([]);
  });

  it('the cases, plans and teams have ended, and nothing of them is still open', async () => {
    const statuses = new Map<string, Set<unknown>>();
    for (const [reference, { resourceType = '', status, lifecycleStatus }] of stored) {
      if (!isMade(reference)) continue;
      statuses.set(resourceType, (statuses.get(resourceType) ?? new Set()).add(status ?? lifecycleStatus));
    }
    expect([...(statuses.get('CarePlan') ?? [])]).toEqual(['completed']);
    expect([...(statuses.get('EpisodeOfCare') ?? [])]).toEqual(['finished']);
    expect([...(statuses.get('CareTeam') ?? [])]).toEqual(['inactive']);
    expect([...(statuses.get('Task') ?? [])].sort()).toEqual(['cancelled', 'completed', 'failed']);
    expect([...(statuses.get('ServiceRequest') ?? [])].sort()).toEqual(['completed', 'revoked']);
  });

  it('who did it is on record, and the record is whole', async () => {
    await baton.audited();
    const about = new Set<string>();
    for (const { target } of [...stored.values()].filter(({ resourceType }) => resourceType === 'Provenance')) {
      for (const { reference = '' } of target as { reference?: string }[])
        about.add(reference.split('/_history')[0] ?? '');
    }
    const without = [...stored.keys()].filter(
      (key) => isMade(key) && !key.startsWith('Provenance/') && !about.has(key),
    );
    expect(without).toEqual([]);
    const verified = await baton.send('POST', '/ops/audit/verify', {
      body: {},
      headers: { 'content-type': 'application/json' },
    });
    expect([verified.status, verified.json.reason], verified.text).toEqual([200, undefined]);
    expect(Number(verified.json.verified)).toBeGreaterThan(100);
  });

  /** Not sent by the EHR. */
  function isMade(reference: string): boolean {
    return (
      !SENT.has(reference) && !/^(Practitioner|PractitionerRole|Organization|Patient|Provenance)\//.test(reference)
    );
  }
});

const SENT = new Set([
  'Condition/hf',
  'Condition/hunger',
  'Condition/frailty',
  'Encounter/stay',
  'MedicationStatement/at-home',
  'MedicationRequest/at-discharge',
  'RelatedPerson/daughter',
]);

/** Every literal reference to something here. */
function references(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(references);
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => {
    if (key === 'contained') return [];
    if (key === 'reference' && typeof inner === 'string') {
      return /^[A-Z]\w+\/[\w.-]+/.test(inner) ? [inner.split('/_history')[0] ?? ''] : [];
    }
    return references(inner);
  });
}

// A plan gives way to another one while people work on it: what stands in both goes on as it is. Commands, re-plan and evidence
// over HTTP; time by the test.
import type { CommunicationRequest, PlanDefinition, Resource, Task } from '@medplum/fhirtypes';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { CODE_SYSTEM, IDENTIFIER } from '../../../src/care/systems.ts';
import { createTransitions, type Transitions } from '../../../src/transitions/transitions.ts';
import { artifacts, calendars, riskMethods } from '../../care/artifacts.ts';
import { testRules } from '../../support/store-rules.ts';
import { DISCHARGED, discharged, FACILITIES, patient } from '../../transitions/hospital.ts';
import { type ApiServer, serveApi } from './api-client.ts';

let baton: ApiServer;
let transitions: Transitions;
let now = Temporal.Instant.from(DISCHARGED);
const clock = { now: () => now, real: () => Temporal.Now.instant() };

/** As after a restart with these protocols. */
const open = (store: ApiServer['temp']['store'], rules: readonly Resource[]) => {
  transitions = createTransitions({
    ...{ store, clock, facilities: FACILITIES, calendars, artifacts: rules, riskMethods },
    parse: (query) => testRules().searchEngine.parse(query),
    log: pino({ level: 'silent' }),
  });
};

const stay = (more: object = {}, disposition = '01') => ({
  ...discharged({ diagnosis: undefined, ...more }, disposition),
  id: 'stay',
});

beforeEach(async () => {
  now = Temporal.Instant.from(DISCHARGED);
  baton = await serveApi(({ store }) => {
    open(store, artifacts);
    const { sources, watchdog } = transitions;
    return {
      ...{ clock, evidence: sources },
      transitions: {
        watchdog,
        tick: () => transitions.tick(),
        rewind: (...given) => transitions.rewind(...given),
        replan: (...given) => transitions.replan(...given),
      },
    };
  });
  const river = { system: IDENTIFIER.facility, value: 'RIVER' };
  await baton.put(
    { resourceType: 'Organization', id: 'river', name: 'Riverside', identifier: [river] },
    { resourceType: 'Practitioner', id: 'rn', name: [{ family: 'Nurse' }] },
    {
      resourceType: 'PractitionerRole',
      id: 'rn-role',
      active: true,
      practitioner: { reference: 'Practitioner/rn' },
      code: [{ coding: [{ system: CODE_SYSTEM.careRole, code: 'case-manager' }] }],
    },
    { ...patient(), id: 'ann' },
    {
      resourceType: 'CareTeam',
      id: 'team',
      status: 'active',
      subject: { reference: 'Patient/ann' },
      participant: [{ role: [{ text: 'Nurse' }], member: { reference: 'Practitioner/rn' } }],
    },
    stay(),
  );
  await transitions.tick();
});
afterEach(() => baton.close());

const at = async (moment: string) => {
  now = Temporal.Instant.from(moment);
  await transitions.tick();
};
const found = async <R extends Resource>(path: string) =>
  ((await baton.fhir('GET', path)).json.entry ?? []).map(({ resource }) => resource as unknown as R);
const live = async () => (await found('/EpisodeOfCare?patient=ann&status=active'))[0]?.id ?? '';

interface View {
  id: string;
  step: string;
  stage: string;
  status: string;
  due: string;
  owner?: { reference: string };
  attempts: unknown[];
  credited?: string;
  escalateAt?: string;
}
async function followUps(): Promise<Record<string, View>> {
  const { json } = await baton.api('GET', `/transitions/${await live()}/follow-ups`);
  return Object.fromEntries((json.items as View[]).map((view) => [view.step, view]));
}
async function act(step: string, verb: string, body: object) {
  const task = (await followUps())[step]?.id;
  // An application by itself has no contacts that are evidence.
  const as = await baton.tokenOf('Practitioner/rn', 'user/*.cruds');
  const answer = await baton.api('POST', `/transitions/${await live()}/follow-ups/${task}/${verb}`, { as, body });
  expect(answer.status, answer.text).toBe(200);
  await transitions.tick();
}
const tried = (started: string) => ({ channel: 'phone', party: 'patient', outcome: 'no-answer', started });

/** What was told of a follow-up, each message once, in words. */
async function told(task: string | undefined): Promise<string[]> {
  const all = await found<CommunicationRequest>('/CommunicationRequest?_count=1000&_sort=_lastUpdated');
  return all
    .filter(({ about }) => about?.some(({ reference }) => reference === `Task/${task}`))
    .map(({ reasonCode, status }) => `${reasonCode?.[0]?.coding?.[0]?.code} ${status}`);
}
const toldOf = (all: Record<string, View>) => Promise.all(Object.values(all).map(({ id }) => told(id)));
const escalations = async () =>
  (await found<Task>('/Task?code=escalation&_count=100')).map(({ status, focus }) => [focus?.reference, status]);

interface Difference {
  step: string;
  change: string;
  keeps: string[];
  loses: string[];
  before?: { due?: string; stage?: string };
  after?: { due?: string; stage?: string };
}
/** Re-plans the live transition: what was shown, by step. */
async function replan(carryOut = true): Promise<Record<string, Difference>> {
  const episode = await live();
  const ask = async (body: object) => {
    const answer = await baton.send('POST', '/ops/follow-ups/re-plan', {
      body: JSON.stringify(body),
      headers: { 'content-type': 'application/json' },
    });
    expect(answer.status, answer.text).toBe(200);
    return answer.json as unknown as { steps: Difference[]; tag: string };
  };
  const { steps, tag } = await ask({ episode });
  if (carryOut) await ask({ episode, tag });
  return Object.fromEntries(steps.map((step) => [step.step, step]));
}

/** The lower-risk protocol in another version, with these days until the deadline of steps and without those that have none. */
const newer = (days: Record<string, number | undefined>) =>
  artifacts.map((resource): Resource => {
    if (resource.resourceType !== 'PlanDefinition' || !resource.url?.endsWith('home-lower-risk')) return resource;
    const [root] = resource.action ?? [];
    const steps = (root?.action ?? [])
      .filter(({ id = '' }) => !(id in days) || days[id] !== undefined)
      .map((step) => {
        const value = days[step.id ?? ''];
        return value === undefined ? step : { ...step, timingDuration: { ...step.timingDuration, value } };
      });
    return { ...resource, version: '99.0.0', action: [{ ...root, action: steps }] } as PlanDefinition;
  });

it('a re-plan keeps the attempts, their credit, the owner and what was told; what is done stays done', async () => {
  await act('notify-pcp', 'complete', {});
  await at('2026-11-24T16:00:00-05:00');
  await act('contact', 'attempt', tried('2026-11-23T10:00:00-05:00'));
  await act('contact', 'attempt', tried('2026-11-24T15:00:00-05:00'));
  await act('contact', 'reassign', { owner: { reference: 'Practitioner/rn' } });
  const before = await followUps();
  const said = await told(before.contact?.id);
  const [old, evidence] = [await live(), await baton.api('GET', `/transitions/${await live()}/evidence`)];
  open(baton.temp.store, newer({ visit: 13, 'call-14': undefined }));
  const shown = await replan();
  expect(shown.contact).toMatchObject({ change: 'same', keeps: ['attempts', 'credit', 'owner'], loses: [] });
  expect(shown['notify-pcp']?.change).toBe('done');
  expect(shown['call-14']?.change).toBe('withdrawn');
  expect(shown.visit).toMatchObject({ change: 'moved', before: { due: before.visit?.due } });
  const after = await followUps();
  expect(await live()).not.toBe(old);
  expect(after.contact).toMatchObject({
    id: before.contact?.id,
    stage: 'credited',
    owner: { reference: 'Practitioner/rn' },
    attempts: before.contact?.attempts,
    credited: '2026-11-24T15:00:00-05:00',
  });
  expect(after.visit?.due).toBe(shown.visit?.after?.due);
  expect(after.visit?.due).toContain('2026-12-03');
  expect(after['notify-pcp']).toMatchObject({ id: before['notify-pcp']?.id, status: 'completed' });
  await at('2026-11-24T16:30:00-05:00');
  expect(await told(before.contact?.id)).toEqual(said);
  const again = await baton.api('GET', `/transitions/${await live()}/evidence`);
  const contactIn = ({ json }: typeof again) =>
    (json as { tcm?: { findings?: { code: string }[] } }).tcm?.findings?.[0];
  expect(contactIn(again)).toMatchObject({ state: 'credited' });
  expect(contactIn(again)).toEqual(contactIn(evidence));
  // A contact about it still counts, and the old transition has it no more.
  await act('contact', 'attempt', { ...tried('2026-11-24T16:25:00-05:00'), outcome: 'reached' });
  expect((await followUps()).contact?.status).toBe('completed');
  const left = await baton.api('GET', `/transitions/${old}/follow-ups`);
  expect((left.json.items as View[]).every(({ stage }) => stage === 'withdrawn')).toBe(true);
});

it('a re-plan keeps an agreed deadline; the same plan twice changes nothing that anybody sees', async () => {
  await at('2026-11-24T16:00:00-05:00');
  await act('visit', 'reschedule', { due: '2026-12-02T12:00:00-05:00' });
  const before = await followUps();
  const said = await toldOf(before);
  open(baton.temp.store, newer({ visit: 10 }));
  const shown = await replan();
  expect(shown.visit).toMatchObject({ change: 'same', keeps: ['deadline'], loses: [] });
  expect(Object.values(shown).filter(({ change }) => change !== 'same' && change !== 'done')).toEqual([]);
  await replan();
  const after = await followUps();
  expect(after).toMatchObject(
    Object.fromEntries(
      Object.values(before).map(({ step, id, stage, due, status }) => [step, { id, stage, due, status }]),
    ),
  );
  await at('2026-11-24T17:00:00-05:00');
  expect(await toldOf(after)).toEqual(said);
});

it('a re-plan keeps an acknowledgement, tells nobody again, and leaves the supervisor the one Task', async () => {
  await at('2026-11-25T14:00:00-05:00');
  await act('contact', 'acknowledge', { until: '2026-11-30T12:00:00-05:00' });
  const { contact } = await followUps();
  const [said, above] = [await told(contact?.id), await escalations()];
  expect(contact?.stage).toBe('acknowledged');
  open(baton.temp.store, newer({ visit: 13 }));
  const shown = await replan();
  expect(shown.contact).toMatchObject({ change: 'same', keeps: ['late', 'acknowledgement'], loses: [] });
  await at('2026-11-27T15:00:00-05:00');
  expect((await followUps()).contact).toMatchObject({
    id: contact?.id,
    stage: 'acknowledged',
    escalateAt: contact?.escalateAt,
  });
  expect(await told(contact?.id)).toEqual(said);
  expect(await escalations()).toEqual(above);
  await act('contact', 'complete', {});
  expect((await escalations()).filter(([focus]) => focus === `Task/${contact?.id}`)).toEqual(
    above.filter(([focus]) => focus === `Task/${contact?.id}`).map(([focus]) => [focus, 'cancelled']),
  );
});

it('a follow-up that is late no longer begins again, is shown so, and is missed anew', async () => {
  await at('2026-11-25T14:00:00-05:00');
  const { contact } = await followUps();
  expect(contact?.stage).toBe('escalated');
  open(baton.temp.store, newer({ contact: 5 }));
  const shown = await replan(false);
  expect(shown.contact).toMatchObject({
    change: 'moved',
    loses: ['late'],
    before: { stage: 'escalated' },
    after: { stage: 'due' },
  });
  await replan();
  expect((await escalations()).filter(([focus]) => focus === `Task/${contact?.id}`)).toEqual([
    [`Task/${contact?.id}`, 'cancelled'],
  ]);
  expect((await followUps()).contact).toMatchObject({ id: contact?.id, stage: 'due' });
  const overdue = async () => (await told(contact?.id)).filter((one) => one.startsWith('follow-up-overdue')).length;
  const before = await overdue();
  await at('2026-12-01T06:00:00-05:00');
  expect((await followUps()).contact?.stage).toBe('overdue');
  expect(await overdue()).toBe(before + 1);
});

it('a corrected diagnosis that chooses another protocol leaves the steps of both as they are', async () => {
  await at('2026-11-24T10:00:00-05:00');
  await act('contact', 'attempt', tried('2026-11-24T09:00:00-05:00'));
  await act('medication-reconciliation', 'reassign', { owner: { reference: 'Practitioner/rn' } });
  const before = await followUps();
  const said = await told(before.contact?.id);
  const code = { coding: [{ system: 'http://hl7.org/fhir/sid/icd-10-cm', code: 'F32.2' }] };
  await baton.put(
    { resourceType: 'Condition', id: 'low', subject: { reference: 'Patient/ann' }, code },
    stay({ diagnosis: [{ condition: { reference: 'Condition/low' }, rank: 1 }] }),
  );
  await at('2026-11-24T10:05:00-05:00');
  const after = await followUps();
  expect(Object.keys(after)).toContain('behavioral-health-visit-7');
  expect(after.visit).toBeUndefined();
  expect(after.contact).toMatchObject({ id: before.contact?.id, stage: 'due' });
  expect(after.contact?.attempts).toEqual(before.contact?.attempts);
  expect(after['medication-reconciliation']).toMatchObject({
    id: before['medication-reconciliation']?.id,
    owner: { reference: 'Practitioner/rn' },
  });
  expect(await told(before.contact?.id)).toEqual(said);
  await act('contact', 'attempt', tried('2026-11-24T10:04:00-05:00'));
  expect((await followUps()).contact?.attempts).toHaveLength(2);
});

it('what was given up is planned anew, and shown so; what was done long ago stays done through every plan', async () => {
  await act('notify-pcp', 'complete', {});
  await at('2026-11-24T10:00:00-05:00');
  await act('visit', 'withdraw', { reason: 'not-needed' });
  open(baton.temp.store, newer({ contact: 3 }));
  const shown = await replan();
  expect(shown.visit).toMatchObject({ change: 'again', before: { stage: 'withdrawn' }, after: { stage: 'scheduled' } });
  open(baton.temp.store, newer({ contact: 4 }));
  expect((await replan())['notify-pcp']?.change).toBe('done');
  expect((await followUps())['notify-pcp']?.status).toBe('completed');
});

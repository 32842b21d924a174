// The life of a follow-up as a nurse and the clock lead it: commands over HTTP, time by the test.
import type { CommunicationRequest, Task } from '@medplum/fhirtypes';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createProvenanceWriter, type ProvenanceWriter } from '../../../src/audit/provenance-writer.ts';
import { CODE_SYSTEM, IDENTIFIER } from '../../../src/care/systems.ts';
import { createTransitions, type Transitions } from '../../../src/transitions/transitions.ts';
import { artifacts, calendars, riskMethods } from '../../care/artifacts.ts';
import { testRules } from '../../support/store-rules.ts';
import { DISCHARGED, discharged, FACILITIES, patient } from '../../transitions/hospital.ts';
import { type ApiServer, serveApi } from './api-client.ts';

let baton: ApiServer;
let transitions: Transitions;
let provenance: ProvenanceWriter;
/** Of the server and of transitions; unlike that of the store it goes back for the next patient. */
let now = Temporal.Instant.from(DISCHARGED);
const clock = { now: () => now, real: () => Temporal.Now.instant() };
beforeAll(async () => {
  baton = await serveApi({ clock });
  transitions = createTransitions({
    store: baton.temp.store,
    clock,
    facilities: FACILITIES,
    calendars,
    artifacts,
    riskMethods,
    parse: (query) => testRules().searchEngine.parse(query),
    log: pino({ level: 'silent' }),
  });
  const log = pino({ level: 'silent' });
  provenance = createProvenanceWriter({ store: baton.temp.store, baseUrl: 'https://baton.example', log });
  const river = { system: IDENTIFIER.facility, value: 'RIVER' };
  await baton.put(
    { resourceType: 'Organization', id: 'river', name: 'Riverside', identifier: [river] },
    { resourceType: 'Practitioner', id: 'rn', name: [{ family: 'Nurse' }] },
    { resourceType: 'Practitioner', id: 'stand-in', name: [{ family: 'Backup' }] },
  );
});
afterAll(() => baton.close());

let people = 0;
/** Another patient who went home on Friday 20 November; her transition with the ids of its follow-ups by step. */
async function goesHome() {
  const id = `p${++people}`;
  await at(DISCHARGED);
  const stay = discharged({ id: `stay-${id}`, subject: { reference: `Patient/${id}` }, diagnosis: undefined });
  await baton.put(
    { ...patient({ id }), id },
    {
      resourceType: 'CareTeam',
      id: `team-${id}`,
      status: 'active',
      subject: { reference: `Patient/${id}` },
      participant: [
        {
          extension: [{ url: 'https://baton.health/fhir/StructureDefinition/team-duty', valueCode: 'backup' }],
          role: [{ text: 'Nurse' }],
          member: { reference: 'Practitioner/stand-in' },
        },
      ],
    },
    { ...stay, id: `stay-${id}` },
  );
  await transitions.tick();
  const answer = await baton.fhir('GET', `/EpisodeOfCare?patient=${id}`);
  const transition = (answer.json as { entry: { resource: { id: string } }[] }).entry[0]?.resource.id ?? '';
  const { items } = await list(transition);
  const tasks = Object.fromEntries(items.map(({ step, id: task }) => [step, task]));
  return { patient: id, transition, contact: tasks.contact ?? '', tasks };
}

type View = { id: string; step: string; stage: string; can: string[]; [member: string]: unknown };
const list = async (transition: string, query = '') =>
  (await baton.api('GET', `/transitions/${transition}/follow-ups${query}`)).json as unknown as { items: View[] };
const show = async (transition: string, task: string) =>
  (await baton.api('GET', `/transitions/${transition}/follow-ups/${task}`)).json as unknown as View;
const act = (transition: string, task: string, verb: string, body: object) =>
  baton.api('POST', `/transitions/${transition}/follow-ups/${task}/${verb}`, { body });
const tried = (started: string, outcome = 'no-answer', more: object = {}) => ({
  channel: 'phone',
  party: 'patient',
  outcome,
  started,
  // The tests act as an application, for the nurse.
  by: { reference: 'Practitioner/rn' },
  ...more,
});
async function at(moment: string) {
  now = Temporal.Instant.from(moment);
  await transitions.tick();
}
async function messages(task: string) {
  const answer = await baton.fhir('GET', '/CommunicationRequest?_count=1000&_sort=_lastUpdated');
  const all = (answer.json as unknown as { entry?: { resource: CommunicationRequest }[] }).entry ?? [];
  return all
    .map(({ resource }) => resource)
    .filter(({ about }) => about?.some(({ reference }) => reference === `Task/${task}`))
    .map(({ reasonCode, recipient }) => [reasonCode?.[0]?.coding?.[0]?.code, recipient?.[0]?.reference]);
}

describe('a contact', () => {
  it('by two separate attempts in time is credited, not escalated, and ends with the credit when it expires', async () => {
    const { transition, contact } = await goesHome();
    await at('2026-11-23T09:30:00-05:00');
    const first = await act(transition, contact, 'attempt', tried('2026-11-23T09:20:00-05:00', 'left-message'));
    expect(first.json).toMatchObject({ stage: 'due', status: 'requested', attemptsWanted: 2 });
    // Ten minutes later is no separate attempt.
    await act(transition, contact, 'attempt', tried('2026-11-23T09:30:00-05:00'));
    expect((await show(transition, contact)).stage).toBe('due');
    await at('2026-11-24T16:00:00-05:00');
    const second = await act(transition, contact, 'attempt', tried('2026-11-24T15:55:00-05:00'));
    expect(second.json).toMatchObject({ stage: 'credited', credited: '2026-11-24T15:55:00-05:00' });
    expect((second.json as unknown as { attempts: unknown[] }).attempts).toHaveLength(3);
    await at('2026-11-26T12:00:00-05:00');
    expect(await show(transition, contact)).toMatchObject({ stage: 'credited', priority: 'urgent' });
    await at('2026-12-21T09:00:00-05:00');
    expect(await show(transition, contact)).toMatchObject({ stage: 'done-by-credit', status: 'completed', can: [] });
  });

  it('by video may be a visit of the practitioner who made it', async () => {
    const { patient: id, transition, contact } = await goesHome();
    await at('2026-11-24T10:00:00-05:00');
    const visit = tried('2026-11-24T09:30:00-05:00', 'reached', { channel: 'video', visit: {}, by: undefined });
    const path = `/transitions/${transition}/follow-ups/${contact}/attempt`;
    const byApplication = await baton.api('POST', path, { body: visit });
    expect([byApplication.status, byApplication.json.errors]).toMatchObject([422, [{ member: 'visit' }]]);
    await baton.put({
      resourceType: 'PractitionerRole',
      id: `rn-${id}`,
      active: true,
      practitioner: { reference: 'Practitioner/stand-in' },
      code: [{ coding: [{ system: CODE_SYSTEM.careRole, code: 'case-manager' }] }],
    });
    const as = await baton.tokenOf('Practitioner/stand-in', 'user/*.cruds');
    const forSomebody = await baton.api('POST', path, { as, body: { ...visit, by: { reference: 'Practitioner/rn' } } });
    expect([forSomebody.status, forSomebody.json.errors]).toMatchObject([422, [{ member: 'by' }]]);
    const done = await baton.api('POST', path, { as, body: visit });
    expect([done.status, done.json.stage], done.text).toEqual([200, 'done-on-time']);
    const found = await baton.fhir('GET', `/Encounter?patient=${id}&class=VR`);
    expect(found.json).toMatchObject({
      entry: [{ resource: { participant: [{ individual: { reference: 'Practitioner/stand-in' } }] } }],
    });
  });

  it('that reaches somebody after the credit was earned is done late, with its credit', async () => {
    const { transition, contact } = await goesHome();
    await at('2026-11-24T18:00:00-05:00');
    await act(transition, contact, 'attempt', tried('2026-11-23T10:00:00-05:00'));
    await act(transition, contact, 'attempt', tried('2026-11-24T10:00:00-05:00', 'wrong-number'));
    await at('2026-11-27T10:00:00-05:00');
    await act(transition, contact, 'attempt', tried('2026-11-27T09:50:00-05:00', 'reached'));
    expect(await show(transition, contact)).toMatchObject({
      stage: 'done-late',
      status: 'completed',
      done: '2026-11-27T09:50:00-05:00',
      credited: '2026-11-24T10:00:00-05:00',
    });
  });

  it('is not credited because somebody writes so: the attempts are counted', async () => {
    const { transition, contact } = await goesHome();
    await at('2026-11-23T09:30:00-05:00');
    await act(transition, contact, 'attempt', tried('2026-11-23T09:20:00-05:00'));
    const read = await baton.fhir('GET', `/Task/${contact}`);
    const { output = [], ...task } = read.json as unknown as Task;
    const stage = (code: string) => ({ coding: [{ system: CODE_SYSTEM.followUpStatus, code }] });
    const credit = {
      type: { coding: [{ system: CODE_SYSTEM.interventionOutput, code: 'contact-credit' }] },
      valueDateTime: '2026-11-24T09:00:00-05:00',
    };
    const forged = { ...task, output: [...output, credit], businessStatus: stage('credited') };
    expect((await baton.fhir('PUT', `/Task/${contact}`, { body: forged })).status).toBe(200);
    await transitions.tick();
    const shown = await show(transition, contact);
    expect([shown.stage, shown.credited, shown.attempts]).toEqual(['due', undefined, [expect.anything()]]);
    await at('2026-11-25T13:30:00-05:00');
    expect((await show(transition, contact)).stage).toBe('escalated');
  });

  it('whose attempts in time are told late is credited then, and nobody waits for a supervisor', async () => {
    const { transition, contact } = await goesHome();
    await at('2026-11-25T13:30:00-05:00');
    expect((await show(transition, contact)).stage).toBe('escalated');
    await act(transition, contact, 'attempt', tried('2026-11-23T10:00:00-05:00'));
    await act(transition, contact, 'attempt', tried('2026-11-24T10:00:00-05:00'));
    await transitions.tick();
    expect((await show(transition, contact)).stage).toBe('credited');
    const answer = await baton.fhir('GET', `/Task?code=escalation&_count=100`);
    const tasks = (answer.json as unknown as { entry: { resource: Task }[] }).entry.map(({ resource }) => resource);
    const own = tasks.filter(({ focus }) => focus?.reference === `Task/${contact}`);
    expect(own.map(({ status }) => status)).toEqual(['cancelled']);
  });

  it('told as a Communication over FHIR counts as well, and not any more once it was a mistake', async () => {
    const { transition, contact, patient: id } = await goesHome();
    await at('2026-11-24T18:00:00-05:00');
    const communication = (sent: string) => ({
      resourceType: 'Communication',
      status: 'not-done',
      basedOn: [{ reference: `Task/${contact}` }],
      subject: { reference: `Patient/${id}` },
      medium: [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ParticipationMode', code: 'PHONE' }] }],
      sent,
    });
    await baton.put(
      { ...communication('2026-11-23T10:00:00-05:00'), id: `a-${id}` },
      { ...communication('2026-11-24T10:00:00-05:00'), id: `b-${id}` },
    );
    await transitions.tick();
    expect((await show(transition, contact)).stage).toBe('credited');
    await baton.put({ ...communication('2026-11-24T10:00:00-05:00'), id: `b-${id}`, status: 'entered-in-error' });
    await transitions.tick();
    const { stage, credited, attempts } = await show(transition, contact);
    expect({ stage, credited, attempts }).toEqual({
      stage: 'reminded',
      credited: undefined,
      attempts: [{ reference: `Communication/a-${id}` }],
    });
  });
});

describe('a follow-up nobody does', () => {
  it('is told of to its owner twice, then climbs its ladder: owner, backup, supervisor, each once', async () => {
    const { transition, contact } = await goesHome();
    const moments = ['11-23T09:00', '11-24T12:00', '11-25T00:00', '11-25T09:00', '11-25T13:00'];
    for (const moment of [...moments, ...moments.slice(-1)]) await at(`2026-${moment}:00-05:00`);
    const owner = (await show(transition, contact)).owner as { reference: string };
    expect(await messages(contact)).toEqual([
      ['follow-up-due', owner.reference],
      ['follow-up-reminder', owner.reference],
      ['follow-up-overdue', owner.reference],
      ['follow-up-overdue', 'Practitioner/stand-in'],
    ]);
    expect(await show(transition, contact)).toMatchObject({ stage: 'escalated', priority: 'stat' });
    const above = (await baton.fhir('GET', `/Task?code=escalation&_count=100`)).json as unknown as {
      entry: { resource: Task }[];
    };
    expect(above.entry.filter(({ resource }) => resource.focus?.reference === `Task/${contact}`)).toHaveLength(1);
  });

  it('and that is acknowledged climbs no further before the end of the next business day, then goes on', async () => {
    const { transition, contact } = await goesHome();
    await at('2026-11-25T00:00:00-05:00');
    expect((await act(transition, contact, 'acknowledge', { note: 'Calling' })).json).toMatchObject({
      stage: 'acknowledged',
    });
    await transitions.tick();
    // Thursday is Thanksgiving.
    expect((await show(transition, contact)).escalateAt).toBe('2026-11-27T23:59:59-05:00');
    await at('2026-11-27T20:00:00-05:00');
    expect((await show(transition, contact)).stage).toBe('acknowledged');
    await at('2026-11-28T00:00:00-05:00');
    expect((await show(transition, contact)).stage).toBe('escalated');
  });

  it('and that is acknowledged over FHIR waits as well; what Baton sets itself is refused there', async () => {
    const { transition, contact } = await goesHome();
    await at('2026-11-25T00:00:00-05:00');
    const { json } = await baton.fhir('GET', `/Task/${contact}`);
    const stage = (code: string) => ({
      ...(json as object),
      businessStatus: { coding: [{ system: 'https://baton.health/fhir/CodeSystem/follow-up-status', code }] },
    });
    const refused = await baton.fhir('PUT', `/Task/${contact}`, { body: stage('done-on-time') });
    expect(refused.status).toBe(422);
    expect(refused.text).toContain('it can be acknowledged');
    expect((await baton.fhir('PUT', `/Task/${contact}`, { body: stage('acknowledged') })).status).toBe(200);
    await transitions.tick();
    expect((await show(transition, contact)).escalateAt).toBe('2026-11-27T23:59:59-05:00');
  });

  it('is not put off for years, by a command or by FHIR', async () => {
    const { transition, contact } = await goesHome();
    await at('2026-11-25T00:00:00-05:00');
    const longRest = await act(transition, contact, 'acknowledge', { until: '2999-01-01' });
    expect([longRest.status, longRest.text]).toEqual([
      422,
      expect.stringContaining('until lies more than 7 days ahead'),
    ]);
    const farOff = await act(transition, contact, 'reschedule', { due: '2999-01-01' });
    expect([farOff.status, farOff.text]).toEqual([422, expect.stringContaining('due lies more than 60 days ahead')]);
    await act(transition, contact, 'acknowledge', {});
    await transitions.tick();
    const { json } = await baton.fhir('GET', `/Task/${contact}`);
    const forged = JSON.parse(JSON.stringify(json).replaceAll('2026-11-27T23:59:59-05:00', '2999-01-01T00:00:00Z'));
    expect(forged).not.toEqual(json);
    expect((await baton.fhir('PUT', `/Task/${contact}`, { body: forged })).status).toBe(200);
    await transitions.tick();
    expect((await show(transition, contact)).escalateAt).toBe('2026-11-27T23:59:59-05:00');
  });

  it('and that is given another deadline begins anew, and is missed a second time', async () => {
    const { transition, contact } = await goesHome();
    await at('2026-11-25T13:00:00-05:00');
    expect((await act(transition, contact, 'reschedule', { due: '2026-11-30' })).status).toBe(200);
    await transitions.tick();
    expect(await show(transition, contact)).toMatchObject({ stage: 'due', due: '2026-11-30T23:59:59-05:00' });
    await at('2026-12-01T13:00:00-05:00');
    expect((await show(transition, contact)).stage).toBe('escalated');
    const overdue = (await messages(contact)).filter(([reason]) => reason === 'follow-up-overdue');
    expect(overdue).toHaveLength(4);
  });

  it('expires when it is of no use any more, with the reason', async () => {
    const { transition, tasks } = await goesHome();
    await at('2026-11-28T09:00:00-05:00');
    expect(await show(transition, tasks['notify-pcp'] ?? '')).toMatchObject({
      stage: 'expired',
      status: 'failed',
      reason: { code: 'expired' },
    });
  });
});

describe('what people do', () => {
  it('is done on time or late by when it was done, also over FHIR', async () => {
    const { transition, tasks } = await goesHome();
    await at('2026-11-21T20:00:00-05:00');
    const late = await act(transition, tasks['notify-pcp'] ?? '', 'complete', {});
    expect(late.json).toMatchObject({ stage: 'done-late', status: 'completed' });
    const { json } = await baton.fhir('GET', `/Task/${tasks['discharge-information']}`);
    const done = { ...(json as object), status: 'completed', executionPeriod: { end: '2026-11-21T19:00:00-05:00' } };
    await baton.put(done as unknown as { resourceType: string; id: string });
    await transitions.tick();
    expect((await show(transition, tasks['discharge-information'] ?? '')).stage).toBe('done-on-time');
  });

  it('names what may happen instead when something may not', async () => {
    const { transition, contact } = await goesHome();
    const early = await act(transition, contact, 'acknowledge', {});
    expect(early.status).toBe(422);
    expect(early.text).toMatch(/A follow-up that is scheduled cannot be acknowledged; it can be opened, /);
    await act(transition, contact, 'withdraw', { reason: 'not-needed' });
    expect(await show(transition, contact)).toMatchObject({ stage: 'withdrawn', reason: { code: 'not-needed' } });
    const over = await act(transition, contact, 'attempt', tried('2026-11-20T14:00:00-05:00'));
    expect(over.text).toContain('A follow-up that is withdrawn cannot be attempted; nothing more happens to it.');
  });

  it('handed to somebody else tells them once', async () => {
    const { transition, contact } = await goesHome();
    await at('2026-11-23T09:00:00-05:00');
    const owner = { reference: 'Practitioner/rn' };
    expect((await act(transition, contact, 'reassign', { owner })).json).toMatchObject({ stage: 'due', owner });
    await transitions.tick();
    await act(transition, contact, 'acknowledge', {});
    await transitions.tick();
    expect((await messages(contact)).slice(1)).toEqual([['follow-up-assigned', 'Practitioner/rn']]);
  });

  it('opting out ends the transition for good', async () => {
    const { transition, patient: id } = await goesHome();
    const answer = await baton.api('POST', `/transitions/${transition}/withdraw`, { body: { reason: 'opted-out' } });
    expect(answer.json).toMatchObject({ status: 'cancelled', reason: 'opted-out' });
    await transitions.tick();
    const { items } = await list(transition);
    expect(new Set(items.map(({ stage }) => stage))).toEqual(new Set(['withdrawn']));
    expect((await list(transition, '?open=true')).items).toEqual([]);
    // A late word about the discharge does not begin it again.
    const stay = discharged({ id: `stay-${id}`, subject: { reference: `Patient/${id}` }, diagnosis: undefined });
    await baton.put({ ...stay, id: `stay-${id}`, serviceType: { text: 'late' } });
    await transitions.tick();
    expect((await baton.fhir('GET', `/EpisodeOfCare?patient=${id}&status=active`)).json).toMatchObject({ total: 0 });
    expect((await baton.api('POST', `/transitions/${transition}/withdraw`, { body: { reason: 'died' } })).status).toBe(
      422,
    );
  });

  it('is in the timeline of the case', async () => {
    const { contact, transition, patient: id } = await goesHome();
    const caseId = `case-${id}`;
    await baton.put({
      resourceType: 'EpisodeOfCare',
      id: caseId,
      status: 'active',
      type: [{ coding: [{ system: 'https://baton.health/fhir/CodeSystem/episode-type', code: 'case-management' }] }],
      patient: { reference: `Patient/${id}` },
    });
    await at('2026-11-24T12:00:00-05:00');
    await act(transition, contact, 'attempt', tried('2026-11-24T11:00:00-05:00'));
    const timeline = await baton.api('GET', `/cases/${caseId}/timeline?kind=contact,notice,task`);
    const { items } = timeline.json as unknown as { items: { kind: string; what: string }[] };
    expect(items.map(({ kind }) => kind)).toEqual(expect.arrayContaining(['contact', 'notice', 'task']));
    expect(items.map(({ what }) => what)).toContain('Follow-up soon due: Contact within two business days');
  });

  it('step by step, each with who did it', async () => {
    const { contact, transition, patient: id } = await goesHome();
    await baton.put({
      resourceType: 'EpisodeOfCare',
      id: `case-${id}`,
      status: 'active',
      type: [{ coding: [{ system: 'https://baton.health/fhir/CodeSystem/episode-type', code: 'case-management' }] }],
      patient: { reference: `Patient/${id}` },
    });
    await at('2026-11-25T12:00:00-05:00');
    await act(transition, contact, 'withdraw', { reason: 'opted-out' });
    await provenance.run();
    const { json } = await baton.api('GET', `/cases/case-${id}/timeline?kind=step&limit=200`);
    const { items } = json as unknown as { items: { what: string; stage?: string; who?: object }[] };
    const steps = items.filter(({ what }) => what === 'Contact within two business days');
    expect(steps.map(({ stage }) => stage).reverse()).toEqual(['scheduled', 'due', 'escalated', 'withdrawn']);
    expect(steps.every(({ who }) => who !== undefined)).toBe(true);
    const task = await baton.api('GET', `/cases/case-${id}/timeline?kind=task`);
    expect(task.text).toContain('"stage":"withdrawn"');
  });
});

// Medicare's notices of a stay, from the admission to the signature: told over FHIR, carried out over the API.
import type { Bundle, DocumentReference, Encounter, Task } from '@medplum/fhirtypes';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { IDENTIFIER } from '../../../src/care/systems.ts';
import { createTransitions, type Transitions } from '../../../src/transitions/transitions.ts';
import { artifacts, calendars, riskMethods } from '../../care/artifacts.ts';
import { testRules } from '../../support/store-rules.ts';
import { FACILITIES, patient } from '../../transitions/hospital.ts';
import { type ApiServer, serveApi } from './api-client.ts';

/** A Friday. */
const ADMITTED = '2026-11-20T14:00:00-05:00';
let baton: ApiServer;
let transitions: Transitions;
let now = Temporal.Instant.from(ADMITTED);
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
  const river = { system: IDENTIFIER.facility, value: 'RIVER' };
  await baton.put(
    { resourceType: 'Organization', id: 'river', name: 'Riverside', identifier: [river] },
    { resourceType: 'Organization', id: 'medicare', name: 'Medicare' },
    { resourceType: 'Practitioner', id: 'rn', name: [{ family: 'Nurse' }] },
  );
});
afterAll(() => baton.close());

async function at(moment: string): Promise<void> {
  now = Temporal.Instant.from(moment);
  await transitions.tick();
}

/** A stay that goes on. */
const stay = (id: string, code: string, more: Partial<Encounter> = {}): Encounter => ({
  resourceType: 'Encounter',
  id: `stay-${id}`,
  status: 'in-progress',
  class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code },
  type: [{ text: 'Stay' }],
  subject: { reference: `Patient/${id}` },
  serviceProvider: { reference: 'Organization/river' },
  period: { start: ADMITTED },
  ...more,
});
const medicare = (id: string) => ({
  resourceType: 'Coverage',
  id: `medicare-${id}`,
  status: 'active',
  type: { coding: [{ system: 'https://nahdo.org/sopt', code: '1' }] },
  beneficiary: { reference: `Patient/${id}` },
  payor: [{ reference: 'Organization/medicare' }],
});
async function tell(resource: { readonly resourceType: string; readonly id?: string }): Promise<void> {
  const answer = await baton.fhir('PUT', `/${resource.resourceType}/${resource.id}`, { body: resource });
  expect([200, 201], JSON.stringify(answer.json)).toContain(answer.status);
  await transitions.tick();
}
const NOTICES = new Set(['important-message', 'observation-notice']);
let people = 0;
async function comesIn(code: string, covered = true): Promise<string> {
  const id = `s${++people}`;
  await at(ADMITTED);
  await baton.put({ ...patient({ id }), id }, ...(covered ? [medicare(id)] : []));
  await tell(stay(id, code));
  return id;
}
async function notices(id: string): Promise<(Task & { readonly id: string })[]> {
  const answer = await baton.fhir('GET', `/Task?patient=${id}&_sort=deadline`);
  const found = ((answer.json as unknown as Bundle<Task>).entry ?? []).flatMap(({ resource }) => resource ?? []);
  return found.filter(({ code }) => NOTICES.has(code?.coding?.[0]?.code ?? '')) as (Task & { readonly id: string })[];
}
const short = (task: Task) => [
  task.code?.coding?.[0]?.code,
  task.status,
  task.businessStatus?.coding?.[0]?.code,
  task.restriction?.period?.end,
];
const begin = (task: Task) => short(task).slice(0, 3);
const episodeOf = (task: Task) => task.groupIdentifier?.value ?? '';
const act = (task: Task, verb: string, body: object) =>
  baton.api('POST', `/transitions/${episodeOf(task)}/follow-ups/${task.id}/${verb}`, { body });

describe('the Important Message from Medicare', () => {
  it('is due two days after an admission, and done with its signature', async () => {
    const id = await comesIn('IMP');
    await at('2026-11-20T14:05:00-05:00');
    const [task, ...others] = await notices(id);
    expect(others).toEqual([]);
    expect(short(task as Task)).toEqual(['important-message', 'requested', 'due', '2026-11-22T23:59:59-05:00']);
    const missing = await act(task as Task, 'deliver', { delivered: '2026-11-20T14:02:00-05:00' });
    expect([missing.status, missing.json]).toMatchObject([422, { outcome: { issue: [{ expression: ['signed'] }] } }]);
    const given = await act(task as Task, 'deliver', {
      delivered: '2026-11-20T14:02:00-05:00',
      signed: '2026-11-20T14:04:00-05:00',
      language: 'es-US',
      document: { url: 'https://files.example.org/im.pdf', contentType: 'application/pdf' },
    });
    expect(given.json).toMatchObject({
      stage: 'done-on-time',
      delivery: { method: 'handed-over', signed: '2026-11-20T14:04:00-05:00', to: { reference: `Patient/${id}` } },
    });
    const paper = (given.json as { delivery: { document: { reference: string } } }).delivery.document.reference;
    const { json } = await baton.fhir('GET', `/${paper}`);
    expect(json as unknown as DocumentReference).toMatchObject({
      context: { related: [{ reference: `Task/${task?.id}` }] },
    });
    await at('2026-11-23T09:00:00-05:00');
    const episode = await baton.fhir('GET', `/EpisodeOfCare/${episodeOf(task as Task)}`);
    expect(episode.json).toMatchObject({ status: 'finished' });
    expect(await notices(id)).toHaveLength(1);
  });

  it('climbs when nobody gives it, and a refusal of the signature counts with its date', async () => {
    const id = await comesIn('IMP');
    await at('2026-11-23T09:30:00-05:00');
    const [task] = await notices(id);
    expect(begin(task as Task)).toEqual(['important-message', 'requested', 'escalated']);
    const both = { delivered: '2026-11-23T09:10:00-05:00', refused: '2026-11-23T09:10:00-05:00' };
    const twice = await act(task as Task, 'deliver', { ...both, signed: both.refused });
    expect([twice.status, twice.json]).toMatchObject([422, { outcome: { issue: [{ expression: ['refused'] }] } }]);
    expect((await act(task as Task, 'deliver', both)).json).toMatchObject({ stage: 'done-late', delivery: both });
  });

  it('begins when it becomes known that Medicare pays, and not for anybody else', async () => {
    const id = await comesIn('IMP', false);
    expect(await notices(id)).toEqual([]);
    await tell(medicare(id));
    expect((await notices(id)).map(begin)).toEqual([['important-message', 'requested', 'due']]);
  });

  it('is counted from a corrected admission, and withdrawn with one that was a mistake', async () => {
    const id = await comesIn('IMP');
    await tell(stay(id, 'IMP', { period: { start: '2026-11-19T22:00:00-05:00' } }));
    expect((await notices(id)).map((task) => short(task)[3])).toEqual(['2026-11-21T23:59:59-05:00']);
    await tell(stay(id, 'IMP', { status: 'cancelled' }));
    expect((await notices(id)).map(begin)).toEqual([['important-message', 'cancelled', 'withdrawn']]);
  });

  it('is no matter of a stay that began long ago', async () => {
    await at('2026-12-10T14:00:00-05:00');
    const id = `s${++people}`;
    await baton.put({ ...patient({ id }), id }, medicare(id));
    await tell(stay(id, 'IMP'));
    expect(await notices(id)).toEqual([]);
  });
});

describe('the Medicare Outpatient Observation Notice', () => {
  it('is raised after 24 hours and due after 36, and by telephone needs a representative and a copy', async () => {
    const id = await comesIn('OBSENC');
    expect((await notices(id)).map(short)).toEqual([
      ['observation-notice', 'requested', 'scheduled', '2026-11-22T02:00:00-05:00'],
    ]);
    await at('2026-11-21T14:01:00-05:00');
    const [task] = await notices(id);
    expect(short(task as Task)[2]).toBe('due');
    await baton.put({
      resourceType: 'RelatedPerson',
      id: `son-${id}`,
      active: true,
      patient: { reference: `Patient/${id}` },
      name: [{ family: 'Son' }],
    });
    const call = { delivered: '2026-11-21T14:00:30-05:00', method: 'telephone' };
    const toPatient = await act(task as Task, 'deliver', call);
    expect([toPatient.status, toPatient.json]).toMatchObject([422, { outcome: { issue: [{ expression: ['to'] }] } }]);
    const to = { reference: `RelatedPerson/son-${id}` };
    expect((await act(task as Task, 'deliver', { ...call, to })).status).toBe(422);
    const mailed = '2026-11-21T14:01:00-05:00';
    expect((await act(task as Task, 'deliver', { ...call, to, mailed })).json).toMatchObject({
      stage: 'done-on-time',
      delivery: { to, mailed },
    });
  });

  it('is not needed when observation ends within 24 hours, and owed when it went on for longer', async () => {
    const short24 = await comesIn('OBSENC');
    await at('2026-11-21T08:00:00-05:00');
    await tell(
      stay(short24, 'OBSENC', { status: 'finished', period: { start: ADMITTED, end: '2026-11-21T08:00:00-05:00' } }),
    );
    expect((await notices(short24)).map(begin)).toEqual([['observation-notice', 'cancelled', 'withdrawn']]);
    const longer = await comesIn('OBSENC');
    await at('2026-11-21T15:00:00-05:00');
    await tell(
      stay(longer, 'OBSENC', { status: 'finished', period: { start: ADMITTED, end: '2026-11-21T15:00:00-05:00' } }),
    );
    expect((await notices(longer)).map(begin)).toEqual([['observation-notice', 'requested', 'due']]);
  });

  it('stays owed when only the day is known on which observation ended, which may have been after 24 hours', async () => {
    const id = await comesIn('OBSENC');
    await at('2026-11-21T08:00:00-05:00');
    await tell(stay(id, 'OBSENC', { status: 'finished', period: { start: ADMITTED, end: '2026-11-21' } }));
    expect((await notices(id)).map(begin)).toEqual([['observation-notice', 'requested', 'scheduled']]);
  });

  it('gives way to the Important Message, counted from then, when the patient is admitted', async () => {
    const id = await comesIn('OBSENC');
    await at('2026-11-21T08:00:00-05:00');
    const { class: observed } = stay(id, 'OBSENC');
    const since = '2026-11-21T08:00:00-05:00';
    const classHistory = [
      { class: observed, period: { start: ADMITTED, end: since } },
      { class: { ...observed, code: 'IMP' }, period: { start: since } },
    ];
    await tell(stay(id, 'IMP', { classHistory }));
    expect((await notices(id)).map(short)).toEqual([
      ['observation-notice', 'cancelled', 'withdrawn', '2026-11-22T02:00:00-05:00'],
      ['important-message', 'requested', 'due', '2026-11-23T23:59:59-05:00'],
    ]);
  });
});

it('a case shows the notices of its patient beside transitions, and ends of a stay take nothing of them as its transition', async () => {
  const id = await comesIn('IMP');
  const opened = await baton.api('POST', '/cases', {
    body: {
      patient: { reference: `Patient/${id}` },
      programme: { text: 'Stay' },
      careManager: { reference: 'Practitioner/rn' },
    },
  });
  const end = '2026-11-21T10:00:00-05:00';
  await at(end);
  await tell(stay(id, 'IMP', { status: 'finished', period: { start: ADMITTED, end } }));
  const { json } = await baton.api('GET', `/cases/${(opened.json as { id: string }).id}/transitions`);
  const items = (json as unknown as { items: { kind: string; status: string }[] }).items;
  expect(items.map(({ kind, status }) => [kind, status]).toSorted()).toEqual([
    ['stay-notices', 'active'],
    ['transition', 'active'],
  ]);
});

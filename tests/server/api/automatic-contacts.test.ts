// Contacts that an application logs: what does the follow-up shows in the evidence, and what does not, does not do it.
import type { Task } from '@medplum/fhirtypes';
import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { IDENTIFIER } from '../../../src/care/systems.ts';
import { createTransitions, type Transitions } from '../../../src/transitions/transitions.ts';
import { artifacts, calendars, riskMethods } from '../../care/artifacts.ts';
import { testRules } from '../../support/store-rules.ts';
import { DISCHARGED, discharged, FACILITIES, patient } from '../../transitions/hospital.ts';
import { type ApiServer, serveApi } from './api-client.ts';

let baton: ApiServer;
let transitions: Transitions;
let now = Temporal.Instant.from(DISCHARGED);
const clock = { now: () => now, real: () => Temporal.Now.instant() };
beforeAll(async () => {
  baton = await serveApi(({ store }) => {
    transitions = createTransitions({
      ...{ store, clock, facilities: FACILITIES, calendars, artifacts, riskMethods },
      parse: (query) => testRules().searchEngine.parse(query),
      log: pino({ level: 'silent' }),
    });
    return { clock, transitions, evidence: transitions.sources };
  });
  const river = { system: IDENTIFIER.facility, value: 'RIVER' };
  await baton.put(
    { resourceType: 'Organization', id: 'river', name: 'Riverside', identifier: [river] },
    { resourceType: 'Practitioner', id: 'rn', name: [{ family: 'Nurse' }] },
    { resourceType: 'Device', id: 'bot', deviceName: [{ name: 'Caller', type: 'user-friendly-name' }] },
  );
});
afterAll(() => baton.close());

let people = 0;
let transition = '';
let contact = '';
let id = '';
/** Another patient who went home on Friday 20 November. */
beforeEach(async () => {
  id = `p${++people}`;
  await at(DISCHARGED);
  const stay = discharged({ id: `stay-${id}`, subject: { reference: `Patient/${id}` }, diagnosis: undefined });
  await baton.put(
    { ...patient({ id }), id },
    { ...stay, id: `stay-${id}` },
    {
      resourceType: 'EpisodeOfCare',
      id: `case-${id}`,
      status: 'active',
      type: [{ coding: [{ system: 'https://baton.health/fhir/CodeSystem/episode-type', code: 'case-management' }] }],
      patient: { reference: `Patient/${id}` },
    },
  );
  await transitions.tick();
  const answer = await baton.fhir('GET', `/Task?patient=${id}&code=interactive-contact`);
  const [task] = (answer.json as unknown as { entry: { resource: Task }[] }).entry;
  contact = task?.resource.id ?? '';
  transition = task?.resource.identifier?.[0]?.value?.split('|')[0] ?? '';
});

async function at(moment: string) {
  now = Temporal.Instant.from(moment);
  await transitions.tick();
}
const tried = (started: string, outcome = 'no-answer', more: object = {}) => ({
  ...{ channel: 'phone', party: 'patient', outcome, started },
  ...more,
});
const attempt = (body: object) =>
  baton.api('POST', `/transitions/${transition}/follow-ups/${contact}/attempt`, { body });
/** Where the follow-up stands, and what the evidence says of the contact. */
async function both() {
  const shown = await baton.api('GET', `/transitions/${transition}/follow-ups/${contact}`);
  const { json } = await baton.api('GET', `/transitions/${transition}/evidence`);
  const { findings } = (json as unknown as { tcm: { findings: { code: string; state: string }[] } }).tcm;
  return [(shown.json as unknown as { stage: string }).stage, findings.find(({ code }) => code === 'contact')?.state];
}
const timeline = async () => (await baton.api('GET', `/cases/case-${id}/timeline?kind=contact`)).text;

const fhirContact = (name: string, sent: string, sender: object, more: object = {}) => ({
  ...{ resourceType: 'Communication', id: `${name}-${id}`, status: 'not-done', sent, sender },
  basedOn: [{ reference: `Task/${contact}` }],
  subject: { reference: `Patient/${id}` },
  medium: [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ParticipationMode', code: 'PHONE' }] }],
  ...more,
});
const provenance = (name: string, agent: object) => ({
  ...{ resourceType: 'Provenance', id: `${name}-${id}`, recorded: '2026-11-24T16:00:00Z' },
  target: [{ reference: `Communication/${name}-${id}` }],
  agent: [agent],
});
const [MONDAY, TUESDAY] = ['2026-11-23T10:00:00-05:00', '2026-11-24T10:00:00-05:00'];
const BOT = { reference: 'Device/bot' };
const RN = { reference: 'Practitioner/rn' };

describe('a contact by an application without a person', () => {
  it('that reaches the patient is kept, does not do the follow-up, says why, and the follow-up is escalated', async () => {
    await at('2026-11-23T10:30:00-05:00');
    const { status, json } = await attempt(tried(MONDAY, 'reached'));
    expect([status, json]).toMatchObject([
      200,
      {
        ...{ stage: 'due', status: 'requested', attempts: [expect.anything()] },
        notCounted: [{ because: expect.stringContaining('only a contact of a physician or clinical staff counts') }],
      },
    ]);
    expect(await both()).toEqual(['due', 'pending']);
    expect(await timeline()).toContain('"status":"completed"');
    await at('2026-11-25T13:30:00-05:00');
    expect(await both()).toEqual(['escalated', 'missed']);
  });

  it('that reaches nobody earns no credit, through whatever door', async () => {
    await at('2026-11-24T18:00:00-05:00');
    await attempt(tried(MONDAY));
    await attempt(tried(TUESDAY));
    await baton.put(fhirContact('c', MONDAY, BOT), fhirContact('d', TUESDAY, BOT));
    await transitions.tick();
    expect(await both()).toEqual(['reminded', 'pending']);
    await at('2026-11-25T13:30:00-05:00');
    expect(await both()).toEqual(['escalated', 'missed']);
  });

  it('does not complete the follow-up as a contact of the case either', async () => {
    await at('2026-11-23T10:30:00-05:00');
    const body = { ...tried(MONDAY, 'reached'), intervention: { reference: `Task/${contact}` }, completes: true };
    const refused = await baton.api('POST', `/cases/case-${id}/contacts`, { body });
    expect([refused.status, refused.json.errors]).toMatchObject([422, [{ member: 'completes' }]]);
    expect(refused.text).toContain('log it without completes');
    const kept = await baton.api('POST', `/cases/case-${id}/contacts`, { body: { ...body, completes: false } });
    expect(kept.status, kept.text).toBe(201);
    await transitions.tick();
    expect(await both()).toEqual(['due', 'pending']);
  });
});

describe('a contact that an application logs for somebody of the staff', () => {
  it('whom it names as who made it counts in both', async () => {
    await at('2026-11-23T10:30:00-05:00');
    const { json } = await attempt(tried(MONDAY, 'reached', { by: RN }));
    expect(json).toMatchObject({ stage: 'done-on-time' });
    expect(json).not.toHaveProperty('notCounted');
    expect(await both()).toEqual(['done-on-time', 'on-time']);
  });

  it('who is not there, or has left, is refused', async () => {
    await at('2026-11-23T10:30:00-05:00');
    await baton.put({ resourceType: 'Practitioner', id: 'left', active: false });
    for (const who of ['nobody', 'left']) {
      const refused = await attempt(tried(MONDAY, 'reached', { by: { reference: `Practitioner/${who}` } }));
      expect([refused.status, refused.json.errors]).toMatchObject([422, [{ member: 'by' }]]);
    }
  });

  it.each([
    ['on behalf of whom it acted', { who: BOT, onBehalfOf: RN }],
    [
      'who performed it',
      {
        who: RN,
        type: {
          coding: [{ system: 'http://terminology.hl7.org/CodeSystem/provenance-participant-type', code: 'performer' }],
        },
      },
    ],
  ])('of which a Provenance says, also later, %s counts in both', async (_, agent) => {
    await at('2026-11-24T18:00:00-05:00');
    await baton.put(fhirContact('e', MONDAY, BOT), fhirContact('f', TUESDAY, BOT));
    await transitions.tick();
    expect(await both()).toEqual(['reminded', 'pending']);
    await baton.put(provenance('e', agent), provenance('f', agent));
    await transitions.tick();
    expect(await both()).toEqual(['credited', 'credited']);
  });

  it('of which a Provenance only says who wrote it down does not', async () => {
    await at('2026-11-24T18:00:00-05:00');
    await baton.put(fhirContact('g', MONDAY, BOT), fhirContact('h', TUESDAY, BOT));
    await baton.put(provenance('g', { who: RN }), provenance('h', { who: RN }));
    await transitions.tick();
    expect(await both()).toEqual(['reminded', 'pending']);
  });
});

it.each([
  ['a person counts', { sender: RN }, ['credited', 'credited']],
  ['nobody knows whom counts, told of the follow-up', { sender: undefined }, ['credited', 'credited']],
  [
    'the team with another provider does not',
    { recipient: [{ reference: 'Practitioner/rn' }] },
    ['reminded', 'pending'],
  ],
])('an attempt of %s, in both', async (_, more, expected) => {
  await at('2026-11-24T18:00:00-05:00');
  await baton.put(fhirContact('i', MONDAY, RN, more), fhirContact('j', TUESDAY, RN, more));
  await transitions.tick();
  expect(await both()).toEqual(expected);
});

it('a portal message is an attempt, and not the contact in which both can answer, in both', async () => {
  await at('2026-11-23T10:30:00-05:00');
  const { json } = await attempt(tried(MONDAY, 'reached', { channel: 'portal', by: RN }));
  expect(json).toMatchObject({
    stage: 'due',
    notCounted: [{ because: expect.stringContaining('it is an attempt at the contact') }],
  });
  expect(await both()).toEqual(['due', 'attempted']);
});

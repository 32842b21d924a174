// A stay that is over and does not say since when, or names a day far ahead: a person tells, and the evidence of other stays
// reads it as its follow-ups do. Each test is later than the one before it.
import { join } from 'node:path';
import type { Encounter, EpisodeOfCare } from '@medplum/fhirtypes';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadCalendars } from '../../src/care/business-calendar.ts';
import type { ReadinessList } from '../../src/care/evidence/billing-readiness.ts';
import type { TransitionEvidence, TrcEvidence } from '../../src/care/evidence/evidence-schema.ts';
import { toFhirDateTime } from '../../src/care/local-time.ts';
import { loadProfiles } from '../../src/care/profiles.ts';
import { findResources } from '../../src/care/stored.ts';
import { encounterOfEpisode } from '../../src/care/transition/episode.ts';
import { loadRiskMethods } from '../../src/care/transition/risk-method.ts';
import { parseSearchUrl } from '../../src/fhir/search/parse.ts';
import { createIntake } from '../../src/intake/receive.ts';
import { createTransitions, type Transitions } from '../../src/transitions/transitions.ts';
import { edited, FACILITIES, fixture } from '../intake/fixture.ts';
import { pdfText } from '../support/pdf-text.ts';
import { type ApiServer, serveApi } from './api/api-client.ts';
import { FHIR, PARAMETERS } from './serve.ts';

const PROFILES = join(import.meta.dirname, '../../profiles');
const HARBOR = 'https://baton.health/fhir/sid/HARBOR';
const ZONE = 'America/New_York';
const log = pino({ level: 'silent' });

let baton: ApiServer;
let transitions: Transitions;
beforeAll(async () => {
  baton = await serveApi(({ store, clock }) => {
    transitions = createTransitions({
      ...{ store, clock, log, artifacts: loadProfiles(PROFILES) },
      facilities: FACILITIES.map((facility) => ({ ...facility, zone: ZONE, calendar: 'us-federal' })),
      calendars: loadCalendars(join(PROFILES, 'calendars')),
      riskMethods: loadRiskMethods(join(PROFILES, 'risk-methods')),
      parse: (query) => parseSearchUrl(PARAMETERS, query, { handling: 'strict', baseUrl: FHIR }),
    });
    const intake = createIntake({ store, clock, facilities: FACILITIES, parameters: PARAMETERS, log });
    return { intake, transitions, evidence: transitions.sources };
  });
});
afterAll(() => baton.close());

const now = () => baton.temp.clock.now();
/** So many hours from now, in the past when negative. */
const at = (hours: number) => toFhirDateTime(now().add({ hours }), ZONE);
const days = (count: number) => at(24 * count);
const pass = (hours: number) => baton.temp.clock.moveTo(now().add({ hours }));

const known = (id: string) =>
  baton.put({ resourceType: 'Patient', id, birthDate: '1950-01-01', identifier: [{ system: HARBOR, value: id }] });

/** Told over FHIR, and reacted to. */
async function over(id: string, patient: string, period: Encounter['period'], more: Partial<Encounter> = {}) {
  await baton.put({
    ...{ resourceType: 'Encounter', id, status: 'finished', subject: { reference: `Patient/${patient}` }, period },
    class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'IMP' },
    ...more,
  });
  await transitions.run();
}

const tell = (patient: string, body: object) => baton.api('POST', `/patients/${patient}/discharges`, { body });

const stays = (patient: string): Promise<Encounter[]> =>
  findResources(baton.temp.store, 'Encounter', { patient: `Patient/${patient}` });

async function episodes(patient: string): Promise<EpisodeOfCare[]> {
  await transitions.run();
  return findResources(baton.temp.store, 'EpisodeOfCare', { patient: `Patient/${patient}` });
}

const instant = (text: string | undefined) => Temporal.Instant.from(text ?? '').epochMilliseconds;

async function adt(name: string, patient: string, fields: Record<string, string>): Promise<void> {
  const body = edited(fixture(name), {
    'MSH-10': `${name}${patient}${fields['EVN-2']}`,
    ...{ 'PID-3': `${patient}^^^HARBOR^MR`, 'PV1-19': `V${patient}^^^HARBOR^VN`, 'PV1-44': '' },
    ...fields,
  });
  const headers = { 'content-type': 'x-application/hl7-v2+er7' };
  const { status, text } = await baton.send('POST', '/intake/hl7v2', { body, headers });
  expect(status, text).toBe(200);
}

/** HL7 v2 in the hospital's zone. */
const hl7 = (hours: number) => at(hours).slice(0, 19).replaceAll(/[-T:]/g, '');

describe('a person tells when the patient left', () => {
  const open: [string, number | undefined, boolean][] = [
    ['without an end, named', undefined, true],
    ['without an end', undefined, false],
    ['with an end far ahead, named', 365, true],
    ['with an end far ahead', 365, false],
  ];
  it.each(open)('a stay %s ends then, and its follow-ups move there', async (name, ahead, isNamed) => {
    const patient = `ann${open.findIndex(([one]) => one === name)}`;
    await known(patient);
    await over(`s-${patient}`, patient, { start: days(-8), ...(ahead ? { end: days(ahead) } : {}) });
    const [before] = await episodes(patient);
    expect(Math.abs(instant(before?.period?.start) - now().epochMilliseconds)).toBeLessThan(60_000);
    const discharged = days(-3);
    const encounter = { encounter: { reference: `Encounter/s-${patient}` } };
    const { status, json, text } = await tell(patient, { discharged, ...(isNamed ? encounter : {}) });
    expect([status, json.id, json.discharged], text).toEqual([200, `s-${patient}`, discharged]);
    expect(await stays(patient)).toMatchObject([{ status: 'finished', period: { end: discharged } }]);
    const after = await episodes(patient);
    expect(after).toMatchObject([{ id: before?.id, status: 'active' }]);
    expect(instant(after[0]?.period?.start)).toBe(instant(discharged));
    // From now on it is said: another day is a correction.
    const again = await tell(patient, { discharged: days(-2), ...encounter });
    expect(again.status).toBe(422);
  });

  it('and messages that say no time, or are older, leave it', async () => {
    await known('numbered');
    const identifier = [{ system: HARBOR, value: 'Vnumbered' }];
    await over('s-numbered', 'numbered', { start: days(-8) }, { identifier });
    const discharged = days(-3);
    expect((await tell('numbered', { discharged })).status).toBe(200);
    await adt('a08-update', 'numbered', { 'EVN-2': hl7(-1) });
    await adt('a03-discharge', 'numbered', { 'EVN-2': hl7(-80), 'EVN-6': '', 'PV1-45': '' });
    expect(await stays('numbered')).toMatchObject([
      { id: 's-numbered', status: 'finished', period: { end: discharged } },
    ]);
    // What the hospital adds may raise the risk: the plan that nobody has begun gives way to the one for it.
    const live = (await episodes('numbered')).filter((one) => one.status === 'active');
    expect(live.map(({ period }) => instant(period?.start))).toEqual([instant(discharged)]);
  });

  it('of another stay than the one that says nothing, where that was over before', async () => {
    await known('later');
    await over('s-later', 'later', { start: days(-8) });
    await baton.put({
      ...{ resourceType: 'Encounter', id: 'next', status: 'in-progress', subject: { reference: 'Patient/later' } },
      class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'IMP' },
      period: { start: days(-2) },
    });
    const { json } = await tell('later', { discharged: days(-1) });
    expect(json.id).toBe('next');
    await known('elsewhere');
    await over('s-elsewhere', 'elsewhere', { start: days(-8) });
    pass(72);
    const other = await tell('elsewhere', { discharged: at(-2) });
    expect([other.status, other.json.id === 's-elsewhere']).toEqual([201, false]);
  });

  it('and has to name the stay where another one is open, or it was admitted on another day', async () => {
    await known('two');
    await over('s-two', 'two', { start: days(-4) });
    await baton.put({
      ...{ resourceType: 'Encounter', id: 'open', status: 'in-progress', subject: { reference: 'Patient/two' } },
      class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'IMP' },
      period: { start: days(-20) },
    });
    const several = await tell('two', { discharged: days(-1) });
    expect([several.status, several.text]).toEqual([422, expect.stringContaining('"encounter"')]);
    const third = await tell('two', { discharged: days(-1), admitted: days(-2) });
    expect(third.status).toBe(201);
  });

  it('a discharge far ahead that was taken back does not hold the real one off', async () => {
    await known('back');
    const identifier = [{ system: HARBOR, value: 'Vback' }];
    await over('s-back', 'back', { start: days(-8), end: days(365) }, { identifier });
    const path = '/patients/back/discharges/s-back/take-back';
    const { status } = await baton.api('POST', path, { body: { why: 'Is still here', stay: 'goes-on' } });
    expect(status).toBe(200);
    pass(5);
    const end = at(-1);
    await adt('a03-discharge', 'back', {
      'EVN-2': hl7(-1),
      'EVN-6': '',
      'PV1-45': end.slice(0, 19).replaceAll(/[-T:]/g, ''),
    });
    expect(await stays('back')).toMatchObject([{ status: 'finished', period: { end } }]);
  });
});

describe('the HEDIS episode reads another stay', () => {
  async function trcOf(patient: string, encounter: string): Promise<TrcEvidence> {
    const episode = (await episodes(patient)).findLast((one) => encounterOfEpisode(one) === encounter);
    const { status, json, text } = await baton.api('GET', `/transitions/${episode?.id}/evidence`);
    expect(status, text).toBe(200);
    return (json as unknown as { trc: TrcEvidence }).trc;
  }
  const codesOf = ({ excluded }: TrcEvidence) => excluded.map(({ code }) => code);
  const assumed = ({ notChecked }: TrcEvidence) => notChecked.filter((one) => one.includes('assumed'));

  it('that says no end as its own follow-ups count it, and says so', async () => {
    await known('chain');
    const start = days(-5);
    await over('before', 'chain', { start });
    const counted = now();
    pass(24 * 5);
    const own = { start: at(-1), end: days(5) };
    pass(24 * 5 + 1);
    await over('own', 'chain', own);
    const trc = await trcOf('chain', 'own');
    expect(trc).toMatchObject({
      ...{ admitted: start, discharged: own.end },
      stays: [{ reference: 'Encounter/before' }, { reference: 'Encounter/own' }],
    });
    // The year may be over by then: only stays are asked about.
    expect(codesOf(trc)).not.toContain('extended');
    const said = /Encounter\/before.*: (\S+) is assumed/.exec(assumed(trc)[0] ?? '')?.[1];
    expect(Math.abs(instant(said) - counted.epochMilliseconds)).toBeLessThan(60_000);
    pass(24 * 3);
    await over('after', 'chain', { start: days(-2) });
    const extended = await trcOf('chain', 'own');
    expect(codesOf(extended)).toContain('extended');
    expect(Math.abs(instant(extended.discharged) - now().epochMilliseconds)).toBeLessThan(60_000);
  });

  it('that named a day far ahead, which chains nothing to it', async () => {
    await known('ahead');
    await over('long-ago', 'ahead', { start: days(-5), end: days(365) });
    pass(24 * 60);
    const own = { start: days(-5), end: at(-2) };
    await over('mine', 'ahead', own);
    const trc = await trcOf('ahead', 'mine');
    expect(trc).toMatchObject({ admitted: own.start, stays: [{ reference: 'Encounter/mine' }] });
    expect(assumed(trc)).toHaveLength(1);
  });

  it('of which nobody told when it was: every evidence of it says so', async () => {
    await known('untold');
    await over('silent', 'untold', { start: days(-5) });
    const episode = (await episodes('untold')).at(-1);
    const path = `/transitions/${episode?.id}/evidence`;
    const { tcm, trc } = (await baton.api('GET', path)).json as unknown as TransitionEvidence;
    expect(tcm.notChecked).toEqual([expect.stringMatching(/^when the patient left Encounter\/silent, .* is assumed$/)]);
    const { items } = (await baton.api('GET', '/billing-readiness?limit=100')).json as unknown as ReadinessList;
    const item = items.find(({ transition }) => transition.reference === `EpisodeOfCare/${episode?.id}`);
    expect(item?.notChecked).toEqual(tcm.notChecked);
    const page = await baton.api('GET', path, { headers: { accept: 'text/html' } });
    expect(page.text).toContain(`Not checked: ${tcm.notChecked[0]}`);
    const printed = await baton.server.inject({
      ...{ method: 'GET', url: `/api/v1${path}` },
      headers: { accept: 'application/pdf', authorization: `Bearer ${await baton.token('system/*.rs')}` },
    });
    // Lines are broken where they end on paper.
    const shown = pdfText(printed.rawPayload).replaceAll('\n', ' ');
    expect(shown.split('Not checked').slice(1)).toEqual([
      expect.stringContaining(tcm.notChecked[0] ?? ''),
      expect.stringContaining(trc.notChecked.at(-1) ?? ''),
    ]);
  });
});

// A discharge that a person tells of, alone and beside what the hospital sends (HL7 v2, Da Vinci): one Encounter, one
// transition, in both orders. Issue 7 point 1; domain.md §3.7.
import { join } from 'node:path';
import type { Encounter, EpisodeOfCare } from '@medplum/fhirtypes';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadCalendars } from '../../src/care/business-calendar.ts';
import { loadProfiles } from '../../src/care/profiles.ts';
import { findResources } from '../../src/care/stored.ts';
import { encounterOfEpisode } from '../../src/care/transition/episode.ts';
import { loadRiskMethods } from '../../src/care/transition/risk-method.ts';
import { parseSearchUrl } from '../../src/fhir/search/parse.ts';
import { isStandIn } from '../../src/fhir/stand-in-end.ts';
import { createIntake } from '../../src/intake/receive.ts';
import { createTransitions, type Transitions } from '../../src/transitions/transitions.ts';
import { edited, FACILITIES, fixture } from '../intake/fixture.ts';
import { type ApiServer, serveApi } from './api/api-client.ts';
import { FHIR, PARAMETERS } from './serve.ts';

const PROFILES = join(import.meta.dirname, '../../profiles');
const log = pino({ level: 'silent' });

let baton: ApiServer;
let transitions: Transitions;
beforeAll(async () => {
  baton = await serveApi(({ store, clock }) => {
    transitions = createTransitions({
      ...{ store, clock, log, artifacts: loadProfiles(PROFILES) },
      facilities: FACILITIES.map((facility) => ({ ...facility, calendar: 'us-federal' })),
      calendars: loadCalendars(join(PROFILES, 'calendars')),
      riskMethods: loadRiskMethods(join(PROFILES, 'risk-methods')),
      parse: (query) => parseSearchUrl(PARAMETERS, query, { handling: 'strict', baseUrl: FHIR }),
    });
    const intake = createIntake({ store, clock, facilities: FACILITIES, parameters: PARAMETERS, log });
    return { intake, transitions, evidence: transitions.sources };
  });
});
afterAll(() => baton.close());

const MR = 'https://baton.health/fhir/sid/HARBOR';
const END = '2026-11-25T16:00:00-05:00';
let messages = 0;

/** The HL7 v2 message of the event about the patient's visit. */
async function adt(name: string, patient: string, visit: string, fields: Record<string, string> = {}): Promise<void> {
  messages += 1;
  const body = edited(fixture(name), {
    'MSH-10': `TOLD${messages}`,
    'PID-3': `${patient}^^^HARBOR^MR`,
    'PV1-19': `${visit}^^^HARBOR^VN`,
    ...fields,
  });
  const { status, text } = await baton.send('POST', '/intake/hl7v2', {
    body,
    headers: { 'content-type': 'x-application/hl7-v2+er7' },
  });
  expect(status, text).toBe(200);
}

async function notified(patient: string, visit: string): Promise<void> {
  const body = {
    resourceType: 'Bundle',
    type: 'message',
    identifier: { system: 'urn:told', value: `${patient}-${visit}` },
    timestamp: '2026-11-25T16:05:00-05:00',
    entry: [
      {
        fullUrl: 'urn:uuid:22222222-2222-4222-8222-222222222222',
        resource: {
          resourceType: 'MessageHeader',
          eventCoding: {
            system: 'http://hl7.org/fhir/us/davinci-alerts/CodeSystem/notification-event',
            code: 'notification-discharge',
          },
          source: { endpoint: 'https://hospital.example/fhir' },
          focus: [{ reference: 'Encounter/e' }],
        },
      },
      {
        fullUrl: 'https://hospital.example/fhir/Encounter/e',
        resource: {
          resourceType: 'Encounter',
          id: 'e',
          identifier: [{ system: MR, value: visit }],
          status: 'finished',
          class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'IMP' },
          subject: { reference: 'Patient/p' },
          period: { start: '2026-11-20T14:15:00-05:00', end: END },
        },
      },
      {
        fullUrl: 'https://hospital.example/fhir/Patient/p',
        resource: { resourceType: 'Patient', id: 'p', identifier: [{ system: MR, value: patient }] },
      },
    ],
  };
  const { status, text } = await baton.fhir('POST', '/$process-message', { body });
  expect(status, text).toBe(200);
}

const known = (id: string) =>
  baton.put({ resourceType: 'Patient', id, birthDate: '1950-01-01', identifier: [{ system: MR, value: id }] });

async function tell(patient: string, body: object) {
  const answer = await baton.api('POST', `/patients/${patient}/discharges`, { body });
  expect(answer.status, answer.text).toBeLessThan(300);
  return answer;
}

const stays = (patient: string): Promise<Encounter[]> =>
  findResources(baton.temp.store, 'Encounter', { patient: `Patient/${patient}` });

/** Transitions after everything in the log was reacted to: those under way, and all there ever were. */
async function followed(patient: string): Promise<{ live: EpisodeOfCare[]; all: EpisodeOfCare[] }> {
  await transitions.run();
  const all = await findResources(baton.temp.store, 'EpisodeOfCare', { patient: `Patient/${patient}` });
  return { all, live: all.filter(({ status }) => status === 'active') };
}

describe('a discharge that a nurse tells of', () => {
  it('from a hospital Baton never heard of makes the stay and starts the transition', async () => {
    await known('alone');
    const { status, json, headers } = await tell('alone', {
      ...{ discharged: '2026-11-25', admitted: '2026-11-20', disposition: '06' },
      ...{ facilityName: 'St. Elsewhere Hospital', reason: { text: 'Heart failure' } },
    });
    expect(status).toBe(201);
    expect(headers.location).toBe(`/api/v1/patients/alone/discharges/${json.id}`);
    expect(json).toMatchObject({
      status: 'finished',
      setting: 'inpatient',
      facility: { display: 'St. Elsewhere Hospital' },
      discharged: '2026-11-25',
      disposition: { system: 'https://www.nubc.org/CodeSystem/PatDischargeStatus', code: '06' },
    });
    expect((await followed('alone')).live).toHaveLength(1);
    // The same command again, and a second nurse with other words.
    const [key, body] = ['told-once', { discharged: '2026-11-25' }];
    const twice = await baton.api('POST', '/patients/alone/discharges', { body, key });
    const replayed = await baton.api('POST', '/patients/alone/discharges', { body, key });
    expect([replayed.headers['idempotency-replayed'], replayed.json]).toEqual(['true', twice.json]);
    const again = await tell('alone', { discharged: '2026-11-25', disposition: '01' });
    expect([again.status, again.json.id]).toEqual([200, json.id]);
    expect(again.json.disposition).toMatchObject({ code: '06' });
    expect((await followed('alone')).all).toHaveLength(1);
  });

  it('of a partial hospitalization is no word about the hospital stay of the same days', async () => {
    await known('partial');
    await adt('a01-admit', 'partial', 'VPARTIAL');
    const { json } = await tell('partial', { discharged: '2026-11-25', setting: 'partial-hospitalization' });
    expect(json).toMatchObject({ status: 'finished', setting: 'partial-hospitalization' });
    const { json: listed } = await baton.api('GET', '/patients/partial/discharges');
    expect(JSON.stringify(listed)).toContain('partial-hospitalization');
    const told = await stays('partial');
    expect(told.map(({ status }) => status).sort()).toEqual(['finished', 'in-progress']);
    expect(told.find(({ id }) => id === json.id)?.class.system).toBe('https://baton.health/fhir/CodeSystem/stay-class');
  });

  it('ends the open stay that the hospital announced, and the A03 that follows changes nothing but what is finer', async () => {
    await known('open');
    await adt('a01-admit', 'open', 'VOPEN');
    const [stay] = await stays('open');
    const { status, json } = await tell('open', { discharged: '2026-11-25', disposition: '06' });
    expect([status, json.id]).toEqual([200, stay?.id]);
    const { live } = await followed('open');
    expect(live).toHaveLength(1);
    await adt('a03-discharge', 'open', 'VOPEN');
    expect(await stays('open')).toMatchObject([{ status: 'finished', period: { end: END } }]);
    expect((await followed('open')).all.map(({ id }) => id)).toEqual([live[0]?.id]);
  });

  const ways: [string, (patient: string, visit: string) => Promise<void>][] = [
    ['A03', (patient, visit) => adt('a03-discharge', patient, visit)],
    ['$process-message', notified],
  ];

  it.each(ways)('and then by %s with a visit number is one stay and one transition', async (way, send) => {
    const patient = `nurse-first-${way.length}`;
    await known(patient);
    const { json } = await tell(patient, { discharged: '2026-11-25', disposition: '06' });
    await followed(patient);
    await send(patient, `V-${patient}`);
    expect(await stays(patient)).toMatchObject([
      { id: json.id, status: 'finished', period: { end: END }, identifier: [{ value: `V-${patient}` }] },
    ]);
    // What the hospital adds may raise the risk: the plan that nobody has begun gives way to the one for it.
    const { all, live } = await followed(patient);
    expect(live).toHaveLength(1);
    expect(new Set(all.map(encounterOfEpisode))).toEqual(new Set([json.id]));
  });

  it.each(ways)('after %s is the same stay and transition, and only fills gaps', async (way, send) => {
    const patient = `nurse-last-${way.length}`;
    await known(patient);
    await send(patient, `V-${patient}`);
    await followed(patient);
    const [stay] = await stays(patient);
    const { json } = await tell(patient, { discharged: '2026-11-25', reason: { text: 'Heart failure' } });
    expect(json).toMatchObject({ id: stay?.id, discharged: END });
    expect(await stays(patient)).toHaveLength(1);
    const { all, live } = await followed(patient);
    expect([all.length, live.length]).toEqual([1, 1]);
  });

  it.each(ways)('at the very moment that %s tells of it is one stay and one transition', async (way, send) => {
    const patients = Array.from({ length: 6 }, (_, at) => `race-${way.length}-${at}`);
    for (const patient of patients) await known(patient);
    const both = patients.flatMap((patient) => [
      tell(patient, { discharged: '2026-11-25', disposition: '06' }),
      send(patient, `V-${patient}`),
    ]);
    await Promise.all(both);
    for (const patient of patients) {
      expect(await stays(patient)).toMatchObject([{ status: 'finished', identifier: [{ value: `V-${patient}` }] }]);
      expect((await followed(patient)).live).toHaveLength(1);
    }
  });

  const bare = { 'PV1-45': '', 'EVN-6': '', 'EVN-2': '20261126100000' };

  it('takes the place of a stand-in, and a discharge told again without its time leaves it', async () => {
    await known('stand-in');
    await adt('a03-discharge', 'stand-in', 'VSTAND', bare);
    const [stay] = await stays('stand-in');
    expect(isStandIn(stay?.period)).toBe(true);
    const { live } = await followed('stand-in');
    const { json } = await tell('stand-in', { discharged: '2026-11-24T11:00:00-05:00' });
    expect(json).toMatchObject({ id: stay?.id, discharged: '2026-11-24T11:00:00-05:00' });
    await adt('a03-discharge', 'stand-in', 'VSTAND', { ...bare, 'EVN-2': '20261126110000' });
    const [after] = await stays('stand-in');
    expect(after?.period?.end).toBe('2026-11-24T11:00:00-05:00');
    expect(JSON.stringify(after?.period)).not.toContain('stand-in');
    const now = await followed('stand-in');
    expect(now.live.map(({ period }) => period?.start)).toEqual(['2026-11-24T11:00:00-05:00']);
    expect(new Set(now.all.map(encounterOfEpisode))).toEqual(new Set([stay?.id]));
    expect(live).toHaveLength(1);
    // The hospital's own word is the newer one.
    await adt('a03-discharge', 'stand-in', 'VSTAND');
    expect(await stays('stand-in')).toMatchObject([{ period: { end: END } }]);
  });

  it('is the stay of a discharge that comes without its time and was admitted on that day', async () => {
    await known('before-bare');
    const { json } = await tell('before-bare', { discharged: '2026-11-24', admitted: '2026-11-20' });
    await adt('a03-discharge', 'before-bare', 'VBARE', bare);
    expect(await stays('before-bare')).toMatchObject([{ id: json.id, period: { end: '2026-11-24' } }]);
    expect((await followed('before-bare')).live).toHaveLength(1);
  });

  it.each<[string, object, Record<string, string>, number]>([
    ['is the stay of one without its time that began before it', {}, {}, 1],
    ['by its date is the stay of one that began that day', { discharged: '2026-11-20' }, {}, 1],
    ['before the stay of one without its time is another', { discharged: '2026-11-19T10:00:00-05:00' }, {}, 2],
    ['is not the stay of one without its time that does not say when it began', {}, { 'PV1-44': '' }, 2],
    ['after one without its time was recorded is another', { discharged: '2026-11-27' }, {}, 2],
  ])('without the admission %s', async (_, said, fields, count) => {
    messages += 1;
    const patient = `unadmitted-${messages}`;
    await known(patient);
    const discharged = { discharged: '2026-11-22T10:00:00-05:00', ...said };
    const { json } = await tell(patient, discharged);
    const before = await followed(patient);
    await adt('a03-discharge', patient, `V-${patient}`, { ...bare, ...fields });
    const found = await stays(patient);
    expect(found).toHaveLength(count);
    const { live } = await followed(patient);
    expect(live).toHaveLength(1);
    if (count > 1) return;
    expect(found).toMatchObject([
      { id: json.id, period: { start: '2026-11-20T14:15:00-05:00', end: discharged.discharged } },
    ]);
    // What the hospital adds is in the hospital's time zone.
    expect(live[0]?.period?.start?.slice(0, 10)).toBe(before.live[0]?.period?.start?.slice(0, 10));
  });

  it('without the admission, of two that could be meant, is neither of them', async () => {
    await known('two-unadmitted');
    await tell('two-unadmitted', { discharged: '2026-11-22' });
    await tell('two-unadmitted', { discharged: '2026-11-24' });
    await adt('a03-discharge', 'two-unadmitted', 'VTWO', bare);
    expect(await stays('two-unadmitted')).toHaveLength(3);
    expect((await followed('two-unadmitted')).live).toHaveLength(1);
  });

  it('corrected in something else stays the first stand-in, and follow-ups stay where they are', async () => {
    await known('else');
    await adt('a03-discharge', 'else', 'VELSE', bare);
    const [stay] = await stays('else');
    const { live } = await followed('else');
    const body = { why: 'Home health', disposition: '06' };
    expect((await baton.api('POST', `/patients/else/discharges/${stay?.id}/correct`, { body })).status).toBe(200);
    // Recorded between the first word and the correction.
    await adt('a03-discharge', 'else', 'VELSE', { ...bare, 'EVN-2': '20261128100000' });
    const [after] = await stays('else');
    expect([after?.period?.end, isStandIn(after?.period)]).toEqual([stay?.period?.end, true]);
    expect(after?.hospitalization?.dischargeDisposition?.coding?.[0]?.code).toBe('06');
    const now = await followed('else');
    expect(now.live.map(({ period }) => period?.start)).toEqual(live.map(({ period }) => period?.start));
  });

  it('corrected without its time stays a stand-in, with its time it is told', async () => {
    await known('corrected');
    await adt('a03-discharge', 'corrected', 'VCORR', bare);
    const [stay] = await stays('corrected');
    const correct = (body: object) =>
      baton.api('POST', `/patients/corrected/discharges/${stay?.id}/correct`, { body: { why: 'Wrong', ...body } });
    expect((await correct({ disposition: '01' })).status).toBe(200);
    expect(isStandIn((await stays('corrected'))[0]?.period)).toBe(true);
    expect((await correct({ discharged: '2026-11-24' })).status).toBe(200);
    await adt('a03-discharge', 'corrected', 'VCORR', { ...bare, 'EVN-2': '20261126110000' });
    const [after] = await stays('corrected');
    expect([after?.period?.end, JSON.stringify(after?.period).includes('stand-in')]).toEqual(['2026-11-24', false]);
  });

  it('takes the admission that comes late for its own, and stays a discharge', async () => {
    await known('late-admit');
    await tell('late-admit', { discharged: END, admitted: '2026-11-20' });
    await adt('a01-admit', 'late-admit', 'VLATE');
    expect(await stays('late-admit')).toMatchObject([{ status: 'finished', identifier: [{ value: 'VLATE' }] }]);
    expect((await followed('late-admit')).live).toHaveLength(1);
  });

  it.each(['a01-admit', 'a08-update'])(
    'without the admission takes the %s that comes late for its own',
    async (name) => {
      const patient = `unadmitted-${name}`;
      await known(patient);
      const { json } = await tell(patient, { discharged: '2026-11-25T15:00:00-05:00' });
      expect((await followed(patient)).live).toHaveLength(1);
      await adt(name, patient, `V-${patient}`, { 'PV1-44': '20261120141500', 'PV1-45': '' });
      expect(await stays(patient)).toMatchObject([
        {
          ...{ id: json.id, status: 'finished', identifier: [{ value: `V-${patient}` }] },
          period: { start: '2026-11-20T14:15:00-05:00', end: '2026-11-25T15:00:00-05:00' },
        },
      ]);
      await adt('a03-discharge', patient, `V-${patient}`);
      expect(await stays(patient)).toMatchObject([{ id: json.id, period: { end: END } }]);
      expect((await followed(patient)).live).toHaveLength(1);
    },
  );

  it.each<[string, object, Record<string, string>]>([
    ['recorded after it', { discharged: '2026-11-22' }, { 'EVN-2': '20261123100000' }],
    ['of that day', { discharged: '2026-11-20' }, {}],
    ['after it', { discharged: '2026-11-19' }, {}],
    ['that is announced', { discharged: '2026-11-22' }, { 'MSH-9': 'ADT^A05', 'EVN-1': 'A05' }],
    ['as an outpatient', { discharged: '2026-11-22' }, { 'MSH-9': 'ADT^A08', 'EVN-1': 'A08', 'PV1-2': 'O' }],
    ['to a hospital after day treatment', { discharged: '2026-11-22', setting: 'partial-hospitalization' }, {}],
    ['to an emergency department', { discharged: '2026-11-22' }, { 'MSH-9': 'ADT^A04', 'EVN-1': 'A04', 'PV1-2': 'E' }],
  ])('without the admission is not the stay of an admission %s', async (_, said, fields) => {
    messages += 1;
    const patient = `other-admission-${messages}`;
    await known(patient);
    await tell(patient, said);
    await adt('a01-admit', patient, `V-${patient}`, fields);
    expect(await stays(patient)).toHaveLength(2);
  });

  it('without the admission is not the stay of an admission after which another one is known', async () => {
    await known('in-between');
    await tell('in-between', { discharged: '2026-11-25', admitted: '2026-11-23', facilityName: 'Elsewhere' });
    await tell('in-between', { discharged: '2026-11-26', facilityName: 'St. Elsewhere Hospital' });
    await adt('a01-admit', 'in-between', 'VBETWEEN');
    expect(await stays('in-between')).toHaveLength(3);
  });

  it('of two that could be meant joins neither, and one transition lives', async () => {
    await known('twice');
    const loose = (id: string) => ({
      ...{ resourceType: 'Encounter', id, status: 'finished', subject: { reference: 'Patient/twice' } },
      class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'IMP' },
      period: { end: '2026-11-25' },
    });
    await baton.put(loose('loose-1'), loose('loose-2'));
    const several = await baton.api('POST', '/patients/twice/discharges', { body: { discharged: '2026-11-25' } });
    expect([several.status, several.text]).toEqual([422, expect.stringContaining('"encounter"')]);
    await adt('a03-discharge', 'twice', 'VTWICE');
    expect(await stays('twice')).toHaveLength(3);
    expect((await followed('twice')).live).toHaveLength(1);
  });

  it('of another day is another stay, and the last discharge is followed up', async () => {
    await known('other-day');
    await tell('other-day', { discharged: '2026-11-24' });
    await followed('other-day');
    await adt('a03-discharge', 'other-day', 'VDAY');
    expect(await stays('other-day')).toHaveLength(2);
    expect((await followed('other-day')).live).toHaveLength(1);
  });
});

describe('a discharge that was told', () => {
  it('is corrected, against the version that was read', async () => {
    await known('wrong');
    const first = await tell('wrong', {
      ...{ discharged: '2026-11-25T10:00:00-05:00', admitted: '2026-11-20', disposition: 'home' },
    });
    const path = `/patients/wrong/discharges/${first.json.id}/correct`;
    const { live } = await followed('wrong');
    const body = { why: 'Left a day later', discharged: '2026-11-26T11:00:00-05:00', disposition: '01' };
    const stale = await baton.api('POST', path, { body, headers: { 'if-match': 'W/"99"' } });
    expect(stale.status).toBe(412);
    const etag = String(first.headers.etag);
    const { status, json } = await baton.api('POST', path, { body, headers: { 'if-match': etag } });
    expect(status).toBe(200);
    expect(json).toMatchObject({ discharged: body.discharged, told: { why: 'Left a day later' } });
    const after = await followed('wrong');
    expect(after.live).toMatchObject([{ id: live[0]?.id }]);
    // What the hospital had sent before it knew of the discharge comes late, and so does its first word about that.
    await adt('a08-update', 'wrong', 'VWRONG', { 'PV1-44': '20261120141500' });
    await adt('a03-discharge', 'wrong', 'VWRONG');
    expect(await stays('wrong')).toMatchObject([{ status: 'finished', period: { end: body.discharged } }]);
    expect((await followed('wrong')).live).toHaveLength(1);
  });

  it('is corrected to its date alone, and no older message brings a time back', async () => {
    await known('dayonly');
    await adt('a03-discharge', 'dayonly', 'VDAYONLY');
    await adt('a08-update', 'dayonly', 'VDAYONLY', { 'EVN-2': '202611251700', 'PV1-45': '20261125' });
    const [stay] = await stays('dayonly');
    expect(stay).toMatchObject({ status: 'finished', period: { end: END } });
    const path = `/patients/dayonly/discharges/${stay?.id}/correct`;
    const body = { why: 'Nobody knows when', discharged: '2026-11-25' };
    const { status, text } = await baton.api('POST', path, { body });
    expect(status, text).toBe(200);
    await adt('a08-update', 'dayonly', 'VDAYONLY', { 'EVN-2': '202611251630' });
    await adt('a03-discharge', 'dayonly', 'VDAYONLY');
    expect(await stays('dayonly')).toMatchObject([{ status: 'finished', period: { end: '2026-11-25' } }]);
  });

  it('is taken back: the transition is withdrawn, and begins anew with the real discharge', async () => {
    await known('back');
    const { json } = await tell('back', { discharged: '2026-11-25', disposition: '01' });
    expect((await followed('back')).live).toHaveLength(1);
    const path = `/patients/back/discharges/${json.id}/take-back`;
    const body = { why: 'Went back to the ward', stay: 'goes-on' };
    const taken = await baton.api('POST', path, { body });
    expect(taken.json).toMatchObject({ id: json.id, status: 'in-progress' });
    expect(taken.json.discharged ?? taken.json.disposition).toBeUndefined();
    expect((await followed('back')).live).toHaveLength(0);
    expect((await baton.api('POST', path, { body })).status).toBe(422);
    await adt('a03-discharge', 'back', 'VBACK');
    expect(await stays('back')).toMatchObject([{ id: json.id, status: 'finished', period: { end: END } }]);
    expect((await followed('back')).live).toHaveLength(1);
  });

  it('of the wrong patient never was, unless the hospital knows the stay', async () => {
    await known('never');
    const { json } = await tell('never', { discharged: '2026-11-25' });
    await followed('never');
    const body = { why: 'Wrong patient', stay: 'never-was' };
    const voided = await baton.api('POST', `/patients/never/discharges/${json.id}/take-back`, { body });
    expect(voided.json).toMatchObject({ status: 'entered-in-error' });
    expect((await followed('never')).live).toHaveLength(0);
    await adt('a03-discharge', 'never', 'VNEVER');
    const numbered = (await stays('never')).find(({ status }) => status === 'finished');
    expect((await followed('never')).live).toHaveLength(1);
    const refused = await baton.api('POST', `/patients/never/discharges/${numbered?.id}/take-back`, { body });
    expect(refused.status).toBe(422);
  });
});

describe('a command that cannot be', () => {
  const cases: [string, object, string][] = [
    ['a time to come', { discharged: '2099-01-01' }, 'discharged'],
    ['a discharge before the admission', { discharged: '2026-11-20', admitted: '2026-11-21' }, 'discharged'],
    ['a disposition nobody knows', { discharged: '2026-11-25', disposition: 'moon' }, 'disposition'],
    [
      'a facility that is not there',
      { discharged: '2026-11-25', facility: { reference: 'Organization/no' } },
      'facility',
    ],
    ['a stay that is not there', { discharged: '2026-11-25', encounter: { reference: 'Encounter/no' } }, 'encounter'],
  ];
  it.each(cases)('%s is refused and changes nothing', async (_, body, member) => {
    await known('refused');
    const { status, json } = await baton.api('POST', '/patients/refused/discharges', { body });
    expect(status).toBe(422);
    expect(json.errors).toMatchObject([{ member }]);
    expect(await stays('refused')).toHaveLength(0);
  });

  it('needs leave to write Encounters', async () => {
    await known('guarded');
    const as = await baton.token('system/Patient.rs system/Encounter.rs');
    const body = { discharged: '2026-11-25' };
    expect((await baton.api('POST', '/patients/guarded/discharges', { body, as })).status).toBe(403);
    expect((await baton.api('POST', '/patients/nobody/discharges', { body })).status).toBe(404);
  });
});

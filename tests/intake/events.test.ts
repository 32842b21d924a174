// What each ADT event leaves behind, through the real store. domain.md §4; HL7 v2.9 chapter 3.
import type { AllergyIntolerance, Encounter, Patient } from '@medplum/fhirtypes';
import pino from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createIntake, type Intake } from '../../src/intake/receive.ts';
import { testParameters } from '../support/store-rules.ts';
import { openTempStore, type TempStore } from '../support/temp-store.ts';
import { bytes, edited, FACILITIES, fieldsOf, fixture, without } from './fixture.ts';

const A01 = fixture('a01-admit');
const A03 = fixture('a03-discharge');
const SID = 'https://baton.health/fhir/sid/HARBOR';

let temp: TempStore;
let intake: Intake;
let number = 0;
beforeAll(async () => {
  temp = await openTempStore({ memory: true });
  const log = pino({ level: 'silent' });
  intake = createIntake({
    store: temp.store,
    clock: temp.clock,
    facilities: FACILITIES,
    parameters: testParameters,
    log,
  });
});
afterAll(() => temp.cleanup());

/** A patient and visit of their own, and the events about them, minute by minute. */
function person(patient = `P${++number}`) {
  const visit = `V${patient}`;
  const own = { 'PID-3': `${patient}^^^HARBOR^MR`, 'PV1-19': `${visit}^^^HARBOR^VN` };
  return {
    patient,
    visit,
    async send(event: string, minute: number, fields: Record<string, string> = {}, from = A01) {
      const time = `2026112010${String(minute).padStart(2, '0')}00`;
      const told = { 'MSH-9': `ADT^${event}`, 'MSH-10': `${++number}`, 'EVN-2': time, 'EVN-6': time, 'PV1-44': '' };
      const receipt = await intake.receive(bytes(edited(from, { ...told, ...own, ...fields })), 'mllp');
      if (receipt.code !== 'AA') throw new Error(receipt.ack);
      return receipt.ack;
    },
    stay: () => one<Encounter>('Encounter', visit),
    record: () => one<Patient>('Patient', patient),
  };
}

async function all<R>(type: string, value: string): Promise<R[]> {
  const found = await temp.store.find(`${type}?identifier=${encodeURIComponent(`${SID}|${value}`)}`);
  return found.map(({ content }) => JSON.parse(content) as R);
}

async function one<R>(type: string, value: string): Promise<R> {
  const [only, second] = await all<R>(type, value);
  if (!only || second) throw new Error(`not one ${type}`);
  return only;
}

const at = (ward: string, bed = '1') => `${ward}^1^${bed}^HARBOR`;
const places = ({ location = [] }: Encounter) =>
  location.map(({ location: { display }, status, period }) =>
    [display, status, period?.start?.slice(11, 16), period?.end?.slice(11, 16)].join(' '),
  );

describe('the status of a visit after', () => {
  it.each([
    ['A01', 'I', 'in-progress'],
    ['A02', 'I', 'in-progress'],
    ['A03', 'I', 'finished'],
    ['A04', 'O', 'planned'],
    ['A04', 'E', 'arrived'],
    ['A05', 'P', 'planned'],
    ['A06', 'I', 'in-progress'],
    ['A07', 'O', 'in-progress'],
    ['A11', 'I', 'cancelled'],
    ['A13', 'I', 'in-progress'],
    ['A14', 'P', 'planned'],
    ['A27', 'P', 'cancelled'],
  ])('%s of class %s is %s', async (event, patientClass, status) => {
    const some = person();
    await some.send(event, 1, { 'PV1-2': patientClass });
    expect((await some.stay()).status).toBe(status);
  });

  it('a transfer, an arrival, an expected discharge or a change of person after a discharge is still finished', async () => {
    const some = person();
    await some.send('A01', 1);
    await some.send('A03', 2, { 'PV1-36': '01' });
    for (const [minute, event] of ['A02', 'A10', 'A16', 'A25', 'A15', 'A12'].entries())
      await some.send(event, 3 + minute);
    expect(await some.stay()).toMatchObject({ status: 'finished', hospitalization: { dischargeDisposition: {} } });
  });
});

/** Somebody comes, by another door than the hospital's messages. */
async function toldOf(some: ReturnType<typeof person>, start: string) {
  await some.send('A28', 1);
  const subject = { reference: `Patient/${(await some.record()).id}` };
  const resource: Encounter = {
    ...{ resourceType: 'Encounter', status: 'in-progress', class: { code: 'IMP' }, subject },
    period: { start },
  };
  await temp.store.commit({ reference: 'Device/ehr', kind: 'service' }, [{ op: 'create', resource }]);
  return subject;
}

describe('a stay that begins in the evening and ends on that day, nobody says when', () => {
  const day = { 'EVN-2': '20261120235000', 'EVN-6': '20261120234500', 'PV1-45': '20261120' };

  it('is over on that day', async () => {
    const some = person();
    await some.send('A03', 1, { ...day, 'PV1-44': '20261120210500' });
    expect((await some.stay()).period).toMatchObject({ start: '2026-11-20T21:05:00-05:00', end: '2026-11-20' });
  });

  it('also when an earlier message or another door told the beginning in UTC', async () => {
    const some = person();
    const subject = await toldOf(some, '2026-11-21T02:05:00Z');
    await some.send('A03', 2, { ...day, 'PV1-44': '20261120210500' });
    const stay = await some.stay();
    expect([stay.status, stay.period?.start, stay.period?.end]).toEqual([
      'finished',
      '2026-11-20T21:05:00-05:00',
      '2026-11-20',
    ]);
    expect(await temp.store.find(`Encounter?subject=${subject.reference}`)).toHaveLength(1);
  });

  it('is not the one that began the next morning', async () => {
    const some = person();
    const subject = await toldOf(some, '2026-11-21T09:00:00Z');
    await some.send('A03', 2, day);
    expect(await temp.store.find(`Encounter?subject=${subject.reference}`)).toHaveLength(2);
  });
});

describe('where the patient is', () => {
  it('is told by admission and transfers, with since when and until when', async () => {
    const some = person();
    await some.send('A01', 1, { 'PV1-3': at('4EAST') });
    await some.send('A02', 5, { 'PV1-3': at('ICU'), 'PV1-6': at('4EAST') });
    await some.send('A02', 9, { 'PV1-3': at('5WEST'), 'PV1-6': at('ICU') });
    expect(places(await some.stay())).toEqual([
      '4EAST 1 1 completed 10:01 10:05',
      'ICU 1 1 completed 10:05 10:09',
      '5WEST 1 1 active 10:09 ',
    ]);
    await some.send('A03', 20, { 'PV1-3': at('5WEST') });
    expect(places(await some.stay()).at(-1)).toBe('5WEST 1 1 completed 10:09 10:20');
  });

  it('is where it was when a transfer is cancelled', async () => {
    const some = person();
    await some.send('A01', 1, { 'PV1-3': at('4EAST') });
    await some.send('A12', 9, { 'PV1-3': at('4EAST') });
    await some.send('A02', 5, { 'PV1-3': at('ICU'), 'PV1-6': at('4EAST') });
    expect(places(await some.stay())).toEqual(['4EAST 1 1 active 10:01 ']);
  });

  it('shows a pending transfer until it is done or called off', async () => {
    const some = person();
    await some.send('A01', 1, { 'PV1-3': at('4EAST') });
    await some.send('A15', 2, { 'PV1-3': at('4EAST'), 'PV1-42': at('ICU') });
    expect(places(await some.stay())).toEqual(['4EAST 1 1 active 10:01 ', 'ICU 1 1 planned  ']);
    await some.send('A26', 3, { 'PV1-3': at('4EAST') });
    expect(places(await some.stay())).toEqual(['4EAST 1 1 active 10:01 ']);
  });

  it('keeps the classes of a stay that began as another', async () => {
    const some = person();
    await some.send('A04', 1, { 'PV1-2': 'E' });
    await some.send('A06', 5, { 'PV1-2': 'I' });
    const { class: now, classHistory } = await some.stay();
    expect([now.code, ...(classHistory ?? []).map(({ class: { code } }) => code)]).toEqual(['IMP', 'EMER', 'IMP']);
  });

  it('knows when the patient is expected to leave, until that is called off', async () => {
    const some = person();
    const expected = async () => (await some.stay()).extension?.find(({ url }) => url.endsWith('plannedEndDate'));
    await some.send('A01', 1, { 'PV2-9': '' });
    const ack = await some.send('A16', 2, { 'PV2-9': '', 'PV1-45': '20261122110000' });
    expect(await expected()).toMatchObject({ valueDateTime: '2026-11-22T11:00:00-05:00' });
    expect([fieldsOf(ack, 'ERR')[4], (await some.stay()).status]).toEqual(['W', 'in-progress']);
    await some.send('A25', 3, { 'PV2-9': '' });
    expect(await expected()).toBeUndefined();
  });
});

describe('a person', () => {
  const noVisit = without(A01, 'PV1');

  it('is added and updated without a visit (A28, A31)', async () => {
    const some = person();
    await some.send('A28', 1, {}, noVisit);
    await some.send('A31', 2, { 'PID-5': 'Newname^Ottilie' }, A01);
    expect((await some.record()).name?.[0]?.family).toBe('Newname');
    expect(await all('Encounter', some.visit)).toEqual([]);
  });

  it('is closed, not removed, when deleted (A29), and there again with any newer event', async () => {
    const some = person();
    await some.send('A01', 1);
    await some.send('A29', 5);
    expect((await some.record()).active).toBe(false);
    expect((await some.stay()).status).toBe('in-progress');
    await some.send('A31', 3);
    expect((await some.record()).active).toBe(false);
    await some.send('A08', 6);
    expect((await some.record()).active).toBe(true);
  });

  it('has the allergies that IAM tells (A60)', async () => {
    const some = person();
    const iam = `${without(without(A01, 'DG1'), 'IN1')}IAM|1|FA^Food^HL70127|P1^Peanut^L|SV|HIVES^Hives^L|A|A-${some.patient}^HARBOR||||201805||202010051600||||C\r`;
    await some.send('A60', 1, {}, iam);
    const { id } = await some.record();
    const found = await temp.store.find(`AllergyIntolerance?patient=Patient/${id}`);
    expect(found.map(({ content }) => JSON.parse(content) as AllergyIntolerance)).toMatchObject([
      { category: ['food'], criticality: 'high', verificationStatus: { coding: [{ code: 'confirmed' }] } },
    ]);
  });
});

describe('records of one person', () => {
  const mrg = (old: string) =>
    `${['MSH', 'EVN', 'PID'].map((name) => A01.split('\r').find((line) => line.startsWith(name))).join('\r')}\rMRG|${old}^^^HARBOR^MR\r`;

  it('are one after A40: what belonged to the closed one belongs to the other', async () => {
    const [old, now] = [person(), person()];
    await old.send('A01', 1);
    await now.send('A28', 1);
    const closed = await old.record();
    await now.send('A40', 5, {}, mrg(old.patient));
    const survivor = await now.record();
    expect(survivor.link).toEqual([{ other: { reference: `Patient/${closed.id}` }, type: 'replaces' }]);
    const record = JSON.parse((await temp.store.read('Patient', closed.id ?? ''))?.content ?? '{}') as Patient;
    expect([record.active, record.link]).toEqual([
      false,
      [{ other: { reference: `Patient/${survivor.id}` }, type: 'replaced-by' }],
    ]);
    const mine = { reference: `Patient/${survivor.id}` };
    expect((await old.stay()).subject).toEqual(mine);
    for (const type of ['Condition?subject', 'Coverage?beneficiary', 'RelatedPerson?patient']) {
      expect([type, (await temp.store.find(`${type}=Patient/${closed.id}`)).length]).toEqual([type, 0]);
      expect((await temp.store.find(`${type}=Patient/${survivor.id}`)).length).toBeGreaterThan(0);
    }
    // The ward still sends under the old number.
    await old.send('A03', 9, { 'PV1-36': '01' }, A03);
    expect(await old.stay()).toMatchObject({ status: 'finished', subject: mine });
    expect((await now.record()).identifier?.find(({ value }) => value === old.patient)?.use).toBe('old');
  });

  it('keep one record when only one was known (A47), and none is lost when none was', async () => {
    const old = person();
    const now = person();
    await old.send('A01', 1);
    const { id } = await old.record();
    await now.send('A47', 5, {}, mrg(old.patient));
    expect((await now.record()).id).toBe(id);
    const [unknown, first] = [person(), person()];
    await first.send('A40', 5, {}, mrg(unknown.patient));
    await unknown.send('A01', 1);
    expect((await unknown.stay()).subject?.reference).toBe(`Patient/${(await first.record()).id}`);
  });

  it.each([
    ['no MRG', A01, '100'],
    ['an MRG-1 that is PID-3', mrg('SAME'), '101'],
  ])('are not merged by %s', async (_, message, condition) => {
    const fields = { 'MSH-9': 'ADT^A40', 'MSH-10': `${++number}`, 'PID-3': 'SAME^^^HARBOR^MR' };
    const { code, ack } = await intake.receive(bytes(edited(message, fields)), 'mllp');
    expect([code, fieldsOf(ack, 'ERR')[3]?.split('^')[0]]).toEqual(['AE', condition]);
  });
});

it('a visit keeps its old number and account when they change (A45, A41)', async () => {
  const some = person();
  await some.send('A01', 1, { 'PV1-19': `OLD${some.visit}^^^HARBOR^VN` });
  const moved = `${A01}MRG|||ACC-${some.patient}^^^HARBOR^AN||OLD${some.visit}^^^HARBOR^VN\r`;
  await some.send('A45', 5, {}, moved);
  const { identifier = [], id } = await some.stay();
  expect((await one<Encounter>('Encounter', `OLD${some.visit}`)).id).toBe(id);
  expect(identifier.filter(({ use }) => use === 'old').map(({ value }) => value)).toEqual([
    `OLD${some.visit}`,
    `ACC-${some.patient}`,
  ]);
});

import type { Encounter, Patient, Provenance } from '@medplum/fhirtypes';
import pino from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createIntake, type Intake } from '../../src/intake/receive.ts';
import type { Store } from '../../src/store/store.ts';
import { testParameters } from '../support/store-rules.ts';
import { openTempStore, type TempStore } from '../support/temp-store.ts';
import { bytes, edited, FACILITIES, fieldsOf, fixture, without } from './fixture.ts';

const A01 = fixture('a01-admit');
const A03 = fixture('a03-discharge');
const A08 = fixture('a08-update');
const A11 = fixture('a11-cancel-admit');
const A13 = fixture('a13-cancel-discharge');
const MRN = 'urn:oid:2.16.840.1.113883.19.4.1|7700123';
const VISIT = 'urn:oid:2.16.840.1.113883.19.4.2|V880001';
const log = pino({ level: 'silent' });

let temp: TempStore;
let intake: Intake;
const start = (store: Store) =>
  createIntake({ store, clock: temp.clock, facilities: FACILITIES, parameters: testParameters, log });
beforeEach(async () => {
  temp = await openTempStore({ memory: true });
  intake = start(temp.store);
});
afterEach(() => temp.cleanup());

const send = (message: string) => intake.receive(bytes(message), 'mllp');
const find = async <T>(query: string) =>
  (await temp.store.find(query)).map((version) => JSON.parse(version.content) as T & { meta: { versionId: string } });
const encounter = async () => {
  const found = await find<Encounter>(`Encounter?identifier=${encodeURIComponent(VISIT)}`);
  expect(found).toHaveLength(1);
  return found[0];
};
const patient = async () => {
  const found = await find<Patient>(`Patient?identifier=${encodeURIComponent(MRN)}`);
  expect(found).toHaveLength(1);
  return found[0];
};
const deliveries = () => temp.store.query('SELECT key, outcome FROM delivery ORDER BY key');

describe('an accepted message', () => {
  it('is acknowledged with AA, echoing who sent what', async () => {
    const { code, ack } = await send(A01);
    expect(code).toBe('AA');
    const msh = fieldsOf(ack, 'MSH');
    expect(msh.slice(3, 7)).toEqual(['BATON', 'CASEMGMT', 'WARDADT', 'HARBOR^2.16.840.1.113883.19.4.1^ISO']);
    expect([msh[2], msh[9], msh[11], msh[12]]).toEqual(['^~\\&', 'ACK^A01^ACK', 'P', '2.5.1']);
    expect(msh[7]).toMatch(/^\d{14}\.\d{3}\+0000$/);
    expect(msh[10]).toMatch(/^\w{20}$/);
    expect(fieldsOf(ack, 'MSA')).toEqual(['MSA', 'AA', 'HB000001']);
    expect(ack).not.toContain('ERR');
    expect(ack.endsWith('\r')).toBe(true);
  });

  it('is stored as one commit of linked resources', async () => {
    await send(A01);
    const [visit, person] = [await encounter(), await patient()];
    expect(visit?.subject?.reference).toBe(`Patient/${person?.id}`);
    for (const type of ['RelatedPerson', 'Coverage', 'Provenance']) expect(await find(type)).toHaveLength(1);
    for (const type of ['Condition', 'Practitioner']) expect((await find(type)).length).toBeGreaterThan(1);
    const [provenance] = await find<Provenance>('Provenance');
    expect(provenance?.target?.map(({ reference }) => reference)).toContain(`Encounter/${visit?.id}`);
    expect(provenance?.entity?.[0]?.what.identifier?.value).toBe('HB000001');
    const log = await temp.store.readLog(0, 100);
    expect(new Set(log.map((entry) => entry.actor))).toEqual(new Set(['Device/baton-intake']));
    expect(log.every((entry) => !entry.content.includes('urn:uuid:'))).toBe(true);
  });

  it('keeps the message as it came', async () => {
    await send(A01);
    const [row] = await temp.store.query('SELECT body, outcome FROM delivery WHERE key = ?', [
      'WARDADT|HARBOR|HB000001',
    ]);
    expect(Buffer.from(row?.body as Uint8Array).toString()).toBe(A01);
    expect(row?.outcome).toBe('AA');
  });

  it('uses the stored clinician, place and payer again', async () => {
    await send(A01);
    const before = (await find('Practitioner')).length + (await find('Organization')).length;
    await send(edited(A01, { 'MSH-10': 'HB9', 'PID-3': '8^^^HARBOR^MR', 'PV1-19': 'V9^^^HARBOR^VN' }));
    expect((await find('Practitioner')).length + (await find('Organization')).length).toBe(before);
    expect(await find('Patient')).toHaveLength(2);
  });
});

describe('the same message again', () => {
  it('changes nothing and gets the same bytes, also after a restart and by the other channel', async () => {
    const first = await send(A01);
    const head = await temp.store.head();
    expect(await send(A01)).toEqual(first);
    expect(await start(temp.store).receive(bytes(A01.replaceAll('\r', '\r\n')), 'http')).toEqual(first);
    expect(await temp.store.head()).toBe(head);
  });

  it('has one effect and one answer when it comes twice at the same moment', async () => {
    const answers = await Promise.all([send(A01), start(temp.store).receive(bytes(A01), 'mllp'), send(A01)]);
    expect(new Set(answers.map(({ ack }) => ack)).size).toBe(1);
    expect((await encounter())?.meta.versionId).toBe('1');
    expect(await find('Patient')).toHaveLength(1);
  });

  it('under the same control id with other content is rejected and changes nothing', async () => {
    await send(A01);
    const head = await temp.store.head();
    const { code, ack } = await send(edited(A01, { 'PID-8': 'M' }));
    expect(code).toBe('AR');
    expect(fieldsOf(ack, 'ERR')[3]).toBe('205^Duplicate key identifier^HL70357');
    expect(await temp.store.head()).toBe(head);
    expect((await send(A01)).code).toBe('AA');
  });

  it('is not mistaken for a message of another sender', async () => {
    await send(A01);
    expect((await send(edited(A01, { 'MSH-3': 'OTHERADT' }))).code).toBe('AA');
    expect(await deliveries()).toHaveLength(2);
  });

  it('with a new control id writes no version of what it does not change', async () => {
    await send(A01);
    const head = await temp.store.head();
    expect((await send(edited(A01, { 'MSH-10': 'HB777' }))).code).toBe('AA');
    expect(await temp.store.head()).toBe(head);
  });

  it('in a newer event writes no version either, and still decides against what comes late', async () => {
    const phone = '^PRN^PH^^1^207^5550123';
    const at = (time: string, id: string) => ({ 'MSH-10': id, 'EVN-2': time, 'PID-13': phone });
    const moved = { 'PID-13': '^PRN^PH^^1^207^5550199', 'PV1-44': '20261120111500' };
    await send(edited(A08, at('20261121080000', 'T1')));
    const head = await temp.store.head();
    const first = await encounter();
    await send(edited(A08, at('20261121100000', 'T3')));
    await send(edited(A08, at('20261121110000', 'T4')));
    expect(await temp.store.head()).toBe(head);
    expect((await send(edited(A08, { ...at('20261121090000', 'T2'), ...moved }))).code).toBe('AA');
    expect((await patient())?.telecom?.map(({ value }) => value)).not.toContain('+1 207 5550199');
    expect((await encounter())?.period?.start).toBe(first?.period?.start);
    expect(await temp.store.head()).toBe(head);
    await send(edited(A08, { ...at('20261121120000', 'T5'), ...moved }));
    expect((await patient())?.telecom?.map(({ value }) => value)).toContain('+1 207 5550199');
    expect((await encounter())?.period?.start).not.toBe(first?.period?.start);
    expect(await temp.store.query('SELECT resource FROM intake_heard')).toEqual([]);
  });

  it('also when another process hears it just before an older message is written', async () => {
    const at = (time: string, id: string, phone: string) =>
      edited(A08, {
        ...{ 'MSH-9': 'ADT^A31', 'EVN-1': 'A31', 'MSH-10': id },
        ...{ 'EVN-2': time, 'PID-13': `^PRN^PH^^1^207^${phone}` },
      });
    await send(at('20261121080000', 'T1', '5550123'));
    let meanwhile = async () => {
      meanwhile = async () => undefined;
      await send(at('20261121110000', 'T3', '5550123'));
    };
    const commit: Store['commit'] = async (...unit) => {
      await meanwhile();
      return temp.store.commit(...unit);
    };
    const older = bytes(at('20261121100000', 'T2', '5550199'));
    expect((await start({ ...temp.store, commit }).receive(older, 'mllp')).code).toBe('AA');
    expect((await patient())?.telecom?.map(({ value }) => value)).toEqual(['+1 207 5550123']);
  });
});

describe('a refused message', () => {
  it('is answered with where and why, kept, and changes nothing', async () => {
    const { code, ack } = await send(edited(A01, { 'PV1-44': '20261399' }));
    expect(code).toBe('AE');
    expect(fieldsOf(ack, 'MSA')).toEqual(['MSA', 'AE', 'HB000001']);
    const err = fieldsOf(ack, 'ERR');
    expect(err.slice(2, 5)).toEqual(['PV1^1^44', '102^Data type error^HL70357', 'E']);
    expect(err[8]).not.toBe('');
    expect(await temp.store.head()).toBe(0);
    expect(await deliveries()).toEqual([{ key: 'WARDADT|HARBOR|HB000001', outcome: 'AE' }]);
  });

  it('is processed when it comes again after an AE', async () => {
    const store: Store = { ...temp.store, commit: () => Promise.reject(new Error('disk on fire')) };
    const failed = await start(store).receive(bytes(A01), 'mllp');
    expect(failed.code).toBe('AE');
    expect(fieldsOf(failed.ack, 'ERR')[3]).toMatch(/^207/);
    expect(failed.ack).not.toContain('fire');
    await send(edited(A01, { 'PV1-44': '20261399' }));
    expect((await send(A01)).code).toBe('AA');
    expect(await deliveries()).toEqual([{ key: 'WARDADT|HARBOR|HB000001', outcome: 'AA' }]);
  });

  it('gets the same rejection again, until it is corrected', async () => {
    const wrong = edited(A01, { 'MSH-12': '2.1' });
    const first = await send(wrong);
    expect(first.code).toBe('AR');
    expect(await send(wrong)).toEqual(first);
    expect((await send(A01)).code).toBe('AA');
  });

  it('never gets AA from a store that is closed', async () => {
    await temp.store.close();
    const { code, ack } = await send(A01);
    expect(code).toBe('AE');
    expect(fieldsOf(ack, 'ERR')[3]).toMatch(/^207/);
  });

  it.each([
    ['no MSH', bytes('PID|1||7700123'), 'AR', '', '100'],
    ['nothing', bytes(''), 'AR', '', '100'],
    ['Latin-1 declared as UTF-8', Buffer.from(edited(A01, { 'PID-5': 'Müller^Ö' }), 'latin1'), 'AE', 'HB000001', '102'],
    ['a line that is no segment', bytes(`${A01}what is this`), 'AE', 'HB000001', '100'],
    ['an event that is not read', bytes(edited(A01, { 'MSH-9': 'ADT^A20^ADT_A20' })), 'AR', 'HB000001', '201'],
    ['no control id', bytes(edited(A01, { 'MSH-10': '' })), 'AE', '', '101'],
  ])('%s', async (_, raw, code, controlId, condition) => {
    const receipt = await intake.receive(raw, 'mllp');
    expect(receipt.code).toBe(code);
    expect(fieldsOf(receipt.ack, 'MSA').slice(1)).toEqual([code, controlId]);
    expect(fieldsOf(receipt.ack, 'ERR')[3]?.split('^')[0]).toBe(condition);
    expect(await temp.store.head()).toBe(0);
    expect(await deliveries()).toHaveLength(1);
  });

  it('says what the limit is when the message was too long to read', async () => {
    const { ack } = await intake.refuseTooLong(bytes(A01), 1000);
    expect(fieldsOf(ack, 'MSA')).toEqual(['MSA', 'AR', 'HB000001']);
    expect(fieldsOf(ack, 'ERR')[8]).toContain('1000 bytes');
  });

  it('keeps a visit from being moved to another patient', async () => {
    await send(A01);
    const { code, ack } = await send(edited(A01, { 'MSH-10': 'HB2', 'PID-3': '5^^^HARBOR^MR' }));
    expect([code, fieldsOf(ack, 'ERR')[3]?.slice(0, 3)]).toEqual(['AE', '205']);
    expect(await find('Patient')).toHaveLength(1);
  });

  it('answers in the separators it was asked in, with text before 2.5', async () => {
    const { ack } = await send('MSH$*~!%$A$HARBOR$B$C$20261120$$ADT*A01$77$P$2.3\rPID$1\rPV1$1\r');
    expect(ack.startsWith('MSH$*~!%$B$C$A$HARBOR$')).toBe(true);
    expect(ack).toContain('\rMSA$AE$77$PID-3 must hold an identifier of the patient.\r');
    expect(ack).toContain('\rERR$$PID*1*3$101*Required field missing*HL70357$E$');
  });
});

describe('what others have stored', () => {
  it('is kept: identifiers, elements the message does not carry', async () => {
    await send(A01);
    const stored = await patient();
    if (!stored) throw new Error('no patient');
    const theirs = { system: 'https://ehr.example.org/id', value: 'E-1' };
    const resource = { ...stored, identifier: [...(stored.identifier ?? []), theirs], photo: [{ title: 'portrait' }] };
    await temp.store.commit({ reference: 'Practitioner/9', kind: 'user' }, [{ op: 'update', resource }]);
    await send(A08);
    const after = await patient();
    expect(after?.identifier).toContainEqual(theirs);
    expect(after?.photo).toEqual([{ title: 'portrait' }]);
    expect(after?.address?.[0]?.line).toEqual(['98 Inland Road']);
    expect(after?.contact).toEqual(stored.contact);
  });

  it('is emptied where the message says so', async () => {
    await send(A01);
    await send(edited(A08, { 'PID-13': '""', 'PID-16': '""' }));
    const after = await patient();
    expect([after?.telecom, after?.maritalStatus]).toEqual([undefined, undefined]);
  });

  it('takes many messages about one patient at once', async () => {
    await send(A01);
    const phones = Array.from({ length: 20 }, (_, index) => `^PRN^PH^^1^207^555${1000 + index}`);
    const receipts = await Promise.all(
      phones.map((phone, index) => send(edited(A08, { 'MSH-10': `M${index}`, 'PID-13': phone }))),
    );
    expect(new Set(receipts.map(({ code }) => code))).toEqual(new Set(['AA']));
    expect((await patient())?.meta.versionId).toBe('21');
  });

  it('is joined when two processes meet a new patient at the same moment', async () => {
    const two = [start(temp.store), start(temp.store)];
    const receipts = await Promise.all([two[0]?.receive(bytes(A01), 'mllp'), two[1]?.receive(bytes(A03), 'mllp')]);
    expect(receipts.map((receipt) => receipt?.code)).toEqual(['AA', 'AA']);
    expect(await encounter()).toMatchObject({ status: 'finished', hospitalization: { admitSource: { text: '7' } } });
    expect((await patient())?.telecom).toHaveLength(3);
  });

  it('is joined again when somebody changes it in between', async () => {
    await send(A01);
    let raced = false;
    const store: Store = {
      ...temp.store,
      async commit(actor, changes, alongside) {
        if (!raced) {
          raced = true;
          const stored = await patient();
          if (!stored) throw new Error('no patient');
          const resource = { ...stored, photo: [{ title: 'in between' }] };
          await temp.store.commit({ reference: 'Practitioner/9', kind: 'user' }, [{ op: 'update', resource }]);
        }
        return temp.store.commit(actor, changes, alongside);
      },
    };
    expect((await start(store).receive(bytes(A08), 'mllp')).code).toBe('AA');
    expect(await patient()).toMatchObject({
      photo: [{ title: 'in between' }],
      address: [{ line: ['98 Inland Road'] }],
    });
  });
});

describe('events', () => {
  it('A03 finishes the visit, A13 opens it again', async () => {
    await send(A01);
    await send(A03);
    const left = await encounter();
    expect(left).toMatchObject({ status: 'finished', period: { end: '2026-11-25T16:00:00-05:00' } });
    expect(left?.hospitalization?.admitSource).toBeDefined();
    await send(A13);
    const back = await encounter();
    expect(back?.status).toBe('in-progress');
    expect(back?.period).toMatchObject({ start: '2026-11-20T14:15:00-05:00' });
    expect([back?.period?.end, back?.hospitalization?.dischargeDisposition]).toEqual([undefined, undefined]);
  });

  it('A11 cancels, A08 keeps the status', async () => {
    await send(A01);
    await send(A03);
    await send(edited(A08, { 'EVN-2': '20261126', 'MSH-7': '20261126' }));
    expect((await encounter())?.status).toBe('finished');
    await send(edited(A11, { 'EVN-2': '20261126' }));
    expect((await encounter())?.status).toBe('cancelled');
  });

  it('A03 of a patient never admitted makes both and says so', async () => {
    const { code, ack } = await send(A03);
    expect(code).toBe('AA');
    expect(fieldsOf(ack, 'ERR')[4]).toBe('W');
    expect((await encounter())?.status).toBe('finished');
    expect((await patient())?.gender).toBe('female');
  });

  it('A01 after its A03 only fills gaps', async () => {
    await send(A03);
    expect((await send(A01)).code).toBe('AA');
    const visit = await encounter();
    expect(visit).toMatchObject({ status: 'finished', period: { end: '2026-11-25T16:00:00-05:00' } });
    expect(visit?.hospitalization?.dischargeDisposition?.text).toBe('Home with home health');
    expect(visit?.hospitalization?.admitSource?.coding?.[0]?.code).toBe('7');
    expect(visit?.location?.map(({ location }) => location.display)).toEqual([
      'MAIN 4 4EAST 412 B',
      'MAIN 5 5WEST 501 A',
    ]);
    expect((await patient())?.telecom).toHaveLength(3);
  });

  it('work without EVN', async () => {
    expect((await send(without(A01, 'EVN'))).code).toBe('AA');
  });
});

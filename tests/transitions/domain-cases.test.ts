// The cases of domain.md 10 that concern transitions, through the MLLP door (and FHIR writes where HL7 v2 has no word for
// them). Each names the rule it comes from.
import type { CarePlan, Communication, Encounter, Task } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openWard, type Ward } from './ward.ts';

let ward: Ward;
beforeAll(async () => {
  ward = await openWard();
});
afterAll(() => ward.close());

/** Five nights after an emergency: LACE 4 + 3 + 3. */
const STAY = { start: '20260830080000', end: '20260904140000', disposition: '01' };
const HOME = 'transition-home-high-risk';
const ACT_CODE = 'http://terminology.hl7.org/CodeSystem/v3-ActCode';
const TERMINOLOGY = 'http://terminology.hl7.org/CodeSystem';
const NUBC = 'https://www.nubc.org/CodeSystem/PatDischargeStatus';

function fhirStay(id: string, patient: string, code: string, start: string, end: string): Encounter {
  return {
    resourceType: 'Encounter',
    id,
    status: 'finished',
    class: { system: ACT_CODE, code },
    type: [{ text: 'Stay' }],
    subject: { reference: patient },
    period: { start, end },
    hospitalization: { dischargeDisposition: { coding: [{ system: NUBC, code: '01' }] } },
  };
}

describe('the contact of two business days (domain.md 1.1, Noridian)', () => {
  it.each([
    ['a Friday ends on Tuesday', '20260828140000', '2026-09-01T23:59:59-04:00'],
    ['a Friday before a Monday holiday on Wednesday', '20260904140000', '2026-09-09T23:59:59-04:00'],
    ['a Saturday on Tuesday', '20260829140000', '2026-09-01T23:59:59-04:00'],
    ['a Wednesday before Thanksgiving on Monday', '20261125140000', '2026-11-30T23:59:59-05:00'],
    ['the day before daylight saving ends, a Saturday, on Tuesday', '20261031140000', '2026-11-03T23:59:59-05:00'],
    ['a minute before midnight counts from that day', '20260828235900', '2026-09-01T23:59:59-04:00'],
  ])('after %s', async (_, end, due) => {
    const patient = ward.admitPatient();
    const moment = Temporal.PlainDateTime.from(`${end.slice(0, 8)}T${end.slice(8)}`).toZonedDateTime(
      'America/New_York',
    );
    ward.at(moment.add({ minutes: 5 }).toInstant().toString());
    await patient.say('A03', { start: '20260820080000', end, disposition: '01' });
    expect((await patient.open()).contact?.restriction?.period?.end).toBe(due);
  });
});

describe('after a discharge', () => {
  it('A13 withdraws what has not been done (domain.md 4)', async () => {
    const patient = ward.admitPatient();
    ward.at('2026-09-04T18:05:00Z');
    await patient.say('A03', STAY);
    await patient.say('A13', { start: STAY.start, recorded: '20260904150000' });
    expect(await patient.transitions()).toMatchObject([{ status: 'cancelled', reason: 'discharge-cancelled' }]);
    expect(await patient.open()).toEqual({});
  });

  it('A11 of a stay that was none lets the transition go on (domain.md 4)', async () => {
    const patient = ward.admitPatient();
    ward.at('2026-09-06T18:05:00Z');
    await patient.say('A03', STAY);
    await patient.say('A01', { visit: 'B', start: '20260906120000' });
    expect(Object.keys(await patient.open())).toEqual([]);
    await patient.say('A11', { visit: 'B', start: '20260906120000', recorded: '20260906130000' });
    expect((await patient.transitions()).map(({ status }) => status)).toContain('active');
    expect((await patient.open()).contact?.restriction?.period?.end).toBe('2026-09-09T23:59:59-04:00');
  });

  it('A08 without a status changes neither visit nor transition (domain.md 4: keep the stored status)', async () => {
    const patient = ward.admitPatient();
    ward.at('2026-09-04T18:05:00Z');
    await patient.say('A03', STAY);
    const before = await patient.open();
    await patient.say('A08', { start: STAY.start, recorded: '20260905080000' });
    expect(await patient.transitions()).toEqual([{ status: 'active', protocol: HOME }]);
    expect(await patient.open()).toEqual(before);
  });

  it('the same control id again is the same discharge (domain.md 4, MSH-10)', async () => {
    const patient = ward.admitPatient();
    ward.at('2026-09-04T18:05:00Z');
    const codes = [await patient.say('A03', { ...STAY, controlId: 'TWICE' })];
    codes.push(await patient.say('A03', { ...STAY, controlId: 'TWICE' }));
    expect(codes).toEqual(['AA', 'AA']);
    expect(await patient.transitions()).toHaveLength(1);
  });

  it('an admission that is told later changes nothing (domain.md 4: order by EVN-2)', async () => {
    const patient = ward.admitPatient();
    ward.at('2026-09-04T18:05:00Z');
    await patient.say('A03', STAY);
    const before = await patient.open();
    await patient.say('A01', { start: STAY.start });
    expect(await patient.transitions()).toEqual([{ status: 'active', protocol: HOME }]);
    expect(await patient.open()).toEqual(before);
  });

  it('to an unknown destination a person decides within a business day (domain.md 4, PV1-36)', async () => {
    const patient = ward.admitPatient();
    ward.at('2026-09-04T18:05:00Z');
    await patient.say('A03', { ...STAY, disposition: '' });
    expect(await patient.transitions()).toEqual([{ status: 'active', protocol: 'transition-review' }]);
    expect((await patient.open()).review?.restriction?.period?.end).toBe('2026-09-08T23:59:59-04:00');
  });

  it('without a bed kept overnight a transition begins too (domain.md 1.1: hospital observation)', async () => {
    const patient = ward.admitPatient();
    ward.at('2026-09-04T18:05:00Z');
    await patient.say('A31', { recorded: '20260901080000' });
    const stay = fhirStay(
      'observed',
      await patient.reference(),
      'OBSENC',
      '2026-09-03T20:00:00Z',
      '2026-09-04T18:00:00Z',
    );
    await patient.put(stay);
    expect(await patient.transitions()).toEqual([{ status: 'active', protocol: 'transition-observation' }]);
  });
});

it.each([
  ['OBSENC', 'transition-observation'],
  ['NONAC', 'transition-from-nursing-facility'],
  ['partial-hospitalization', 'transition-observation'],
])('a discharge of class %s told over HL7 v2 begins %s (domain.md 1.1)', async (patientClass, protocol) => {
  const patient = ward.admitPatient();
  ward.at('2026-09-04T18:05:00Z');
  const times = { start: '20260903160000', end: '20260904140000', recorded: '20260904140100' };
  expect(await patient.say('A03', { ...times, patientClass, disposition: '01' })).toBe('AA');
  expect(await patient.transitions()).toEqual([{ status: 'active', protocol }]);
});

it('partial hospitalization ends no transition while it lasts, and its end begins the next one (domain.md 1.1)', async () => {
  const patient = ward.admitPatient();
  ward.at('2026-09-04T18:05:00Z');
  await patient.say('A03', STAY);
  const treated = { visit: 'B', start: '20260907090000', patientClass: 'partial-hospitalization' };
  ward.at('2026-09-07T18:05:00Z');
  expect(await patient.say('A01', treated)).toBe('AA');
  expect(await patient.transitions()).toEqual([{ status: 'active', protocol: HOME }]);
  ward.at('2026-09-18T20:05:00Z');
  await patient.say('A03', { ...treated, end: '20260918160000', disposition: '01' });
  const [first, second] = await patient.transitions();
  expect([first?.status, second?.status]).toEqual(['cancelled', 'active']);
  expect((await patient.open()).contact?.restriction?.period?.end).toBe('2026-09-22T23:59:59-04:00');
  await patient.say('A13', { ...treated, recorded: '20260918170000' });
  expect((await patient.transitions()).map(({ status }) => status)).toContain('active');
});

describe('what a discharge finds in the store, or hears of afterwards', () => {
  const about = async (patient: ReturnType<Ward['admitPatient']>) => ({ reference: await patient.reference() });

  it('an order for equipment and a result that is not final have their steps (issue 7 point 3)', async () => {
    const patient = ward.admitPatient();
    ward.at('2026-09-04T18:05:00Z');
    await patient.say('A01', { start: STAY.start });
    const subject = await about(patient);
    const [stay] = await patient.all('Encounter', { patient: subject.reference });
    await patient.put({
      ...{ resourceType: 'DeviceRequest', id: 'walker', status: 'active', intent: 'order', subject },
      codeCodeableConcept: { text: 'Walker' },
    });
    await patient.put({
      ...{ resourceType: 'DiagnosticReport', id: 'culture', status: 'preliminary', subject, code: { text: 'Culture' } },
      encounter: { reference: `Encounter/${stay?.id}` },
    });
    await patient.say('A03', STAY);
    const open = await patient.open();
    expect(open['equipment-delivered']?.restriction?.period?.end).toBe('2026-09-06T23:59:59-04:00');
    expect(open['pending-results']?.restriction?.period?.end).toBe('2026-09-11T23:59:59-04:00');
  });

  it('those have their steps, too, when they are told after the discharge, while the deadline is ahead', async () => {
    const patient = ward.admitPatient();
    ward.at('2026-09-04T18:05:00Z');
    await patient.say('A03', STAY);
    const subject = await about(patient);
    const [stay] = await patient.all('Encounter', { patient: subject.reference });
    ward.at('2026-09-05T18:05:00Z');
    const order = { resourceType: 'DeviceRequest', status: 'active', intent: 'order', subject } as const;
    await Promise.all(
      ['late-bed', 'late-lift'].map((id) => patient.put({ ...order, id, codeCodeableConcept: { text: id } })),
    );
    const report = { resourceType: 'DiagnosticReport', subject, code: { text: 'Culture' } } as const;
    const encounter = { reference: `Encounter/${stay?.id}` };
    ward.at('2026-09-12T18:05:00Z');
    await patient.put({ ...report, id: 'too-late', status: 'preliminary', encounter });
    const open = await patient.open();
    expect(open['equipment-delivered']?.restriction?.period?.end).toBe('2026-09-06T23:59:59-04:00');
    expect(open['pending-results']).toBeUndefined();
    const task = `Task/${open['equipment-delivered']?.id}`;
    const [plan] = await patient.all('CarePlan', { patient: subject.reference });
    const { activity = [], text } = plan as CarePlan;
    expect(activity.filter(({ reference }) => reference?.reference === task)).toHaveLength(1);
    expect(text?.div).toContain('by 2026-09-06');
    expect(await patient.transitions()).toHaveLength(1);
  });

  it('and when another protocol would be chosen by now: a plan under way keeps its own', async () => {
    const patient = ward.admitPatient();
    ward.at('2026-09-04T18:05:00Z');
    await patient.say('A03', STAY);
    const subject = await about(patient);
    const { 'notify-pcp': begun } = await patient.open();
    await patient.put({ ...(begun as Task), status: 'in-progress' });
    for (const condition of await patient.all('Condition', { patient: subject.reference })) {
      const coding = [{ system: `${TERMINOLOGY}/condition-ver-status`, code: 'entered-in-error' }];
      const { clinicalStatus: _, ...mistaken } = condition;
      await patient.put({ ...mistaken, verificationStatus: { coding } });
    }
    const scores = await patient.all('RiskAssessment', { patient: subject.reference });
    const bands = scores.map(({ prediction }) => prediction?.[0]?.qualitativeRisk?.coding?.[0]?.code);
    expect(bands).not.toContain('high');
    await patient.put({
      ...{ resourceType: 'DeviceRequest', id: 'bed', status: 'active', intent: 'order', subject },
      codeCodeableConcept: { text: 'Bed' },
    });
    expect(await patient.transitions()).toEqual([{ status: 'active', protocol: HOME }]);
    expect(Object.keys(await patient.open())).toContain('equipment-delivered');
  });

  it('an emergency visit of a patient with two chronic conditions has a visit within 7 days (domain.md 1.2, FMC)', async () => {
    const patient = ward.admitPatient();
    ward.at('2026-09-04T18:05:00Z');
    await patient.say('A31', { recorded: '20260904080000' });
    const subject = await about(patient);
    for (const code of ['I50.9', 'J44.1']) {
      await patient.put({
        ...{ resourceType: 'Condition', id: code.replace('.', '-'), subject },
        code: { coding: [{ system: 'http://hl7.org/fhir/sid/icd-10-cm', code }] },
      });
    }
    const visit = { start: '20260904100000', end: '20260904140000', disposition: '01', patientClass: 'E' };
    expect(await patient.say('A03', visit)).toBe('AA');
    expect(await patient.transitions()).toEqual([{ status: 'active', protocol: 'transition-emergency-chronic' }]);
    const open = await patient.open();
    expect(open.visit?.restriction?.period?.end).toBe('2026-09-11T23:59:59-04:00');
    expect(open.contact?.restriction?.period?.end).toBe('2026-09-09T23:59:59-04:00');
  });
});

describe('a chain of stays (domain.md 1.2, TRC: a readmission until day 30 extends the episode)', () => {
  it.each([
    ['the same day', '20260904200000', 'continued'],
    ['day 30', '20261004080000', 'readmitted'],
    ['day 31', '20261005080000', undefined],
  ])('a stay that begins on %s', async (_, start, reason) => {
    const patient = ward.admitPatient();
    ward.at('2026-09-04T18:05:00Z');
    await patient.say('A03', STAY);
    ward.at('2026-10-06T18:05:00Z');
    await patient.say('A01', { visit: 'B', start });
    const [first] = await patient.transitions();
    expect(first).toMatchObject(reason ? { status: 'cancelled', reason } : { status: 'active' });
  });

  it('a transfer to another hospital begins nothing; the discharge from there does (domain.md 4, NUBC 02)', async () => {
    const patient = ward.admitPatient();
    ward.at('2026-09-04T18:05:00Z');
    await patient.say('A03', { ...STAY, disposition: '02' });
    expect(await patient.transitions()).toMatchObject([{ status: 'cancelled', reason: 'transferred' }]);
    await patient.say('A01', { visit: 'B', start: '20260904150000' });
    ward.at('2026-09-07T18:05:00Z');
    await patient.say('A03', { visit: 'B', start: '20260904150000', end: '20260907140000', disposition: '01' });
    // Three nights there: LACE 3 + 3 + 3.
    const last = { status: 'active', protocol: 'transition-home-lower-risk' };
    expect((await patient.transitions()).at(-1)).toEqual(last);
    expect(await patient.transitions()).toHaveLength(2);
  });

  it('a readmission first heard of when it ended in a transfer ends the earlier transition (domain.md 1.2, TRC)', async () => {
    const patient = ward.admitPatient();
    ward.at('2026-09-04T18:05:00Z');
    await patient.say('A03', STAY);
    ward.at('2026-09-12T18:05:00Z');
    await patient.say('A03', { visit: 'B', start: '20260910080000', end: '20260912140000', disposition: '02' });
    expect(await patient.transitions()).toMatchObject([
      { status: 'cancelled', reason: 'readmitted' },
      { status: 'cancelled', reason: 'transferred' },
    ]);
    expect(await patient.open()).toEqual({});
  });

  it('from a nursing facility home the transition begins there (domain.md 4, NUBC 03)', async () => {
    const patient = ward.admitPatient();
    ward.at('2026-09-04T18:05:00Z');
    await patient.say('A03', { ...STAY, disposition: '03' });
    expect(await patient.transitions()).toEqual([{ status: 'active', protocol: 'transition-to-nursing-facility' }]);
    expect(await patient.open()).not.toHaveProperty('contact');
    ward.at('2026-09-18T18:05:00Z');
    const home = fhirStay('snf', await patient.reference(), 'NONAC', '2026-09-04T19:00:00Z', '2026-09-18T18:00:00Z');
    await patient.put(home);
    expect(await patient.transitions()).toEqual([
      { status: 'cancelled', reason: 'continued', protocol: 'transition-to-nursing-facility' },
      { status: 'active', protocol: 'transition-from-nursing-facility' },
    ]);
    expect(await patient.open()).toHaveProperty('contact');
  });
});

describe('attempts (domain.md 1.1: two separate timely ones)', () => {
  const voicemail = (id: string, patient: string, task: string, sent: string): Communication => ({
    resourceType: 'Communication',
    id,
    status: 'not-done',
    statusReason: { text: 'Left a voicemail' },
    subject: { reference: patient },
    basedOn: [{ reference: `Task/${task}` }],
    sent,
  });

  it.each([
    ['two voicemails hours apart meet the deadline', '2026-09-08T18:00:00Z', 'credited'],
    ['two voicemails in one hour do not', '2026-09-08T14:30:00Z', 'escalated'],
  ])('%s', async (_, second, stage) => {
    const patient = ward.admitPatient();
    ward.at('2026-09-04T18:05:00Z');
    await patient.say('A03', STAY);
    ward.at('2026-09-08T19:00:00Z');
    await ward.sweep();
    const task = (await patient.open()).contact?.id ?? '';
    await patient.put(voicemail(`${task}-1`.slice(-60), await patient.reference(), task, '2026-09-08T14:00:00Z'));
    await patient.put(voicemail(`${task}-2`.slice(-60), await patient.reference(), task, second));
    ward.at('2026-09-10T17:05:00Z');
    await ward.sweep();
    expect((await patient.open()).contact?.businessStatus?.coding?.[0]?.code).toBe(stage);
  });
});

// A finished stay that does not say when the patient left is counted from when it was told, years too late perhaps. How it lies to
// the patient's other stays is read from admissions: whoever was admitted again had left before.
import type { Encounter } from '@medplum/fhirtypes';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isTerminal } from '../../src/fhir/status/task.ts';
import { admitted, discharged, type Hospital, openHospital, outcomeOf, patient, tell as tellOf } from './hospital.ts';

let hospital: Hospital;
beforeEach(async () => {
  hospital = await openHospital();
});
afterEach(() => hospital.temp.cleanup());

/** Over, nobody has told since when. */
const untold = (id: string, start: string, to = '01'): Encounter => ({ ...discharged({ id }, to), period: { start } });
const stay = (id: string, start: string, end: string) => discharged({ id, period: { start, end } });
const inHouse = (id: string, start: string) => admitted({ id, period: { start } });
const tell = (at: string, ...encounters: Encounter[]) => tellOf(hospital, at, encounters);
const outcome = () => outcomeOf(hospital);

const LONG_AGO = untold('old', '2019-03-01T08:00:00-05:00');
const REAL = discharged();
const BEFORE = untold('first', '2026-11-10T08:00:00-05:00');
const AGAIN = inHouse('again', '2026-11-18T08:00:00-05:00');
const NEXT = stay('next', '2026-11-18T08:00:00-05:00', '2026-11-20T10:00:00-05:00');

describe('a stay of years ago that is told today', () => {
  it('leaves the discharge alone that is followed up', async () => {
    await tell('2026-11-20T19:05:00Z', REAL);
    const before = await hospital.followUps();
    await tell('2026-11-23T15:00:00Z', LONG_AGO);
    expect(await outcome()).toEqual({ stay: 'active', old: 'continued' });
    expect(await hospital.followUps()).toEqual(before);
  });

  it('gives way to it when that is told later', async () => {
    await tell('2026-11-20T19:05:00Z', LONG_AGO);
    expect(await outcome()).toEqual({ old: 'active' });
    await tell('2026-11-21T15:00:00Z', REAL);
    expect(await outcome()).toEqual({ stay: 'active', old: 'continued' });
  });

  it('is not taken for the last one when a readmission proves a mistake', async () => {
    await tell('2026-11-20T19:05:00Z', REAL);
    await tell('2026-11-23T15:00:00Z', LONG_AGO);
    const mistake = inHouse('mistake', '2026-11-24T03:00:00-05:00');
    await tell('2026-11-24T15:00:00Z', mistake);
    expect(await outcome()).toMatchObject({ stay: 'readmitted' });
    await tell('2026-11-24T16:00:00Z', { ...mistake, status: 'cancelled' });
    expect(await outcome()).toMatchObject({ stay: 'active', old: 'continued' });
  });

  it.each([
    ['before', [LONG_AGO, stay('since', '2021-05-01', '2021-05-09')], { old: 'continued' }],
    ['after', [stay('since', '2021-05-01', '2021-05-09'), LONG_AGO], {}],
  ])('%s another one of years ago leaves nothing going on, as an import brings them', async (_, told, left) => {
    for (const one of told) await tell('2026-11-20T19:05:00Z', one);
    expect(await outcome()).toEqual(left);
    expect(Object.values(await hospital.followUps()).filter(({ status }) => !isTerminal(status))).toEqual([]);
  });

  it('and the last one known begins a transition all the same, counted from when it was told', async () => {
    await tell('2026-11-20T19:05:00Z', stay('before', '2018-05-01', '2018-05-09'), LONG_AGO);
    expect(await outcome()).toEqual({ old: 'active' });
  });
});

describe('a patient who is in again', () => {
  it.each([
    ['later', [AGAIN, BEFORE]],
    ['sooner', [BEFORE, AGAIN]],
  ])('is not followed up from an earlier stay that is told %s', async (_, [one, other]) => {
    await tell('2026-11-20T19:05:00Z', one as Encounter);
    await tell('2026-11-21T15:00:00Z', other as Encounter);
    expect(await outcome()).toEqual({ first: 'continued' });
  });

  it('is, once that admission proves a mistake', async () => {
    await tell('2026-11-20T19:05:00Z', AGAIN);
    await tell('2026-11-21T15:00:00Z', BEFORE);
    await tell('2026-11-22T15:00:00Z', { ...AGAIN, status: 'entered-in-error' });
    expect(await outcome()).toEqual({ first: 'active' });
  });

  it('is, once that stay proves to be one before it', async () => {
    await tell('2026-11-20T19:05:00Z', BEFORE, NEXT);
    expect(await outcome()).toEqual({ first: 'continued', next: 'active' });
    await tell('2026-11-21T15:00:00Z', stay('next', '2026-11-05T08:00:00-05:00', '2026-11-08T10:00:00-05:00'));
    expect(await outcome()).toEqual({ first: 'active', next: expect.stringMatching(/readmitted|continued/) });
  });
});

describe('of stays of one month', () => {
  const TOLD = { first: BEFORE, next: NEXT, old: LONG_AGO };
  it.each([
    ['first', 'next', 'old'],
    ['first', 'old', 'next'],
    ['next', 'first', 'old'],
    ['next', 'old', 'first'],
    ['old', 'first', 'next'],
    ['old', 'next', 'first'],
  ] as const)('the last one is followed up, told in the order %s, %s, %s', async (...order) => {
    for (const [n, id] of order.entries()) await tell(`2026-11-2${n}T19:05:00Z`, TOLD[id]);
    expect(await outcome()).toEqual({ first: 'continued', old: 'continued', next: 'active' });
  });

  it('the later admission counts when neither says when it ended', async () => {
    await tell('2026-11-20T19:05:00Z', untold('next', '2026-11-18T08:00:00-05:00'));
    await tell('2026-11-22T19:05:00Z', BEFORE);
    expect(await outcome()).toEqual({ first: 'continued', next: 'active' });
  });

  it('one in the midst of another, which was told to go on after it, does not end that', async () => {
    await tell('2026-11-10T15:00:00Z', inHouse('first', '2026-11-10T08:00:00-05:00'));
    await tell('2026-11-17T15:00:00Z', stay('procedure', '2026-11-12T08:00:00-05:00', '2026-11-13T10:00:00-05:00'));
    await tell('2026-11-18T15:00:00Z', { ...inHouse('first', '2026-11-10T08:00:00-05:00'), length: { value: 9 } });
    await tell('2026-11-20T19:05:00Z', BEFORE);
    expect(await outcome()).toEqual({ procedure: 'continued', first: 'active' });
  });

  it('under two records that turn out to be one the last one is followed up (A40)', async () => {
    await hospital.put(patient({ id: 'other' }));
    await tell('2026-11-20T19:05:00Z', NEXT, { ...LONG_AGO, subject: { reference: 'Patient/other' } });
    for (const episode of await hospital.episodes()) {
      await hospital.put({ ...episode, patient: { reference: 'Patient/ann' } });
    }
    await hospital.put(LONG_AGO);
    await hospital.put(patient({ link: [{ other: { reference: 'Patient/other' }, type: 'replaces' }] }));
    await hospital.run();
    expect(await outcome()).toEqual({ old: 'continued', next: 'active' });
  });
});

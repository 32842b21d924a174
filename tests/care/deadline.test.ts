import type { PlanDefinitionAction } from '@medplum/fhirtypes';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type FollowUpTiming, nextBusinessDayEnd, readTiming, windowOf } from '../../src/care/deadline.ts';
import { atLocal, endOfDay, localDate, toFhirDateTime, toInstant, toLastInstant } from '../../src/care/local-time.ts';
import { EXTENSION } from '../../src/care/systems.ts';
import { usFederal } from './artifacts.ts';
import { NEW_YORK } from './sample.ts';

const instant = (text: string) => Temporal.Instant.from(text);
const date = (text: string) => Temporal.PlainDate.from(text);
const time = (text: string) => Temporal.PlainTime.from(text);

describe('local times', () => {
  it('take the first instant after a gap', () => {
    expect(atLocal(date('2026-03-08'), time('02:30'), NEW_YORK).toString()).toBe('2026-03-08T07:00:00Z');
    expect(atLocal(date('2026-03-08'), time('03:00'), NEW_YORK).toString()).toBe('2026-03-08T07:00:00Z');
    expect(atLocal(date('2026-03-08'), time('01:59'), NEW_YORK).toString()).toBe('2026-03-08T06:59:00Z');
  });

  it('take the first of two in an overlap', () => {
    expect(atLocal(date('2026-11-01'), time('01:30'), NEW_YORK).toString()).toBe('2026-11-01T05:30:00Z');
  });

  it('end a day a second before the next begins, however long it is', () => {
    expect(toFhirDateTime(endOfDay(date('2026-03-08'), NEW_YORK), NEW_YORK)).toBe('2026-03-08T23:59:59-04:00');
    expect(toFhirDateTime(endOfDay(date('2026-11-01'), NEW_YORK), NEW_YORK)).toBe('2026-11-01T23:59:59-05:00');
    // Midnight does not exist in Santiago on 6 September 2026.
    expect(endOfDay(date('2026-09-05'), 'America/Santiago').toString()).toBe('2026-09-06T03:59:59Z');
  });

  it('carry the offset of the place', () => {
    expect(toFhirDateTime(instant('2026-11-25T12:00:00Z'), 'Asia/Kathmandu')).toBe('2026-11-25T17:45:00+05:45');
  });

  it('count a date without time from its first instant', () => {
    expect(toInstant('2026-11-20', NEW_YORK).toString()).toBe('2026-11-20T05:00:00Z');
    expect(toInstant('2026-11', NEW_YORK).toString()).toBe('2026-11-01T04:00:00Z');
    expect(toInstant('2026-11-20T14:00:00-05:00', NEW_YORK).toString()).toBe('2026-11-20T19:00:00Z');
    expect(() => toInstant('2026-02-31', NEW_YORK)).toThrow(/cannot be read/);
  });

  it.each([
    ['2026-11-20', '2026-11-21T04:59:59Z'],
    ['2026-11', '2026-12-01T04:59:59Z'],
    ['2026', '2027-01-01T04:59:59Z'],
    ['2026-11-20T14:00:00Z', '2026-11-20T14:00:00Z'],
  ])('let a deadline of %s last until %s', (value, last) => {
    expect(toLastInstant(value, NEW_YORK).toString()).toBe(last);
  });
});

const contact: FollowUpTiming = { count: 'business-day', due: 2, opens: 1, from: time('09:00'), roll: false };
const visit: FollowUpTiming = { count: 'calendar-day', due: 7, opens: 2, from: time('09:00'), roll: false };
const call: FollowUpTiming = {
  count: 'calendar-day',
  due: 7,
  opens: 7,
  from: time('09:00'),
  until: time('17:00'),
  roll: true,
};

/** Raise and due in New York. */
function windowIn(timing: FollowUpTiming, discharge: string): [string, string] {
  const { raise, due } = windowOf(timing, { discharge: instant(discharge), zone: NEW_YORK, calendar: usFederal });
  return [toFhirDateTime(raise, NEW_YORK), toFhirDateTime(due, NEW_YORK)];
}

describe('windows', () => {
  it.each([
    ['Friday', '2026-11-20T14:00:00-05:00', '2026-11-23T09:00:00-05:00', '2026-11-24T23:59:59-05:00'],
    [
      'Friday before a Monday holiday',
      '2026-09-04T14:00:00-04:00',
      '2026-09-08T09:00:00-04:00',
      '2026-09-09T23:59:59-04:00',
    ],
    [
      'Wednesday before Thanksgiving',
      '2026-11-25T10:00:00-05:00',
      '2026-11-27T09:00:00-05:00',
      '2026-11-30T23:59:59-05:00',
    ],
    [
      'late evening counts as its local day',
      '2026-11-24T23:30:00-05:00',
      '2026-11-25T09:00:00-05:00',
      '2026-11-27T23:59:59-05:00',
    ],
    [
      'Friday before the spring change',
      '2026-03-06T14:00:00-05:00',
      '2026-03-09T09:00:00-04:00',
      '2026-03-10T23:59:59-04:00',
    ],
    ['Saturday', '2026-11-21T14:00:00-05:00', '2026-11-23T09:00:00-05:00', '2026-11-24T23:59:59-05:00'],
  ])('of the two-business-day contact: discharged on %s', (_, discharge, raise, due) => {
    expect(windowIn(contact, discharge)).toEqual([raise, due]);
  });

  it('of the visit are calendar days, over the autumn change and holidays', () => {
    expect(windowIn(visit, '2026-10-30T14:00:00-04:00')).toEqual([
      '2026-11-01T09:00:00-05:00',
      '2026-11-06T23:59:59-05:00',
    ]);
    expect(windowIn(visit, '2026-11-20T14:00:00-05:00')[1]).toBe('2026-11-27T23:59:59-05:00');
  });

  it('of calls move to a business day', () => {
    expect(windowIn(call, '2026-11-19T14:00:00-05:00')).toEqual([
      '2026-11-27T09:00:00-05:00',
      '2026-11-27T17:00:00-05:00',
    ]);
  });

  it('of hours do not know days', () => {
    const hours: FollowUpTiming = { count: 'elapsed', due: 24, opens: 0, roll: false };
    expect(windowIn(hours, '2026-03-07T14:00:00-05:00')).toEqual([
      '2026-03-07T14:00:00-05:00',
      '2026-03-08T15:00:00-04:00',
    ]);
  });

  it('never end before they begin, nor before the discharge', () => {
    const moment = fc
      .integer({ min: 1_700_000_000, max: 2_000_000_000 })
      .map((s) => Temporal.Instant.fromEpochMilliseconds(s * 1000));
    const zone = fc.constantFrom(NEW_YORK, 'UTC', 'Asia/Kathmandu', 'America/Santiago', 'Pacific/Auckland');
    fc.assert(
      fc.property(moment, zone, fc.constantFrom(contact, visit, call), (discharge, place, timing) => {
        const { raise, due } = windowOf(timing, { discharge, zone: place, calendar: usFederal });
        expect(Temporal.Instant.compare(raise, due)).toBeLessThanOrEqual(0);
        expect(Temporal.Instant.compare(discharge, raise)).toBeLessThanOrEqual(0);
      }),
    );
  });

  it('of the contact close on the second business day of the place', () => {
    const moment = fc
      .integer({ min: 1_700_000_000, max: 2_000_000_000 })
      .map((s) => Temporal.Instant.fromEpochMilliseconds(s * 1000));
    fc.assert(
      fc.property(moment, (discharge) => {
        const { due } = windowOf(contact, { discharge, zone: NEW_YORK, calendar: usFederal });
        const left = localDate(discharge, NEW_YORK);
        const last = localDate(due, NEW_YORK);
        const days = Array.from({ length: left.until(last).days }, (_, n) => left.add({ days: n + 1 }));
        expect(days.filter((one) => usFederal.isBusinessDay(one))).toHaveLength(2);
        expect(usFederal.isBusinessDay(last)).toBe(true);
      }),
    );
  });

  it('of what came up now end with the next business day', () => {
    const due = nextBusinessDayEnd(instant('2026-11-25T15:00:00Z'), NEW_YORK, usFederal);
    expect(toFhirDateTime(due, NEW_YORK)).toBe('2026-11-27T23:59:59-05:00');
  });
});

describe('timing of a step', () => {
  const action = (parts: object[], duration: object = { value: 2, code: 'd' }): PlanDefinitionAction => ({
    id: 'contact',
    extension: [{ url: EXTENSION.timing, extension: parts as PlanDefinitionAction['extension'] }],
    timingDuration: duration,
  });
  const count = { url: 'count', valueCode: 'business-day' };
  const opens = { url: 'opens', valueInteger: 1 };

  it('is read from the protocol', () => {
    const timing = readTiming(action([count, opens, { url: 'from', valueTime: '09:00:00' }]), 'P');
    expect(timing).toMatchObject({ count: 'business-day', due: 2, opens: 1, roll: false });
    expect(timing.from?.toString()).toBe('09:00:00');
  });

  it.each([
    ['no way of counting', action([opens]), /count must be/],
    ['an unknown way of counting', action([{ url: 'count', valueCode: 'moon' }, opens]), /count must be/],
    ['hours for days', action([count, opens], { value: 2, code: 'h' }), /whole number of days/],
    ['half days', action([count, opens], { value: 1.5, code: 'd' }), /whole number of days/],
    ['a negative deadline', action([count, opens], { value: -1, code: 'd' }), /whole number of days/],
    ['opening after the deadline', action([count, { url: 'opens', valueInteger: 3 }]), /between the discharge/],
  ])('refuses %s', (_, wrong, message) => {
    expect(() => readTiming(wrong, 'P')).toThrow(message);
  });
});

import type { PlanDefinitionAction } from '@medplum/fhirtypes';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addBusinessDays } from '../../src/care/business-calendar.ts';
import { type FollowUpTiming, nextBusinessDayEnd, readTiming, windowOf } from '../../src/care/deadline.ts';
import { localDay } from '../../src/care/local-day.ts';
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

  // domain.md §1.1, computation: two business days without respect to the hour of discharge; a leap day is a day; a date
  // without a time is that day at the facility; an offset from elsewhere is the moment it names.
  it.each([
    ['Fri discharge, contact by Tue', '2026-11-20T14:00:00-05:00', '2026-11-24'],
    ['Fri before a Monday federal holiday, Wed', '2026-09-04T14:00:00-04:00', '2026-09-09'],
    ['Wed before Thanksgiving, Mon', '2026-11-25T23:59:59-05:00', '2026-11-30'],
    ['Fri before a leap Tuesday', '2028-02-25T12:00:00-05:00', '2028-02-29'],
    ['on the leap day', '2028-02-29T12:00:00-05:00', '2028-03-02'],
    ['date only', '2026-03-01', '2026-03-03'],
    ['month only: from its first day', '2026-03', '2026-03-03'],
    ['an offset of elsewhere: 20 November at the facility', '2026-11-21T03:00:00+01:00', '2026-11-24'],
    ['before a holiday kept on Friday', '2027-12-22T09:00:00-05:00', '2027-12-27'],
    ['in the hour that is skipped', '2026-03-08T02:30:00-05:00', '2026-03-10'],
    ['in the first of the hours that repeat', '2026-11-01T01:30:00-04:00', '2026-11-03'],
    ['in the second', '2026-11-01T01:30:00-05:00', '2026-11-03'],
  ])('%s', (_, discharged, day) => {
    const anchor = { discharge: toInstant(discharged, NEW_YORK), zone: NEW_YORK, calendar: usFederal };
    const { due } = windowOf(contact, anchor);
    expect(toFhirDateTime(due, NEW_YORK).slice(0, 19)).toBe(`${day}T23:59:59`);
    expect(localDay(due, NEW_YORK).extension).toEqual([
      { url: 'date', valueDate: day },
      { url: 'zone', valueCode: NEW_YORK },
    ]);
  });

  // domain.md §1.1: visit7Due = discharge + 7 d, visit14Due = discharge + 14 d, the period's last day = discharge + 29 d.
  it.each([
    [7, '2028-02-24T10:00:00-05:00', '2028-03-02'],
    [14, '2026-02-20T10:00:00-05:00', '2026-03-06'],
    [29, '2028-02-01T10:00:00-05:00', '2028-03-01'],
    [29, '2026-10-20T23:59:59-04:00', '2026-11-18'],
  ])('%i days after %s end on %s', (due, discharged, day) => {
    const timing: FollowUpTiming = { count: 'calendar-day', due, opens: 0, roll: false };
    expect(windowIn(timing, discharged)[1].slice(0, 19)).toBe(`${day}T23:59:59`);
  });

  const ZONES = [
    NEW_YORK,
    'UTC',
    'Asia/Kathmandu',
    'America/Santiago',
    'Pacific/Auckland',
    'Africa/Cairo',
    'Australia/Lord_Howe',
  ];
  const anyTiming = fc
    .record({
      count: fc.constantFrom('business-day' as const, 'calendar-day' as const, 'elapsed' as const),
      opens: fc.integer({ min: 0, max: 20 }),
      more: fc.integer({ min: 0, max: 20 }),
      from: fc.option(fc.integer({ min: 0, max: 1439 }), { nil: undefined }),
      until: fc.option(fc.integer({ min: 0, max: 1439 }), { nil: undefined }),
      roll: fc.boolean(),
    })
    .map(({ count, opens, more, from, until, roll }): FollowUpTiming => {
      const clock = (minutes: number | undefined) =>
        minutes === undefined ? {} : new Temporal.PlainTime().add({ minutes });
      return {
        count,
        opens,
        due: opens + more,
        roll,
        ...(from === undefined ? {} : { from: clock(from) as Temporal.PlainTime }),
        ...(until === undefined ? {} : { until: clock(until) as Temporal.PlainTime }),
      };
    });
  const anyMoment = fc
    .integer({ min: 1_700_000_000, max: 2_000_000_000 })
    .map((s) => Temporal.Instant.fromEpochMilliseconds(s * 1000));

  it('are never due before they are raised, nor raised before the discharge, whatever the protocol says', () => {
    fc.assert(
      fc.property(anyMoment, fc.constantFrom(...ZONES), anyTiming, (discharge, zone, timing) => {
        const { raise, due } = windowOf(timing, { discharge, zone, calendar: usFederal });
        expect(Temporal.Instant.compare(raise, due)).toBeLessThanOrEqual(0);
      }),
    );
  });

  it('are never earlier for a later discharge', () => {
    const later = fc.integer({ min: 0, max: 400_000 });
    fc.assert(
      fc.property(anyMoment, later, fc.constantFrom(...ZONES), anyTiming, (discharge, seconds, zone, timing) => {
        const [first, second] = [discharge, discharge.add({ seconds })].map((at) =>
          windowOf(timing, { discharge: at, zone, calendar: usFederal }),
        );
        if (!first || !second) throw new Error('two windows');
        expect(Temporal.Instant.compare(first.due, second.due)).toBeLessThanOrEqual(0);
        expect(Temporal.Instant.compare(first.raise, second.raise)).toBeLessThanOrEqual(0);
      }),
    );
  });

  it('end on the same day for every discharge of a day, on both sides of a change of clocks', () => {
    const changes = ['2026-03-08', '2026-11-01', '2027-03-14', '2026-03-06', '2026-10-30'];
    fc.assert(
      fc.property(
        fc.constantFrom(...changes),
        fc.constantFrom(...ZONES),
        fc.nat(23),
        fc.nat(59),
        (on, zone, hour, minute) => {
          const early = atLocal(date(on), new Temporal.PlainTime(), zone);
          const late = atLocal(date(on), new Temporal.PlainTime(hour, minute), zone);
          const ends = [early, late].map((discharge) =>
            localDate(windowOf(contact, { discharge, zone, calendar: usFederal }).due, zone).toString(),
          );
          expect(ends[0]).toBe(ends[1]);
          expect(ends[0]).toBe(addBusinessDays(usFederal, localDate(early, zone), 2).toString());
        },
      ),
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
    [
      'a time there is not',
      action([count, opens, { url: 'from', valueTime: '25:00:00' }]),
      /P, step contact: .*from must be/,
    ],
    ['another way to roll', action([count, opens, { url: 'roll', valueCode: 'back' }]), /roll can only be/],
    [
      'a time of day for hours',
      action([{ url: 'count', valueCode: 'elapsed' }, opens, { url: 'until', valueTime: '17:00:00' }], {
        value: 24,
        code: 'h',
      }),
      /hours that elapse/,
    ],
    ['opening after the deadline', action([count, { url: 'opens', valueInteger: 3 }]), /between the discharge/],
  ])('refuses %s', (_, wrong, message) => {
    expect(() => readTiming(wrong, 'P')).toThrow(message);
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  addBusinessDays,
  type BusinessCalendar,
  createCalendars,
  lackOf,
  onOrAfter,
} from '../../src/care/business-calendar.ts';
import { Fault } from '../../src/fault.ts';
import { calendars, usFederal } from './artifacts.ts';

const day = (text: string) => Temporal.PlainDate.from(text);
const anyDay = fc.integer({ min: 0, max: 36_500 }).map((days) => day('2000-01-01').add({ days }));

describe('US federal holidays', () => {
  // https://www.opm.gov/policy-data-oversight/pay-leave/federal-holidays/
  it.each([
    ['2026-01-01', "New Year's Day"],
    ['2026-01-19', 'Birthday of Martin Luther King, Jr.'],
    ['2026-02-16', "Washington's Birthday"],
    ['2026-05-25', 'Memorial Day'],
    ['2026-06-19', 'Juneteenth National Independence Day'],
    ['2026-07-03', 'Independence Day'],
    ['2026-09-07', 'Labor Day'],
    ['2026-10-12', 'Columbus Day'],
    ['2026-11-11', 'Veterans Day'],
    ['2026-11-26', 'Thanksgiving Day'],
    ['2026-12-25', 'Christmas Day'],
    ['2027-07-05', 'Independence Day'],
    ['2027-12-24', 'Christmas Day'],
    ['2027-12-31', "New Year's Day"],
    ['2023-01-02', "New Year's Day"],
    ['2021-06-18', 'Juneteenth National Independence Day'],
  ])('keeps %s as %s', (date, name) => {
    expect(usFederal.holidayOn(day(date))).toBe(name);
    expect(usFederal.isBusinessDay(day(date))).toBe(false);
  });

  it.each(['2020-06-19', '2026-11-27', '2026-12-24', '2026-07-06'])('works on %s', (date) => {
    expect(usFederal.isBusinessDay(day(date))).toBe(true);
  });

  it('keeps eleven a year', () => {
    for (const year of [2023, 2024, 2025, 2026, 2029]) {
      const days = Array.from({ length: day(`${year}-01-01`).daysInYear }, (_, n) =>
        day(`${year}-01-01`).add({ days: n }),
      );
      const kept = new Set(days.flatMap((date) => usFederal.holidayOn(date) ?? []));
      expect(kept.size, String(year)).toBe(11);
    }
  });
});

describe('addBusinessDays', () => {
  it.each([
    ['2026-11-20', 2, '2026-11-24', 'over a weekend'],
    ['2026-11-25', 2, '2026-11-30', 'over Thanksgiving and the weekend after'],
    ['2026-12-23', 2, '2026-12-28', 'over Christmas'],
    ['2027-12-22', 2, '2027-12-27', 'over a Christmas that is kept on Friday'],
    ['2026-09-04', 2, '2026-09-09', 'Friday before Labor Day'],
    ['2026-11-21', 1, '2026-11-23', 'from a Saturday'],
    ['2026-11-23', -1, '2026-11-20', 'backwards'],
    ['2026-11-26', 0, '2026-11-26', 'none'],
  ])('%s + %i = %s (%s)', (from, days, to) => {
    expect(addBusinessDays(usFederal, day(from), days).toString()).toBe(to);
  });

  it('always lands on a business day with as many business days between', () => {
    fc.assert(
      fc.property(anyDay, fc.integer({ min: 1, max: 40 }), (from, days) => {
        const to = addBusinessDays(usFederal, from, days);
        const between = Array.from({ length: from.until(to).days }, (_, n) => from.add({ days: n + 1 }));
        expect(usFederal.isBusinessDay(to)).toBe(true);
        expect(between.filter((date) => usFederal.isBusinessDay(date))).toHaveLength(days);
      }),
    );
  });

  it('back again is where it was, from a business day', () => {
    fc.assert(
      fc.property(anyDay, fc.integer({ min: 0, max: 40 }), (from, days) => {
        const start = onOrAfter(usFederal, from);
        expect(addBusinessDays(usFederal, addBusinessDays(usFederal, start, days), -days).toString()).toBe(
          start.toString(),
        );
      }),
    );
  });

  it('moves a day without business on, and no other', () => {
    expect(onOrAfter(usFederal, day('2026-11-26')).toString()).toBe('2026-11-27');
    expect(onOrAfter(usFederal, day('2026-11-27')).toString()).toBe('2026-11-27');
  });
});

describe('the District of Columbia', () => {
  const dc = calendars.get('us-federal-dc');
  // 5 U.S.C. 6103(c): 20 January of each fourth year after 1965; on Sunday the day after it, on Saturday no other day.
  it.each([
    ['2025-01-20', 'Birthday of Martin Luther King, Jr.'],
    ['2021-01-20', 'Inauguration Day'],
    ['2029-01-20', 'Inauguration Day'],
    ['2029-01-19', undefined],
    ['2013-01-21', 'Birthday of Martin Luther King, Jr.'],
    ['2026-01-20', undefined],
    ['1965-01-20', undefined],
    ['2026-12-25', 'Christmas Day'],
  ])('keeps %s as %s', (date, name) => {
    expect(dc?.holidayOn(day(date))).toBe(name);
  });

  it('works elsewhere', () => {
    expect(usFederal.isBusinessDay(day('2021-01-20'))).toBe(true);
  });
});

describe('calendars of countries', () => {
  const bavaria = { name: 'de-by', dateHolidays: { country: 'DE', state: 'by' } };
  const calendar = createCalendars([
    bavaria,
    {
      name: 'clinic',
      extends: ['de-by'],
      closed: [{ date: '2026-12-24', to: '2027-01-03', name: 'Between the years' }],
    },
    { name: 'sa', dateHolidays: { country: 'SA' }, weekend: [5, 6] },
    { name: 'england', dateHolidays: { country: 'GB', state: 'ENG' } },
  ]);
  const on = (name: string, date: string) => calendar.get(name)?.isBusinessDay(day(date));

  it.each([
    ['de-by', '2026-01-06', false],
    ['de-by', '2026-06-04', false],
    ['de-by', '2026-12-24', true],
    ['clinic', '2026-12-24', false],
    ['clinic', '2026-12-30', false],
    ['clinic', '2027-01-04', true],
    ['clinic', '2026-10-02', true],
    ['england', '2026-12-28', false],
    ['sa', '2026-05-28', false],
    ['sa', '2026-05-24', true],
    ['sa', '2026-05-29', false],
  ])('%s on %s: %s', (name, date, works) => {
    expect(on(name, date)).toBe(works);
  });

  it.each([
    ['a country there is not', { country: 'XX' }, /"x", dateHolidays: there is no country XX/],
    ['a state there is not', { country: 'DE', state: 'qq' }, /DE has no state qq/],
    ['a region there is not', { country: 'DE', state: 'by', region: 'zz' }, /no region zz/],
    ['a type there is not', { country: 'DE', types: ['moon' as 'public'] }, /"moon" is none/],
  ])('refuse %s', (_, dateHolidays, message) => {
    expect(() => createCalendars([{ name: 'x', dateHolidays }])).toThrow(message);
  });
});

describe('coverage', () => {
  const made = createCalendars([
    { name: 'base', coverage: { to: 2027 } },
    { name: 'site', extends: ['base'], coverage: { from: 2025, to: 2030 } },
  ]);

  it('is that of all a calendar builds on', () => {
    const site = made.get('site') as BusinessCalendar;
    expect(lackOf(site, 2026, 2027)).toBeUndefined();
    expect(lackOf(site, 2026, 2028)).toContain('Calendar "site" does not cover 2028');
    expect(lackOf(site, 2024, 2026)).toContain('2024');
    expect(lackOf(usFederal, 1990, 2090)).toBeUndefined();
  });
});

describe('calendars of a site', () => {
  it('add closures and weekends to what they extend', () => {
    const all = createCalendars([
      { name: 'base', holidays: [{ name: 'May Day', month: 5, day: 1 }] },
      { name: 'site', extends: ['base'], weekend: [5, 6], closed: [{ date: '2026-12-24', name: 'Move' }] },
    ]);
    const site = all.get('site');
    expect(site?.holidayOn(day('2026-05-01'))).toBe('May Day');
    expect(site?.holidayOn(day('2026-12-24'))).toBe('Move');
    expect(site?.isBusinessDay(day('2026-11-22'))).toBe(true);
    expect(site?.isBusinessDay(day('2026-11-20'))).toBe(false);
    expect(all.get('base')?.isBusinessDay(day('2026-12-24'))).toBe(true);
  });

  it('keeps 29 February and fifth Mondays only in years that have them', () => {
    const calendar = createCalendars([
      {
        name: 'rare',
        holidays: [
          { name: 'Leap', month: 2, day: 29 },
          { name: 'Fifth', month: 2, weekday: 1, nth: 5 },
        ],
      },
    ]).get('rare');
    expect(calendar?.holidayOn(day('2028-02-29'))).toBe('Leap');
    expect(calendar?.holidayOn(day('2027-02-28'))).toBeUndefined();
    expect(calendar?.holidayOn(day('2044-02-29'))).toBe('Fifth');
  });

  it.each([
    ['a base that is not there', [{ name: 'a', extends: ['b'] }], /no calendar "b"/],
    [
      'a circle',
      [
        { name: 'a', extends: ['b'] },
        { name: 'b', extends: ['a'] },
      ],
      /extends itself/,
    ],
    [
      'a day no month has',
      [{ name: 'a', holidays: [{ name: 'X', month: 2, day: 30 }] }],
      /"X": the month has no such day/,
    ],
    ['a month there is not', [{ name: 'a', holidays: [{ name: 'X', month: 13, day: 1 }] }], /month must be/],
    ['a ninth day of the week', [{ name: 'a', weekend: [9] }], /weekend days/],
    ['a week of nothing but weekend', [{ name: 'a', weekend: [1, 2, 3, 4, 5, 6, 7] }], /weekend days/],
    ['every without since', [{ name: 'a', holidays: [{ name: 'X', month: 1, day: 20, every: 4 }] }], /needs since/],
    ['a closure that is no date', [{ name: 'a', closed: [{ date: '24.12.2026', name: 'Move' }] }], /closure "Move"/],
    [
      'a closure that ends before it begins',
      [{ name: 'a', closed: [{ date: '2026-12-24', to: '2026-12-23', name: 'M' }] }],
      /closure "M"/,
    ],
    ['coverage backwards', [{ name: 'a', coverage: { from: 2027, to: 2026 } }], /coverage/],
    ['half a rule', [{ name: 'a', holidays: [{ name: 'X', month: 1, nth: 2 }] }], /holiday "X"/],
  ])('refuse %s', (_, definitions, message) => {
    expect(() => createCalendars(definitions)).toThrow(message);
    expect(() => createCalendars(definitions)).toThrow(Fault);
  });

  it('that are closed for ever are refused instead of searched for ever', () => {
    const closed = [2026, 2027].map((year) => ({ date: `${year}-01-01`, to: `${year}-12-31`, name: 'Closed' }));
    const never = createCalendars([{ name: 'never', closed }]).get('never');
    expect(() => never && addBusinessDays(never, day('2026-01-01'), 1)).toThrow(/no business day/);
  });
});

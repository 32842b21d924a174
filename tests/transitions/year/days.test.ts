// Deadlines computed by Baton and reckoned by walking are the same: places, moments of the year, both changes of
// daylight saving, every kind of count. docs/sync-spec.md#I26
import fc from 'fast-check';
import { expect, it } from 'vitest';
import usFederal from '../../../profiles/calendars/us-federal.json' with { type: 'json' };
import { type CalendarDefinition, createCalendars } from '../../../src/care/business-calendar.ts';
import { type FollowUpTiming, windowOf } from '../../../src/care/deadline.ts';
import { type StepTiming, windowFrom } from './days.ts';
import { PLACES, YEAR_CALENDARS } from './places.ts';

const calendars = createCalendars([usFederal as CalendarDefinition, ...YEAR_CALENDARS]);
const BEGINS = Date.parse('2026-01-01T00:00:00Z') / 1000;
const QUARTERS = 365 * 96;

const timing = fc.record({
  count: fc.constantFrom('business-day' as const, 'calendar-day' as const, 'elapsed' as const),
  opens: fc.nat(5),
  more: fc.nat(26),
  from: fc.constantFrom(undefined, '09:00:00'),
  until: fc.constantFrom(undefined, '17:00:00'),
  roll: fc.boolean(),
});

it('windows are what walking from day to day finds', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...PLACES),
      fc.nat(QUARTERS),
      timing,
      (place, quarter, { more, from, until, ...rest }) => {
        const told: StepTiming = {
          ...rest,
          due: rest.opens + more,
          ...(from ? { from } : {}),
          ...(until ? { until } : {}),
        };
        const calendar = calendars.get(place.calendar);
        if (!calendar) throw new Error(place.calendar);
        const discharge = Temporal.Instant.fromEpochMilliseconds((BEGINS + quarter * 900) * 1000);
        const asked: FollowUpTiming = {
          ...rest,
          due: told.due,
          late: 'fire',
          ...(from ? { from: Temporal.PlainTime.from(from) } : {}),
          ...(until ? { until: Temporal.PlainTime.from(until) } : {}),
        };
        const { raise, due } = windowOf(asked, { discharge, zone: place.zone, calendar });
        expect({ raise: raise.epochMilliseconds / 1000, due: due.epochMilliseconds / 1000 }).toEqual(
          windowFrom(told, BEGINS + quarter * 900, place),
        );
      },
    ),
    { numRuns: 400 },
  );
});

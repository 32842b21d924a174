// When a follow-up is raised and when it is due: a rule counted from the discharge over a place's business calendar, in
// its time zone. Computed here and nowhere else.
import type { PlanDefinitionAction } from '@medplum/fhirtypes';
import { Fault } from '../fault.ts';
import { addBusinessDays, type BusinessCalendar, onOrAfter } from './business-calendar.ts';
import { atLocal, endOfDay, localDate } from './local-time.ts';
import { EXTENSION } from './systems.ts';

/** A step's timing, read from `PlanDefinition.action` (StructureDefinition follow-up-timing). */
export interface FollowUpTiming {
  readonly count: 'business-day' | 'calendar-day' | 'elapsed';
  /** Days (hours for `elapsed`) from the discharge to the deadline. */
  readonly due: number;
  /** Days (hours) from the discharge until the step is raised; 0 is the discharge itself. */
  readonly opens: number;
  /** Local time of day it is raised at. */
  readonly from?: Temporal.PlainTime;
  /** Local time of day it is due. */
  readonly until?: Temporal.PlainTime;
  /** Moves a day without business to the next one with. */
  readonly roll: boolean;
  /** What becomes of it when nobody could raise it in time; `fire` when absent. */
  readonly late?: LatePolicy;
}

/**
 * `fire`: raised all the same. `fire-last`: of several of the same kind only the last one. `skip-after`: not once it has
 * expired.
 */
export type LatePolicy = 'fire' | 'fire-last' | 'skip-after';

/** What a deadline is counted from. */
export interface Anchor {
  readonly discharge: Temporal.Instant;
  /** IANA name. */
  readonly zone: string;
  readonly calendar: BusinessCalendar;
}

export interface Window {
  readonly raise: Temporal.Instant;
  readonly due: Temporal.Instant;
}

/** The window of a follow-up. `due` is never before `raise`. */
export function windowOf(timing: FollowUpTiming, anchor: Anchor): Window {
  const { discharge, zone } = anchor;
  if (timing.count === 'elapsed') {
    return { raise: discharge.add({ hours: timing.opens }), due: discharge.add({ hours: timing.due }) };
  }
  const lastDay = dayAfter(timing, timing.due, anchor);
  const due = timing.until ? atLocal(lastDay, timing.until, zone) : endOfDay(lastDay, zone);
  const opened = () => atLocal(dayAfter(timing, timing.opens, anchor), timing.from ?? new Temporal.PlainTime(), zone);
  const raise = timing.opens === 0 ? discharge : opened();
  // Somebody who leaves at 16:00 cannot be called until noon of that day.
  return { raise, due: Temporal.Instant.compare(due, raise) < 0 ? raise : due };
}

function dayAfter(timing: FollowUpTiming, days: number, { discharge, zone, calendar }: Anchor): Temporal.PlainDate {
  const day = localDate(discharge, zone);
  const counted = timing.count === 'business-day' ? addBusinessDays(calendar, day, days) : day.add({ days });
  return timing.roll ? onOrAfter(calendar, counted) : counted;
}

/** The deadline of whoever must act on something that came up now: the end of the next business day. */
export function nextBusinessDayEnd(now: Temporal.Instant, zone: string, calendar: BusinessCalendar): Temporal.Instant {
  return endOfDay(addBusinessDays(calendar, localDate(now, zone), 1), zone);
}

/** @throws Fault unprocessable, naming protocol and step, when the timing is missing or impossible */
export function readTiming(action: PlanDefinitionAction, protocol: string): FollowUpTiming {
  const parts = action.extension?.find((extension) => extension.url === EXTENSION.timing)?.extension ?? [];
  const part = (url: string) => parts.find((extension) => extension.url === url);
  const refuse = (reason: string): never => {
    throw new Fault('unprocessable', `Protocol ${protocol}, step ${action.id}: ${reason}`);
  };
  const count = part('count')?.valueCode;
  if (count !== 'business-day' && count !== 'calendar-day' && count !== 'elapsed') {
    return refuse('follow-up-timing.count must be business-day, calendar-day or elapsed.');
  }
  const { value: due, code } = action.timingDuration ?? {};
  if (
    due === undefined ||
    !Number.isInteger(due) ||
    due < 0 ||
    due > 3660 ||
    code !== (count === 'elapsed' ? 'h' : 'd')
  ) {
    return refuse(`timingDuration must be a whole number of ${count === 'elapsed' ? 'hours (h)' : 'days (d)'}.`);
  }
  const opens = part('opens')?.valueInteger ?? -1;
  if (opens < 0 || opens > due)
    return refuse('follow-up-timing.opens must lie between the discharge and the deadline.');
  const readTime = (name: 'from' | 'until') => {
    const value = part(name)?.valueTime;
    try {
      return value === undefined ? undefined : Temporal.PlainTime.from(value);
    } catch {
      return refuse(`follow-up-timing.${name} must be a time of day as 09:00:00.`);
    }
  };
  const [from, until, roll] = [readTime('from'), readTime('until'), part('roll')?.valueCode];
  if (roll !== undefined && roll !== 'next-business-day') {
    return refuse('follow-up-timing.roll can only be next-business-day.');
  }
  if (count === 'elapsed' && (from ?? until ?? roll) !== undefined) {
    return refuse('hours that elapse have no time of day: follow-up-timing.from, until and roll do not apply.');
  }
  if (opens === due && from && until && Temporal.PlainTime.compare(from, until) > 0) {
    return refuse('follow-up-timing.from is later than until on the same day.');
  }
  const late = part('late')?.valueCode;
  if (late !== undefined && late !== 'fire' && late !== 'fire-last' && late !== 'skip-after') {
    return refuse('follow-up-timing.late must be fire, fire-last or skip-after.');
  }
  return { count, due, opens, from, until, roll: roll !== undefined, ...(late ? { late } : {}) };
}

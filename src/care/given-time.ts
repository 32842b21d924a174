// Dates and times that a person gives, checked against the clock.
import Type from 'typebox';
import { Fault } from '../fault.ts';
import { localDate, toInstant, toLastInstant } from './local-time.ts';
import type { Caller } from './records.ts';

/** A moment, with the offset from UTC. */
export const Moment = Type.String({ format: 'date-time', description: 'e.g. 2026-12-01T14:00:00-05:00' });

/** A day. */
export const Day = Type.String({ format: 'date', description: 'e.g. 2026-12-01' });

/** The instant that a member of the body says. @throws Fault unprocessable when there is no such day or hour */
export function givenInstant(value: string, member: string): Temporal.Instant {
  try {
    return toInstant(value, 'UTC');
  } catch (cause) {
    throw new Fault('unprocessable', `${member} is not a date that exists.`, { expression: member, cause });
  }
}

/** @throws Fault unprocessable when the time or day has not come yet */
export function requirePast(value: string, member: string, { now, zone }: Caller): void {
  givenInstant(value, member);
  if (Temporal.Instant.compare(toInstant(value, zone), now) <= 0) return;
  throw new Fault('unprocessable', `${member} must not be in the future.`, outOfTime(member));
}

/** @throws Fault unprocessable when the time has passed, or the day has */
export function requireFuture(value: string, member: string, { now, zone }: Caller): void {
  givenInstant(value, member);
  if (Temporal.Instant.compare(toLastInstant(value, zone), now) >= 0) return;
  throw new Fault('unprocessable', `${member} must not be in the past.`, outOfTime(member));
}

/** @throws Fault unprocessable when `end` is before `start` */
export function requireOrder(start: string, end: string, members: readonly [string, string]): void {
  const from = givenInstant(start, members[0]);
  if (Temporal.Instant.compare(from, givenInstant(end, members[1])) < 0) return;
  throw new Fault('unprocessable', `${members[1]} must be after ${members[0]}.`, outOfTime(members[1]));
}

/** Now, to the second, in the caller's zone. */
export function nowOf({ now, zone }: Caller): string {
  return now.toZonedDateTimeISO(zone).toString({ timeZoneName: 'never', smallestUnit: 'second' });
}

export function todayOf({ now, zone }: Caller): string {
  return localDate(now, zone).toString();
}

const outOfTime = (expression: string) => ({ expression, code: 'business-rule' as const });

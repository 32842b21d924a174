// Dates and moments that an application sends, against the caller's clock and days.
import Type from 'typebox';
import { Fault } from '../fault.ts';
import { localDate, toFhirDateTime, toInstant, toLastInstant } from './local-time.ts';
import type { Caller } from './records.ts';

/** A day. */
export const Day = Type.String({ format: 'date', examples: ['2026-12-01'] });

/** A moment, with its offset from UTC. */
export const Moment = Type.String({ format: 'date-time', examples: ['2026-12-01T14:00:00-05:00'] });

/** A day, or a moment with its offset. */
export const DateOrTime = Type.String({
  format: 'date-or-time',
  examples: ['2026-12-01', '2026-12-01T14:00:00-05:00'],
});

/** @throws Fault unprocessable naming the member when the day or moment has passed */
export function requireAhead(value: string, member: string, { now, zone }: Caller): void {
  if (Temporal.Instant.compare(toLastInstant(value, zone), now) >= 0) return;
  throw outOfTime(`${member} lies in the past; give a time that is still to come.`, member);
}

/** @throws Fault unprocessable naming the member when the day or moment is more than so many days ahead */
export function requireWithin(days: number, value: string, member: string, { now, zone }: Caller): void {
  const latest = now.add({ hours: 24 * (days + 1) });
  if (Temporal.Instant.compare(toLastInstant(value, zone), latest) <= 0) return;
  throw outOfTime(`${member} lies more than ${days} days ahead; give a nearer time.`, member);
}

/** @throws Fault unprocessable naming the member when the day or moment has not come yet */
export function requirePast(value: string, member: string, { now, zone }: Caller): void {
  if (Temporal.Instant.compare(toInstant(value, zone), now) <= 0) return;
  throw outOfTime(`${member} lies in the future; give a time that has come.`, member);
}

/** @throws Fault unprocessable naming the later member when it ends before the other begins */
export function requireOrder(
  first: string | undefined,
  last: string | undefined,
  members: readonly [string, string],
  { zone }: Pick<Caller, 'zone'>,
): void {
  if (first === undefined || last === undefined) return;
  if (Temporal.Instant.compare(toInstant(first, zone), toLastInstant(last, zone)) <= 0) return;
  throw outOfTime(`${members[1]} lies before ${members[0]}.`, members[1]);
}

/** A date as its last second, a moment as it is, with the offset of the zone. */
export function asDue(value: string, zone: string): string {
  return value.includes('T') ? value : toFhirDateTime(toLastInstant(value, zone), zone);
}

/** A date as its first second, a moment as it is. */
export function asStart(value: string, zone: string): string {
  return value.includes('T') ? value : toFhirDateTime(toInstant(value, zone), zone);
}

/** The caller's day. */
export const today = ({ now, zone }: Caller): string => localDate(now, zone).toString();

/** Now, as FHIR writes it in the caller's zone. */
export const nowOf = ({ now, zone }: Caller): string => toFhirDateTime(now, zone);

function outOfTime(sentence: string, expression: string): Fault {
  return new Fault('unprocessable', sentence, { expression, code: 'business-rule' });
}

// Dates and moments that an application sends, against the clock of the case.
import { Fault } from '../../fault.ts';
import { localDate, toFhirDateTime, toInstant, toLastInstant } from '../local-time.ts';
import type { Caller } from '../records.ts';

/** @throws Fault unprocessable naming the member when the day or moment has passed */
export function requireAhead(value: string, { now, zone }: Caller, member: string): void {
  if (Temporal.Instant.compare(toLastInstant(value, zone), now) >= 0) return;
  throw outOfTime(`${member} lies in the past; give a date that is still to come.`, member);
}

/** @throws Fault unprocessable naming the member when the day or moment has not come yet */
export function requirePast(value: string, { now, zone }: Caller, member: string): void {
  if (Temporal.Instant.compare(toInstant(value, zone), now) <= 0) return;
  throw outOfTime(`${member} lies in the future; give a time that has come.`, member);
}

/** @throws Fault unprocessable naming the later member when it comes first */
export function requireOrder(
  first: string | undefined,
  last: string | undefined,
  zone: string,
  members: readonly [string, string],
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

export const today = ({ now, zone }: Caller): string => localDate(now, zone).toString();

export const rightNow = ({ now, zone }: Caller): string => toFhirDateTime(now, zone);

function outOfTime(sentence: string, expression: string): Fault {
  return new Fault('unprocessable', sentence, { expression, code: 'business-rule' });
}

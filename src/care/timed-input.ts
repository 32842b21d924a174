// Dates and times that an application sends, read in the caller's days.
import Type from 'typebox';
import { Fault } from '../fault.ts';
import { localDate, toFhirDateTime, toInstant, toLastInstant } from './local-time.ts';
import type { Caller } from './records.ts';

/** A FHIR date, or a dateTime with its offset. */
export const DateOrTime = Type.String({
  format: 'date-or-time',
  examples: ['2026-11-28', '2026-11-28T10:15:00-05:00'],
});

/** A FHIR dateTime with its offset. */
export const Time = Type.String({ format: 'date-time', examples: ['2026-11-28T10:15:00-05:00'] });

/** Now, as FHIR writes it in the caller's zone. */
export const nowOf = ({ now, zone }: Caller): string => toFhirDateTime(now, zone);

/** The caller's day. */
export const today = ({ now, zone }: Caller): string => localDate(now, zone).toString();

/** @throws Fault unprocessable when it begins after now */
export function refuseFuture(value: string, member: string, { now, zone }: Caller): void {
  if (Temporal.Instant.compare(toInstant(value, zone), now) <= 0) return;
  throw new Fault('unprocessable', `${member} lies in the future; give when it happened.`, {
    expression: member,
    code: 'business-rule',
  });
}

/** @throws Fault unprocessable when the end lies before the start */
export function refuseBackwards(
  start: string | undefined,
  end: string | undefined,
  member: string,
  zone: string,
): void {
  if (start === undefined || end === undefined) return;
  if (Temporal.Instant.compare(toLastInstant(end, zone), toInstant(start, zone)) >= 0) return;
  throw new Fault('unprocessable', `${member} lies before the start.`, { expression: member, code: 'business-rule' });
}

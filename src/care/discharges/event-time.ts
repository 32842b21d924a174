// When what a person says of a discharge counts as having happened, beside what hospitals send: their messages have the time
// of their event, and the newest decides.
import type { Encounter, Extension } from '@medplum/fhirtypes';
import { EVENT_TIME, instantOf, withInstant } from '../../fhir/event-time.ts';
import { toLastInstant } from '../local-time.ts';
import type { Caller } from '../records.ts';

/** A first word is as old as the discharge, so that the hospital's own word about it, before or after, is the newer one. */
export function timeOfDischarge(discharged: string, { now, zone }: Caller): Temporal.Instant {
  const last = toLastInstant(discharged, zone);
  return Temporal.Instant.compare(last, now) < 0 ? last : now;
}

/** The extensions with that time, but later than what has set the stay so far. */
export function stamped(stay: Pick<Encounter, 'extension'>, time: Temporal.Instant): Extension[] {
  const before = instantOf(stay, EVENT_TIME);
  const isOvertaken = before !== undefined && Temporal.Instant.compare(time, before) <= 0;
  return withInstant(stay, EVENT_TIME, isOvertaken ? before.add({ milliseconds: 1 }) : time);
}

// When what a person says of a discharge counts as having happened, beside what hospitals send: their messages have the time
// of their event, and the newest decides.
import type { Encounter, Extension } from '@medplum/fhirtypes';
import { EVENT_TIME, instantOf, withInstant } from '../../fhir/event-time.ts';
import { toInstant, toLastInstant } from '../local-time.ts';
import type { Caller } from '../records.ts';
import { toldEnd } from '../transition/discharge.ts';

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

/** A discharge taken back gives way to any word that is newer than that discharge: a real one is never lost for it. */
export function stampedTakenBack(stay: Encounter, { now, zone }: Caller): Extension[] {
  const end = toldEnd(stay, zone);
  // Nor would it give way before a day that is still to come.
  if (end === undefined) return stamped(stay, now);
  // Told by its date, it counted as the end of the day, which the real one may come before.
  return end.includes('T') ? stamped(stay, toInstant(end, zone)) : withInstant(stay, EVENT_TIME, toInstant(end, zone));
}

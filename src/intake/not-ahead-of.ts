// What claims to be of a year to come. The newest event decides about a visit, so that such an event would make everything that
// really happens afterwards look old: it counts as recorded when it came. Follow-ups would wait for such a discharge, and nobody
// would be called.
import type { Resource } from '@medplum/fhirtypes';
import { Refusal } from './refusal.ts';

/** Clocks of senders may be wrong by that much, and their zones; what comes by other doors: transitions/counted-discharge.ts. */
const MOST_MS = 24 * 60 * 60_000;

/** @param told when a message says that its event was recorded */
export function notAheadOf(now: Temporal.Instant, told: Temporal.Instant): Temporal.Instant {
  return told.epochMilliseconds - now.epochMilliseconds <= MOST_MS ? told : now;
}

/**
 * @param told what a message says
 * @param location of the discharge in the message
 * @throws Refusal AE 102 for a patient who has left at a time to come
 */
export function requireNotAhead(now: Temporal.Instant, told: readonly Resource[], location: string): void {
  for (const resource of told) {
    const end =
      resource.resourceType === 'Encounter' && resource.status === 'finished' ? resource.period?.end : undefined;
    const left = end === undefined ? undefined : earliestOf(end);
    if (left && left.epochMilliseconds - now.epochMilliseconds > MOST_MS) {
      throw new Refusal('AE', '102', 'The discharge is more than a day ahead of now.', location);
    }
  }
}

/** Undefined for what is no dateTime, which the validation of the resource says better. */
function earliestOf(dateTime: string): Temporal.Instant | undefined {
  const moment = dateTime.includes('T') ? dateTime : `${dateTime}${'-01-01'.slice(dateTime.length - 4)}T00:00Z`;
  try {
    return Temporal.Instant.from(moment);
  } catch {
    return undefined;
  }
}

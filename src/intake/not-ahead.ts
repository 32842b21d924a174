// The newest event decides about a visit. One that claims to be of a year to come would make everything that really happens
// afterwards look old, so it is not taken in: it is kept for somebody to correct.
import { Refusal } from './refusal.ts';

/** Clocks of senders may be wrong by that much, and their zones. */
const MOST = { hours: 24 };

/**
 * @param told when a message says that its event was recorded
 * @throws Refusal AE 102
 */
export function requireNotAhead(told: Temporal.Instant, now: Temporal.Instant, location: string): void {
  if (Temporal.Instant.compare(told, now.add(MOST)) <= 0) return;
  throw new Refusal('AE', '102', 'The event was recorded more than a day from now; correct the time.', location);
}

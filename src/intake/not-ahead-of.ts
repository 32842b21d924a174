// The newest event decides about a visit. One that claims to be of a year to come would make everything that really happens
// afterwards look old: it counts as recorded when it came.

/** Clocks of senders may be wrong by that much, and their zones. */
const MOST_MS = 24 * 60 * 60_000;

/** @param told when a message says that its event was recorded */
export function notAheadOf(now: Temporal.Instant, told: Temporal.Instant): Temporal.Instant {
  return told.epochMilliseconds - now.epochMilliseconds <= MOST_MS ? told : now;
}

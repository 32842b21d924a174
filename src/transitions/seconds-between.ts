// How late something happens.

/** Whole seconds from `moment` to `now`. */
export function secondsBetween(moment: Temporal.Instant, now: Temporal.Instant): number {
  return Math.floor(moment.until(now).total('seconds'));
}

// The only source of "now". Business code asks `now()`, which the sandbox can move forward; security and leases ask
// `real()`, which nobody can move.

export interface Clock {
  /** The moment clinical rules are computed from: due times, lastUpdated, reminders. */
  now(): Temporal.Instant;
  /** The machine's clock: token lifetimes, leases, timeouts. Never moved by the sandbox. */
  real(): Temporal.Instant;
}

/** The machine's clock for both readings. */
export function systemClock(): Clock {
  return { now: () => Temporal.Now.instant(), real: () => Temporal.Now.instant() };
}

/** A clock that runs at the machine's speed from wherever it was last moved to. It never goes backwards. */
export interface MovableClock extends Clock {
  /** Jumps forward to `instant`; an instant in the past is ignored. Returns the new now. */
  moveTo(instant: Temporal.Instant): Temporal.Instant;
}

/** @param start where business time begins; the machine's time when absent */
export function movableClock(start?: Temporal.Instant): MovableClock {
  const real = () => Temporal.Now.instant();
  let offset = start ? real().until(start) : new Temporal.Duration();
  const now = () => real().add(offset);
  return {
    now,
    real,
    moveTo(instant) {
      if (Temporal.Instant.compare(instant, now()) > 0) offset = real().until(instant);
      return now();
    },
  };
}

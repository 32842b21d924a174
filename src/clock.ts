// The only source of "now". Business code asks `now()`, which the sandbox can move forward; security and leases ask
// `real()`, which nobody can move.

export interface Clock {
  /** The moment clinical rules are computed from: due times, lastUpdated, reminders. */
  now(): Temporal.Instant;
  /** The machine's clock: token lifetimes, leases, timeouts. Never moved by the sandbox. */
  real(): Temporal.Instant;
}

/** The machine's clock for both readings, in whole milliseconds. */
export function systemClock(): Clock {
  const real = readMachine();
  return { now: real, real };
}

/** One Instant serves all who ask within a millisecond: each request asks several times, and making one is dear. */
function readMachine(): () => Temporal.Instant {
  let at = Number.NaN;
  let instant: Temporal.Instant | undefined;
  return () => {
    const now = Date.now();
    if (now !== at || !instant) {
      at = now;
      instant = Temporal.Instant.fromEpochMilliseconds(now);
    }
    return instant;
  };
}

/** A clock that runs at the machine's speed from wherever it was last moved to. It never goes backwards. */
export interface MovableClock extends Clock {
  /** Jumps forward to `instant`; an instant in the past is ignored. Returns the new now. */
  moveTo(instant: Temporal.Instant): Temporal.Instant;
}

/** @param start where business time begins; the machine's time when absent */
export function movableClock(start?: Temporal.Instant): MovableClock {
  const real = readMachine();
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

// Moves the sandbox's clock and runs what falls due on the way, one move at a time.
import type { MovableClock } from '../clock.ts';
import { Fault } from '../fault.ts';

export interface ClockMover {
  now(): Temporal.Instant;
  /** Resolves when everything that fell due by `instant` has been done. An instant in the past only settles. */
  moveTo(instant: Temporal.Instant): Promise<Temporal.Instant>;
}

/** @param settle runs consumers, sweep, push and pull until nothing is left to do */
export function createClockMover(clock: MovableClock, settle: () => Promise<void>): ClockMover {
  let tail: Promise<unknown> = Promise.resolve();
  return {
    now: () => clock.now(),
    moveTo(instant) {
      const move = async () => {
        clock.moveTo(instant);
        await settle();
        return clock.now();
      };
      const turn = tail.then(move);
      tail = turn.catch(() => {});
      return turn;
    },
  };
}

/** One move may not leap further; a typing error would be for ever. */
const FURTHEST_LEAP = { days: 3660 };

/**
 * Reads what `POST /sandbox/clock` was sent: `{"advance":"P2DT3H"}` or `{"now":"2026-11-27T15:00:00Z"}`.
 * @throws Fault invalid
 */
export function readMove(body: unknown, now: Temporal.Instant): Temporal.Instant {
  const {
    advance,
    now: wanted,
    ...others
  } = typeof body === 'object' && body !== null ? ({ ...body } as Record<string, unknown>) : {};
  if (Object.keys(others).length > 0 || (advance === undefined) === (wanted === undefined)) {
    throw new Fault('invalid', 'Send {"advance":"P2DT3H"} or {"now":"2026-11-27T15:00:00Z"}, one of the two.');
  }
  const utc = now.toZonedDateTimeISO('UTC');
  const target = advance === undefined ? instantOf(wanted) : utc.add(durationOf(advance)).toInstant();
  if (Temporal.Instant.compare(target, now) < 0) {
    throw new Fault('invalid', `The clock is at ${now.toString()} and only moves forward.`, {
      expression: advance === undefined ? 'now' : 'advance',
    });
  }
  if (Temporal.Instant.compare(target, utc.add(FURTHEST_LEAP).toInstant()) > 0) {
    throw new Fault('invalid', 'One move may be at most ten years.');
  }
  return target;
}

function durationOf(text: unknown): Temporal.Duration {
  try {
    const duration = Temporal.Duration.from(String(text));
    // Out of the range of dates is as wrong as not a duration.
    Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO('UTC').add(duration);
    return duration;
  } catch (cause) {
    throw new Fault('invalid', `"advance" must be an ISO 8601 duration like P2DT3H, not ${JSON.stringify(text)}.`, {
      expression: 'advance',
      cause,
    });
  }
}

function instantOf(text: unknown): Temporal.Instant {
  try {
    return Temporal.Instant.from(String(text));
  } catch (cause) {
    throw new Fault('invalid', `"now" must be an instant like 2026-11-27T15:00:00Z, not ${JSON.stringify(text)}.`, {
      expression: 'now',
      cause,
    });
  }
}
